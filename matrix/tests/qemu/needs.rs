//! What a point needs of each side.

use migratrix_matrix::{Ability, Need, Place, Version};

use crate::of;

fn needs(text: &str) -> Vec<Need> {
    of(text).needs()
}

fn is_needed(text: &str, side: Place, ability: &Ability) -> bool {
    needs(text)
        .iter()
        .any(|need| need.side == side && need.ability == *ability)
}

#[test]
fn a_capability_is_needed_on_both_sides() {
    let point = "precopy/file/running/mapped-ram+ignore-shared";
    for capability in ["mapped-ram", "x-ignore-shared", "events"] {
        for side in [Place::Source, Place::Destination] {
            assert!(is_needed(point, side, &Ability::Capability(capability)));
        }
    }
    assert!(is_needed(
        point,
        Place::Destination,
        &Ability::AddressType("file")
    ));
}

#[test]
fn a_value_of_a_parameter_is_needed_as_such() {
    let value = Ability::ParameterValue("multifd-compression", "zstd");
    assert!(is_needed(
        "precopy/tcp/running/multifd-zstd",
        Place::Source,
        &value
    ));
    let value = Ability::ParameterValue("mode", "cpr-exec");
    assert!(is_needed(
        "cpr-exec/file/running/kvm",
        Place::Destination,
        &value
    ));
    let parameter = Ability::Parameter("direct-io");
    let point = "precopy/file/running/mapped-ram+direct-io+multifd";
    assert!(is_needed(point, Place::Source, &parameter));
    assert!(is_needed(point, Place::Client, &Ability::DirectIo));
}

#[test]
fn channels_are_needed_where_they_are_named() {
    let migrate = Ability::Argument("migrate", "channels");
    let listen = Ability::Argument("migrate-incoming", "channels");
    let listed = "precopy/tcp/running/channels";
    assert!(is_needed(listed, Place::Source, &migrate));
    assert!(is_needed(listed, Place::Destination, &listen));
    let both = "precopy/tcp/running/both-addresses";
    assert!(is_needed(both, Place::Source, &migrate));
    assert!(!is_needed(both, Place::Destination, &listen));
    assert!(!is_needed(
        "precopy/tcp/running/no-address",
        Place::Source,
        &migrate
    ));
}

/// Which releases a point's versions allow: the measured ones of Debian.
#[test]
fn a_version_gates_what_can_not_be_probed() {
    let versions = [(5, 2), (7, 2), (10, 0), (11, 1)].map(|(a, b)| Version::new(a, b, 0));
    let allowed = |text: &str, side: Place| {
        let needs = needs(text);
        let of_side = needs.iter().filter(|need| need.side == side);
        let abilities: Vec<&Ability> = of_side.map(|need| &need.ability).collect();
        versions.map(|version| {
            abilities
                .iter()
                .all(|one| one.is_in(version) != Some(false))
        })
    };
    use Place::{Destination, Source};
    for (point, side, expected) in [
        (
            "precopy/tcp/running/plain",
            Source,
            [true, true, true, true],
        ),
        (
            "postcopy/tcp/running/plain",
            Source,
            [true, true, true, true],
        ),
        (
            "postcopy/tcp/running/multifd",
            Source,
            [false, false, false, true],
        ),
        (
            "precopy/tcp/stopped/postcopy-ready+multifd",
            Destination,
            [false, false, false, true],
        ),
        (
            "precopy/unix/suspended/plain",
            Destination,
            [false, false, true, true],
        ),
        (
            "precopy/fd-file/stopped/plain",
            Source,
            [true, true, true, false],
        ),
        (
            "postcopy/tcp/running/fail-reconnect",
            Source,
            [false, false, true, true],
        ),
        (
            "postcopy/tcp/running/fail-reconnect",
            Destination,
            [true, true, true, true],
        ),
        (
            "precopy/unix/running/kvm-dirty-ring",
            Source,
            [false, true, true, true],
        ),
        (
            "precopy/unix/running/nvme",
            Source,
            [false, false, false, true],
        ),
    ] {
        assert_eq!(allowed(point, side), expected, "{point} {side}");
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
    for side in [Place::Source, Place::Destination] {
        assert!(is_needed("precopy/unix/running/cpu-nehalem", side, &model));
    }
    let own = |need: &Need| matches!(need.ability, Ability::Device(_));
    assert!(!needs("precopy/unix/running/plain").iter().any(own));
}

#[test]
fn a_cpu_model_is_an_argument_of_both_sides() {
    let arguments = of("precopy/unix/running/cpu-max").arguments().join(" ");
    assert_eq!(arguments, "-accel tcg -cpu max");
    let usual = of("precopy/unix/running/kvm").arguments().join(" ");
    assert_eq!(usual, "-accel kvm");
}
