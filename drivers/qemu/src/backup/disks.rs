//! The case's disks, and the QEMU that has them.

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{Backup, Drive, StorageMigration, WriteSet, Writer};
use migratrix_qmp::Launch;
use serde_json::{Value, json};

use super::images::{self, DISK};
use crate::{QemuDriver, error::StepError, machine, party::PATIENCE, words::words};

/// The name of a disk's file on a side.
pub(super) fn file(case: &Backup, side: Side, drive: Drive) -> String {
    let copied = case.journey == StorageMigration::Copied && side == Side::Destination;
    let copy = if copied { "-copy" } else { "" };
    format!("{drive}{copy}")
}

/// By which name `qemu-io` reaches the disk: its node's, or its device's where it has one.
pub(super) fn reached(case: &Backup, drive: Drive) -> String {
    match (case.jumps(), case.writer) {
        (false, _) => drive.name().to_owned(),
        (true, Writer::QemuIo) => format!("-d /machine/peripheral/disk-{drive}/virtio-backend"),
        (true, Writer::Guest) => format!("-d disk-{drive}"),
    }
}

/// Where QEMU's standard output goes.
pub(super) fn output(side: Side) -> &'static str {
    match side {
        Side::Source => "source-output",
        Side::Destination => "destination-output",
    }
}

impl QemuDriver {
    /// Makes the disks, and starts the source with them.
    pub(super) async fn start_with_disks(
        &mut self,
        case: &Backup,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.scratch.make()?;
        for drive in case.drives() {
            let name = file(case, Side::Source, *drive);
            self.make_image(Side::Source, &name, &DISK).await?;
            if case.writer == Writer::QemuIo {
                let writes = WriteSet::Offline.writes(*drive);
                self.write_offline(Side::Source, &name, DISK.format, &writes)
                    .await?;
                self.keep_written(*drive, Drive::SIZE, &writes)?;
            }
        }
        self.start_on(case, Side::Source, record).await?;
        match case.writer {
            Writer::QemuIo => Ok(()),
            Writer::Guest => self.await_heartbeat(Side::Source).await,
        }
    }

    /// Starts the side's QEMU with its disks.
    pub(super) async fn start_on(
        &mut self,
        case: &Backup,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let mut arguments = if case.jumps() {
            machine::arguments(&self.subject, side, self.version(side), &self.scratch)?
        } else {
            bare(&self.subject.domain)
        };
        for drive in case.drives() {
            let path = self.scratch.text(&file(case, side, *drive));
            let node = node(case, *drive, &path).to_string();
            arguments.extend(["-blockdev".to_owned(), node]);
            if case.jumps() {
                arguments.extend(device(case.writer, *drive));
            }
        }
        if side == Side::Destination {
            arguments.extend(words("-incoming defer -S"));
        }
        let output = self.scratch.path(output(side));
        let launch = Launch::new(self.binary(side)).kept_in(&self.party(side).account);
        let launch = launch.arguments(arguments).with_stdout(output);
        let launch = if case.jumps() {
            launch.with_qtest()
        } else {
            launch
        };
        let qemu = launch.start(PATIENCE).await?;
        self.greet(side, qemu, record);
        Ok(())
    }

    /// Ends the side's QEMU, and compares each chain with its disk.
    pub(super) async fn end_and_compare(
        &mut self,
        case: &Backup,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.party(side).note_events(record);
        let qemu = self.party(side).unseat();
        let qemu = qemu.ok_or(StepError::NotApplicable("its QEMU is gone"))?;
        qemu.quit(PATIENCE).await?;
        for link in case.ends() {
            let disk = file(case, side, link.drive);
            let end = images::file(case, link);
            self.compare((&end, images::format(case)), (&disk, "qcow2"), record)
                .await?;
            self.compare_with_written(case, link.drive, (&disk, "qcow2"), record)
                .await?;
            self.survey_image(side, &end, record).await?;
        }
        Ok(())
    }
}

/// A QEMU without a machine: what `qemu-iotests` 124 needs.
fn bare(domain: &str) -> Vec<String> {
    let line = "-machine none -nodefaults -no-user-config -display none -name";
    let mut all = words(line);
    all.push(domain.to_owned());
    all
}

/// The node of a disk. One that fails has a read error once, after the first flush.
fn node(case: &Backup, drive: Drive, path: &str) -> Value {
    let file = json!({ "driver": "file", "filename": path });
    let file = if case.failing() == Some(drive) {
        json!({
            "driver": "blkdebug",
            "image": file,
            "set-state": [{ "event": "flush_to_disk", "state": 1, "new_state": 2 }],
            "inject-error": [{
                "event": "read_aio", "errno": EIO, "state": 2, "immediately": false, "once": true,
            }],
        })
    } else {
        file
    };
    json!({ "node-name": drive.name(), "driver": "qcow2", "file": file })
}

/// The read error.
const EIO: i32 = 5;

/// The device of a disk. A guest reaches its own by fixed ports: no PCI to be set up.
fn device(writer: Writer, drive: Drive) -> Vec<String> {
    let line = match writer {
        Writer::QemuIo => format!("-device virtio-blk-pci,drive={drive},id=disk-{drive},addr=0x11"),
        Writer::Guest => format!(
            "-device isa-ide,id=isa-ide -device ide-hd,drive={drive},id=disk-{drive},bus=isa-ide.0,unit=0"
        ),
    };
    words(&line)
}
