//! `backups` and `chain`: each incremental is the same as its reference, and the end of each chain
//! the same as its disk, as the tools of both releases say. Of what a guest writes, each image that
//! was read obeys the law of its disk.

use migratrix_history::When;
use migratrix_matrix::BackupAction;

use super::seen::{Comparison, Seen, Timeline};
use crate::{Verdict, checks::evidence::Judged};

/// Each incremental was compared with its reference, and is the same.
pub(super) fn backups(story: &Timeline<'_>) -> Judged {
    proven(story)?;
    let compares = |seen: &&Seen<'_>| matches!(seen.scene.act, BackupAction::Compare(_));
    let pairs = story.acts.iter().filter(compares);
    let pairs: Vec<_> = pairs.map(|seen| (seen, 1)).collect();
    same(story, &pairs)?;
    let reads = |seen: &&Seen<'_>| {
        matches!(
            seen.scene.act,
            BackupAction::Compare(_) | BackupAction::Since(..)
        )
    };
    for seen in story.acts.iter().filter(reads) {
        stamped(story, seen)?;
    }
    story.whole()
}

/// Each chain was compared with its disk, and is the same.
pub(super) fn chain(story: &Timeline<'_>) -> Judged {
    proven(story)?;
    let end = story.find(|act| *act == BackupAction::End)?;
    same(story, &[(end, story.chains)])?;
    let newest = stamped(story, end)?;
    const ALL: [When; 4] = [When::Before, When::During, When::After, When::Writing];
    let seen = story.evidence.latest_lap(&ALL).map(|(_, lap)| lap);
    if let (Some(newest), Some(seen)) = (newest, seen) {
        // A lap is counted in memory right before it is written to the disk.
        let old = newest + 1 < seen;
        if old {
            return Ok(Verdict::fail(format!(
                "expected that the chain ends at lap {seen} or later, it ends at {newest}"
            )));
        }
    }
    story.whole()
}

/// What the guest has stamped obeys the law of the disk; gives the newest lap, where a guest writes.
fn stamped(story: &Timeline<'_>, seen: &Seen<'_>) -> Result<Option<u32>, Verdict> {
    let Some(disk) = &story.evidence.header().guest.disk else {
        return Ok(None);
    };
    let act = seen.scene.act;
    let mut newest = None;
    for (image, survey) in seen.surveys() {
        let law = survey.law(disk);
        let lap = law.map_err(|breach| Verdict::fail(format!("{image}, of `{act}`: {breach}")))?;
        newest = newest.max(Some(lap));
    }
    match newest {
        Some(1..) => Ok(newest),
        Some(0) => Err(story.unseen(&format!("`{act}`: the guest has written nothing"))),
        None => Err(story.unseen(&format!("`{act}`: what the guest wrote was not read"))),
    }
}

/// Images are the same as well where nothing was ever written: each write must have been told, and the
/// guest that writes seen to go on.
fn proven(story: &Timeline<'_>) -> Result<(), Verdict> {
    for seen in &story.acts {
        if seen.scene.act == BackupAction::Laps && !seen.laps() {
            let act = seen.scene.act;
            return Err(story.unseen(&format!("`{act}`: the guest was not seen to go on")));
        }
        let BackupAction::Write(drive, set) = seen.scene.act else {
            continue;
        };
        let told = seen.writes();
        let lost = set
            .writes(drive)
            .into_iter()
            .find(|write| !told.contains(&(write.offset, write.length, write.told().as_str())));
        if let Some(write) = lost {
            let act = seen.scene.act;
            return Err(story.unseen(&format!("`{act}`: {write:?} is not told to be done")));
        }
    }
    Ok(())
}

/// All comparisons were made, as many as each act has at least by its own side's tool, and nothing
/// differs.
fn same(story: &Timeline<'_>, acts: &[(&Seen<'_>, usize)]) -> Result<(), Verdict> {
    for (seen, count) in acts {
        let all = seen.comparisons();
        if let Some(wrong) = all.iter().find(|one| one.status != 0) {
            return Err(Verdict::fail(told(story, wrong)));
        }
        let own = all.iter().filter(|one| one.side == seen.side());
        if own.count() < *count {
            let act = seen.scene.act;
            return Err(story.unseen(&format!("`{act}`: not all images were compared")));
        }
    }
    Ok(())
}

fn told(story: &Timeline<'_>, wrong: &Comparison<'_>) -> String {
    let Comparison {
        side,
        one,
        other,
        status,
        told,
    } = wrong;
    let (host, told) = (story.evidence.host(*side), told.replace('\n', " "));
    format!(
        "expected that {one} is the same as {other}, the qemu-img of {host} says `{told}` ({status})"
    )
}
