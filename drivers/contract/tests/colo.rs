//! The scripts of two guests in lock-step.

mod scripts;

use migratrix_contract::{ColoStep, Phase, Step};
use migratrix_history::Side::{Destination, Source};
use migratrix_matrix::{Backend, ColoFault, Fault, Profile};
use scripts::{said, script};

#[test]
fn the_other_is_fenced_after_the_yank_and_before_the_survivor_is_told() {
    let script = script("colo/qemu/a,b/single-channel/secondary/checkpoint/stopped-process");
    let lost: Vec<_> = said(&script)
        .into_iter()
        .skip_while(|step| step != "lose source")
        .take(7)
        .collect();
    let expected = [
        "lose source",
        "ask the monitor of destination",
        "yank the connection on destination",
        "ask the monitor of destination",
        "fence source",
        "tell destination that the other is lost",
        "await that destination has left COLO",
    ];
    assert_eq!(lost, expected);
}

#[test]
fn three_checkpoints_come_before_the_memory_is_compared() {
    let said = said(&script("colo/qemu/a,b/single-channel/primary/idle/plain"));
    let compared = said
        .iter()
        .position(|step| step == "compare the memory of both sides");
    let before = said.iter().take(compared.unwrap());
    assert_eq!(
        before.filter(|step| *step == "await a checkpoint").count(),
        3
    );
}

#[test]
fn every_script_goes_through_its_phases_and_clears_both_sides() {
    for (point, _) in Profile::COLO_FULL.points(Backend::Qemu) {
        let script = script(&format!("colo/qemu/a,b/{point}"));
        assert!(
            script.steps.is_sorted_by_key(|(phase, _)| *phase),
            "{point}"
        );
        for side in [Source, Destination] {
            assert!(script.steps.contains(&(Phase::Clear, Step::Clear(side))));
        }
    }
}

#[test]
fn every_fault_changes_its_script() {
    for fault in ColoFault::ALL {
        let point = Fault::Colo(fault).point();
        let sound = said(&script(&format!("colo/qemu/a,b/{point}")));
        let broken = said(&script(&format!(
            "faults/qemu/a,b/{point}/{}",
            fault.word()
        )));
        assert_ne!(sound, broken, "{}", fault.word());
    }
}

#[test]
fn a_page_is_changed_while_both_guests_are_held() {
    let script = script("faults/qemu/a,b/single-channel/primary/idle/plain/secondary-page-changed");
    let steps: Vec<_> = script.steps.iter().map(|(_, step)| *step).collect();
    let expected = [
        Step::Colo(ColoStep::Hold),
        Step::PokeByte(Destination),
        Step::Colo(ColoStep::Mirror),
    ];
    assert!(steps.windows(3).any(|window| window == expected));
}
