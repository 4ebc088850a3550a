//! `retried`: after the step that heals, a plain migration to the same host succeeds, and the memory obeys the law
//! there. Where the destination has the guest, it is refused, and nothing comes of it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{DomainState, HealingCall, Observation, Outcome, Side, When};
use migratrix_matrix::{Owner, Recovery, Remedy};

use super::{
    called,
    ending::{Chosen, Told, active, chosen, healed_owner, is_told, retry},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        memory::{lawful, out_of_reach},
        words::{no, place, seen},
    },
};

/// libvirt's `VIR_ERR_OPERATION_INVALID` and `VIR_ERR_NO_DOMAIN`: what has gone can't be migrated.
const GONE: [i32; 2] = [55, 42];

/// What was left is healed by the step of the table, and the guest can be migrated then.
pub(super) fn retried(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    if let Some(wrong) = unhealed(evidence, &chosen)? {
        return Ok(Verdict::fail(format!("{}: {wrong}", called(point))));
    }
    let outcome = retry(evidence);
    let outcome =
        outcome.ok_or_else(|| evidence.unseen("the migration was not tried once more"))?;
    let owner = healed_owner(chosen.ending.remedy, chosen.ending.owner);
    match (owner, outcome) {
        (_, Outcome::Unknown { why }) => Err(Verdict::unknown(format!(
            "it is not known how the retry ended: {why}"
        ))),
        (Owner::Source, _) if point.strike.is_of_guest() => {
            refused_alike(evidence, &chosen, outcome)
        }
        (Owner::Source, Outcome::Done) => arrived(evidence, point, &chosen),
        (Owner::Source, Outcome::Refused(refusal)) => Ok(Verdict::fail(format!(
            "{}: the retry was refused: {}",
            called(point),
            no(refusal)
        ))),
        (Owner::Destination | Owner::Nobody, Outcome::Refused(refusal)) => {
            if GONE.contains(&refusal.code) {
                untouched(evidence, &chosen)
            } else {
                let refusal = no(refusal);
                Ok(Verdict::fail(format!(
                    "the guest has gone, and a retry is refused for another reason: {refusal}"
                )))
            }
        }
        (Owner::Destination | Owner::Nobody, Outcome::Done) => Ok(Verdict::fail(
            "the guest has gone, and it could be migrated once more from the source",
        )),
    }
}

/// What is wrong with the step that heals: it is another one than the table says, or did not go well.
fn unhealed(evidence: &Evidence<'_>, chosen: &Chosen<'_>) -> Result<Option<String>, Verdict> {
    let healed = evidence.last(|saw| match saw {
        Observation::Healed { remedy, calls } => Some((remedy.as_str(), calls.as_slice())),
        _ => None,
    });
    let (remedy, calls) = healed
        .ok_or_else(|| evidence.unseen("it was not seen whether there was something to heal"))?;
    let wanted = chosen.ending.remedy;
    if remedy.parse::<Remedy>().ok() != Some(wanted) {
        return Ok(Some(format!(
            "expected that `{wanted}` heals what is left, and it took `{remedy}`"
        )));
    }
    let bad = calls.iter().find_map(refused);
    Ok(bad.map(|bad| format!("`{wanted}` does not heal what is left: {bad}")))
}

fn refused(call: &HealingCall) -> Option<String> {
    let why = match &call.outcome {
        Outcome::Done => return None,
        Outcome::Refused(refusal) => no(refusal),
        Outcome::Unknown { why } => why.clone(),
    };
    Some(format!("{} on {}: {why}", call.call, place(call.side)))
}

/// After the retry the destination has the guest, as it was, and its memory obeys the law.
fn arrived(evidence: &Evidence<'_>, point: &Recovery, chosen: &Chosen<'_>) -> Judged {
    let (source, destination) = (
        evidence.look(Side::Source, When::Retried)?,
        evidence.look(Side::Destination, When::Retried)?,
    );
    let wanted = point.scenario.state.activity;
    let right = match destination {
        DomainState::Present(domain) => domain.active && domain.state == wanted.word(),
        DomainState::Absent => false,
    };
    if !right || active(source).is_some() {
        let (from, to) = (
            evidence.host(Side::Source),
            evidence.host(Side::Destination),
        );
        return Ok(Verdict::fail(format!(
            "after the retry {from} has {}, and {to} has {}",
            seen(source),
            seen(destination)
        )));
    }
    let beat = evidence.beat(Side::Destination, When::Retried)?;
    if beat.beats() != point.runs() {
        let told = beat.told();
        let word = wanted.word();
        return Ok(Verdict::fail(format!(
            "after the retry the guest is called {word}, and its heartbeat says otherwise: {told}"
        )));
    }
    remembers(evidence, chosen, [Side::Source, Side::Destination])
}

/// The memory of the guest obeys the law on the second of these sides, and the guest is at a lap that it can be at
/// since it was on the first.
fn remembers(evidence: &Evidence<'_>, chosen: &Chosen<'_>, [from, on]: [Side; 2]) -> Judged {
    let after = evidence.after_retry();
    let surveyed = after.survey(on)?;
    let stamper = match lawful(&after, on, &surveyed)? {
        Ok(stamper) => stamper,
        Err(fail) => return Ok(fail),
    };
    let mut beats = evidence.beats_at(from, &[When::After, When::Healed]);
    match chosen.ending.remedy {
        // It begins at its first lap.
        Remedy::StartAnew => beats = evidence.beats_at(from, &[When::Healed]),
        Remedy::Nothing
        | Remedy::Resume
        | Remedy::DestroySource
        | Remedy::DestroyDestination
        | Remedy::PostcopyResume => {
            beats.extend(evidence.beats_at(Side::Source, &[When::Before]));
        }
    }
    let lap = stamper.laps;
    let wrong = out_of_reach(evidence, &beats, (surveyed.at_us, lap))?;
    Ok(Verdict::pass_if(wrong.is_none(), || {
        let wrong = wrong.unwrap_or_default();
        format!("after the retry the memory of the guest is of lap {lap}, and {wrong}")
    }))
}

/// What the destination lacks it lacks still: the retry is refused for the same reason, and the source has the guest.
fn refused_alike(evidence: &Evidence<'_>, chosen: &Chosen<'_>, outcome: &Outcome) -> Judged {
    let source = evidence.look(Side::Source, When::Retried)?;
    let right = is_told(Told::Answer(outcome), chosen.ending.answer) && active(source).is_some();
    Ok(Verdict::pass_if(right, || {
        let host = evidence.host(Side::Source);
        let ended = match outcome {
            Outcome::Done => "succeeded".to_owned(),
            Outcome::Refused(refusal) => format!("was refused: {}", no(refusal)),
            Outcome::Unknown { why } => why.clone(),
        };
        let seen = seen(source);
        format!(
            "expected a retry that is refused as the first call was; it {ended}, and {host} has {seen}"
        )
    }))
}

/// A retry that was refused has changed nothing: the destination has the guest, and the source has none.
fn untouched(evidence: &Evidence<'_>, chosen: &Chosen<'_>) -> Judged {
    let (source, destination) = (
        evidence.look(Side::Source, When::Retried)?,
        evidence.look(Side::Destination, When::Retried)?,
    );
    if active(destination).is_some() && active(source).is_none() {
        return remembers(evidence, chosen, [Side::Destination, Side::Destination]);
    }
    let (from, to) = (
        evidence.host(Side::Source),
        evidence.host(Side::Destination),
    );
    Ok(Verdict::fail(format!(
        "after a retry that was refused {from} has {}, and {to} has {}",
        seen(source),
        seen(destination)
    )))
}
