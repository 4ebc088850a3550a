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
    const PROCESSED: u64 = 2_240_000;
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
    changed(good(LIVE), |saw| {
        if let Observation::JobEnded { job, .. } = saw {
            change(job);
        }
    })
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
    let changes: [(&str, Change); 8] = [
        ("it ended as `failed`", |job| job.kind = "failed".to_owned()),
        ("has had no success", |job| job.success = Some(false)),
        ("has the error `no`", |job| {
            job.error = Some("no".to_owned())
        }),
        ("is told as `backup`", |job| {
            job.operation = Some("backup".to_owned());
        }),
        ("is told as `migration-in`", |job| {
            job.operation = Some("migration-in".to_owned());
        }),
        ("4096 bytes remain", |job| job.memory_remaining = Some(4096)),
        ("1 bytes of disks were copied", |job| {
            job.disk_total = Some(1)
        }),
        ("it lacks downtime", |job| job.downtime_ms = None),
    ];
    for (words, change) in changes {
        let why = told(&of_both(change)).expect("it ended otherwise");
        assert!(
            why.contains("of the end of its job the source tells"),
            "{why}"
        );
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn the_source_tells_once_that_its_job_has_ended() {
    let ends = |saw: &Observation| matches!(saw, Observation::JobEnded { .. });
    let unheard = crate::story::without(good(LIVE), ends);
    let verdict = verdict(&unheard, Condition::Statistics);
    assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
    let mut twice = good(LIVE);
    let place = twice.entries.iter().position(|entry| ends(&entry.saw));
    let place = place.expect("it ends");
    let entry = twice.entries[place].clone();
    twice.entries.insert(place, entry);
    let why = told(&twice).expect("it ended once");
    assert!(why.contains("told twice that its job ended"), "{why}");
}

#[test]
fn each_pass_is_told_of_in_its_turn() {
    let numbered = |numbers: &[i32], counted| {
        let mut numbers = numbers.iter().copied();
        let mut history = good(LIVE);
        history.entries.retain_mut(|entry| match &mut entry.saw {
            Observation::Iteration { iteration, .. } => {
                let next = numbers.next();
                *iteration = next.unwrap_or_default();
                next.is_some()
            }
            Observation::Job { job, .. } | Observation::JobEnded { job, .. } => {
                job.memory_iteration = Some(counted);
                true
            }
            _ => true,
        });
        told(&history)
    };
    assert_eq!(numbered(&[1, 2], 2), None);
    for (numbers, counted, words) in [
        (&[2, 3][..], 3, "in its turn"),
        (&[1, 3], 3, "in its turn"),
        (&[], 2, "none was told of"),
        (&[1], 2, "2 iterations were made, and 1 were told of"),
    ] {
        let why = numbered(numbers, counted).expect("one is missing");
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn what_was_sent_is_no_less_than_its_pages_take() {
    let pages = (2_097_152 / 4096 + 15_872) * 8;
    let of = |sent: u64| {
        let history = changed(good(LIVE), |saw| match saw {
            Observation::Job { job, .. } | Observation::JobEnded { job, .. } => {
                job.memory_processed = Some(sent);
            }
            Observation::Traffic(traffic) => traffic.connections.clear(),
            _ => {}
        });
        told(&history)
    };
    assert_eq!(of(2_097_152 + pages), None);
    let why = of(2_097_152 + pages - 1).expect("it is too little");
    assert!(why.contains("pages of one byte"), "{why}");
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
