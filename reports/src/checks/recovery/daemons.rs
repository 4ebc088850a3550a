//! `daemons`: those that were not killed are the same processes, those that were are others, and all answer.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use migratrix_history::{Observation, Side, When};
use migratrix_matrix::{Recovery, Strike};

use super::called;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::{moment, place},
    },
};

/// How long a daemon may take to answer, in microseconds, beside what it had to wait for a processor.
pub(super) const ANSWER_US: u64 = 1_000_000;

/// What is said of a daemon that has ended and is there again.
const ANOTHER: &str = "is another process";

/// Whether a reason of this condition tells that the daemon of a side has ended by itself.
pub(crate) fn tells_of_end(why: &str, side: Side) -> bool {
    let daemon = format!("the daemon of {}", place(side));
    let mut said = why.split("; ");
    said.any(|one| one.contains(&daemon) && one.contains(ANOTHER))
}

/// A daemon, at one look.
struct Seen {
    pid: u32,
    started: u64,
    answered_us: Option<u64>,
    waited_us: u64,
}

/// Each side's daemon, before and after.
pub(super) fn daemons(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let mut wrong = Vec::new();
    for side in Side::BOTH {
        if evidence.is_foreign(side) {
            let host = evidence.host(side);
            return Ok(Verdict::skipped(format!(
                "needs a host that we may look into, and {host} is not ours"
            )));
        }
        let (before, after) = (
            seen(evidence, side, When::Before)?,
            seen(evidence, side, When::After)?,
        );
        let host = evidence.host(side);
        let is_same = (before.pid, before.started) == (after.pid, after.started);
        match (is_killed(point.strike, side), is_same) {
            (true, true) => wrong.push(format!("the daemon of {host} was not replaced")),
            (false, false) => wrong.push(format!(
                "the daemon of {host} {ANOTHER}: it was {}, and is {}",
                before.pid, after.pid
            )),
            (true, false) | (false, true) => {}
        }
        match after.answered_us {
            Some(took) if took.saturating_sub(after.waited_us) <= ANSWER_US => {}
            Some(took) => wrong.push(format!(
                "the daemon of {host} took {} ms to answer, and waited {} ms of them for a processor",
                took / 1_000,
                after.waited_us / 1_000
            )),
            None => wrong.push(format!("the daemon of {host} does not answer")),
        }
    }
    Ok(Verdict::pass_if(wrong.is_empty(), || {
        format!("{}: {}", called(point), wrong.join("; "))
    }))
}

/// Whether the fault ends the daemon of a side.
fn is_killed(strike: Strike, side: Side) -> bool {
    strike.ends_daemon_of() == Some(side)
}

fn seen(evidence: &Evidence<'_>, of: Side, at: When) -> Result<Seen, Verdict> {
    let seen = evidence.last(|saw| match saw {
        Observation::Daemon {
            side,
            when,
            pid,
            started,
            answered_us,
            waited_us,
        } if (*side, *when) == (of, at) => Some(Seen {
            pid: *pid,
            started: *started,
            answered_us: *answered_us,
            waited_us: waited_us.unwrap_or(0),
        }),
        _ => None,
    });
    seen.ok_or_else(|| {
        let (place, moment) = (place(of), moment(at));
        evidence.unseen(&format!("the daemon of {place} was not seen {moment}"))
    })
}
