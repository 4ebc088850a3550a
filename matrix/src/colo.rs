//! A point of the `colo` suite: two guests in lock-step, and what is left when one is lost.
//!
//! The semantics are those of `docs/system/qemu-colo.rst` and of `qapi/migration.json`
//! (`COLOMode`, `COLOExitReason`, `x-colo-lost-heartbeat`) and `qapi/yank.json`.

use itertools::iproduct;

use crate::{
    Accelerator, Condition, MachineChoice,
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
        /// The migration's connection is yanked (`yank`), and the process killed.
        Yank = "yanked",
        /// The process is killed (`SIGKILL`).
        Kill = "killed",
        /// The process is stopped (`SIGSTOP`): it holds its end of the connection.
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

impl Colo {
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
