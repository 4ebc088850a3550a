//! The statistics of a job: which figures hold, to either side of each bound.

use migratrix_history::JobStats;

use super::*;

/// What is changed in a job's figures.
type Change = fn(&mut JobStats);

/// What is wrong with the good case's figures where they are changed so.
fn wrong(change: impl Fn(&mut JobStats)) -> Option<String> {
    told(&worked(change))
}

fn told(history: &History) -> Option<String> {
    match verdict(history, Condition::Statistics) {
        Verdict::Pass => None,
        other => Some(other.why().to_owned()),
    }
}

/// When the first thing of this kind was seen in the good case, in microseconds.
fn seen_at(is_it: impl Fn(&Observation) -> bool) -> u64 {
    let history = good(LIVE);
    let found = history.entries.iter().find(|entry| is_it(&entry.saw));
    found.expect("it is there").at_us
}

/// The longest time that is told as another one without being another, in milliseconds.
const fn longest(other: u64) -> u64 {
    other + 250 + other / 4
}

#[test]
fn a_job_lasts_no_longer_than_it_was_seen_to() {
    let asked = seen_at(|saw| begins(saw, Verb::Migrate));
    let most = longest((seen_at(|saw| ends(saw, Verb::Migrate)) - asked) / 1_000);
    assert_eq!(wrong(|job| job.elapsed_ms = Some(most)), None);
    let why = wrong(|job| job.elapsed_ms = Some(most + 1)).expect("it is too long");
    assert!(why.contains("ms after it was asked for"), "{why}");
}

#[test]
fn a_downtime_is_the_gap_that_was_seen_but_for_what_clocks_and_a_busy_machine_add() {
    let stopped = seen_at(|saw| is_event(saw, Side::Source, "suspended"));
    let ran = seen_at(|saw| is_event(saw, Side::Destination, "resumed"));
    let most = longest((ran - stopped) / 1_000);
    assert_eq!(wrong(|job| job.downtime_ms = Some(most)), None);
    let why = wrong(|job| job.downtime_ms = Some(most + 1)).expect("it is too long");
    assert!(
        why.contains("for which the guest ran on neither side"),
        "{why}"
    );
}

#[test]
fn memory_takes_as_many_bytes_of_its_connections_as_it_says_and_not_much_more() {
    const PROCESSED: u64 = 2_100_000;
    const MOST: u64 = 2 * PROCESSED + (16 << 20);
    let sent = |bytes: u64, lost: u64| {
        told(&changed(good(LIVE), |saw| {
            if let Observation::Traffic(traffic) = saw {
                traffic.dropped = lost;
                for one in &mut traffic.connections {
                    one.sent = Some(bytes);
                }
            }
        }))
    };
    for bytes in [PROCESSED, MOST] {
        assert_eq!(sent(bytes, 0), None);
    }
    for bytes in [PROCESSED - 1, MOST + 1] {
        let why = sent(bytes, 0).expect("it is another figure");
        assert!(why.contains("over connections that took"), "{why}");
        // Of what the capture lost nothing is known.
        assert_eq!(sent(bytes, 1), None);
    }
    assert_eq!(
        sent(0, 0),
        None,
        "a connection of which no byte was seen tells nothing"
    );
}

/// With the figures of the source as well, where they are changed so.
fn of_both(change: impl Fn(&mut JobStats)) -> History {
    let mut history = good(LIVE);
    let place = history
        .entries
        .iter()
        .position(|one| begins(&one.saw, Verb::Job));
    let place = place.expect("it is asked for");
    let mut job = crate::story::job();
    change(&mut job);
    let entry = Entry {
        at_us: history.entries[place].at_us,
        saw: Observation::JobEnded {
            side: Side::Source,
            job,
        },
    };
    history.entries.insert(place, entry);
    history
}

#[test]
fn both_sides_tell_the_same_figures_of_one_job() {
    assert_eq!(told(&of_both(|_| {})), None);
    let changes: [(&str, Change); 6] = [
        ("downtime is 30", |job| job.downtime_ms = Some(31)),
        ("memory_total is", |job| job.memory_total = Some(1)),
        ("memory_processed is", |job| job.memory_processed = Some(1)),
        ("memory_normal_bytes is", |job| {
            job.memory_normal_bytes = Some(1)
        }),
        ("memory_constant is", |job| job.memory_constant = Some(1)),
        ("memory_iteration is", |job| job.memory_iteration = Some(3)),
    ];
    for (words, change) in changes {
        let why = told(&of_both(change)).expect("they differ");
        assert!(why.contains(words), "{why}");
    }
    let most = longest(400);
    assert_eq!(told(&of_both(|job| job.elapsed_ms = Some(most))), None);
    let why = told(&of_both(|job| job.elapsed_ms = Some(most + 1))).expect("they differ");
    assert!(why.contains("it lasted 400 ms, and"), "{why}");
}

#[test]
fn a_job_that_is_told_to_have_ended_otherwise_has_not_ended_well() {
    let changes: [Change; 3] = [
        |job| job.kind = "failed".to_owned(),
        |job| job.success = Some(false),
        |job| job.error = Some("no".to_owned()),
    ];
    for change in changes {
        let why = told(&of_both(change)).expect("it ended otherwise");
        assert!(why.contains("on the source its job ended as"), "{why}");
        // A job of another kind is no migration's.
        let other = of_both(|job| {
            change(job);
            job.operation = Some("backup".to_owned());
        });
        assert_eq!(told(&other), None);
    }
}

#[test]
fn a_migration_that_has_no_disks_to_copy_copies_none() {
    let copied = |job: &mut JobStats| job.disk_processed = Some(1);
    let why = wrong(copied).expect("it has no disks");
    assert!(why.contains("1 bytes of disks were copied"), "{why}");
    assert_eq!(wrong(|job| job.disk_total = Some(0)), None);
}

#[test]
fn the_iterations_that_are_counted_are_those_that_were_told_of() {
    let why = wrong(|job| job.memory_iteration = Some(3)).expect("there were two");
    assert!(
        why.contains("3 iterations were made, and 2 were told of"),
        "{why}"
    );
}
