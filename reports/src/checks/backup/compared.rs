//! `backups` and `chain`: each incremental is the same as its reference and as what was written, and the
//! end of each chain the same as its disk, as the tools of both releases say. Of what a guest writes, each image that
//! was read obeys the law of its disk.

use migratrix_history::{Side, When};
use migratrix_matrix::{BackupAction, Link, Write};

use super::seen::{Comparison, Seen, Timeline};
use crate::{Verdict, checks::evidence::Judged};

/// Each incremental was compared with its reference, and with what was written, and is the same.
pub(super) fn backups(story: &Timeline<'_>) -> Judged {
    proven(story)?;
    let compares = |seen: &&Seen<'_>| matches!(seen.scene.act, BackupAction::Compare(_));
    let pairs = story.acts.iter().filter(compares);
    for seen in pairs {
        same(story, seen)?;
    }
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
    same(story, end)?;
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
pub(super) fn proven(story: &Timeline<'_>) -> Result<(), Verdict> {
    for seen in &story.acts {
        if seen.scene.act == BackupAction::Laps && !seen.laps() {
            let act = seen.scene.act;
            return Err(story.unseen(&format!("`{act}`: the guest was not seen to go on")));
        }
        let BackupAction::Write(drive, set) = seen.scene.act else {
            continue;
        };
        let told = seen.writes(drive);
        let is_told = |write: &Write| told.contains(&(*write, write.told().as_str()));
        let lost = set.writes(drive).into_iter().find(|write| !is_told(write));
        if let Some(write) = lost {
            let act = seen.scene.act;
            return Err(story.unseen(&format!("`{act}`: {write:?} is not told to be done")));
        }
    }
    Ok(())
}

/// All comparisons of an act were made by its own side's tool, each of the images that it names, and
/// nothing differs.
fn same(story: &Timeline<'_>, seen: &Seen<'_>) -> Result<(), Verdict> {
    let all = seen.comparisons();
    if let Some(wrong) = all.iter().find(|one| one.status != 0) {
        return Err(Verdict::fail(told(story, wrong)));
    }
    let tool = tool(story, seen);
    let wanted = wanted(story, seen.scene.act);
    let is_made = |(links, others): &Pair| {
        let mut own = all.iter().filter(|one| one.side == tool);
        own.any(|made| is_one_of(made.one, links) && is_one_of(made.other, others))
    };
    let act = seen.scene.act;
    if !wanted.iter().all(is_made) {
        return Err(story.unseen(&format!("`{act}`: not all images were compared")));
    }
    let is_asked = |one: &&Comparison<'_>| {
        let mut pairs = wanted.iter();
        pairs.any(|(links, others)| is_one_of(one.one, links) && is_one_of(one.other, others))
    };
    match all.iter().find(|one| !is_asked(one)) {
        None => Ok(()),
        Some(Comparison { one, other, .. }) => Err(story.unseen(&format!(
            "`{act}`: {one} was compared with {other}, and is not what was written there"
        ))),
    }
}

/// Whose tool compares. Where both have the same one, it compares once.
fn tool(story: &Timeline<'_>, seen: &Seen<'_>) -> Side {
    let tuple = &story.evidence.header().case.tuple;
    if tuple.source == tuple.destination {
        Side::Source
    } else {
        seen.side()
    }
}

/// The names that an image may have, and those of the one that it is compared with.
type Pair = (Vec<String>, Vec<String>);

/// The images that an act compares: each may have one of these names, and what it is compared with one
/// of those.
fn wanted(story: &Timeline<'_>, act: BackupAction) -> Vec<Pair> {
    // A full backup that has no form for a chain takes all that is written after it.
    let made = |link: &Link| vec![link.file(), format!("{}-full", link.drive)];
    // What a guest writes is its own affair: its stamps tell.
    let is_kept = story.evidence.records_ends() && !story.guest_writes;
    let written = |link: &Link| is_kept.then(|| vec![format!("{}-written", link.drive)]);
    if let BackupAction::Compare(link) = act {
        let others = std::iter::once(vec![link.reference()]).chain(written(&link));
        return others.map(|other| (made(&link), other)).collect();
    }
    let disk = |link: &Link| vec![link.drive.to_string(), format!("{}-copy", link.drive)];
    let ends = story.ends.iter().filter(|_| act == BackupAction::End);
    let pairs = ends.flat_map(|link| {
        let as_written = written(link).map(|written| (disk(link), written));
        std::iter::once((made(link), disk(link))).chain(as_written)
    });
    pairs.collect()
}

/// Whether it is one of these images: its name may begin with that of its domain.
fn is_one_of(image: &str, named: &[String]) -> bool {
    let is = |name: &String| {
        let before = image.strip_suffix(name.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('-'))
    };
    named.iter().any(is)
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
