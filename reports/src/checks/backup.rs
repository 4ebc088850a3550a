//! The checks of a chain of backups: each act of the story, beside what was seen while it was done.

mod bitmap;
pub(super) mod chained;
mod compared;
mod jobs;
mod migration;
mod seen;
#[cfg(test)]
pub(super) mod tests;

use migratrix_matrix::{Backup, Chained, Condition};

use super::{Check, leftovers};
use seen::Timeline;

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Backup>); 7] = [
    (Condition::Migrated, |evidence, backup| {
        migration::migrated(&Timeline::of(evidence, backup))
    }),
    (Condition::Events, |evidence, backup| {
        migration::events(&Timeline::of(evidence, backup))
    }),
    (Condition::BlockJobs, |evidence, backup| {
        jobs::jobs(&Timeline::of(evidence, backup))
    }),
    (Condition::Bitmap, |evidence, backup| {
        bitmap::bitmap(&Timeline::of(evidence, backup))
    }),
    (Condition::Backups, |evidence, backup| {
        compared::backups(&Timeline::of(evidence, backup))
    }),
    (Condition::Chain, |evidence, backup| {
        compared::chain(&Timeline::of(evidence, backup))
    }),
    (Condition::NoLeftovers, |evidence, _| {
        leftovers::no_leftovers(evidence)
    }),
];

/// The conditions of a chain that libvirt makes; the others are those of its scenario.
pub(super) const CHAINED: [(Condition, Check<Chained>); 4] = [
    (Condition::BlockJobs, |evidence, one| {
        chained::jobs(&Timeline::of_libvirt(evidence, one))
    }),
    (Condition::Bitmap, |evidence, one| {
        bitmap::bitmap(&Timeline::of_libvirt(evidence, one))
    }),
    (Condition::Backups, |evidence, one| {
        compared::backups(&Timeline::of_libvirt(evidence, one))
    }),
    (Condition::Chain, |evidence, one| {
        compared::chain(&Timeline::of_libvirt(evidence, one))
    }),
];
