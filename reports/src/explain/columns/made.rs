//! The columns of a table of cases, made one after another.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use migratrix_matrix::{Axis as _, Backend, Case, Facet, HostSetup, Releases, Role, Suite};

use super::{Axis, Program, Row, Trial, Words, direction};

/// The programs whose versions may tell, each at its place: that which the cases are about first.
pub(super) fn versioned(trials: &[Trial]) -> Vec<(Role, Program)> {
    let has_client = trials.iter().any(|one| one.case.backend.has_client());
    let sides = [Role::Source, Role::Destination];
    let both = |programs: [Program; 2]| {
        let at = move |role| programs.map(|program| (role, program));
        sides.into_iter().flat_map(at)
    };
    if has_client {
        let client = [(Role::Client, Program::Libvirt)];
        let sides = both([Program::Libvirt, Program::Qemu]);
        sides.chain(client).collect()
    } else {
        sides
            .into_iter()
            .map(|role| (role, Program::Qemu))
            .collect()
    }
}

/// Adds the versions of a program at a place as a column, where they are known of all cases.
pub(super) fn versions(
    axes: &mut Vec<Axis>,
    rows: &mut [Row],
    trials: &[Trial],
    releases: &Releases,
    (role, program): (Role, Program),
) {
    let version = |trial: &Trial| {
        let release = releases.find(trial.case.tuple.at(role)).ok()?;
        match program {
            Program::Libvirt => release.libvirt,
            Program::Qemu => release.qemu,
        }
    };
    let Some(own) = trials.iter().map(version).collect::<Option<Vec<_>>>() else {
        return;
    };
    let all: BTreeSet<_> = own.iter().copied().collect();
    let all: Vec<_> = all.into_iter().collect();
    for (row, version) in rows.iter_mut().zip(&own) {
        let place = all.binary_search(version).ok();
        row.push(place.and_then(|place| u8::try_from(place).ok()));
    }
    axes.push(Axis {
        name: role.word().to_owned(),
        group: 0,
        words: Words::Versions(role, program, all),
    });
}

/// Adds a column for each axis of the cases.
pub(super) fn facets(axes: &mut Vec<Axis>, rows: &mut [Row], trials: &[Trial]) {
    let first = axes.len();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    let mut numbers: HashMap<(usize, String), usize> = HashMap::new();
    for (row, Trial { case, .. }) in rows.iter_mut().zip(trials) {
        row.resize(first + texts.len(), None);
        for (axis, text) in of_case(case) {
            let place = *places.entry(axis.clone()).or_insert_with(|| {
                texts.push((axis, Vec::new()));
                texts.len() - 1
            });
            row.resize(row.len().max(first + place + 1), None);
            let all = &mut texts[place].1;
            let number = numbers
                .entry((place, text))
                .or_insert_with_key(|(_, text)| {
                    all.push(text.clone());
                    all.len() - 1
                });
            row[first + place] = u8::try_from(*number).ok();
        }
    }
    for (place, (name, mut words)) in texts.into_iter().enumerate() {
        let lacking = |row: &Row| row.get(first + place).copied().flatten().is_none();
        if words.iter().any(|text| text.starts_with('!')) || rows.iter().any(lacking) {
            without(&mut words, rows, first + place);
        }
        axes.push(Axis {
            name,
            group: 0,
            words: Words::Facets(words),
        });
    }
}

/// Adds a column for each predicate that asks for words of several axes of a case, as a state does: all of them
/// together are one value of it, in whatever words that is said.
pub(super) fn wholes(axes: &mut Vec<Axis>, rows: &mut [Row], trials: &[Trial]) {
    let all: Vec<_> = trials.iter().map(|one| whole_values(&one.case)).collect();
    let names: BTreeSet<_> = all.iter().flat_map(BTreeMap::keys).cloned().collect();
    for name in names {
        let texts: BTreeSet<_> = all.iter().filter_map(|one| one.get(&name)).collect();
        let texts: Vec<_> = texts.into_iter().cloned().collect();
        for (row, own) in rows.iter_mut().zip(&all) {
            let own = own.get(&name);
            let place = own.and_then(|text| texts.binary_search(text).ok());
            row.resize(axes.len(), None);
            row.push(place.and_then(|place| u8::try_from(place).ok()));
        }
        axes.push(Axis {
            name,
            group: 0,
            words: Words::Wholes(texts),
        });
    }
}

/// What a case is by the predicates that ask for words of several of its axes.
fn whole_values(case: &Case) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Facet { axis, text } in case.facets() {
        // One of a set stands for itself.
        if let Some((head, _)) = text.split_once('(').filter(|_| !axis.contains('(')) {
            parts.entry(head.to_owned()).or_default().push(text);
        }
    }
    parts.retain(|_, texts| texts.len() > 1);
    let wholes = parts.into_iter();
    wholes
        .map(|(head, texts)| (head, texts.join(" & ")))
        .collect()
}

/// Adds a column for how the hosts are set up, where they are in several ways.
pub(super) fn setups(axes: &mut Vec<Axis>, rows: &mut [Row], trials: &[Trial]) {
    let all: BTreeSet<_> = trials.iter().map(|one| one.setup).collect();
    if all.len() < 2 {
        return;
    }
    let all: Vec<_> = all.into_iter().collect();
    for (row, trial) in rows.iter_mut().zip(trials) {
        let place = all.iter().position(|one| *one == trial.setup);
        row.resize(axes.len(), None);
        row.push(place.and_then(|place| u8::try_from(place).ok()));
    }
    axes.push(Axis {
        name: HostSetup::NAME.to_owned(),
        group: 0,
        words: Words::Setups(all),
    });
}

/// Adds the direction in which a guest is moved, by the versions of both sides, where that is known of all cases and
/// is not the same in all: a thing may fail wherever it moves to older ones, or to others. Of one pair of releases and
/// its way back, a side alone says which way it is.
pub(super) fn direction(
    axes: &mut Vec<Axis>,
    rows: &mut [Row],
    trials: &[Trial],
    releases: &Releases,
) {
    let Some(all) = direction::of_all(trials, releases) else {
        return;
    };
    let there: BTreeSet<_> = all.iter().copied().collect();
    if there.len() < 2 {
        return;
    }
    let pairs = |direction: Ordering| {
        let own = trials.iter().zip(&all);
        let own = own.filter(move |(_, one)| **one == direction);
        let own = own.map(|(trial, _)| {
            let tuple = &trial.case.tuple;
            (&tuple.source, &tuple.destination)
        });
        own.collect::<BTreeSet<_>>().len()
    };
    let is_one_pair_a_way = there.into_iter().all(|one| pairs(one) < 2);
    if is_one_pair_a_way && all.iter().all(|one| one.is_ne()) {
        return;
    }
    for (row, direction) in rows.iter_mut().zip(all) {
        let place = direction::ALL.iter().position(|(one, _)| *one == direction);
        row.resize(axes.len(), None);
        row.push(place.and_then(|place| u8::try_from(place).ok()));
    }
    axes.push(Axis {
        name: "direction".to_owned(),
        group: 0,
        words: Words::Direction,
    });
}

/// A filter that says what a case is not is true of what has no such axis as well.
fn without(words: &mut [String], rows: &mut [Row], column: usize) {
    let not = words.iter().position(|text| text.starts_with('!'));
    let not = not.and_then(|place| u8::try_from(place).ok());
    for row in rows {
        row.resize(row.len().max(column + 1), None);
        row[column] = row[column].or(not);
    }
}

/// What a case is, axis by axis.
fn of_case(case: &Case) -> Vec<(String, String)> {
    let facets = case.facets().into_iter();
    let mut all: Vec<_> = facets.map(|one| (one.axis, one.text)).collect();
    for (name, word) in [
        (Suite::NAME, case.suite().word()),
        (Backend::NAME, case.backend.word()),
    ] {
        all.push((name.to_owned(), format!("{name}({word})")));
    }
    if let Some(fault) = case.fault {
        all.push(("fault".to_owned(), format!("fault({fault})")));
    }
    all
}
