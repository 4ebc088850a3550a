//! A point of the `backup` suite: incremental backup with dirty bitmaps, on one QEMU or across a
//! migration.
//!
//! The semantics are those of `docs/interop/bitmaps.rst` and of `qapi/block-core.json`; the cases on
//! one QEMU are those of `qemu-iotests` 124.

use itertools::iproduct;

use crate::{
    Condition,
    axes_text::axes_point,
    raw::axis::{Axis, axis},
};

axis! {
    /// Where the chain is continued.
    Journey, "journey" {
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
    Carrier, "carrier" {
        /// In the stream (capability `dirty-bitmaps`), under its node's name.
        Stream = "stream",
        /// In the stream, under an alias (`block-bitmap-mapping`).
        Mapping = "mapping",
        /// In the image, as a persistent bitmap.
        Image = "image",
    }
}

/// A chain of backups. Its text is `JOURNEY/FORM/OPERATION/OPTIONS`, as in
/// `stay/blockdev-backup/incremental-simple/32k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Backup {
    /// Where the chain is continued.
    pub journey: Journey,
    /// Which command makes backups.
    pub form: BackupForm,
    /// What is done.
    pub operation: Operation,
    /// Who writes.
    pub writer: Writer,
    /// The bitmap's granularity.
    pub granularity: Granularity,
    /// The targets' cluster size.
    pub clusters: Clusters,
    /// How many bitmaps a drive has.
    pub bitmaps: Bitmaps,
    /// When the bitmap is made.
    pub creation: Creation,
    /// The targets' format.
    pub target: Target,
    /// How the bitmap travels.
    pub carrier: Carrier,
}

axes_point! {
    Backup, "JOURNEY/FORM/OPERATION/OPTIONS",
    heads: [journey: Journey, form: BackupForm, operation: Operation],
    options: [
        writer: Writer,
        granularity: Granularity,
        clusters: Clusters,
        bitmaps: Bitmaps,
        creation: Creation,
        target: Target,
        carrier: Carrier,
    ]
}

impl Backup {
    /// The conditions that a case of it is judged by.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        vec![
            Condition::Jobs,
            Condition::Bitmap,
            Condition::Backups,
            Condition::Chain,
            Condition::NothingLeft,
        ]
    }
}

/// The cases of `qemu-iotests` 124, in both forms of the command.
pub(crate) fn iotests_124() -> Vec<Backup> {
    let plain = Operation::ALL.iter().map(|operation| Backup {
        operation: *operation,
        ..Backup::default()
    });
    let of_granularity = [Granularity::Small, Granularity::Large].map(|granularity| Backup {
        granularity,
        ..Backup::default()
    });
    let larger = Backup {
        clusters: Clusters::Larger,
        ..Backup::default()
    };
    let all: Vec<Backup> = plain.chain(of_granularity).chain([larger]).collect();
    iproduct!(BackupForm::ALL, all)
        .map(|(form, one)| Backup { form: *form, ..one })
        .collect()
}

/// Chains that are continued after a migration.
pub(crate) fn chains() -> Vec<Backup> {
    iproduct!(
        [Journey::Shared, Journey::Copied],
        Carrier::ALL,
        Writer::ALL
    )
    .map(|(journey, carrier, writer)| Backup {
        journey,
        carrier: *carrier,
        writer: *writer,
        ..Backup::default()
    })
    .collect()
}
