//! `cleared`: the side that has not got the guest has no domain, QEMU, socket, port or file of it, and no job is
//! left on either side.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Observation, Outcome, Pending, Side, When};
use migratrix_matrix::{Recovery, Standing};

use super::{
    called,
    ending::{Chosen, chosen},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::place,
    },
};

/// libvirt's `VIR_ERR_OPERATION_INVALID`: what is not active has no job.
const NOT_ACTIVE: i32 = 55;
/// libvirt's `VIR_ERR_OPERATION_TIMEOUT`: another job holds the domain.
const HELD: i32 = 68;

/// Nothing is left where the guest is not, and no job anywhere.
pub(super) fn cleared(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    let sides = [
        (Side::Source, chosen.ending.source),
        (Side::Destination, chosen.ending.destination),
    ];
    let mut wrong: Vec<String> = held(evidence);
    for (side, standing) in sides {
        match standing {
            Standing::Active(_) => {}
            Standing::Inactive(_) | Standing::Clear => wrong.extend(left(evidence, side)?),
        }
        wrong.extend(job(evidence, side, &chosen)?);
    }
    Ok(Verdict::pass_if(wrong.is_empty(), || {
        format!("{}: {}", called(point), wrong.join("; "))
    }))
}

/// What a side still has.
fn left(evidence: &Evidence<'_>, of: Side) -> Result<Option<String>, Verdict> {
    let found = evidence.last(|saw| match saw {
        Observation::Stock {
            side,
            when: When::After,
            found,
        } if *side == of => Some(found.as_slice()),
        _ => None,
    });
    if evidence.is_foreign(of) && found.is_none() {
        let host = evidence.host(of);
        return Err(Verdict::skipped(format!(
            "needs a host that we may look into, and {host} is not ours"
        )));
    }
    let found =
        found.ok_or_else(|| evidence.unseen(&format!("no stock was taken of {}", place(of))))?;
    let host = evidence.host(of);
    Ok((!found.is_empty()).then(|| format!("{host} still has {}", found.join(", "))))
}

/// The job that a side still has.
fn job(evidence: &Evidence<'_>, of: Side, chosen: &Chosen<'_>) -> Result<Option<String>, Verdict> {
    let pending = evidence.last(|saw| match saw {
        Observation::Pending {
            side,
            when: When::After,
            pending,
        } if *side == of => Some(pending),
        _ => None,
    });
    let pending = pending
        .ok_or_else(|| evidence.unseen(&format!("{} was not asked for a job", place(of))))?;
    // A postcopy that waits to be gone on with keeps its job.
    let stays = chosen.is_held_in_postcopy();
    let wrong = match pending {
        Pending::Absent => None,
        Pending::Job { kind } if kind == "none" || stays => None,
        Pending::Job { kind } => Some(format!("still has a job ({kind})")),
        Pending::Refused { code, .. } if *code == NOT_ACTIVE || stays => None,
        Pending::Refused { code, domain } => Some(format!(
            "refuses to tell of its job (error code {code}, domain {domain})"
        )),
    };
    Ok(wrong.map(|wrong| format!("{} {wrong}", evidence.host(of))))
}

/// The steps after the call that were refused because a job held the domain.
fn held(evidence: &Evidence<'_>) -> Vec<String> {
    let after = evidence.span(When::After);
    let refused = evidence.all(|saw| match saw {
        Observation::Ended {
            step,
            outcome: Outcome::Refused(refusal),
            ..
        } if refusal.code == HELD => Some(step.as_str()),
        _ => None,
    });
    let refused = refused
        .into_iter()
        .filter(|(at_us, _)| after.contains(at_us));
    refused
        .map(|(_, step)| format!("a job holds the domain: `{step}` was refused"))
        .collect()
}

impl Chosen<'_> {
    /// Whether the source keeps the guest for a postcopy that is not over.
    pub(super) fn is_held_in_postcopy(&self) -> bool {
        match self.ending.source {
            Standing::Active(states) => states
                .iter()
                .any(|(_, reason)| reason.starts_with("postcopy")),
            Standing::Inactive(_) | Standing::Clear => matches!(
                self.ending.destination,
                Standing::Active(states)
                    if states.iter().any(|(_, reason)| reason.starts_with("postcopy"))
            ),
        }
    }
}
