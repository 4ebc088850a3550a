//! Two machines that are the same but for one thing, and what is said of it.

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
fn what_a_qemu_tells_of_itself_alone_may_be_missing_on_either_side_and_a_device_may_not() {
    let less = |section: &str| MACHINE.replace(section, "");
    for section in ["[clock]\nahead=0\n", "[options]\nrtc=base=utc\n"] {
        let less = less(section);
        assert_eq!(unexplained(MACHINE, &less, &versions()), [""; 0]);
        assert_eq!(unexplained(&less, MACHINE, &versions()), [""; 0]);
    }
    let less = less("[device pcie.0/ich9-ahci]\naddr=1f.2\nromfile=\"\"\n");
    let [gone, new] = ["gone", "new"].map(|how| vec![format!("device pcie.0/ich9-ahci is {how}")]);
    assert_eq!(unexplained(MACHINE, &less, &versions()), gone);
    assert_eq!(unexplained(&less, MACHINE, &versions()), new);
}

#[test]
fn something_that_is_there_and_of_which_one_says_nothing_is_a_difference() {
    let drive = "file=/a.img\nread-only=true\n";
    let less = MACHINE.replace(drive, "");
    let gone = "of drive virtio-disk0 nothing is told any more";
    let new = "of drive virtio-disk0 nothing was told before";
    assert_eq!(unexplained(MACHINE, &less, &versions()), [gone]);
    assert_eq!(unexplained(&less, MACHINE, &versions()), [new]);
    assert_eq!(unexplained(&less, &less, &versions()), [""; 0]);
}

/// One machine, `pc-q35-5.2`, as QEMU of each release told of it.
const REAL: [&str; 4] = [
    include_str!("../../../tests/data/machines/bullseye.txt"),
    include_str!("../../../tests/data/machines/bookworm.txt"),
    include_str!("../../../tests/data/machines/trixie.txt"),
    include_str!("../../../tests/data/machines/sid.txt"),
];

#[test]
fn one_machine_is_the_same_under_any_two_releases() {
    let version = |document: &str| qemu(document).map(|version| version.parse().unwrap());
    for (from, to) in REAL.iter().flat_map(|from| REAL.map(|to| (from, to))) {
        let versions = Versions {
            source_qemu: version(from),
            destination_qemu: version(to),
            ..Versions::default()
        };
        assert_eq!(unexplained(from, to, &versions), [""; 0], "{versions:?}");
    }
}

#[test]
fn a_clock_or_options_that_say_nothing_are_not_told() {
    assert_eq!(untold(MACHINE), None);
    assert_eq!(untold(&MACHINE.replace("ahead=0\n", "")), Some("clock"));
    assert_eq!(
        untold(&MACHINE.replace("rtc=base=utc\n", "")),
        Some("options")
    );
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
fn a_property_that_only_one_qemu_has_is_no_difference_between_versions_that_nobody_compared() {
    let between = |from: &str, to: &str| {
        let versions = Versions {
            destination_qemu: Some(Version::new(9, 1, 0)),
            ..versions()
        };
        unexplained(MACHINE, &MACHINE.replace(from, to), &versions)
    };
    assert_eq!(
        between("romfile=\"\"\n", "romsize=0\nromfile=\"\"\n"),
        [""; 0]
    );
    assert_eq!(between("romfile=\"\"\n", ""), [""; 0]);
    let new = ["romsize of device pcie.0/ich9-ahci is new"];
    assert_eq!(with("romfile=\"\"\n", "romsize=0\nromfile=\"\"\n"), new);
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

#[test]
fn the_machine_is_the_one_that_was_asked_for_and_two_may_have_uuids_of_their_own() {
    let started = "[options]\nuuid=1-2\nmachine=pc-q35-7.2\n";
    let none: [&str; 0] = [];
    assert_eq!(otherwise(started, "pc-q35-7.2", Some("1-2")), none);
    assert_eq!(otherwise(started, "pc-q35-7.2", None), none);
    assert_eq!(
        otherwise("[memory]\nbase=1\n", "pc-q35-7.2", Some("1-2")),
        none
    );
    assert_eq!(
        otherwise(started, "pc-q35-10.0", Some("1-3")),
        [
            "QEMU's option -machine is `pc-q35-7.2`, and `pc-q35-10.0` was asked for",
            "QEMU's option -uuid is `1-2`, and `1-3` was asked for",
        ]
    );
}

#[test]
fn a_device_off_the_buses_and_a_property_of_all_of_a_kind_are_seen() {
    for line in [
        "device vmgenid=there",
        "global hpet.timers=2",
        "boot=menu=on",
    ] {
        let name = line.split_once('=').unwrap().0;
        let found = with("rtc=base=utc", &format!("rtc=base=utc\n{line}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains(&format!("option -{name} was nothing")),
            "{found:?}"
        );
    }
}

#[test]
fn two_qemus_of_one_version_have_the_same_properties() {
    let version = Some(Version::new(10, 0, 13));
    let alike = Versions {
        source_qemu: version,
        destination_qemu: version,
        ..Versions::default()
    };
    let less = MACHINE.replace("addr=1f.2\n", "");
    let gone = ["addr of device pcie.0/ich9-ahci is gone"];
    assert_eq!(unexplained(MACHINE, &less, &alike), gone);
    let new = ["addr of device pcie.0/ich9-ahci is new"];
    assert_eq!(unexplained(&less, MACHINE, &alike), new);
    assert_eq!(unexplained(&less, MACHINE, &Versions::default()), [""; 0]);
}

#[test]
fn a_machine_tells_of_its_clock_and_of_its_options() {
    assert_eq!(untold(MACHINE), None);
    assert_eq!(untold(&MACHINE.replace("[clock]", "[o]")), Some("clock"));
    assert_eq!(
        untold(&MACHINE.replace("[options]", "[o]")),
        Some("options")
    );
    assert_eq!(devices(MACHINE), 2);
}
