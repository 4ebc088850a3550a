//! The time line of a case: whether its steps follow each other as steps do, and which evidence is of
//! which span.
//!
//! A label says at which look a thing was seen; its time says whether that can be. Both must agree.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::ops::{Range, RangeBounds};

use migratrix_history::{Entry, History, Observation, Outcome, Side, Verb, Versions, When};
use migratrix_matrix::{Point, Version};

use super::{evidence::Evidence, words::place};

/// The states of QEMU's migration that nothing follows but another migration (`MigrationStatus`).
pub(super) const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

/// QEMU's events that tell whether the guest runs, and those of what must not befall it (`run-state.json`).
pub(super) const OF_THE_GUEST: [&str; 6] = [
    "STOP",
    "RESUME",
    "WAKEUP",
    "RESET",
    "SHUTDOWN",
    "GUEST_PANICKED",
];

impl Evidence<'_> {
    /// The time at which what is labelled so can have been seen, in microseconds. Where nothing was
    /// migrated, any.
    pub(super) fn span(&self, when: When) -> Range<u64> {
        let Ok(asked) = self.first_asked() else {
            return 0..u64::MAX;
        };
        match when {
            When::Before => 0..asked,
            When::During => asked..u64::MAX,
            When::After => self.ended().unwrap_or(asked)..u64::MAX,
            When::Writing => 0..u64::MAX,
            When::Healed => self.began_last(Verb::Heal)..u64::MAX,
            When::Retried => self.began_last(Verb::Retry)..u64::MAX,
        }
    }

    /// When the first migration was asked for.
    fn first_asked(&self) -> Result<u64, ()> {
        let began = |entry: &Entry| match entry.saw {
            Observation::Began {
                verb: Verb::Migrate | Verb::Begin,
                ..
            } => Some(entry.at_us),
            _ => None,
        };
        self.entries.iter().find_map(began).ok_or(())
    }

    /// When the last step of a kind was begun; after all where there was none.
    pub(super) fn began_last(&self, of: Verb) -> u64 {
        let began = |entry: &Entry| match &entry.saw {
            Observation::Began { verb, .. } if *verb == of => Some(entry.at_us),
            _ => None,
        };
        self.entries
            .iter()
            .rev()
            .find_map(began)
            .unwrap_or(u64::MAX)
    }

    /// When the migration was over: the call has returned, or the source's QEMU came to a state that
    /// nothing follows.
    pub(super) fn ended(&self) -> Option<u64> {
        let ends = |entry: &Entry| match (&self.header().case.point, &entry.saw) {
            (
                Point::Tck(_) | Point::Chained(_),
                Observation::Ended {
                    verb: Verb::Migrate,
                    ..
                },
            )
            | (
                Point::Recovery(_),
                Observation::Ended {
                    verb: Verb::Answer, ..
                },
            ) => Some(entry.at_us),
            (
                Point::Qemu(_),
                Observation::Status {
                    side: Side::Source,
                    status,
                },
            ) if ENDS.contains(&status.as_str()) => Some(entry.at_us),
            _ => None,
        };
        self.entries.iter().filter_map(ends).max()
    }
}

impl Evidence<'_> {
    /// How long the guest ran on neither side, in microseconds, by the events of both: from the first
    /// that told that the source had stopped it to the first that told that it went on on the destination.
    pub(super) fn gap(&self) -> Option<u64> {
        let asked = self.first_asked().ok()?;
        let stopped = self.first_sent(Side::Source, &["suspended", "STOP"], asked..)?;
        let ran = self.first_sent(Side::Destination, &["resumed", "RESUME"], asked..)?;
        Some(ran.saturating_sub(stopped))
    }

    /// When a side sent the first of these events of those that were heard at these times, in microseconds.
    pub(super) fn first_sent(
        &self,
        of: Side,
        words: &[&str],
        heard: impl RangeBounds<u64>,
    ) -> Option<u64> {
        let tells = |entry: &&Entry| match &entry.saw {
            Observation::Lifecycle { side, event, .. } | Observation::Event { side, event, .. } => {
                *side == of && words.contains(&event.as_str())
            }
            _ => false,
        };
        let then = self.entries.iter().filter(|one| heard.contains(&one.at_us));
        then.filter(tells).map(sent_us).min()
    }
}

/// When a thing was sent, in microseconds: a busy machine may let it lie before it is heard.
fn sent_us(entry: &Entry) -> u64 {
    let late = match entry.saw {
        Observation::Event { late_us, .. } => late_us,
        _ => None,
    };
    entry.at_us.saturating_sub(late.unwrap_or(0))
}

/// How far apart two sides' events may be heard that happened at once, in microseconds: each comes on a
/// connection of its own, from a daemon of its own, on a machine that may be busy.
const APART_US: u64 = 250_000;

/// How much later an event may be taken than it was heard, in microseconds: it has its own time, and the process
/// that hears it may wait for a processor before it tells.
const TAKEN_US: u64 = 5_000_000;

/// How much earlier the guest may be heard to go on there than to be stopped here, in microseconds: the source
/// tells that it has stopped it long before all is sent, so that only a late word can come second.
const LATE_US: u64 = 100_000;

/// What is wrong where the guest ran on the destination before it was stopped on the source: it ran
/// twice meanwhile. `stopped` and `ran` are when each was heard, in microseconds.
pub(super) fn two_run(stopped: Option<u64>, ran: Option<u64>) -> Option<String> {
    let early = stopped?
        .checked_sub(ran?)
        .filter(|early| *early > LATE_US)?;
    Some(format!(
        "the guest ran on both sides: it went on on the destination {} ms before the source stopped it",
        early / 1_000
    ))
}

/// What a history says that can't all be so.
pub(super) fn disorder(history: &History) -> Option<String> {
    let entries = &history.entries;
    disordered(entries)
        .or_else(|| astray(entries))
        .or_else(|| ours_and_not(entries))
        .or_else(|| two_versions(entries))
        .or_else(|| broken_on_purpose(history))
}

/// What was broken on purpose in a case that names no such thing.
fn broken_on_purpose(history: &History) -> Option<String> {
    let of_case = history.header.case.fault.is_some();
    let mut faults = history.entries.iter().filter(|_| !of_case);
    faults.find_map(|entry| match &entry.saw {
        Observation::Fault { fault } => Some(format!("`{fault}` was done, and is not the case's")),
        _ => None,
    })
}

/// What is wrong with the order of a history's steps: none overlaps another, goes back in time, or
/// lacks its end where others came after it.
fn disordered(entries: &[Entry]) -> Option<String> {
    let mut open: Option<(Verb, &str)> = None;
    let mut last = 0;
    for entry in entries {
        let (verb, step, begins) = match &entry.saw {
            Observation::Began { verb, step } => (*verb, step.as_str(), true),
            Observation::Ended { verb, step, .. } => (*verb, step.as_str(), false),
            _ => continue,
        };
        if entry.at_us < last {
            return Some(format!("the step `{step}` goes back in time"));
        }
        last = entry.at_us;
        match (begins, open.take()) {
            (true, None) => open = Some((verb, step)),
            (true, Some((_, other))) => {
                return Some(format!(
                    "the step `{other}` never ended, and `{step}` began"
                ));
            }
            (false, Some(begun)) if begun == (verb, step) => {}
            (false, _) => return Some(format!("the step `{step}` ended and never began")),
        }
    }
    None
}

/// The step that a thing seen stands in, or behind.
#[derive(Default)]
struct Within {
    /// When the last step was begun, in microseconds, if one was.
    began: Option<u64>,
    /// When the newest thing in it was seen, in microseconds.
    latest: u64,
    /// What it is, if it is not over.
    open: Option<Verb>,
    /// Whether something was told in answer to it.
    is_answered: bool,
    /// The last step that can be a migration's.
    asked: Option<Verb>,
    /// Whether a guest was cleared away.
    is_cleared: bool,
}

/// What was seen where it can't have been: before or after the step that it stands in, outside the steps
/// that it answers, in one that was refused, or of a migration before one was asked for.
fn astray(entries: &[Entry]) -> Option<String> {
    let mut within = Within::default();
    entries.iter().find_map(|entry| within.take(entry))
}

impl Within {
    fn take(&mut self, entry: &Entry) -> Option<String> {
        match &entry.saw {
            Observation::Began { verb, .. } => {
                let asked = migrates(*verb).then_some(*verb).or(self.asked);
                *self = Self {
                    began: Some(entry.at_us),
                    latest: entry.at_us,
                    open: Some(*verb),
                    is_answered: false,
                    asked,
                    is_cleared: self.is_cleared || *verb == Verb::Clear,
                };
                None
            }
            Observation::Ended {
                verb,
                step,
                outcome,
            } => {
                self.open = None;
                if entry.at_us < self.latest {
                    return Some(format!(
                        "the step `{step}` ended before what was seen in it"
                    ));
                }
                let refused = matches!(outcome, Outcome::Refused(_));
                (refused && self.is_answered && asks(*verb))
                    .then(|| format!("the step `{step}` was refused and answered"))
            }
            saw => self.misplaced(entry.at_us, saw),
        }
    }

    fn misplaced(&mut self, at_us: u64, saw: &Observation) -> Option<String> {
        let asked_in = asked_in(saw);
        let is_told_first = match saw {
            Observation::Command { .. } => true,
            Observation::Versions(_) => self.open != Some(Verb::Connect),
            _ => false,
        };
        self.is_answered |= !asked_in.is_empty() && !is_told_first;
        self.latest = self.latest.max(at_us);
        let is_older = |began: u64| {
            let sampled = at_us.saturating_add(APART_US);
            if is_event(saw) {
                at_us.saturating_add(TAKEN_US) < began
            } else {
                at_us < began || sampled.saturating_sub(sampled_for(saw)) < began
            }
        };
        if self.began.is_none_or(is_older) {
            return Some(format!("at {at_us} µs is something older than its step"));
        }
        let asks = |verb: Verb| verb == Verb::Other || asked_in.contains(&verb);
        if !asked_in.is_empty() && !self.open.is_some_and(asks) {
            return Some(format!(
                "at {at_us} µs is an answer that its step did not ask for"
            ));
        }
        if self.is_cleared && is_way(saw) {
            return Some(format!(
                "at {at_us} µs a guest migrates that was cleared away"
            ));
        }
        match (moves(saw)?, self.asked) {
            (_, None) => Some(format!(
                "at {at_us} µs a migration is told of before one was asked for"
            )),
            (Side::Destination, Some(Verb::Migrate)) => Some(format!(
                "at {at_us} µs the destination tells of an iteration over the source's memory"
            )),
            (Side::Source | Side::Destination, Some(_)) => None,
        }
    }
}

/// Whether a thing is told by libvirt's events: it has the time at which it was heard, by a process of its own, and
/// may be taken in a step later.
const fn is_event(saw: &Observation) -> bool {
    matches!(
        saw,
        Observation::Lifecycle { .. }
            | Observation::Iteration { .. }
            | Observation::JobEnded { .. }
    )
}

/// For how long a thing was looked at, in microseconds.
const fn sampled_for(saw: &Observation) -> u64 {
    match saw {
        Observation::Beat { window_us, .. } => *window_us,
        _ => 0,
    }
}

/// What was seen of a host that is said not to be ours to look into.
fn ours_and_not(entries: &[Entry]) -> Option<String> {
    let is_foreign = |of: Side| {
        let says = |entry: &Entry| matches!(entry.saw, Observation::NotOurs { side } if side == of);
        entries.iter().any(says)
    };
    let looked_into = entries.iter().find_map(|entry| match &entry.saw {
        Observation::Leftovers { side, .. }
        | Observation::Ram { side, .. }
        | Observation::Carriers { side, .. }
        | Observation::Userfaults { side, .. }
        | Observation::Unowned { side, .. } => Some(*side).filter(|side| is_foreign(*side)),
        _ => None,
    })?;
    let place = place(looked_into);
    Some(format!("{place} is not ours, and was looked into"))
}

/// What is told of one program.
type Told = fn(&Versions) -> Option<Version>;

/// Which program told two versions of itself.
fn two_versions(entries: &[Entry]) -> Option<String> {
    let told = entries.iter().filter_map(|entry| match &entry.saw {
        Observation::Versions(versions) => Some(versions),
        _ => None,
    });
    let told: Vec<&Versions> = told.collect();
    let programs: [(&str, Told); 5] = [
        ("the client", |versions| versions.client),
        ("the source's libvirt", |versions| versions.source_libvirt),
        ("the source's QEMU", |versions| versions.source_qemu),
        ("the destination's libvirt", |versions| {
            versions.destination_libvirt
        }),
        ("the destination's QEMU", |versions| {
            versions.destination_qemu
        }),
    ];
    programs.into_iter().find_map(|(program, version)| {
        let mut all = told.iter().filter_map(|versions| version(versions));
        let first = all.next()?;
        let other = all.find(|one| *one != first)?;
        Some(format!("{program} is {first}, and is {other}"))
    })
}

/// Whether a step may be one that migrates.
const fn migrates(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Migrate | Verb::Onward | Verb::Backup | Verb::Begin | Verb::Heal | Verb::Retry
    )
}

/// Whether a step only asks for something, so that one that was refused has no answer.
const fn asks(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Connect
            | Verb::Inspect
            | Verb::Beat
            | Verb::Job
            | Verb::Survey
            | Verb::Ram
            | Verb::UseDevice
            | Verb::Configure
            | Verb::Mirror
            | Verb::Backup
            | Verb::Leftovers
    )
}

/// The steps that a thing is told in where it does not come of itself, but is asked for; none where it
/// does.
fn asked_in(saw: &Observation) -> &'static [Verb] {
    match saw {
        Observation::Command { command, .. } if command == "migrate" => {
            &[Verb::Migrate, Verb::Intervene, Verb::Onward, Verb::Backup]
        }
        Observation::Versions(_) => &[
            Verb::Connect,
            Verb::Start,
            Verb::Listen,
            Verb::Migrate,
            Verb::Onward,
            Verb::Backup,
        ],
        Observation::Beat { when, .. } => match when {
            When::Before | When::After | When::Healed | When::Retried => &[Verb::Beat],
            When::During | When::Writing => &[
                Verb::Beat,
                Verb::Migrate,
                Verb::Await,
                Verb::Checkpoint,
                Verb::Backup,
            ],
        },
        Observation::Domain { .. }
        | Observation::Description { .. }
        | Observation::Carriers { .. }
        | Observation::Wire { .. }
        | Observation::Userfaults { .. }
        | Observation::Stream { .. }
        | Observation::Monitor { .. } => &[Verb::Inspect],
        Observation::Channels { .. } => &[Verb::Inspect, Verb::Migrate],
        Observation::Job { .. } => &[Verb::Job, Verb::Await],
        Observation::Memory { .. } => &[Verb::Survey],
        Observation::Ram { .. } => &[Verb::Ram],
        Observation::Settings { .. } => &[
            Verb::Configure,
            Verb::Start,
            Verb::Listen,
            Verb::Migrate,
            Verb::Inspect,
        ],
        Observation::Device { .. } => &[Verb::UseDevice],
        Observation::Colo { .. } | Observation::Waited { .. } => &[Verb::Await],
        Observation::Mirror { .. } => &[Verb::Mirror],
        Observation::Bitmaps { .. }
        | Observation::Written { .. }
        | Observation::Compared { .. }
        | Observation::Sectors { .. } => &[Verb::Backup],
        Observation::Stood { .. } => &[Verb::Hold, Verb::Strike],
        Observation::Struck { .. } => &[Verb::Strike, Verb::Hold, Verb::Answer, Verb::Await],
        Observation::Beside { .. } => &[Verb::Strike],
        Observation::Answered { .. } | Observation::Unanswered { .. } => &[Verb::Answer],
        // What was watched when a case is ended early is told where the hosts are restored.
        Observation::Watched { .. } => &[Verb::Watch, Verb::Hold],
        Observation::Daemon { .. } | Observation::Pending { .. } | Observation::Stock { .. } => {
            &[Verb::Inspect]
        }
        Observation::Healed { .. } => &[Verb::Heal],
        Observation::Leftovers { .. }
        | Observation::Unowned { .. }
        | Observation::Traffic(_)
        | Observation::NotCaptured { .. } => &[Verb::Leftovers],
        Observation::NotOurs { .. } => &[Verb::Leftovers, Verb::Ram],
        _ => &[],
    }
}

/// Whether a thing tells that a migration goes on, or went well.
fn is_way(saw: &Observation) -> bool {
    match saw {
        Observation::Iteration { .. } => true,
        Observation::Status { status, .. } => status == "completed",
        _ => false,
    }
}

/// Whose memory moves, by a thing that comes of nothing but a migration under way.
fn moves(saw: &Observation) -> Option<Side> {
    match saw {
        Observation::Iteration { side, .. } => Some(*side),
        Observation::Status {
            side: Side::Source, ..
        } => Some(Side::Source),
        Observation::Lifecycle { detail, .. } if detail == "migrated" => Some(Side::Source),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::Version;

    use super::*;
    use crate::{
        raw_story::{good, status},
        story::{event, qemu_version, ram, step, step_that},
    };

    const CASE: &str = "qemu/qemu/bookworm,trixie/precopy/unix/running/plain";

    /// What is wrong with a history of these steps.
    fn wrong(steps: &[(Verb, Vec<Observation>)]) -> Option<String> {
        let mut history = good(CASE);
        history.entries.clear();
        for (verb, seen) in steps {
            step(&mut history, *verb, seen.clone());
        }
        disorder(&history)
    }

    #[test]
    fn a_process_that_replaces_itself_tells_its_version_in_its_migration() {
        let told = qemu_version(Side::Destination, Version::new(11, 0, 0));
        assert_eq!(wrong(&[(Verb::Migrate, vec![told.clone()])]), None);
        let why = wrong(&[(Verb::Survey, vec![told])]).unwrap();
        assert!(
            why.ends_with("an answer that its step did not ask for"),
            "{why}"
        );
    }

    #[test]
    fn what_is_asked_for_is_told_in_the_step_that_asks() {
        let read = ram(Side::Source, When::Before);
        assert_eq!(wrong(&[(Verb::Ram, vec![read.clone()])]), None);
        for verb in [Verb::Beat, Verb::Inspect, Verb::Clear] {
            assert!(wrong(&[(verb, vec![read.clone()])]).is_some(), "{verb:?}");
        }
    }

    #[test]
    fn an_event_may_be_taken_in_a_moment_after_it_was_heard_and_an_answer_may_not() {
        let older_by = |us: u64, saw: Observation| {
            let mut history = good(CASE);
            history.entries.clear();
            step(&mut history, Verb::Migrate, vec![]);
            step(&mut history, Verb::Ram, vec![saw]);
            let all = history.entries.iter_mut();
            all.for_each(|entry| entry.at_us += 2 * TAKEN_US);
            let [.., began, taken, _] = history.entries.as_mut_slice() else {
                panic!("a step has a begin and an end");
            };
            taken.at_us = began.at_us - us;
            disorder(&history)
        };
        let stopped = || event(Side::Source, "stopped", "migrated");
        assert_eq!(older_by(TAKEN_US, stopped()), None);
        for (us, saw) in [
            (TAKEN_US + 1, stopped()),
            (1, ram(Side::Source, When::After)),
        ] {
            let why = older_by(us, saw).unwrap();
            assert!(why.ends_with("is something older than its step"), "{why}");
        }
    }

    #[test]
    fn a_step_that_was_refused_has_no_answer() {
        let refused = || {
            Outcome::Refused(migratrix_history::Refusal {
                code: 0,
                domain: 0,
                message: "no".to_owned(),
            })
        };
        let mut history = good(CASE);
        history.entries.clear();
        step_that(&mut history, Verb::Ram, vec![], refused());
        assert_eq!(disorder(&history), None);
        let read = ram(Side::Source, When::Before);
        step_that(&mut history, Verb::Ram, vec![read], refused());
        let why = disorder(&history).unwrap();
        assert!(why.ends_with("was refused and answered"), "{why}");
    }

    #[test]
    fn a_migration_is_told_of_once_it_was_asked_for() {
        let came = || vec![status(Side::Source, "active")];
        assert_eq!(
            wrong(&[(Verb::Migrate, vec![]), (Verb::Await, came())]),
            None
        );
        let why = wrong(&[(Verb::Await, came()), (Verb::Migrate, vec![])]).unwrap();
        assert!(why.ends_with("before one was asked for"), "{why}");
        let left = vec![event(Side::Source, "stopped", "migrated")];
        assert!(wrong(&[(Verb::Await, left)]).is_some());
    }

    #[test]
    fn a_guest_that_was_cleared_away_does_not_migrate() {
        let came = vec![status(Side::Source, "completed")];
        let steps = [
            (Verb::Migrate, vec![]),
            (Verb::Clear, vec![]),
            (Verb::Clear, came),
        ];
        let why = wrong(&steps).unwrap();
        assert!(
            why.ends_with("a guest migrates that was cleared away"),
            "{why}"
        );
    }
}
