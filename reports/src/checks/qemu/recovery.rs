//! `incident`, where postcopy's connection is lost: it was lost, and recovered.

use migratrix_history::Side;
use migratrix_matrix::Incident;
use serde_json::Value;

use super::seen::{Moment, route};
use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

const PAUSED: &str = "postcopy-paused";

/// Both sides paused, and after the recoveries that the case names the migration completed.
pub(super) fn recovered(evidence: &Evidence<'_>, incident: Incident) -> Judged {
    for side in [Side::Source, Side::Destination] {
        let last = evidence.last_status(side)?;
        let states = evidence.statuses(side);
        if last == "completed" && states.iter().all(|state| state.word != PAUSED) {
            came_in_time(evidence)?;
            let host = evidence.host(side);
            return Ok(Verdict::fail(format!(
                "expected that the connection is lost, {host} came through {}",
                route(&states)
            )));
        }
        if last != "completed" {
            return not_ended(evidence, side, last);
        }
    }
    by_its_attempts(evidence, incident)
}

/// That the connection was to be lost only when all was over is nobody's fault, and proves nothing.
fn came_in_time(evidence: &Evidence<'_>) -> Result<(), Verdict> {
    let pauses = evidence.commands(Side::Source, "migrate-pause");
    let states = evidence.statuses(Side::Source);
    let late = pauses
        .first()
        .filter(|(at_us, _)| at(&states, *at_us) == "completed");
    match late {
        Some(_) => Err(Verdict::unknown(format!(
            "the migration was over before its connection was to be lost: {}",
            route(&states)
        ))),
        None => Ok(()),
    }
}

fn not_ended(evidence: &Evidence<'_>, side: Side, last: &str) -> Judged {
    if ["failed", PAUSED].contains(&last) {
        let (host, why) = (evidence.host(side), evidence.told_why());
        return Ok(Verdict::fail(format!(
            "expected that the migration recovers, it is {last} on {host}: {why}"
        )));
    }
    if let Some(why) = evidence.is_stuck() {
        let host = evidence.host(side);
        return Ok(Verdict::fail(format!(
            "expected that the migration recovers, it is stuck in `{last}` on {host}: {why}"
        )));
    }
    Err(evidence.unseen(&format!("the migration was last seen in `{last}`")))
}

/// The attempts at a recovery, by the commands, and what the source came through in between.
fn by_its_attempts(evidence: &Evidence<'_>, incident: Incident) -> Judged {
    let states = evidence.statuses(Side::Source);
    let resumes: Vec<u64> = evidence
        .commands(Side::Source, "migrate")
        .into_iter()
        .filter(|(_, arguments)| arguments.get("resume") == Some(&Value::Bool(true)))
        .map(|(at_us, _)| at_us)
        .collect();
    let (Some(first), Some(last)) = (resumes.first(), resumes.last()) else {
        return Err(evidence.unseen("no recovery was asked for"));
    };
    let paused = at(&states, *first) == PAUSED && at(&states, *last) == PAUSED;
    let came_back = states
        .iter()
        .any(|state| state.at_us > *last && state.word == "postcopy-recover");
    let between: Vec<&str> = states
        .iter()
        .filter(|state| (*first..*last).contains(&state.at_us))
        .map(|state| state.word)
        .collect();
    let attempts = match incident {
        Incident::FailHandshake => resumes.len() >= 2 && shook_hands(&between),
        Incident::FailReconnect => resumes.len() >= 2 && !is_back(&between),
        Incident::None
        | Incident::CancelBefore
        | Incident::CancelSetup
        | Incident::CancelActive
        | Incident::CancelPreSwitchover
        | Incident::CancelCancelling
        | Incident::CancelCancelled
        | Incident::CancelCompleted
        | Incident::CancelFailed
        | Incident::CancelRetry
        | Incident::BadDestination
        | Incident::BadOffset
        | Incident::LoseActive
        | Incident::LosePreSwitchover
        | Incident::LoseRetry
        | Incident::KillActive
        | Incident::KillPreSwitchover
        | Incident::KillRetry
        | Incident::HoldActive
        | Incident::Recover => resumes.len() == 1,
    };
    Ok(Verdict::pass_if(paused && came_back && attempts, || {
        let (host, count) = (evidence.host(Side::Source), resumes.len());
        let route = route(&states);
        format!("expected {incident}, {host} was asked {count} times to resume: {route}")
    }))
}

/// The state at a moment.
fn at<'h>(states: &[Moment<'h>], at_us: u64) -> &'h str {
    let before = states.iter().rfind(|state| state.at_us <= at_us);
    before.map_or("none", |state| state.word)
}

/// Whether the attempt came as far as the handshake, and no farther.
fn shook_hands(between: &[&str]) -> bool {
    let recovers = |word: &&str| word.starts_with("postcopy-recover");
    between.iter().any(recovers) && !is_back(between)
}

fn is_back(between: &[&str]) -> bool {
    let back = ["postcopy-active", "completed"];
    between.iter().any(|word| back.contains(word))
}
