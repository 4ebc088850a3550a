//! Each check is shown to be able to pass, to fail and to be unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each spoiler changes one kind of observation"
)]

mod edges;
mod figures;
mod planted;

use std::collections::BTreeSet;

use migratrix_guest::{Page, Ram, Run};
use migratrix_history::{
    Document, DomainState, Entry, History, Observation, Outcome, Part, Party, Refusal, Side, Verb,
    When,
};
use migratrix_matrix::{Backend, Condition, Profile};

use super::{Evidence, all, judged};
use crate::{
    Kind, Verdict,
    story::{changed, event, good, without},
};

const LIVE: &str = "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live";
const PLAIN: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";
const PAUSED: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/transient-paused-defined/persist";

fn verdict(history: &History, condition: Condition) -> Verdict {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    found.expect("every condition is judged").1
}

fn assert_kind(history: &History, condition: Condition, kind: Kind) {
    let verdict = verdict(history, condition);
    assert_eq!(verdict.kind(), kind, "{condition}: {verdict:?}");
}

/// Changes what a host said of the domain at a look.
fn looked(history: History, of: (Side, When), change: impl Fn(&mut DomainState)) -> History {
    changed(history, |saw| match saw {
        Observation::Domain { side, when, look } if (*side, *when) == of => change(look),
        _ => {}
    })
}

fn domain(
    history: History,
    of: (Side, When),
    change: impl Fn(&mut migratrix_history::DomainInfo),
) -> History {
    looked(history, of, |look| match look {
        DomainState::Present(domain) => change(domain),
        DomainState::Absent => panic!("the story has a domain there"),
    })
}

fn lapped(history: History, of: (Side, When), by: u32) -> History {
    changed(history, |saw| match saw {
        Observation::Beat {
            side,
            when,
            first,
            last,
            ..
        } if (*side, *when) == of => {
            *last = *first + by;
        }
        _ => {}
    })
}

fn inserted(
    mut history: History,
    after: impl Fn(&Observation) -> bool,
    saw: Observation,
) -> History {
    let place = history
        .entries
        .iter()
        .rposition(|entry| after(&entry.saw))
        .expect("it is there");
    let at_us = history.entries[place].at_us + 1;
    history
        .entries
        .insert(place + 1, migratrix_history::Entry { at_us, saw });
    history
}

fn ended(history: History, of: Verb, how: &Outcome) -> History {
    changed(history, |saw| match saw {
        Observation::Ended { verb, outcome, .. } if *verb == of => *outcome = how.clone(),
        _ => {}
    })
}

const SOURCE_BEFORE: (Side, When) = (Side::Source, When::Before);
const SOURCE_AFTER: (Side, When) = (Side::Source, When::After);
const DESTINATION_BEFORE: (Side, When) = (Side::Destination, When::Before);
const DESTINATION_AFTER: (Side, When) = (Side::Destination, When::After);

/// The history with a document changed, in as many lines as it had.
fn redrawn(history: History, place: (Side, When, Document), from: &str, to: &str) -> History {
    changed(history, |saw| match saw {
        Observation::Description {
            side,
            when,
            of,
            text,
        } if (*side, *when, *of) == place => {
            for part in &mut text.parts {
                if let Part::New(text) = part {
                    assert!(text.contains(from), "no `{from}` in {text}");
                    *text = text.replace(from, to);
                }
            }
        }
        _ => {}
    })
}

#[test]
fn each_condition_of_each_point_has_a_check_in_its_suite() {
    let mut history = good(LIVE);
    let mut seen = BTreeSet::new();
    for profile in Profile::ALL {
        let backends = profile.backends().iter();
        for (point, _) in backends.flat_map(|backend| profile.points(*backend)) {
            history.header.case.point = point;
            let kind = std::mem::discriminant(&point);
            let conditions = point.conditions().into_iter();
            for condition in conditions.filter(|one| seen.insert((format!("{kind:?}"), *one))) {
                let judged = judged(condition, &Evidence::of(&history));
                assert!(judged.is_some(), "{point} has no check of {condition}");
            }
        }
    }
    assert!(seen.len() > 60, "{}", seen.len());
}

#[test]
fn a_good_history_of_every_scenario_passes_every_condition() {
    for (point, _) in Profile::TCK_FULL.points(Backend::Libvirt) {
        let case = migratrix_matrix::Case {
            point,
            ..LIVE.parse().expect("a case")
        };
        for (condition, verdict) in all(&good(&case.to_string())) {
            assert_eq!(verdict, Verdict::Pass, "{condition} of {case}");
        }
    }
}

/// Each condition, and histories that break it.
fn broken() -> Vec<(Condition, History)> {
    use Condition as C;
    let lookless = |of, case: &str| looked(good(case), of, |look| *look = DomainState::Absent);
    vec![
        (
            C::SourceDefined,
            domain(good(LIVE), SOURCE_BEFORE, |it| it.persistent = false),
        ),
        (
            C::SourceDefined,
            domain(good(PAUSED), SOURCE_BEFORE, |it| it.persistent = true),
        ),
        (C::SourceDefined, lookless(SOURCE_BEFORE, LIVE)),
        (
            C::SourceStarted,
            domain(good(LIVE), SOURCE_BEFORE, |it| it.state = "paused".into()),
        ),
        (
            C::SourceStarted,
            domain(good(PAUSED), SOURCE_BEFORE, |it| {
                it.state = "running".into()
            }),
        ),
        (C::SourceStarted, lapped(good(LIVE), SOURCE_BEFORE, 0)),
        (C::SourceStarted, lapped(good(PAUSED), SOURCE_BEFORE, 1)),
        (C::DestinationPrepared, lookless(DESTINATION_BEFORE, PAUSED)),
        (
            C::DestinationPrepared,
            domain(good(PAUSED), DESTINATION_BEFORE, |it| it.active = true),
        ),
        (
            C::DestinationPrepared,
            domain(good(PAUSED), DESTINATION_BEFORE, |it| {
                it.uuid = "other".into()
            }),
        ),
        (C::DestinationPrepared, unexpected_configuration()),
        (C::Migrated, ended(good(LIVE), Verb::Migrate, &refused())),
        (
            C::SourceInactive,
            domain(good(LIVE), SOURCE_AFTER, |it| it.active = true),
        ),
        (C::SourceConfig, lookless(SOURCE_AFTER, LIVE)),
        (
            C::SourceConfig,
            domain(good(LIVE), SOURCE_AFTER, |it| it.persistent = false),
        ),
        (C::DestinationExists, lookless(DESTINATION_AFTER, LIVE)),
        (
            C::DestinationExists,
            domain(good(LIVE), DESTINATION_AFTER, |it| it.uuid = "other".into()),
        ),
        (
            C::DestinationActive,
            domain(good(LIVE), DESTINATION_AFTER, |it| it.active = false),
        ),
        (C::DestinationActive, lookless(DESTINATION_AFTER, LIVE)),
        (
            C::DestinationConfig,
            domain(good(LIVE), DESTINATION_AFTER, |it| it.persistent = true),
        ),
        (
            C::DestinationConfig,
            domain(good(PAUSED), DESTINATION_AFTER, |it| it.persistent = false),
        ),
        (
            C::DestinationState,
            domain(good(LIVE), DESTINATION_AFTER, |it| {
                it.state = "paused".into()
            }),
        ),
        (
            C::DestinationState,
            domain(good(LIVE), DESTINATION_AFTER, |it| {
                it.reason = "booted".into()
            }),
        ),
        (
            C::DestinationState,
            domain(good(PAUSED), DESTINATION_AFTER, |it| {
                it.state = "running".into()
            }),
        ),
        (
            C::DestinationState,
            domain(good(PAUSED), DESTINATION_AFTER, |it| {
                it.reason = "ioerror".into()
            }),
        ),
        (
            C::GuestDuringCopy,
            lapped(good(LIVE), (Side::Source, When::During), 0),
        ),
        (
            C::GuestDuringCopy,
            lapped(good(PLAIN), (Side::Source, When::During), 2),
        ),
        (
            C::GuestDuringCopy,
            lapped(good(PAUSED), (Side::Source, When::During), 1),
        ),
        (C::GuestDuringCopy, as_if(PLAIN, LIVE)),
        (C::GuestDuringCopy, as_if(LIVE, PLAIN)),
        (
            C::GuestDuringCopy,
            without(good(PLAIN), |saw| is_event(saw, Side::Source, "suspended")),
        ),
        (C::Memory, without_a_page()),
        (
            C::Memory,
            lapped(good(LIVE), (Side::Source, When::During), 5_000),
        ),
        (C::Alive, lapped(good(LIVE), DESTINATION_AFTER, 0)),
        (C::Alive, lapped(good(PAUSED), DESTINATION_AFTER, 1)),
        (
            C::Alive,
            domain(good(LIVE), SOURCE_AFTER, |it| it.active = true),
        ),
        (
            C::Identity,
            domain(good(LIVE), DESTINATION_AFTER, a_device_more),
        ),
        (
            C::Identity,
            domain(good(LIVE), DESTINATION_AFTER, |it| it.uuid = "other".into()),
        ),
        (
            C::Identity,
            redrawn(
                good(LIVE),
                (Side::Destination, When::After, Document::Live),
                "destroy",
                "restart",
            ),
        ),
        (
            C::Identity,
            redrawn(
                good(LIVE),
                (Side::Destination, When::After, Document::Machine),
                "file=/a.img",
                "file=/b.img",
            ),
        ),
        (
            C::SourceConfig,
            redrawn(
                good(LIVE),
                (Side::Source, When::After, Document::Kept),
                "<vcpu>1<",
                "<vcpu>2<",
            ),
        ),
        (
            C::DestinationConfig,
            redrawn(
                good(PAUSED),
                (Side::Destination, When::After, Document::Kept),
                "<vcpu>1<",
                "<vcpu>2<",
            ),
        ),
        (
            C::Events,
            without(good(PAUSED), |saw| {
                is_event(saw, Side::Destination, "defined")
            }),
        ),
        (
            C::Events,
            without(good(LIVE), |saw| is_event(saw, Side::Source, "stopped")),
        ),
        (
            C::Events,
            without(good(LIVE), |saw| {
                is_event(saw, Side::Destination, "resumed")
            }),
        ),
        (C::Events, flickered()),
        (C::Statistics, worked(|job| job.kind = "failed".into())),
        (C::Statistics, worked(|job| job.downtime_ms = None)),
        (C::Statistics, worked(|job| job.downtime_ms = Some(2_001))),
        (C::Statistics, worked(|job| job.downtime_ms = Some(401))),
        (
            C::Statistics,
            worked(|job| job.memory_remaining = Some(4_096)),
        ),
        (
            C::Statistics,
            worked(|job| job.memory_processed = Some(1 << 40)),
        ),
        (
            C::Statistics,
            worked(|job| job.memory_total = Some(1 << 40)),
        ),
        (
            C::Statistics,
            worked(|job| job.memory_total = Some(1 << 20)),
        ),
        (C::Statistics, worked(|job| job.memory_constant = Some(0))),
        (C::Statistics, worked(|job| job.elapsed_ms = Some(1 << 20))),
        (C::Statistics, worked(|job| job.success = Some(false))),
        (
            C::Statistics,
            worked(|job| job.operation = Some("save".into())),
        ),
        (C::Statistics, worked(|job| job.error = Some("odd".into()))),
        (C::Statistics, told_apart()),
        (C::Transport, driven_by_another()),
        (C::NoLeftovers, left_behind()),
    ]
}

/// The client asked the destination, where the source's daemon should have.
fn driven_by_another() -> History {
    changed(good(LIVE), |saw| {
        if let Observation::Traffic(traffic) = saw {
            for call in &mut traffic.calls {
                call.from = match call.from {
                    Party::Source => Party::Client,
                    Party::Client | Party::Destination | Party::Other => Party::Source,
                };
            }
        }
    })
}

#[test]
fn each_condition_fails_where_it_is_broken_and_explains_where() {
    let broken = broken();
    for (condition, history) in &broken {
        assert_kind(history, *condition, Kind::Fail);
        let why = verdict(history, *condition).why().to_owned();
        assert!(
            why.contains("libvirt"),
            "{condition}: no versions in `{why}`"
        );
    }
    for condition in Condition::of_libvirt() {
        assert!(
            broken.iter().any(|(one, _)| one == condition),
            "{condition} never fails"
        );
    }
}

/// Whether a check needs the observation.
fn is_evidence(saw: &Observation) -> bool {
    matches!(
        saw,
        Observation::Domain { .. }
            | Observation::Beat { .. }
            | Observation::Iteration { .. }
            | Observation::Job { .. }
            | Observation::Memory { .. }
            | Observation::Ram { .. }
            | Observation::Leftovers { .. }
    )
}

#[test]
fn without_evidence_nothing_passes_and_nothing_fails() {
    let blind = without(good(LIVE), is_evidence);
    let blind = ended(
        blind,
        Verb::Connect,
        &Outcome::Unknown {
            why: "no answer".into(),
        },
    );
    let blind = without(
        blind,
        |saw| matches!(saw, Observation::Ended { verb, .. } if *verb != Verb::Connect),
    );
    let blind = without(
        blind,
        |saw| matches!(saw, Observation::Began { verb, .. } if *verb != Verb::Connect),
    );
    for condition in Condition::of_libvirt() {
        assert_kind(&blind, *condition, Kind::Unknown);
        let why = verdict(&blind, *condition).why().to_owned();
        assert!(
            why.contains("`connect` ended unknown: no answer"),
            "{condition}: {why}"
        );
    }
}

#[test]
fn a_migration_that_never_answers_is_unknown() {
    let unknown = Outcome::Unknown {
        why: "no answer within 30 s".into(),
    };
    let history = ended(good(LIVE), Verb::Migrate, &unknown);
    assert_kind(&history, Condition::Migrated, Kind::Unknown);
    assert_kind(&history, Condition::Events, Kind::Unknown);
}

#[test]
fn a_refusal_is_told_with_its_code() {
    let why = verdict(
        &ended(good(LIVE), Verb::Migrate, &refused()),
        Condition::Migrated,
    );
    assert!(
        why.why()
            .ends_with("domain is not running (error code 55, domain 10)"),
        "{why:?}"
    );
    let asked = "expected success, the normal migration (live) from the source (";
    assert!(why.why().starts_with(asked), "{why:?}");
}

#[test]
fn no_pass_event_means_that_during_is_unknown() {
    let passless = without(good(LIVE), |saw| {
        matches!(saw, Observation::Iteration { .. })
    });
    assert_kind(&passless, Condition::GuestDuringCopy, Kind::Unknown);
}

#[test]
fn a_guest_that_was_felt_when_its_switchover_had_paused_it_is_not_called_still() {
    let sampled_for = |window: u64| {
        changed(lapped(good(LIVE), (Side::Source, When::During), 0), |saw| {
            if let Observation::Beat { window_us, .. } = saw {
                *window_us = window;
            }
        })
    };
    for (window, kind) in [
        (20_000, Kind::Unknown),
        (99_999, Kind::Unknown),
        (100_000, Kind::Fail),
        (150_000, Kind::Fail),
    ] {
        assert_kind(&sampled_for(window), Condition::GuestDuringCopy, kind);
    }
}

#[test]
fn what_is_seen_after_a_host_was_lost_is_no_evidence() {
    let lost = Observation::HostLost {
        side: Side::Source,
        why: "its daemon died".into(),
        instance: String::new(),
    };
    let is_end = |saw: &Observation| {
        matches!(
            saw,
            Observation::Ended {
                verb: Verb::Migrate,
                ..
            }
        )
    };
    let history = inserted(ended(good(LIVE), Verb::Migrate, &refused()), is_end, lost);
    assert_kind(&history, Condition::SourceStarted, Kind::Pass);
    for condition in &Condition::of_libvirt()[3..] {
        assert_kind(&history, *condition, Kind::Unknown);
        let why = verdict(&history, *condition).why().to_owned();
        assert!(
            why.contains("its daemon died") || why.contains("refused"),
            "{condition}: {why}"
        );
    }
}

#[test]
fn a_host_that_is_not_ours_is_not_searched_and_that_is_a_skip() {
    assert_kind(&foreign(good(LIVE)), Condition::NoLeftovers, Kind::Skipped);
}

#[test]
fn a_host_of_ours_whose_search_tells_nothing_is_unknown_and_no_skip() {
    for of in [Side::Source, Side::Destination] {
        let silent = without(
            good(LIVE),
            |saw| matches!(saw, Observation::Leftovers { side, .. } if *side == of),
        );
        assert_kind(&silent, Condition::NoLeftovers, Kind::Unknown);
    }
}

fn refused() -> Outcome {
    let message = "domain is not running".to_owned();
    Outcome::Refused(Refusal {
        code: 55,
        domain: 10,
        message,
    })
}

/// The history of one case under the name of another.
fn as_if(name: &str, like: &str) -> History {
    let mut history = good(like);
    history.header.case = name.parse().expect("a case");
    history
}

fn unexpected_configuration() -> History {
    as_if(
        "tck/libvirt/trixie,bookworm,trixie/p2p/transient-paused-undefined/persist",
        PAUSED,
    )
}

fn is_event(saw: &Observation, of: Side, named: &str) -> bool {
    matches!(saw, Observation::Lifecycle { side, event, .. } if *side == of && event == named)
}

fn without_a_page() -> History {
    changed(good(LIVE), |saw| {
        if let Observation::Memory { survey, .. } = saw {
            survey.runs.clear();
        }
    })
}

fn a_device_more(domain: &mut migratrix_history::DomainInfo) {
    let identity = domain.identity.as_mut().expect("it is active");
    identity
        .devices
        .insert("rng/0".to_owned(), "pci 0000:02:00.0".to_owned());
}

fn flickered() -> History {
    let is_look = |saw: &Observation| matches!(saw, Observation::Domain { .. });
    inserted(
        good(LIVE),
        is_look,
        event(Side::Destination, "suspended", "paused"),
    )
}

fn worked(change: impl Fn(&mut migratrix_history::JobStats)) -> History {
    changed(good(LIVE), |saw| {
        if let Observation::Job { job, .. } | Observation::JobEnded { job, .. } = saw {
            change(job);
        }
    })
}

/// The source tells of other figures than the destination.
fn told_apart() -> History {
    let mut history = good(LIVE);
    let is_job = |entry: &&Entry| matches!(entry.saw, Observation::Job { .. });
    let found = history.entries.iter().find(is_job).cloned();
    let mut entry = found.expect("it is there");
    if let Observation::Job { side, job } = &mut entry.saw {
        *side = side.other();
        job.memory_constant = job.memory_constant.map(|pages| pages + 1);
    }
    let at = history
        .entries
        .iter()
        .position(|one| begins(&one.saw, Verb::Job));
    history.entries.insert(at.expect("it is there"), entry);
    history
}

fn left_behind() -> History {
    changed(good(LIVE), |saw| {
        if let Observation::Leftovers { left, .. } = saw {
            left.push("the file /run/mx-0001".to_owned());
        }
    })
}

/// With a thing seen moved to where another one is, by time and by place.
fn moved(
    mut history: History,
    which: impl Fn(&Observation) -> bool,
    to: impl Fn(&Observation) -> bool,
) -> History {
    let from = history.entries.iter().position(|entry| which(&entry.saw));
    let mut entry = history.entries.remove(from.expect("it is there"));
    let to = history.entries.iter().position(|entry| to(&entry.saw));
    let to = to.expect("it is there");
    entry.at_us = history.entries[to].at_us;
    history.entries.insert(to, entry);
    history
}

fn begins(saw: &Observation, of: Verb) -> bool {
    matches!(saw, Observation::Began { verb, .. } if *verb == of)
}

fn is_look(saw: &Observation, of: (Side, When)) -> bool {
    matches!(saw, Observation::Domain { side, when, .. } if (*side, *when) == of)
}

fn is_beat(saw: &Observation, of: (Side, When)) -> bool {
    matches!(saw, Observation::Beat { side, when, .. } if (*side, *when) == of)
}

#[test]
fn a_look_that_is_older_than_its_label_says_is_no_evidence() {
    for (of, condition) in [
        (SOURCE_AFTER, Condition::SourceConfig),
        (DESTINATION_AFTER, Condition::DestinationConfig),
    ] {
        let early = moved(
            good(LIVE),
            |saw| is_look(saw, of),
            |saw| begins(saw, Verb::Migrate),
        );
        assert_kind(&early, condition, Kind::Unknown);
    }
    let late = moved(
        good(LIVE),
        |saw| is_look(saw, SOURCE_BEFORE),
        |saw| begins(saw, Verb::Survey),
    );
    assert_kind(&late, Condition::SourceDefined, Kind::Unknown);
}

#[test]
fn a_heartbeat_that_was_sampled_at_another_time_than_its_label_says_is_no_evidence() {
    let during = (Side::Source, When::During);
    let early = moved(
        good(LIVE),
        |saw| is_beat(saw, during),
        |saw| begins(saw, Verb::Migrate),
    );
    assert_kind(&early, Condition::GuestDuringCopy, Kind::Unknown);
    let early = moved(
        good(LIVE),
        |saw| is_beat(saw, DESTINATION_AFTER),
        |saw| begins(saw, Verb::Migrate),
    );
    assert_kind(&early, Condition::Alive, Kind::Unknown);
}

#[test]
fn a_memory_that_was_read_and_statistics_that_were_asked_for_before_the_end_are_no_evidence() {
    let memory = |saw: &Observation| matches!(saw, Observation::Memory { .. });
    let early = moved(good(LIVE), memory, |saw| begins(saw, Verb::Migrate));
    assert_kind(&early, Condition::Memory, Kind::Unknown);
    let job = |saw: &Observation| matches!(saw, Observation::Job { .. });
    let early = moved(good(LIVE), job, |saw| begins(saw, Verb::Migrate));
    assert_kind(&early, Condition::Statistics, Kind::Unknown);
}

/// The memory of a waiting guest whose last page has not come along for a lap.
fn with_a_stale_tail(history: History) -> History {
    changed(history, |saw| {
        if let Observation::Memory { survey, .. } = saw {
            survey.runs[0].pages -= 1;
            let page = Page::Stamped { lap: 39 };
            survey.runs.push(Run { pages: 1, page });
        }
    })
}

#[test]
fn a_stale_tail_is_seen_by_the_registers_and_an_older_history_has_none() {
    let stale = with_a_stale_tail(good(LIVE));
    let why = verdict(&stale, Condition::Memory).why().to_owned();
    assert!(
        why.contains("page 0x10f000 is of the older lap 39"),
        "{why}"
    );
    assert!(why.contains("stood between two laps"), "{why}");
    let blind = changed(stale, |saw| {
        if let Observation::Memory { registers, .. } = saw {
            *registers = None;
        }
    });
    assert_kind(&blind, Condition::Memory, Kind::Unknown);
    let foreign = foreign(blind.clone());
    assert_kind(&foreign, Condition::Memory, Kind::Pass);
    let is_of_ram = |saw: &Observation| {
        begins(saw, Verb::Ram) || ends(saw, Verb::Ram) || matches!(saw, Observation::Ram { .. })
    };
    let mut old = without(blind, is_of_ram);
    assert_kind(&old, Condition::Memory, Kind::Unknown);
    old.header.evidence = 0;
    assert_kind(&old, Condition::Memory, Kind::Pass);
}

/// As a processor that was reset, and none of whose registers came along.
#[test]
fn a_guest_that_stands_outside_of_its_own_code_is_wrong_unless_it_may_be_woken() {
    let reset = changed(good(LIVE), |saw| {
        if let Observation::Memory {
            registers: Some(registers),
            ..
        } = saw
        {
            registers.next = 0xffff_fff0;
        }
    });
    let why = verdict(&reset, Condition::Memory).why().to_owned();
    assert!(
        why.ends_with("it stood outside of its own code (at 0xfffffff0)"),
        "{why}"
    );
    let mut waking = reset;
    waking.header.guest.suspend = true;
    assert_kind(&waking, Condition::Memory, Kind::Pass);
}

fn with_other_ram(history: History, of: Side, change: impl Fn(&mut Ram)) -> History {
    changed(history, |saw| match saw {
        Observation::Ram { side, ram, .. } if *side == of => change(ram),
        _ => {}
    })
}

#[test]
fn memory_that_the_guest_does_not_stamp_is_the_same_on_both_sides() {
    let lost = with_other_ram(good(LIVE), Side::Destination, |ram| {
        ram.regions.remove(0);
    });
    let why = verdict(&lost, Condition::Memory).why().to_owned();
    let told = "the page at 0x0 is nothing but zeros now, and 15 more pages differ";
    assert!(why.contains(told), "{why}");
    let smaller = with_other_ram(good(LIVE), Side::Destination, |ram| ram.pages -= 1);
    assert_kind(&smaller, Condition::Memory, Kind::Fail);
}

#[test]
fn memory_that_was_not_read_as_a_whole_is_unknown_where_it_was_to_be() {
    let is_ram = |saw: &Observation| matches!(saw, Observation::Ram { .. });
    let unread = without(good(LIVE), is_ram);
    assert_kind(&unread, Condition::Memory, Kind::Unknown);
    let is_of_ram = |saw: &Observation| begins(saw, Verb::Ram) || ends(saw, Verb::Ram);
    let mut older = without(unread.clone(), is_of_ram);
    assert_kind(&older, Condition::Memory, Kind::Unknown);
    older.header.evidence = 0;
    assert_kind(&older, Condition::Memory, Kind::Pass);
    assert_kind(&foreign(good(LIVE)), Condition::Memory, Kind::Pass);
}

/// The history of a case whose hosts are not ours to look into.
fn foreign(history: History) -> History {
    changed(history, |saw| {
        if let Observation::Leftovers { side, .. } | Observation::Ram { side, .. } = saw {
            *saw = Observation::NotOurs { side: *side };
        }
    })
}

#[test]
fn a_host_that_is_not_ours_was_not_looked_into() {
    let one = changed(good(LIVE), |saw| {
        if let Observation::Ram { side, .. } = saw {
            *saw = Observation::NotOurs { side: *side };
        }
    });
    let verdict = verdict(&one, Condition::Memory);
    assert!(
        verdict.why().contains("is not ours, and was looked into"),
        "{verdict:?}"
    );
}

#[test]
fn a_program_that_told_two_versions_of_itself_proves_nothing() {
    let other = Observation::Versions(migratrix_history::Versions {
        destination_qemu: Some(migratrix_matrix::Version::new(9, 9, 9)),
        ..migratrix_history::Versions::default()
    });
    let history = inserted(
        good(LIVE),
        |saw| matches!(saw, Observation::Versions(_)),
        other,
    );
    let verdict = verdict(&history, Condition::Migrated);
    assert!(
        verdict.why().contains("the destination's QEMU is"),
        "{verdict:?}"
    );
}

#[test]
fn a_guest_that_was_seen_beyond_its_pace_or_its_memory_is_wrong() {
    for leap in [5_000, 5] {
        let history = changed(good(LIVE), |saw| {
            if let (true, Observation::Beat { first, last, .. }) =
                (is_beat(saw, DESTINATION_AFTER), &mut *saw)
            {
                (*first, *last) = (*first + leap, *last + leap);
            }
        });
        assert_kind(&history, Condition::Memory, Kind::Fail);
    }
}

fn ends(saw: &Observation, of: Verb) -> bool {
    matches!(saw, Observation::Ended { verb, .. } if *verb == of)
}

#[test]
fn a_search_before_anything_was_cleared_away_finds_nothing_out() {
    let left = |saw: &Observation| matches!(saw, Observation::Leftovers { .. });
    let early = moved(good(LIVE), left, |saw| begins(saw, Verb::Clear));
    assert_ne!(verdict(&early, Condition::NoLeftovers), Verdict::Pass);
}

#[test]
fn a_host_that_contradicts_itself_is_told_with_both_its_words() {
    let mut history = good(LIVE);
    let of = |entry: &migratrix_history::Entry| is_look(&entry.saw, DESTINATION_AFTER);
    let place = history.entries.iter().position(of).expect("it is there");
    let mut earlier = history.entries[place].clone();
    if let Observation::Domain { look, .. } = &mut earlier.saw {
        *look = DomainState::Absent;
    }
    history.entries.insert(place, earlier);
    assert_kind(&history, Condition::DestinationExists, Kind::Fail);
}

#[test]
fn a_step_that_never_ended_or_goes_back_in_time_lets_nothing_pass() {
    let whole = good(LIVE);
    let ends = |of: Verb| move |saw: &Observation| matches!(saw, Observation::Ended { verb, .. } if *verb == of);
    let cut = without(whole.clone(), ends(Verb::Job));
    let mut back = whole.clone();
    let place = back
        .entries
        .iter()
        .position(|entry| ends(Verb::Survey)(&entry.saw));
    back.entries[place.expect("it is there")].at_us = 1;
    for broken in [cut, back] {
        let passes = all(&broken)
            .into_iter()
            .filter(|(_, one)| *one == Verdict::Pass);
        assert_eq!(passes.count(), 0);
    }
}

#[test]
fn a_guest_that_went_on_before_it_was_stopped_ran_twice() {
    let suspended = event(Side::Source, "suspended", "migrated");
    let resumed = event(Side::Destination, "resumed", "migrated");
    let mut late = good(LIVE);
    let stops = |entry: &migratrix_history::Entry| entry.saw == suspended;
    let place = late.entries.iter().position(stops).expect("it is there");
    for entry in &mut late.entries[place..] {
        entry.at_us += 300_000;
    }
    let twice = moved(
        late,
        |saw| *saw == resumed,
        |saw| *saw == event(Side::Destination, "started", "migrated"),
    );
    assert_kind(&twice, Condition::Events, Kind::Fail);
}

#[test]
fn a_migration_that_was_asked_for_twice_is_not_the_one_of_the_case() {
    let mut history = good(LIVE);
    let refused = Outcome::Refused(Refusal {
        code: 38,
        domain: 10,
        message: "no".to_owned(),
    });
    let place = history
        .entries
        .iter()
        .position(|entry| begins(&entry.saw, Verb::Migrate));
    let place = place.expect("it is there");
    let mut first = good(LIVE);
    first.entries.truncate(place);
    crate::story::step_that(&mut first, Verb::Migrate, Vec::new(), refused);
    let later = first.entries.last().expect("it has a step").at_us;
    for mut entry in history.entries.split_off(place) {
        entry.at_us += later;
        first.entries.push(entry);
    }
    assert_kind(&first, Condition::Migrated, Kind::Unknown);
}

#[test]
fn a_guest_that_stood_still_has_the_lap_that_it_had_and_none_has_run_ahead_of_its_pace() {
    let other = changed(good(PAUSED), |saw| {
        if let Observation::Beat { first, last, .. } = saw {
            (*first, *last) = (39, 39);
        }
    });
    assert_kind(&other, Condition::Memory, Kind::Fail);
    let ahead = changed(good(LIVE), |saw| {
        if let Observation::Beat { first, last, .. } = saw {
            (*first, *last) = (1, 4);
        }
    });
    assert_kind(&ahead, Condition::Memory, Kind::Fail);
    // A reading that came late says nothing of when it was made.
    let mut late = good(LIVE);
    let sampled = |entry: &migratrix_history::Entry| is_beat(&entry.saw, DESTINATION_AFTER);
    let place = late.entries.iter().position(sampled).expect("it is there");
    for entry in &mut late.entries[place..] {
        entry.at_us += 900_000;
    }
    assert_kind(&late, Condition::Memory, Kind::Pass);
}

#[test]
fn a_refusal_that_is_asked_for_is_the_cause_of_nothing() {
    let refused = Outcome::Refused(Refusal {
        code: 55,
        domain: 20,
        message: "domain is not running".to_owned(),
    });
    let history = without(good(LIVE), |saw| matches!(saw, Observation::Memory { .. }));
    let beats = ended(history, Verb::Beat, &refused);
    let verdict = verdict(&beats, Condition::Memory);
    assert_eq!(
        verdict.why(),
        "the memory on the destination was not read: the record ends without it"
    );
}

#[test]
fn a_downtime_that_is_not_the_time_for_which_the_guest_ran_nowhere_is_wrong() {
    let inflated = changed(good(LIVE), |saw| {
        if let Observation::Job { job, .. } = saw {
            job.downtime_ms = Some(590);
        }
    });
    assert_kind(&inflated, Condition::Statistics, Kind::Fail);
    let mut stalled = good(LIVE);
    let resumed = event(Side::Destination, "resumed", "migrated");
    let place = stalled
        .entries
        .iter()
        .position(|entry| entry.saw == resumed);
    for entry in stalled.entries.split_at_mut(place.expect("it goes on")).1 {
        entry.at_us += 500_000;
    }
    assert_kind(&stalled, Condition::Statistics, Kind::Fail);
}

/// A look, and the document that it should give.
type Given = (Side, When, Document);

/// The history without a document: those after it name lines that are not there.
fn without_document(history: History, place: Given) -> History {
    without(
        history,
        |saw| matches!(saw, Observation::Description { side, when, of, .. } if (*side, *when, *of) == place),
    )
}

#[test]
fn a_document_that_a_host_did_not_give_is_unknown() {
    for (place, condition) in [
        (
            (Side::Source, When::Before, Document::Live),
            Condition::Identity,
        ),
        (
            (Side::Destination, When::After, Document::Live),
            Condition::Identity,
        ),
        (
            (Side::Destination, When::After, Document::Machine),
            Condition::Identity,
        ),
        (
            (Side::Source, When::After, Document::Kept),
            Condition::SourceConfig,
        ),
    ] {
        assert_kind(
            &without_document(good(LIVE), place),
            condition,
            Kind::Unknown,
        );
    }
    let kept = (Side::Destination, When::After, Document::Kept);
    let history = without_document(good(PAUSED), kept);
    assert_kind(&history, Condition::DestinationConfig, Kind::Unknown);
}

#[test]
fn a_history_of_a_version_that_recorded_no_documents_is_judged_as_it_was_then() {
    let mut history = without(good(PAUSED), |saw| {
        matches!(saw, Observation::Description { .. })
    });
    history.header.evidence = 0;
    for (condition, verdict) in all(&history) {
        let kind = match condition {
            Condition::Transport => Kind::Skipped,
            _ => Kind::Pass,
        };
        assert_eq!(verdict.kind(), kind, "{condition}: {verdict:?}");
    }
}

#[test]
fn a_machine_of_somebodys_own_whose_qemu_may_not_be_asked_is_judged_by_its_xml() {
    let real = foreign(good(LIVE));
    let after = (Side::Destination, When::After, Document::Machine);
    assert_kind(
        &without_document(real, after),
        Condition::Identity,
        Kind::Pass,
    );
}

#[test]
fn a_destination_that_keeps_its_own_configuration_keeps_it_as_it_was() {
    let own = "tck/libvirt/trixie,bookworm,trixie/p2p/transient-paused-defined/none";
    let before = (Side::Destination, When::Before, Document::Kept);
    let history = redrawn(good(own), before, "<vcpu>1<", "<vcpu>4<");
    assert_kind(&history, Condition::DestinationConfig, Kind::Fail);
    let replaced = redrawn(good(PAUSED), before, "<vcpu>1<", "<vcpu>4<");
    assert_kind(&replaced, Condition::DestinationConfig, Kind::Pass);
}

#[test]
fn a_qemu_of_another_version_than_its_host_says_lets_nothing_be_judged() {
    let place = (Side::Destination, When::After, Document::Machine);
    let history = redrawn(
        good(LIVE),
        place,
        "[clock]\nahead=0",
        "[qemu]\nversion=7.2.22",
    );
    let judgement = crate::judge(&history);
    let why = judgement.misplaced.clone().expect("it is another one");
    assert!(why.ends_with("says itself that it is QEMU 7.2.22"), "{why}");
    assert!(
        judgement
            .conditions
            .iter()
            .all(|(_, verdict)| verdict.kind() == Kind::Unknown)
    );
}
