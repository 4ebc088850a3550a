use super::*;
use migratrix_matrix::Version;

const MACHINE: &str = "[qemu]
version=7.2.22
[memory]
base=16777216
plugged=0
[drive virtio-disk0]
file=/a.img
read-only=true
[clock]
ahead=0
[options]
rtc=base=utc
[device pcie.0/ich9-ahci]
addr=1f.2
romfile=\"\"
[device isa.0/isa-serial serial0]
iobase=1016";

fn versions() -> Versions {
    Versions {
        source_qemu: Some(Version::new(7, 2, 22)),
        destination_qemu: Some(Version::new(10, 0, 13)),
        ..Versions::default()
    }
}

fn with(from: &str, to: &str) -> Vec<String> {
    assert!(MACHINE.contains(from), "no `{from}`");
    unexplained(MACHINE, &MACHINE.replace(from, to), &versions())
}

#[test]
fn a_machine_is_the_same_under_another_qemu() {
    assert_eq!(with("7.2.22", "10.0.13"), [""; 0]);
    assert_eq!(qemu(MACHINE), Some("7.2.22"));
}

#[test]
fn what_has_changed_is_told_with_both_values() {
    for (from, to, expected) in [
        (
            "base=16777216",
            "base=33554432",
            "base of memory was `16777216`, is `33554432`",
        ),
        (
            "/a.img",
            "/b.img",
            "file of drive virtio-disk0 was `/a.img`, is `/b.img`",
        ),
        (
            "addr=1f.2",
            "addr=1e.2",
            "addr of device pcie.0/ich9-ahci was `1f.2`, is `1e.2`",
        ),
        (
            "rtc=base=utc",
            "rtc=base=2000-01-01",
            "QEMU's option -rtc was `base=utc`, is `base=2000-01-01`",
        ),
        (
            "rtc=base=utc",
            "rtc=base=utc\nfw_cfg=x",
            "QEMU's option -fw_cfg was nothing, is `x`",
        ),
        (
            "[memory]",
            "[device isa.0/isa-debugcon]\n[memory]",
            "device isa.0/isa-debugcon is new",
        ),
        (
            "[device isa.0/isa-serial serial0]\niobase=1016",
            "",
            "device isa.0/isa-serial serial0 is gone",
        ),
    ] {
        assert_eq!(with(from, to), [expected]);
    }
}

#[test]
fn a_property_that_only_one_qemu_has_is_no_difference() {
    assert_eq!(with("romfile=\"\"\n", "romsize=0\nromfile=\"\"\n"), [""; 0]);
    assert_eq!(with("romfile=\"\"\n", ""), [""; 0]);
}

#[test]
fn the_clock_goes_on_as_the_hosts_does() {
    assert_eq!(with("ahead=0", "ahead=-2"), [""; 0]);
    assert_eq!(with("ahead=0", "ahead=4").len(), 1);
    assert_eq!(with("ahead=0", "ahead=-9..-3"), [""; 0]);
    assert_eq!(with("ahead=0", "ahead=3..9"), [""; 0]);
    assert_eq!(with("ahead=0", "ahead=-9..-4").len(), 1);
    assert_eq!(with("ahead=0", "ahead=4..9").len(), 1);
    assert_eq!(with("ahead=0", "ahead=-3600").len(), 1);
}

#[test]
fn where_a_process_can_not_be_seen_nothing_is_said_of_its_options() {
    assert_eq!(with("[options]\nrtc=base=utc\n", ""), [""; 0]);
}
