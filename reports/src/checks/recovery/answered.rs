//! `answered`: the call was answered within its deadline, with success exactly where the destination has the
//! guest, or with an error of a class that the table has.

use migratrix_history::{Deed, Outcome, Silence};
use migratrix_matrix::{Answer, ErrorClass, Owner, Recovery};

use super::{
    beside, called,
    ending::{Told, chosen, is_told, owner_of, told},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        struck::Struck,
        words::no,
    },
};

/// The caller was told what the ending says.
pub(super) fn answered(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let (told, within_us) = told(evidence)?;
    if let (Told::Silence(Silence::Deadline), _) = (told, within_us) {
        return Ok(Verdict::fail(format!(
            "{}: the call was not answered within {} ms",
            called(point),
            within_us / 1_000
        )));
    }
    if let Told::Answer(Outcome::Unknown { why }) = told {
        return Err(Verdict::unknown(format!(
            "it is not known what the call returned: {why}"
        )));
    }
    if let Some(wrong) = further_job(evidence, point) {
        return Ok(Verdict::fail(format!("{}: {wrong}", called(point))));
    }
    if let Some(wrong) = beside::answers(evidence, point.strike) {
        return Ok(Verdict::fail(format!("{}: {wrong}", called(point))));
    }
    let chosen = chosen(evidence, point)?;
    let right = is_told(told, chosen.ending.answer);
    let lies = matches!(told, Told::Answer(Outcome::Done))
        && owner_of(chosen.looks) == Owner::Source
        && chosen.ending.owner == Owner::Source;
    Ok(Verdict::pass_if(right && !lies, || {
        format!(
            "{}: expected {}, the call returned {} ({})",
            called(point),
            wanted(chosen.ending.answer),
            returned(told),
            chosen.ending.rule,
        )
    }))
}

/// What is wrong with a further job that was asked for: it was done, though the domain has one, or was refused for
/// another reason than the table has.
fn further_job(evidence: &Evidence<'_>, point: &Recovery) -> Option<String> {
    let struck = evidence.last(Struck::of)?;
    match struck.deed {
        Deed::Asked {
            call,
            outcome: Outcome::Done,
        } if point.strike.is_further_job() => {
            Some(format!("expected that {call} is refused, and it was done"))
        }
        Deed::Asked {
            call,
            outcome: outcome @ Outcome::Refused(refusal),
        } => {
            let classes = point.strike.refused_by()?;
            (!is_told(Told::Answer(outcome), Answer::Error(classes))).then(|| {
                let (wanted, said) = (listed(classes), no(refusal));
                format!("expected that {call} is refused by {wanted}, and it returned {said}")
            })
        }
        Deed::Asked { .. }
        | Deed::Killed { .. }
        | Deed::Stopped { .. }
        | Deed::Cut { .. }
        | Deed::Made { .. }
        | Deed::Known { .. }
        | Deed::Beside { .. }
        | Deed::Nothing => None,
    }
}

pub(super) fn returned(told: Told<'_>) -> String {
    match told {
        Told::Answer(Outcome::Done) => "success".to_owned(),
        Told::Answer(Outcome::Refused(refusal)) => no(refusal),
        Told::Answer(Outcome::Unknown { why }) => why.clone(),
        Told::Silence(Silence::CallerGone) => "nothing, for its caller is gone".to_owned(),
        Told::Silence(Silence::Deadline) => "nothing".to_owned(),
    }
}

pub(super) fn wanted(answer: Answer) -> String {
    match answer {
        Answer::Success => "success".to_owned(),
        Answer::Error(classes) => format!("an error of {}", listed(classes)),
        Answer::SuccessOr(classes) => format!("success or an error of {}", listed(classes)),
        Answer::Gone => "no answer, for the caller is killed".to_owned(),
    }
}

fn listed(classes: &[ErrorClass]) -> String {
    let classes: Vec<_> = classes.iter().map(ToString::to_string).collect();
    format!("class {} (code/domain)", classes.join(" or "))
}
