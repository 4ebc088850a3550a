//! `failover`: one side was lost as the case says, and the other left COLO as is documented.

use migratrix_history::{Side, Verb};
use migratrix_matrix::{Colo, ColoMoment};
use serde_json::Value;

use super::mode;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::place,
    },
};

/// The loss came in its moment, the monitor could be talked to after the yank, and the survivor says
/// why it left COLO.
pub(super) fn failover(evidence: &Evidence<'_>, colo: &Colo) -> Judged {
    let side = colo.survivor();
    let fault = match in_its_moment(evidence, colo, side)? {
        None => match monitor(evidence, colo, side)? {
            None => exit(evidence, side)?,
            fault => fault,
        },
        fault => fault,
    };
    if let Some(fault) = fault {
        return Ok(Verdict::fail(format!("{}: {fault}", evidence.host(side))));
    }
    let mut told = ["yank", "x-colo-lost-heartbeat"].into_iter();
    let untold = told.find(|command| evidence.commands(side, command).is_empty());
    let untold = untold.filter(|_| evidence.records_all());
    untold.map_or(Ok(Verdict::Pass), |command| {
        let what = format!("{} was not sent `{command}`", place(side));
        Err(evidence.unseen(&what))
    })
}

/// Before anything was done about the loss, the survivor was in a checkpoint, or between two.
fn in_its_moment(
    evidence: &Evidence<'_>,
    colo: &Colo,
    side: Side,
) -> Result<Option<String>, Verdict> {
    // The first is the loss, the next what is done about it.
    let Some(end) = evidence.all_began(Verb::Intervene).get(1).copied() else {
        return Err(evidence.unseen("no side was lost"));
    };
    let around = evidence.sent(side, &["STOP", "RESUME"]);
    let last = around.iter().rev().find(|(at_us, _)| *at_us < end);
    let due = match colo.moment {
        ColoMoment::Idle => "RESUME",
        ColoMoment::Checkpoint => "STOP",
    };
    Ok(match last {
        Some((_, event)) if *event == due => None,
        Some((_, event)) => Some(format!(
            "expected the loss when it had said {due} last, and it had said {event}"
        )),
        None => return Err(evidence.unseen("the survivor did not tell of checkpoints")),
    })
}

/// The survivor's monitor was silent where it shows what the yank is for, and answered once the
/// connection was yanked.
fn monitor(evidence: &Evidence<'_>, colo: &Colo, side: Side) -> Result<Option<String>, Verdict> {
    let answers = evidence.answers(side);
    let [before, after] = answers[..] else {
        let what = format!("the monitor of {} was not asked twice", place(side));
        return Err(evidence.unseen(&what));
    };
    let Some(version) = evidence.versions().source_qemu else {
        return Err(evidence.unseen("the source did not tell its version"));
    };
    if !after {
        return Ok(Some("its monitor did not answer after the yank".to_owned()));
    }
    if !colo.blocks_the_monitor(version) && !before {
        let silent = "its monitor did not answer before the yank, and nothing blocks it";
        return Err(evidence.unseen(silent));
    }
    if colo.blocks_the_monitor(version) && before {
        // The bytes stopped where the primary sends without the lock: seldom, on a busy machine.
        let missed =
            "its monitor answered before the yank: nothing was seen of one that is blocked";
        return Err(evidence.unseen(missed));
    }
    Ok(None)
}

/// The survivor is out of COLO, on an external request (`COLOExitReason`). Its event may say
/// `error`: it saw the end of the connection before the request.
fn exit(evidence: &Evidence<'_>, side: Side) -> Result<Option<String>, Verdict> {
    let Some(status) = evidence.colo_status(side) else {
        let what = format!("{} did not say what it is in COLO", place(side));
        return Err(evidence.unseen(&what));
    };
    let own = mode(side);
    if (status.mode, status.last_mode, status.reason) != ("none", own, "request") {
        return Ok(Some(format!(
            "expected mode none, last-mode {own}, reason request, it says mode {}, last-mode {}, \
             reason {}",
            status.mode, status.last_mode, status.reason
        )));
    }
    let Some(data) = evidence.colo_exit(side) else {
        return Ok(Some("it did not say COLO_EXIT".to_owned()));
    };
    let said = |member: &str| {
        data.get(member)
            .and_then(Value::as_str)
            .unwrap_or("nothing")
    };
    let (left, reason) = (said("mode"), said("reason"));
    let right = left == own && ["request", "error"].contains(&reason);
    Ok((!right).then(|| {
        format!("expected COLO_EXIT of the {own}, by request or error, it says {left}, {reason}")
    }))
}
