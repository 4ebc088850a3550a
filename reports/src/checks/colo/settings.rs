//! `settings`: what COLO needs is set on both sides, and nothing else is.

use std::collections::BTreeSet;

use migratrix_history::{Side, When};
use migratrix_matrix::Colo;
use serde_json::Value;

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        qemu::seen::Settings,
        words::place,
    },
};

const DELAY: &str = "x-checkpoint-delay";

/// Both sides say, before and when COLO has begun, that just the capabilities of the case are on, and know its
/// delay.
pub(super) fn settings(evidence: &Evidence<'_>, colo: &Colo) -> Judged {
    for side in [Side::Source, Side::Destination] {
        let faults = faults(evidence, colo, side)?;
        if !faults.is_empty() {
            let (host, faults) = (evidence.host(side), faults.join("; "));
            return Ok(Verdict::fail(format!(
                "not set as the case says on {host}: {faults}"
            )));
        }
    }
    Ok(Verdict::Pass)
}

fn faults(evidence: &Evidence<'_>, colo: &Colo, side: Side) -> Result<Vec<String>, Verdict> {
    let unseen = || evidence.unseen(&format!("{} did not say what is set", place(side)));
    let versions = evidence.versions();
    let version = match side {
        Side::Source => versions.source_qemu,
        Side::Destination => versions.destination_qemu,
    };
    let settings = evidence.settings(side);
    let Some(version) = version.filter(|_| !settings.is_empty()) else {
        return Err(unseen());
    };
    let wanted: BTreeSet<&str> = colo.capabilities(version).into_iter().collect();
    let faults = settings
        .iter()
        .flat_map(|(_, said)| wrong(said, &wanted, colo.delay.ms()));
    let faults: BTreeSet<String> = faults.collect();
    let asked = evidence.span(When::Before).end;
    let is_said_in = |early: bool| settings.iter().any(|(at_us, _)| (*at_us < asked) == early);
    if faults.is_empty() && evidence.records_ends() && !(is_said_in(true) && is_said_in(false)) {
        return Err(unseen());
    }
    Ok(faults.into_iter().collect())
}

fn wrong(said: &Settings<'_>, wanted: &BTreeSet<&str>, due: u64) -> Vec<String> {
    let on: BTreeSet<&str> = said.capabilities.iter().map(String::as_str).collect();
    let off = wanted.difference(&on).map(|one| format!("{one} is off"));
    let more = on.difference(wanted).map(|one| format!("{one} is on"));
    let delay = said.parameters.get(DELAY).and_then(Value::as_u64);
    let late = (delay != Some(due)).then(|| format!("{DELAY} is {delay:?}, and not {due}"));
    off.chain(more).chain(late).collect()
}
