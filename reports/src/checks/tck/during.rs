//! `guest-during-copy`: with `LIVE` the guest runs while its memory is copied, without it the guest is
//! paused from the start.
//!
//! The proof needs both halves. The order of the first memory pass and of the source's `suspended`
//! event says when the guest was paused; the heartbeat says that the event told the truth.

use migratrix_history::{Side, When};
use migratrix_matrix::{Activity, Expectation};

use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// When the two things happened that tell a live migration from another one, in microseconds.
struct Order {
    first_pass: u64,
    suspended: Option<u64>,
}

/// For how many paces a guest that runs must have been sampled before its heartbeat is said to have
/// stopped: not for what was read of it when the switchover had paused it.
const STILL_PACES: i64 = 10;

/// The guest's heartbeat advances, or has stopped, while its memory is copied.
pub(super) fn during(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    match (expected.activity, expected.during) {
        (Activity::Paused, _) => stands(evidence),
        (Activity::Running, Activity::Running) => live(evidence),
        (Activity::Running, Activity::Paused) => offline(evidence),
    }
}

fn live(evidence: &Evidence<'_>) -> Judged {
    let order = order(evidence)?;
    let host = evidence.host(Side::Source);
    if order.suspended.is_some_and(|at| at < order.first_pass) {
        return Ok(Verdict::fail(format!(
            "LIVE was given, and {host} paused the guest before the first iteration over its memory"
        )));
    }
    let beat = evidence.any_beat(Side::Source, When::During)?;
    let sampled = order.suspended.map(|at| beat.sampled_until(at));
    let pace = i64::from(evidence.header().guest.pace_us);
    if !beat.beats() && sampled.is_some_and(|sampled| sampled < STILL_PACES * pace) {
        return Err(
            evidence.unseen("the heartbeat was sampled for too short a time before the switchover")
        );
    }
    let beat = evidence.beat(Side::Source, When::During)?;
    if let Some(back) = evidence.gone_back(Side::Source, beat, &[When::Before]) {
        return Ok(back);
    }
    Ok(Verdict::pass_if(beat.beats(), || {
        let told = beat.told();
        format!(
            "LIVE was given, and the guest's heartbeat on {host} has stopped while its memory is copied: {told}"
        )
    }))
}

fn offline(evidence: &Evidence<'_>) -> Judged {
    let order = order(evidence)?;
    let host = evidence.host(Side::Source);
    match order.suspended {
        None => {
            return Ok(Verdict::fail(format!(
                "LIVE was not given, and {host} never said that it paused the guest"
            )));
        }
        Some(at) if at > order.first_pass => {
            return Ok(Verdict::fail(format!(
                "LIVE was not given, and {host} paused the guest only after the first iteration over \
                 its memory had begun"
            )));
        }
        Some(_) => {}
    }
    still(evidence)
}

/// A guest that was paused before is at the lap that it was at: it stood from then on, however short it was
/// sampled.
fn stands(evidence: &Evidence<'_>) -> Judged {
    let Some(before) = evidence.beat_if_sampled(Side::Source, When::Before) else {
        evidence.beat(Side::Source, When::During)?;
        return still(evidence);
    };
    let beat = evidence.any_beat(Side::Source, When::During)?;
    if before.last == beat.first {
        return still(evidence);
    }
    Ok(Verdict::fail(format!(
        "the guest on {} was paused at lap {}, and is at another one while its memory is copied: {}",
        evidence.host(Side::Source),
        before.last,
        beat.told()
    )))
}

/// Of a guest that is paused for its migration there may be one reading only: the order of events says the
/// same.
fn still(evidence: &Evidence<'_>) -> Judged {
    let beat = evidence.any_beat(Side::Source, When::During)?;
    if let Some(back) = evidence.gone_back(Side::Source, beat, &[When::Before]) {
        return Ok(back);
    }
    Ok(Verdict::pass_if(!beat.beats(), || {
        let host = evidence.host(Side::Source);
        format!(
            "the guest's heartbeat on {host} advances while its memory is copied, and must not: {}",
            beat.told()
        )
    }))
}

fn order(evidence: &Evidence<'_>) -> Result<Order, Verdict> {
    let began = evidence.migrate_began()?;
    let first_pass = evidence
        .passes(Side::Source)
        .into_iter()
        .find(|at_us| *at_us >= began);
    let first_pass = first_pass.ok_or_else(|| {
        evidence.unseen("no event told of a first iteration over the guest's memory")
    })?;
    let events = evidence.lifecycle(Side::Source)?;
    let suspended = events.into_iter().find(|event| event.event == "suspended");
    let suspended = suspended.map(|event| event.at_us);
    Ok(Order {
        first_pass,
        suspended,
    })
}
