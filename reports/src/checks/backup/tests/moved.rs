//! What a chain comes through on its way to another QEMU: each law is broken once, and kept by what only looks so.

use migratrix_history::Entry;

use super::*;

const ON_ITS_WAY: [(Side, &[&str]); 2] = [
    (
        Side::Source,
        &["setup", "active", "pre-switchover", "device", "completed"],
    ),
    (Side::Destination, &["setup", "active", "completed"]),
];

fn state(side: Side, word: &str) -> Observation {
    raw_story::status(side, word)
}

/// The place of the first thing that is this one.
fn place(history: &History, of: &Observation) -> usize {
    let mut entries = history.entries.iter();
    let place = entries.position(|entry| entry.saw == *of);
    place.expect("it is told of")
}

/// With something seen right behind the first thing that is this one.
fn behind(mut history: History, of: &Observation, saw: Observation) -> History {
    let place = place(&history, of);
    let at_us = history.entries[place].at_us;
    history.entries.insert(place + 1, Entry { at_us, saw });
    history
}

/// With something seen right when the step of this number, of those that make the chain, was begun.
fn within(mut history: History, act: BackupAction, saw: Observation) -> History {
    let Point::Backup(backup) = history.header.case.point else {
        panic!("it is a chain")
    };
    let acts = backup.expected_actions();
    let number = acts.iter().position(|scene| scene.act == act);
    let begun = |entry: &(usize, &Entry)| matches!(&entry.1.saw, Observation::Began { verb, .. } if *verb == Verb::Backup);
    let mut places = history.entries.iter().enumerate().filter(begun);
    let (place, entry) = places
        .nth(number.expect("it is one of its acts"))
        .expect("it was begun");
    let at_us = entry.at_us;
    history.entries.insert(place + 1, Entry { at_us, saw });
    history
}

fn migrated(history: &History, kind: Kind) {
    assert_kind(history, Condition::Migrated, kind);
}

fn heard(history: &History, kind: Kind) {
    assert_kind(history, Condition::Events, kind);
}

#[test]
fn a_state_on_the_way_that_is_missing_or_one_more_is_seen_on_either_side() {
    for (side, words) in ON_ITS_WAY {
        for word in words {
            let missing = without(of(SHARED), |saw| *saw == state(side, word));
            let kind = match *word {
                "completed" => Kind::Unknown,
                _ => Kind::Fail,
            };
            migrated(&missing, kind);
            let one_more = behind(
                of(SHARED),
                &state(side, word),
                state(side, "postcopy-active"),
            );
            let kind = match *word {
                "completed" => Kind::Unknown,
                _ => Kind::Fail,
            };
            migrated(&one_more, kind);
            let twice = behind(of(SHARED), &state(side, word), state(side, word));
            migrated(&twice, Kind::Pass);
        }
    }
}

#[test]
fn states_in_another_order_are_seen() {
    for (side, words) in ON_ITS_WAY {
        for pair in words.windows(2).filter(|pair| pair[1] != "completed") {
            let mut history = of(SHARED);
            let places = [pair[0], pair[1]].map(|word| place(&history, &state(side, word)));
            for (place, word) in places.into_iter().zip([pair[1], pair[0]]) {
                history.entries[place].saw = state(side, word);
            }
            migrated(&history, Kind::Fail);
        }
    }
}

fn sent(change: impl Fn(Side, &mut Value)) -> History {
    changed(of(SHARED), |saw| {
        if let Observation::Command {
            side, arguments, ..
        } = saw
        {
            change(*side, arguments);
        }
    })
}

fn told_to(side: Side, word: &str) -> Observation {
    Observation::Command {
        side,
        command: word.to_owned(),
        arguments: json!({"uri": "unix:/tmp/jump"}),
    }
}

#[test]
fn a_chain_that_is_sent_elsewhere_is_seen_and_one_that_nobody_or_two_sent_is_unknown() {
    for astray in Side::BOTH {
        let elsewhere = sent(|side, arguments| {
            if side == astray {
                *arguments = json!({"uri": "unix:/tmp/other"});
            }
        });
        migrated(&elsewhere, Kind::Fail);
    }
    for (side, word) in [
        (Side::Source, "migrate"),
        (Side::Destination, "migrate-incoming"),
    ] {
        let told = told_to(side, word);
        migrated(&without(of(SHARED), |saw| *saw == told), Kind::Unknown);
        migrated(&behind(of(SHARED), &told, told.clone()), Kind::Unknown);
        let other = told_to(side, "query-migrate");
        migrated(&behind(of(SHARED), &told, other), Kind::Pass);
    }
}

#[test]
fn a_migration_that_did_not_return_is_unknown_though_both_sides_are_through() {
    let why = "no answer within 30 s".to_owned();
    let silent = ended(SHARED, &Outcome::Unknown { why }, |_| true);
    migrated(&silent, Kind::Unknown);
}

#[test]
fn a_guest_is_stopped_once_on_its_way_and_goes_on_once() {
    for point in [SHARED, GUEST] {
        let is = |side: Side, word: &str| raw_story::event(side, word);
        let stop = is(Side::Source, "STOP");
        let resume = is(Side::Destination, "RESUME");
        for told in [&stop, &resume] {
            heard(&without(of(point), |saw| saw == told), Kind::Fail);
            heard(&behind(of(point), told, told.clone()), Kind::Fail);
        }
        for word in ["RESUME", "RESET", "SHUTDOWN", "WAKEUP", "GUEST_PANICKED"] {
            for side in Side::BOTH {
                heard(&behind(of(point), &stop, is(side, word)), Kind::Fail);
                let early = within(of(point), BackupAction::Meet, is(side, word));
                heard(&early, Kind::Fail);
            }
        }
        heard(
            &behind(of(point), &resume, is(Side::Source, "RESUME")),
            Kind::Fail,
        );
        heard(
            &behind(of(point), &stop, is(Side::Source, "SUSPEND")),
            Kind::Pass,
        );
        heard(&within(of(point), BackupAction::Inspect, stop), Kind::Pass);
    }
}

#[test]
fn a_guest_is_told_to_go_on_only_where_it_is_to() {
    let cont = |side| told_to(side, "cont");
    for act in [BackupAction::Meet, BackupAction::Migrate] {
        for side in Side::BOTH {
            heard(&within(of(SHARED), act, cont(side)), Kind::Fail);
        }
    }
    let on = |side| within(of(SHARED), BackupAction::Continue, cont(side));
    heard(&on(Side::Destination), Kind::Pass);
    heard(&on(Side::Source), Kind::Fail);
}

#[test]
fn a_chain_that_never_came_to_its_way_proves_nothing_of_it() {
    let mut cut = of(SHARED);
    let place = place(&cut, &told_to(Side::Destination, "migrate-incoming"));
    cut.entries.truncate(place);
    migrated(&cut, Kind::Unknown);
    heard(&cut, Kind::Unknown);
}
