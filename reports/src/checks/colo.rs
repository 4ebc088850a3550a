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
mod story;
#[cfg(test)]
mod tests;

use migratrix_history::{Observation, Side, Verb};
use migratrix_matrix::{Activity, Colo, Condition, Place, Raw};

use super::{
    alive,
    evidence::{Evidence, Judged},
    raw, residue, without_counterpart,
};

/// What the history says of one condition.
pub(super) fn check(condition: Condition, colo: &Colo, evidence: &Evidence<'_>) -> Judged {
    let (pair, later) = parts(evidence);
    match condition {
        Condition::SourceStarted => raw::before::source_started(&pair, &Raw::USUAL),
        Condition::Settings => settings::settings(&pair, colo),
        Condition::Checkpoints => checkpoints::checkpoints(&pair),
        Condition::Mirror => checkpoints::mirror(&pair),
        Condition::Failover => failover::failover(&pair, colo),
        Condition::Memory => alone::memory(&pair, survivor(colo)),
        Condition::Alive => alive::alive(&pair, survivor(colo), Activity::Running),
        Condition::Onward => onward::onward(&pair, &later, survivor(colo)),
        Condition::NothingLeft => residue::nothing_left(evidence),
        Condition::SourceDefined
        | Condition::DestinationPrepared
        | Condition::Migrated
        | Condition::SourceInactive
        | Condition::SourceConfig
        | Condition::DestinationExists
        | Condition::DestinationActive
        | Condition::DestinationConfig
        | Condition::DestinationState
        | Condition::During
        | Condition::Identity
        | Condition::Events
        | Condition::Job
        | Condition::Failure
        | Condition::Incident
        | Condition::Passes
        | Condition::Channels
        | Condition::Effect
        | Condition::Device
        | Condition::Stream
        | Condition::Jobs
        | Condition::Bitmap
        | Condition::Backups
        | Condition::Chain => Err(without_counterpart(condition)),
    }
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
    let part = |entries| Evidence {
        history: evidence.history,
        entries,
    };
    let (pair, later) = evidence.entries.split_at(place);
    (part(pair), part(later))
}

const fn survivor(colo: &Colo) -> Side {
    match colo.survivor() {
        Place::Destination => Side::Destination,
        Place::Source | Place::Client => Side::Source,
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Source => Side::Destination,
        Side::Destination => Side::Source,
    }
}

/// What a side of the pair is called (`COLOMode`).
const fn mode(side: Side) -> &'static str {
    match side {
        Side::Source => "primary",
        Side::Destination => "secondary",
    }
}
