//! Where a bound lies, to either side of it, with QEMU alone.

use migratrix_history::{Entry, History, Observation, Outcome, Side, Verb};
use migratrix_matrix::{Condition, Version};

use super::spoiled::*;
use crate::{
    Kind, Verdict,
    raw_story::{event, status},
    story::changed,
};

/// With all from where the destination runs on later by so much.
fn resumed_late(point: &str, by_us: u64) -> History {
    let mut history = of(point);
    let resumes = |entry: &Entry| entry.saw == event(Side::Destination, "RESUME");
    let place = history.entries.iter().position(resumes);
    for entry in &mut history.entries[place.expect("the guest goes on")..] {
        entry.at_us += by_us;
    }
    history
}

#[test]
fn a_guest_from_a_file_or_in_postcopy_may_go_on_long_after_its_downtime() {
    const LATE_US: u64 = 60_000_000;
    for point in [FILE, POSTCOPY] {
        assert_kind(
            &resumed_late(point, LATE_US),
            Condition::Statistics,
            Kind::Pass,
        );
    }
    assert_kind(
        &resumed_late(PLAIN, LATE_US),
        Condition::Statistics,
        Kind::Fail,
    );
}

/// With statistics whose downtime lies above its bound by so many milliseconds, and with this time for which what
/// moves the guest waited for a processor.
fn slow(by_ms: u64, waited_us: Option<u64>) -> History {
    let mut history = of(PLAIN);
    let mut entries = history.entries.iter();
    let down = entries.find_map(|entry| match &entry.saw {
        Observation::Job { job, .. } => job.downtime_ms,
        _ => None,
    });
    history.header.downtime_bound_ms = down.expect("a downtime") - by_ms;
    let is_over = |entry: &Entry| entry.saw == status(Side::Source, "completed");
    let place = history.entries.iter().position(is_over);
    let place = place.expect("it completes") + 1;
    let at_us = history.entries[place].at_us;
    let waited = waited_us.map(|us| Entry {
        at_us,
        saw: Observation::Waited { us },
    });
    history.entries.splice(place..place, waited);
    history
}

#[test]
fn a_downtime_for_which_the_machine_was_too_busy_proves_nothing() {
    let kind = |by_ms, waited_us, kind| {
        assert_kind(&slow(by_ms, waited_us), Condition::Statistics, kind);
    };
    kind(0, None, Kind::Pass);
    kind(0, Some(60_000_000), Kind::Pass);
    kind(5, None, Kind::Fail);
    kind(5, Some(4_999), Kind::Fail);
    kind(5, Some(5_000), Kind::Unknown);
}

#[test]
fn an_event_that_was_heard_late_counts_from_when_it_was_sent() {
    const LATE_US: u64 = 5_000_000;
    for (by, kind) in [(Some(LATE_US), Kind::Pass), (None, Kind::Fail)] {
        let mut history = resumed_late(PLAIN, LATE_US);
        for entry in &mut history.entries {
            if let Observation::Event { event, late_us, .. } = &mut entry.saw {
                *late_us = by.filter(|_| event == "RESUME");
            }
        }
        assert_kind(&history, Condition::Statistics, kind);
    }
}

#[test]
fn a_state_that_was_not_reached_for_another_reason_than_time_is_no_stuck_one() {
    let lost = |point: &str, word: &str| {
        let mut history = stuck(point, Side::Source, word, "active");
        for entry in &mut history.entries {
            if let Observation::Ended {
                verb: Verb::Await,
                outcome: Outcome::Unknown { why },
                ..
            } = &mut entry.saw
            {
                "its monitor closed".clone_into(why);
            }
        }
        history
    };
    let condition = Condition::Migrated;
    assert_kind(
        &stuck(PLAIN, Side::Source, "completed", "active"),
        condition,
        Kind::Fail,
    );
    assert_kind(&lost(PLAIN, "completed"), condition, Kind::Unknown);
}

/// What comes of a compression by a source of this version, after so many bytes for so many bytes of pages.
fn compressed(version: Version, sent: u64, pages: u64) -> Verdict {
    let figures = worked(ZLIB, |job| {
        (job.multifd_bytes, job.memory_normal_bytes) = (Some(sent), Some(pages));
    });
    let history = changed(figures, |saw| {
        if let Observation::Versions(versions) = saw {
            versions.source_qemu = versions.source_qemu.map(|_| version);
        }
    });
    verdict(&history, Condition::Effect)
}

#[test]
fn what_went_over_the_channels_is_less_than_the_pages_and_those_are_all_that_is_stamped() {
    let stamped = u64::from(of(ZLIB).header.guest.bytes());
    let counts = Version::new(8, 2, 0);
    assert_eq!(compressed(counts, stamped - 1, stamped), Verdict::Pass);
    for (sent, pages) in [(stamped, stamped), (1, stamped - 1), (0, stamped)] {
        let verdict = compressed(counts, sent, pages);
        assert_eq!(
            verdict.kind(),
            Kind::Fail,
            "{sent} for {pages}: {verdict:?}"
        );
    }
    // One that counts pages as they were is judged by its setting.
    let before = Version::new(8, 1, 9);
    assert_eq!(compressed(before, stamped, stamped), Verdict::Pass);
}

#[test]
fn a_migration_that_was_asked_for_once_does_not_go_back_on_its_way() {
    let ways = ["setup", "active", "pre-switchover", "device"];
    for (back, from) in ways.into_iter().zip(&ways[1..]) {
        let mut history = of(PLAIN);
        let active = status(Side::Source, "active");
        let place = history.entries.iter().position(|entry| entry.saw == active);
        let place = place.expect("it becomes active") + 1;
        let at_us = history.entries[place].at_us;
        for (at, word) in [*from, back].into_iter().enumerate() {
            let saw = status(Side::Source, word);
            history.entries.insert(place + at, Entry { at_us, saw });
        }
        let why = verdict(&history, Condition::Migrated).why().to_owned();
        assert!(
            why.contains(&format!("`{back}` came after `{from}`")),
            "{why}"
        );
    }
}

#[test]
fn a_connection_for_pages_that_are_asked_for_is_missed_only_where_it_was_looked_for() {
    let mut alone = changed(of("postcopy/tcp/running/postcopy-preempt"), |saw| {
        if let Observation::Carriers { carriers, .. } = saw {
            carriers.truncate(1);
        }
    });
    assert_kind(&alone, Condition::Effect, Kind::Fail);
    alone.header.evidence = 1;
    assert_kind(&alone, Condition::Effect, Kind::Pass);
}

#[test]
fn a_migration_that_failed_is_told_with_what_either_side_says_of_it() {
    let silent = came_to(PLAIN, Side::Source, "completed", "failed");
    let why = verdict(&silent, Condition::Migrated).why().to_owned();
    assert!(why.ends_with("neither side says why"), "{why}");
    let text = "Broken pipe".to_owned();
    let noted = inserted(silent, Verb::Survey, Observation::Note { text });
    let why = verdict(&noted, Condition::Migrated).why().to_owned();
    assert!(why.ends_with("Broken pipe"), "{why}");
}

/// In which states were awaited in vain.
fn given_up(history: History) -> History {
    let why = "no answer within 30 s".to_owned();
    let unknown = Outcome::Unknown { why };
    changed(history, |saw| {
        if let Observation::Ended {
            verb: Verb::Await,
            outcome,
            ..
        } = saw
        {
            *outcome = unknown.clone();
        }
    })
}

/// In which it was noted that a QEMU answers no more.
fn silent(history: History) -> History {
    let text = SILENCE.to_owned();
    inserted(history, Verb::Clear, Observation::Note { text })
}

const SILENCE: &str = "the destination's QEMU did not answer for 29 s (`query-migrate`)";

#[test]
fn the_events_of_a_qemu_that_hangs_are_not_heard_to_their_end_and_its_silence_is_the_reason() {
    let eventless = || eventless(PLAIN, Side::Destination, "RESUME");
    assert_kind(&eventless(), Condition::Events, Kind::Fail);
    assert_kind(&silent(eventless()), Condition::Events, Kind::Fail);
    let hung = silent(given_up(eventless()));
    assert_kind(&hung, Condition::Events, Kind::Unknown);
    let why = verdict(&hung, Condition::Events).why().to_owned();
    assert!(why.contains(SILENCE), "{why}");
    let other = changed(hung, |saw| {
        if *saw == event(Side::Source, "STOP") {
            *saw = event(Side::Source, "RESUME");
        }
    });
    assert_kind(&other, Condition::Events, Kind::Fail);
}

#[test]
fn of_a_migration_that_gets_nowhere_it_is_told_where_a_qemu_answers_no_more() {
    let stuck = stuck(PLAIN, Side::Source, "completed", "active");
    let why = verdict(&stuck, Condition::Migrated).why().to_owned();
    assert!(why.ends_with("no answer within 30 s"), "{why}");
    let hung = silent(stuck);
    assert_kind(&hung, Condition::Migrated, Kind::Fail);
    let why = verdict(&hung, Condition::Migrated).why().to_owned();
    assert!(why.contains(SILENCE), "{why}");
}

#[test]
fn a_file_that_is_not_open_for_direct_io_is_missed_only_where_it_was_looked_for() {
    let point = "precopy/file/stopped/mapped-ram+direct-io+multifd+4-channels";
    let mut cached = changed(of(point), |saw| {
        if let Observation::Carriers { carriers, .. } = saw {
            carriers.iter_mut().for_each(|one| one.direct = 0);
        }
    });
    assert_kind(&cached, Condition::Effect, Kind::Fail);
    cached.header.evidence = 1;
    assert_kind(&cached, Condition::Effect, Kind::Pass);
}
