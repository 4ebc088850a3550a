//! The checks of a migration through libvirt that is struck on its way.
//!
//! What must come of it, the [table](migratrix_matrix::Recovery::endings) of the suite says; where that
//! leaves two endings open, the one counts that both sides show.

mod alive;
mod answered;
mod beside;
mod cleared;
mod config;
mod daemons;
mod encrypted;
mod ending;
mod events;
mod identity;
mod memory;
mod one_runs;
mod owner;
mod retried;
mod struck;
#[cfg(test)]
mod tests;
mod watched;

use migratrix_matrix::{Condition, Recovery};

use super::{Check, leftovers};
pub(crate) use daemons::tells_of_end;
pub(super) use ending::outcome;

/// What a case is called in its reasons: how its migration is struck, and when.
pub(super) fn called(point: &Recovery) -> String {
    format!("{} at {}", point.strike, point.moment)
}

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Recovery>); 13] = [
    (Condition::Struck, struck::struck),
    (Condition::Answered, answered::answered),
    (Condition::OneRuns, |evidence, _| {
        one_runs::one_runs(evidence)
    }),
    (Condition::Owner, owner::owner),
    (Condition::Memory, memory::memory),
    (Condition::Alive, alive::alive),
    (Condition::Config, config::config),
    (Condition::Cleared, cleared::cleared),
    (Condition::Daemons, daemons::daemons),
    (Condition::Retried, retried::retried),
    (Condition::Events, events::events),
    (Condition::Identity, identity::identity),
    (Condition::NoLeftovers, |evidence, _| {
        leftovers::no_leftovers(evidence)
    }),
];
