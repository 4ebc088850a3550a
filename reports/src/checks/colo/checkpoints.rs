//! `checkpoints` and `mirror`: both guests ran in lock-step, and had the same memory.

use std::collections::BTreeSet;

use migratrix_history::{Outcome, Side, Verb, When};

use super::seen::{Lapped, Mirror};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::place,
    },
};

/// How many checkpoints must be proven.
const CHECKPOINTS: usize = 3;

/// By which a side says that its guest is held, and goes on again.
const AROUND: [&str; 2] = ["STOP", "RESUME"];

/// Both sides came to COLO, the secondary went on after at least three checkpoints, and after each
/// of three both guests' heartbeats advance by themselves.
pub(super) fn checkpoints(evidence: &Evidence<'_>) -> Judged {
    for side in [Side::Source, Side::Destination] {
        if !evidence
            .statuses(side)
            .iter()
            .any(|state| state.word == "colo")
        {
            let host = place(side);
            return Err(evidence.unseen(&format!("{host} did not come to COLO")));
        }
    }
    let (_, Outcome::Done) = evidence.migrate_ended()? else {
        return Err(evidence.unseen("the primary did not take the command to migrate"));
    };
    let end = evidence.all_began(Verb::Mirror).first().copied();
    let Some(end) = end else {
        return Err(evidence.unseen("the checkpoints were not awaited to their end"));
    };
    let lost = evidence.all_began(Verb::Intervene).first().copied();
    let lost = lost.unwrap_or(end);
    for side in [Side::Source, Side::Destination] {
        let around = evidence.sent(side, &AROUND).into_iter();
        let held: Vec<_> = around.filter(|(at_us, _)| *at_us < lost).collect();
        if held.windows(2).any(|pair| pair[0].1 == pair[1].1) {
            let host = place(side);
            return Err(evidence.unseen(&format!("not all that {host} said was heard")));
        }
    }
    let resumed = evidence.sent(Side::Destination, &["RESUME"]);
    let made = resumed.iter().filter(|(at_us, _)| *at_us < end).count();
    if let Some(behind) = behind(evidence) {
        return Ok(Verdict::fail(behind));
    }
    let spans = [Side::Source, Side::Destination].map(|side| spans(evidence, side, end));
    let sampled = spans.iter().map(BTreeSet::len).min().unwrap_or(0);
    Ok(Verdict::pass_if(
        made >= CHECKPOINTS && sampled >= CHECKPOINTS,
        || {
            format!(
                "expected at least {CHECKPOINTS} checkpoints, after each of which both heartbeats advance: the \
             secondary went on after {made}, and both advanced after {sampled}"
            )
        },
    ))
}

/// The spans between two checkpoints in which the guest on a side beat, each by how many checkpoints
/// were before it.
fn spans(evidence: &Evidence<'_>, side: Side, end: u64) -> BTreeSet<usize> {
    let around = evidence.sent(side, &AROUND);
    let before = |moment: u64| around.iter().filter(|(at_us, _)| *at_us <= moment).count();
    let alone = |beat: &Lapped| before(beat.from_us) == before(beat.to_us);
    let lapped = evidence.lapped(side).into_iter();
    lapped
        .filter(|beat| beat.beats && beat.to_us < end && alone(beat))
        .map(|beat| before(beat.to_us))
        .collect()
}

/// What is wrong where the secondary is behind what the primary was seen at before the checkpoint that it goes on
/// from.
fn behind(evidence: &Evidence<'_>) -> Option<String> {
    let last = |side, event, until: u64| {
        let sent = evidence.sent(side, &[event]).into_iter().rev();
        let mut times = sent.map(|(at_us, _)| at_us);
        times.find(|at_us| *at_us <= until)
    };
    let primary = evidence.lapped(Side::Source);
    let mut secondary = evidence.lapped(Side::Destination).into_iter();
    secondary.find_map(|beat| {
        let resumed = last(Side::Destination, "RESUME", beat.from_us)?;
        let stopped = last(Side::Source, "STOP", resumed)?;
        let before = primary.iter().filter(|seen| seen.to_us < stopped);
        let seen = before.map(|seen| seen.last).max()?;
        let lap = beat.first;
        (lap < seen).then(|| {
            format!(
                "the secondary was at lap {lap} after a checkpoint before which the primary was at lap {seen}"
            )
        })
    })
}

/// While both guests were held at a checkpoint, no page of their memory differed.
pub(super) fn mirror(evidence: &Evidence<'_>) -> Judged {
    let Some(mirror) = evidence.mirror().filter(|mirror| mirror.pages > 0) else {
        return Err(evidence.unseen("the memory of both sides was not compared"));
    };
    if let Some(wrong) = partial(evidence, &mirror) {
        return Ok(Verdict::fail(wrong));
    }
    let differing = mirror.differing;
    Ok(Verdict::pass_if(differing.is_empty(), || {
        let first: Vec<_> = differing
            .iter()
            .take(4)
            .map(|at| format!("{at:#x}"))
            .collect();
        format!(
            "expected the same memory on both sides at a checkpoint (lap {}), {} of {} pages \
             differ: {}{}",
            mirror.lap,
            differing.len(),
            mirror.pages,
            first.join(", "),
            if differing.len() > first.len() {
                ", …"
            } else {
                ""
            }
        )
    }))
}

/// What is wrong with a comparison that is not of all memory, or older than what was seen before it.
fn partial(evidence: &Evidence<'_>, mirror: &Mirror<'_>) -> Option<String> {
    let whole = evidence
        .ram((Side::Source, When::Before))
        .map(|ram| u64::from(ram.pages));
    if let Some(whole) = whole.filter(|whole| mirror.pages != *whole) {
        return Some(format!("{} of {whole} pages were compared", mirror.pages));
    }
    let lapped = evidence.lapped(Side::Source).into_iter();
    let seen = lapped
        .filter(|beat| beat.to_us <= mirror.at_us)
        .map(|beat| beat.last);
    let seen = seen.max()?;
    (mirror.lap < seen).then(|| {
        let lap = mirror.lap;
        format!(
            "both sides were compared at lap {lap}, and the primary was beyond lap {seen} before"
        )
    })
}
