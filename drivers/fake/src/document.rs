//! The documents that a host in memory gives of its domain.

use std::fmt::Write as _;

use migratrix_history::Identity;
use migratrix_matrix::Version;

/// The version that the fake gives for all that it stands for.
pub(crate) const VERSION: Version = Version::new(1, 0, 0);

/// What is plugged in behind libvirt's back.
pub(crate) const PLUGGED: &str = "virtio-rng-pci/plugged";

/// What is told of a machine beyond its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What becomes of the guest when it crashes.
    pub on_crash: &'static str,
    /// The file of its disk.
    pub image: &'static str,
    /// The version of its QEMU, as that says itself.
    pub qemu: Version,
    /// By how many seconds its clock is ahead.
    pub ahead: i64,
    /// A device that only its QEMU knows of.
    pub plugged: Option<&'static str>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            on_crash: "destroy",
            image: "/boot.img",
            qemu: VERSION,
            ahead: 0,
            plugged: None,
        }
    }
}

/// The XML of a running domain.
pub(crate) fn live(uuid: &str, hardware: &Identity, told: Told) -> String {
    let Told {
        on_crash, image, ..
    } = told;
    let machine = &hardware.machine;
    let mut xml = format!(
        "<domain type='qemu' id='1'>\n<uuid>{uuid}</uuid>\n<os><type machine='{machine}'>hvm</type></os>\n\
         <on_crash>{on_crash}</on_crash>\n<devices>\n<disk><source file='{image}'/></disk>\n"
    );
    for (key, address) in &hardware.devices {
        let _ = writeln!(xml, "<device key='{key}' address='{address}'/>");
    }
    xml + "</devices>\n</domain>\n"
}

/// The XML of what is kept of a domain.
pub(crate) fn kept(uuid: &str, title: Option<&str>) -> String {
    let title = title.map_or_else(String::new, |title| format!("<title>{title}</title>\n"));
    format!("<domain type='qemu'>\n<uuid>{uuid}</uuid>\n{title}</domain>\n")
}

/// What its QEMU tells of the machine.
pub(crate) fn machine(hardware: &Identity, told: Told) -> String {
    let Told {
        image, qemu, ahead, ..
    } = told;
    let memory = hardware.memory_kib * 1024;
    let mut text = format!(
        "[qemu]\nversion={qemu}\n[memory]\nbase={memory}\nplugged=0\n[drive vda]\nfile={image}\n[clock]\nahead={ahead}\n[options]\nrtc=base=utc\n"
    );
    for device in hardware
        .devices
        .keys()
        .map(String::as_str)
        .chain(told.plugged)
    {
        let _ = writeln!(text, "[device {device}]");
    }
    text
}
