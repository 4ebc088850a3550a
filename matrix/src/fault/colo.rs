//! The faults of two guests in lock-step, and the condition that must see each.

use super::{Moment, Trip, table::Row};
use crate::{
    Accelerator, CheckpointDelay, Colo, ColoChannel, ColoDisk, ColoMoment, Condition, Failover,
    Loss, MachineChoice, Point,
};

/// One thing to break on purpose in a COLO pair. The primary is the survivor of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColoFault {
    /// One checkpoint less is awaited than must be proven.
    CheckpointMissing,
    /// One byte of the secondary's memory is changed through qtest between two checkpoints.
    PageChanged,
    /// The survivor is not told that the other is lost.
    HeartbeatWithheld,
    /// The survivor is stopped when it has left COLO.
    SurvivorStopped,
    /// The other is yanked from, and not killed: it runs on beside the survivor.
    NotFenced,
    /// COLO is left on for the migration of the survivor.
    ColoLeftOn,
}

impl ColoFault {
    /// All values, in the order of the conditions that they trip.
    pub const ALL: [Self; 6] = [
        Self::CheckpointMissing,
        Self::PageChanged,
        Self::HeartbeatWithheld,
        Self::SurvivorStopped,
        Self::NotFenced,
        Self::ColoLeftOn,
    ];

    /// The word that stands for it in names and filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CheckpointMissing => "checkpoint-missing",
            Self::PageChanged => "secondary-page-changed",
            Self::HeartbeatWithheld => "heartbeat-withheld",
            Self::SurvivorStopped => "survivor-stopped",
            Self::NotFenced => "not-fenced",
            Self::ColoLeftOn => "colo-left-on",
        }
    }

    pub(super) const fn row(self) -> Row {
        let (moment, trips) = match self {
            Self::CheckpointMissing => (Moment::Migration, Condition::Checkpoints),
            Self::PageChanged => (Moment::Migration, Condition::Mirror),
            Self::HeartbeatWithheld => (Moment::Migration, Condition::Failover),
            Self::SurvivorStopped => (Moment::AfterMigration, Condition::Alive),
            Self::NotFenced => (Moment::Migration, Condition::Alive),
            Self::ColoLeftOn => (Moment::AfterMigration, Condition::Onward),
        };
        Row {
            moment,
            point: Point::Colo(PAIR),
            trips,
            how: Trip::Fail,
        }
    }
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
            let trips = fault.row().trips;
            assert!(PAIR.conditions().contains(&trips), "{}", fault.word());
        }
    }
}
