//! `migrated`: the migration completed, by both sides' word, and in the way that the case names.

use migratrix_history::{Side, Verb};
use migratrix_matrix::{Incident, Method, Raw};
use serde_json::Value;

use super::seen::route;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        timeline::ENDS,
        words::{no, place},
    },
};

/// Both sides came to `completed` last, and postcopy was really postcopy.
pub(super) fn migrated(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    if let Some(refusal) = evidence.refusal()? {
        return Ok(failed(evidence, Side::Source, &no(refusal)));
    }
    for side in [Side::Source, Side::Destination] {
        let last = evidence.last_status(side)?;
        if is_end(last) {
            return Ok(failed(evidence, side, &evidence.told_why()));
        }
        if let (true, Some(why)) = (last != "completed", evidence.is_stuck()) {
            return Ok(failed(evidence, side, &format!("it is stuck there, {why}")));
        }
        if last != "completed" {
            return Err(evidence.unseen(&format!("the migration was last seen in `{last}`")));
        }
        let wrong = revived(evidence, side)
            .or_else(|| turned_back(evidence, side))
            .or_else(|| early(evidence, side));
        if let Some(wrong) = wrong {
            return Ok(failed(evidence, side, &wrong));
        }
    }
    let (told, wanted) = (times_told(evidence), times(raw.incident));
    if told == 0 {
        return Err(evidence.unseen("the source was not told to migrate"));
    }
    if told != wanted {
        let wrong = format!("it was told {told} times to migrate, and not {wanted} times");
        return Ok(failed(evidence, Side::Source, &wrong));
    }
    let verdict = by_its_method(evidence, raw);
    if verdict == Verdict::Pass {
        passed_through(evidence, raw)?;
    }
    Ok(verdict)
}

/// A migration that came to its end has come through the states before it, on both sides, and was told to go over
/// to postcopy where it did.
fn passed_through(evidence: &Evidence<'_>, raw: &Raw) -> Result<(), Verdict> {
    if !evidence.records_all() {
        return Ok(());
    }
    let is_postcopy = raw.method == Method::Postcopy;
    let due = ["setup", "active", "postcopy-active"];
    let words = &due[..2 + usize::from(is_postcopy)];
    for side in Side::BOTH {
        let states = evidence.statuses(side);
        let came = |word: &str| states.iter().any(|state| state.word == word);
        if let Some(word) = words.iter().find(|word| !came(word)) {
            let place = place(side);
            return Err(evidence.unseen(&format!("{place} was never seen in `{word}`")));
        }
    }
    let is_told = !evidence
        .commands(Side::Source, "migrate-start-postcopy")
        .is_empty();
    match is_told == is_postcopy {
        true => Ok(()),
        false if is_postcopy => {
            Err(evidence.unseen("the source was not told to go over to postcopy"))
        }
        false => Err(evidence.unseen("the source was told to go over to postcopy")),
    }
}

/// How often the source was told to migrate, but for what only goes on with a migration.
pub(super) fn times_told(evidence: &Evidence<'_>) -> usize {
    let commands = evidence.commands(Side::Source, "migrate").into_iter();
    let goes_on = |arguments: &Value| arguments.get("resume") == Some(&Value::Bool(true));
    commands
        .filter(|(_, arguments)| !goes_on(arguments))
        .count()
}

/// How often a case migrates.
pub(super) fn times(incident: Incident) -> usize {
    1 + usize::from(incident.is_retried())
}

/// What is wrong where a migration that was over went on, and none was asked for anew.
pub(super) fn revived(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let states = evidence.statuses(side);
    let over = states.iter().position(|state| ENDS.contains(&state.word))?;
    let end = states[over].word;
    let next = states[over..].iter().find(|state| state.word != end)?;
    (times_told(evidence) == 1).then(|| format!("nothing follows `{end}`, and `{}` did", next.word))
}

/// What is wrong where a migration that was asked for once went on with what lay behind it.
fn turned_back(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    // One that is resumed begins anew on its way, in releases of late with `setup`.
    if evidence.commands(Side::Source, "migrate").len() != 1 {
        return None;
    }
    let states = evidence.statuses(side).into_iter();
    let ways: Vec<_> = states
        .filter_map(|state| Some((way(state.word)?, state.word)))
        .collect();
    let back = ways.windows(2).find(|pair| pair[1].0 < pair[0].0)?;
    Some(format!("`{}` came after `{}`", back[1].1, back[0].1))
}

/// How much later than on the destination a thing of the source may be heard that came first, in microseconds: each
/// side has a connection of its own.
const LATE_US: u64 = 100_000;

/// What is wrong where a side was over, and the source's memory still moved or its guest was yet to be stopped.
fn early(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let asked = evidence.migrate_began().ok()?;
    let mut ends = evidence.statuses(side).into_iter();
    let end = ends.find(|state| state.at_us >= asked && state.word == "completed")?;
    let late = match side {
        Side::Source => 0,
        Side::Destination => LATE_US,
    };
    let passes = evidence.numbered_passes().into_iter();
    let moved = passes.map(|(at_us, _)| (at_us, "a pass over its memory began"));
    let stops = evidence.qmp_events(Side::Source).into_iter();
    let stops = stops.filter(|event| event.word == "STOP");
    let stopped = stops.map(|event| (event.at_us, "its guest was stopped"));
    let held = evidence.first_after(asked, &[Verb::Survey, Verb::Clear]);
    let span = end.at_us + late + 1..held.unwrap_or(u64::MAX);
    let (_, what) = moved
        .chain(stopped)
        .find(|(at_us, _)| span.contains(at_us))?;
    Some(format!(
        "it was `completed`, and {what} on the source after that"
    ))
}

/// How far a migration is in a state that lies on its one way (`MigrationStatus`).
fn way(status: &str) -> Option<u8> {
    match status {
        "setup" => Some(0),
        "active" => Some(1),
        "pre-switchover" => Some(2),
        "device" => Some(3),
        other => other.starts_with("postcopy-").then_some(4),
    }
}

/// Whether it is a state that a migration ends in, and not well.
fn is_end(status: &str) -> bool {
    ["failed", "failing", "cancelled", "postcopy-paused"].contains(&status)
}

fn failed(evidence: &Evidence<'_>, side: Side, why: &str) -> Verdict {
    if let Some(lost) = evidence.lost_in_migration() {
        return Verdict::unknown(format!("the migration failed ({why}), but {lost}"));
    }
    let (from, to) = (
        evidence.host(Side::Source),
        evidence.host(Side::Destination),
    );
    let states = route(&evidence.statuses(side));
    Verdict::fail(format!(
        "expected a migration from {from} to {to} that completes, it came through {states}: {why}"
    ))
}

fn by_its_method(evidence: &Evidence<'_>, raw: &Raw) -> Verdict {
    let is_due = raw.method == Method::Postcopy;
    let switched = |side: &Side| {
        let states = evidence.statuses(*side);
        states.iter().any(|state| state.word == "postcopy-active")
    };
    // What the destination has not told of was not seen.
    let is_wrong = |side: &Side| switched(side) != is_due && (*side == Side::Source || !is_due);
    match Side::BOTH.into_iter().find(is_wrong) {
        None => Verdict::Pass,
        Some(side) => {
            let (host, word) = (evidence.host(side), raw.method);
            let states = route(&evidence.statuses(side));
            Verdict::fail(format!("expected {word}, {host} came through {states}"))
        }
    }
}
