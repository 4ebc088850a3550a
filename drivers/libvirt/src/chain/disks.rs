//! The disk that a chain is of, and the files of its backups.

use std::fs;

use migratrix_contract::{SHARED, Subject};
use migratrix_history::Side;
use migratrix_matrix::{Drive, Point, StorageMigration, WriteSet};

use crate::{Error, LibvirtDriver, element::Element};

/// The disk that is booted.
pub(super) const BOOT: &str = "vda";
/// The name by which `qemu-io` reaches it: that of the device which libvirt gives it.
pub(super) const BACKEND: &str = "/machine/peripheral/virtio-disk1/virtio-backend";
/// Where a host has the disks that are its own.
const OWN: &str = "/var/lib/migratrix";

/// The disk's element in the XML of a domain; none where the case has no chain.
///
/// It is in the boot order, so that the firmware sizes its queues: no driver of the guest's does, and
/// QEMU 11.1 refuses a queue that a QEMU 10.0 has left without a size.
pub(crate) fn disk(subject: &Subject) -> Option<Element> {
    let file = file(subject)?;
    let (disk, bus) = target(subject);
    let driver = Element::new("driver").with("name", "qemu");
    let element = Element::new("disk")
        .with("type", "file")
        .with("device", "disk")
        .holds(driver.with("type", "qcow2"))
        .holds(Element::new("source").with("file", file))
        .holds(Element::new("target").with("dev", disk).with("bus", bus))
        .holds(Element::new("boot").with("order", 2));
    Some(element)
}

/// The chain's disk, by libvirt's name for it, and its bus. A guest reaches its own by fixed ports.
pub(super) fn target(subject: &Subject) -> (&'static str, &'static str) {
    match subject.guest.disk {
        Some(_) => ("hda", "ide"),
        None => ("vdb", "virtio"),
    }
}

/// The disk's file: both sides know it by one path, whether they share it or not.
fn file(subject: &Subject) -> Option<String> {
    let Point::Chained(chained) = &subject.point else {
        return None;
    };
    let folder = match chained.journey {
        StorageMigration::Stay | StorageMigration::Shared => SHARED,
        StorageMigration::Copied => OWN,
    };
    Some(format!("{folder}/{}-{}", subject.domain, Drive::First))
}

impl LibvirtDriver<'_> {
    /// The disk's file.
    pub(super) fn disk(&self) -> String {
        file(&self.subject).unwrap_or_default()
    }

    /// The file of a backup, by the path that both sides know it by.
    pub(super) fn shared(&self, name: &str) -> String {
        format!("{SHARED}/{}-{name}", self.subject.domain)
    }

    /// The sides that have the disk as the destination has it.
    pub(super) fn who_has_disk(&self) -> &'static [Side] {
        match self.journey() {
            Some(StorageMigration::Copied) => &[Side::Destination],
            Some(StorageMigration::Stay | StorageMigration::Shared) | None => {
                &[Side::Source, Side::Destination]
            }
        }
    }

    pub(super) fn journey(&self) -> Option<StorageMigration> {
        if let Point::Chained(chained) = self.subject.point {
            Some(chained.journey)
        } else {
            None
        }
    }

    /// Makes the chain's disk, where the case has one: with something on it on the source, but for a
    /// guest that writes all of it, and empty on a destination that it is copied to.
    pub(crate) async fn provide_disk(&self, side: Side) -> Result<(), Error> {
        let copied = match (self.journey(), side) {
            (None, _)
            | (Some(StorageMigration::Stay | StorageMigration::Shared), Side::Destination) => {
                return Ok(());
            }
            (Some(StorageMigration::Copied), Side::Destination) => true,
            (Some(_), Side::Source) => false,
        };
        let (disk, size) = (self.disk(), Drive::SIZE.to_string());
        self.tool(side, &["qemu-img", "create", "-f", "qcow2", &disk, &size])
            .await?;
        if copied || self.subject.guest.disk.is_some() {
            return Ok(());
        }
        let writes = WriteSet::Offline.writes(Drive::First);
        self.write_offline(side, &disk, &writes).await?;
        self.keep_written(side, &writes)
    }

    /// Removes the files that are the side's own; those that both share are the source's.
    pub(crate) fn remove_disks(&self, side: Side) -> Result<(), Error> {
        if self.journey().is_none() {
            return Ok(());
        }
        let folders: &[&str] = match side {
            Side::Source => &[OWN, SHARED],
            Side::Destination => &[OWN],
        };
        for folder in folders {
            self.remove_ours(side, folder)?;
        }
        Ok(())
    }

    fn remove_ours(&self, side: Side, folder: &str) -> Result<(), Error> {
        let path = self.path(side, folder)?;
        let failed = |source| Error::File {
            path: path.clone(),
            source,
        };
        let mark = format!("{}-", self.subject.domain);
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(&mark) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes the file of a backup.
    pub(super) fn remove_image(&self, name: &str) -> Result<(), Error> {
        let path = self.path(Side::Destination, &self.shared(name))?;
        fs::remove_file(&path).map_err(|source| Error::File { path, source })
    }
}
