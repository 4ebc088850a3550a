//! What makes a domain the same machine on both sides, read from its XML.

use std::collections::BTreeMap;

use migratrix_history::Identity;
use roxmltree::{Document, Node};

use crate::Error;

/// Reads the identity of an active domain from `xml` (`virDomainGetXMLDesc`).
///
/// # Errors
/// Returns an error if it is no XML, or lacks the machine type, the memory or the processors.
pub fn read(xml: &str) -> Result<Identity, Error> {
    let document = Document::parse(xml)?;
    let domain = document.root_element();
    let machine = child(domain, "os").and_then(|os| child(os, "type"));
    let machine = machine.and_then(|kind| kind.attribute("machine"));
    let number = |name| child(domain, name).and_then(|node| node.text()?.trim().parse().ok());
    let devices = child(domain, "devices").ok_or(Error::XmlLacks("devices"))?;
    Ok(Identity {
        machine: machine.ok_or(Error::XmlLacks("machine"))?.to_owned(),
        memory_kib: number("memory").ok_or(Error::XmlLacks("memory"))?,
        vcpus: number("vcpu")
            .and_then(|count: u64| u32::try_from(count).ok())
            .ok_or(Error::XmlLacks("vcpu"))?,
        processor: None,
        devices: addresses(devices),
    })
}

fn addresses(devices: Node<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for device in devices.children().filter(is_told_by_all) {
        let name = name(device);
        let twins = found.keys().filter(|key: &&String| **key == name).count();
        let key = if twins == 0 {
            name
        } else {
            format!("{name}#{}", found.len())
        };
        found.insert(key, address(device));
    }
    found
}

/// Whether every release tells of the device. The emulator is none, and neither is the audio back
/// end, which libvirt 7.0 doesn't list; the watchdog of the q35 chipset is there in all releases,
/// but only libvirt 9.1 and later list it.
fn is_told_by_all(node: &Node<'_, '_>) -> bool {
    let of_the_chipset = node.has_tag_name("watchdog") && node.attribute("model") == Some("itco");
    let of_the_host = node.has_tag_name("emulator") || node.has_tag_name("audio");
    node.is_element() && !of_the_host && !of_the_chipset
}

/// A name that the same device has on both sides: what it is, and what tells it from its like.
fn name(device: Node<'_, '_>) -> String {
    let kind = device.tag_name().name();
    let target = |attribute| child(device, "target").and_then(|node| node.attribute(attribute));
    let parts = match kind {
        "controller" => vec![device.attribute("type"), device.attribute("index")],
        "disk" | "filesystem" => vec![target("dev").or_else(|| target("dir"))],
        "serial" | "parallel" | "console" | "channel" => vec![target("port")],
        "interface" => vec![child(device, "mac").and_then(|mac| mac.attribute("address"))],
        "input" => vec![device.attribute("type"), device.attribute("bus")],
        _ => vec![device.attribute("model")],
    };
    let parts = parts.into_iter().flatten();
    std::iter::once(kind)
        .chain(parts)
        .collect::<Vec<_>>()
        .join("/")
}

/// The device's address: its type and its numbers, in the order of their names.
fn address(device: Node<'_, '_>) -> String {
    let Some(address) = child(device, "address") else {
        return String::new();
    };
    let mut parts: Vec<_> = address.attributes().collect();
    parts.sort_by_key(|part| (part.name() != "type", part.name()));
    let parts = parts.iter().map(|part| match part.name() {
        "type" => part.value().to_owned(),
        name => format!("{name}={}", part.value()),
    });
    parts.collect::<Vec<_>>().join(" ")
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<domain type='qemu' id='3'>
      <name>guest</name><memory unit='KiB'>16384</memory><vcpu placement='static'>1</vcpu>
      <os><type arch='x86_64' machine='pc-i440fx-5.2'>hvm</type></os>
      <devices>
        <emulator>/usr/bin/qemu-system-x86_64</emulator>
        <disk type='file' device='disk'><target dev='vda' bus='virtio'/>
          <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></disk>
        <controller type='pci' index='0' model='pci-root'/>
        <serial type='file'><target type='isa-serial' port='0'/></serial>
        <watchdog model='itco' action='reset'/>
        <audio id='1' type='none'/>
        <memballoon model='none'/>
      </devices></domain>";

    #[test]
    fn devices_go_by_names_that_both_sides_share() {
        let identity = read(XML).unwrap();
        assert_eq!(identity.machine, "pc-i440fx-5.2");
        assert_eq!((identity.memory_kib, identity.vcpus), (16384, 1));
        let devices: Vec<_> = identity.devices.iter().collect();
        let at = "pci bus=0x00 domain=0x0000 function=0x0 slot=0x02".to_owned();
        assert_eq!(
            devices,
            [
                (&"controller/pci/0".to_owned(), &String::new()),
                (&"disk/vda".to_owned(), &at),
                (&"memballoon/none".to_owned(), &String::new()),
                (&"serial/0".to_owned(), &String::new()),
            ]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read("<domain><devices/></domain>").unwrap_err();
        assert_eq!(error.to_string(), "the XML of a domain has no `machine`");
        assert!(matches!(read("<domain>"), Err(Error::Xml(_))));
    }
}
