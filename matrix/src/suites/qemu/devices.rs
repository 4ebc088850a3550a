//! Which device types a set of devices is made of.

use super::axes::Devices;

impl Devices {
    /// The device types (`-device`), each once.
    #[must_use]
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::VirtioBlk | Self::VirtioBlkInUse => &["virtio-blk-pci"],
            Self::VirtioNet | Self::VirtioNetInUse => &["virtio-net-pci"],
            Self::VirtioScsi | Self::VirtioScsiInUse => &["virtio-scsi-pci", "scsi-hd"],
            Self::VirtioRng | Self::VirtioRngInUse => &["virtio-rng-pci"],
            Self::VirtioBalloon | Self::VirtioBalloonInUse => &["virtio-balloon-pci"],
            Self::VirtioSerial | Self::VirtioSerialInUse => {
                &["virtio-serial-pci", "virtserialport"]
            }
            Self::VirtioGpu => &["virtio-gpu-pci"],
            Self::VirtioInput => &[
                "virtio-keyboard-pci",
                "virtio-mouse-pci",
                "virtio-tablet-pci",
            ],
            Self::E1000e => &["e1000e"],
            Self::E1000 => &["e1000"],
            Self::Rtl8139 => &["rtl8139"],
            Self::Vmxnet3 => &["vmxnet3"],
            Self::Xhci => &["qemu-xhci", "usb-tablet"],
            Self::Ehci => &["usb-ehci", "usb-tablet"],
            Self::Nvme => &["nvme"],
            Self::Ahci => &["ich9-ahci", "ide-hd"],
            Self::Lsi => &["lsi53c895a", "scsi-hd"],
            Self::Megasas => &["megasas", "scsi-hd"],
            Self::Vga => &["VGA"],
            Self::IntelHda => &["intel-hda", "hda-duplex"],
            Self::Watchdog => &["i6300esb"],
            Self::Pvpanic => &["pvpanic"],
            Self::AllVirtio => &[
                "virtio-blk-pci",
                "virtio-net-pci",
                "virtio-scsi-pci",
                "scsi-hd",
                "virtio-rng-pci",
                "virtio-balloon-pci",
                "virtio-serial-pci",
                "virtserialport",
                "virtio-gpu-pci",
                "virtio-keyboard-pci",
                "virtio-mouse-pci",
                "virtio-tablet-pci",
            ],
        }
    }

    /// Whether a driver has set it up, and it has done work before the migration.
    #[must_use]
    pub const fn is_in_use(self) -> bool {
        match self {
            Self::VirtioBlkInUse
            | Self::VirtioNetInUse
            | Self::VirtioScsiInUse
            | Self::VirtioRngInUse
            | Self::VirtioBalloonInUse
            | Self::VirtioSerialInUse => true,
            Self::None
            | Self::VirtioBlk
            | Self::VirtioNet
            | Self::VirtioScsi
            | Self::VirtioRng
            | Self::VirtioBalloon
            | Self::VirtioSerial
            | Self::VirtioGpu
            | Self::VirtioInput
            | Self::E1000e
            | Self::E1000
            | Self::Rtl8139
            | Self::Vmxnet3
            | Self::Xhci
            | Self::Ehci
            | Self::Nvme
            | Self::Ahci
            | Self::Lsi
            | Self::Megasas
            | Self::Vga
            | Self::IntelHda
            | Self::Watchdog
            | Self::Pvpanic
            | Self::AllVirtio => false,
        }
    }
}
