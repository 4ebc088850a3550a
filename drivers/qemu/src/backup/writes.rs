//! What is written to the disks while QEMU has them.

use std::{fs, path::Path};

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side};
use migratrix_matrix::{Backup, Drive, Write, WriteSet};
use serde_json::json;

use super::disks::{output, reached};
use crate::{QemuDriver, QemuError, trouble::Trouble};

/// A write as `qemu-io` takes it.
pub(super) fn command(write: Write) -> String {
    let Write {
        pattern,
        offset,
        length,
    } = write;
    format!("write -P {pattern:#x} {offset} {length}")
}

impl QemuDriver {
    /// Writes, and flushes, through the human monitor.
    pub(super) async fn write(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        set: WriteSet,
        record: &mut Recorder,
    ) -> Result<(), Trouble> {
        let reached = reached(case, drive);
        for write in set.writes(drive) {
            let told = self.qemu_io(side, &reached, &command(write), record).await?;
            record.saw(Observation::Written {
                side,
                drive: drive.name().to_owned(),
                pattern: write.pattern,
                offset: write.offset,
                length: write.length,
                told,
            });
        }
        self.qemu_io(side, &reached, "flush", record).await?;
        Ok(())
    }

    /// What `qemu-io` within QEMU tells. The monitor's answer is empty even where a write fails:
    /// the outcome is on QEMU's standard output.
    async fn qemu_io(
        &mut self,
        side: Side,
        reached: &str,
        words: &str,
        record: &mut Recorder,
    ) -> Result<String, Trouble> {
        let path = self.scratch.path(output(side));
        let before = read(&path)?.len();
        let line = json!({ "command-line": format!("qemu-io {reached} \"{words}\"") });
        let party = self.party(side);
        let answer = party.command("human-monitor-command", line, record).await?;
        let answer = answer.as_str().unwrap_or_default().trim();
        let told = read(&path)?;
        let told = String::from_utf8_lossy(told.get(before..).unwrap_or_default());
        let first = told.lines().next().unwrap_or_default();
        Ok(if answer.is_empty() { first } else { answer }.to_owned())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    Ok(fs::read(path).map_err(QemuError::file("read", path))?)
}

impl QemuDriver {
    /// Lets the guest write for some laps.
    pub(super) async fn guest_writes(
        &mut self,
        _side: Side,
        _record: &mut Recorder,
    ) -> Result<(), Trouble> {
        Err(Trouble::Unfit("no guest writes yet"))
    }
}
