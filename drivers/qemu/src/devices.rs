//! The devices of a case, as QEMU's arguments.

mod pci;
pub(crate) mod virtio;
mod work;

use migratrix_matrix::Devices;

use crate::{error::StepError, scratch::Scratch, words::words};

/// The arguments of the devices.
pub(crate) fn arguments(devices: Devices, scratch: &Scratch) -> Result<Vec<String>, StepError> {
    let line = line(devices);
    let mut all = words(&line);
    if line.contains(ON_DISK) {
        scratch.write(DISK, &vec![0; DISK_BYTES])?;
        let file = scratch.text(DISK);
        all.splice(
            0..0,
            [
                "-drive".to_owned(),
                format!("file={file},format=raw,if=none,id=disk,file.locking=off"),
            ],
        );
    }
    Ok(all)
}

/// How many bytes the disk has that the devices are with, where they are with one.
pub(crate) fn disk_bytes(devices: Devices) -> Option<u64> {
    line(devices).contains(ON_DISK).then_some(DISK_BYTES as u64)
}

const DISK: &str = "disk";

/// What is on it says so.
const ON_DISK: &str = "drive=disk";

/// The size of the disk, in bytes.
const DISK_BYTES: usize = 1 << 20;

/// Where the case's device is.
pub(crate) const SLOT: u32 = 3;

fn line(devices: Devices) -> String {
    let at = |device: &str| format!("-device {device},id=device,addr={SLOT:#x}");
    match devices {
        Devices::None => String::new(),
        Devices::VirtioBlk | Devices::VirtioBlkInUse => at("virtio-blk-pci,drive=disk"),
        Devices::VirtioNet | Devices::VirtioNetInUse => network("virtio-net-pci"),
        Devices::VirtioScsi | Devices::VirtioScsiInUse => {
            at("virtio-scsi-pci") + " -device scsi-hd,drive=disk,bus=device.0"
        }
        Devices::VirtioRng | Devices::VirtioRngInUse => at("virtio-rng-pci"),
        Devices::VirtioBalloon | Devices::VirtioBalloonInUse => at("virtio-balloon-pci"),
        Devices::VirtioSerial | Devices::VirtioSerialInUse => {
            at("virtio-serial-pci")
                + " -chardev ringbuf,id=port,size=4096 -device virtserialport,chardev=port"
        }
        Devices::VirtioGpu => at("virtio-gpu-pci"),
        Devices::VirtioInput => {
            at("virtio-keyboard-pci")
                + " -device virtio-mouse-pci,addr=0x4 -device virtio-tablet-pci,addr=0x5"
        }
        Devices::E1000e => network("e1000e"),
        Devices::E1000 => network("e1000"),
        Devices::Rtl8139 => network("rtl8139"),
        Devices::Vmxnet3 => network("vmxnet3"),
        Devices::Xhci => at("qemu-xhci") + " -device usb-tablet,bus=device.0",
        Devices::Ehci => at("usb-ehci") + " -device usb-tablet,bus=device.0",
        Devices::Nvme => at("nvme,drive=disk,serial=migratrix"),
        Devices::Ahci => at("ich9-ahci") + " -device ide-hd,drive=disk,bus=device.0",
        Devices::Lsi => at("lsi53c895a") + " -device scsi-hd,drive=disk,bus=device.0",
        Devices::Megasas => at("megasas") + " -device scsi-hd,drive=disk,bus=device.0",
        Devices::Vga => at("VGA"),
        Devices::IntelHda => {
            at("intel-hda")
                + " -audiodev none,id=sound -device hda-duplex,bus=device.0,audiodev=sound"
        }
        Devices::Watchdog => at("i6300esb"),
        Devices::Pvpanic => "-device pvpanic".to_owned(),
        Devices::AllVirtio => all_virtio(),
    }
}

/// A network card without a peer: what it sends is gone. It has no ROM to boot from, which a release
/// may have in another package.
fn network(card: &str) -> String {
    format!("-device {card},romfile=,mac=52:54:00:6d:69:67,id=device,addr={SLOT:#x}")
}

fn all_virtio() -> String {
    let mut all = network("virtio-net-pci");
    all += " -device virtio-blk-pci,drive=disk,addr=0x4";
    all += " -device virtio-scsi-pci,addr=0x5 -device virtio-rng-pci,addr=0x6";
    all += " -device virtio-balloon-pci,addr=0x7 -device virtio-serial-pci,addr=0x8";
    all += " -device virtio-gpu-pci,addr=0x9 -device virtio-keyboard-pci,addr=0xa";
    all
}
