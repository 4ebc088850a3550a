//! What other guests do that migrate beside the case's own: each of them must come to what the fault says of it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::iter::zip;

use migratrix_history::{CallBeside, Deed, Glimpse, Observation, Outcome, Side};
use migratrix_matrix::{Answer, Companion, Strike};

use super::{
    answered::{returned, wanted},
    ending::{Told, is_told},
};
use crate::{
    Verdict,
    checks::{evidence::Evidence, struck::Struck, words::place},
};

/// The calls of a deed.
fn calls(deed: &Deed) -> &[CallBeside] {
    match deed {
        Deed::Beside { guests } => guests,
        _ => &[],
    }
}

/// Why the guests of the fault did not migrate: others did, or none.
pub(super) fn missed(strike: Strike, deed: &Deed) -> Option<String> {
    let from = strike.companions().iter().map(|one| one.from);
    let calls = calls(deed);
    let are_these = from.eq(calls.iter().map(|call| call.from));
    (!are_these).then(|| format!("{} guests migrated beside it, and not these", calls.len()))
}

/// Why it is not proven that they migrated while the case's own guest was held.
pub(super) fn outside(deed: &Deed, stood_us: u64, let_go_us: u64) -> Option<&'static str> {
    let calls = calls(deed);
    if calls.iter().any(|call| call.began_us < stood_us) {
        return Some("a guest beside it was asked to migrate before it stood");
    }
    let is_within = |call: &CallBeside| call.ended_us.is_some_and(|ended| ended <= let_go_us);
    (!calls.iter().all(is_within))
        .then_some("a guest beside it had not migrated when it was let go")
}

/// What is wrong with the answers to their calls.
pub(super) fn answers(evidence: &Evidence<'_>, strike: Strike) -> Option<String> {
    let struck = evidence.last(Struck::of)?;
    let both = zip(0.., zip(strike.companions(), calls(struck.deed)));
    let wrong = both.filter_map(|(guest, (companion, call))| answer(guest, *companion, call));
    let wrong: Vec<String> = wrong.collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn answer(guest: u32, companion: Companion, call: &CallBeside) -> Option<String> {
    let expected = companion
        .refused_by()
        .map_or(Answer::Success, Answer::Error);
    let told = Told::Answer(&call.outcome);
    let unknown = |why: &str| Some(format!("the call of guest {guest} beside it: {why}"));
    match (&call.outcome, call.ended_us) {
        (Outcome::Unknown { why }, _) => unknown(why),
        (_, None) => unknown("it is not known when it was answered"),
        (_, Some(_)) if is_told(told, expected) => None,
        (_, Some(_)) => {
            let (expected, said) = (wanted(expected), returned(told));
            Some(format!(
                "expected {expected} for guest {guest} beside it, its call returned {said}"
            ))
        }
    }
}

/// What is wrong with where they are. Each runs where it must be, and nothing of it is on the other side.
pub(super) fn stray(evidence: &Evidence<'_>, strike: Strike) -> Result<Option<String>, Verdict> {
    let mut wrong = Vec::new();
    for (guest, companion) in zip(0.., strike.companions()) {
        wrong.extend(is_stray(evidence, guest, *companion)?);
    }
    Ok((!wrong.is_empty()).then(|| wrong.join("; ")))
}

fn is_stray(
    evidence: &Evidence<'_>,
    guest: u32,
    companion: Companion,
) -> Result<Option<String>, Verdict> {
    let seen = evidence.last(|saw| match saw {
        Observation::Beside {
            guest: of,
            source,
            destination,
        } if *of == guest => Some([source, destination]),
        _ => None,
    });
    let looked = seen.filter(|both| both.iter().all(|side| **side != Glimpse::Silent));
    let unseen = || evidence.unseen(&format!("guest {guest} beside it was not looked for"));
    let [source, destination] = looked.ok_or_else(unseen)?;
    let [there, elsewhere] = match companion.to() {
        Side::Source => [source, destination],
        Side::Destination => [destination, source],
    };
    let runs = matches!(there, Glimpse::State { state, .. } if state == "running");
    let is_right = runs && *elsewhere == Glimpse::Absent;
    Ok((!is_right).then(|| {
        let owner = place(companion.to());
        format!(
            "expected that guest {guest} beside it runs on {owner} alone: the source has {}, the destination has {}",
            told(source),
            told(destination)
        )
    }))
}

fn told(glimpse: &Glimpse) -> String {
    match glimpse {
        Glimpse::Absent => "nothing".to_owned(),
        Glimpse::State { state, reason } => format!("{state} ({reason})"),
        Glimpse::Silent => "no answer".to_owned(),
    }
}
