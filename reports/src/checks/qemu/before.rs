//! `source-started`: the guest was in the state that the case names before the migration.

use migratrix_history::{Side, When};
use migratrix_matrix::{Activity, GuestState, Raw};

use super::seen::Moment;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::state,
    },
};

/// The guest runs and its heartbeat advances, or it is stopped or asleep and that has stopped.
pub(in crate::checks) fn source_started(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let host = evidence.host(Side::Source);
    let Some(domain) = evidence.ours(Side::Source, When::Before)? else {
        return Ok(Verdict::fail(format!(
            "our machine is not on {host} before the migration"
        )));
    };
    let wanted = states(raw.guest);
    if !domain.active || !wanted.contains(&domain.reason.as_str()) {
        return Ok(Verdict::fail(format!(
            "expected {} before the migration, {host} says {}",
            wanted.join(" or "),
            state(domain)
        )));
    }
    if raw.guest.sleeps() && !slept(evidence) {
        return Err(evidence.unseen("the source did not say that the guest sleeps"));
    }
    beats(evidence, raw.expectation().activity)
}

fn beats(evidence: &Evidence<'_>, wanted: Activity) -> Judged {
    let beat = evidence.beat(Side::Source, When::Before)?;
    let beats = wanted == Activity::Running;
    Ok(Verdict::pass_if(beat.beats() == beats, || {
        let is = if beats { "has stopped" } else { "advances" };
        let (host, told) = (evidence.host(Side::Source), beat.told());
        format!(
            "the guest on {host} must be {} before the migration, and its heartbeat {is}: {told}",
            wanted.word()
        )
    }))
}

/// The words that QEMU may have for such a guest (`RunState`), which stand in a look as its reason. Before 9.0 `stop` has no effect on a
/// guest that sleeps.
pub(super) const fn states(guest: GuestState) -> &'static [&'static str] {
    match guest {
        GuestState::Running => &["running"],
        GuestState::Stopped => &["paused"],
        GuestState::Suspended => &["suspended"],
        GuestState::SuspendedStopped => &["paused", "suspended"],
    }
}

fn slept(evidence: &Evidence<'_>) -> bool {
    let before = evidence.span(When::Before);
    let events = evidence.qmp_events(Side::Source);
    let sleeps = |event: &Moment<'_>| event.word == "SUSPEND" && before.contains(&event.at_us);
    events.iter().any(sleeps)
}
