//! `guest-during-copy`, `iterations` and `channels`: what could be seen while memory was copied.

use migratrix_history::{Side, Verb, When};
use migratrix_matrix::{Activity, Raw};

use super::seen::route;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::place,
    },
};

/// The heartbeat of a guest that runs advances while its memory is copied, that of any other has stopped.
pub(super) fn during(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let beat = evidence.beat(Side::Source, When::During)?;
    if let Some(back) = evidence.gone_back(Side::Source, beat, &[When::Before]) {
        return Ok(back);
    }
    let wanted = raw.expectation().during == Activity::Running;
    Ok(Verdict::pass_if(beat.beats() == wanted, || {
        let (host, told) = (evidence.host(Side::Source), beat.told());
        let is = if wanted { "has stopped" } else { "advances" };
        format!("the guest's heartbeat on {host} {is} while its memory is copied: {told}")
    }))
}

/// The guest dirtied memory while it was copied, and a further pass was sent.
///
/// QEMU numbers the passes by how often it has asked which pages are dirty: 1 when it begins (from
/// 11.1 on it does not tell of that), 2 when the first pass is through, and once more when it
/// completes. So the number at the end proves nothing. What does is a pass from 2 on that began
/// before the migration was let go: until then its bounds forbid the switchover, and the pass is
/// really sent.
pub(super) fn passes(evidence: &Evidence<'_>) -> Judged {
    let began = evidence.migrate_began()?;
    let freed = evidence.began(Verb::Converge).filter(|at| *at > began);
    let Some(freed) = freed else {
        return Err(
            evidence.unseen("the migration was not let go, so no iteration proves anything")
        );
    };
    let passes = evidence.numbered_passes();
    let held = |at_us: &u64| (began..freed).contains(at_us);
    let further = passes.iter().any(|(at, pass)| *pass >= 2 && held(at));
    if !further {
        return no_further(evidence, passes.len());
    }
    let beat = evidence.beat(Side::Source, When::During)?;
    Ok(Verdict::pass_if(beat.beats(), || {
        let (host, told) = (evidence.host(Side::Source), beat.told());
        format!(
            "a further iteration began, and the guest on {host} dirtied nothing meanwhile: {told}"
        )
    }))
}

/// A migration that went on to its end without one did not have one.
fn no_further(evidence: &Evidence<'_>, passes: usize) -> Judged {
    let states = evidence.statuses(Side::Source);
    if states.last().is_none_or(|last| last.word != "completed") {
        return Err(evidence.unseen("no further iteration over the guest's memory was seen"));
    }
    let (host, route) = (evidence.host(Side::Source), route(&states));
    Ok(Verdict::fail(format!(
        "expected a further iteration over the guest's memory before the migration was let go, {host} \
         told of {passes} iterations in all, and came through {route}"
    )))
}

/// Both sides had as many channels as the case names. A stream in a file is read in no time, so there
/// the source's are enough.
pub(super) fn channels(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let wanted = u32::from(raw.channels.count());
    let seen = [Side::Source, Side::Destination].map(|side| (side, evidence.counts(side)));
    let wrong = |(side, counts): &(Side, Vec<u32>)| {
        let count = counts.iter().find(|count| **count != wanted)?;
        let host = evidence.host(*side);
        Some(Verdict::fail(format!(
            "expected {wanted} channels, {host} had {count}"
        )))
    };
    if let Some(fault) = seen.iter().find_map(wrong) {
        return Ok(fault);
    }
    let blind = seen.iter().find(|(side, counts)| {
        let needed = *side == Side::Source || !raw.transport.is_file();
        counts.is_empty() && needed
    });
    blind.map_or(Ok(Verdict::Pass), |(side, _)| {
        Err(evidence.unseen(&format!(
            "the channels of {} were not counted",
            place(*side)
        )))
    })
}
