//! What events tell of a migration's statistics: each pass over the memory, and the end of the job.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use migratrix_history::{JobStats, Observation, Side, Verb};
use migratrix_matrix::{Method, Point, Version};

use super::{came, disks, missing, remaining};
use crate::{
    Verdict,
    checks::{evidence::Evidence, words::place},
};

/// The last QEMU that was seen to call its first pass over the memory the first. Later ones call it the second.
const FROM_ONE: Version = Version::new(10, 0, u32::MAX);

/// Each pass was told of, once and in its turn, and there were as many as are counted.
pub(super) fn iterations(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    // A process that replaces itself takes the connection with it.
    let is_heard = (evidence.header().case.raw()).is_none_or(|raw| raw.method != Method::CprExec);
    if !evidence.records_all() || !is_heard {
        return None;
    }
    let asked = evidence.migrate_began().ok()?;
    let told = evidence.numbered_passes().into_iter();
    let told: Vec<i32> = told
        .filter(|(at_us, _)| *at_us >= asked)
        .map(|(_, number)| number)
        .collect();
    let counted = job.memory_iteration?;
    let (Some(first), Some(newest)) = (told.first(), told.last()) else {
        return Some(format!(
            "{counted} iterations were made, and none was told of"
        ));
    };
    if u64::try_from(*newest).ok() != Some(counted) {
        return Some(format!(
            "{counted} iterations were made, and {newest} were told of"
        ));
    }
    let begins = match evidence.versions().source_qemu {
        Some(version) if version <= FROM_ONE => 1..=1,
        Some(_) | None => 1..=2,
    };
    let in_turn = told.windows(2).all(|pair| pair[1] == pair[0] + 1);
    (!begins.contains(first) || !in_turn)
        .then(|| format!("not each iteration was told of in its turn: {told:?}"))
}

/// libvirt tells of the migration's end once, on the source, and of a good one with statistics that are as good.
pub(super) fn ended(evidence: &Evidence<'_>) -> Result<Option<String>, Verdict> {
    match evidence.header().case.point {
        Point::Tck(_) | Point::Chained(_) => {}
        Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => return Ok(None),
    }
    let Ok(asked) = evidence.migrate_began() else {
        return Ok(None);
    };
    let over = evidence.first_after(asked, &[Verb::Backup, Verb::Clear]);
    let span = asked + 1..over.unwrap_or(u64::MAX);
    let ends = evidence.all(|saw| match saw {
        Observation::JobEnded { side, job } => Some((*side, job)),
        _ => None,
    });
    let ends = ends.into_iter().filter(|(at_us, _)| span.contains(at_us));
    let ends: Vec<(Side, &JobStats)> = ends.map(|(_, end)| end).collect();
    let wrong = ends.iter().find_map(|(side, job)| {
        let why = wrong(evidence, *side, job)?;
        Some(format!(
            "of the end of its job {} tells: {why}",
            place(*side)
        ))
    });
    if wrong.is_some() {
        return Ok(wrong);
    }
    let of = |on: Side| ends.iter().filter(|(side, _)| *side == on).count();
    match Side::BOTH.into_iter().find(|side| of(*side) > 1) {
        Some(side) => Ok(Some(format!(
            "{} told twice that its job ended",
            place(side)
        ))),
        None if of(Side::Source) == 0 && evidence.records_all() => {
            Err(evidence.unseen("the source did not tell that its job has ended"))
        }
        None => Ok(None),
    }
}

/// What is wrong with the statistics that come with a job's end.
fn wrong(evidence: &Evidence<'_>, side: Side, job: &JobStats) -> Option<String> {
    if job.kind != "completed" {
        return Some(format!("it ended as `{}`", job.kind));
    }
    let lacks = missing(job);
    if !lacks.is_empty() {
        return Some(format!("it lacks {}", lacks.join(", ")));
    }
    came(side, job)
        .or_else(|| remaining(job))
        .or_else(|| disks(evidence, job))
}
