//! What is broken on purpose in a chain of backups.

use std::fs;

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{Backup, DirtyBitmap, Drive, Link, Write, WriteSet};
use migratrix_qmp::QemuError;
use serde_json::json;

use super::{
    disks::reached,
    images::{file, format},
};
use crate::{QemuDriver, error::StepError};

/// What one sector is overwritten with.
const SECTOR: Write = Write {
    pattern: 0x77,
    offset: 0,
    length: 512,
};

impl QemuDriver {
    /// Clears a bitmap.
    pub(super) async fn clear_bitmap(
        &mut self,
        side: Side,
        drive: Drive,
        bitmap: DirtyBitmap,
    ) -> Result<(), StepError> {
        let arguments = json!({ "node": drive.name(), "name": bitmap.name() });
        let party = self.party(side);
        party.ask("block-dirty-bitmap-clear", arguments).await?;
        Ok(())
    }

    /// Overwrites the first sector of a link's image.
    pub(super) async fn overwrite(&mut self, case: &Backup, link: Link) -> Result<(), StepError> {
        let file = file(case, link);
        self.write_offline(Side::Source, &file, format(case), &[SECTOR])
            .await
    }

    /// Overwrites the sector of the guest's first lap with zeros.
    pub(super) async fn undo_write(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let disk = self.subject.guest.disk;
        let place = disk.and_then(|disk| disk.places().nth(1));
        let undo = Write {
            pattern: 0,
            offset: place.ok_or(StepError::NotApplicable("its guest writes to no disk"))?,
            ..SECTOR
        };
        let reached = reached(case, drive);
        self.qemu_io(side, &reached, &undo.command(), record)
            .await?;
        Ok(())
    }

    /// Writes another pattern over the first of the first writes.
    pub(super) async fn rewrite(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let reached = reached(case, drive);
        let writes = WriteSet::First.writes(drive);
        let first = writes
            .first()
            .ok_or(StepError::NotApplicable("nothing is written to it"))?;
        let other = Write {
            pattern: !first.pattern,
            ..*first
        };
        self.qemu_io(side, &reached, &other.command(), record)
            .await?;
        Ok(())
    }

    /// Removes the full backup of a disk.
    pub(super) fn remove_full(&self, drive: Drive) -> Result<(), StepError> {
        let path = self.scratch.path(&drive.full());
        Ok(fs::remove_file(&path).map_err(QemuError::file("remove", path))?)
    }
}
