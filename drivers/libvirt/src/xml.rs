//! The domain XML of a case's subject.

use migratrix_contract::{Cpu, Subject, Variant};
use migratrix_matrix::{Hardware, Point, Strike};

use crate::{chain::disks::disk, element::Element, recovery::monitor_path};

/// The name by which a guest's agent would be reached.
const AGENT: &str = "org.qemu.guest_agent.0";

/// What QEMU's own translator gives a PC where nothing is said.
const USUAL_MODEL: &str = "qemu64";

/// The XML of `subject` under `uuid`: as few devices as the scenario needs, so that it starts fast
/// and the same in every release.
///
/// - The disk that it boots is read-only and shared by nobody's write, so that libvirt calls no
///   migration unsafe and none needs storage. Only a chain of backups has another one.
/// - Its processors are QEMU's own translator's (`type='qemu'`), the same on every machine.
/// - What its guest writes to COM1 stays in a file beside QEMU's log, as evidence.
#[must_use]
pub fn domain_xml(subject: &Subject, uuid: &str, variant: Variant) -> String {
    let hardware = hardware(subject);
    let domain = Element::new("domain")
        .with("type", "qemu")
        .with("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
        .holds(Element::new("name").text(&subject.domain))
        .holds(Element::new("uuid").text(uuid))
        .holds_all(title(variant))
        .holds(
            Element::new("memory")
                .with("unit", "MiB")
                .text(subject.memory_mib),
        )
        .holds(Element::new("vcpu").text(hardware.processors()))
        .holds(os(subject))
        .holds(Element::new("features").holds(Element::new("acpi")))
        .holds_all(processors(subject, hardware))
        .holds_all(
            ["on_poweroff", "on_reboot", "on_crash"]
                .map(|on| Element::new(on).text(what_becomes(subject, on))),
        )
        .holds(devices(subject, hardware, variant))
        .holds_all(command_line(subject));
    domain.to_string() + "\n"
}

/// What becomes of the domain by this event: it ends, but where its guest is to reboot.
fn what_becomes(subject: &Subject, on: &str) -> &'static str {
    if on == "on_reboot" && is_struck_by(subject, Strike::GuestRebooted) {
        "restart"
    } else {
        "destroy"
    }
}

fn is_struck_by(subject: &Subject, strike: Strike) -> bool {
    matches!(subject.point, Point::Recovery(point) if point.strike == strike)
}

fn title(variant: Variant) -> Option<Element> {
    match variant {
        Variant::Plain | Variant::ExtraDevice => None,
        Variant::Titled => Some(Element::new("title").text("another")),
    }
}

/// What the subject's machine is made of.
fn hardware(subject: &Subject) -> Hardware {
    subject
        .point
        .scenario()
        .map_or(Hardware::Minimal, |scenario| scenario.hardware)
}

fn os(subject: &Subject) -> Element {
    let kind = Element::new("type")
        .with("arch", subject.point.machine().arch())
        .with("machine", &subject.machine)
        .text("hvm");
    let os = Element::new("os").holds(kind);
    match disk(subject) {
        None => os.holds(Element::new("boot").with("dev", "hd")),
        Some(_) => os,
    }
}

fn processors(subject: &Subject, hardware: Hardware) -> Option<Element> {
    if let Some(cpu) = &subject.cpu {
        return Some(processor(cpu));
    }
    let topology = |cores: u32, threads: u32| {
        let topology = Element::new("topology").with("sockets", 1);
        let topology = topology.with("cores", cores).with("threads", threads);
        Some(Element::new("cpu").holds(topology))
    };
    match hardware {
        Hardware::TwoProcessors => topology(2, 1),
        Hardware::TwoThreads => topology(1, 2),
        Hardware::HostModel => Some(Element::new("cpu").with("mode", "host-model")),
        Hardware::Minimal
        | Hardware::Net
        | Hardware::Balloon
        | Hardware::Rng
        | Hardware::Serial
        | Hardware::Channel
        | Hardware::Scsi
        | Hardware::Disk
        | Hardware::Gpu
        | Hardware::Vga
        | Hardware::Input
        | Hardware::Watchdog
        | Hardware::Usb => None,
    }
}

/// A processor of this kind, of which nobody looks whether it is given whole: the guest needs little of one.
fn processor(cpu: &Cpu) -> Element {
    let (model, without) = match cpu {
        Cpu::Model(model) => (model.as_str(), None),
        Cpu::Without(feature) => (USUAL_MODEL, Some(feature)),
    };
    let without = without.map(|feature| {
        Element::new("feature")
            .with("policy", "disable")
            .with("name", feature)
    });
    let model = Element::new("model").with("fallback", "forbid").text(model);
    Element::new("cpu")
        .with("mode", "custom")
        .with("match", "exact")
        .with("check", "none")
        .holds(model)
        .holds_all(without)
}

fn devices(subject: &Subject, hardware: Hardware, variant: Variant) -> Element {
    let chained = disk(subject);
    let mut boot = raw_disk(&subject.boot_image, "vda");
    if chained.is_some() {
        boot = boot.holds(Element::new("boot").with("order", 1));
    }
    let serial = Element::new("serial")
        .with("type", "file")
        .holds(Element::new("source").with("path", console(subject)))
        .holds(Element::new("target").with("port", 0));
    let more = match variant {
        Variant::Plain | Variant::Titled => None,
        Variant::ExtraDevice => Some(second_serial()),
    };
    Element::new("devices")
        .holds(boot)
        .holds_all(chained)
        .holds(usb(subject, hardware))
        .holds(serial)
        .holds_all(more)
        .holds_all(extra(subject, hardware))
        .holds(balloon(hardware))
}

/// The file that the guest's console goes to, by the path that its host knows it by.
pub(crate) fn console(subject: &Subject) -> String {
    format!("/var/log/libvirt/{}.serial", subject.domain)
}

fn raw_disk(file: &str, target: &str) -> Element {
    disk_on("virtio", file, target)
}

fn disk_on(bus: &str, file: &str, target: &str) -> Element {
    let driver = Element::new("driver").with("name", "qemu");
    Element::new("disk")
        .with("type", "file")
        .with("device", "disk")
        .holds(driver.with("type", "raw"))
        .holds(Element::new("source").with("file", file))
        .holds(Element::new("target").with("dev", target).with("bus", bus))
        .holds(Element::new("readonly"))
}

fn second_serial() -> Element {
    Element::new("serial")
        .with("type", "null")
        .holds(Element::new("target").with("port", 1))
}

/// What USB is plugged into, where the guest has some, or is to get some.
fn usb(subject: &Subject, hardware: Hardware) -> Element {
    let model = if hardware == Hardware::Usb || is_struck_by(subject, Strike::DeviceAttached) {
        "qemu-xhci"
    } else {
        "none"
    };
    Element::new("controller")
        .with("type", "usb")
        .with("model", model)
}

fn balloon(hardware: Hardware) -> Element {
    let model = if hardware == Hardware::Balloon {
        "virtio"
    } else {
        "none"
    };
    Element::new("memballoon").with("model", model)
}

/// The devices that the hardware has beyond the least, but for those that a domain always says
/// something of.
fn extra(subject: &Subject, hardware: Hardware) -> Vec<Element> {
    let input = |kind, bus| Element::new("input").with("type", kind).with("bus", bus);
    let video = |model| Element::new("video").holds(Element::new("model").with("type", model));
    match hardware {
        Hardware::Net => vec![network_card()],
        Hardware::Rng => vec![random_numbers()],
        Hardware::Serial => vec![second_serial()],
        Hardware::Channel => vec![agent_channel()],
        Hardware::Scsi => vec![scsi_controller(), empty_drive()],
        Hardware::Disk => vec![raw_disk(&subject.boot_image, "vdb")],
        Hardware::Gpu => vec![video("virtio")],
        Hardware::Vga => vec![video("vga")],
        Hardware::Input => vec![input("keyboard", "virtio"), input("tablet", "virtio")],
        Hardware::Watchdog => vec![
            Element::new("watchdog")
                .with("model", "i6300esb")
                .with("action", "none"),
        ],
        Hardware::Usb => vec![input("tablet", "usb")],
        Hardware::Minimal
        | Hardware::Balloon
        | Hardware::TwoProcessors
        | Hardware::TwoThreads
        | Hardware::HostModel => Vec::new(),
    }
}

/// A device that needs no slot of the machine's, and that every release attaches to a running guest: the disk that it
/// boots once more. It has a name of its own by its target, so that libvirt gives it the same alias on both sides.
pub(crate) fn usb_disk(subject: &Subject) -> Element {
    disk_on("usb", &subject.boot_image, "sda")
}

/// On QEMU's own user network, which needs nothing of its host.
fn network_card() -> Element {
    Element::new("interface")
        .with("type", "user")
        .holds(Element::new("mac").with("address", "52:54:00:6d:78:01"))
        .holds(Element::new("model").with("type", "virtio"))
}

fn random_numbers() -> Element {
    let backend = Element::new("backend").with("model", "random");
    Element::new("rng")
        .with("model", "virtio")
        .holds(backend.text("/dev/urandom"))
}

fn agent_channel() -> Element {
    let target = Element::new("target").with("type", "virtio");
    Element::new("channel")
        .with("type", "unix")
        .holds(target.with("name", AGENT))
}

fn scsi_controller() -> Element {
    Element::new("controller")
        .with("type", "scsi")
        .with("index", 0)
        .with("model", "virtio-scsi")
}

fn empty_drive() -> Element {
    let target = Element::new("target")
        .with("dev", "sda")
        .with("bus", "scsi");
    Element::new("disk")
        .with("type", "file")
        .with("device", "cdrom")
        .holds(target)
        .holds(Element::new("readonly"))
}

/// What QEMU is told that libvirt has no word for: a qtest socket, and a second monitor for a migration that
/// is struck.
fn command_line(subject: &Subject) -> Option<Element> {
    let socket = |path: &str| format!("unix:{path},server=on,wait=off");
    let mut words = Vec::new();
    if subject.qtest {
        let socket = socket(&subject.qtest_socket());
        words.extend(["-qtest", &socket, "-qtest-log", "none"].map(str::to_owned));
    }
    if matches!(subject.point, Point::Recovery(_)) {
        let socket = socket(&monitor_path(&subject.domain));
        words.extend(["-qmp".to_owned(), socket]);
    }
    let all = words.iter();
    let all = all.map(|word| Element::new("qemu:arg").with("value", word));
    (!words.is_empty()).then(|| Element::new("qemu:commandline").holds_all(all))
}

#[cfg(test)]
mod tests {
    use migratrix_contract::DomainSpec;
    use migratrix_guest::Parameters;
    use migratrix_matrix::Case;

    use super::*;

    const BOOT_IMAGE: &str = "/var/lib/libvirt/images/ab.img";

    /// The subject of a case of this suite, with this word more in its name.
    fn subject(suite: &str, word: &str, boot_image: &str) -> Subject {
        let name = format!("{suite}/libvirt/a,a,a/p2p/persistent-running-undefined/none{word}");
        subject_of(&name, boot_image)
    }

    fn subject_of(name: &str, boot_image: &str) -> Subject {
        let case: Case = name.parse().unwrap();
        let spec = DomainSpec {
            domain: "mx-1".to_owned(),
            uuid: "11111111-2222-3333-4444-555555555555".to_owned(),
            foreign_uuid: "99999999-2222-3333-4444-555555555555".to_owned(),
            machine: "pc-q35-5.2".to_owned(),
            memory_mib: 16,
            guest: Parameters::SMALL,
            boot_image: boot_image.to_owned(),
        };
        Subject::of(&case, spec)
    }

    #[test]
    fn a_plain_domain_is_described_by_this_xml() {
        let subject = subject("tck", "", BOOT_IMAGE);
        let xml = domain_xml(&subject, &subject.uuid, Variant::Plain);
        insta::assert_snapshot!("plain", xml);
    }

    #[test]
    fn a_domain_to_be_broken_has_a_qtest_socket_and_may_have_a_device_more() {
        let subject = subject("faults", "/memory-byte", BOOT_IMAGE);
        let xml = domain_xml(&subject, &subject.foreign_uuid, Variant::ExtraDevice);
        insta::assert_snapshot!("broken", xml);
    }

    #[test]
    fn a_guest_that_is_to_reboot_is_restarted_by_that_and_one_that_is_to_crash_can_be_written_to() {
        let of = |strike: &str| {
            let scenario = "first-pass/p2p/persistent-running-undefined/live";
            let name = format!("recovery/libvirt/a,a,a/{strike}/{scenario}");
            let subject = subject_of(&name, BOOT_IMAGE);
            domain_xml(&subject, &subject.uuid, Variant::Plain)
        };
        let restarts = "<on_reboot>restart</on_reboot>";
        let listens = "unix:/opt/migratrix/monitors/mx-1.qtest";
        for (strike, restarted, written) in [
            ("guest-rebooted", true, false),
            ("guest-crashed", false, true),
            ("guest-powered-off", false, false),
        ] {
            let xml = of(strike);
            assert_eq!(xml.contains(restarts), restarted, "{strike}");
            assert_eq!(xml.contains(listens), written, "{strike}");
            assert!(
                xml.contains("<on_poweroff>destroy</on_poweroff>"),
                "{strike}"
            );
        }
    }

    #[test]
    fn a_processor_that_is_not_the_usual_one_is_of_a_model_or_told_to_be_without_a_feature() {
        let mut subject = subject("tck", "", BOOT_IMAGE);
        let mut of = |cpu| {
            subject.cpu = cpu;
            domain_xml(&subject, &subject.uuid, Variant::Plain)
        };
        assert!(!of(None).contains("<cpu"));
        let model = of(Some(Cpu::Model("qemu64-v1".to_owned())));
        assert!(model.contains("<model fallback=\"forbid\">qemu64-v1</model>"));
        assert!(!model.contains("policy"), "{model}");
        let without = of(Some(Cpu::Without("pks".to_owned())));
        assert!(without.contains("<model fallback=\"forbid\">qemu64</model>"));
        let told = "<feature policy=\"disable\" name=\"pks\"";
        assert!(without.contains(told), "{without}");
    }

    #[test]
    fn only_a_guest_that_is_to_get_a_device_has_a_controller_for_it() {
        let scenario = "p2p/persistent-running-undefined/live";
        for (strike, has_it) in [
            ("device-attached/first-pass", true),
            ("second-migration/first-pass", false),
        ] {
            let subject = subject_of(
                &format!("recovery/libvirt/a,a,a/{strike}/{scenario}"),
                BOOT_IMAGE,
            );
            let xml = domain_xml(&subject, &subject.uuid, Variant::Plain);
            let model = if has_it { "qemu-xhci" } else { "none" };
            assert!(xml.contains(&format!("model=\"{model}\"")), "{strike}");
            assert!(!xml.contains("sda"), "{strike}");
        }
    }

    #[test]
    fn each_kind_of_hardware_is_in_the_xml_and_nothing_in_it_breaks_the_xml() {
        let mut texts = std::collections::BTreeSet::new();
        for hardware in Hardware::ALL {
            let subject = subject("tck", &format!("/{hardware}"), "/tmp/a & b's.img");
            let xml = domain_xml(&subject, &subject.uuid, Variant::Plain);
            let read = roxmltree::Document::parse(&xml).unwrap();
            let source = read.descendants().find(|node| node.has_tag_name("source"));
            assert_eq!(source.unwrap().attribute("file"), Some("/tmp/a & b's.img"));
            assert!(texts.insert(xml), "{hardware} is like another one");
        }
    }
}
