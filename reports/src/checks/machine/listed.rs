//! What differs between QEMUs that run one machine type, and why.

use migratrix_history::Versions;
use migratrix_matrix::Version;

use crate::checks::since::Since;

/// A documented difference.
struct Row {
    /// Of which sections: by the name, or by its beginning where that ends in `*`.
    section: &'static str,
    /// In what.
    what: What,
    /// Between which versions.
    since: Program,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is for the reader"))]
    why: &'static str,
}

/// What differs.
enum What {
    /// Only one of the two has such a device.
    Device,
    /// This property.
    Property(&'static str),
}

/// Whose version it depends on.
enum Program {
    Qemu(Since),
    Libvirt(Since),
}

use Program::{Libvirt, Qemu};
use What::{Device, Property};

/// The versions of QEMU between which a change was seen.
const EARLY: Since = Since::between(Version::new(5, 2, 0), Version::new(7, 2, 0));

const LATER: Since = Since::between(Version::new(7, 2, 22), Version::new(10, 0, 13));

/// The table.
const ROWS: [Row; 9] = [
    Row {
        section: "device main-system-bus/ps2-kbd",
        what: Device,
        since: Qemu(EARLY),
        why: "what is behind the keyboard controller has become a device of its own",
    },
    Row {
        section: "device main-system-bus/ps2-mouse",
        what: Device,
        since: Qemu(EARLY),
        why: "as the keyboard",
    },
    Row {
        section: "device pcie.0/ICH9 SMB",
        what: Device,
        since: Qemu(EARLY),
        why: "the older name of the next one",
    },
    Row {
        section: "device pcie.0/ICH9-SMB",
        what: Device,
        since: Qemu(EARLY),
        why: "names of types have no blanks any more",
    },
    Row {
        section: "device *",
        what: Property("xres"),
        since: Qemu(EARLY),
        why: "the resolution that a graphics card prefers where none is named is 1280 × 800, and was 1024 × 768",
    },
    Row {
        section: "device *",
        what: Property("yres"),
        since: Qemu(EARLY),
        why: "as the other one",
    },
    Row {
        section: "device isa.0/pvpanic",
        what: Property("events"),
        since: Qemu(LATER),
        why: "a guest may tell of its shutdown as well, whatever its machine type (docs/specs/pvpanic.rst): \
              one that asked before does not ask again",
    },
    Row {
        section: "device pcie.0/ICH9-LPC",
        what: Property("noreboot"),
        since: Libvirt(Since::version(Version::new(9, 1, 0))),
        why: "libvirt lets the chipset's watchdog, which it now tells of, do what it says (libvirt 926594dc)",
    },
    Row {
        section: "options",
        what: Property("global ICH9-LPC.noreboot"),
        since: Libvirt(Since::version(Version::new(9, 1, 0))),
        why: "as the property itself",
    },
];

/// Whether only one of the two has such a device, as it should be.
pub(super) fn explains_device(section: &str, versions: &Versions) -> bool {
    let mut rows = ROWS.iter();
    rows.any(|row| matches!(row.what, Device) && row.holds(section, versions))
}

/// Whether the two have other values, as it should be.
pub(super) fn explains_property(section: &str, name: &str, versions: &Versions) -> bool {
    let mut rows = ROWS.iter();
    rows.any(|row| matches!(row.what, Property(one) if one == name) && row.holds(section, versions))
}

impl Row {
    fn holds(&self, section: &str, versions: &Versions) -> bool {
        let is_here = match self.section.strip_suffix('*') {
            Some(start) => section.starts_with(start),
            None => section == self.section,
        };
        let (since, from, to) = match &self.since {
            Qemu(since) => (since, versions.source_qemu, versions.destination_qemu),
            Libvirt(since) => (since, versions.source_libvirt, versions.destination_libvirt),
        };
        let divides = |(from, to)| since.divides(from, to);
        is_here && from.zip(to).is_some_and(divides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both programs of the oldest release that differs, and of the next one.
    fn versions([from, to]: [(u32, u32); 2]) -> Versions {
        let version = |(major, minor)| Some(Version::new(major, minor, 0));
        Versions {
            source_libvirt: version(from),
            source_qemu: version(from),
            destination_libvirt: version(to),
            destination_qemu: version(to),
            ..Versions::default()
        }
    }

    #[test]
    fn each_row_holds_between_its_versions_and_nowhere_else() {
        for row in &ROWS {
            assert!(!row.why.is_empty());
            let section = row.section.replace('*', "pcie.0/VGA video0");
            let apart = match &row.since {
                Qemu(since) if *since == EARLY => [(5, 2), (7, 2)],
                Qemu(_) => [(7, 2), (11, 1)],
                Libvirt(_) => [(9, 0), (9, 1)],
            };
            let explains = |versions: &Versions| match row.what {
                Device => explains_device(&section, versions),
                Property(name) => explains_property(&section, name, versions),
            };
            let [older, newer] = apart;
            assert!(explains(&versions(apart)), "{section}");
            assert!(explains(&versions([newer, older])), "{section}");
            assert!(!explains(&versions([newer, newer])), "{section}");
            assert!(!explains(&versions([(12, 0), (11, 0)])), "{section}");
            assert!(!explains(&Versions::default()), "{section}");
        }
    }

    #[test]
    fn other_devices_and_properties_are_not_explained() {
        let apart = versions([(5, 2), (12, 0)]);
        assert!(!explains_device("device pcie.0/virtio-balloon-pci", &apart));
        assert!(!explains_property("device pcie.0/ICH9-LPC", "addr", &apart));
        assert!(!explains_property("memory", "base", &apart));
    }
}
