//! Documents that are the same but for one thing, and what is said of it.

use super::*;

const DOMAIN: &str = "<domain type='qemu' id='1'>
  <name>a</name>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file'><source file='/a.img'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file'><source file='/b.img'/><target dev='vdb' bus='virtio'/></disk>
    <controller type='pci' index='0' model='pcie-root'/>
  </devices>
</domain>";

fn between(from: &str, to: &str) -> Vec<String> {
    let all = differences(from, to).expect("both are XML");
    all.iter().map(ToString::to_string).collect()
}

fn with(from: &str, to: &str) -> Vec<String> {
    assert!(DOMAIN.contains(from));
    between(DOMAIN, &DOMAIN.replace(from, to))
}

#[test]
fn a_description_is_the_same_as_itself_however_it_is_set_out() {
    let flat: String = DOMAIN.lines().map(str::trim).collect();
    assert_eq!(between(DOMAIN, &flat), [""; 0]);
    let turned = DOMAIN.replace("type='qemu' id='1'", "id='1' type='qemu'");
    assert_eq!(between(DOMAIN, &turned), [""; 0]);
}

#[test]
fn what_has_changed_is_told_by_its_path_with_both_values() {
    for (from, to, expected) in [
        (
            ">destroy<",
            ">restart<",
            "/domain/on_crash was `destroy`, is `restart`",
        ),
        (
            "/b.img",
            "/c.img",
            "/domain/devices/disk[vdb]/source/@file was `/b.img`, is `/c.img`",
        ),
        (
            "model='pcie-root'",
            "model='pci-root'",
            "/domain/devices/controller[pci:0]/@model was `pcie-root`, is `pci-root`",
        ),
        (
            "<name>a</name>",
            "<name>a</name><title>x</title>",
            "/domain/title is new: `<title>x</title>`",
        ),
        (
            "<on_crash>destroy</on_crash>",
            "",
            "/domain/on_crash is gone: `<on_crash>destroy</on_crash>`",
        ),
        ("id='1'", "", "/domain/@id is gone: `1`"),
    ] {
        assert_eq!(with(from, to), [expected]);
    }
}

#[test]
fn one_element_more_does_not_make_the_others_look_changed() {
    let first = "<disk type='file'><source file='/0.img'/><target dev='vdc' bus='scsi'/></disk>";
    let more = with("<devices>", &format!("<devices>{first}"));
    let expected = format!("/domain/devices/disk[vdc] is new: `{first}`");
    assert_eq!(more, [expected]);
}

#[test]
fn an_element_is_called_by_what_tells_it_from_its_like() {
    for (element, called) in [
        (
            "<filesystem><target dir='/m'/></filesystem>",
            "filesystem[:m]",
        ),
        ("<serial><target port='0'/></serial>", "serial[0]"),
        ("<parallel><target port='1'/></parallel>", "parallel[1]"),
        ("<console><target port='2'/></console>", "console[2]"),
        ("<channel><target name='a.b'/></channel>", "channel[a.b]"),
        ("<channel><target port='3'/></channel>", "channel[3]"),
        (
            "<interface><mac address='52:54'/></interface>",
            "interface[52:54]",
        ),
        ("<input type='mouse' bus='ps2'/>", "input[mouse:ps2]"),
        ("<timer name='rtc'/>", "timer[rtc]"),
        ("<feature name='vmx'/>", "feature[vmx]"),
        ("<entry name='uuid'/>", "entry[uuid]"),
        ("<seclabel model='dac'/>", "seclabel[dac]"),
        ("<rng model='virtio'/>", "rng[virtio]"),
        ("<watchdog model='itco'/>", "watchdog[itco]"),
        ("<memballoon model='none'/>", "memballoon[none]"),
        ("<panic model='isa'/>", "panic[isa]"),
        ("<graphics type='vnc'/>", "graphics[vnc]"),
        ("<audio id='1'/>", "audio[1]"),
        ("<cell id='0'/>", "cell[0]"),
        ("<iothread id='2'/>", "iothread[2]"),
        ("<vcpu id='1'/>", "vcpu[1]"),
        ("<emulator/>", "emulator"),
    ] {
        let more = with("<devices>", &format!("<devices>{element}"));
        let expected = format!("/domain/devices/{called} is new: `{element}`");
        assert_eq!(more, [expected]);
    }
}

#[test]
fn of_many_differences_the_first_are_told() {
    let one = |path: &str| Difference {
        path: path.to_owned(),
        from: Some("1".to_owned()),
        to: None,
    };
    let many: Vec<_> = "abcdefgh".split("").skip(1).take(8).map(one).collect();
    assert!(told(&many).ends_with("; f is gone: `1`; and 2 more"));
    assert!(told(&many[..SHOWN]).ends_with("; f is gone: `1`"));
}

#[test]
fn what_is_no_xml_is_said_to_be_none() {
    let why = differences(DOMAIN, "<domain>").unwrap_err();
    assert!(
        why.starts_with("the second description is no XML: "),
        "{why}"
    );
}
