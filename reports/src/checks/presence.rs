//! Conditions 5, 7 and 8: where the domain is after the migration.

use migratrix_history::{DomainInfo, DomainState, Side, When};

use super::{
    evidence::{Evidence, Judged},
    words::{seen, whole},
};
use crate::Verdict;

/// 5: no active domain on the source.
pub(super) fn source_inactive(evidence: &Evidence<'_>) -> Judged {
    let active = match evidence.look(Side::Source, When::After)? {
        DomainState::Present(domain) if domain.active => Some(domain),
        DomainState::Present(_) | DomainState::Absent => None,
    };
    Ok(active.map_or(Verdict::Pass, |domain| {
        let host = evidence.host(Side::Source);
        Verdict::fail(format!(
            "expected no active domain after the migration, {host} has one: {}",
            whole(domain)
        ))
    }))
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

pub(super) fn arrived<'e>(evidence: &Evidence<'e>) -> Result<Option<&'e DomainInfo>, Verdict> {
    evidence.ours(Side::Destination, When::After)
}

pub(super) fn is_ours(evidence: &Evidence<'_>, side: Side, look: &DomainState) -> bool {
    match look {
        DomainState::Present(domain) => evidence.is_ours(side, domain),
        DomainState::Absent => false,
    }
}
