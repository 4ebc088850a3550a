//! The faults of cases that are struck: what is broken on purpose beside the fault that the case is about,
//! and the condition that must see it.

use super::{axes::Strike, point::Recovery};
use crate::fault::rows::faults;

faults! {
    /// One thing to break on purpose in a migration that is struck on its way. All but two are on a
    /// migration that is cancelled in its first pass: the source must have the guest as it had.
    RecoveryFault: Recovery;

    /// The fault of the case is not committed.
    StrikeWithheld = "strike-withheld": Migration, HELD, Struck, Unknown;
    /// The call is not waited for: what was asked of the source's QEMU is never answered.
    AnswerWithheld = "answer-withheld": Migration, STOPPED, Answered, Fail;
    /// The domain is started on the destination as well, while it runs on the source.
    BothRun = "both-run": AfterMigration, HELD, OneRuns, Fail;
    /// The guest that must run is suspended on the source.
    OwnerPaused = "owner-paused": AfterMigration, HELD, Owner, Fail;
    /// The last page of the stamped memory of the guest, which stayed on the source, is put back by a lap.
    PageAged = "page-aged": AfterMigration, PAUSED, Memory, Fail;
    /// The guest that must run is halted on the source.
    OwnerHalted = "owner-halted": AfterMigration, HELD, Alive, Fail;
    /// The configuration that must stay is removed on the source.
    ConfigLost = "config-lost": AfterMigration, HELD, Config, Fail;
    /// A QEMU that listens on the port of the migration is left on the destination.
    PortLeft = "port-left": AfterMigration, HELD, Cleared, Fail;
    /// The destination's daemon, which nobody killed, is killed and started again.
    DaemonReplaced = "daemon-replaced": AfterMigration, HELD, Daemons, Fail;
    /// The destination gets another domain of that name before the retry.
    RetryRefused = "retry-refused": AfterMigration, HELD, Retried, Fail;
}

/// Cancelled in the first pass.
const HELD: Recovery = Recovery::USUAL;

/// The same, of a guest that is paused: it can't stamp over what is changed in its memory.
const PAUSED: Recovery = Recovery {
    scenario: HELD.scenario.paused(),
    ..HELD
};

/// Held still, and let go.
const STOPPED: Recovery = Recovery {
    strike: Strike::SourceQemuStopped,
    ..HELD
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Condition;

    #[test]
    fn each_is_run_on_a_point_that_has_its_condition() {
        for fault in RecoveryFault::ALL {
            let detected = fault.row().detected_by;
            assert!(Condition::RECOVERY.contains(&detected), "{}", fault.word());
        }
    }
}
