//! What a point needs of each side.

use migratrix_matrix::{Ability, Holder, Requirement, Side, Version};

use crate::of;

fn needs(text: &str) -> Vec<Requirement> {
    of(text).needs()
}

fn is_needed(text: &str, holder: Holder, ability: &Ability) -> bool {
    needs(text)
        .iter()
        .any(|need| need.holder == holder && need.ability == *ability)
}

#[test]
fn a_capability_is_needed_on_both_sides() {
    let point = "precopy/file/running/mapped-ram+ignore-shared";
    for capability in ["mapped-ram", "x-ignore-shared", "events"] {
        for side in Side::BOTH {
            assert!(is_needed(
                point,
                Holder::Side(side),
                &Ability::Capability(capability)
            ));
        }
    }
    assert!(is_needed(
        point,
        Holder::Side(Side::Destination),
        &Ability::AddressType("file")
    ));
}

#[test]
fn a_value_of_a_parameter_is_needed_as_such() {
    let value = Ability::ParameterValue("multifd-compression", "zstd");
    assert!(is_needed(
        "precopy/tcp/running/multifd-zstd",
        Holder::Side(Side::Source),
        &value
    ));
    let value = Ability::ParameterValue("mode", "cpr-exec");
    assert!(is_needed(
        "cpr-exec/file/running/kvm",
        Holder::Side(Side::Destination),
        &value
    ));
    let parameter = Ability::Parameter("direct-io");
    let point = "precopy/file/running/mapped-ram+direct-io+multifd";
    assert!(is_needed(point, Holder::Side(Side::Source), &parameter));
    assert!(is_needed(point, Holder::Machine, &Ability::DirectIo));
}

#[test]
fn channels_are_needed_where_they_are_named() {
    let migrate = Ability::Argument("migrate", "channels");
    let listen = Ability::Argument("migrate-incoming", "channels");
    let listed = "precopy/tcp/running/channels";
    assert!(is_needed(listed, Holder::Side(Side::Source), &migrate));
    assert!(is_needed(listed, Holder::Side(Side::Destination), &listen));
    let both = "precopy/tcp/running/both-addresses";
    assert!(is_needed(both, Holder::Side(Side::Source), &migrate));
    assert!(!is_needed(both, Holder::Side(Side::Destination), &listen));
    assert!(!is_needed(
        "precopy/tcp/running/no-address",
        Holder::Side(Side::Source),
        &migrate
    ));
}

/// Which releases a point's versions allow: the measured ones of Debian.
#[test]
fn a_version_gates_what_can_not_be_probed() {
    let versions = [(5, 2), (7, 2), (10, 0), (11, 1)].map(|(a, b)| Version::new(a, b, 0));
    let allowed = |text: &str, holder: Holder| {
        let needs = needs(text);
        let of_side = needs.iter().filter(|need| need.holder == holder);
        let abilities: Vec<&Ability> = of_side.map(|need| &need.ability).collect();
        versions.map(|version| {
            abilities
                .iter()
                .all(|one| one.is_in(version) != Some(false))
        })
    };
    let [source, destination] = Side::BOTH.map(Holder::Side);
    for (point, holder, expected) in [
        (
            "precopy/tcp/running/plain",
            source,
            [true, true, true, true],
        ),
        (
            "postcopy/tcp/running/plain",
            source,
            [true, true, true, true],
        ),
        (
            "postcopy/tcp/running/multifd",
            source,
            [false, false, false, true],
        ),
        (
            "precopy/tcp/stopped/postcopy-ready+multifd",
            destination,
            [false, false, false, true],
        ),
        (
            "precopy/unix/suspended/plain",
            destination,
            [false, false, true, true],
        ),
        (
            "precopy/fd-file/stopped/plain",
            source,
            [true, true, true, false],
        ),
        (
            "postcopy/tcp/running/fail-reconnect",
            source,
            [false, false, true, true],
        ),
        (
            "postcopy/tcp/running/fail-reconnect",
            destination,
            [true, true, true, true],
        ),
        (
            "precopy/unix/running/kvm-dirty-ring",
            source,
            [false, true, true, true],
        ),
        (
            "precopy/unix/running/nvme",
            source,
            [false, false, false, true],
        ),
    ] {
        assert_eq!(allowed(point, holder), expected, "{point} {holder}");
    }
}

#[test]
fn an_ability_says_what_is_missing() {
    let missing = |text: &str, place: usize| needs(text)[place].ability.to_string();
    assert_eq!(
        missing("precopy/file/running/mapped-ram", 2),
        "the capability mapped-ram"
    );
    let since = needs("precopy/unix/suspended/plain")
        .into_iter()
        .find(|need| matches!(need.ability, Ability::Since(..)));
    let text = since.unwrap().ability.to_string();
    assert!(text.starts_with("QEMU 9.0.0 or later: "), "{text}");
}

#[test]
fn a_cpu_model_is_needed_on_both_sides_and_the_machine_types_own_on_none() {
    let model = Ability::Device("Nehalem-x86_64-cpu");
    for side in [Side::Source, Side::Destination].map(Holder::Side) {
        assert!(is_needed("precopy/unix/running/cpu-nehalem", side, &model));
    }
    let own = |need: &Requirement| matches!(need.ability, Ability::Device(_));
    assert!(!needs("precopy/unix/running/plain").iter().any(own));
}

#[test]
fn a_cpu_model_is_an_argument_of_both_sides() {
    let arguments = of("precopy/unix/running/cpu-max").arguments().join(" ");
    assert_eq!(arguments, "-accel tcg -cpu max");
    let usual = of("precopy/unix/running/kvm").arguments().join(" ");
    assert_eq!(usual, "-accel kvm");
}
