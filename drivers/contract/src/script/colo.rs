//! The script of two guests in lock-step.
//!
//! ```text
//!   launch ─▶ colo ─▶ 3 checkpoints ─▶ hold, compare, release ─▶ lose one
//!                                                                  │
//!   onward ◀─ look, beat, survey ◀─ left COLO ◀─ lost heartbeat ◀─ fence ◀─ yank
//! ```
//!
//! A production set-up does the same in the same order: the survivor's connection is yanked first,
//! since its monitor may hang on it; then the other is fenced, since it would run on beside; then
//! the survivor is told.

use migratrix_history::{Side, When};
use migratrix_matrix::{Colo, ColoFault, Raw};

use crate::{ColoStep, Phase, RawStep, Script, Step};
use Side::{Destination, Source};

/// How many checkpoints are proven before a side is lost.
const CHECKPOINTS: usize = 3;

/// The state of a migration that has become COLO (`MigrationStatus`).
const COLO: &str = "colo";

/// The migration that lies under the pair.
pub(super) fn base_migration(colo: &Colo) -> Raw {
    Raw {
        machine: colo.machine,
        accelerator: colo.accelerator,
        ..Raw::USUAL
    }
}

/// The steps of a pair, of which one is lost.
pub(super) fn steps(case: &Colo) -> Vec<(Phase, Step)> {
    let survivor = case.survivor();
    let lost = survivor.other();
    let mut migration = begin();
    migration.extend(checkpoints());
    migration.extend(failover(survivor, lost));
    let mut after = alone(survivor, lost);
    after.extend(onward(survivor, lost));
    let phases = [
        (Phase::Prepare, prepare()),
        (Phase::Before, before()),
        (Phase::Migration, migration),
        (Phase::After, after),
        (Phase::Clear, clear()),
    ];
    let phases = phases.into_iter();
    phases
        .flat_map(|(phase, steps)| steps.into_iter().map(move |step| (phase, step)))
        .collect()
}

const fn colo(step: ColoStep) -> Step {
    Step::Colo(step)
}

fn prepare() -> Vec<Step> {
    vec![
        Step::Raw(RawStep::Launch(Source)),
        Step::Raw(RawStep::Launch(Destination)),
        Step::AwaitBeat(Source),
        colo(ColoStep::Configure(Source)),
        colo(ColoStep::Configure(Destination)),
    ]
}

fn before() -> Vec<Step> {
    vec![
        Step::Inspect(Source, When::Before),
        Step::Beat(Source, When::Before),
        Step::ReadRam(Source, When::Before),
    ]
}

fn begin() -> Vec<Step> {
    vec![
        Step::Raw(RawStep::Listen),
        colo(ColoStep::Relay),
        Step::Raw(RawStep::Migrate),
        Step::Raw(RawStep::Await(Source, COLO)),
        Step::Raw(RawStep::Await(Destination, COLO)),
        Step::Raw(RawStep::AskSettings(Source)),
        Step::Raw(RawStep::AskSettings(Destination)),
    ]
}

fn checkpoints() -> Vec<Step> {
    let mut steps = vec![colo(ColoStep::AwaitCheckpoint); CHECKPOINTS];
    steps.extend([
        colo(ColoStep::Hold),
        colo(ColoStep::Mirror),
        colo(ColoStep::Release),
    ]);
    steps
}

fn failover(survivor: Side, lost: Side) -> Vec<Step> {
    vec![
        colo(ColoStep::Lose(lost)),
        colo(ColoStep::AskMonitor(survivor)),
        colo(ColoStep::Yank(survivor)),
        colo(ColoStep::AskMonitor(survivor)),
        colo(ColoStep::Fence(lost)),
        colo(ColoStep::LostHeartbeat(survivor)),
        colo(ColoStep::AwaitExit(survivor)),
    ]
}

fn alone(survivor: Side, lost: Side) -> Vec<Step> {
    vec![
        Step::Inspect(Source, When::After),
        Step::Inspect(Destination, When::After),
        Step::Beat(survivor, When::After),
        Step::Beat(lost, When::After),
        Step::Survey(survivor),
        Step::ReadRam(survivor, When::After),
        Step::Resume(survivor),
    ]
}

fn onward(survivor: Side, lost: Side) -> Vec<Step> {
    vec![
        colo(ColoStep::Refill(lost)),
        colo(ColoStep::LeaveColo(survivor)),
        colo(ColoStep::Onward(survivor)),
        Step::Inspect(survivor, When::After),
        Step::Beat(lost, When::After),
        Step::Survey(lost),
        Step::ReadRam(lost, When::After),
    ]
}

fn clear() -> Vec<Step> {
    vec![
        Step::Clear(Destination),
        Step::Clear(Source),
        Step::Leftovers(Source),
        Step::Leftovers(Destination),
    ]
}

impl Script {
    /// Puts the steps of a fault of COLO where it strikes.
    pub(super) fn inject_colo(&mut self, fault: ColoFault) {
        let is = |wanted: ColoStep| move |step: &Step| *step == colo(wanted);
        match fault {
            ColoFault::CheckpointMissing => self.leave_out(colo(ColoStep::AwaitCheckpoint)),
            ColoFault::PageChanged => {
                self.before(is(ColoStep::Mirror), Step::PokeByte(Destination));
            }
            ColoFault::HeartbeatWithheld => {
                self.leave_out(colo(ColoStep::LostHeartbeat(Source)));
            }
            ColoFault::SurvivorStopped => self.after(Phase::Migration, [Step::Suspend(Source)]),
            ColoFault::NotFenced => self.leave_out(colo(ColoStep::Fence(Destination))),
            ColoFault::FileLeft => self.after(Phase::After, [Step::LeaveFile(Source)]),
            ColoFault::SwitchedOn => {
                let on = Step::Raw(RawStep::SwitchOn(Source));
                self.after(Phase::Before, [on]);
            }
            ColoFault::ColoLeftOn => self.leave_out(colo(ColoStep::LeaveColo(Source))),
        }
    }

    /// Leaves out the first step that is `left`.
    fn leave_out(&mut self, left: Step) {
        if let Some(place) = self.steps.iter().position(|(_, step)| *step == left) {
            self.steps.remove(place);
        }
    }
}
