//! `memory` and `alive`: the survivor has all of its memory, and runs.

use migratrix_history::{Side, When};
use migratrix_matrix::Activity;

use crate::{
    Verdict,
    checks::{
        alive,
        evidence::{Evidence, Judged},
        memory,
        words::seen,
    },
};

/// The law holds, and the guest is not from before the checkpoint that was compared.
pub(super) fn memory(evidence: &Evidence<'_>, on: Side) -> Judged {
    let Some(mirror) = evidence.mirror() else {
        return Err(evidence.unseen("the memory of both sides was not compared"));
    };
    let before = evidence.latest_lap(&[When::Before]);
    let seen = before.map_or(mirror.lap, |(_, lap)| lap.max(mirror.lap));
    match lawful(evidence, on, seen)? {
        Ok(_) => memory::rest(evidence, (evidence, on)),
        Err(fail) => Ok(fail),
    }
}

/// How many laps the guest on a side has done, by its memory; a failure where that breaks the law,
/// or is older than `seen`.
pub(super) fn lawful(
    evidence: &Evidence<'_>,
    on: Side,
    seen: u32,
) -> Result<Result<u32, Verdict>, Verdict> {
    let surveyed = evidence.survey(on)?;
    let stamper = match memory::lawful(evidence, on, &surveyed)? {
        Ok(stamper) => stamper,
        Err(fail) => return Ok(Err(fail)),
    };
    let host = evidence.host(on);
    let wrong = memory::newer(evidence, on, surveyed.at_us, stamper.laps);
    let since = evidence.beat_if_sampled(on, When::After);
    let at = (surveyed.at_us, stamper.laps);
    let too_far = || since.and_then(|since| memory::too_far(evidence, since, at));
    let wrong = wrong.or_else(|| memory::leap(evidence));
    if let Some(wrong) = wrong.or_else(too_far) {
        return Ok(Err(Verdict::fail(format!(
            "the memory of the guest on {host} is of lap {}, and {wrong}",
            stamper.laps
        ))));
    }
    Ok(if stamper.laps >= seen {
        Ok(stamper.laps)
    } else {
        Err(Verdict::fail(format!(
            "the guest on {host} has gone back in time: its memory is of lap {}, and lap {seen} \
             was seen before",
            stamper.laps
        )))
    })
}

/// The survivor is our machine, and runs there only.
pub(super) fn alive(evidence: &Evidence<'_>, on: Side) -> Judged {
    let domain = evidence.ours(on, When::After)?;
    if !domain.is_some_and(|domain| domain.active && domain.reason == "running") {
        let (host, look) = (evidence.host(on), evidence.look(on, When::After)?);
        return Ok(Verdict::fail(format!(
            "expected the survivor to run, {host} has {}",
            seen(look)
        )));
    }
    alive::alive(evidence, on, Activity::Running)
}
