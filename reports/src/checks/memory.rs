//! `memory`: the a-b law holds over every page of the guest's memory, where the guest is.

use migratrix_history::Side;

use super::evidence::{Evidence, Judged};
use crate::Verdict;

/// The law holds, and the guest has not gone back in time.
pub(super) fn memory(evidence: &Evidence<'_>, on: Side) -> Judged {
    let survey = evidence.survey(on)?;
    let host = evidence.host(on);
    let stamper = match survey.law(&evidence.header().guest) {
        Ok(stamper) => stamper,
        Err(breach) => {
            return Ok(Verdict::fail(format!(
                "the guest's memory on {host} breaks the law: {breach}"
            )));
        }
    };
    let Some(seen) = evidence.oldest_lap_allowed() else {
        return Err(evidence.unseen("no lap was read before the migration returned"));
    };
    Ok(Verdict::pass_if(stamper.laps >= seen, || {
        format!(
            "the guest on {host} has gone back in time: its memory is of lap {}, and lap {seen} \
             was seen before",
            stamper.laps
        )
    }))
}
