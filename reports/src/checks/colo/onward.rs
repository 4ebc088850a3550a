//! `remigrate`: the survivor can be migrated once more by plain precopy, and goes on there.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use migratrix_history::{Observation, Outcome, Side, Verb, When};

use super::alone::lawful;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        memory,
        qemu::seen::{Moment, route},
        words::{no, place},
    },
};

/// Both sides say `completed`, the guest is gone from the survivor, and its heartbeat advances on the other
/// side with all of its memory.
pub(super) fn onward(pair: &Evidence<'_>, later: &Evidence<'_>, from: Side) -> Judged {
    let to = from.other();
    if let Some(refusal) = refused(later) {
        return Ok(Verdict::fail(format!(
            "expected that the survivor can be migrated once more from {}: {refusal}",
            pair.host(from)
        )));
    }
    for side in [from, to] {
        let state = later.last_status(side)?;
        let failed = |state: &Moment<'_>| ["failed", "cancelled"].contains(&state.word);
        if state != "completed" || later.statuses(side).iter().any(failed) {
            let states = route(&later.statuses(side));
            return Ok(Verdict::fail(format!(
                "expected the second migration to be completed, {} says {states}",
                place(side)
            )));
        }
    }
    let left = later.ours(from, When::After)?;
    let stays = left.is_none_or(|domain| domain.active || domain.reason != "postmigrate");
    let beat = later.beat(to, When::After)?;
    if stays || !beat.beats() {
        let is = if stays {
            "did not leave"
        } else {
            "does not run beyond"
        };
        let (host, told) = (place(from), beat.told());
        return Ok(Verdict::fail(format!(
            "expected the guest to go on after the second migration, it {is} {host}: {told}"
        )));
    }
    let seen = lawful(pair, from, 0)?;
    let laps = match seen {
        Ok(laps) => laps,
        Err(fail) => return Ok(fail),
    };
    match lawful(later, to, laps)? {
        Ok(_) => memory::rest(pair, (later, to)),
        Err(fail) => Ok(fail),
    }
}

fn refused(later: &Evidence<'_>) -> Option<String> {
    let all = later.all(|saw| match saw {
        Observation::Ended {
            verb: Verb::Onward,
            step,
            outcome: Outcome::Refused(refusal),
        } => Some(format!("`{step}` was refused: {}", no(refusal))),
        _ => None,
    });
    all.into_iter().next().map(|(_, told)| told)
}
