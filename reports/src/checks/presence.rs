//! Conditions 5, 7 and 8: where the domain is after the migration.

use migratrix_history::{DomainInfo, DomainState, Side, When};
use migratrix_matrix::{Method, Point};

use super::{
    evidence::{Evidence, Judged},
    words::{seen, whole},
};
use crate::Verdict;

/// 5: no active domain on the source.
pub(super) fn source_inactive(evidence: &Evidence<'_>) -> Judged {
    let look = evidence.look(Side::Source, When::After)?;
    let active = match look {
        DomainState::Present(domain) if domain.active => Some(domain),
        DomainState::Present(_) | DomainState::Absent => None,
    };
    if let Some(domain) = active {
        let host = evidence.host(Side::Source);
        return Ok(Verdict::fail(format!(
            "expected no active domain after the migration, {host} has one: {}",
            whole(domain)
        )));
    }
    Ok(left_otherwise(evidence, look).map_or(Verdict::Pass, Verdict::fail))
}

/// What is wrong with what the guest has left behind: it says that the guest went in another way.
///
/// libvirt keeps a configuration, `VIR_DOMAIN_SHUTOFF_MIGRATED`, or no reason if it was defined anew
/// since. A QEMU whose guest has left stays, in `postmigrate`.
fn left_otherwise(evidence: &Evidence<'_>, look: &DomainState) -> Option<String> {
    let (wanted, reasons, stays): (_, &[&str], _) = match evidence.header().case.point {
        Point::Tck(_) | Point::Chained(_) => ("shutoff", &["migrated", "unknown"], false),
        Point::Qemu(raw) => match raw.method {
            Method::Precopy | Method::Postcopy => ("paused", &["postmigrate"], true),
            Method::CprReboot | Method::CprTransfer | Method::CprExec => return None,
        },
        Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => return None,
    };
    let right = match look {
        DomainState::Present(domain) => {
            domain.state == wanted
                && reasons.contains(&domain.reason.as_str())
                && evidence.is_ours(Side::Source, domain)
        }
        DomainState::Absent => !stays,
    };
    (!right).then(|| {
        let (host, reasons) = (evidence.host(Side::Source), reasons.join(" or "));
        format!(
            "expected {wanted} ({reasons}) where the guest has left, {host} has {}",
            seen(look)
        )
    })
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
