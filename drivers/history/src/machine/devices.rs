//! The devices of `info qtree`, which is made for people: buses and devices by their indentation.
//!
//! ```text
//! bus: main-system-bus
//!   type System
//!   dev: q35-pcihost, id ""
//!     pci-hole64-size = 34359738368 (32 GiB)
//!     bus: pcie.0
//!       type PCIE
//!       dev: ich9-ahci, id ""
//!         addr = 1f.2
//!         class SATA controller, addr 00:1f.2, pci id 8086:2922 (sub 1af4:1100)
//!         bar 4: i/o at 0x700 [0x71e]
//! ```

use std::{borrow::Cow, collections::BTreeMap};

/// Properties of the device's place in QEMU and on its host, and not of the machine: what stands behind it, of
/// which the drive is told on its own, and how its ROM is found and its slot counted.
const BEHIND: [&str; 7] = [
    "drive",
    "netdev",
    "romsize",
    "rombar",
    "busnr",
    "failover_pair_id",
    "backend_defaults",
];

/// Properties that tell devices of one type on one bus apart, where they have no name.
const PLACES: [&str; 4] = ["addr", "iobase", "address", "base"];

#[derive(Default)]
struct Device<'t> {
    bus: Cow<'t, str>,
    kind: &'t str,
    id: &'t str,
    properties: Vec<Property<'t>>,
}

/// A property's name and its value.
type Property<'t> = (Cow<'t, str>, &'t str);

/// What is open at a depth: a bus by its name, or a device by its place in the list.
enum Open<'t> {
    Bus(Cow<'t, str>),
    Device(usize),
}

/// A section for each device, in the order of their names.
pub(super) fn sections(tree: &str) -> String {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let all = devices(tree);
    for device in &all {
        let Device {
            bus,
            kind,
            id,
            properties,
        } = device;
        let mut name = format!("{bus}/{kind}");
        let like = |other: &&Device| (&other.bus, &other.kind, &other.id) == (bus, kind, id);
        let is_alone = id.is_empty() && all.iter().filter(like).count() == 1;
        if let Some(own) = own_name(device).filter(|_| !is_alone) {
            name = format!("{name} {own}");
        }
        let twins = (2..).map(|number| format!("{name} #{number}"));
        let mut names = std::iter::once(name.clone()).chain(twins);
        let name = names.find(|name| !sections.contains_key(name));
        let mut lines = String::new();
        for (name, value) in properties {
            lines.extend([name, "=", *value, "\n"]);
        }
        sections.insert(name.unwrap_or_default(), lines);
    }
    let mut told = String::new();
    for (name, lines) in &sections {
        told.extend(["[device ", name, "]\n", lines]);
    }
    told
}

/// What a device is called among its like: by its name, or by its place. One alone needs neither.
fn own_name(device: &Device<'_>) -> Option<String> {
    if !device.id.is_empty() {
        return Some(device.id.to_owned());
    }
    let place = |name: &&str| {
        let mut all = device.properties.iter();
        all.find(|(one, _)| one == name)
    };
    let (_, value) = PLACES.iter().find_map(place)?;
    Some(format!("@{value}"))
}

fn devices(tree: &str) -> Vec<Device<'_>> {
    let mut all: Vec<Device<'_>> = Vec::new();
    let mut open: Vec<(usize, Open<'_>)> = Vec::new();
    for line in tree.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        while open.last().is_some_and(|(at, _)| *at >= depth) {
            open.pop();
        }
        if let Some(bus) = text.strip_prefix("bus: ") {
            let bus = bus_name(bus, open.last().map(|(_, open)| open), &all);
            open.push((depth, Open::Bus(bus)));
        } else if let Some(device) = text.strip_prefix("dev: ") {
            let bus = match open.last() {
                Some((_, Open::Bus(bus))) => bus.clone(),
                Some((_, Open::Device(_))) | None => Cow::default(),
            };
            let (kind, id) = device.split_once(", id ").unwrap_or((device, ""));
            let id = id.trim_matches('"');
            open.push((depth, Open::Device(all.len())));
            all.push(Device {
                bus,
                kind,
                id,
                properties: Vec::new(),
            });
        } else if let Some((_, Open::Device(place))) = open.last() {
            all[*place].properties.extend(property(text));
        }
    }
    all
}

/// The bus within a device of virtio has no name of its own: it is called as the device.
fn bus_name<'t>(name: &'t str, within: Option<&Open<'_>>, all: &[Device<'_>]) -> Cow<'t, str> {
    match within {
        Some(Open::Device(place)) if name == "virtio-bus" => {
            let device = &all[*place];
            let own = own_name(device).unwrap_or_default();
            Cow::Owned(format!("{} {own}", device.kind))
        }
        Some(Open::Device(_) | Open::Bus(_)) | None => Cow::Borrowed(name),
    }
}

/// A property: `addr = 1f.2`, or what a bus of its own tells of a device. What starts with `x-` is no part of
/// QEMU's interface, and lines of interrupts have no names.
fn property(text: &str) -> Option<Property<'_>> {
    let pci = text.strip_prefix("class ");
    if let Some(pci) = pci.filter(|pci| !pci.starts_with('=')) {
        return Some((Cow::Borrowed("pci"), pci));
    }
    if let Some(bar) = text.strip_prefix("bar ") {
        let (number, at) = bar.split_once(": ")?;
        return Some((Cow::Owned(format!("bar{number}")), at));
    }
    let (name, value) = text.split_once(" = ")?;
    let told = !name.starts_with("x-") && !BEHIND.contains(&name);
    told.then(|| (Cow::Borrowed(name), plain(value)))
}

/// A number without the other forms of it that stand behind it.
fn plain(value: &str) -> &str {
    let number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    let is_number = value.as_bytes().first().is_some_and(number);
    match value.split_once(" (") {
        Some((number, _)) if is_number && value.ends_with(')') => number,
        Some(_) | None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r#"bus: main-system-bus
  type System
  dev: hpet, id ""
    gpio-in "" 2
    timers = 3 (0x3)
    mmio 00000000fed00000/0000000000000400
  dev: q35-pcihost, id ""
    x-pci-hole64-fix = true
    bus: pcie.0
      type PCIE
      dev: virtio-blk-pci, id "virtio-disk0"
        addr = 00.0
        romfile = ""
        class SCSI controller, addr 00:00.0, pci id 1af4:1042 (sub 1af4:1100)
        bar 1: mem at 0xfe000000 [0xfe000fff]
        bus: virtio-bus
          type virtio-pci-bus
          dev: virtio-blk-device, id ""
            drive = "libvirt-1-format"
            serial = "a (b)"
      dev: ICH9-LPC, id ""
        addr = 1f.0
        bus: isa.0
          type ISA
          dev: isa-i8259, id ""
            iobase = 160 (0xa0)
          dev: isa-i8259, id ""
            iobase = 32 (0x20)
          dev: port92, id ""
          dev: port92, id ""
"#;

    #[test]
    fn each_device_is_named_by_its_bus_its_type_and_what_tells_it_from_its_like() {
        let expected = r#"[device isa.0/isa-i8259 @160]
iobase=160
[device isa.0/isa-i8259 @32]
iobase=32
[device isa.0/port92]
[device isa.0/port92 #2]
[device main-system-bus/hpet]
timers=3
[device main-system-bus/q35-pcihost]
[device pcie.0/ICH9-LPC]
addr=1f.0
[device pcie.0/virtio-blk-pci virtio-disk0]
addr=00.0
romfile=""
pci=SCSI controller, addr 00:00.0, pci id 1af4:1042 (sub 1af4:1100)
bar1=mem at 0xfe000000 [0xfe000fff]
[device virtio-blk-pci virtio-disk0/virtio-blk-device]
serial="a (b)"
"#;
        assert_eq!(sections(TREE), expected);
    }
}
