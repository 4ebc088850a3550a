//! Where a bound lies, to either side of it, and what is told as the cause.

use super::*;
use crate::{
    checks::timeline::{disorder, two_run},
    story::{LAPS, memory_at},
};

/// What is wrong with a heartbeat that was seen then in a step that began at a second.
fn disordered(at_us: u64, window_us: u64, ended_us: u64) -> Option<String> {
    let mut history = good(LIVE);
    let beat = Observation::Beat {
        side: Side::Source,
        when: When::Before,
        first: 1,
        last: 2,
        window_us,
    };
    let (verb, step) = (Verb::Beat, "beat".to_owned());
    let began = Observation::Began {
        verb,
        step: step.clone(),
    };
    let ended = Observation::Ended {
        verb,
        step,
        outcome: Outcome::Done,
    };
    let seen = [(1_000_000, began), (at_us, beat), (ended_us, ended)];
    history.entries = seen.map(|(at_us, saw)| Entry { at_us, saw }).to_vec();
    disorder(&history)
}

#[test]
fn what_is_seen_stands_between_the_begin_and_the_end_of_its_step() {
    assert_eq!(disordered(1_000_000, 0, 1_000_000), None);
    assert!(disordered(999_999, 0, 1_000_000).is_some());
    assert!(disordered(1_000_001, 0, 1_000_000).is_some());
    assert!(disordered(1_000_000, 0, 999_999).is_some());
}

#[test]
fn what_is_sampled_is_sampled_within_its_step_but_for_a_word_that_comes_late() {
    assert_eq!(disordered(1_100_000, 350_000, 1_200_000), None);
    assert!(disordered(1_100_000, 350_001, 1_200_000).is_some());
}

#[test]
fn a_refusal_that_nobody_asked_for_is_told_as_the_cause() {
    let unread = without(good(LIVE), |saw| matches!(saw, Observation::Memory { .. }));
    let history = ended(unread.clone(), Verb::Survey, &refused());
    let why = verdict(&history, Condition::Memory).why().to_owned();
    assert!(why.contains("`survey` was refused: domain is not"), "{why}");
    // One that ended unknown is the cause, even where a refusal would be none.
    let unknown = Outcome::Unknown {
        why: "no word".to_owned(),
    };
    let history = ended(unread, Verb::Beat, &unknown);
    let why = verdict(&history, Condition::Memory).why().to_owned();
    assert!(why.contains("`beat` ended unknown: no word"), "{why}");
}

/// With the pause of the source's guest heard at another time, told from when its first iteration began.
fn paused_at(case: &str, from_pass: i64) -> History {
    let mut history = good(case);
    let first = |saw: &Observation| matches!(saw, Observation::Iteration { iteration: 1, .. });
    let mut entries = history.entries.iter();
    let passed = entries
        .find(|entry| first(&entry.saw))
        .expect("it is told of");
    let at_us = passed.at_us.saturating_add_signed(from_pass);
    for entry in &mut history.entries {
        if is_event(&entry.saw, Side::Source, "suspended") {
            entry.at_us = at_us;
        }
    }
    history
}

#[test]
fn a_guest_is_paused_before_its_first_iteration_or_after_it_began() {
    let condition = Condition::GuestDuringCopy;
    for (case, from_pass, kind) in [
        (LIVE, 0, Kind::Pass),
        (LIVE, -1, Kind::Fail),
        (PLAIN, 0, Kind::Pass),
        (PLAIN, 1, Kind::Fail),
    ] {
        assert_kind(&paused_at(case, from_pass), condition, kind);
    }
}

#[test]
fn a_guest_that_runs_on_both_sides_does_so_for_longer_than_a_word_is_late() {
    assert_eq!(two_run(Some(100_000), Some(0)), None);
    assert!(two_run(Some(100_001), Some(0)).is_some());
    assert_eq!(two_run(Some(0), Some(100_001)), None);
    assert_eq!(two_run(Some(200_000), None), None);
    assert_eq!(two_run(None, Some(0)), None);
}

/// With the laps of a look changed to end with this one.
fn ending_with(of: (Side, When), lap: u32) -> History {
    changed(good(LIVE), |saw| {
        if let (true, Observation::Beat { first, last, .. }) = (is_beat(saw, of), &mut *saw) {
            (*first, *last) = (lap - 3, lap);
        }
    })
}

#[test]
fn memory_is_of_no_older_lap_than_was_seen_and_a_lap_is_counted_before_its_page_is_whole() {
    let during = (Side::Source, When::During);
    for (of, lap, kind) in [
        (during, 40, Kind::Pass),
        (during, 41, Kind::Fail),
        (DESTINATION_AFTER, 41, Kind::Pass),
        (DESTINATION_AFTER, 42, Kind::Fail),
    ] {
        assert_kind(&ending_with(of, lap), Condition::Memory, kind);
    }
}

#[test]
fn a_guest_that_goes_on_with_the_lap_that_it_was_seen_with_goes_on() {
    // It was seen with lap 13 before.
    for (lap, kind) in [(16, Kind::Pass), (15, Kind::Fail)] {
        let history = ending_with((Side::Source, When::During), lap);
        assert_kind(&history, Condition::GuestDuringCopy, kind);
    }
}

#[test]
fn a_guest_without_a_pace_comes_as_far_as_it_can() {
    let mut history = ending_with(DESTINATION_AFTER, 41);
    history.header.guest.pace_us = 0;
    let guest = history.header.guest;
    let history = changed(history, |saw| {
        if let Observation::Memory { side, .. } = saw {
            *saw = memory_at(*side, guest, LAPS);
        }
    });
    assert_kind(&history, Condition::Memory, Kind::Pass);
}

#[test]
fn a_heartbeat_is_told_with_both_its_laps_and_the_time_between() {
    let history = lapped(good(LIVE), SOURCE_BEFORE, 0);
    let why = verdict(&history, Condition::SourceStarted).why().to_owned();
    let told = "its heartbeat has stopped: lap 10, then lap 10 after 50 ms";
    assert!(why.ends_with(told), "{why}");
}

#[test]
fn a_document_that_was_not_given_is_told_with_who_was_asked_for_what() {
    let after = |of: Document| (Side::Destination, When::After, of);
    for (of, condition, told) in [
        (
            Document::Live,
            Condition::Identity,
            "the destination did not describe the running domain",
        ),
        (
            Document::Machine,
            Condition::Identity,
            "the QEMU of the destination did not tell of its machine",
        ),
        (
            Document::Kept,
            Condition::DestinationConfig,
            "the destination did not describe what it keeps of the domain",
        ),
    ] {
        let history = without_document(good(PAUSED), after(of));
        let why = verdict(&history, condition).why().to_owned();
        assert!(why.starts_with(told), "{why}");
    }
}

#[test]
fn a_step_that_the_record_ends_in_is_told_as_the_cause() {
    let mut cut = good(LIVE);
    let mut entries = cut.entries.iter();
    let begun = entries.position(|entry| begins(&entry.saw, Verb::Survey));
    cut.entries.truncate(begun.expect("it is surveyed") + 1);
    let why = verdict(&cut, Condition::Memory).why().to_owned();
    assert!(why.ends_with("the step `survey` never ended"), "{why}");
}

#[test]
fn a_machine_that_was_started_with_another_uuid_on_both_sides_is_another_one() {
    let mut history = good(LIVE);
    for (side, when) in [SOURCE_BEFORE, DESTINATION_AFTER] {
        let place = (side, when, Document::Machine);
        history = redrawn(history, place, "rtc=base=utc", "uuid=other");
    }
    let why = verdict(&history, Condition::Identity).why().to_owned();
    assert!(why.contains("QEMU's option -uuid is `other`"), "{why}");
}
