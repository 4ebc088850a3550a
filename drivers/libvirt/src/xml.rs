//! The domain XML of a case's subject.

use migratrix_contract::{Subject, Variant};

use crate::chain::disk_xml;

/// The XML of `subject` under `uuid`: as few devices as the scenarios need, so that it starts fast
/// and the same in every release.
///
/// - The disk that it boots is read-only and shared by nobody's write, so that libvirt calls no
///   migration unsafe and none needs storage. Only a chain of backups has another one.
/// - Its processors are QEMU's own translator's (`type='qemu'`), the same on every machine.
/// - What its guest writes to COM1 stays in a file beside QEMU's log, as evidence.
#[must_use]
pub fn domain_xml(subject: &Subject, uuid: &str, variant: Variant) -> String {
    let Subject {
        domain,
        machine,
        memory_mib,
        boot_image,
        ..
    } = subject;
    let extra = match variant {
        Variant::Plain => "",
        Variant::ExtraDevice => "\n    <serial type='null'><target port='1'/></serial>",
    };
    let (disk, qtest) = (disk_xml(subject), qtest(subject));
    let (boot, order) = if disk.is_empty() {
        ("<boot dev='hd'/>", "")
    } else {
        ("", "\n      <boot order='1'/>")
    };
    format!(
        "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{domain}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type>{boot}</os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{boot_image}'/>
      <target dev='vda' bus='virtio'/>
      <readonly/>{order}
    </disk>{disk}
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='/var/log/libvirt/{domain}.serial'/>
      <target port='0'/>
    </serial>{extra}
    <memballoon model='none'/>
  </devices>{qtest}
</domain>
"
    )
}

fn qtest(subject: &Subject) -> String {
    if !subject.qtest {
        return String::new();
    }
    let socket = subject.qtest_socket();
    format!(
        "
  <qemu:commandline>
    <qemu:arg value='-qtest'/>
    <qemu:arg value='unix:{socket},server=on,wait=off'/>
    <qemu:arg value='-qtest-log'/>
    <qemu:arg value='none'/>
  </qemu:commandline>"
    )
}

#[cfg(test)]
mod tests {
    use migratrix_guest::Parameters;

    use super::*;

    fn subject(qtest: bool) -> Subject {
        Subject {
            domain: "mx-1".to_owned(),
            uuid: "11111111-2222-3333-4444-555555555555".to_owned(),
            foreign_uuid: "99999999-2222-3333-4444-555555555555".to_owned(),
            machine: "pc-q35-5.2".to_owned(),
            memory_mib: 16,
            guest: Parameters::SMALL,
            boot_image: "/var/lib/libvirt/images/ab.img".to_owned(),
            qtest,
            point: migratrix_matrix::Point::Qemu(migratrix_matrix::Raw::USUAL),
            raw: migratrix_matrix::Raw::USUAL,
        }
    }

    #[test]
    fn a_plain_domain_is_described_by_this_xml() {
        let subject = subject(false);
        let xml = domain_xml(&subject, &subject.uuid, Variant::Plain);
        assert_eq!(xml, include_str!("../tests/xml/plain.xml"));
    }

    #[test]
    fn a_domain_to_be_broken_has_a_qtest_socket_and_may_have_a_device_more() {
        let subject = subject(true);
        let xml = domain_xml(&subject, &subject.foreign_uuid, Variant::ExtraDevice);
        assert_eq!(xml, include_str!("../tests/xml/broken.xml"));
    }
}
