//! The differences between two descriptions of one domain that are documented, and why each is none of the
//! machine.

use migratrix_history::Versions;
use migratrix_matrix::Version;

use super::Difference;
use crate::checks::since::Since;

/// Which descriptions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checks) enum Compared {
    /// The running domain on the source before, and on the destination after.
    Running,
    /// What the source kept of it before, and what the destination keeps after.
    Carried,
    /// What the source would have kept of a transient one before, and what the destination keeps after.
    Adopted,
    /// What one host kept of it before and after.
    Stayed,
}

/// A documented difference.
struct Row {
    /// Where: a `*` stands for any one element, `**` at the end for all that is below. What names an element
    /// may be left out.
    path: &'static str,
    /// Of which descriptions.
    of: &'static [Compared],
    /// When.
    when: When,
    /// What the values that are there begin with: one of these.
    values: &'static [&'static str],
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is for the reader"))]
    why: &'static str,
}

/// When a difference is none of the machine.
enum When {
    /// On any two hosts.
    Always,
    /// Where one side's libvirt tells it, and the other's is of another time.
    OneTells(Since),
    /// Where it was of the running domain, and nobody named it.
    NotKept,
    /// Where it is kept, and the running domain did not tell it.
    OnlyKept,
}

use Compared::{Adopted, Carried, Running};
use When::{Always, NotKept, OneTells, OnlyKept};

const ALL: &[Compared] = &[Running, Carried, Adopted];

/// Any value.
const ANY: &[&str] = &[""];

/// The versions of libvirt between which a change was seen, where no document names one.
const LATELY: Since = Since::between(Version::new(11, 3, 0), Version::new(12, 8, 0));
const EARLY: Since = Since::between(Version::new(7, 0, 0), Version::new(9, 0, 0));

/// The table. Of what one host keeps there is none.
const ROWS: [Row; 17] = [
    Row {
        path: "/domain/@id",
        of: &[Running],
        when: Always,
        values: ANY,
        why: "each host numbers its running domains by itself (formatdomain.html, `id`)",
    },
    Row {
        path: "/domain/seclabel/**",
        of: &[Running, Adopted],
        when: Always,
        values: &[
            "dynamic",
            "<seclabel type='dynamic'",
            "system_u:",
            "libvirt-",
            "+",
        ],
        why: "each host makes dynamic labels by its own security driver (formatdomain.html, `seclabel`)",
    },
    Row {
        path: "/domain/devices/channel/source/@path",
        of: &[Running],
        when: Always,
        values: &[
            "/run/libvirt/qemu/channel/",
            "/var/lib/libvirt/qemu/channel/target/",
        ],
        why: "a path that is not given is made of the domain's number, in a folder that has moved \
              (qemuDomainPrepareChannel)",
    },
    Row {
        path: "/domain/devices/*/alias",
        of: &[Adopted],
        when: NotKept,
        values: &["<alias name='"],
        why: "the names that libvirt gives to devices are of the running domain; those that a user gives \
              start with `ua-` (formatdomain.html, `alias`)",
    },
    Row {
        path: "/domain/devices/controller/alias",
        of: &[Running],
        when: Always,
        values: &["<alias name='usb'/>"],
        why: "the name of a USB controller of the model `none`, which is no device: a daemon that is started again \
              does not read it back (virDomainControllerDefParseXML)",
    },
    Row {
        path: "/domain/devices/disk/source/@index",
        of: &[Adopted],
        when: NotKept,
        values: ANY,
        why: "the number by which a node of the running domain is found (formatdomain.html, `index`)",
    },
    Row {
        path: "/domain/devices/disk/source",
        of: &[Adopted],
        when: NotKept,
        values: &["<source index='"],
        why: "as the number, of an empty drive",
    },
    Row {
        path: "/domain/devices/disk/driver/@type",
        of: &[Adopted],
        when: OnlyKept,
        values: &["raw"],
        why: "the format of an empty drive is kept, and of a running domain told from libvirt 12 on only",
    },
    Row {
        path: "/domain/devices/channel/source",
        of: &[Adopted],
        when: NotKept,
        values: &[
            "<source mode='bind' path='/run/libvirt/qemu/channel/",
            "<source mode='bind' path='/var/lib/libvirt/qemu/channel/target/",
        ],
        why: "a path that is not given is made when the domain starts, and is not kept (qemuDomainPrepareChannel)",
    },
    Row {
        path: "/domain/devices/audio",
        of: ALL,
        when: OneTells(EARLY),
        values: &["<audio id='1' type='none'/>"],
        why: "the audio back end that each domain without one gets is told (formatdomain.html, `audio`)",
    },
    Row {
        path: "/domain/devices/watchdog[itco]",
        of: ALL,
        when: OneTells(Since::version(Version::new(9, 1, 0))),
        values: &[
            "<watchdog model='itco' action='reset'",
            "<watchdog model='itco' action='none'",
        ],
        why: "the watchdog of the chipset is told, which all q35 machines have (libvirt 926594dc)",
    },
    Row {
        path: "/domain/cpu/topology/@clusters",
        of: ALL,
        when: OneTells(Since::version(Version::new(10, 1, 0))),
        values: &["1"],
        why: "clusters are told, of which an x86 package is one (formatdomain.html, `topology`)",
    },
    Row {
        path: "/domain/devices/video/model/@device",
        of: ALL,
        when: OneTells(Since::version(Version::new(12, 5, 0))),
        values: &["virtio-"],
        why: "which of two devices a virtio graphics card is has been recorded since (NEWS, 12.5.0)",
    },
    Row {
        path: "/domain/devices/controller[usb:0]/alias",
        of: &[Running],
        when: OneTells(LATELY),
        values: &["<alias name='usb'/>"],
        why: "a controller of the model `none` is no device, and has no alias any more",
    },
    Row {
        path: "/domain/devices/disk/driver/@type",
        of: &[Running],
        when: OneTells(LATELY),
        values: &["raw"],
        why: "an empty drive has a format as well",
    },
    Row {
        path: "/domain/devices/disk/driver",
        of: &[Running],
        when: OneTells(LATELY),
        values: &["<driver name='qemu' type='raw'/>"],
        why: "an empty drive has a format as well",
    },
    Row {
        path: "/domain/devices/disk/source",
        of: &[Running],
        when: OneTells(LATELY),
        values: &["<source index='"],
        why: "an empty drive has a number as well, by which its node is found",
    },
];

/// Whether the difference is documented.
pub(super) fn explains(difference: &Difference, compared: Compared, versions: &Versions) -> bool {
    let mut rows = ROWS.iter();
    rows.any(|row| row.explains(difference, compared, versions))
}

impl Row {
    fn explains(&self, difference: &Difference, compared: Compared, versions: &Versions) -> bool {
        self.of.contains(&compared)
            && is_at(self.path, &difference.path)
            && self.when.holds(difference, versions)
            && self.takes(difference)
    }

    fn takes(&self, difference: &Difference) -> bool {
        let mut values = [&difference.from, &difference.to].into_iter().flatten();
        values.all(|value| self.values.iter().any(|start| value.starts_with(start)))
    }
}

impl When {
    fn holds(&self, difference: &Difference, versions: &Versions) -> bool {
        match self {
            Always => true,
            NotKept => {
                let from = difference.from.as_deref().unwrap_or_default();
                difference.to.is_none() && !from.starts_with("<alias name='ua-")
            }
            OnlyKept => difference.from.is_none(),
            OneTells(since) => {
                let one_tells = difference.from.is_none() || difference.to.is_none();
                match (versions.source_libvirt, versions.destination_libvirt) {
                    (Some(from), Some(to)) => one_tells && since.divides(from, to),
                    (None, _) | (_, None) => false,
                }
            }
        }
    }
}

/// Whether a path is one of those that a pattern stands for.
fn is_at(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        let Some(part) = parts.next() else {
            return false;
        };
        let kind = part.split(['[', '#']).next();
        if wanted != "*" && wanted != part && Some(wanted) != kind {
            return false;
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(from: (u32, u32), to: (u32, u32)) -> Versions {
        let version = |(major, minor)| Some(Version::new(major, minor, 0));
        Versions {
            source_libvirt: version(from),
            destination_libvirt: version(to),
            ..Versions::default()
        }
    }

    /// A difference that a row explains: where, what the older and the newer libvirt have there, and which
    /// they are. Of what is adopted, the older one is the source's.
    type Example = (
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        [(u32, u32); 2],
    );

    /// One for each row, in their order.
    const EXAMPLES: [Example; ROWS.len()] = [
        ("/domain/@id", Some("3"), Some("7"), [(9, 0), (9, 0)]),
        (
            "/domain/seclabel[selinux]/label",
            Some("system_u:system_r:svirt_t:s0:c1,c2"),
            Some("system_u:system_r:svirt_t:s0:c3,c4"),
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/channel[org.qemu.guest_agent.0]/source/@path",
            Some("/var/lib/libvirt/qemu/channel/target/domain-1-a/org.qemu.guest_agent.0"),
            Some("/run/libvirt/qemu/channel/17-a/org.qemu.guest_agent.0"),
            [(9, 0), (11, 3)],
        ),
        (
            "/domain/devices/rng[virtio]/alias",
            Some("<alias name='rng0'/>"),
            None,
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/controller[usb:0]/alias",
            Some("<alias name='usb'/>"),
            None,
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/disk[vda]/source/@index",
            Some("1"),
            None,
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/disk[sda]/source",
            Some("<source index='1'/>"),
            None,
            [(12, 8), (12, 8)],
        ),
        (
            "/domain/devices/disk[sda]/driver/@type",
            None,
            Some("raw"),
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/channel[org.qemu.guest_agent.0]/source",
            Some(
                "<source mode='bind' path='/run/libvirt/qemu/channel/1-a/org.qemu.guest_agent.0'/>",
            ),
            None,
            [(9, 0), (9, 0)],
        ),
        (
            "/domain/devices/audio[1]",
            None,
            Some("<audio id='1' type='none'/>"),
            [(7, 0), (9, 0)],
        ),
        (
            "/domain/devices/watchdog[itco]",
            None,
            Some("<watchdog model='itco' action='reset'/>"),
            [(9, 0), (11, 3)],
        ),
        (
            "/domain/cpu/topology/@clusters",
            None,
            Some("1"),
            [(9, 0), (11, 3)],
        ),
        (
            "/domain/devices/video/model/@device",
            None,
            Some("virtio-vga"),
            [(11, 3), (12, 8)],
        ),
        (
            "/domain/devices/controller[usb:0]/alias",
            Some("<alias name='usb'/>"),
            None,
            [(11, 3), (12, 8)],
        ),
        (
            "/domain/devices/disk[sda]/driver/@type",
            None,
            Some("raw"),
            [(11, 3), (12, 8)],
        ),
        (
            "/domain/devices/disk[sda]/driver",
            None,
            Some("<driver name='qemu' type='raw'/>"),
            [(11, 3), (12, 8)],
        ),
        (
            "/domain/devices/disk[sda]/source",
            None,
            Some("<source index='1'/>"),
            [(11, 3), (12, 8)],
        ),
    ];

    fn difference(path: &str, from: Option<&str>, to: Option<&str>) -> Difference {
        Difference {
            path: path.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        }
    }

    #[test]
    fn each_row_has_an_example_that_it_alone_explains_and_a_reason() {
        for (row, (path, older, newer, [from, to])) in ROWS.iter().zip(EXAMPLES) {
            assert!(!row.why.is_empty());
            let example = difference(path, older, newer);
            let back = difference(path, newer, older);
            for compared in row.of {
                let takes = |one: &&Row| one.explains(&example, *compared, &versions(from, to));
                let mut rows = ROWS.iter().filter(takes);
                assert!(rows.any(|one| std::ptr::eq(one, row)), "{path}");
                assert_eq!(rows.count(), 0, "{path}");
                let either = match row.when {
                    Always | OneTells(_) => true,
                    NotKept | OnlyKept => false,
                };
                let turned = row.explains(&back, *compared, &versions(to, from));
                assert_eq!(turned, either, "{path}");
            }
            assert!(!explains(&example, Compared::Stayed, &versions(from, to)));
        }
    }

    #[test]
    fn a_row_explains_nothing_else() {
        for (row, (path, older, newer, [from, to])) in ROWS.iter().zip(EXAMPLES) {
            let explains = |one: &Difference, versions: &Versions| {
                row.of.iter().any(|of| row.explains(one, *of, versions))
            };
            let other = |value: Option<&str>| value.map(|_| "something else");
            let wrong = difference(path, other(older), other(newer));
            let is_any = row.values.contains(&"");
            assert_eq!(explains(&wrong, &versions(from, to)), is_any, "{path}");
            let elsewhere = difference(&format!("{path}/more"), older, newer);
            let below = row.path.ends_with("**");
            assert_eq!(explains(&elsewhere, &versions(from, to)), below);
            if let OneTells(_) = row.when {
                let example = difference(path, older, newer);
                assert!(!explains(&example, &versions(from, from)), "{path}");
                assert!(!explains(&example, &Versions::default()), "{path}");
                let both = difference(path, older.or(newer), newer.or(older));
                assert!(!explains(&both, &versions(from, to)), "{path}");
            }
        }
    }

    #[test]
    fn the_name_that_a_user_gave_a_device_is_kept() {
        let path = "/domain/devices/rng[virtio]/alias";
        let gone = difference(path, Some("<alias name='ua-mine'/>"), None);
        assert!(!explains(&gone, Adopted, &versions((9, 0), (9, 0))));
    }

    #[test]
    fn a_pattern_stands_for_elements_whatever_their_names() {
        assert!(is_at(
            "/domain/devices/*/alias",
            "/domain/devices/disk[vda]/alias"
        ));
        assert!(is_at("/domain/devices/disk", "/domain/devices/disk[vda]"));
        assert!(is_at("/domain/devices/hub", "/domain/devices/hub#2"));
        assert!(!is_at(
            "/domain/devices/disk[vdb]",
            "/domain/devices/disk[vda]"
        ));
        assert!(!is_at("/domain/devices", "/domain/devices/disk[vda]"));
        assert!(is_at("/domain/seclabel/**", "/domain/seclabel[dac]"));
    }
}
