//! What is set, sent or stopped too late: after it was asked back, or after the end.

use migratrix_history::{DomainState, Entry, History, Observation, Side, Verb, When};
use migratrix_matrix::Condition;
use serde_json::json;

use super::{fails, is_unknown, within, worked};
use crate::{
    Kind,
    checks::{
        colo,
        tests::{assert_kind, begins},
    },
    raw_story::{event, good, pass, status},
    story::{changed, without},
};
use Side::{Destination, Source};

const PLAIN: &str = "precopy/unix/running/plain";
const MISMATCH: &str = "precopy/tcp/running/psk-mismatch";
const PAIRS: [&str; 2] = [
    "single-channel/primary/idle/plain",
    "multifd-channel/secondary/idle/plain",
];

fn raw(point: &str) -> History {
    good(&format!("qemu/qemu/bookworm,trixie/{point}"))
}

/// The places of the answers of a side on what is set.
fn answers(history: &History, of: Side) -> Vec<usize> {
    let is = |entry: &Entry| matches!(entry.saw, Observation::Settings { side, .. } if side == of);
    let entries = history.entries.iter().enumerate();
    let places = entries.filter(|(_, entry)| is(entry));
    places.map(|(place, _)| place).collect()
}

/// Without the first answer of a side, or without its last.
fn silent(mut history: History, side: Side, when: When) -> History {
    let places = answers(&history, side);
    assert_eq!(places.len(), 2, "it is asked twice");
    history
        .entries
        .remove(places[usize::from(when == When::After)]);
    history
}

/// With the last answer of a side as another one.
fn later(mut history: History, side: Side, capability: &str, parameter: Option<&str>) -> History {
    let place = answers(&history, side)[1];
    if let Observation::Settings {
        capabilities,
        parameters,
        ..
    } = &mut history.entries[place].saw
    {
        capabilities.insert(capability.to_owned());
        parameters.extend(parameter.map(|name| (name.to_owned(), json!(90))));
    }
    history
}

#[test]
fn what_is_set_after_it_was_asked_back_is_seen_when_it_is_asked_again() {
    for point in [PLAIN, MISMATCH, "postcopy/tcp/running/recover"] {
        for side in Side::BOTH {
            let history = later(raw(point), side, "zero-blocks", None);
            fails(&history, Condition::Settings, "zero-blocks is on");
            let set = Some("cpu-throttle-initial");
            let history = later(raw(point), side, "", set);
            fails(&history, Condition::Settings, "cpu-throttle-initial is 90");
        }
    }
    for point in PAIRS {
        for side in Side::BOTH {
            let history = later(colo::story::good(point), side, "auto-converge", None);
            fails(&history, Condition::Settings, "auto-converge is on");
            let delay = Some("x-checkpoint-delay");
            let history = later(colo::story::good(point), side, "events", delay);
            fails(
                &history,
                Condition::Settings,
                "x-checkpoint-delay is Some(90)",
            );
        }
    }
}

#[test]
fn a_side_that_was_not_asked_before_or_not_again_is_unknown() {
    for side in Side::BOTH {
        let early = silent(raw(PLAIN), side, When::Before);
        is_unknown(
            &early,
            Condition::Settings,
            "did not say what is set before",
        );
        let mut late = silent(raw(PLAIN), side, When::After);
        is_unknown(&late, Condition::Settings, "when the migration was over");
        late.header.evidence = 2;
        assert_kind(&late, Condition::Settings, Kind::Pass);
        for when in [When::Before, When::After] {
            let mut history = silent(colo::story::good(PAIRS[0]), side, when);
            is_unknown(&history, Condition::Settings, "did not say what is set");
            history.header.evidence = 2;
            assert_kind(&history, Condition::Settings, Kind::Pass);
        }
    }
}

#[test]
fn a_parameter_that_a_side_tells_of_only_once_is_unknown() {
    for which in 0..2 {
        let mut history = raw(PLAIN);
        let place = answers(&history, Source)[which];
        if let Observation::Settings { parameters, .. } = &mut history.entries[place].saw {
            parameters.remove("direct-io");
        }
        let why = "did not say each time what direct-io is";
        is_unknown(&history, Condition::Settings, why);
    }
    let never = changed(raw(PLAIN), |saw| {
        if let Observation::Settings { parameters, .. } = saw {
            parameters.remove("direct-io");
        }
    });
    assert_kind(&never, Condition::Settings, Kind::Pass);
}

#[test]
fn a_qemu_that_is_gone_can_not_be_asked_and_one_that_was_not_looked_for_may_be_there() {
    let silent = silent(raw(MISMATCH), Destination, When::After);
    is_unknown(&silent, Condition::Settings, "when the migration was over");
    let gone = changed(silent.clone(), |saw| {
        if let Observation::Domain {
            side: Destination,
            look,
            ..
        } = saw
        {
            *look = DomainState::Absent;
        }
    });
    assert_kind(&gone, Condition::Settings, Kind::Pass);
    let unseen = without(silent, |saw| {
        matches!(
            saw,
            Observation::Domain {
                side: Destination,
                ..
            }
        )
    });
    is_unknown(&unseen, Condition::Settings, "when the migration was over");
}

#[test]
fn a_process_that_replaced_itself_has_forgotten_and_one_that_was_handed_its_state_was_never_told() {
    for (point, asked) in [
        ("cpr-exec/file/running/plain", [1, 1]),
        ("cpr-transfer/unix/running/channels", [2, 1]),
        (PLAIN, [2, 2]),
    ] {
        let history = raw(point);
        let told = Side::BOTH.map(|side| answers(&history, side).len());
        assert_eq!(told, asked, "{point}");
        assert_kind(&history, Condition::Settings, Kind::Pass);
    }
}

#[test]
fn figures_of_a_capability_that_the_case_has_not_tell_that_it_is_at_work() {
    let sent = |point: &str| worked(raw(point), |job| job.xbzrle_pages = Some(0));
    let throttled = |point: &str| worked(raw(point), |job| job.throttle_percent = Some(0));
    let (xbzrle, converge, limit) = (
        "precopy/unix/running/xbzrle",
        "precopy/unix/running/auto-converge",
        "precopy/unix/running/dirty-limit",
    );
    for point in [PLAIN, converge, limit] {
        fails(
            &sent(point),
            Condition::Settings,
            "xbzrle is not the case's",
        );
    }
    for point in [PLAIN, xbzrle] {
        fails(
            &throttled(point),
            Condition::Settings,
            "auto-converge is not the case's",
        );
    }
    assert_kind(&sent(xbzrle), Condition::Settings, Kind::Pass);
    assert_kind(&throttled(converge), Condition::Settings, Kind::Pass);
    assert_kind(&throttled(limit), Condition::Settings, Kind::Pass);
}

/// With something seen right behind the last state of this kind.
fn behind(mut history: History, state: &Observation, saw: Observation) -> History {
    let mut entries = history.entries.iter();
    let place = entries.rposition(|entry| entry.saw == *state);
    let place = place.expect("it comes to that");
    let at_us = history.entries[place].at_us + 1;
    history.entries.insert(place + 1, Entry { at_us, saw });
    history
}

#[test]
fn a_source_that_is_through_sends_no_more_and_stops_no_guest() {
    let over = status(Source, "completed");
    for point in [
        PLAIN,
        "postcopy/tcp/running/plain",
        "precopy/file/running/plain",
    ] {
        let moved = behind(raw(point), &over, pass(4));
        fails(&moved, Condition::Migrated, "a pass over its memory began");
        let stopped = behind(raw(point), &over, event(Source, "STOP"));
        fails(&stopped, Condition::Migrated, "its guest was stopped");
        for honest in [
            event(Source, "RESUME"),
            event(Destination, "STOP"),
            over.clone(),
        ] {
            let history = behind(raw(point), &over, honest);
            assert_kind(&history, Condition::Migrated, Kind::Pass);
        }
    }
}

#[test]
fn what_was_held_still_to_be_read_was_stopped_by_us() {
    let stop = event(Source, "STOP");
    let history = within(raw(PLAIN), Verb::Survey, stop);
    assert_kind(&history, Condition::Migrated, Kind::Pass);
}

/// With a destination that is through before the last pass, which comes so much later than that.
fn ahead(by_us: u64) -> History {
    let over = status(Destination, "completed");
    let mut history = without(raw(PLAIN), |saw| *saw == over);
    let mut entries = history.entries.iter();
    let place = entries.position(|entry| begins(&entry.saw, Verb::Converge));
    let place = place.expect("it is let go") + 1;
    let at_us = history.entries[place].at_us;
    for entry in &mut history.entries[place..] {
        entry.at_us += by_us;
    }
    history.entries.insert(place, Entry { at_us, saw: over });
    history
}

#[test]
fn a_destination_that_is_through_before_the_last_pass_was_not_sent_it() {
    // The guest is stopped 53 ms after that pass.
    assert_kind(&ahead(40_000), Condition::Migrated, Kind::Pass);
    let why = "and its guest was stopped on the source after that";
    fails(&ahead(60_000), Condition::Migrated, why);
    let why = "and a pass over its memory began on the source after that";
    fails(&ahead(100_001), Condition::Migrated, why);
}
