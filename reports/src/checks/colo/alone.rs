//! `memory`: the survivor has all of its memory.

use migratrix_history::Side;

use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// The law holds, and the guest is not from before the checkpoint that was compared.
pub(super) fn memory(evidence: &Evidence<'_>, on: Side) -> Judged {
    let Some(mirror) = evidence.mirror() else {
        return Err(evidence.unseen("the memory of both sides was not compared"));
    };
    lawful(evidence, on, mirror.lap).map(|laps| laps.map_or_else(|fail| fail, |_| Verdict::Pass))
}

/// How many laps the guest on a side has done, by its memory; a failure where that breaks the law,
/// or is older than `seen`.
pub(super) fn lawful(
    evidence: &Evidence<'_>,
    on: Side,
    seen: u32,
) -> Result<Result<u32, Verdict>, Verdict> {
    let (_, survey) = evidence.survey(on)?;
    let host = evidence.host(on);
    let stamper = match survey.law(&evidence.header().guest) {
        Ok(stamper) => stamper,
        Err(breach) => {
            return Ok(Err(Verdict::fail(format!(
                "the guest's memory on {host} breaks the law: {breach}"
            ))));
        }
    };
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
