//! `memory`: the a-b law holds over every page of the guest's memory, where the guest is.

use migratrix_history::{Side, When};

use super::evidence::{Evidence, Judged};
use crate::Verdict;

/// How many laps a guest may have begun or ended beside the whole paces between two readings.
const SLACK: u64 = 2;

/// The law holds, and the guest is at a lap that it can be at; at the one that it had before if it was
/// to stand still all the while.
pub(super) fn memory(evidence: &Evidence<'_>, on: Side, stands: bool) -> Judged {
    let (at_us, survey) = evidence.survey(on)?;
    let host = evidence.host(on);
    let stamper = match survey.law(&evidence.header().guest) {
        Ok(stamper) => stamper,
        Err(breach) => {
            return Ok(Verdict::fail(format!(
                "the guest's memory on {host} breaks the law: {breach}"
            )));
        }
    };
    Ok(match bounds(evidence, at_us, stamper.laps, stands)? {
        None => Verdict::Pass,
        Some(wrong) => Verdict::fail(format!(
            "the memory of the guest on {host} is of lap {}, and {wrong}",
            stamper.laps
        )),
    })
}

/// What is wrong with a lap that was read at a moment: it lies before one that was seen, or after one
/// that the guest can have come to since, at its pace.
fn bounds(
    evidence: &Evidence<'_>,
    at_us: u64,
    lap: u32,
    stands: bool,
) -> Result<Option<String>, Verdict> {
    let before = evidence.latest_lap(&[When::Before, When::During]);
    let Some((_, seen)) = before else {
        return Err(evidence.unseen("no lap was read before the migration returned"));
    };
    if lap < seen {
        return Ok(Some(format!(
            "lap {seen} was seen before: it has gone back in time"
        )));
    }
    if stands && lap != seen {
        return Ok(Some(format!("it was paused all the while at lap {seen}")));
    }
    let pace = u64::from(evidence.header().guest.pace_us);
    let Some((seen_us, seen)) = evidence.first_reading().filter(|_| pace > 0) else {
        return Ok(None);
    };
    let most = u64::from(seen) + at_us.saturating_sub(seen_us) / pace + SLACK;
    Ok((u64::from(lap) > most).then(|| {
        let since = at_us.saturating_sub(seen_us) / 1_000;
        format!(
            "it was not beyond lap {seen} {since} ms before: it can't have come further than lap {most}"
        )
    }))
}
