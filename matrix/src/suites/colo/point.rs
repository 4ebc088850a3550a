//! A point of the `colo` suite: two guests in lock-step, and what is left when one is lost.
//!
//! The semantics are those of `docs/system/qemu-colo.rst` and of `qapi/migration.json`
//! (`COLOMode`, `COLOExitReason`, `x-colo-lost-heartbeat`) and `qapi/yank.json`.

use super::axes::{CheckpointDelay, ColoChannel, ColoDisk, ColoMoment, Failover, Loss};
use crate::{Accelerator, Condition, MachineChoice, Side, Version, axis::axes_point};

/// Two guests in lock-step, and the loss of one. Its text is `CHANNEL/FAILOVER/MOMENT/OPTIONS`, as in
/// `single-channel/primary/idle/plain`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Colo {
    /// How checkpoints travel.
    pub channel: ColoChannel,
    /// Who takes over.
    pub failover: Failover,
    /// When.
    pub moment: ColoMoment,
    /// How the other is lost.
    pub loss: Loss,
    /// The machine type.
    pub machine: MachineChoice,
    /// The disk.
    pub disk: ColoDisk,
    /// The time between checkpoints.
    pub delay: CheckpointDelay,
    /// The accelerator.
    pub accelerator: Accelerator,
}

axes_point! {
    Colo, "CHANNEL/FAILOVER/MOMENT/OPTIONS",
    heads: [channel: ColoChannel, failover: Failover, moment: ColoMoment],
    options: [
        loss: Loss,
        machine: MachineChoice,
        disk: ColoDisk,
        delay: CheckpointDelay,
        accelerator: Accelerator,
    ]
}

/// The first release in which COLO was seen to do without what [`Colo::needs`] tells of the older
/// ones. It refuses `x-colo` without `return-path`; they fail with it.
pub(super) const REWORKED: Version = Version::new(11, 1, 0);

impl Colo {
    /// Who goes on alone.
    #[must_use]
    pub const fn survivor(&self) -> Side {
        match self.failover {
            Failover::Primary => Side::Source,
            Failover::Secondary => Side::Destination,
        }
    }

    /// The capabilities that a QEMU of `version` is told to turn on, all in one command, on either
    /// side.
    #[must_use]
    pub fn capabilities(&self, version: Version) -> Vec<&'static str> {
        let mut all = vec!["events", "x-colo"];
        if version >= REWORKED {
            all.push("return-path");
        }
        match self.channel {
            ColoChannel::Single => {}
            ColoChannel::Multifd => all.push("multifd"),
        }
        all
    }

    /// Whether the survivor's monitor is expected to be silent until it is yanked, by the version of
    /// the primary: that sends a checkpoint while it holds the lock that its monitor needs, and the
    /// peer takes nothing and does not go away. (Of a peer that is yanked from, nothing is passed on
    /// until then.) Older releases send without the lock.
    #[must_use]
    pub fn blocks_the_monitor(&self, version: Version) -> bool {
        let takes_nothing = match self.loss {
            Loss::Yank | Loss::Stop | Loss::Cut => true,
            Loss::Kill => false,
        };
        let sends = (self.failover, self.moment) == (Failover::Primary, ColoMoment::Checkpoint);
        sends && takes_nothing && version >= REWORKED
    }

    /// The conditions that a case of it is judged by.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        vec![
            Condition::SourceStarted,
            Condition::Settings,
            Condition::Checkpoints,
            Condition::Mirror,
            Condition::Failover,
            Condition::Memory,
            Condition::Alive,
            Condition::Remigrate,
            Condition::NoLeftovers,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::colo::profiles::full;

    #[test]
    fn every_point_is_read_as_it_is_written() {
        for point in full() {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
    }

    #[test]
    fn a_return_path_is_asked_for_only_where_it_is_needed() {
        let point = Colo::default();
        let old = point.capabilities(Version::new(10, 0, 13));
        assert_eq!(old, ["events", "x-colo"]);
        let new = point.capabilities(Version::new(11, 1, 0));
        assert_eq!(new, ["events", "x-colo", "return-path"]);
    }

    #[test]
    fn only_a_primary_in_the_middle_of_a_checkpoint_can_be_blocked() {
        let is_blocked = |point: &Colo| point.blocks_the_monitor(REWORKED);
        let blocked: Vec<_> = full().into_iter().filter(is_blocked).collect();
        assert!(!blocked.is_empty());
        let only = (Failover::Primary, ColoMoment::Checkpoint);
        assert!(
            blocked
                .iter()
                .all(|point| (point.failover, point.moment) == only)
        );
        let old = Version::new(10, 0, 13);
        assert!(!blocked.iter().any(|point| point.blocks_the_monitor(old)));
    }
}
