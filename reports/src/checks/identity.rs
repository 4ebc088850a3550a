//! `identity`: the machine is the same on both sides, by what libvirt and QEMU itself tell of it.

use migratrix_history::{Document, Identity, Side, Versions, When};
use migratrix_matrix::Backend;

use super::{
    evidence::{Evidence, Judged},
    machine,
    words::place,
    xml::{self, Compared},
};
use crate::Verdict;

/// The same machine before on the source and after on the destination.
pub(super) fn identity(evidence: &Evidence<'_>) -> Judged {
    identity_at(evidence, (Side::Destination, When::After))
}

/// The same machine before on the source and then at this look.
pub(super) fn identity_at(evidence: &Evidence<'_>, at: (Side, When)) -> Judged {
    let (on, when) = at;
    let Some(before) = one(evidence, Side::Source, When::Before)? else {
        return Ok(absent(evidence, Side::Source));
    };
    let Some(after) = one(evidence, on, when)? else {
        return Ok(absent(evidence, on));
    };
    let mut differences = differences(before, after);
    let asked = &evidence.header().machine;
    differences.extend((before.machine != *asked).then(|| {
        format!(
            "the machine type is {}, and {asked} was asked for",
            before.machine
        )
    }));
    // What was seen to be wrong is so, whatever could not be seen beside it.
    let mut unseen = None;
    for found in [descriptions(evidence, at), machines(evidence, at)] {
        match found {
            Ok(found) => differences.extend(found),
            Err(why) => unseen = unseen.or(Some(why)),
        }
    }
    if let (true, Some(unseen)) = (differences.is_empty(), unseen) {
        return Err(unseen);
    }
    Ok(Verdict::pass_if(differences.is_empty(), || {
        let (from, to) = (evidence.host(Side::Source), evidence.host(on));
        format!(
            "the machine on {to} is not the one on {from}: {}",
            differences.join("; ")
        )
    }))
}

/// In what the descriptions of the running domain differ.
fn descriptions(evidence: &Evidence<'_>, (on, when): (Side, When)) -> Result<Vec<String>, Verdict> {
    if !evidence.records_all() || evidence.header().case.backend == Backend::Qemu {
        return Ok(Vec::new());
    }
    let before = evidence.document(Side::Source, When::Before, Document::Live)?;
    let after = evidence.document(on, when, Document::Live)?;
    let found = xml::unexplained(before, after, Compared::Running, &versions_to(evidence, on));
    let found = found.map_err(Verdict::unknown)?;
    let name = &evidence.header().domain;
    let other = xml::domain_name(before).filter(|is| is != name);
    let other = other.map(|is| format!("the domain is `{is}`, and `{name}` was defined"));
    let found = (!found.is_empty()).then(|| xml::told(&found));
    Ok(found.into_iter().chain(other).collect())
}

/// In what the machines differ that the QEMUs tell of. A machine of somebody's own need not let us ask.
fn machines(evidence: &Evidence<'_>, (on, when): (Side, When)) -> Result<Vec<String>, Verdict> {
    if !evidence.records_all() {
        return Ok(Vec::new());
    }
    let machine = |side, when| match evidence.document_if_given(side, when, Document::Machine) {
        None if evidence.is_foreign(side) => Ok(None),
        None => evidence.document(side, when, Document::Machine).map(Some),
        given => Ok(given),
    };
    let before = machine(Side::Source, When::Before)?;
    let after = machine(on, when)?;
    let header = evidence.header();
    let uuid = (header.case.backend == Backend::Libvirt).then_some(header.uuid.as_str());
    let asked = [before, after].into_iter().flatten();
    let otherwise = asked.flat_map(|one| machine::otherwise(one, &header.machine, uuid));
    let mut all: Vec<_> = otherwise.collect();
    if let (Some(before), Some(after)) = (before, after) {
        all.extend(machine::unexplained(
            before,
            after,
            &versions_to(evidence, on),
        ));
    }
    let told = [(Side::Source, before), (on, after)];
    for (side, document) in told {
        let lacks = document.and_then(machine::untold);
        if let (Some(lacks), true) = (lacks, all.is_empty() && !evidence.is_foreign(side)) {
            let place = place(side);
            return Err(
                evidence.unseen(&format!("the QEMU of {place} did not tell of its {lacks}"))
            );
        }
    }
    Ok(all)
}

/// The versions between which the machine is compared: from those of the source to those of this side.
fn versions_to(evidence: &Evidence<'_>, on: Side) -> Versions {
    let versions = evidence.versions();
    match on {
        Side::Destination => versions,
        Side::Source => Versions {
            destination_libvirt: versions.source_libvirt,
            destination_qemu: versions.source_qemu,
            ..versions
        },
    }
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
