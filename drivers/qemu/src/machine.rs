//! The machine of a case, as QEMU's arguments, and which machine type it is.

use migratrix_contract::Subject;
use migratrix_history::Side;
use migratrix_matrix::{Feature, GuestState, MachineChoice, Method, Raw, Uuids, Version};
use migratrix_qmp::QemuCaps;

use crate::{devices, error::StepError, scratch::Scratch};

/// The machine type of both sides: the newest or the oldest that both have of its family. `None`
/// where there is none.
#[must_use]
pub fn machine(choice: MachineChoice, source: &QemuCaps, destination: &QemuCaps) -> Option<String> {
    let other_offers = |name: &str| destination.machines.contains_key(name);
    let chosen = choice.among_names(source.machines(), other_offers);
    chosen.map(str::to_owned)
}

/// The disk that is booted, with the modern interface whatever the machine type.
///
/// Types before 2.7 give a disk the legacy interface alone, by which QEMU 10.0.13 names 1024 as the
/// size of a queue, whatever it has: more than any firmware takes, so that none boots from it. The
/// modern interface is the later types' own choice. It has no place for the pass-through of SCSI, which
/// types before 2.5 turn on in the QEMUs that still have it.
fn boot_disk(qemu: Version) -> Vec<String> {
    let scsi = if qemu < NO_SCSI { ",scsi=off" } else { "" };
    words(&format!(
        "-device virtio-blk-pci,drive=boot,id=boot-disk,addr=0x10,bootindex=0,disable-modern=off{scsi}"
    ))
}

/// From it on virtio-blk has no `scsi` (docs/about/removed-features.rst).
const NO_SCSI: Version = Version::new(9, 1, 0);

/// The arguments of the side's QEMU of this version, but for what it has to wait for.
pub(crate) fn arguments(
    subject: &Subject,
    side: Side,
    qemu: Version,
    scratch: &Scratch,
) -> Result<Vec<String>, StepError> {
    let raw = &subject.raw;
    let guest = migratrix_guest::Parameters {
        suspend: sleeps(raw.guest),
        ..subject.guest
    };
    let image = scratch.boot_image(&guest)?;
    let mut all = words(&format!(
        "-nodefaults -no-user-config -display none -name {},debug-threads=on -m {}M",
        subject.domain, subject.memory_mib
    ));
    all.extend(raw.arguments().into_iter().map(str::to_owned));
    all.extend(memory(subject, scratch));
    if let Some(uuid) = uuid(subject, side) {
        all.extend(["-uuid".to_owned(), uuid.to_owned()]);
    }
    all.extend([
        "-drive".to_owned(),
        format!("file={},format=raw,if=none,id=boot,readonly=on", image),
    ]);
    all.extend(boot_disk(qemu));
    all.extend(devices::arguments(raw.devices, scratch)?);
    Ok(all)
}

/// The words of a line that has no blanks within them.
pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The machine type, and memory that another process can have as well where the case asks for it.
fn memory(subject: &Subject, scratch: &Scratch) -> Vec<String> {
    let (machine, size) = (&subject.machine, subject.memory_mib);
    let shared = format!("-object memory-backend-file,id=pc.ram,size={size}M,share=on,mem-path=");
    match sharing(&subject.raw) {
        Sharing::None => words(&format!("-machine {machine}")),
        Sharing::File => {
            let mut all = words(&format!("-machine {machine},memory-backend=pc.ram"));
            let mut object = words(&shared);
            object[1].push_str(&scratch.text("memory"));
            all.extend(object);
            all
        }
        Sharing::Descriptor => words(&format!(
            "-machine {machine},memory-backend=pc.ram,aux-ram-share=on \
             -object memory-backend-memfd,id=pc.ram,size={size}M,share=on"
        )),
    }
}

/// How the guest's memory is shared between the two sides.
enum Sharing {
    None,
    /// Both map the same file.
    File,
    /// The descriptor is handed over.
    Descriptor,
}

fn sharing(raw: &Raw) -> Sharing {
    match raw.method {
        Method::CprTransfer | Method::CprExec => Sharing::Descriptor,
        Method::CprReboot => Sharing::File,
        Method::Precopy | Method::Postcopy if raw.features.has(Feature::IgnoreShared) => {
            Sharing::File
        }
        Method::Precopy | Method::Postcopy => Sharing::None,
    }
}

fn uuid(subject: &Subject, side: Side) -> Option<&str> {
    let own = Some(subject.uuid.as_str());
    match (subject.raw.uuids, side) {
        (Uuids::Mismatch, Side::Destination) => Some(&subject.foreign_uuid),
        (Uuids::SourceUnset, Side::Source) | (Uuids::DestinationUnset, Side::Destination) => None,
        (
            Uuids::Same | Uuids::Mismatch | Uuids::SourceUnset | Uuids::DestinationUnset,
            Side::Source | Side::Destination,
        ) => own,
    }
}

const fn sleeps(guest: GuestState) -> bool {
    match guest {
        GuestState::Running | GuestState::Stopped => false,
        GuestState::Suspended | GuestState::SuspendedStopped => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_disk_has_the_modern_interface_on_the_oldest_types_too() {
        let disk = |major, minor| boot_disk(Version::new(major, minor, 0)).join(" ");
        for (major, minor) in [(5, 2), (7, 2), (9, 0)] {
            assert!(disk(major, minor).ends_with(",disable-modern=off,scsi=off"));
        }
        for (major, minor) in [(9, 1), (10, 0), (11, 1)] {
            assert!(disk(major, minor).ends_with(",disable-modern=off"));
        }
    }
}
