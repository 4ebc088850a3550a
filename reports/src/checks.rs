//! The checks: each condition a pure function of a case's history.
//!
//! A check says *pass* only where it has seen something that proves it, *fail* where it has seen
//! the opposite, and *unknown* where it has seen neither.

mod after;
mod alive;
mod backup;
mod before;
mod colo;
mod during;
mod events;
mod evidence;
mod identity;
mod job;
mod memory;
mod migrated;
mod raw;
mod reasons;
mod residue;
#[cfg(test)]
mod tests;

use migratrix_history::{History, Side, Versions};
use migratrix_matrix::{Condition, Point, Scenario};

use crate::Verdict;
use evidence::{Evidence, Judged};

/// Every condition of the case with its verdict, in the order of the case's own list.
pub(crate) fn all(history: &History) -> Vec<(Condition, Verdict)> {
    let evidence = Evidence::of(history);
    let conditions = history.header.case.point.conditions().into_iter();
    let judged = conditions.map(|condition| (condition, check(condition, &evidence)));
    judged.collect()
}

/// The versions that a history names; none where the connections were never made.
pub(crate) fn versions(history: &History) -> Versions {
    Evidence::of(history).versions()
}

fn check(condition: Condition, evidence: &Evidence<'_>) -> Verdict {
    let judged = match &evidence.header().case.point {
        Point::Tck(scenario) => libvirt(condition, scenario, evidence),
        Point::Qemu(raw) => raw::check(condition, raw, evidence),
        Point::Colo(colo) => colo::check(condition, colo, evidence),
        Point::Backup(backup) => backup::check(condition, backup, evidence),
        Point::Chained(chained) => backup::chained(condition, chained, evidence)
            .unwrap_or_else(|| libvirt(condition, &chained.scenario, evidence)),
    };
    judged.unwrap_or_else(|unseen| unseen)
}

fn libvirt(condition: Condition, scenario: &Scenario, evidence: &Evidence<'_>) -> Judged {
    let expected = &scenario.expectation();
    match condition {
        Condition::SourceDefined => before::source_defined(evidence, expected),
        Condition::SourceStarted => before::source_started(evidence, expected),
        Condition::DestinationPrepared => before::destination_prepared(evidence, expected),
        Condition::Migrated => migrated::migrated(evidence, scenario),
        Condition::SourceInactive => after::source_inactive(evidence),
        Condition::SourceConfig => after::source_config(evidence, expected),
        Condition::DestinationExists => after::destination_exists(evidence),
        Condition::DestinationActive => after::destination_active(evidence),
        Condition::DestinationConfig => after::destination_config(evidence, expected),
        Condition::DestinationState => after::destination_state(evidence, expected),
        Condition::During => during::during(evidence, expected),
        Condition::Memory => memory::memory(evidence, Side::Destination),
        Condition::Alive => {
            alive::alive(evidence, Side::Destination, expected.destination_activity)
        }
        Condition::Identity => identity::identity(evidence),
        Condition::Events => events::events(evidence, scenario),
        Condition::Job => job::job(evidence),
        Condition::NothingLeft => residue::nothing_left(evidence),
        Condition::Settings
        | Condition::Failure
        | Condition::Incident
        | Condition::Passes
        | Condition::Channels
        | Condition::Effect
        | Condition::Device
        | Condition::Stream
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

/// No case lists a condition that its suite has no check for.
fn without_counterpart(condition: Condition) -> Verdict {
    Verdict::unknown(format!("{condition} has no counterpart in this suite"))
}
