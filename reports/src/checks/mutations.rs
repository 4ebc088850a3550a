//! Honest histories, edited in every place and in every way: no edit that changes the truth passes.
//!
//! Each survivor is named with the reason why it changes nothing, or why it is not seen here.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each edit is of some kinds of observations"
)]

mod harmless;
mod values;

use std::collections::BTreeMap;

use migratrix_history::{Entry, History, Observation};
use migratrix_matrix::{Release, Releases};

use super::{backup, colo, each, evidence::Evidence};
use crate::{Verdict, judge, raw_story, story::good};
use harmless::HARMLESS;
use values::changed;

/// The cases whose honest histories are edited.
const CASES: [&str; 27] = [
    "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live",
    "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none",
    "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none/parallel",
    "tck/libvirt/trixie,bookworm,trixie/p2p/transient-paused-defined/persist",
    "tck/libvirt/trixie,bookworm,trixie/tunnelled/persistent-running-defined/live",
    "qemu/qemu/bookworm,trixie/precopy/unix/running/plain",
    "qemu/qemu/bookworm,trixie/precopy/tcp/stopped/plain",
    "qemu/qemu/bookworm,trixie/precopy/file/stopped/mapped-ram+multifd+4-channels",
    "qemu/qemu/bookworm,trixie/postcopy/tcp/running/plain",
    "qemu/qemu/bookworm,trixie/postcopy/tcp/running/recover",
    "qemu/qemu/bookworm,trixie/precopy/fd/running/plain",
    "qemu/qemu/bookworm,trixie/precopy/exec/running/plain",
    "qemu/qemu/bookworm,trixie/precopy/file/running/plain",
    "qemu/qemu/bookworm,trixie/precopy/unix/running/virtio-blk-in-use",
    "qemu/qemu/bookworm,trixie/precopy/unix/suspended/plain",
    "qemu/qemu/bookworm,trixie/precopy/unix/running/cancel-active",
    "qemu/qemu/bookworm,trixie/precopy/unix/running/auto-converge",
    "qemu/qemu/bookworm,trixie/precopy/tcp/running/psk",
    "qemu/qemu/bookworm,trixie/precopy/tcp/running/psk-mismatch",
    "qemu/qemu/bookworm,trixie/precopy/tcp/running/both-addresses",
    "colo/qemu/sid,sid/single-channel/primary/idle/plain",
    "colo/qemu/sid,sid/multifd-channel/secondary/idle/plain",
    "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain",
    "backup/qemu/bookworm,trixie/stay/drive-backup/incremental-failure/plain",
    "backup/qemu/bookworm,trixie/copied-storage/blockdev-backup/incremental-simple/guest+in-transaction",
    "backup/libvirt/trixie,bookworm,trixie/shared-storage/qemu-io/p2p/persistent-running-undefined/undefine",
    "backup/libvirt/trixie,bookworm,trixie/copied-storage/guest/p2p/persistent-running-undefined/live",
];

/// How a thing seen was edited, and what it was: `drop`, `domain source after`.
type Edit = (String, String);

pub(super) fn honest(case: &str) -> History {
    let mut words = case.splitn(4, '/');
    let (suite, backend) = (words.next(), words.next());
    let point = words.nth(1).unwrap_or_default();
    match (suite, backend) {
        (Some("tck"), _) => good(case),
        (Some("qemu"), _) => raw_story::good(case),
        (Some("colo"), _) => colo::story::good(point),
        (_, Some("qemu")) => backup::tests::of(point),
        _ => backup::chained::tests::chain_of(case),
    }
}

/// What a thing seen is: its kind, its own word, its host, its look, and the step that it stands in.
fn kind(entries: &[Entry], place: usize) -> String {
    let value = serde_json::to_value(&entries[place].saw).expect("it can be written");
    let word = |key: &str| value.get(key).and_then(|one| one.as_str());
    let own = ["verb", "event", "status", "command", "of"];
    let own = own.into_iter().find_map(word);
    let words = [word("saw"), own, word("side"), word("when")];
    let mut kind = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if word("when").is_none() && word("verb").is_none() {
        let begun = entries[..place].iter().rev();
        let verb = begun.into_iter().find_map(|entry| match entry.saw {
            Observation::Began { verb, .. } => Some(verb),
            _ => None,
        });
        if let Some(verb) = verb {
            kind = format!("{kind} in {}", format!("{verb:?}").to_lowercase());
        }
    }
    kind
}

/// Every edit of a history, with its name.
fn edits(whole: &History) -> Vec<(Edit, History)> {
    let mut all = Vec::new();
    let places = 0..whole.entries.len();
    for place in places.filter(|place| !is_note(&whole.entries[*place])) {
        let kind = kind(&whole.entries, place);
        let mut edit = |how: &str, change: &dyn Fn(&mut Vec<Entry>)| {
            let mut edited = whole.clone();
            change(&mut edited.entries);
            if edited != *whole {
                all.push(((how.to_owned(), kind.clone()), edited));
            }
        };
        for (how, change) in PLACES {
            edit(how, &|entries| change(entries, place));
        }
        for (how, saw) in changed(&whole.entries[place].saw) {
            edit(&how, &|entries| entries[place].saw = saw.clone());
        }
    }
    all
}

fn is_note(entry: &Entry) -> bool {
    matches!(entry.saw, Observation::Note { .. })
}

/// An edit of what stands at a place.
type Shift = (&'static str, fn(&mut Vec<Entry>, usize));

/// How far a thing is shifted in time alone, in microseconds.
const SHIFT_US: u64 = 2_000_000;

const PLACES: [Shift; 10] = [
    ("drop", |entries, place| {
        entries.remove(place);
    }),
    ("cut at", |entries, place| entries.truncate(place)),
    ("repeat", |entries, place| {
        entries.insert(place, entries[place].clone());
    }),
    ("swap with the next", |entries, place| {
        if let [one, next, ..] = &mut entries[place..] {
            std::mem::swap(&mut one.saw, &mut next.saw);
        }
    }),
    ("send to the start", |entries, place| {
        let mut moved = entries.remove(place);
        moved.at_us = 0;
        entries.insert(0, moved);
    }),
    ("send to the end", |entries, place| {
        let mut moved = entries.remove(place);
        moved.at_us = entries.last().map_or(0, |last| last.at_us + 1);
        entries.push(moved);
    }),
    ("send a step back", |entries, place| {
        let saw = entries[..place].iter();
        let mut ends = saw.enumerate().rev().filter(|(_, entry)| is_end(entry));
        if let Some((end, at_us)) = ends.next().map(|(end, entry)| (end, entry.at_us)) {
            let moved = entries.remove(place);
            entries.insert(end, Entry { at_us, ..moved });
        }
    }),
    ("send a step on", |entries, place| {
        let mut saw = entries.iter().enumerate().skip(place + 1);
        let begun = saw.find(|(_, entry)| is_begun(entry));
        if let Some((begun, at_us)) = begun.map(|(begun, entry)| (begun, entry.at_us)) {
            let moved = entries[place].clone();
            entries.insert(begun + 1, Entry { at_us, ..moved });
            entries.remove(place);
        }
    }),
    ("shift back", |entries, place| {
        let at_us = &mut entries[place].at_us;
        *at_us = at_us.saturating_sub(SHIFT_US);
    }),
    ("shift on", |entries, place| {
        entries[place].at_us += SHIFT_US
    }),
];

fn is_begun(entry: &Entry) -> bool {
    matches!(entry.saw, Observation::Began { .. })
}

fn is_end(entry: &Entry) -> bool {
    matches!(entry.saw, Observation::Ended { .. })
}

/// The edits that every condition passes: in each case, how many of how many.
type Survivors = BTreeMap<(Edit, &'static str), (usize, usize)>;

/// Whether every condition of a case passes, by releases that are what they are planned to be.
fn passes(history: &History, releases: &Releases, (_, kind): &Edit) -> bool {
    let is_pass = |(_, verdict): (_, Verdict)| verdict == Verdict::Pass;
    let evidence = Evidence::of(history);
    // Most don't: then the first condition that does not is enough.
    let is_of_a_release = || {
        let tells = ["versions", "description"];
        let tells = tells.iter().any(|what| kind.starts_with(what));
        !tells || judge(history).held_to(releases).misplaced.is_none()
    };
    each(&evidence).all(is_pass) && is_of_a_release()
}

/// The releases of a case, as its honest history has them.
fn releases(honest: &History) -> Releases {
    let versions = Evidence::of(honest).versions();
    let tuple = honest.header.case.tuple.clone();
    let of = |name, libvirt, qemu| Release {
        libvirt,
        qemu,
        ..Release::unknown(name)
    };
    let mut all = vec![of(
        tuple.source,
        versions.source_libvirt,
        versions.source_qemu,
    )];
    if all[0].name != tuple.destination {
        all.push(of(
            tuple.destination,
            versions.destination_libvirt,
            versions.destination_qemu,
        ));
    }
    Releases::new(all).expect("each has its own name")
}

fn survivors() -> Survivors {
    let mut survivors = Survivors::new();
    std::thread::scope(|scope| {
        let of_cases = CASES.map(|case| scope.spawn(move || survivors_of(case)));
        for of_case in of_cases {
            survivors.extend(of_case.join().expect("a case is edited"));
        }
    });
    survivors
}

fn survivors_of(case: &'static str) -> Survivors {
    let mut survivors = Survivors::new();
    let honest = honest(case);
    let releases = releases(&honest);
    for (edit, history) in edits(&honest) {
        let survives = passes(&history, &releases, &edit);
        let (left, tried) = survivors.entry((edit, case)).or_default();
        *tried += 1;
        *left += usize::from(survives);
    }
    survivors.retain(|_, (left, _)| *left > 0);
    survivors
}

/// Whether an edit of a case is one of these of one of these.
fn names((hows, kinds, cases): Named<'_>, ((how, kind), case): &(Edit, &str)) -> bool {
    let is = |named: &&str| match named.strip_suffix('*') {
        Some(begin) => kind.starts_with(begin),
        None => kind == named,
    };
    let is_of = |named: &&str| case.contains(named);
    hows.contains(&how.as_str()) && kinds.iter().any(is) && cases.iter().any(is_of)
}

/// How, what, and in which cases.
type Named<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str]);

#[test]
fn an_honest_history_passes_everything() {
    for case in CASES {
        let honest = honest(case);
        let judgement = judge(&honest).held_to(&releases(&honest));
        for (condition, verdict) in judgement.conditions {
            assert_eq!(verdict, Verdict::Pass, "{condition} of {case}");
        }
    }
}

#[test]
fn no_edit_of_an_honest_history_passes_that_changes_the_truth() {
    let survivors = survivors();
    let is_named = |edit: &(Edit, &str)| {
        let mut rows = HARMLESS.iter();
        rows.any(|(hows, kinds, cases, _)| names((hows, kinds, cases), edit))
    };
    let unnamed = survivors.iter().filter(|(edit, _)| !is_named(edit));
    let told = unnamed.map(|(((how, kind), case), (left, tried))| {
        format!("{how} | {kind} | {left} of {tried} | {case}")
    });
    let told: Vec<_> = told.collect();
    assert!(told.is_empty(), "{} pass:\n{}", told.len(), told.join("\n"));
    // What no longer passes is not to be named.
    let mut seen = Vec::new();
    for (hows, kinds, cases, reason) in HARMLESS {
        let each = hows
            .iter()
            .flat_map(|how| kinds.iter().map(move |kind| (how, kind)));
        for ((how, kind), case) in each.flat_map(|one| cases.iter().map(move |case| (one, case))) {
            let mut edits = survivors.keys();
            let passes = edits.any(|edit| names((&[*how], &[*kind], &[*case]), edit));
            seen.extend((!passes).then(|| format!("{how} | {kind} | {case}: {reason}")));
        }
    }
    assert!(
        seen.is_empty(),
        "{} are seen:\n{}",
        seen.len(),
        seen.join("\n")
    );
}
