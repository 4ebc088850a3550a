//! The checks of a migration through libvirt: the ten post-conditions, and those beyond them.

pub(super) mod after;
pub(super) mod before;
mod channels;
mod during;
mod events;
pub(super) mod migrated;
mod transport;

use migratrix_history::Side;
use migratrix_matrix::{Activity, Condition, Scenario};

use super::{Check, alive, identity, job, leftovers, memory, presence};

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Scenario>); 19] = [
    (Condition::SourceDefined, |evidence, scenario| {
        before::source_defined(evidence, &scenario.expectation())
    }),
    (Condition::SourceStarted, |evidence, scenario| {
        before::source_started(evidence, &scenario.expectation())
    }),
    (Condition::DestinationPrepared, |evidence, scenario| {
        before::destination_prepared(evidence, &scenario.expectation())
    }),
    (Condition::Migrated, migrated::migrated),
    (Condition::SourceInactive, |evidence, _| {
        presence::source_inactive(evidence)
    }),
    (Condition::SourceConfig, |evidence, scenario| {
        after::source_config(evidence, &scenario.expectation())
    }),
    (Condition::DestinationExists, |evidence, _| {
        presence::destination_exists(evidence)
    }),
    (Condition::DestinationActive, |evidence, _| {
        presence::destination_active(evidence)
    }),
    (Condition::DestinationConfig, |evidence, scenario| {
        after::destination_config(evidence, &scenario.expectation(), scenario.flags)
    }),
    (Condition::DestinationState, |evidence, scenario| {
        after::destination_state(evidence, &scenario.expectation())
    }),
    (Condition::GuestDuringCopy, |evidence, scenario| {
        during::during(evidence, &scenario.expectation())
    }),
    (Condition::Memory, |evidence, scenario| {
        let expected = scenario.expectation();
        let stands = [expected.activity, expected.destination_activity];
        let stands = stands == [Activity::Paused; 2];
        memory::memory(evidence, Side::Destination, stands)
    }),
    (Condition::Alive, |evidence, scenario| {
        let wanted = scenario.expectation().destination_activity;
        alive::alive(evidence, Side::Destination, wanted)
    }),
    (Condition::Identity, |evidence, _| {
        identity::identity(evidence)
    }),
    (Condition::Events, events::events),
    (Condition::Statistics, |evidence, _| job::job(evidence)),
    (Condition::Channels, channels::channels),
    (Condition::Transport, transport::transport),
    (Condition::NoLeftovers, |evidence, _| {
        leftovers::no_leftovers(evidence)
    }),
];
