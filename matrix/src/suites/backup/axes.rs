//! The axes of the `backup` suite. The first value of each is the usual one.

use crate::axis::axis;

axis! {
    /// Where the chain is continued.
    StorageMigration, "journey" {
        /// On the same QEMU.
        Stay = "stay",
        /// On a destination that shares the storage.
        Shared = "shared-storage",
        /// On a destination that gets a copy of the storage over NBD.
        Copied = "copied-storage",
    }
}

axis! {
    /// Which command makes backups.
    BackupForm, "backup-form" {
        /// `blockdev-backup`, to a node that was added.
        Blockdev = "blockdev-backup",
        /// `drive-backup`, which makes the target itself.
        Drive = "drive-backup",
    }
}

axis! {
    /// Who writes to the disk.
    Writer, "writer" {
        /// `qemu-io`, through the human monitor.
        QemuIo = "qemu-io",
        /// The guest, sector after sector.
        Guest = "guest",
    }
}

axis! {
    /// What is done, by the names of `qemu-iotests` 124.
    Operation, "operation" {
        /// A full backup, then incrementals: nothing written, some, more.
        Simple = "incremental-simple",
        /// As `Simple`, with bitmaps made and cleared in a transaction with the full backup.
        Transaction = "incremental-transaction",
        /// Two drives in one grouped transaction, of which one fails.
        TransactionFailure = "transaction-failure",
        /// As `TransactionFailure`, and the other's job has nothing to copy.
        TransactionFailureRace = "transaction-failure-race",
        /// An incremental without a bitmap.
        BitmapMissing = "bitmap-missing",
        /// An incremental with a bitmap that is not there.
        BitmapNotFound = "bitmap-not-found",
        /// A bitmap of a granularity that is no power of two.
        BadGranularity = "bad-granularity",
        /// The disk grows between the full backup and the incremental.
        Growing = "growing-before-backup",
        /// An incremental fails on a read error, and the next one has all.
        Failure = "incremental-failure",
        /// As `Failure`, but the job stops on the error and goes on.
        Pause = "incremental-pause",
        /// An incremental is cancelled, and the next one has all.
        Cancel = "incremental-cancel",
    }
}

axis! {
    /// The bitmap's granularity.
    Granularity, "granularity" {
        /// 64 KiB: QEMU's own for such an image.
        Usual = "64k",
        /// 32 KiB.
        Small = "32k",
        /// 128 KiB.
        Large = "128k",
    }
}

axis! {
    /// The cluster size of the targets.
    Clusters, "clusters" {
        /// That of the disk.
        Equal = "equal-clusters",
        /// Larger than the bitmap's granularity.
        Larger = "larger-clusters",
    }
}

axis! {
    /// How many bitmaps a drive has.
    Bitmaps, "bitmaps" {
        /// One.
        One = "one-bitmap",
        /// Two.
        Two = "two-bitmaps",
    }
}

axis! {
    /// When the bitmap is made.
    Creation, "creation" {
        /// After the full backup, before what is written next.
        AfterFull = "after-full",
        /// Before anything is written, and cleared with the full backup.
        BeforeWrites = "before-writes",
        /// In one transaction with the full backup.
        InTransaction = "in-transaction",
    }
}

axis! {
    /// The format of the targets.
    Target, "target" {
        /// qcow2, each on the one before.
        Qcow2 = "qcow2",
        /// raw, each onto the same file.
        Raw = "raw",
    }
}

axis! {
    /// How the bitmap travels.
    BitmapTransfer, "carrier" {
        /// In the stream (capability `dirty-bitmaps`), under its node's name.
        Stream = "stream",
        /// In the stream, under an alias (`block-bitmap-mapping`).
        Mapping = "mapping",
        /// In the image, as a persistent bitmap.
        Image = "image",
    }
}

impl StorageMigration {
    /// Whether the chain is continued on a destination.
    #[must_use]
    pub const fn migrates(self) -> bool {
        match self {
            Self::Stay => false,
            Self::Shared | Self::Copied => true,
        }
    }
}

impl Operation {
    /// Whether it is a command that QEMU must refuse.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        match self {
            Self::BitmapMissing | Self::BitmapNotFound | Self::BadGranularity => true,
            Self::Simple
            | Self::Transaction
            | Self::TransactionFailure
            | Self::TransactionFailureRace
            | Self::Growing
            | Self::Failure
            | Self::Pause
            | Self::Cancel => false,
        }
    }
}
