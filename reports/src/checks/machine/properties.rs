//! Which properties the devices of a usual machine have, by the version of QEMU.
//!
//! It holds for the types of devices and the releases that were compared; of others nothing is said.

use std::collections::BTreeMap;

use migratrix_matrix::Version;

/// A property that only older or only newer releases have.
struct Row {
    name: &'static str,
    /// Of these types of devices.
    of: &'static [&'static str],
    has: Has,
    /// Since this release of [`COMPARED`].
    since: (u32, u32),
}

/// Which releases have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Older,
    Newer,
}
use Has::{Newer, Older};

/// The releases whose machines were compared.
const COMPARED: [(u32, u32); 3] = [(7, 2), (10, 0), (11, 1)];

/// The types of devices that have been compared.
const USUAL: [&str; 25] = [
    "ICH9-LPC",
    "ICH9-SMB",
    "fw_cfg_io",
    "hpet",
    "i8042",
    "i8257",
    "ich9-ahci",
    "ioapic",
    "isa-i8259",
    "isa-pcspk",
    "isa-pit",
    "isa-serial",
    "kvmvapic",
    "mc146818rtc",
    "mch",
    "pcie-root-port",
    "port92",
    "ps2-kbd",
    "ps2-mouse",
    "q35-pcihost",
    "smbus-eeprom",
    "virtio-blk-device",
    "virtio-blk-pci",
    "vmmouse",
    "vmport",
];

const fn row(name: &'static str, of: &'static [&'static str], has: Has, since: (u32, u32)) -> Row {
    Row {
        name,
        of,
        has,
        since,
    }
}

const ROWS: [Row; 15] = [
    row("smm-enabled", &["ICH9-LPC"], Newer, (10, 0)),
    row("smm-ranges", &["q35-pcihost"], Newer, (10, 0)),
    row("short_root_bus", &["q35-pcihost"], Older, (10, 0)),
    row("in_order", &["virtio-blk-device"], Newer, (10, 0)),
    row(
        "iothread-vq-mapping",
        &["virtio-blk-device"],
        Newer,
        (10, 0),
    ),
    row("scsi", &["virtio-blk-device"], Older, (10, 0)),
    row("iothread", &["virtio-blk-device"], Newer, (11, 1)),
    row("stats-intervals", &["virtio-blk-device"], Newer, (11, 1)),
    row("migrate-extra", &["virtio-blk-pci"], Older, (11, 1)),
    row(
        "sriov-pf",
        &[
            "ICH9-LPC",
            "ICH9-SMB",
            "ich9-ahci",
            "mch",
            "pcie-root-port",
            "virtio-blk-pci",
        ],
        Newer,
        (11, 1),
    ),
    row("hpet-offset-saved", &["hpet"], Older, (11, 1)),
    row("migrate", &["isa-pcspk"], Older, (11, 1)),
    row("pit", &["isa-pcspk"], Newer, (11, 1)),
    row("disable-acs", &["pcie-root-port"], Older, (11, 1)),
    row("i8042", &["vmmouse"], Newer, (11, 1)),
];

/// What a machine has.
type Properties<'a> = BTreeMap<&'a str, &'a str>;

/// What is wrong with which properties two QEMUs tell of a device: each has those that its release has, and
/// beside these both have the same.
pub(super) fn misfits(
    section: &str,
    [before, after]: [(&Properties<'_>, Version); 2],
) -> Vec<String> {
    let device = section.strip_prefix(super::DEVICE).map(kind);
    let [from, to] = [before.1, after.1];
    let is_known = from == to
        || [from, to]
            .into_iter()
            .all(|one| COMPARED.contains(&(one.major, one.minor)))
            && device.is_some_and(|kind| USUAL.contains(&kind));
    if !is_known {
        return Vec::new();
    }
    let rows = || {
        ROWS.iter()
            .filter(|row| device.is_some_and(|kind| row.of.contains(&kind)))
    };
    let mut all = Vec::new();
    for (properties, version) in [before, after] {
        let is_compared = COMPARED.contains(&(version.major, version.minor));
        for row in rows().filter(|_| is_compared) {
            let is_newer = (version.major, version.minor) >= row.since;
            let has = properties.contains_key(row.name);
            if has != (is_newer == (row.has == Newer)) {
                let (name, is) = (row.name, if has { "new" } else { "gone" });
                all.push(format!("{name} of {section} is {is} in QEMU {version}"));
            }
        }
    }
    let is_listed = |name: &str| rows().any(|row| row.name == name);
    let only = |one: &Properties<'_>, other: &Properties<'_>, is: &str| {
        let names = one
            .keys()
            .filter(|name| !other.contains_key(*name) && !is_listed(name));
        let told = names.map(|name| format!("{name} of {section} is {is}"));
        told.collect::<Vec<_>>()
    };
    all.extend(only(before.0, after.0, "gone"));
    all.extend(only(after.0, before.0, "new"));
    all
}

/// The type of a device, by its section's name: `virtio-blk-pci` of `pci.1/virtio-blk-pci virtio-disk0`.
fn kind(device: &str) -> &str {
    let own = device.rsplit('/').next().unwrap_or(device);
    own.split(' ').next().unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Version = Version::new(7, 2, 22);
    const NEW: Version = Version::new(10, 0, 13);
    const CHIPSET: &str = "device pcie.0/ICH9-LPC";

    /// What is wrong with a device that has these properties before and these after.
    fn wrong(section: &str, [before, after]: [(&[&str], Version); 2]) -> Vec<String> {
        let (one, other): (Properties<'_>, Properties<'_>) = (
            before.0.iter().map(|name| (*name, "x")).collect(),
            after.0.iter().map(|name| (*name, "x")).collect(),
        );
        misfits(section, [(&one, before.1), (&other, after.1)])
    }

    #[test]
    fn a_property_comes_and_goes_with_its_release() {
        let came = [(&["addr"][..], OLD), (&["addr", "smm-enabled"][..], NEW)];
        assert_eq!(wrong(CHIPSET, came), [""; 0]);
        let lacks = [(&["addr"][..], OLD), (&["addr"][..], NEW)];
        let told = ["smm-enabled of device pcie.0/ICH9-LPC is gone in QEMU 10.0.13"];
        assert_eq!(wrong(CHIPSET, lacks), told);
        let early = [
            (&["addr", "smm-enabled"][..], OLD),
            (&["addr", "smm-enabled"][..], NEW),
        ];
        let told = ["smm-enabled of device pcie.0/ICH9-LPC is new in QEMU 7.2.22"];
        assert_eq!(wrong(CHIPSET, early), told);
    }

    #[test]
    fn a_property_that_no_release_brought_is_new_and_one_that_none_took_is_gone() {
        let new = [
            (&["addr"][..], OLD),
            (&["addr", "smm-enabled", "evil"][..], NEW),
        ];
        assert_eq!(
            wrong(CHIPSET, new),
            ["evil of device pcie.0/ICH9-LPC is new"]
        );
        let gone = [(&["addr"][..], OLD), (&["smm-enabled"][..], NEW)];
        assert_eq!(
            wrong(CHIPSET, gone),
            ["addr of device pcie.0/ICH9-LPC is gone"]
        );
    }

    #[test]
    fn of_devices_and_releases_that_nobody_compared_nothing_is_said() {
        let new = [(&["addr"][..], OLD), (&["addr", "evil"][..], NEW)];
        assert_eq!(wrong("device pcie.0/rare-device", new), [""; 0]);
        assert_eq!(wrong("memory", new), [""; 0]);
        let other = Version::new(9, 1, 0);
        let new = [(&["addr"][..], OLD), (&["addr", "evil"][..], other)];
        assert_eq!(wrong(CHIPSET, new), [""; 0]);
        let alike = [(&["addr"][..], other), (&["addr", "evil"][..], other)];
        assert_eq!(wrong("memory", alike), ["evil of memory is new"]);
    }

    #[test]
    fn each_listed_property_is_of_a_device_that_was_compared() {
        for row in &ROWS {
            assert!(
                row.of.iter().all(|kind| USUAL.contains(kind)),
                "{}",
                row.name
            );
            assert!(COMPARED[1..].contains(&row.since), "{}", row.name);
        }
    }
}
