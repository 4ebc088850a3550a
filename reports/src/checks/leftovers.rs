//! `no-leftovers`: no process, port, lock, socket or file stays behind on either host.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Observation, Side};

use super::{
    evidence::{Evidence, Judged},
    words::place,
};
use crate::Verdict;

/// Both hosts were searched, and nothing was found.
pub(super) fn no_leftovers(evidence: &Evidence<'_>) -> Judged {
    let found = [Side::Source, Side::Destination].map(|side| (side, evidence.left(side)));
    let told = |side: Side, left: &[String]| {
        (!left.is_empty()).then(|| format!("{} still has {}", evidence.host(side), left.join(", ")))
    };
    let faults: Vec<_> = found
        .iter()
        .filter_map(|(side, left)| told(*side, (*left)?))
        .collect();
    if !faults.is_empty() {
        let faults = faults.join("; ");
        return Ok(Verdict::fail(format!(
            "expected that nothing stays behind, {faults}"
        )));
    }
    if let Some(unsure) = unsure(evidence) {
        return Err(unsure);
    }
    let blind = found.iter().find(|(_, left)| left.is_none());
    blind.map_or(Ok(Verdict::Pass), |(side, _)| {
        Err(unsearched(evidence, *side))
    })
}

/// What is new on a host and carries nobody's name may be of each who was there.
fn unsure(evidence: &Evidence<'_>) -> Option<Verdict> {
    let (side, found, others) = evidence.last(|saw| match saw {
        Observation::Unowned {
            side,
            found,
            others,
        } => Some((*side, found, *others)),
        _ => None,
    })?;
    let host = evidence.host(side);
    Some(evidence.unseen(&format!(
        "{host} has {}, and {others} other cases were there that may have left it",
        found.join(", ")
    )))
}

/// A host that says itself that it isn't ours was not searched; of any other there must be a list.
fn unsearched(evidence: &Evidence<'_>, side: Side) -> Verdict {
    if evidence.is_foreign(side) {
        let host = evidence.host(side);
        return Verdict::skipped(format!(
            "needs a host that we may look into, and {host} is not ours"
        ));
    }
    evidence.unseen(&format!(
        "{} was not searched for what is left",
        place(side)
    ))
}
