//! `alive`: the heartbeat of a guest that must run advances where the guest is, that of one that is paused has
//! stopped, and the other side has none.

use migratrix_history::{Side, When};
use migratrix_matrix::{Recovery, Remedy, Standing, Strike};

use super::{
    called,
    ending::{Chosen, chosen},
    memory::side,
    watched::gone_back,
};
use crate::{
    Verdict,
    checks::{
        beats::READING_US,
        evidence::{Beat, Evidence, Judged},
    },
};

/// The heartbeat on the side that has the guest, and on the other one.
pub(super) fn alive(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    let Some((on, when)) = side(&chosen) else {
        return Err(evidence.unseen("nobody has the guest, and nothing was healed"));
    };
    let runs = runs(&chosen, point, on, when);
    let beat = evidence.beat(on, when)?;
    let host = evidence.host(on);
    if beat.beats() != runs {
        let (wanted, is) = if runs {
            ("run", "has stopped")
        } else {
            ("stand", "advances")
        };
        return Ok(Verdict::fail(format!(
            "{}: the guest must {wanted}, its heartbeat on {host} {is}: {}",
            called(point),
            beat.told()
        )));
    }
    if let Some(back) = back(evidence, (point, &chosen), on, beat) {
        return Ok(back);
    }
    let other = evidence.beats(on.other(), when);
    let other = other.into_iter().find(|beat| beat.beats());
    Ok(other.map_or(Verdict::Pass, |beat| {
        let host = evidence.host(on.other());
        let told = beat.told();
        Verdict::fail(format!(
            "the heartbeat advances on the other side as well, on {host}: {told}"
        ))
    }))
}

/// Whether the guest must run there.
fn runs(chosen: &Chosen<'_>, point: &Recovery, on: Side, when: When) -> bool {
    let standing = match on {
        Side::Source => chosen.ending.source,
        Side::Destination => chosen.ending.destination,
    };
    match standing {
        Standing::Active(states) if when == When::After => {
            states.iter().all(|(state, _)| *state == "running")
        }
        Standing::Active(_) | Standing::Inactive(_) | Standing::Clear => point.runs(),
    }
}

/// What is wrong with a heartbeat that has gone back in time. A guest that was started anew begins anew.
fn back(
    evidence: &Evidence<'_>,
    (point, chosen): (&Recovery, &Chosen<'_>),
    on: Side,
    beat: Beat,
) -> Option<Verdict> {
    let is_new = chosen.ending.remedy == Remedy::StartAnew
        || point.strike == Strike::GuestRebooted
        || beat.window_us < READING_US;
    if is_new {
        return None;
    }
    let since = [When::Before, When::During];
    let before = evidence.gone_back(on, beat, &since);
    before.or_else(|| {
        let began_us = beat.at_us.saturating_sub(beat.window_us);
        let back = gone_back(evidence, on, (began_us, beat.first))?;
        let (host, told) = (evidence.host(on), beat.told());
        Some(Verdict::fail(format!("on {host} {back}: {told}")))
    })
}
