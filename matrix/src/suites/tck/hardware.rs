//! The hardware of a guest that libvirt moves: the least that it can do with, or one thing more.

use crate::{Devices, axis::axis};

axis! {
    /// What the guest's machine has besides the disk that it boots from, which its firmware uses,
    /// and a serial port; or how its processors are. Devices are idle: no driver sets them up.
    Hardware, "hardware" {
        /// One processor and no device more.
        Minimal = "minimal",
        /// A virtio network card.
        Net = "net",
        /// libvirt's own default of a virtio balloon, which a domain has unless it says no.
        Balloon = "balloon",
        /// A virtio random number generator.
        Rng = "rng",
        /// A second serial port.
        Serial = "serial",
        /// A virtio channel with the name of the guest agent's.
        Channel = "channel",
        /// A virtio SCSI controller with an empty CD-ROM drive.
        Scsi = "scsi",
        /// A second virtio disk, which nothing reads.
        Disk = "disk",
        /// A virtio graphics card.
        Gpu = "gpu",
        /// A VGA graphics card.
        Vga = "vga",
        /// A virtio keyboard and a virtio tablet.
        Input = "input",
        /// An i6300esb watchdog.
        Watchdog = "watchdog",
        /// A USB controller (`qemu-xhci`) with a tablet.
        Usb = "usb",
        /// Two processors, each a core of its own.
        TwoProcessors = "two-processors",
        /// One core with two threads.
        TwoThreads = "two-threads",
        /// libvirt's CPU mode `host-model`.
        HostModel = "host-model",
    }
}

impl Hardware {
    /// How many processors the guest has.
    #[must_use]
    pub const fn processors(self) -> u32 {
        match self {
            Self::TwoProcessors | Self::TwoThreads => 2,
            Self::Minimal
            | Self::Net
            | Self::Balloon
            | Self::Rng
            | Self::Serial
            | Self::Channel
            | Self::Scsi
            | Self::Disk
            | Self::Gpu
            | Self::Vga
            | Self::Input
            | Self::Watchdog
            | Self::Usb
            | Self::HostModel => 1,
        }
    }

    /// Whether the domain says something of its processors, so that libvirt has to compare them with
    /// those that QEMU gave.
    #[must_use]
    pub const fn names_processors(self) -> bool {
        self.processors() > 1 || matches!(self, Self::HostModel)
    }

    /// The devices of the suite `qemu` that are its counterpart; `None` where that suite has none. Its
    /// virtio disk is not that of a domain with two: the firmware sets up each disk there, and here
    /// only the one that is booted.
    #[must_use]
    pub const fn devices(self) -> Option<Devices> {
        match self {
            Self::Minimal => Some(Devices::None),
            Self::Net => Some(Devices::VirtioNet),
            Self::Balloon => Some(Devices::VirtioBalloon),
            Self::Rng => Some(Devices::VirtioRng),
            Self::Channel => Some(Devices::VirtioSerial),
            Self::Scsi => Some(Devices::VirtioScsi),
            Self::Gpu => Some(Devices::VirtioGpu),
            Self::Vga => Some(Devices::Vga),
            Self::Input => Some(Devices::VirtioInput),
            Self::Watchdog => Some(Devices::Watchdog),
            Self::Usb => Some(Devices::Xhci),
            Self::Serial
            | Self::Disk
            | Self::TwoProcessors
            | Self::TwoThreads
            | Self::HostModel => None,
        }
    }
}
