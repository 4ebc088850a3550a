//! The time line of a case: whether its steps follow each other as steps do, and which evidence is of
//! which span.
//!
//! A label says at which look a thing was seen; its time says whether that can be. Both must agree.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::ops::Range;

use migratrix_history::{Entry, Observation, Side, Verb, When};
use migratrix_matrix::Point;

use super::evidence::Evidence;

/// The states of QEMU's migration that nothing follows but another migration (`MigrationStatus`).
pub(super) const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

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
        }
    }

    /// When the first migration was asked for.
    fn first_asked(&self) -> Result<u64, ()> {
        let began = |entry: &Entry| match entry.saw {
            Observation::Began {
                verb: Verb::Migrate,
                ..
            } => Some(entry.at_us),
            _ => None,
        };
        self.entries.iter().find_map(began).ok_or(())
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
        let first = |side: Side, words: [&str; 2]| {
            let tells = |entry: &&Entry| match &entry.saw {
                Observation::Lifecycle { side: s, event, .. }
                | Observation::Event { side: s, event, .. } => {
                    *s == side && words.contains(&event.as_str())
                }
                _ => false,
            };
            let since = self.entries.iter().filter(|entry| entry.at_us >= asked);
            since.filter(tells).map(|entry| entry.at_us).min()
        };
        let stopped = first(Side::Source, ["suspended", "STOP"])?;
        let ran = first(Side::Destination, ["resumed", "RESUME"])?;
        Some(ran.saturating_sub(stopped))
    }
}

/// How far apart two sides' events may be heard that happened at once, in microseconds: each comes on a
/// connection of its own, from a daemon of its own, on a machine that may be busy.
const APART_US: u64 = 250_000;

/// What is wrong where the guest ran on the destination before it was stopped on the source: it ran
/// twice meanwhile. `stopped` and `ran` are when each was heard, in microseconds.
pub(super) fn two_run(stopped: Option<u64>, ran: Option<u64>) -> Option<String> {
    let early = stopped?
        .checked_sub(ran?)
        .filter(|early| *early > APART_US)?;
    Some(format!(
        "the guest ran on both sides: it went on on the destination {} ms before the source stopped it",
        early / 1_000
    ))
}

/// What is wrong with the order of a history's steps: none overlaps another, goes back in time, or
/// lacks its end where others came after it.
pub(super) fn disorder(entries: &[Entry]) -> Option<String> {
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
