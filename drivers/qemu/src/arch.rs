//! What of a machine's arguments is its architecture's own.

use migratrix_matrix::{Arch, Version};

/// From it on virtio-blk has no `scsi` (docs/about/removed-features.rst).
const NO_SCSI: Version = Version::new(9, 1, 0);

/// What QEMU calls the block of memory that is the machine's.
pub(crate) const fn memory(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "pc.ram",
    }
}

/// The arguments by which the side's QEMU of this version boots the guest's image.
pub(crate) fn boot(arch: Arch, image: &str, qemu: Version) -> Vec<String> {
    match arch {
        Arch::X86_64 => boot_disk(image, qemu),
    }
}

/// The disk that is booted, with the modern interface whatever the machine type.
///
/// Types before 2.7 give a disk the legacy interface alone, by which QEMU 10.0.13 names 1024 as the
/// size of a queue, whatever it has: more than any firmware takes, so that none boots from it. The
/// modern interface is the later types' own choice. It has no place for the pass-through of SCSI, which
/// types before 2.5 turn on in the QEMUs that still have it.
fn boot_disk(image: &str, qemu: Version) -> Vec<String> {
    let scsi = if qemu < NO_SCSI { ",scsi=off" } else { "" };
    let drive = format!("file={image},format=raw,if=none,id=boot,readonly=on");
    let device = format!(
        "virtio-blk-pci,drive=boot,id=boot-disk,addr=0x10,bootindex=0,disable-modern=off{scsi}"
    );
    vec!["-drive".to_owned(), drive, "-device".to_owned(), device]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_disk_has_the_modern_interface_on_the_oldest_types_too() {
        let disk = |major, minor| {
            let boot = boot(Arch::X86_64, "/a b.img", Version::new(major, minor, 0));
            let drive = "file=/a b.img,format=raw,if=none,id=boot,readonly=on";
            assert_eq!(boot[..3], ["-drive", drive, "-device"]);
            boot[3].clone()
        };
        for (major, minor) in [(5, 2), (7, 2), (9, 0)] {
            assert!(disk(major, minor).ends_with(",disable-modern=off,scsi=off"));
        }
        for (major, minor) in [(9, 1), (10, 0), (11, 1)] {
            assert!(disk(major, minor).ends_with(",disable-modern=off"));
        }
    }
}
