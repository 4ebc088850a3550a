//! `identity`: UUID, machine type, devices and their addresses are the same on both sides.

use migratrix_history::{Identity, Side, When};

use super::{
    evidence::{Evidence, Judged},
    words::place,
};
use crate::Verdict;

/// The same machine before on the source and after on the destination.
pub(super) fn identity(evidence: &Evidence<'_>) -> Judged {
    let Some(before) = one(evidence, Side::Source, When::Before)? else {
        return Ok(absent(evidence, Side::Source));
    };
    let Some(after) = one(evidence, Side::Destination, When::After)? else {
        return Ok(absent(evidence, Side::Destination));
    };
    let differences = differences(before, after);
    Ok(Verdict::pass_if(differences.is_empty(), || {
        let (from, to) = (
            evidence.host(Side::Source),
            evidence.host(Side::Destination),
        );
        format!(
            "the machine on {to} is not the one on {from}: {}",
            differences.join("; ")
        )
    }))
}

fn one<'e>(
    evidence: &Evidence<'e>,
    side: Side,
    when: When,
) -> Result<Option<&'e Identity>, Verdict> {
    let Some(domain) = evidence.ours(side, when)? else {
        return Ok(None);
    };
    if !domain.active {
        return Ok(None);
    }
    let what = format!("{} did not describe the machine", place(side));
    domain
        .identity
        .as_ref()
        .map(Some)
        .ok_or_else(|| evidence.unseen(&what))
}

fn absent(evidence: &Evidence<'_>, side: Side) -> Verdict {
    let (host, uuid) = (evidence.host(side), &evidence.header().uuid);
    Verdict::fail(format!(
        "expected an active domain with UUID {uuid} to compare, {host} has none"
    ))
}

fn differences(before: &Identity, after: &Identity) -> Vec<String> {
    let changed = |what: &str, from: String, to: String| {
        (from != to).then(|| format!("{what} was {from}, is {to}"))
    };
    let mut all: Vec<_> = [
        changed(
            "the machine type",
            before.machine.clone(),
            after.machine.clone(),
        ),
        changed(
            "the memory in KiB",
            before.memory_kib.to_string(),
            after.memory_kib.to_string(),
        ),
        changed(
            "the number of processors",
            before.vcpus.to_string(),
            after.vcpus.to_string(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let (Some(from), Some(to)) = (&before.processor, &after.processor) {
        all.extend(changed("the processor", from.clone(), to.clone()));
    }
    let lost = before
        .devices
        .iter()
        .filter_map(|(key, from)| match after.devices.get(key) {
            Some(to) => changed(key, from.clone(), to.clone()),
            None => Some(format!("{key} ({from}) is gone")),
        });
    let new = after
        .devices
        .iter()
        .filter(|(key, _)| !before.devices.contains_key(*key));
    all.extend(lost);
    all.extend(new.map(|(key, at)| format!("{key} ({at}) is new")));
    all
}
