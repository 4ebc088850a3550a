//! What is written to the disks while QEMU has them.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
    time::Instant,
};

use migratrix_contract::Recorder;
use migratrix_guest::DiskSurvey;
use migratrix_history::{Observation, Side, When};
use migratrix_matrix::{Backup, Drive, WriteSet};
use migratrix_qmp::QemuError;
use serde_json::json;

use super::{
    disks::{output, reached},
    images::owned,
};
use crate::{QemuDriver, error::StepError};

impl QemuDriver {
    /// Writes, and flushes, through the human monitor.
    pub(super) async fn write(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        set: WriteSet,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let reached = reached(case, drive);
        for write in set.writes(drive) {
            let told = self
                .qemu_io(side, &reached, &write.command(), record)
                .await?;
            record.saw(Observation::written(side, drive, &write, told));
            self.keep_written(drive, Drive::SIZE, &[write])?;
        }
        self.qemu_io(side, &reached, "flush", record).await?;
        Ok(())
    }

    /// What `qemu-io` within QEMU tells. The monitor's answer is empty even where a write fails:
    /// the outcome is on QEMU's standard output.
    pub(super) async fn qemu_io(
        &mut self,
        side: Side,
        reached: &str,
        words: &str,
        record: &mut Recorder,
    ) -> Result<String, StepError> {
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

fn read(path: &Path) -> Result<Vec<u8>, StepError> {
    Ok(fs::read(path).map_err(QemuError::file("read", path))?)
}

/// How many sectors the guest writes before it is called writing.
const LAPS: u32 = 8;

impl QemuDriver {
    /// Lets the guest write for some laps.
    pub(super) async fn guest_writes(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let began = Instant::now();
        let first = self.lap(side).await?;
        let mut last = first;
        while last.wrapping_sub(first) < LAPS {
            self.pause().await;
            self.note_events(record);
            last = self.lap(side).await?;
        }
        record.saw(Observation::Beat {
            side,
            when: When::Writing,
            first,
            last,
            window_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        Ok(())
    }

    /// Records the sectors of an image that the guest stamps, if it stamps some.
    pub(super) async fn survey_image(
        &mut self,
        side: Side,
        name: &str,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let Some(disk) = self.subject.guest.disk else {
            return Ok(());
        };
        let path = self.scratch.path(FLAT);
        let (from, to) = (self.scratch.text(name), self.scratch.text(FLAT));
        let words = owned(&["convert", "-f", "qcow2", "-O", "raw", &from, &to]);
        self.tool_does(side, "qemu-img", &words).await?;
        let image = File::open(&path).map_err(QemuError::file("read", &path))?;
        let survey = DiskSurvey::of_image(&disk, |bytes, place| image.read_exact_at(bytes, place));
        let survey = survey.map_err(QemuError::file("read", &path))?;
        fs::remove_file(&path).map_err(QemuError::file("remove", &path))?;
        record.saw(Observation::Sectors {
            side,
            image: name.to_owned(),
            survey,
        });
        Ok(())
    }
}

/// The image that is read, without its format.
const FLAT: &str = "flat";
