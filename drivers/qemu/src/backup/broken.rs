//! What is broken on purpose in a chain of backups.

use std::fs;

use migratrix_history::Side;
use migratrix_matrix::{Backup, DirtyBitmap, Drive, Link, Write};
use serde_json::json;

use super::images::{file, format};
use crate::{QemuDriver, QemuError, trouble::Trouble};

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
    ) -> Result<(), Trouble> {
        let arguments = json!({ "node": drive.name(), "name": bitmap.name() });
        let party = self.party(side);
        party.ask("block-dirty-bitmap-clear", arguments).await?;
        Ok(())
    }

    /// Overwrites the first sector of a link's image.
    pub(super) async fn overwrite(&mut self, case: &Backup, link: Link) -> Result<(), Trouble> {
        let file = file(case, link);
        self.write_offline(Side::Source, &file, format(case), &[SECTOR])
            .await
    }

    /// Removes the full backup of a disk.
    pub(super) fn remove_full(&self, drive: Drive) -> Result<(), Trouble> {
        let path = self.scratch.path(&drive.full());
        Ok(fs::remove_file(&path).map_err(QemuError::file("remove", path))?)
    }
}
