//! Conditions 6, 9 and 10: what libvirt says of the domain and its configurations after the migration.

use migratrix_history::{DomainState, Side, When};
use migratrix_matrix::{Activity, Expectation};

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        presence::{arrived, is_ours},
        words::{kept, seen, state},
    },
};

/// The reasons that the API documents for the state of a guest that came by migration.
///
/// `virDomainRunningReason`: `MIGRATED`, migrated from another host. `virDomainPausedReason`:
/// `USER`, paused on user request, as the guest was before or as `VIR_MIGRATE_PAUSED` asks;
/// `MIGRATION`, paused for offline migration.
const fn reasons(activity: Activity) -> &'static [&'static str] {
    match activity {
        Activity::Running => &["migrated"],
        Activity::Paused => &["user", "migration"],
    }
}

/// 6: the source's configuration exists iff it was persistent and not to be undefined.
pub(super) fn source_config(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let look = evidence.look(Side::Source, When::After)?;
    let there = match look {
        DomainState::Present(domain) => domain.persistent,
        DomainState::Absent => false,
    };
    let wanted = expected.source_config;
    Ok(Verdict::pass_if(
        there == wanted && (!wanted || is_ours(evidence, Side::Source, look)),
        || {
            let (host, wanted) = (evidence.host(Side::Source), some(wanted));
            format!(
                "expected {wanted} configuration after the migration, {host} has {}",
                seen(look)
            )
        },
    ))
}

/// 9: it is persistent iff it was defined before or `PERSIST_DEST` was given.
pub(super) fn destination_config(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let host = evidence.host(Side::Destination);
    let wanted = expected.destination_config;
    let Some(domain) = arrived(evidence)? else {
        let wanted = kept(wanted);
        return Ok(Verdict::fail(format!(
            "expected a {wanted} domain after the migration, {host} has none"
        )));
    };
    Ok(Verdict::pass_if(domain.persistent == wanted, || {
        let (wanted, is) = (kept(wanted), kept(domain.persistent));
        format!("expected a {wanted} domain after the migration, {host} has a {is} one")
    }))
}

/// 10: it is running or paused as expected, with a reason that the API documents.
pub(super) fn destination_state(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let host = evidence.host(Side::Destination);
    let wanted = expected.destination_activity;
    let allowed = reasons(wanted);
    let expected = format!("{} ({})", wanted.word(), allowed.join(" or "));
    let Some(domain) = arrived(evidence)? else {
        return Ok(Verdict::fail(format!(
            "expected {expected} after the migration, {host} has no such domain"
        )));
    };
    let right =
        domain.active && domain.state == wanted.word() && allowed.contains(&domain.reason.as_str());
    Ok(Verdict::pass_if(right, || {
        format!(
            "expected {expected} after the migration, {host} says {}",
            state(domain)
        )
    }))
}

const fn some(wanted: bool) -> &'static str {
    if wanted { "our" } else { "no" }
}
