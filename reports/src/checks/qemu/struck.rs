//! `incident`, where something strikes from outside: it landed in the state that the case names, and was felt.

use migratrix_history::{Deed, Side};
use migratrix_matrix::{Blow, Raw};

use super::{
    migrated::{times, times_told},
    seen::{Moment, route},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        struck::Struck,
        timeline::ENDS,
    },
};

/// It was done once, in its state; what breaks a migration was followed by its failure, and what only holds it
/// up by its end.
pub(super) fn struck(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let blow = raw.incident.blow();
    let blow = blow.ok_or_else(|| Verdict::unknown("nothing strikes this case"))?;
    let struck = committed(evidence)?;
    if struck.strike != blow.word() || !landed(blow, struck.deed) {
        return Err(Verdict::unknown(format!(
            "{} did not land: {} was done: {:?}",
            raw.incident, struck.strike, struck.deed
        )));
    }
    let told = times_told(evidence);
    if told != times(raw.incident) {
        return Ok(Verdict::fail(format!(
            "expected {} migrations, the source was told {told} times to migrate",
            times(raw.incident)
        )));
    }
    let states = evidence.statuses(Side::Source);
    let (before, after): (Vec<&Moment<'_>>, Vec<_>) = states
        .iter()
        .partition(|state| state.at_us <= struck.began_us);
    let due = match raw.incident.is_before_switchover() {
        true => "pre-switchover",
        false => "active",
    };
    let last = before.last().map_or("none", |state| state.word);
    if last != due {
        return Err(Verdict::unknown(format!(
            "{} proves nothing: it came in `{last}`, among {}",
            raw.incident,
            route(&states)
        )));
    }
    felt(evidence, raw, blow, &after)
}

fn committed<'h>(evidence: &Evidence<'h>) -> Result<Struck<'h>, Verdict> {
    let mut struck = evidence.all(Struck::of).into_iter();
    match (struck.next(), struck.next()) {
        (Some((_, struck)), None) => Ok(struck),
        (None, _) => Err(evidence.unseen("nothing struck")),
        (Some(_), Some(_)) => Err(evidence.unseen("something struck more than once")),
    }
}

fn landed(blow: Blow, deed: &Deed) -> bool {
    match (blow, deed) {
        (
            Blow::Lose,
            Deed::Cut {
                connections,
                passed,
            },
        ) => *connections > 0 && *passed > 0,
        (Blow::Kill, Deed::Killed { process, .. })
        | (Blow::Hold, Deed::Stopped { process, .. }) => process == "qemu",
        _ => false,
    }
}

/// What came of it at the source.
fn felt(evidence: &Evidence<'_>, raw: &Raw, blow: Blow, after: &[&Moment<'_>]) -> Judged {
    let end = after.iter().find(|state| ENDS.contains(&state.word));
    let due = match blow {
        Blow::Lose | Blow::Kill => "failed",
        Blow::Hold => "completed",
    };
    let host = evidence.host(Side::Source);
    let Some(end) = end else {
        let last = evidence.last_status(Side::Source)?;
        return match evidence.is_stuck() {
            Some(why) => Ok(Verdict::fail(format!(
                "expected that the migration is {due}, {host} is stuck in `{last}`: {why}"
            ))),
            None => Err(evidence.unseen(&format!("the migration was last seen in `{last}`"))),
        };
    };
    Ok(Verdict::pass_if(end.word == due, || {
        format!(
            "expected that {} leaves the migration {due}, {host} came through {}",
            raw.incident,
            route(&evidence.statuses(Side::Source))
        )
    }))
}
