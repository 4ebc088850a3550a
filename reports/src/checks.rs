//! The checks: each condition a pure function of a case's history.
//!
//! A check says *pass* only where it has seen something that proves it, *fail* where it has seen
//! the opposite, and *unknown* where it has seen neither.

mod after;
mod alive;
mod before;
mod during;
mod events;
mod evidence;
mod identity;
mod job;
mod memory;
mod migrated;
mod reasons;
mod residue;
#[cfg(test)]
mod tests;

use migratrix_history::{History, Versions};
use migratrix_matrix::Condition;

use crate::Verdict;
use evidence::Evidence;

/// Every condition with its verdict, in the order of [`Condition::ALL`].
pub(crate) fn all(history: &History) -> Vec<(Condition, Verdict)> {
    let evidence = Evidence::of(history);
    Condition::ALL
        .map(|condition| (condition, check(condition, &evidence)))
        .to_vec()
}

/// The versions that a history names; none where the connections were never made.
pub(crate) fn versions(history: &History) -> Versions {
    Evidence::of(history).versions()
}

fn check(condition: Condition, evidence: &Evidence<'_>) -> Verdict {
    let judged = match condition {
        Condition::SourceDefined => before::source_defined(evidence),
        Condition::SourceStarted => before::source_started(evidence),
        Condition::DestinationPrepared => before::destination_prepared(evidence),
        Condition::Migrated => migrated::migrated(evidence),
        Condition::SourceInactive => after::source_inactive(evidence),
        Condition::SourceConfig => after::source_config(evidence),
        Condition::DestinationExists => after::destination_exists(evidence),
        Condition::DestinationActive => after::destination_active(evidence),
        Condition::DestinationConfig => after::destination_config(evidence),
        Condition::DestinationState => after::destination_state(evidence),
        Condition::During => during::during(evidence),
        Condition::Memory => memory::memory(evidence),
        Condition::Alive => alive::alive(evidence),
        Condition::Identity => identity::identity(evidence),
        Condition::Events => events::events(evidence),
        Condition::Job => job::job(evidence),
        Condition::NothingLeft => residue::nothing_left(evidence),
    };
    judged.unwrap_or_else(|unseen| unseen)
}
