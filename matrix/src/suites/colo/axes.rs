//! The axes of the `colo` suite. The first value of each is the usual one.

use crate::axis::axis;

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
