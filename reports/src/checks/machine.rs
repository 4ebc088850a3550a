//! Two documents in which QEMUs tell of one machine, compared property by property.
//!
//! A property that only one of them has is one that only one release knows, but for those that [`properties`]
//! tells of. A device that only one has is a difference, as is a property with another value.

mod listed;
mod properties;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use migratrix_history::Versions;

/// A machine: sections by their names, and what each says.
type Machine<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// What a section is of that is not the machine's own.
const RELEASE: &str = "qemu";
/// The clock, and by how many seconds it is ahead of its host's.
const CLOCK: (&str, &str) = ("clock", "ahead");
/// The options that its QEMU was started with: told where its process can be seen.
const OPTIONS: &str = "options";
const MACHINE: &str = "machine";
/// How the sections of devices begin.
const DEVICE: &str = "device ";
/// Two QEMUs may have different ones on purpose: it is held to what was asked for.
const UUID: &str = "uuid";

/// How far a guest's clock may go while it is moved, in seconds: it and the host's are read in whole seconds.
const CLOCK_BOUND: i64 = 3;

/// In what two machines differ, in words, but for what is documented.
pub(super) fn unexplained(from: &str, to: &str, versions: &Versions) -> Vec<String> {
    let (from, to) = (read(from), read(to));
    let mut all = Vec::new();
    for (name, before) in &from {
        match to.get(name) {
            Some(after) => all.extend(changed(name, before, after, versions)),
            None if is_told_by_all(name) && !listed::explains_device(name, versions) => {
                all.push(format!("{name} is gone"));
            }
            None => {}
        }
    }
    let new = to.keys().filter(|name| !from.contains_key(*name));
    let new = new.filter(|name| is_told_by_all(name) && !listed::explains_device(name, versions));
    all.extend(new.map(|name| format!("{name} is new")));
    all
}

/// Of which of its own parts a machine does not tell.
pub(super) fn untold(document: &str) -> Option<&'static str> {
    let mut parts = [CLOCK.0, OPTIONS].into_iter();
    parts.find(|part| !section(document, part).any(|line| line.contains('=')))
}

/// How many devices the machine has.
pub(super) fn devices(document: &str) -> u64 {
    let is_one = |section: &&str| section.starts_with("device ");
    let document = read(document);
    document.keys().copied().filter(is_one).map(|_| 1).sum()
}

/// The version of the QEMU itself, as the document has it.
pub(super) fn qemu(document: &str) -> Option<&str> {
    value(document, RELEASE, "version")
}

/// In what the machine that a QEMU was started as is not the one that was asked for: its type and, where a
/// `uuid` was asked for, that.
pub(super) fn otherwise(document: &str, machine: &str, uuid: Option<&str>) -> Vec<String> {
    let asked = [(MACHINE, Some(machine)), (UUID, uuid)].into_iter();
    let is = |name| value(document, OPTIONS, name);
    let both = asked.filter_map(|(name, asked)| Some((name, asked?, is(name)?)));
    let other = both.filter(|(_, asked, is)| asked != is);
    other
        .map(|(name, asked, is)| {
            format!("QEMU's option -{name} is `{is}`, and `{asked}` was asked for")
        })
        .collect()
}

fn is_told_by_all(section: &str) -> bool {
    ![RELEASE, CLOCK.0, OPTIONS].contains(&section)
}

/// The name of the section that a line begins.
fn header(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']')
}

/// The lines of one section.
fn section<'d>(document: &'d str, name: &str) -> impl Iterator<Item = &'d str> {
    let mut is_in = false;
    document.lines().filter(move |line| {
        let begins = header(line);
        is_in = begins.map_or(is_in, |begins| begins == name);
        is_in && begins.is_none()
    })
}

/// What one property is: where it is told twice, what is told last.
fn value<'d>(document: &'d str, of: &str, name: &str) -> Option<&'d str> {
    let properties = section(document, of).filter_map(|line| line.split_once('='));
    let its = properties.filter(|(one, _)| *one == name);
    its.last().map(|(_, value)| value)
}

fn read(document: &str) -> Machine<'_> {
    let mut machine = Machine::new();
    let mut section = "";
    for line in document.lines() {
        if let Some(name) = header(line) {
            section = name;
            machine.entry(section).or_default();
        } else if let Some((name, value)) = line.split_once('=') {
            machine.entry(section).or_default().insert(name, value);
        }
    }
    machine
}

fn changed(
    section: &str,
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
    versions: &Versions,
) -> Vec<String> {
    match section {
        RELEASE => Vec::new(),
        OPTIONS => options(before, after, versions),
        _ => {
            let emptied = emptied(section, before, after);
            let alone = alone(section, before, after, versions);
            let both = before.iter().filter_map(|(name, from)| {
                let to = after.get(name)?;
                let differs = from != to
                    && !is_the_same_time((section, *name), from, to)
                    && !listed::explains_property(section, name, versions);
                differs.then(|| format!("{name} of {section} was `{from}`, is `{to}`"))
            });
            both.chain(alone).chain(emptied).collect()
        }
    }
}

/// Whether something is still there, and one of both says nothing of it: a drive that has lost its image. Of a
/// device it depends on the release what is told: a mouse of QEMU 10.0 has no properties, nor has the controller
/// of keyboard and mouse of 5.2 ([`alone`] knows them).
fn emptied(
    section: &str,
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
) -> Option<String> {
    if section == CLOCK.0 || section.starts_with(DEVICE) {
        return None;
    }
    match (before.is_empty(), after.is_empty()) {
        (false, true) => Some(format!("of {section} nothing is told any more")),
        (true, false) => Some(format!("of {section} nothing was told before")),
        (true, true) | (false, false) => None,
    }
}

/// The properties that a QEMU of its version must have and has not, and the reverse.
fn alone(
    section: &str,
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
    versions: &Versions,
) -> Vec<String> {
    let both = versions.source_qemu.zip(versions.destination_qemu);
    both.map_or(Vec::new(), |(from, to)| {
        properties::misfits(section, [(before, from), (after, to)])
    })
}

/// An option that only one was started with is a difference as well.
fn options(
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
    versions: &Versions,
) -> Vec<String> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let told = |of: &BTreeMap<&str, &str>, name: &str| {
        let value = of.get(name);
        value.map_or("nothing".to_owned(), |value| format!("`{value}`"))
    };
    let differ = names.into_iter().filter(|name| {
        **name != UUID
            && before.get(*name) != after.get(*name)
            && !listed::explains_property(OPTIONS, name, versions)
    });
    differ
        .map(|name| {
            let (from, to) = (told(before, name), told(after, name));
            format!("QEMU's option -{name} was {from}, is {to}")
        })
        .collect()
}

fn is_the_same_time(place: (&str, &str), from: &str, to: &str) -> bool {
    match (span(from), span(to)) {
        (Some((least, most)), Some((from, to))) if place == CLOCK => {
            from - most <= CLOCK_BOUND && least - to <= CLOCK_BOUND
        }
        _ => false,
    }
}

/// How far ahead a clock is, at least and at most: `0`, or `-4..1`.
fn span(text: &str) -> Option<(i64, i64)> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    Some((least.parse().ok()?, most.parse().ok()?))
}
