//! Honest histories, edited in every place and in every way: no edit that changes the truth passes.
//!
//! Each survivor is named with the reason why it changes nothing, or why it is not seen here.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each edit is of some kinds of observations"
)]

mod harmless;

use std::collections::BTreeMap;

use migratrix_guest::{DiskSector, Page};
use migratrix_history::{
    DomainInfo, DomainState, Entry, History, Observation, Outcome, Refusal, Side,
};

use super::{all, backup, colo};
use crate::{Verdict, raw_story, story::good};
use harmless::HARMLESS;

/// The cases whose honest histories are edited.
const CASES: [&str; 15] = [
    "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live",
    "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none",
    "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none/parallel",
    "tck/libvirt/trixie,bookworm,trixie/p2p/transient-paused-defined/persist",
    "qemu/qemu/bookworm,trixie/precopy/unix/running/plain",
    "qemu/qemu/bookworm,trixie/precopy/tcp/stopped/plain",
    "qemu/qemu/bookworm,trixie/precopy/file/stopped/mapped-ram+multifd+4-channels",
    "qemu/qemu/bookworm,trixie/postcopy/tcp/running/plain",
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

fn honest(case: &str) -> History {
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
    let own = ["verb", "event", "status", "command"];
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

/// What could have been seen in place of a thing, were it otherwise.
fn changed(saw: &Observation) -> Vec<(String, Observation)> {
    let mut all = Vec::new();
    let mut other = |how: &str, change: &dyn Fn(&mut Observation)| {
        let mut changed = saw.clone();
        change(&mut changed);
        if changed != *saw {
            all.push((how.to_owned(), changed));
        }
    };
    other("other side of", &|saw| {
        if let Some(side) = side(saw) {
            *side = side.other();
        }
    });
    other("refuse", &|saw| {
        if let Observation::Ended { outcome, .. } = saw {
            *outcome = Outcome::Refused(Refusal {
                code: 38,
                domain: 10,
                message: "no".to_owned(),
            });
        }
    });
    other("lose the end of", &|saw| {
        if let Observation::Ended { outcome, .. } = saw {
            *outcome = Outcome::Unknown {
                why: "no answer".to_owned(),
            };
        }
    });
    other("no domain in", &|saw| {
        if let Observation::Domain { look, .. } = saw {
            *look = DomainState::Absent;
        }
    });
    for (how, change) in DOMAINS {
        other(how, &|saw| {
            if let Observation::Domain {
                look: DomainState::Present(domain),
                ..
            } = saw
            {
                change(domain);
            }
        });
    }
    other("stop", &|saw| {
        if let Observation::Beat { first, last, .. } = saw {
            *last = *first;
        }
    });
    other("advance", &|saw| {
        if let Observation::Beat { first, last, .. } = saw {
            *last = *first + 3;
        }
    });
    other("other word of", &|saw| match saw {
        Observation::Lifecycle { event, .. } | Observation::Event { event, .. } => {
            "crashed".clone_into(event);
        }
        Observation::Status { status, .. } => "failed".clone_into(status),
        _ => {}
    });
    other("other detail of", &|saw| {
        if let Observation::Lifecycle { detail, .. } = saw {
            "other".clone_into(detail);
        }
    });
    other("leave something in", &|saw| {
        if let Observation::Leftovers { left, .. } = saw {
            left.push("a socket".to_owned());
        }
    });
    other("a longer downtime in", &|saw| {
        if let Observation::Job { job, .. } = saw {
            job.downtime_ms = job.downtime_ms.map(|down| down * 15);
        }
    });
    other("an unfinished", &|saw| {
        if let Observation::Job { job, .. } = saw {
            job.memory_remaining = Some(4096);
        }
    });
    other("an empty", &|saw| match saw {
        Observation::Memory { survey, .. } => survey.runs.clear(),
        Observation::Settings { capabilities, .. } => capabilities.clear(),
        _ => {}
    });
    other("an older", &|saw| match saw {
        Observation::Memory { survey, .. } => {
            for run in &mut survey.runs {
                if let Page::Stamped { lap } = &mut run.page {
                    *lap = 1;
                }
            }
        }
        Observation::Sectors { survey, .. } => {
            for sector in &mut survey.sectors {
                if let DiskSector::Stamped { lap } = sector {
                    *lap = 1;
                }
            }
        }
        _ => {}
    });
    other("a wrong", &|saw| spoil(saw));
    all
}

/// What tells of a thing that went wrong, in place of one that went well.
fn spoil(saw: &mut Observation) {
    match saw {
        Observation::Job { job, .. } | Observation::JobEnded { job, .. } => {
            "failed".clone_into(&mut job.kind);
            job.success = job.success.map(|_| false);
        }
        Observation::Channels { count, .. } => *count += 1,
        Observation::Stream { devices, .. } => *devices = None,
        Observation::Colo { reason, .. } => "error".clone_into(reason),
        Observation::Event { data, .. } if !data.is_null() => {
            *data = serde_json::json!({"error": "no"});
        }
        Observation::Mirror { differing, .. } => differing.push(4096),
        Observation::Monitor { answered, .. } => *answered = !*answered,
        Observation::Bitmaps { bitmaps, .. } => {
            for bitmap in bitmaps {
                bitmap.inconsistent = true;
            }
        }
        Observation::Compared { status, .. } => *status = 1,
        Observation::Written { told, .. } => told.clear(),
        Observation::Command { command, .. } => command.push('x'),
        _ => {}
    }
}

/// A change of what a host says of its domain.
type Change = (&'static str, fn(&mut DomainInfo));

const DOMAINS: [Change; 6] = [
    ("other UUID in", |domain| domain.uuid.push('0')),
    ("other activity in", |domain| domain.active = !domain.active),
    ("other persistence in", |domain| {
        domain.persistent = !domain.persistent;
    }),
    ("other state in", |domain| {
        "crashed".clone_into(&mut domain.state)
    }),
    ("other reason in", |domain| {
        "crashed".clone_into(&mut domain.reason)
    }),
    ("other machine in", |domain| {
        if let Some(identity) = &mut domain.identity {
            identity.vcpus += 1;
        }
    }),
];

fn side(saw: &mut Observation) -> Option<&mut Side> {
    match saw {
        Observation::Domain { side, .. }
        | Observation::Beat { side, .. }
        | Observation::Lifecycle { side, .. }
        | Observation::Iteration { side, .. }
        | Observation::Job { side, .. }
        | Observation::Memory { side, .. }
        | Observation::Command { side, .. }
        | Observation::Event { side, .. }
        | Observation::Status { side, .. }
        | Observation::Settings { side, .. }
        | Observation::Channels { side, .. }
        | Observation::Device { side, .. }
        | Observation::Colo { side, .. }
        | Observation::Monitor { side, .. }
        | Observation::Bitmaps { side, .. }
        | Observation::Compared { side, .. }
        | Observation::Sectors { side, .. }
        | Observation::Written { side, .. }
        | Observation::JobEnded { side, .. }
        | Observation::Leftovers { side, .. } => Some(side),
        _ => None,
    }
}

/// How many edits of a kind there are of how many that every condition passes, and one such case.
type Survivors = BTreeMap<Edit, (usize, usize, &'static str)>;

fn survivors() -> Survivors {
    let mut survivors = Survivors::new();
    for case in CASES {
        for (edit, history) in edits(&honest(case)) {
            let passes = |(_, verdict): (_, Verdict)| verdict == Verdict::Pass;
            let survives = all(&history).into_iter().all(passes);
            let (left, tried, example) = survivors.entry(edit).or_insert((0, 0, ""));
            *tried += 1;
            if survives {
                *left += 1;
                *example = case;
            }
        }
    }
    survivors
}

/// Whether an edit is one of these of one of these.
fn names(hows: &[&str], kinds: &[&str], (how, kind): &Edit) -> bool {
    let is = |named: &&str| match named.strip_suffix('*') {
        Some(begin) => kind.starts_with(begin),
        None => kind == named,
    };
    hows.contains(&how.as_str()) && kinds.iter().any(is)
}

#[test]
fn no_edit_of_an_honest_history_passes_that_changes_the_truth() {
    let mut survivors = survivors();
    survivors.retain(|_, (left, ..)| *left > 0);
    let is_named = |edit: &Edit| {
        let mut rows = HARMLESS.iter();
        rows.any(|(hows, kinds, _)| names(hows, kinds, edit))
    };
    let unnamed = survivors.iter().filter(|(edit, _)| !is_named(edit));
    let told = unnamed.map(|((how, kind), (left, tried, case))| {
        format!("{how} | {kind} | {left} of {tried}, as in {case}")
    });
    let told: Vec<_> = told.collect();
    assert!(told.is_empty(), "{} pass:\n{}", told.len(), told.join("\n"));
    for (hows, kinds, reason) in HARMLESS {
        for (how, kind) in hows
            .iter()
            .flat_map(|how| kinds.iter().map(move |kind| (how, kind)))
        {
            let mut edits = survivors.keys();
            let passes = edits.any(|edit| names(&[*how], &[*kind], edit));
            assert!(passes, "{how} | {kind} is seen: {reason}");
        }
    }
}
