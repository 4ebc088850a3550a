//! Which of the endings that the table gives the case has come to.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{DomainInfo, DomainState, Observation, Outcome, Side, Silence, Verb, When};
use migratrix_matrix::{Answer, Ending, ErrorClass, Libvirts, Owner, Recovery, Remedy, Standing};

use super::struck::struck;
use crate::{Recovered, Verdict, checks::evidence::Evidence};

/// What the caller was told.
#[derive(Clone, Copy)]
pub(super) enum Told<'h> {
    /// The call returned.
    Answer(&'h Outcome),
    /// It did not.
    Silence(Silence),
}

/// The ending of a case.
pub(super) struct Chosen<'h> {
    /// The one that fits best of those that may be.
    pub ending: Ending,
    /// Whether both sides stand as it says.
    pub fits: bool,
    /// How the source stands, and the destination.
    pub looks: [&'h DomainState; 2],
    /// All that may be.
    pub all: Vec<Ending>,
}

/// The versions of libvirt that took part.
pub(super) fn libvirts(evidence: &Evidence<'_>) -> Libvirts {
    let versions = evidence.versions();
    Libvirts {
        client: versions.client,
        source: versions.source_libvirt,
        destination: versions.destination_libvirt,
    }
}

/// What the caller was told, and after how long, in microseconds.
pub(super) fn told<'h>(evidence: &Evidence<'h>) -> Result<(Told<'h>, u64), Verdict> {
    let told = evidence.last(|saw| match saw {
        Observation::Answered { within_us, outcome } => Some((Told::Answer(outcome), *within_us)),
        Observation::Unanswered { within_us, because } => {
            Some((Told::Silence(*because), *within_us))
        }
        _ => None,
    });
    told.ok_or_else(|| evidence.unseen("it was not recorded what the call returned"))
}

/// The ending that both sides show. Which there may be is known only of a fault that landed at its moment.
pub(super) fn chosen<'h>(evidence: &Evidence<'h>, point: &Recovery) -> Result<Chosen<'h>, Verdict> {
    struck(evidence, point)?;
    let looks = [
        evidence.look(Side::Source, When::After)?,
        evidence.look(Side::Destination, When::After)?,
    ];
    let all = point.endings(&libvirts(evidence));
    let told = told(evidence).ok().map(|(told, _)| told);
    let stands = |ending: &&Ending| {
        is_so(evidence, Side::Source, looks[0], ending.source)
            && is_so(evidence, Side::Destination, looks[1], ending.destination)
    };
    let answers = |ending: &&Ending| told.is_some_and(|told| is_told(told, ending.answer));
    let owner = owner_of(looks);
    let fitting = all.iter().filter(stands);
    let best = fitting
        .clone()
        .find(answers)
        .or_else(|| fitting.clone().next());
    let fits = best.is_some();
    let best = best
        .or_else(|| all.iter().find(|ending| ending.owner == owner))
        .or_else(|| all.first());
    match best.copied() {
        Some(ending) => Ok(Chosen {
            ending,
            fits,
            looks,
            all,
        }),
        None => Err(Verdict::unknown(format!(
            "the table has no ending of {} at {}",
            point.strike, point.moment
        ))),
    }
}

/// Who has the guest, by how both sides stand.
pub(super) fn owner_of(looks: [&DomainState; 2]) -> Owner {
    let [source, destination] = looks.map(active);
    match (source, destination) {
        // Half of it is on the one side, and the other half was on the other.
        (Some((_, "postcopy" | "postcopy-failed")), None)
        | (None, Some((_, "postcopy" | "postcopy-failed")) | None) => Owner::Nobody,
        // What waits for a guest that does not come has none of it.
        (Some(_), None | Some(("paused", "migration"))) => Owner::Source,
        (None | Some(_), Some(_)) => Owner::Destination,
    }
}

/// The state of a domain that is active, and its reason.
pub(super) fn active(look: &DomainState) -> Option<(&str, &str)> {
    match look {
        DomainState::Present(domain) if domain.active => {
            Some((domain.state.as_str(), domain.reason.as_str()))
        }
        DomainState::Present(_) | DomainState::Absent => None,
    }
}

/// Whether a side stands so.
pub(super) fn is_so(
    evidence: &Evidence<'_>,
    side: Side,
    look: &DomainState,
    standing: Standing,
) -> bool {
    match (standing, look) {
        (Standing::Active(states), DomainState::Present(domain)) => {
            let is = (domain.state.as_str(), domain.reason.as_str());
            domain.active && evidence.is_ours(side, domain) && states.contains(&is)
        }
        (Standing::Active(_), DomainState::Absent) => false,
        (Standing::Inactive(reasons), DomainState::Present(domain)) => {
            is_shut_off(domain)
                && evidence.is_ours(side, domain)
                && reasons.contains(&domain.reason.as_str())
        }
        (Standing::Clear, DomainState::Present(domain)) => {
            is_shut_off(domain) && evidence.is_ours(side, domain)
        }
        (Standing::Inactive(_) | Standing::Clear, DomainState::Absent) => true,
    }
}

/// Whether nothing runs of a domain, by both words that are told of it.
fn is_shut_off(domain: &DomainInfo) -> bool {
    !domain.active && domain.state == "shutoff"
}

/// Whether the caller was told so.
pub(super) fn is_told(told: Told<'_>, answer: Answer) -> bool {
    match (answer, told) {
        (Answer::Success | Answer::SuccessOr(_), Told::Answer(Outcome::Done)) => true,
        (
            Answer::Error(classes) | Answer::SuccessOr(classes),
            Told::Answer(Outcome::Refused(refusal)),
        ) => {
            let class = ErrorClass {
                code: refusal.code,
                domain: refusal.domain,
            };
            classes.contains(&class)
        }
        (Answer::Gone, Told::Silence(Silence::CallerGone)) => true,
        (
            Answer::Success | Answer::Error(_) | Answer::SuccessOr(_) | Answer::Gone,
            Told::Answer(_) | Told::Silence(_),
        ) => false,
    }
}

/// Who has the guest when it is healed.
pub(super) const fn healed_owner(remedy: Remedy, owner: Owner) -> Owner {
    match remedy {
        Remedy::Nothing => owner,
        Remedy::Resume | Remedy::DestroyDestination | Remedy::StartAnew => Owner::Source,
        Remedy::DestroySource | Remedy::PostcopyResume => Owner::Destination,
    }
}

/// How the migration ended that was tried once more.
pub(super) fn retry<'h>(evidence: &Evidence<'h>) -> Option<&'h Outcome> {
    evidence.last(|saw| match saw {
        Observation::Ended {
            verb: Verb::Retry,
            outcome,
            ..
        } => Some(outcome),
        _ => None,
    })
}

/// What came of a case, as far as it was seen.
pub(in crate::checks) fn outcome(evidence: &Evidence<'_>) -> Option<Recovered> {
    let looks = [
        evidence.look(Side::Source, When::After).ok()?,
        evidence.look(Side::Destination, When::After).ok()?,
    ];
    let owner = owner_of(looks);
    let remedy = evidence.last(|saw| match saw {
        Observation::Healed { remedy, .. } => remedy.parse().ok(),
        _ => None,
    });
    let tried = retry(evidence).map(|outcome| matches!(outcome, Outcome::Done));
    let healed = healed_owner(remedy.unwrap_or(Remedy::Nothing), owner);
    let unhealed = evidence.last(|saw| match saw {
        Observation::Healed { calls, .. } => {
            Some(calls.iter().any(|call| call.outcome != Outcome::Done))
        }
        _ => None,
    });
    let runs = |look| active(look).is_some_and(|(state, _)| state == "running");
    Some(Recovered {
        owner,
        on_both: looks.into_iter().all(runs),
        remedy,
        unhealed: unhealed.unwrap_or(false),
        retried: tried.filter(|_| healed == Owner::Source),
    })
}
