//! `destination-state`: the guest is on the destination as it was on the source.

use migratrix_history::{Side, When};
use migratrix_matrix::Raw;

use super::before::states;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::state,
    },
};

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
