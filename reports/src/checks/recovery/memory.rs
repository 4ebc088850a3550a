//! `memory`: the a-b law holds over every page of the guest's memory, where the guest is; where it was lost, over
//! that of the guest that was started anew.

use migratrix_history::{Side, When};
use migratrix_matrix::{Activity, Owner, Recovery, Remedy, Strike};

use super::{
    ending::{Chosen, chosen, healed_owner},
    watched::gone_back,
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged, Surveyed},
        memory::{lawful, stamped},
    },
};

/// The law holds on the side that has the guest, and the guest is at a lap that it can be at.
pub(super) fn memory(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    match side(&chosen) {
        Some((on, When::After)) => stayed(evidence, point, on),
        Some((on, _)) => healed(evidence, &chosen, on),
        None => Err(evidence.unseen("nobody has the guest, and nothing was healed")),
    }
}

/// Who has the guest, at which look its memory can be read. A guest that waits for pages can't be read before it is
/// healed, and one that was lost is not there before.
pub(super) fn side(chosen: &Chosen<'_>) -> Option<(Side, When)> {
    let ending = &chosen.ending;
    let (owner, when) = match ending.remedy {
        Remedy::Nothing | Remedy::Resume | Remedy::DestroySource | Remedy::DestroyDestination => {
            (ending.owner, When::After)
        }
        Remedy::PostcopyResume | Remedy::StartAnew => {
            (healed_owner(ending.remedy, ending.owner), When::Healed)
        }
    };
    match owner {
        Owner::Source => Some((Side::Source, when)),
        Owner::Destination => Some((Side::Destination, when)),
        Owner::Nobody => None,
    }
}

fn stayed(evidence: &Evidence<'_>, point: &Recovery, on: Side) -> Judged {
    let before = evidence.before_heal();
    if point.strike == Strike::GuestRebooted {
        // Its laps have begun anew.
        let surveyed = before.survey(on)?;
        return Ok(lawful(&before, on, &surveyed)?.map_or_else(|fail| fail, |_| Verdict::Pass));
    }
    let stands =
        point.scenario.state.activity == Activity::Paused && point.strike != Strike::Resumed;
    let first = stamped(&before, on, stands)?;
    if first != Verdict::Pass {
        return Ok(first);
    }
    let surveyed = before.survey(on)?;
    let stamper = match lawful(&before, on, &surveyed)? {
        Ok(stamper) => stamper,
        Err(fail) => return Ok(fail),
    };
    if let Some(back) = went_back(evidence, on, (surveyed.at_us, stamper.laps)) {
        return Ok(back);
    }
    // What was resumed after that goes on from there.
    let healed = evidence.after_heal();
    match healed.survey(on) {
        Ok(surveyed) => goes_on(evidence, &healed, on, &surveyed),
        Err(_) => Ok(Verdict::Pass),
    }
}

/// That memory which was read at a moment is of a lap before one that was watched.
fn went_back(evidence: &Evidence<'_>, on: Side, (at_us, lap): (u64, u32)) -> Option<Verdict> {
    let back = gone_back(evidence, on, (at_us, lap))?;
    let host = evidence.host(on);
    Some(Verdict::fail(format!(
        "the memory of the guest on {host} is of lap {lap}, and {back}"
    )))
}

/// The law holds there, and the guest has not gone back in time.
fn goes_on(
    evidence: &Evidence<'_>,
    healed: &Evidence<'_>,
    on: Side,
    surveyed: &Surveyed<'_>,
) -> Judged {
    let stamper = match lawful(healed, on, surveyed)? {
        Ok(stamper) => stamper,
        Err(fail) => return Ok(fail),
    };
    if let Some(back) = went_back(evidence, on, (surveyed.at_us, stamper.laps)) {
        return Ok(back);
    }
    let seen = evidence.latest_lap(&[When::Before, When::During, When::After]);
    let Some((_, seen)) = seen else {
        return Err(evidence.unseen("no lap was read before it was healed"));
    };
    Ok(Verdict::pass_if(stamper.laps >= seen, || {
        format!(
            "the memory of the guest on {} is of lap {}, and lap {seen} was seen before: it has gone back in time",
            evidence.host(on),
            stamper.laps
        )
    }))
}

fn healed(evidence: &Evidence<'_>, chosen: &Chosen<'_>, on: Side) -> Judged {
    let healed = evidence.after_heal();
    let surveyed = healed.survey(on)?;
    if chosen.ending.remedy == Remedy::PostcopyResume {
        return goes_on(evidence, &healed, on, &surveyed);
    }
    Ok(lawful(&healed, on, &surveyed)?.map_or_else(|fail| fail, |_| Verdict::Pass))
}
