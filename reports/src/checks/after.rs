//! Conditions 5 to 10: what the hosts say of the domain after the migration.

use migratrix_history::{DomainLook, Look, Side, When};
use migratrix_matrix::{Activity, Expectation};

use super::{
    before::{kept, state, whole},
    evidence::{Evidence, Judged},
};
use crate::Verdict;

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

/// 5: no active domain on the source.
pub(super) fn source_inactive(evidence: &Evidence<'_>) -> Judged {
    let active = match evidence.look(Side::Source, When::After)? {
        Look::Present(domain) if domain.active => Some(domain),
        Look::Present(_) | Look::Absent => None,
    };
    Ok(active.map_or(Verdict::Pass, |domain| {
        let host = evidence.host(Side::Source);
        Verdict::fail(format!(
            "expected no active domain after the migration, {host} has one: {}",
            whole(domain)
        ))
    }))
}

/// 6: the source's configuration exists iff it was persistent and not to be undefined.
pub(super) fn source_config(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let look = evidence.look(Side::Source, When::After)?;
    let there = match look {
        Look::Present(domain) => domain.persistent,
        Look::Absent => false,
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

/// 7: a domain of that name and UUID is on the destination.
pub(super) fn destination_exists(evidence: &Evidence<'_>) -> Judged {
    let look = evidence.look(Side::Destination, When::After)?;
    Ok(Verdict::pass_if(
        is_ours(evidence, Side::Destination, look),
        || {
            let (host, uuid) = (evidence.host(Side::Destination), &evidence.header().uuid);
            format!(
                "expected the domain with UUID {uuid} after the migration, {host} has {}",
                seen(look)
            )
        },
    ))
}

/// 8: it is active.
pub(super) fn destination_active(evidence: &Evidence<'_>) -> Judged {
    let look = evidence.look(Side::Destination, When::After)?;
    let active = arrived(evidence)?.is_some_and(|domain| domain.active);
    Ok(Verdict::pass_if(active, || {
        let host = evidence.host(Side::Destination);
        format!(
            "expected an active domain after the migration, {host} has {}",
            seen(look)
        )
    }))
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

fn arrived<'e>(evidence: &Evidence<'e>) -> Result<Option<&'e DomainLook>, Verdict> {
    evidence.ours(Side::Destination, When::After)
}

fn is_ours(evidence: &Evidence<'_>, side: Side, look: &Look) -> bool {
    match look {
        Look::Present(domain) => evidence.is_ours(side, domain),
        Look::Absent => false,
    }
}

const fn some(wanted: bool) -> &'static str {
    if wanted { "our" } else { "no" }
}

fn seen(look: &Look) -> String {
    match look {
        Look::Present(domain) => format!("one: {}", whole(domain)),
        Look::Absent => "nothing of that name".to_owned(),
    }
}
