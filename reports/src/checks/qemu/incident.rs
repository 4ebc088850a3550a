//! `incident`: what the case names on the way happened, and in the state that it names.

use migratrix_history::{Side, Verb};
use migratrix_matrix::{End, Incident, Raw};

use super::{
    migrated::{revived, times, times_told},
    recovery,
    seen::{Moment, route},
    struck,
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        timeline::ENDS,
        words::no,
    },
};

/// A cancel came in its state, or the connection was lost and recovered, or something struck from outside.
pub(super) fn incident(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    match raw.incident {
        Incident::Recover | Incident::FailHandshake | Incident::FailReconnect => {
            recovery::recovered(evidence, raw.incident)
        }
        Incident::None | Incident::BadDestination | Incident::BadOffset => {
            Err(Verdict::unknown("nothing happens on the way of this case"))
        }
        Incident::CancelBefore
        | Incident::CancelSetup
        | Incident::CancelActive
        | Incident::CancelPreSwitchover
        | Incident::CancelCancelling
        | Incident::CancelCancelled
        | Incident::CancelCompleted
        | Incident::CancelFailed
        | Incident::CancelRetry => cancelled(evidence, raw),
        Incident::LoseActive
        | Incident::LosePreSwitchover
        | Incident::LoseRetry
        | Incident::KillActive
        | Incident::KillPreSwitchover
        | Incident::KillRetry
        | Incident::HoldActive => struck::struck(evidence, raw),
    }
}

fn cancelled(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let last = evidence.last_status(Side::Source)?;
    let states = evidence.statuses(Side::Source);
    let wanted = end(raw);
    if last != wanted && ENDS.contains(&last) {
        return Ok(Verdict::fail(format!(
            "expected that the cancel leaves the migration {wanted}, {} came through {}",
            evidence.host(Side::Source),
            route(&states)
        )));
    }
    if let (true, Some(why)) = (last != wanted, evidence.is_stuck()) {
        return Ok(Verdict::fail(format!(
            "expected that the cancel leaves the migration {wanted}, {} is stuck in `{last}`: {why}",
            evidence.host(Side::Source),
        )));
    }
    if last != wanted {
        return Err(evidence.unseen(&format!("the migration was last seen in `{last}`")));
    }
    let cancels = evidence.commands(Side::Source, "migrate_cancel");
    let Some((at_us, _)) = cancels.last() else {
        return Err(evidence.unseen("no cancel was sent"));
    };
    if let Some(wrong) = untrue(evidence, raw)? {
        let host = evidence.host(Side::Source);
        return Ok(Verdict::fail(format!(
            "expected that {host} migrates and takes the cancel, {wrong}"
        )));
    }
    if came_in(raw.incident, &states, *at_us, cancels.len()) {
        return Ok(effect(evidence, raw.incident, &states));
    }
    // That it came too late is nobody's fault, and proves nothing.
    if raw.incident == Incident::CancelCancelling {
        return Err(Verdict::unknown(format!(
            "the cancels prove nothing of {}: {} were sent, and none was taken while another was under way: {}",
            raw.incident,
            cancels.len(),
            route(&states)
        )));
    }
    let before = states.iter().rfind(|state| state.at_us <= *at_us);
    let before = before.map_or("none", |state| state.word);
    Err(Verdict::unknown(format!(
        "the cancel proves nothing of {}: the last of {} came in `{before}`, among {}",
        raw.incident,
        cancels.len(),
        route(&states)
    )))
}

/// What is wrong where the migration or its cancel was refused, or more than one was asked for, or one
/// that was over went on.
fn untrue(evidence: &Evidence<'_>, raw: &Raw) -> Result<Option<String>, Verdict> {
    let refusal = evidence.refusal()?.or(evidence.refused(Verb::Intervene));
    let told = times_told(evidence);
    if told == 0 {
        return Err(evidence.unseen("the source was not told to migrate"));
    }
    let often =
        (told != times(raw.incident)).then(|| format!("it was told {told} times to migrate"));
    let wrong = refusal.map(no).or(often);
    Ok(wrong.or_else(|| revived(evidence, Side::Source)))
}

/// The state that the migration ends in.
fn end(raw: &Raw) -> &'static str {
    match raw.expectation().end {
        End::Completed => "completed",
        End::Cancelled => "cancelled",
        End::Failed(_) | End::Refused => "failed",
    }
}

/// Whether the last of the cancels came in the state that the case names: that state was the last
/// before it, and what came after it is its effect.
fn came_in(incident: Incident, states: &[Moment<'_>], at_us: u64, cancels: usize) -> bool {
    let (before, after): (Vec<&Moment<'_>>, Vec<_>) =
        states.iter().partition(|state| state.at_us <= at_us);
    let before = before.last().map_or("none", |state| state.word);
    let next = after.first().map(|state| state.word);
    let stops = matches!(next, Some("cancelling" | "cancelled"));
    match incident {
        Incident::CancelBefore => before == "none",
        // It is sent together with `migrate`, since that state may last for a moment only.
        Incident::CancelSetup => left(states) == Some("setup"),
        Incident::CancelActive | Incident::CancelRetry => before == "active" && stops,
        Incident::CancelPreSwitchover => before == "pre-switchover" && stops,
        // QEMU tells anew that it is cancelling, for each that it takes while another is under way.
        Incident::CancelCancelling => cancels >= 2 && count(states, "cancelling") >= 2,
        Incident::CancelCancelled => before == "cancelled" && next.is_none(),
        Incident::CancelCompleted => before == "completed" && next.is_none(),
        Incident::CancelFailed => before == "failed" && next.is_none(),
        Incident::None
        | Incident::BadDestination
        | Incident::BadOffset
        | Incident::Recover
        | Incident::FailHandshake
        | Incident::FailReconnect
        | Incident::LoseActive
        | Incident::LosePreSwitchover
        | Incident::LoseRetry
        | Incident::KillActive
        | Incident::KillPreSwitchover
        | Incident::KillRetry
        | Incident::HoldActive => false,
    }
}

/// How often the migration came into a state.
fn count(states: &[Moment<'_>], word: &str) -> usize {
    states.iter().filter(|state| state.word == word).count()
}

/// The state that a cancel ended.
fn left<'s>(states: &[Moment<'s>]) -> Option<&'s str> {
    let stops = |state: &Moment<'_>| ["cancelling", "cancelled"].contains(&state.word);
    let place = states.iter().position(stops)?;
    Some(states[..place].last()?.word)
}

/// A cancel that has nothing to cancel leaves no trace; any other one does.
fn effect(evidence: &Evidence<'_>, incident: Incident, states: &[Moment<'_>]) -> Verdict {
    let stopped = states
        .iter()
        .any(|state| ["cancelling", "cancelled"].contains(&state.word));
    let idle = matches!(
        incident,
        Incident::CancelBefore | Incident::CancelCompleted | Incident::CancelFailed
    );
    Verdict::pass_if(stopped != idle, || {
        let (host, route) = (evidence.host(Side::Source), route(states));
        let wanted = if idle { "no" } else { "an" };
        format!("expected that the cancel has {wanted} effect, {host} came through {route}")
    })
}
