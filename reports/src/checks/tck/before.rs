//! Conditions 1 to 3: the state that the scenario names was really there before the migration.

use migratrix_history::{DomainState, Side, When};
use migratrix_matrix::{Activity, Expectation};

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::{kept, state, whole},
    },
};

/// 1: the source's configuration exists exactly if the scenario says persistent.
pub(in crate::checks) fn source_defined(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let host = evidence.host(Side::Source);
    let Some(domain) = evidence.ours(Side::Source, When::Before)? else {
        return Ok(Verdict::fail(format!(
            "our domain is not on {host} before the migration"
        )));
    };
    let wanted = expected.source_defined;
    Ok(Verdict::pass_if(domain.persistent == wanted, || {
        let (wanted, seen) = (kept(wanted), kept(domain.persistent));
        format!("expected a {wanted} domain before the migration, {host} has a {seen} one")
    }))
}

/// The reasons that the API documents for the state of a guest that was started, and paused if it is,
/// by us (`virDomainRunningReason`, `virDomainPausedReason`).
const fn reasons(activity: Activity) -> &'static [&'static str] {
    match activity {
        Activity::Running => &["booted", "unpaused"],
        Activity::Paused => &["user"],
    }
}

/// 2: the guest runs and its heartbeat advances, or it is paused and that has stopped, as the scenario
/// says.
pub(in crate::checks) fn source_started(evidence: &Evidence<'_>, expected: &Expectation) -> Judged {
    let host = evidence.host(Side::Source);
    let Some(domain) = evidence.ours(Side::Source, When::Before)? else {
        return Ok(Verdict::fail(format!(
            "our domain is not on {host} before the migration"
        )));
    };
    let wanted = expected.activity;
    let by_us = reasons(wanted).contains(&domain.reason.as_str());
    if !domain.active || domain.state != wanted.word() || !by_us {
        return Ok(Verdict::fail(format!(
            "expected {} before the migration, {host} says {}",
            wanted.word(),
            state(domain)
        )));
    }
    let beat = evidence.beat(Side::Source, When::Before)?;
    let beats = wanted == Activity::Running;
    Ok(Verdict::pass_if(beat.beats() == beats, || {
        let is = if beats { "has stopped" } else { "advances" };
        format!(
            "{host} calls the guest {}, and its heartbeat {is}: {}",
            wanted.word(),
            beat.told()
        )
    }))
}

/// 3: the destination's inactive configuration exists exactly if the scenario says so.
pub(in crate::checks) fn destination_prepared(
    evidence: &Evidence<'_>,
    expected: &Expectation,
) -> Judged {
    let host = evidence.host(Side::Destination);
    let uuid = &evidence.header().uuid;
    let look = evidence.look(Side::Destination, When::Before)?;
    Ok(match (expected.destination_defined, look) {
        (false, DomainState::Absent) => Verdict::Pass,
        (false, DomainState::Present(domain)) => Verdict::fail(format!(
            "expected nothing of that name before the migration, {host} has a domain: {}",
            whole(domain)
        )),
        (true, DomainState::Absent) => Verdict::fail(format!(
            "expected an inactive configuration before the migration, {host} has none"
        )),
        (true, DomainState::Present(domain)) => {
            let right = !domain.active
                && domain.persistent
                && domain.uuid == *uuid
                && domain.state == "shutoff";
            Verdict::pass_if(right, || {
                format!(
                    "expected an inactive configuration with UUID {uuid} before the migration, \
                     {host} has {}",
                    whole(domain)
                )
            })
        }
    })
}
