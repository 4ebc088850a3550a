//! Good histories in which one thing contradicts the others, or is missing: each is seen by the condition that
//! should see it.

mod late;
mod raw;

use migratrix_history::{
    Entry, History, JobStats, Observation, Part, Party, Purpose, Side, Traffic, Verb,
};
use migratrix_matrix::Condition;

use super::{LIVE, PAUSED, PLAIN, assert_kind, begins, verdict};
use crate::{
    Kind, Verdict,
    story::{changed, event, good, without},
};
use Side::{Destination, Source};

/// What is told of a change, and the change.
type Told<T> = (&'static str, fn(&mut T));

fn fails(history: &History, condition: Condition, words: &str) {
    let verdict = verdict(history, condition);
    let Verdict::Fail { why } = &verdict else {
        panic!("{condition} is {verdict:?}");
    };
    assert!(why.contains(words), "{condition}: {why}");
}

fn is_unknown(history: &History, condition: Condition, words: &str) {
    let verdict = verdict(history, condition);
    let Verdict::Unknown { why } = &verdict else {
        panic!("{condition} is {verdict:?}");
    };
    assert!(why.contains(words), "{condition}: {why}");
}

/// The history with something seen right after a step of this kind was begun, the first time.
fn within(mut history: History, of: Verb, saw: Observation) -> History {
    let mut entries = history.entries.iter();
    let place = entries.position(|entry| begins(&entry.saw, of));
    let place = place.expect("there is such a step");
    let at_us = history.entries[place].at_us + 1;
    let entry = Entry { at_us, saw };
    history.entries.insert(place + 1, entry);
    history
}

fn worked(history: History, change: impl Fn(&mut JobStats)) -> History {
    changed(history, |saw| {
        if let Observation::Job { job, .. } | Observation::JobEnded { job, .. } = saw {
            change(job);
        }
    })
}

fn is_command(saw: &Observation, named: &str) -> bool {
    matches!(saw, Observation::Command { command, .. } if command == named)
}

#[test]
fn an_event_beside_the_migration_that_nobody_made_is_wrong() {
    let crashed = || event(Destination, "stopped", "crashed");
    for step in [Verb::Survey, Verb::Ram] {
        let mut history = good(LIVE);
        // All of the memory is read before as well.
        let place = history
            .entries
            .iter()
            .rposition(|entry| begins(&entry.saw, step));
        let place = place.expect("there is such a step");
        let at_us = history.entries[place].at_us + 1;
        let saw = crashed();
        history.entries.insert(place + 1, Entry { at_us, saw });
        fails(
            &history,
            Condition::Events,
            "stopped (crashed) is not expected",
        );
    }
    // What a host told of the preparation may come to us when it is looked at, and no later.
    let late = within(
        good(LIVE),
        Verb::Inspect,
        event(Source, "started", "booted"),
    );
    assert_kind(&late, Condition::Events, Kind::Pass);
    let later = within(good(LIVE), Verb::Ram, event(Source, "started", "booted"));
    fails(
        &later,
        Condition::Events,
        "started (booted) is not expected",
    );
    let paused = || event(Source, "suspended", "paused");
    let early = within(good(LIVE), Verb::Ram, paused());
    fails(
        &early,
        Condition::Events,
        "suspended (paused) is not expected",
    );
    // A guest that is paused by us may be heard to be so when it is looked at.
    let own = within(good(PAUSED), Verb::Ram, paused());
    assert_kind(&own, Condition::Events, Kind::Pass);
    let held = within(
        good(LIVE),
        Verb::Survey,
        event(Destination, "suspended", "paused"),
    );
    assert_kind(&held, Condition::Events, Kind::Pass);
}

#[test]
fn a_word_that_comes_late_does_not_make_a_guest_run_twice_and_one_that_comes_very_late_does() {
    let early = |by_us: u64| {
        let mut history = good(LIVE);
        let at = |history: &History, of: Side, named: &str| {
            let mut entries = history.entries.iter();
            let is = |saw: &Observation| matches!(saw, Observation::Lifecycle { side, event, .. } if *side == of && event == named);
            entries
                .position(|entry| is(&entry.saw))
                .expect("it is heard")
        };
        let stopped = history.entries[at(&history, Source, "suspended")].at_us;
        let place = at(&history, Destination, "resumed");
        history.entries[place].at_us = stopped - by_us;
        let place = at(&history, Destination, "started");
        history.entries[place].at_us = stopped - by_us - 1;
        history
    };
    assert_kind(&early(100_000), Condition::Events, Kind::Pass);
    fails(
        &early(101_000),
        Condition::Events,
        "the guest ran on both sides",
    );
}

#[test]
fn statistics_that_contradict_what_was_seen_are_wrong() {
    let changes: [Told<JobStats>; 4] = [
        ("99 iterations were made", |job| {
            job.memory_iteration = Some(99)
        }),
        ("0 iterations were made", |job| {
            job.memory_iteration = Some(0)
        }),
        ("of disks were copied", |job| job.disk_total = Some(1 << 30)),
        ("of disks were copied", |job| job.disk_processed = Some(1)),
    ];
    for (words, change) in changes {
        fails(&worked(good(PLAIN), change), Condition::Statistics, words);
    }
}

/// The history in which the source tells of the end of its job as well.
fn told_by_both(change: impl Fn(&mut JobStats)) -> History {
    changed(good(PLAIN), |saw| {
        if let Observation::JobEnded { job, .. } = saw {
            job.operation = Some("migration-out".to_owned());
            change(job);
        }
    })
}

#[test]
fn both_sides_tell_of_one_job_and_none_tells_that_it_failed() {
    let fails = |change: fn(&mut JobStats), words| {
        fails(&told_by_both(change), Condition::Statistics, words);
    };
    assert_kind(&told_by_both(|_| {}), Condition::Statistics, Kind::Pass);
    let later = told_by_both(|job| job.elapsed_ms = Some(750));
    assert_kind(&later, Condition::Statistics, Kind::Pass);
    fails(|job| job.elapsed_ms = Some(751), "it lasted 400 ms");
    fails(|job| job.elapsed_ms = Some(30), "it lasted 400 ms");
    fails(
        |job| job.memory_iteration = Some(3),
        "memory_iteration is 2",
    );
    fails(
        |job| "failed".clone_into(&mut job.kind),
        "ended as `failed`",
    );
    fails(|job| job.success = Some(false), "no success");
    fails(|job| job.error = Some("no".to_owned()), "the error `no`");
}

#[test]
fn memory_takes_about_as_many_bytes_as_it_has() {
    let carried = |sent: u64| {
        changed(good(PLAIN), move |saw| {
            if let Observation::Traffic(traffic) = saw {
                for one in &mut traffic.connections {
                    one.sent = Some(sent);
                }
            }
        })
    };
    assert_kind(&carried(10 << 20), Condition::Statistics, Kind::Pass);
    fails(
        &carried(1 << 40),
        Condition::Statistics,
        "over connections that took",
    );
}

#[test]
fn a_machine_that_nobody_asked_for_and_a_domain_of_another_name_are_other_ones() {
    let mut history = good(PLAIN);
    "pc-i440fx-7.2".clone_into(&mut history.header.machine);
    fails(
        &history,
        Condition::Identity,
        "the machine type is pc-q35-7.2",
    );
    let mut history = good(PLAIN);
    "mx-0002".clone_into(&mut history.header.domain);
    fails(&history, Condition::Identity, "the domain is `mx-0001`");
}

#[test]
fn a_machine_that_does_not_tell_of_its_clock_is_not_known_to_have_the_same() {
    for lost in ["[clock]", "[options]"] {
        let history = changed(good(PLAIN), |saw| {
            if let Observation::Description {
                side: Destination,
                text,
                ..
            } = saw
            {
                for part in &mut text.parts {
                    if let Part::New(text) = part {
                        *text = text.replace(lost, "[more]");
                    }
                }
            }
        });
        // What stands in it is another one then.
        let judged = verdict(&history, Condition::Identity);
        assert!(judged.kind() != Kind::Pass, "{judged:?}");
    }
}

#[test]
fn what_was_broken_in_a_case_that_breaks_nothing_lets_nothing_pass() {
    let fault = Observation::Fault {
        fault: "memory-byte".to_owned(),
    };
    let history = within(good(PLAIN), Verb::Survey, fault);
    for condition in [Condition::Memory, Condition::Migrated] {
        is_unknown(&history, condition, "`memory-byte` was done");
    }
}

#[test]
fn memory_that_is_empty_where_the_guest_runs_was_not_read() {
    let history = changed(good(PLAIN), |saw| {
        if let Observation::Ram { ram, .. } = saw {
            ram.regions.clear();
        }
    });
    is_unknown(
        &history,
        Condition::Memory,
        "has nothing where the guest runs",
    );
    let never = without(good(PLAIN), |saw| match saw {
        Observation::Ram { .. } => true,
        saw => {
            begins(saw, Verb::Ram)
                || matches!(
                    saw,
                    Observation::Ended {
                        verb: Verb::Ram,
                        ..
                    }
                )
        }
    });
    is_unknown(&never, Condition::Memory, "was not read");
    let mut old = never;
    old.header.evidence = 0;
    assert_kind(&old, Condition::Memory, Kind::Pass);
}

#[test]
fn a_flag_counts_in_each_call() {
    for procedure in ["prepare", "perform"] {
        for (added, lost) in [(true, false), (false, true)] {
            let history = changed(good(LIVE), |saw| {
                let Observation::Traffic(traffic) = saw else {
                    return;
                };
                for call in &mut traffic.calls {
                    let flags = call.flags.as_mut().expect("they are seen");
                    if call.procedure.contains(procedure) && added {
                        flags.insert("VIR_MIGRATE_POSTCOPY".to_owned());
                    }
                    if call.procedure.contains(procedure) && lost {
                        flags.remove("VIR_MIGRATE_LIVE");
                    }
                }
            });
            fails(&history, Condition::Transport, procedure);
        }
    }
}

#[test]
fn a_connection_goes_from_the_source_to_the_destination_and_is_answered() {
    let changes: [Told<Traffic>; 3] = [
        ("went from the destination to the source", |traffic| {
            let mut back = traffic.connections[0].clone();
            (back.from, back.to) = (Party::Destination, Party::Source);
            traffic.connections.push(back);
        }),
        ("went from the source to another host", |traffic| {
            let mut other = traffic.connections[0].clone();
            other.to = Party::Other;
            traffic.connections.push(other);
        }),
        ("never answered", |traffic| {
            for one in &mut traffic.connections {
                if one.purpose == Purpose::Calls {
                    one.received = Some(0);
                }
            }
        }),
    ];
    for (words, change) in changes {
        let history = changed(good(PLAIN), |saw| {
            if let Observation::Traffic(traffic) = saw {
                change(traffic);
            }
        });
        fails(&history, Condition::Transport, words);
    }
}
