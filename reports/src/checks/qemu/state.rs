//! `destination-state`: the guest is on the destination as it was on the source.

use migratrix_history::{DomainInfo, Side, When};
use migratrix_matrix::Raw;

use super::before::states;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::state,
    },
};

/// The state that a guest may be seen in right after its migration has failed: QEMU tells of that a moment
/// before it lets the guest go on.
const PASSING: &str = "finish-migrate";

/// What is wrong with a guest that stays on the source: it is there as it was. `None` where it moves, or nothing is wrong.
pub(super) fn stays(evidence: &Evidence<'_>, raw: &Raw) -> Result<Option<Verdict>, Verdict> {
    let from = Side::Source;
    if raw.expectation().survivor != from {
        return Ok(None);
    }
    let wanted = states(raw.guest);
    let there = evidence.ours(from, When::After)?;
    let is_right = |domain: &&DomainInfo| {
        let is = domain.reason.as_str();
        domain.active && (wanted.contains(&is) || is == PASSING)
    };
    Ok(there.filter(is_right).is_none().then(|| {
        let (host, wanted) = (evidence.host(from), wanted.join(" or "));
        let is = there.map_or("has no such machine".to_owned(), |domain| {
            format!("says {}", state(domain))
        });
        Verdict::fail(format!(
            "expected {wanted} where the guest stays, {host} {is}"
        ))
    }))
}

/// The destination took over the state that the source had, which is in the stream: a guest that
/// ran runs, one that was stopped is, and one that sleeps is not woken by its way.
pub(super) fn destination_state(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let (from, to) = (Side::Source, Side::Destination);
    let host = evidence.host(to);
    let before = evidence.ours(from, When::Before)?;
    let Some(before) = before.filter(|domain| states(raw.guest).contains(&domain.reason.as_str()))
    else {
        let wanted = states(raw.guest).join(" or ");
        return Err(evidence.unseen(&format!("the guest was never {wanted} on the source")));
    };
    let wanted = &before.reason;
    let Some(domain) = evidence.ours(to, When::After)? else {
        return Ok(Verdict::fail(format!(
            "expected {wanted} after the migration, {host} has no such machine"
        )));
    };
    let right = domain.active && domain.reason == *wanted;
    Ok(Verdict::pass_if(right, || {
        let seen = state(domain);
        format!("expected {wanted} after the migration, {host} says {seen}")
    }))
}
