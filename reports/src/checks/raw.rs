//! The checks of a raw migration, where nothing stands between the two QEMUs and the caller.

pub(super) mod before;
mod copying;
mod effect;
mod events;
mod failure;
mod incident;
mod migrated;
mod recovery;
mod seen;
mod settings;
mod state;
mod stream;
#[cfg(test)]
mod tests;

use migratrix_history::Side;
use migratrix_matrix::{Condition, Place, Raw};

use super::{
    after, alive,
    evidence::{Evidence, Judged},
    identity, job, memory, residue, without_counterpart,
};

/// One condition of a raw migration.
pub(super) fn check(condition: Condition, raw: &Raw, evidence: &Evidence<'_>) -> Judged {
    match condition {
        Condition::SourceStarted => before::source_started(evidence, raw),
        Condition::Settings => settings::settings(evidence, raw),
        Condition::Migrated => migrated::migrated(evidence, raw),
        Condition::Failure => failure::failure(evidence, raw),
        Condition::Incident => incident::incident(evidence, raw),
        Condition::SourceInactive => after::source_inactive(evidence),
        Condition::DestinationExists => after::destination_exists(evidence),
        Condition::DestinationActive => after::destination_active(evidence),
        Condition::DestinationState => state::destination_state(evidence, raw),
        Condition::During => copying::during(evidence, raw),
        Condition::Passes => copying::passes(evidence),
        Condition::Channels => copying::channels(evidence, raw),
        Condition::Effect => effect::effect(evidence, raw),
        Condition::Memory => memory::memory(evidence, survivor(raw)),
        Condition::Alive => alive::alive(evidence, survivor(raw), raw.expectation().after),
        Condition::Identity => identity::identity(evidence),
        Condition::Device => stream::device(evidence),
        Condition::Events => events::events(evidence, raw),
        Condition::Job => job::job(evidence),
        Condition::Stream => stream::stream(evidence),
        Condition::NothingLeft => residue::nothing_left(evidence),
        Condition::SourceDefined
        | Condition::DestinationPrepared
        | Condition::SourceConfig
        | Condition::DestinationConfig
        | Condition::Checkpoints
        | Condition::Mirror
        | Condition::Failover
        | Condition::Onward
        | Condition::Jobs
        | Condition::Bitmap
        | Condition::Backups
        | Condition::Chain => Err(without_counterpart(condition)),
    }
}

/// Where the guest is in the end.
fn survivor(raw: &Raw) -> Side {
    match raw.expectation().survivor {
        Place::Destination => Side::Destination,
        Place::Source | Place::Client => Side::Source,
    }
}
