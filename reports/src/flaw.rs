//! What went wrong with an attempt at a case, and must not be lost when a later attempt passes: a
//! condition that failed, a host that died, a QEMU that hung, a client that crashed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migratrix_history::{History, Observation, Outcome, Side, Verb};
use migratrix_matrix::{Case, Condition, ReleaseName};
use serde::{Deserialize, Serialize};

use crate::{Judgement, Kind, Standing, Verdict, checks::tells_of_end};

/// What an attempt showed to be wrong, before a later one came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The condition that failed; `None` for a QEMU that hung, a client that crashed, and a fault that did not trip.
    pub condition: Option<Condition>,
    /// What was seen.
    pub why: String,
}

/// A host that was lost while a case was on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lost {
    /// Which side of the case it was.
    pub side: Side,
    /// How it went.
    pub why: String,
    /// Which run of the host it was, where that is told: cases with the same one shared it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// When it was noticed: seconds since 1970 UTC.
    pub at_unix: u64,
}

/// What can be told of a host, and of no case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HostTrouble {
    /// It died.
    #[default]
    Died,
    /// Something is left on it, and which case has left it can't be told.
    LeftOver,
}

/// A host that was found lost while no case was on it, or to have what no case can be told to have left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleLoss {
    /// What happened.
    #[serde(default)]
    pub trouble: HostTrouble,
    /// The host's release.
    pub release: ReleaseName,
    /// The place that it had.
    pub side: Side,
    /// How it went.
    pub why: String,
    /// When it was noticed: seconds since 1970 UTC.
    pub at_unix: u64,
}

/// A host that died in a run, or kept what was left on it, and what was on it. Whose doing it was can't be told where several
/// cases shared it: that it died is a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Death {
    /// What happened to it.
    pub trouble: HostTrouble,
    /// The host's release.
    pub release: ReleaseName,
    /// The place that it had.
    pub side: Side,
    /// How it went.
    pub why: String,
    /// When that was noticed: seconds since 1970 UTC.
    pub at_unix: u64,
    /// The cases that were on it; none where it was idle.
    pub cases: Vec<Case>,
}

/// A state that a QEMU leaves by itself, at once: one that is still in it when a deadline has passed
/// hangs.
const PASSING: &str = "cancelling";

/// The hosts that a history tells to be lost.
pub(crate) fn lost(history: &History) -> Vec<Lost> {
    let of = |at_us: u64, saw: &Observation| {
        let Observation::HostLost {
            side,
            why,
            instance,
        } = saw
        else {
            return None;
        };
        Some(Lost {
            side: *side,
            why: why.clone(),
            instance: instance.clone(),
            at_unix: history.header.began_unix + at_us / 1_000_000,
        })
    };
    let entries = history.entries.iter();
    entries.filter_map(|one| of(one.at_us, &one.saw)).collect()
}

/// How a QEMU hung, if one did: it says itself that it is in a state that it should leave at once, and a
/// step ended by its deadline; or its host, which was not lost, never answered a call to start or to
/// migrate its guest.
pub(crate) fn hung(history: &History) -> Option<String> {
    if !lost(history).is_empty() {
        return None;
    }
    let silent = history.entries.iter().find_map(|one| silent(&one.saw));
    in_cancelling(history).or(silent)
}

/// The signals by which a process ends that does what it must not: nobody else sends them.
const CRASHES: [&str; 5] = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"];

/// How a client of libvirt crashed, if one did: it is little more than the library of its release.
pub(crate) fn crashed(history: &History) -> Option<String> {
    history.entries.iter().find_map(|one| crash(&one.saw))
}

fn crash(saw: &Observation) -> Option<String> {
    let Observation::Ended {
        step,
        outcome: Outcome::Unknown { why },
        ..
    } = saw
    else {
        return None;
    };
    let mut signals = CRASHES.iter();
    let is_crash = why.starts_with("the client ") && signals.any(|one| why.contains(one));
    is_crash.then(|| format!("`{step}` ended unknown: {why}"))
}

/// The call to start or to migrate that was never answered.
fn silent(saw: &Observation) -> Option<String> {
    let Observation::Ended {
        verb: Verb::Start | Verb::Migrate,
        step,
        outcome: Outcome::Unknown { why },
    } = saw
    else {
        return None;
    };
    let late = why.starts_with("no answer within");
    late.then(|| format!("a QEMU hung, or what manages it: `{step}` ended unknown: {why}"))
}

fn in_cancelling(history: &History) -> Option<String> {
    let mut passing: BTreeMap<Side, bool> = BTreeMap::new();
    for entry in &history.entries {
        if let Observation::Status { side, status } = &entry.saw {
            passing.insert(*side, status == PASSING);
        }
        if let (Some(side), Some(why)) = (in_passing(&passing), late(&entry.saw)) {
            let place = place(side);
            return Some(format!("the QEMU of {place} hung in `{PASSING}`: {why}"));
        }
    }
    None
}

fn in_passing(passing: &BTreeMap<Side, bool>) -> Option<Side> {
    let mut sides = passing.iter();
    sides.find(|(_, is)| **is).map(|(side, _)| *side)
}

/// The step of the migration that ended without an answer.
fn late(saw: &Observation) -> Option<String> {
    let Observation::Ended {
        verb,
        step,
        outcome: Outcome::Unknown { why },
    } = saw
    else {
        return None;
    };
    let waits = [Verb::Migrate, Verb::Await, Verb::Converge, Verb::Intervene].contains(verb);
    waits.then(|| format!("`{step}` ended unknown: {why}"))
}

/// What an attempt showed to be wrong. Of one whose host was lost only the loss counts, which the
/// [deaths] of the run tell: what failed then follows from it, and may be another case's doing.
pub(crate) fn flaws(attempt: &Judgement) -> Vec<Flaw> {
    let flaw = |condition, why: &str| Flaw {
        attempt: attempt.attempt,
        condition,
        why: why.to_owned(),
    };
    if !attempt.lost.is_empty() {
        return Vec::new();
    }
    let standing = attempt.own_standing();
    let hung = attempt.hung.iter().map(|why| flaw(None, why));
    match standing {
        Standing::Failed if attempt.case.fault.is_some() => {
            vec![flaw(None, attempt.overall().why())]
        }
        Standing::Failed => hung
            .chain(failures(attempt).map(|(one, why)| flaw(Some(one), why)))
            .collect(),
        // A fault may be what it hangs by, and a known failure explains it.
        Standing::Unknown if attempt.case.fault.is_none() => hung.collect(),
        Standing::Unknown
        | Standing::Passed
        | Standing::KnownFailure
        | Standing::Skipped
        | Standing::UnexpectedPass
        | Standing::FailedAtFirst => Vec::new(),
    }
}

fn failures(attempt: &Judgement) -> impl Iterator<Item = (Condition, &str)> {
    let failed = |(condition, verdict): &(Condition, &Verdict)| {
        verdict.kind() == Kind::Fail && attempt.own_standing_of(*condition) == Standing::Failed
    };
    let troubles = attempt.troubles().filter(failed);
    troubles.map(|(condition, verdict)| (condition, verdict.why()))
}

/// The hosts that died, by all attempts of a run and by what was lost beside them, the first one first.
/// One that a fault took down was meant to go, and of one whose daemon dies by a case, the case tells by its own
/// verdict, which fails or is known.
pub(crate) fn deaths<'j>(
    attempts: impl Iterator<Item = &'j Judgement> + Clone,
    idle: &[IdleLoss],
) -> Vec<Death> {
    let mut all: BTreeMap<_, (Death, bool)> = BTreeMap::new();
    let losses = attempts.clone();
    let losses = losses.flat_map(|one| one.lost.iter().map(move |lost| (one, lost)));
    for (attempt, lost) in losses {
        let release = match lost.side {
            Side::Source => &attempt.case.tuple.source,
            Side::Destination => &attempt.case.tuple.destination,
        };
        let own = (attempt.case.to_string(), attempt.attempt);
        let alone = lost.instance.is_empty().then_some(own);
        let (death, meant) = all
            .entry((release, lost.side, &lost.instance, alone))
            .or_insert_with(|| (death(release, lost), false));
        death.at_unix = death.at_unix.min(lost.at_unix);
        death.cases.push(attempt.case.clone());
        *meant |= attempt.case.fault.is_some();
    }
    let tellers: BTreeSet<_> = attempts.flat_map(ends_told).collect();
    let is_told = |death: &Death| {
        let mut cases = death.cases.iter();
        cases.any(|case| tellers.contains(&(case, death.side)))
    };
    let unmeant = all.into_values().filter(|(_, meant)| !meant);
    let unmeant = unmeant.map(|(death, _)| death);
    let unmeant = unmeant.filter(|death| !is_told(death));
    let mut deaths: Vec<_> = unmeant.chain(idle.iter().map(IdleLoss::death)).collect();
    deaths.sort_by_key(|death| death.at_unix);
    deaths
}

/// The sides whose daemon ended in an attempt, as its own verdict tells, with its case.
fn ends_told(attempt: &Judgement) -> impl Iterator<Item = (&Case, Side)> {
    let mut conditions = attempt.conditions.iter();
    let daemons = conditions.find(|(condition, _)| *condition == Condition::Daemons);
    let failed = daemons.filter(|(_, verdict)| verdict.kind() == Kind::Fail);
    let why = failed.map(|(_, verdict)| verdict.why());
    let told = move |side: &Side| why.is_some_and(|why| tells_of_end(why, *side));
    let sides = Side::BOTH.into_iter().filter(told);
    sides.map(|side| (&attempt.case, side))
}

fn death(release: &ReleaseName, lost: &Lost) -> Death {
    Death {
        trouble: HostTrouble::Died,
        release: release.clone(),
        side: lost.side,
        why: lost.why.clone(),
        at_unix: lost.at_unix,
        cases: Vec::new(),
    }
}

impl IdleLoss {
    /// The death that it is: nothing was on it.
    #[must_use]
    pub fn death(&self) -> Death {
        Death {
            trouble: self.trouble,
            release: self.release.clone(),
            side: self.side,
            why: self.why.clone(),
            at_unix: self.at_unix,
            cases: Vec::new(),
        }
    }
}

impl Death {
    /// What was on it, in words: `2 cases were on it`.
    #[must_use]
    pub fn on_it(&self) -> String {
        match self.cases.len() {
            0 if self.trouble == HostTrouble::LeftOver => {
                "which case has left it can't be told".to_owned()
            }
            0 => "no case was on it".to_owned(),
            1 => "1 case was on it".to_owned(),
            more => format!("{more} cases were on it"),
        }
    }

    /// The host, by its place and release: `source-trixie`.
    #[must_use]
    pub fn host(&self) -> String {
        let place = match self.side {
            Side::Source => "source",
            Side::Destination => "destination",
        };
        format!("{place}-{}", self.release)
    }

    /// The host and how it went, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        let (place, release) = (place(self.side), &self.release);
        let what = match self.trouble {
            HostTrouble::Died => "died",
            HostTrouble::LeftOver => "had something left on it",
        };
        format!(
            "{place} host of {release} {what} at {}: {}",
            time(self.at_unix),
            self.why
        )
    }
}

const fn place(side: Side) -> &'static str {
    match side {
        Side::Source => "the source",
        Side::Destination => "the destination",
    }
}

/// A moment in UTC.
pub(crate) fn time(unix: u64) -> String {
    let moment = i64::try_from(unix).ok();
    let moment = moment.and_then(|unix| Timestamp::from_second(unix).ok());
    let shown = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    moment.map_or_else(|| format!("{unix} s"), shown)
}
