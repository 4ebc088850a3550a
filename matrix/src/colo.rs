//! A point of the `colo` suite: two guests in lock-step, and what is left when one is lost.
//!
//! The semantics are those of `docs/system/qemu-colo.rst` and of `qapi/migration.json`
//! (`COLOMode`, `COLOExitReason`, `x-colo-lost-heartbeat`) and `qapi/yank.json`.

mod needs;

use itertools::iproduct;

use crate::{
    Accelerator, Condition, MachineChoice, Place, Version,
    axes_text::axes_point,
    raw::axis::{Axis, axis},
};

axis! {
    /// How checkpoints travel.
    ColoChannel, "colo-channel" {
        /// Over one channel.
        Single = "single-channel",
        /// Over multifd's channels.
        Multifd = "multifd-channel",
    }
}

axis! {
    /// Who takes over when the other is lost.
    Failover, "failover" {
        /// The primary, which was migrated from.
        Primary = "primary",
        /// The secondary, which was migrated to.
        Secondary = "secondary",
    }
}

axis! {
    /// When the other is lost.
    ColoMoment, "colo-moment" {
        /// Between two checkpoints.
        Idle = "idle",
        /// In the middle of a checkpoint.
        Checkpoint = "checkpoint",
    }
}

axis! {
    /// How the other is lost.
    Loss, "loss" {
        /// The survivor yanks the migration's connection (`yank`) from a peer that works well.
        Yank = "yanked",
        /// Its process is killed (`SIGKILL`).
        Kill = "killed",
        /// Its process is stopped (`SIGSTOP`): it holds its end of the connection.
        Stop = "stopped-process",
        /// The network between the two passes nothing on any more.
        Cut = "cut-network",
    }
}

axis! {
    /// Whether the guests have a disk besides the one that they boot from.
    ColoDisk, "colo-disk" {
        /// None.
        None = "no-disk",
        /// One that is written to a snapshot on each side (`snapshot=on`).
        Snapshot = "snapshot-disk",
    }
}

axis! {
    /// The time between checkpoints (`x-checkpoint-delay`).
    CheckpointDelay, "checkpoint-delay" {
        /// 300 ms.
        Usual = "usual-delay",
        /// 50 ms.
        Short = "short-delay",
        /// 2 s.
        Long = "long-delay",
    }
}

impl CheckpointDelay {
    /// The time, in milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        match self {
            Self::Usual => 300,
            Self::Short => 50,
            Self::Long => 2_000,
        }
    }
}

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
const REWORKED: Version = Version::new(11, 1, 0);

impl Colo {
    /// Who goes on alone.
    #[must_use]
    pub const fn survivor(&self) -> Place {
        match self.failover {
            Failover::Primary => Place::Source,
            Failover::Secondary => Place::Destination,
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
            Condition::Onward,
            Condition::NothingLeft,
        ]
    }
}

/// The eight cases of QEMU's own COLO test: channel × who takes over × when.
pub(crate) fn qemus_own() -> Vec<Colo> {
    let axes = iproduct!(Failover::ALL, ColoMoment::ALL, ColoChannel::ALL);
    axes.map(|(failover, moment, channel)| Colo {
        channel: *channel,
        failover: *failover,
        moment: *moment,
        ..Colo::default()
    })
    .collect()
}

/// Each way to lose a side, on both machines and with a disk.
pub(crate) fn full() -> Vec<Colo> {
    let machines = [MachineChoice::Q35, MachineChoice::Pc];
    let axes = iproduct!(qemus_own(), Loss::ALL, machines, ColoDisk::ALL);
    axes.map(|(own, loss, machine, disk)| Colo {
        loss: *loss,
        machine,
        disk: *disk,
        ..own
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemus_own_cases_are_eight() {
        let own = qemus_own();
        let names: Vec<_> = own.iter().map(Colo::to_string).collect();
        assert_eq!(own.len(), 8);
        assert_eq!(names[0], "single-channel/primary/idle/plain");
        assert_eq!(names[7], "multifd-channel/secondary/checkpoint/plain");
    }

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
