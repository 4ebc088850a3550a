//! The faults of chains of backups, and the condition that must see each.

use crate::{
    Backup, BackupForm, BitmapTransfer, Bitmaps, Clusters, Creation, Granularity, Operation,
    StorageMigration, Target, Writer, fault::rows::faults,
};

faults! {
    /// One thing to break on purpose in a chain of backups.
    BackupFault: Backup;

    /// A job is told to ignore a read error, so that nobody hears of it.
    ErrorSwallowed = "error-swallowed": Migration, FAILURE, BlockJobs, Fail;
    /// The bitmap is cleared behind the tester's back.
    BitmapCleared = "bitmap-cleared": Migration, PLAIN, Bitmap, Fail;
    /// The capability stays off, so that the bitmap does not travel.
    BitmapLeftBehind = "bitmap-left-behind": Migration, SHARED, Bitmap, Fail;
    /// One sector of an incremental is overwritten.
    SectorOverwritten = "sector-overwritten": Migration, PLAIN, Backups, Fail;
    /// What is written first is overwritten by something else, in the same place and on the same disk.
    WriteChanged = "write-changed": Migration, PLAIN, Backups, Fail;
    /// The full backup is removed from under its chain, before the chain is compared with the disk.
    LinkMissing = "link-missing": Migration, PLAIN, Chain, Fail;
    /// What the guest has written last to a sector is undone on its disk.
    WriteLost = "write-lost": Migration, GUEST, Chain, Fail;
    /// A file is left in the case's folder.
    FileLeft = "backup-file-left": Clearing, PLAIN, NoLeftovers, Fail;
}

const PLAIN: Backup = Backup {
    journey: StorageMigration::Stay,
    form: BackupForm::Blockdev,
    operation: Operation::Simple,
    writer: Writer::QemuIo,
    granularity: Granularity::Usual,
    clusters: Clusters::Equal,
    bitmaps: Bitmaps::One,
    creation: Creation::AfterFull,
    target: Target::Qcow2,
    carrier: BitmapTransfer::Stream,
};

const FAILURE: Backup = Backup {
    operation: Operation::Failure,
    ..PLAIN
};

const SHARED: Backup = Backup {
    journey: StorageMigration::Shared,
    creation: Creation::InTransaction,
    ..PLAIN
};

const GUEST: Backup = Backup {
    writer: Writer::Guest,
    ..SHARED
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, Case, Fault, excluded};

    #[test]
    fn each_is_run_on_a_case_that_has_the_condition_and_no_rule_leaves_out() {
        for fault in BackupFault::ALL {
            let point = Fault::Backup(fault).point();
            assert!(point.conditions().contains(&fault.row().detected_by));
            let name = format!("faults/{}/a,b/{point}/{}", Backend::Qemu, fault.word());
            let case: Case = name.parse().unwrap();
            assert_eq!(excluded(&case), None, "{name}");
        }
    }
}
