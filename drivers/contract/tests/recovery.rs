//! The scripts of migrations that are struck on their way.

mod scripts;

use migratrix_contract::{Phase, RecoveryStep, Step};
use migratrix_history::Side::{Destination, Source};
use migratrix_matrix::{Backend, Fault, Point, Profile, RecoveryFault, excluded};
use scripts::{of, said, script};

const SCENARIO: &str = "p2p/persistent-running-undefined/live";

fn named(head: &str) -> Vec<String> {
    said(&script(&format!(
        "recovery/libvirt/a,a,b/{head}/{SCENARIO}"
    )))
}

/// The steps of the migration itself.
fn migration(head: &str) -> Vec<String> {
    let script = script(&format!("recovery/libvirt/a,a,b/{head}/{SCENARIO}"));
    let steps = script.steps.iter();
    let steps = steps.filter(|(phase, _)| *phase == Phase::Migration);
    steps.map(|(_, step)| step.to_string()).collect()
}

#[test]
fn a_fault_in_flight_strikes_while_the_migration_is_held() {
    let expected = [
        "make ready to hold at first-pass",
        "begin the migration",
        "await first-pass",
        "strike: cancelled",
        "let the migration go",
        "await the answer, 30 s",
        "wait until nothing moves",
    ];
    assert_eq!(migration("cancelled/first-pass"), expected);
}

#[test]
fn what_lasts_is_undone_when_its_peers_have_waited_for_long_enough() {
    let expected = [
        "make ready to hold at prepare",
        "begin the migration",
        "await prepare",
        "strike: destination-daemon-silent",
        "let the migration go",
        "wait for the answer for 10 s",
        "undo: destination-daemon-silent",
        "await the answer, 30 s",
        "wait until nothing moves",
    ];
    assert_eq!(migration("destination-daemon-silent/prepare"), expected);
}

#[test]
fn the_cause_of_a_refusal_is_there_before_the_call_and_gone_before_anything_is_looked_at() {
    let expected = [
        "strike: hook-start",
        "begin the migration",
        "await the answer, 30 s",
        "undo: hook-start",
        "wait until nothing moves",
    ];
    assert_eq!(migration("hook-start/call"), expected);
}

#[test]
fn a_postcopy_that_is_given_up_is_let_go_only_when_it_is_healed() {
    let goes_on = named("source-daemon-killed/postcopy-end");
    let given_up = named("source-daemon-killed/postcopy-end+give-up");
    let place = |steps: &[String], what: &str| steps.iter().position(|step| step == what).unwrap();
    let (release, heal) = ("let the migration go", "heal what is left");
    assert!(place(&goes_on, release) < place(&goes_on, "undo: source-daemon-killed"));
    assert!(place(&given_up, release) > place(&given_up, heal));
}

#[test]
fn more_memory_is_stamped_than_all_buffers_hold_where_postcopy_is_struck_in_its_middle() {
    let bytes = |head: &str| {
        let script = script(&format!("recovery/libvirt/a,a,b/{head}/{SCENARIO}"));
        let subject = script.subject;
        assert!(subject.memory_mib >= subject.guest.memory_mib());
        subject.guest.bytes()
    };
    assert_eq!(bytes("data-reset/postcopy-middle"), 17 << 20);
    assert_eq!(bytes("data-reset/postcopy-end"), 1 << 20);
    assert_eq!(bytes("data-reset/first-pass"), 1 << 20);
}

#[test]
fn both_sides_are_watched_from_before_the_call_to_after_the_retry_and_all_is_cleared() {
    for (point, _) in Profile::COMMON.points(Backend::Libvirt) {
        let name = format!("recovery/libvirt/a,a,b/{point}");
        let script = of(&name.parse().unwrap());
        if excluded(&script.case).is_some() {
            continue;
        }
        assert!(script.steps.is_sorted_by_key(|(phase, _)| *phase), "{name}");
        let place = |wanted: RecoveryStep| {
            let is = |(_, step): &(Phase, Step)| *step == Step::Recovery(wanted);
            script.steps.iter().position(is).unwrap()
        };
        assert!(
            place(RecoveryStep::Watch) < place(RecoveryStep::Begin),
            "{name}"
        );
        assert!(
            place(RecoveryStep::Heal) < place(RecoveryStep::Retry),
            "{name}"
        );
        assert!(
            place(RecoveryStep::Retry) < place(RecoveryStep::Unwatch),
            "{name}"
        );
        for side in [Source, Destination] {
            assert!(
                script.steps.contains(&(Phase::Clear, Step::Clear(side))),
                "{name}"
            );
        }
    }
}

#[test]
fn every_fault_of_ours_changes_its_script() {
    for fault in RecoveryFault::ALL {
        let point = Fault::Recovery(fault).point();
        assert!(matches!(point, Point::Recovery(_)));
        let sound = said(&script(&format!("recovery/fake/a,a,b/{point}")));
        let broken = said(&script(&format!(
            "faults/fake/a,a,b/{point}/{}",
            fault.word()
        )));
        assert_ne!(sound, broken, "{}", fault.word());
    }
}
