//! The faults of two guests in lock-step, and the condition that must see each.

use crate::{
    Accelerator, CheckpointDelay, Colo, ColoChannel, ColoDisk, ColoMoment, Failover, Loss,
    MachineChoice, fault::rows::faults,
};

faults! {
    /// One thing to break on purpose in a COLO pair. The primary is the survivor of each.
    ColoFault: Colo;

    /// One checkpoint less is awaited than must be proven.
    CheckpointMissing = "checkpoint-missing": Migration, PAIR, Checkpoints, Fail;
    /// One byte of the secondary's memory is changed through qtest between two checkpoints.
    PageChanged = "secondary-page-changed": Migration, PAIR, Mirror, Fail;
    /// The survivor is not told that the other is lost.
    HeartbeatWithheld = "heartbeat-withheld": Migration, PAIR, Failover, Fail;
    /// The survivor is stopped when it has left COLO.
    SurvivorStopped = "survivor-stopped": AfterMigration, PAIR, Alive, Fail;
    /// The other is yanked from, and not killed: it runs on beside the survivor.
    NotFenced = "not-fenced": Migration, PAIR, Alive, Fail;
    /// A capability is turned on right before the migration, after all was asked back.
    SwitchedOn = "colo-switched-on": BeforeMigration, PAIR, Settings, Fail;
    /// A file is left in the case's folder before that is removed, and goes with it.
    FileLeft = "colo-file-left": AfterMigration, PAIR, NoLeftovers, Fail;
    /// COLO is left on for the migration of the survivor.
    ColoLeftOn = "colo-left-on": AfterMigration, PAIR, Remigrate, Fail;
}

/// The usual pair: the primary goes on when its connection was yanked between two checkpoints.
const PAIR: Colo = Colo {
    channel: ColoChannel::Single,
    failover: Failover::Primary,
    moment: ColoMoment::Idle,
    loss: Loss::Yank,
    machine: MachineChoice::Q35,
    disk: ColoDisk::None,
    delay: CheckpointDelay::Usual,
    accelerator: Accelerator::Tcg,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_run_on_the_usual_pair_which_has_its_condition() {
        assert_eq!(PAIR, Colo::default());
        for fault in ColoFault::ALL {
            let condition = fault.row().detected_by;
            assert!(PAIR.conditions().contains(&condition), "{}", fault.word());
        }
    }
}
