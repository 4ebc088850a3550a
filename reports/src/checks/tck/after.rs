//! Conditions 6, 9 and 10: what libvirt says of the domain and its configurations after the migration.

use migratrix_history::{Document, DomainState, Side, When};
use migratrix_matrix::{Activity, Expectation, Flag, FlagSet};

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        presence::{arrived, is_ours},
        words::{kept, moment, place, seen, state},
        xml::{self, Compared},
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
pub(in crate::checks) fn source_config(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let look = evidence.look(Side::Source, When::After)?;
    let there = match look {
        DomainState::Present(domain) => domain.persistent,
        DomainState::Absent => false,
    };
    let wanted = expected.source_config;
    if there != wanted || (wanted && !is_ours(evidence, Side::Source, look)) {
        let (host, wanted) = (evidence.host(Side::Source), some(wanted));
        return Ok(Verdict::fail(format!(
            "expected {wanted} configuration after the migration, {host} has {}",
            seen(look)
        )));
    }
    if wanted {
        let before = (Side::Source, When::Before);
        return kept_alike(evidence, before, Side::Source, Compared::Stayed);
    }
    Ok(Verdict::Pass)
}

/// 9: it is persistent iff it was defined before or `PERSIST_DEST` was given: then as the source had it; and
/// unless it was `replaced` by that, as it was.
pub(in crate::checks) fn destination_config(
    evidence: &Evidence<'_>,
    expected: &Expectation,
    flags: FlagSet,
) -> Judged {
    let replaced = flags.has(Flag::PersistDest);
    let host = evidence.host(Side::Destination);
    let wanted = expected.destination_config;
    let Some(domain) = arrived(evidence)? else {
        let wanted = kept(wanted);
        return Ok(Verdict::fail(format!(
            "expected a {wanted} domain after the migration, {host} has none"
        )));
    };
    if domain.persistent != wanted {
        let (wanted, is) = (kept(wanted), kept(domain.persistent));
        return Ok(Verdict::fail(format!(
            "expected a {wanted} domain after the migration, {host} has a {is} one"
        )));
    }
    if !wanted {
        return Ok(Verdict::Pass);
    }
    let carried = if expected.source_defined {
        Compared::Carried
    } else {
        Compared::Adopted
    };
    let before = [
        (replaced || expected.source_defined, Side::Source, carried),
        (!replaced, Side::Destination, Compared::Stayed),
    ];
    for (_, side, compared) in before.into_iter().filter(|(is_held, ..)| *is_held) {
        let alike = kept_alike(evidence, (side, When::Before), Side::Destination, compared)?;
        if alike != Verdict::Pass {
            return Ok(alike);
        }
    }
    Ok(Verdict::Pass)
}

/// Whether what a host keeps of the domain after the migration is what was kept of it before.
pub(in crate::checks) fn kept_alike(
    evidence: &Evidence<'_>,
    (of, when): (Side, When),
    on: Side,
    compared: Compared,
) -> Judged {
    if !evidence.records_all() {
        return Ok(Verdict::Pass);
    }
    let before = evidence.document(of, when, Document::Kept)?;
    let after = evidence.document(on, When::After, Document::Kept)?;
    let found = xml::unexplained(before, after, compared, &evidence.versions());
    let found = found.map_err(Verdict::unknown)?;
    Ok(Verdict::pass_if(found.is_empty(), || {
        let (host, told) = (evidence.host(on), xml::told(&found));
        format!(
            "the configuration on {host} after the migration is not that on {} {}: {told}",
            place(of),
            moment(when)
        )
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
