//! A point of the `backup` suite: incremental backup with dirty bitmaps, on one QEMU or across a
//! migration.
//!
//! Where libvirt makes the chain, the point is a [`Chained`](super::chained::Chained) one.
//!
//! The semantics are those of `docs/interop/bitmaps.rst` and of `qapi/block-core.json`; the cases on
//! one QEMU are those of `qemu-iotests` 124.
//!
//! ```text
//!   Backup ─▶ acts (the story) ─▶ model ─▶ ExpectedAction: an act, and what must come of it
//! ```

use super::axes::{
    BackupForm, BitmapTransfer, Bitmaps, Clusters, Creation, Granularity, Operation,
    StorageMigration, Target, Writer,
};
use crate::{Condition, axis::axes_point};

/// A chain of backups. Its text is `JOURNEY/FORM/OPERATION/OPTIONS`, as in
/// `stay/blockdev-backup/incremental-simple/32k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Backup {
    /// Where the chain is continued.
    pub journey: StorageMigration,
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
    pub carrier: BitmapTransfer,
}

axes_point! {
    Backup, "JOURNEY/FORM/OPERATION/OPTIONS",
    heads: [journey: StorageMigration, form: BackupForm, operation: Operation],
    options: [
        writer: Writer,
        granularity: Granularity,
        clusters: Clusters,
        bitmaps: Bitmaps,
        creation: Creation,
        target: Target,
        carrier: BitmapTransfer,
    ]
}

impl Backup {
    /// The conditions that a case of it is judged by. What is refused makes no backup to compare.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let mut all = vec![Condition::BlockJobs, Condition::Bitmap];
        if self.jumps() {
            all.splice(0..0, [Condition::Migrated, Condition::Events]);
        }
        if !self.operation.is_refused() {
            all.extend([Condition::Backups, Condition::Chain]);
        }
        all.push(Condition::NoLeftovers);
        all
    }

    /// Whether the chain is continued on another QEMU.
    #[must_use]
    pub fn jumps(&self) -> bool {
        self.journey.migrates()
    }
}
