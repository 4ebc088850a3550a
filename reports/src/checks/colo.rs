//! The checks of two guests in lock-step.
//!
//! The record has two parts: what comes of the pair, up to the survivor that runs alone, and what
//! comes of the survivor when it is migrated once more.

mod alone;
mod checkpoints;
mod failover;
mod onward;
mod seen;
mod settings;
#[cfg(test)]
pub(super) mod story;
#[cfg(test)]
mod tests;

use migratrix_history::{Observation, Side, Verb};
use migratrix_matrix::{Colo, Condition, Raw};

use super::{Check, evidence::Evidence, leftovers, qemu};

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Colo>); 9] = [
    (Condition::SourceStarted, |evidence, _| {
        qemu::before::source_started(&pair(evidence), &Raw::USUAL)
    }),
    (Condition::Settings, |evidence, colo| {
        settings::settings(&pair(evidence), colo)
    }),
    (Condition::Checkpoints, |evidence, _| {
        checkpoints::checkpoints(&pair(evidence))
    }),
    (Condition::Mirror, |evidence, _| {
        checkpoints::mirror(&pair(evidence))
    }),
    (Condition::Failover, |evidence, colo| {
        failover::failover(&pair(evidence), colo)
    }),
    (Condition::Memory, |evidence, colo| {
        alone::memory(&pair(evidence), colo.survivor())
    }),
    (Condition::Alive, |evidence, colo| {
        alone::alive(&pair(evidence), colo.survivor())
    }),
    (Condition::Remigrate, |evidence, colo| {
        let (pair, later) = parts(evidence);
        onward::onward(&pair, &later, colo.survivor())
    }),
    (Condition::NoLeftovers, |evidence, _| {
        leftovers::no_leftovers(evidence)
    }),
];

/// What was seen of the pair.
fn pair<'h>(evidence: &Evidence<'h>) -> Evidence<'h> {
    parts(evidence).0
}

/// What was seen of the pair, and what was seen since the survivor was to be migrated once more.
fn parts<'h>(evidence: &Evidence<'h>) -> (Evidence<'h>, Evidence<'h>) {
    let begins = |saw: &Observation| {
        matches!(
            saw,
            Observation::Began {
                verb: Verb::Onward,
                ..
            }
        )
    };
    let place = evidence.entries.iter().position(|entry| begins(&entry.saw));
    let place = place.unwrap_or(evidence.entries.len());
    let part = |entries| evidence.part(entries);
    let (pair, later) = evidence.entries.split_at(place);
    (part(pair), part(later))
}

/// What a side of the pair is called (`COLOMode`).
const fn mode(side: Side) -> &'static str {
    match side {
        Side::Source => "primary",
        Side::Destination => "secondary",
    }
}
