//! Good histories, and ways to spoil them.

use migratrix_history::{
    DomainInfo, DomainState, Entry, History, JobStats, Observation, Outcome, Side, Verb, When,
};
use migratrix_matrix::Condition;

use crate::{
    Kind, Verdict,
    checks::all,
    raw_story::{event, good, status},
    story::{changed, without},
};

/// The name of the case of a point.
pub(super) fn case(point: &str) -> String {
    format!("qemu/qemu/bookworm,trixie/{point}")
}

/// A good history of a point.
pub(super) fn of(point: &str) -> History {
    good(&case(point))
}

pub(super) const PLAIN: &str = "precopy/unix/running/plain";
pub(super) const STOPPED: &str = "precopy/unix/stopped/plain";
pub(super) const ASLEEP: &str = "precopy/unix/suspended/plain";
pub(super) const POSTCOPY: &str = "postcopy/tcp/running/plain";
pub(super) const ZLIB: &str = "precopy/tcp/running/multifd-zlib+16-channels";
pub(super) const FILE: &str = "precopy/file/running/plain";
pub(super) const DEVICE: &str = "precopy/unix/running/virtio-blk-in-use";
pub(super) const CANCEL: &str = "precopy/unix/running/cancel-active";
pub(super) const RECOVER: &str = "postcopy/tcp/running/recover";
pub(super) const VAIN: &str = "postcopy/tcp/running/fail-handshake";
pub(super) const NOWHERE: &str = "postcopy/tcp/running/fail-reconnect";
pub(super) const MISMATCH: &str = "precopy/tcp/running/psk-mismatch";
pub(super) const REFUSED: &str = "precopy/tcp/running/both-addresses";
pub(super) const PSK: &str = "precopy/tcp/running/psk";

pub(super) fn verdict(history: &History, condition: Condition) -> Verdict {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    let case = &history.header.case;
    found
        .unwrap_or_else(|| panic!("{condition} is not judged in {case}"))
        .1
}

pub(super) fn assert_kind(history: &History, condition: Condition, kind: Kind) {
    let (verdict, case) = (verdict(history, condition), &history.header.case);
    assert_eq!(verdict.kind(), kind, "{condition} of {case}: {verdict:?}");
}

pub(super) fn domain(
    point: &str,
    of_look: (Side, When),
    change: impl Fn(&mut DomainInfo),
) -> History {
    changed(of(point), |saw| match saw {
        Observation::Domain {
            side,
            when,
            look: DomainState::Present(domain),
        } if (*side, *when) == of_look => change(domain),
        _ => {}
    })
}

pub(super) fn worked(point: &str, change: impl Fn(&mut JobStats)) -> History {
    changed(of(point), |saw| {
        if let Observation::Job { job, .. } = saw {
            change(job);
        }
    })
}

/// Without the states of this name that a side came to.
pub(super) fn stateless(point: &str, on: Side, word: &str) -> History {
    without(of(point), |saw| *saw == status(on, word))
}

/// With each state of this name as another one.
pub(super) fn came_to(point: &str, on: Side, word: &str, instead: &str) -> History {
    changed(of(point), |saw| {
        if *saw == status(on, word) {
            *saw = status(on, instead);
        }
    })
}

/// With each state of this name as another one, in which the migration then stays: what was awaited
/// last never came.
pub(super) fn stuck(point: &str, on: Side, word: &str, instead: &str) -> History {
    let mut history = came_to(point, on, word, instead);
    let ends = history.entries.iter_mut().rev().map(|entry| &mut entry.saw);
    let outcome = ends.filter_map(|saw| match saw {
        Observation::Ended {
            verb: Verb::Await,
            outcome,
            ..
        } => Some(outcome),
        _ => None,
    });
    let why = "no answer within 30 s".to_owned();
    *outcome.take(1).last().expect("a state is awaited") = Outcome::Unknown { why };
    history
}

/// With something more, right before the first step of this kind.
pub(super) fn inserted(mut history: History, before: Verb, saw: Observation) -> History {
    let is_it =
        |entry: &Entry| matches!(&entry.saw, Observation::Began { verb, .. } if *verb == before);
    let place = history
        .entries
        .iter()
        .rposition(is_it)
        .expect("the step is there");
    let at_us = history.entries[place].at_us - 1;
    history.entries.insert(place, Entry { at_us, saw });
    history
}

pub(super) fn ended(point: &str, of_step: Verb, how: &Outcome) -> History {
    changed(of(point), |saw| match saw {
        Observation::Ended { verb, outcome, .. } if *verb == of_step => *outcome = how.clone(),
        _ => {}
    })
}

/// With each complaint as another one.
pub(super) fn complaint(point: &str, text: &str) -> History {
    worked(point, |job| {
        if let Some(error) = &mut job.error {
            text.clone_into(error);
        }
    })
}

/// The history of one point under the name of another.
pub(super) fn as_if(name: &str, like: &str) -> History {
    let mut history = of(like);
    history.header.case = case(name).parse().expect("a case");
    history
}

pub(super) fn eventless(point: &str, on: Side, named: &str) -> History {
    without(of(point), |saw| *saw == event(on, named))
}

/// With a command to migrate that nobody answers.
pub(super) fn unanswered(point: &str) -> History {
    let why = "no answer within 5 s".to_owned();
    ended(point, Verb::Migrate, &Outcome::Unknown { why })
}
