//! The faults of chains of backups that libvirt makes, and the condition that must see each.

use crate::{Chained, Scenario, StorageMigration, Writer, fault::rows::faults};

faults! {
    /// One thing to break on purpose in a chain of backups that libvirt makes.
    ChainedFault: Chained;

    /// The destination is not told of the checkpoints, so that it knows none to begin at.
    Forgotten = "checkpoints-forgotten": AfterMigration, SHARED, BlockJobs, Fail;
    /// The bitmap of a checkpoint is cleared on the destination, behind libvirt's back.
    Cleared = "checkpoint-cleared": AfterMigration, SHARED, Bitmap, Fail;
    /// One sector of an incremental is overwritten.
    Overwritten = "increment-overwritten": AfterMigration, SHARED, Backups, Fail;
    /// The full backup is removed from under its chain, before the chain is compared with the disk.
    FullMissing = "full-missing": AfterMigration, SHARED, Chain, Fail;
}

const SHARED: Chained = Chained {
    journey: StorageMigration::Shared,
    writer: Writer::QemuIo,
    scenario: Scenario::USUAL,
};
