//! The checks of a chain of backups: each act of the story, beside what was seen while it was done.

mod bitmap;
mod chained;
mod compared;
mod jobs;
mod seen;
#[cfg(test)]
mod tests;

use migratrix_history::{Outcome, Side};
use migratrix_matrix::{Act, Backup, Chained, Condition};

use super::{
    evidence::{Evidence, Judged},
    residue, without_counterpart,
};
use crate::Verdict;
use seen::Story;

/// What the history says of one condition.
pub(super) fn check(condition: Condition, backup: &Backup, evidence: &Evidence<'_>) -> Judged {
    let story = || Story::of(evidence, backup);
    match condition {
        Condition::Migrated => migrated(&story()),
        Condition::Jobs => jobs::jobs(&story()),
        Condition::Bitmap => bitmap::bitmap(&story()),
        Condition::Backups => compared::backups(&story()),
        Condition::Chain => compared::chain(&story()),
        Condition::NothingLeft => residue::nothing_left(evidence),
        Condition::SourceDefined
        | Condition::SourceStarted
        | Condition::DestinationPrepared
        | Condition::SourceInactive
        | Condition::SourceConfig
        | Condition::DestinationExists
        | Condition::DestinationActive
        | Condition::DestinationConfig
        | Condition::DestinationState
        | Condition::During
        | Condition::Memory
        | Condition::Alive
        | Condition::Identity
        | Condition::Events
        | Condition::Job
        | Condition::Settings
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
        | Condition::Onward => Err(without_counterpart(condition)),
    }
}

/// What the history says of one condition of a chain that libvirt makes; `None` where it is one of
/// the scenario's.
pub(super) fn chained(
    condition: Condition,
    chained: &Chained,
    evidence: &Evidence<'_>,
) -> Option<Judged> {
    let story = || Story::of_libvirt(evidence, chained);
    let check = if condition == Condition::Jobs {
        chained::jobs
    } else if condition == Condition::Bitmap {
        bitmap::bitmap
    } else if condition == Condition::Backups {
        compared::backups
    } else if condition == Condition::Chain {
        compared::chain
    } else {
        return None;
    };
    Some(check(&story()))
}

/// The migration was asked for, and both sides say that it is completed.
fn migrated(story: &Story<'_>) -> Judged {
    let jump = story.find(|act| *act == Act::Jump)?;
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
