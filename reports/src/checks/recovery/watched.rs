//! What was seen of both sides while they were watched.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use std::ops::Range;

use migratrix_history::{Glimpse, Observation, Side, Watcher};

use crate::checks::evidence::Evidence;

/// Looks one after the other that saw the same.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'h> {
    pub by: Watcher,
    pub from_us: u64,
    pub to_us: u64,
    pub looks: u32,
    pub slowest_us: u64,
    pub glimpse: &'h Glimpse,
    pub laps: Option<[u32; 2]>,
}

impl Stretch<'_> {
    /// Whether the guest ran: it was said to, or its heartbeat advanced.
    pub fn runs(&self) -> bool {
        let says = matches!(self.glimpse, Glimpse::State { state, .. } if state == "running");
        says || self.laps.is_some_and(|[first, last]| last > first)
    }

    /// Whether who was asked has answered.
    pub const fn is_seen(&self) -> bool {
        !matches!(self.glimpse, Glimpse::Silent)
    }

    /// The time in which it was so for certain: between the first answer and the last question. `None` of
    /// one look alone, which was true at some moment of it.
    pub fn inner(&self) -> Option<Range<u64>> {
        let (from, to) = (
            self.from_us.saturating_add(self.slowest_us),
            self.to_us.saturating_sub(self.slowest_us),
        );
        (self.looks > 1 && from < to).then_some(from..to)
    }

    /// A time in which it was so at some moment at the least, and all of which it was so if it has an inner one.
    pub const fn outer(&self) -> Range<u64> {
        self.from_us..self.to_us
    }

    /// What it is, for people.
    pub fn told(&self) -> String {
        let (from, to) = (self.from_us / 1_000, self.to_us / 1_000);
        let what = match self.glimpse {
            Glimpse::Absent => "absent".to_owned(),
            Glimpse::State { state, reason } if reason.is_empty() => state.clone(),
            Glimpse::State { state, reason } => format!("{state} ({reason})"),
            Glimpse::Silent => "silent".to_owned(),
        };
        format!("{what} from {from} ms to {to} ms, {} looks", self.looks)
    }
}

/// All of a side, in the order of time.
pub(super) fn stretches<'h>(evidence: &Evidence<'h>, of: Side) -> Vec<Stretch<'h>> {
    let all = evidence.all(|saw| match saw {
        Observation::Watched {
            side,
            by,
            from_us,
            to_us,
            looks,
            slowest_us,
            glimpse,
            laps,
        } if *side == of => Some(Stretch {
            by: *by,
            from_us: *from_us,
            to_us: *to_us,
            looks: *looks,
            slowest_us: *slowest_us,
            glimpse,
            laps: *laps,
        }),
        _ => None,
    });
    let mut all: Vec<_> = all.into_iter().map(|(_, stretch)| stretch).collect();
    all.sort_by_key(|stretch| (stretch.from_us, stretch.to_us));
    all
}

/// The newest lap that was seen by a moment while the guest was watched, on the source or on the side that has it now.
pub(super) fn latest_lap(evidence: &Evidence<'_>, on: Side, by_us: u64) -> Option<u32> {
    let sides: &[Side] = match on {
        Side::Source => &[Side::Source],
        Side::Destination => &Side::BOTH,
    };
    let all = sides.iter().flat_map(|side| stretches(evidence, *side));
    let seen = all.filter_map(|one| {
        let [first, last] = one.laps?;
        if one.to_us <= by_us {
            return Some(last);
        }
        (one.from_us.saturating_add(one.slowest_us) <= by_us).then_some(first)
    });
    seen.max()
}

/// That a lap which was read at a moment on this side lies before one that was watched.
pub(super) fn gone_back(
    evidence: &Evidence<'_>,
    on: Side,
    (at_us, lap): (u64, u32),
) -> Option<String> {
    let seen = latest_lap(evidence, on, at_us).filter(|seen| lap < *seen)?;
    Some(format!(
        "lap {seen} was seen before, while it was watched: it has gone back in time"
    ))
}

/// The times in a span that lie in none of these, and are longer than `least`.
pub(super) fn holes(
    span: &Range<u64>,
    covered: impl Iterator<Item = Range<u64>>,
    least: u64,
) -> Vec<Range<u64>> {
    let mut covered: Vec<_> = covered.collect();
    covered.sort_by_key(|one| one.start);
    let mut holes = Vec::new();
    let mut at = span.start;
    for one in covered {
        if one.start > at {
            holes.push(at..one.start.min(span.end));
        }
        at = at.max(one.end);
    }
    if at < span.end {
        holes.push(at..span.end);
    }
    holes.retain(|hole| hole.end.saturating_sub(hole.start) > least);
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_nothing_covers_for_long_enough() {
        let covered = [0..10, 12..20, 18..30, 50..60];
        let found = holes(&(5..70), covered.into_iter(), 2);
        assert_eq!(found, [30..50, 60..70]);
        let none = holes(&(0..5), std::iter::empty(), 0);
        assert_eq!((none.len(), none.first()), (1, Some(&(0..5))));
    }
}
