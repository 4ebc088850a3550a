//! The scripts of raw migrations.

mod scripts;

use migratrix_contract::{Phase, RawStep, Step};
use migratrix_history::Side;
use migratrix_matrix::{Backend, Case, Profile, RawFault, ReleaseName, Tuple};
use scripts::{said, script};

/// What is said between the looks before and after.
fn on_the_way(name: &str) -> Vec<String> {
    let script = script(name);
    let steps = script.steps.iter();
    let migration = steps.filter(|(phase, _)| *phase == Phase::Migration);
    migration.map(|(_, step)| step.to_string()).collect()
}

#[test]
fn a_plain_precopy_waits_for_a_further_pass_before_it_is_let_go() {
    let expected = [
        "listen",
        "migrate",
        "await active on source",
        "inspect what carries the stream",
        "await a further pass",
        "converge",
        "await completed on source",
        "await completed on destination",
    ];
    assert_eq!(
        on_the_way("qemu/qemu/a,b/precopy/unix/running/plain"),
        expected
    );
}

#[test]
fn what_would_be_over_at_once_waits_before_its_switchover_until_its_channels_were_counted() {
    for point in [
        "cpr-transfer/unix/stopped/channels+multifd",
        "cpr-reboot/unix/stopped/multifd",
        "precopy/unix/running/ignore-shared+multifd",
        "precopy/file-fdset/stopped/mapped-ram+multifd+4-channels",
    ] {
        let steps = on_the_way(&format!("qemu/qemu/a,b/{point}"));
        let place = |word: &str| steps.iter().position(|step| step.starts_with(word));
        let held = place("await pre-switchover on source");
        assert!(held.is_some(), "{point}: {steps:?}");
        assert!(place("count the channels") < held, "{point}: {steps:?}");
    }
    let lasts = on_the_way("qemu/qemu/a,b/precopy/unix/running/multifd");
    assert!(!lasts.contains(&"await pre-switchover on source".to_owned()));
}

#[test]
fn a_file_is_read_when_it_is_whole() {
    let steps = on_the_way("qemu/qemu/a,b/precopy/file/running/plain");
    let place = |word: &str| steps.iter().position(|step| step == word).unwrap();
    assert!(place("await completed on source") < place("read the stream"));
    assert!(place("read the stream") < place("listen"));
}

#[test]
fn a_lost_connection_is_recovered_after_what_was_tried_in_vain() {
    let steps = on_the_way("qemu/qemu/a,b/postcopy/unix/running/fail-reconnect");
    let place = |word: &str| steps.iter().position(|step| step == word).unwrap();
    assert!(place("lose the connection") < place("recover where nobody listens"));
    assert!(place("recover where nobody listens") < place("recover"));
    assert!(place("recover") < place("converge"));
}

#[test]
fn a_guest_whose_connection_is_lost_has_more_memory_than_comes_until_then() {
    let guest = |point: &str| script(&format!("qemu/qemu/a,b/{point}")).subject.guest;
    let plain = guest("postcopy/unix/running/plain");
    for incident in ["recover", "fail-handshake", "fail-reconnect"] {
        let lost = guest(&format!("postcopy/unix/running/{incident}"));
        assert_eq!(lost.bytes(), 8 * plain.bytes(), "{incident}");
    }
}

#[test]
fn a_sleeping_guest_is_told_to_sleep_and_is_woken_at_the_end() {
    let script = script("qemu/qemu/a,b/precopy/unix/suspended/plain");
    assert!(script.subject.guest.suspend);
    assert!(said(&script).contains(&"wake destination".to_owned()));
}

#[test]
fn a_cancelled_guest_is_looked_for_on_the_source() {
    let script = script("qemu/qemu/a,b/precopy/unix/running/cancel-active");
    let surveys = script
        .steps
        .iter()
        .filter(|(_, step)| matches!(step, Step::Survey(_)));
    let surveys: Vec<_> = surveys.map(|(_, step)| step.side()).collect();
    assert_eq!(surveys, [Some(Side::Source)]);
}

#[test]
fn every_fault_changes_what_is_done() {
    for fault in RawFault::ALL {
        let point = migratrix_matrix::Fault::Raw(fault).point();
        let honest = script(&format!("qemu/qemu/a,b/{point}"));
        let broken = script(&format!("faults/qemu/a,b/{point}/{}", fault.word()));
        let differs = honest.steps != broken.steps || honest.subject != broken.subject;
        assert!(differs, "{} changes nothing", fault.word());
    }
}

#[test]
fn every_script_ends_in_clearing_both_sides() {
    let name = ReleaseName::new("a").unwrap();
    for (point, fault) in Profile::MIGRATION_TEST.points(Backend::Qemu) {
        let tuple = Tuple {
            client: name.clone(),
            source: name.clone(),
            destination: name.clone(),
        };
        let case = Case {
            backend: Backend::Qemu,
            tuple,
            point,
            fault,
        };
        let script = scripts::of(&case);
        let clearing = script
            .steps
            .iter()
            .filter(|(phase, _)| *phase == Phase::Clear);
        assert_eq!(clearing.count(), 4, "{case}");
        let asks = |step: &Step| *step == Step::Raw(RawStep::Migrate);
        assert!(script.steps.iter().any(|(_, step)| asks(step)), "{case}");
    }
}
