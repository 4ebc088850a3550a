//! What the rules leave out, and what they don't.

use migratrix_matrix::{
    Backend, Case, Devices, Fault, Method, Point, Profile, Raw, cover, excluded,
};

use crate::{case, of};

fn rule(text: &str) -> &'static str {
    excluded(&case(of(text))).map_or("allowed", |rule| rule.name)
}

#[test]
fn every_rule_has_a_point_that_it_leaves_out() {
    for (name, point) in [
        ("refused-alone", "precopy/tcp/running/both-addresses+xbzrle"),
        ("refused-alone", "precopy/tcp/running/both-addresses+e1000"),
        ("refused-alone", "precopy/tcp/running/both-addresses+psk"),
        ("return-path-connection", "postcopy/file/running/plain"),
        ("return-path-connection", "precopy/exec/running/return-path"),
        (
            "postcopy-ignore-shared",
            "postcopy/tcp/running/ignore-shared",
        ),
        ("postcopy-once", "postcopy/tcp/running/postcopy-ready"),
        ("preempt-postcopy", "precopy/tcp/running/postcopy-preempt"),
        ("channels-transport", "precopy/fd/running/multifd"),
        ("channels-transport", "precopy/file/running/multifd"),
        ("channels-transport", "postcopy/fd/running/postcopy-preempt"),
        ("mapped-ram-file", "precopy/tcp/running/mapped-ram"),
        ("mapped-ram-file", "precopy/fd-file/running/mapped-ram"),
        (
            "mapped-ram-compression",
            "precopy/file/running/mapped-ram+multifd-zstd",
        ),
        (
            "mapped-ram-compression",
            "precopy/file/running/xbzrle+mapped-ram",
        ),
        ("direct-io-channels", "precopy/file/running/direct-io"),
        (
            "direct-io-channels",
            "precopy/file/running/mapped-ram+direct-io",
        ),
        ("xbzrle-multifd", "precopy/tcp/running/xbzrle+multifd"),
        ("ack-return-path", "precopy/tcp/running/switchover-ack"),
        ("dirty-limit-ring", "precopy/tcp/running/dirty-limit+kvm"),
        (
            "one-throttle",
            "precopy/tcp/running/auto-converge+dirty-limit+kvm-dirty-ring",
        ),
        ("tls-connection", "precopy/file/running/psk"),
        ("tls-host", "precopy/unix/running/x509-hostile-client"),
        (
            "multifd-zero-pages",
            "precopy/tcp/running/zero-page-multifd",
        ),
        ("channels-multifd", "precopy/tcp/running/4-channels"),
        ("reboot-one-way", "cpr-reboot/tcp/running/plain"),
        ("transfer-address", "cpr-transfer/unix/running/plain"),
        ("transfer-address", "cpr-transfer/tcp/running/channels"),
        ("exec-file", "cpr-exec/unix/running/plain"),
        ("cpr-undisturbed", "cpr-exec/file/running/cancel-active"),
        (
            "offset-text",
            "precopy/file-offset/running/channels+bad-offset",
        ),
        ("offset-text", "precopy/tcp/running/bad-offset"),
        (
            "pre-switchover-pause",
            "precopy/tcp/running/cancel-pre-switchover",
        ),
        ("recover-postcopy", "precopy/tcp/running/recover"),
        ("cancel-precopy", "postcopy/tcp/running/cancel-active"),
        ("address-dialled", "precopy/fd/running/bad-destination"),
        ("setup-connection", "precopy/exec/running/cancel-setup"),
        ("uuids-validated", "precopy/tcp/running/uuid-mismatch"),
        (
            "mismatch-connection",
            "precopy/file/running/validate-uuid+uuid-mismatch",
        ),
        ("still-guest", "precopy/tcp/stopped/xbzrle"),
        ("still-guest", "postcopy/tcp/running/auto-converge"),
        ("sleeping-guest", "precopy/tcp/suspended/cancel-active"),
        ("sleeping-guest", "precopy/tcp/suspended/virtio-net-in-use"),
        ("refused-alone", "precopy/tcp/running/both-addresses+psk"),
        ("refused-alone", "precopy/tcp/running/no-address+virtio-blk"),
        ("refused-address", "precopy/file/running/no-address"),
        (
            "failed-alone",
            "precopy/tcp/running/psk-mismatch+cancel-active",
        ),
        ("failed-alone", "postcopy/tcp/running/psk-mismatch"),
        ("allowed", "precopy/fd/running/psk"),
        ("allowed", "precopy/exec/running/cancel-retry"),
        ("allowed", "postcopy/tcp/running/multifd+cancel-retry"),
        ("allowed", "precopy/file/running/mapped-ram+multifd"),
    ] {
        assert_eq!(rule(point), name, "{point}");
    }
}

#[test]
fn a_raw_case_with_a_client_of_its_own_is_left_out() {
    let mut other = case(Raw::default());
    assert_eq!(excluded(&other), None);
    other.tuple.client = other.tuple.destination.clone();
    assert_eq!(excluded(&other).unwrap().name, "no-client");
}

#[test]
fn the_profiles_allow_what_they_are_for() {
    let allowed = |profile: Profile| {
        let points = profile.points(Backend::Qemu).into_iter();
        let cases = points.map(|(point, _)| Case {
            point,
            ..case(Raw::default())
        });
        cases.partition::<Vec<Case>, _>(|case| excluded(case).is_none())
    };
    for profile in [Profile::MIGRATION_TEST, Profile::DEVICES, Profile::PLAIN] {
        let (_, left_out) = allowed(profile);
        assert_eq!(left_out, Vec::new(), "{profile}");
    }
    assert_eq!(allowed(Profile::DEVICES).0.len(), 4 * Devices::ALL.len());
    let (families, _) = allowed(Profile::FAMILIES);
    assert!((150..400).contains(&families.len()), "{}", families.len());
    for method in Method::ALL {
        assert!(
            families
                .iter()
                .any(|case| case.raw().unwrap().method == method)
        );
    }
    let pairwise = cover(&families, 2).unwrap().len();
    assert!(pairwise < 60, "{pairwise}");
}

#[test]
fn a_raw_fault_is_run_where_no_rule_forbids_it() {
    for fault in Fault::ALL {
        if let Point::Qemu(raw) = fault.point() {
            assert_eq!(excluded(&case(raw)), None, "{fault}");
        }
    }
}
