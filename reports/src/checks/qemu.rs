//! The checks of a raw migration, where nothing stands between the two QEMUs and the caller.

pub(super) mod before;
mod copying;
mod effect;
mod events;
mod failure;
mod incident;
mod migrated;
mod recovery;
pub(super) mod seen;
mod settings;
mod state;
mod stream;
mod struck;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

use migratrix_history::Side;
use migratrix_matrix::{Activity, Condition, Raw};

use super::{Check, alive, identity, job, leftovers, memory, presence};

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Raw>); 22] = [
    (Condition::SourceStarted, before::source_started),
    (Condition::Settings, settings::settings),
    (Condition::Migrated, migrated::migrated),
    (Condition::ExpectedError, failure::failure),
    (Condition::Incident, incident::incident),
    (Condition::SourceInactive, |evidence, _| {
        presence::source_inactive(evidence)
    }),
    (Condition::DestinationExists, |evidence, _| {
        presence::destination_exists(evidence)
    }),
    (Condition::DestinationActive, |evidence, _| {
        presence::destination_active(evidence)
    }),
    (Condition::DestinationState, state::destination_state),
    (Condition::GuestDuringCopy, copying::during),
    (Condition::Iterations, |evidence, _| {
        copying::passes(evidence)
    }),
    (Condition::Channels, copying::channels),
    (Condition::Effect, effect::effect),
    (Condition::Memory, |evidence, raw| {
        let expected = raw.expectation();
        let stands = [expected.activity, expected.after] == [Activity::Paused; 2];
        memory::memory(evidence, survivor(raw), stands)
    }),
    (Condition::Alive, |evidence, raw| {
        let stays = state::stays(evidence, raw)?;
        let alive = || alive::alive(evidence, survivor(raw), raw.expectation().after);
        stays.map_or_else(alive, Ok)
    }),
    (Condition::Identity, |evidence, _| {
        identity::identity(evidence)
    }),
    (Condition::Device, |evidence, _| stream::device(evidence)),
    (Condition::Events, events::events),
    (Condition::Statistics, |evidence, _| job::job(evidence)),
    (Condition::Transport, transport::transport),
    (Condition::Stream, stream::stream),
    (Condition::NoLeftovers, |evidence, _| {
        leftovers::no_leftovers(evidence)
    }),
];

/// Where the guest is in the end.
fn survivor(raw: &Raw) -> Side {
    raw.expectation().survivor
}
