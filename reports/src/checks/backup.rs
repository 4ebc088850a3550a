//! The checks of a chain of backups: each act of the story, beside what was seen while it was done.

mod bitmap;
pub(super) mod chained;
mod compared;
mod jobs;
mod seen;
#[cfg(test)]
pub(super) mod tests;

use migratrix_history::{Outcome, Side};
use migratrix_matrix::{Backup, BackupAction, Chained, Condition};

use super::{Check, evidence::Judged, leftovers};
use crate::Verdict;
use seen::Timeline;

/// A row a condition.
pub(super) const CHECKS: [(Condition, Check<Backup>); 6] = [
    (Condition::Migrated, |evidence, backup| {
        migrated(&Timeline::of(evidence, backup))
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

/// The migration was asked for, and both sides say that it is completed.
fn migrated(story: &Timeline<'_>) -> Judged {
    let jump = story.find(|act| *act == BackupAction::Migrate)?;
    let ends = [Side::Source, Side::Destination].map(|side| (side, jump.last_status(side)));
    let astray = ends.iter().find(|(_, end)| *end != Some("completed"));
    match (jump.outcome, astray) {
        (Outcome::Done, None) => Ok(Verdict::Pass),
        (Outcome::Refused(no), _) => Ok(Verdict::fail(format!(
            "expected that the guest migrates, {}",
            no.message
        ))),
        (Outcome::Done | Outcome::Unknown { .. }, Some((side, end))) => {
            let (host, end) = (story.evidence.host(*side), end.unwrap_or("in no state"));
            Err(story.unseen(&format!("on {host} the migration was last seen {end}")))
        }
        (Outcome::Unknown { .. }, None) => Err(story.unseen("the migration has not returned")),
    }
}
