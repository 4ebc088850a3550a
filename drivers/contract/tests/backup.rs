//! The scripts of chains of backups.

mod scripts;

use migratrix_contract::{BackupStep, Phase, Script, Step};
use migratrix_guest::Disk;
use migratrix_history::{Side, Verb};
use migratrix_matrix::{BackupAction, BackupFault, ChainedFault, Fault, OnError, Point};
use scripts::script;

fn broken(fault: BackupFault) -> Script {
    let point = Fault::Backup(fault).point();
    script(&format!("faults/qemu/a,b/{point}/{}", fault.word()))
}

/// What comes right before and right after the step that breaks something.
fn around(script: &Script) -> [Step; 2] {
    let steps: Vec<Step> = script.steps.iter().map(|(_, step)| *step).collect();
    let breaks = |step: &Step| step.verb() == Verb::Break;
    let place = steps.iter().position(breaks).expect("something is broken");
    [steps[place - 1], steps[place + 1]]
}

fn act(step: Step) -> Option<BackupAction> {
    if let Step::Backup(BackupStep::Act(_, act)) = step {
        return Some(act);
    }
    None
}

#[test]
fn a_step_is_made_of_each_act_on_its_side() {
    let name = "backup/qemu/a,b/shared-storage/blockdev-backup/incremental-simple/in-transaction";
    let script = script(name);
    let Point::Backup(backup) = script.case.point else {
        panic!("{name} is a chain")
    };
    let acts: Vec<BackupAction> = script
        .steps
        .iter()
        .filter_map(|(_, step)| act(*step))
        .collect();
    assert_eq!(acts, backup.acts());
    let jump = script
        .steps
        .iter()
        .position(|(_, step)| act(*step) == Some(BackupAction::Migrate));
    let (before, after) = script.steps.split_at(jump.unwrap() + 1);
    let on = |steps: &[(Phase, Step)], side| {
        let sides = steps.iter().filter(|(phase, _)| *phase != Phase::Clear);
        sides
            .map(|(_, step)| step.side())
            .all(|own| own == Some(side))
    };
    assert!(on(before, Side::Source) && on(after, Side::Destination));
}

#[test]
fn only_a_guest_that_writes_has_a_disk_to_stamp() {
    let of = |writer: &str| {
        let point =
            format!("shared-storage/blockdev-backup/incremental-simple/{writer}in-transaction");
        script(&format!("backup/qemu/a,b/{point}"))
            .subject
            .guest
            .disk
    };
    assert_eq!(of(""), None);
    assert_eq!(of("guest+"), Some(Disk::SMALL));
}

#[test]
fn a_bitmap_is_cleared_before_it_is_looked_at() {
    let [before, after] = around(&broken(BackupFault::BitmapCleared));
    assert!(
        matches!(act(before), Some(BackupAction::Write(..))),
        "{before}"
    );
    assert_eq!(act(after), Some(BackupAction::Inspect));
}

#[test]
fn an_image_is_spoiled_before_it_is_compared() {
    let [_, after] = around(&broken(BackupFault::SectorOverwritten));
    assert!(
        matches!(act(after), Some(BackupAction::Compare(_))),
        "{after}"
    );
    let [_, after] = around(&broken(BackupFault::LinkMissing));
    assert_eq!(act(after), Some(BackupAction::End));
}

#[test]
fn a_write_is_undone_when_the_guest_can_not_write_it_again() {
    let [before, _] = around(&broken(BackupFault::WriteLost));
    assert_eq!(act(before), Some(BackupAction::Halt));
}

#[test]
fn errors_are_ignored_and_bitmaps_left_behind_by_another_way_to_ask() {
    let steps = |fault| broken(fault).steps.into_iter().map(|(_, step)| step);
    let ignores = |step| matches!(act(step), Some(BackupAction::Increment(_, OnError::Ignore)));
    assert!(steps(BackupFault::ErrorSwallowed).any(ignores));
    let incapable = Step::Backup(BackupStep::MeetIncapable);
    let mut left = steps(BackupFault::BitmapLeftBehind);
    assert!(left.any(|step| step == incapable));
}

#[test]
fn every_fault_changes_what_is_done() {
    for fault in BackupFault::ALL {
        let point = Fault::Backup(fault).point();
        let honest = script(&format!("backup/qemu/a,b/{point}"));
        assert_ne!(honest.steps, broken(fault).steps, "{}", fault.word());
    }
}

const CHAINED: &str = "shared-storage/qemu-io/p2p/persistent-running-undefined/none";

#[test]
fn a_chain_that_libvirt_makes_lies_around_the_steps_of_its_scenario() {
    let chained = script(&format!("backup/libvirt/a,a,b/{CHAINED}"));
    let scenario = script("tck/libvirt/a,a,b/p2p/persistent-running-undefined/none");
    let (acts, steps): (Vec<_>, Vec<_>) = chained
        .steps
        .iter()
        .partition(|(_, step)| act(*step).is_some());
    assert_eq!(steps, scenario.steps);
    let Point::Chained(point) = chained.case.point else {
        panic!("{CHAINED} is a chain")
    };
    let told = point.expected_actions().into_iter().map(|scene| scene.act);
    assert!(acts.iter().filter_map(|(_, step)| act(*step)).eq(told));
    let is_placed = |(phase, step): &(Phase, Step)| match step.side() {
        Some(Side::Source) => *phase == Phase::Before,
        Some(Side::Destination) => *phase == Phase::After,
        None => false,
    };
    assert!(acts.iter().all(is_placed));
    assert!(chained.steps.is_sorted_by_key(|(phase, _)| *phase));
}

fn broken_chain(fault: ChainedFault) -> Script {
    let point = Fault::Chained(fault).point();
    script(&format!("faults/libvirt/a,a,b/{point}/{}", fault.word()))
}

#[test]
fn a_chain_that_libvirt_makes_is_spoiled_on_the_destination() {
    let [before, after] = around(&broken_chain(ChainedFault::Cleared));
    assert_eq!(
        [act(before), act(after)],
        [Some(BackupAction::Reinstate), Some(BackupAction::Inspect)]
    );
    let [_, after] = around(&broken_chain(ChainedFault::Overwritten));
    assert!(
        matches!(act(after), Some(BackupAction::Compare(_))),
        "{after}"
    );
    let [_, after] = around(&broken_chain(ChainedFault::FullMissing));
    assert_eq!(act(after), Some(BackupAction::End));
    let steps = broken_chain(ChainedFault::Forgotten).steps;
    assert!(
        steps
            .iter()
            .all(|(_, step)| act(*step) != Some(BackupAction::Reinstate))
    );
}
