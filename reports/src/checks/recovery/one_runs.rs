//! `one-runs`: at no time did both sides run the guest.
//!
//! Both were watched over the whole time, over connections that are not the migration's. That both ran is
//! proven where two stretches of looks that say so overlap for certain, or where both sides say so when all is
//! over. What a QEMU says itself counts more than what a daemon says of it.

use std::ops::Range;

use migratrix_history::{DomainState, Side, Verb, Watcher, When};

use super::watched::{Stretch, holes, stretches};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::{moment, place},
    },
};

/// For how long a side may go unseen between two looks, in microseconds.
const UNSEEN_US: u64 = 3_000_000;

/// No two stretches overlap in which the guest ran, and no look saw it run twice.
pub(super) fn one_runs(evidence: &Evidence<'_>) -> Judged {
    if let Some(when) = twice(evidence) {
        return Ok(Verdict::fail(format!(
            "the guest runs on both sides {}: {} and {}",
            moment(when),
            evidence.host(Side::Source),
            evidence.host(Side::Destination)
        )));
    }
    let both = Side::BOTH.map(|side| stretches(evidence, side));
    if let Some((one, other)) = overlap(&both) {
        return Ok(Verdict::fail(format!(
            "the guest ran on both sides at once: the source was {}; the destination was {}",
            one.told(),
            other.told()
        )));
    }
    whole(evidence, &both)?;
    Ok(Verdict::Pass)
}

/// At which look both sides have the guest running, by their word or by its heartbeat.
fn twice(evidence: &Evidence<'_>) -> Option<When> {
    let runs = |side: Side, when: When| {
        let says = match evidence.look(side, when) {
            Ok(DomainState::Present(domain)) => domain.active && domain.state == "running",
            Ok(DomainState::Absent) | Err(_) => false,
        };
        let beats = evidence.beat_if_sampled(side, when);
        says || beats.is_some_and(|beat| beat.beats())
    };
    let looks = [When::After, When::Healed, When::Retried];
    let both = |when: &When| runs(Side::Source, *when) && runs(Side::Destination, *when);
    looks.into_iter().find(both)
}

/// Two stretches in which the guest ran, and which overlap for certain.
fn overlap<'s, 'h>(both: &'s [Vec<Stretch<'h>>; 2]) -> Option<(&'s Stretch<'h>, &'s Stretch<'h>)> {
    let [source, destination] = both;
    let running = |all: &'s [Stretch<'h>]| all.iter().filter(|one| one.runs());
    running(source).find_map(|one| {
        let other = running(destination).find(|other| {
            common(one, other).is_some_and(|span| {
                !is_denied(source, one, &span) && !is_denied(destination, other, &span)
            })
        })?;
        Some((one, other))
    })
}

/// The time in which both were so for certain.
fn common(one: &Stretch<'_>, other: &Stretch<'_>) -> Option<Range<u64>> {
    match (one.inner(), other.inner()) {
        (Some(one), Some(other)) => {
            let span = one.start.max(other.start)..one.end.min(other.end);
            (span.start < span.end).then_some(span)
        }
        (Some(inner), None) => within(&inner, &other.outer()),
        (None, Some(inner)) => within(&inner, &one.outer()),
        (None, None) => None,
    }
}

/// The one, where it lies in the other.
fn within(inner: &Range<u64>, one: &Range<u64>) -> Option<Range<u64>> {
    (inner.start <= one.start && one.end <= inner.end).then(|| one.clone())
}

/// Whether the QEMU of that side says itself, in all of this time, that its guest does not run.
fn is_denied(all: &[Stretch<'_>], one: &Stretch<'_>, span: &Range<u64>) -> bool {
    let advances = one.laps.is_some_and(|[first, last]| last > first);
    let denies = |other: &Stretch<'_>| {
        other.by == Watcher::Qemu
            && other.is_seen()
            && !other.runs()
            && within(&other.outer(), span).is_some()
    };
    one.by == Watcher::Libvirt && !advances && all.iter().any(denies)
}

/// That both sides were watched from the call to the end of the retry. Where one could not be seen for a while,
/// the other must not have run in that time.
fn whole(evidence: &Evidence<'_>, both: &[Vec<Stretch<'_>>; 2]) -> Result<(), Verdict> {
    let span = evidence.began_last(Verb::Begin)..evidence.began_last(Verb::Retry);
    if span.end == u64::MAX {
        return Err(evidence.unseen("both sides were not watched to the end"));
    }
    for (side, own, other) in [
        (Side::Source, &both[0], &both[1]),
        (Side::Destination, &both[1], &both[0]),
    ] {
        let seen = own.iter().filter(|one| one.is_seen());
        if seen.clone().next().is_none() && !stands(other, &span) {
            return Err(evidence.unseen(&format!("{} was not watched", place(side))));
        }
        for hole in holes(&span, seen.map(Stretch::outer), UNSEEN_US) {
            if !stands(other, &hole) {
                let (from, to) = (hole.start / 1_000, hole.end / 1_000);
                let what = format!("{} was not seen from {from} ms to {to} ms", place(side));
                return Err(evidence.unseen(&what));
            }
        }
    }
    Ok(())
}

/// Whether a side was seen in all of this time, and its guest did not run.
fn stands(all: &[Stretch<'_>], span: &Range<u64>) -> bool {
    let seen = all.iter().filter(|one| one.is_seen());
    let runs = |one: &Stretch<'_>| one.runs() && one.from_us < span.end && span.start < one.to_us;
    let is_seen = seen.clone().next().is_some();
    let is_covered = is_seen && holes(span, seen.map(Stretch::outer), UNSEEN_US).is_empty();
    is_covered && !all.iter().any(runs)
}
