//! The coverage table is whole, and says of each test what the test's name says.

use std::collections::BTreeSet;

use itertools::Itertools;
use migratrix_matrix::{
    Accelerator, Address, Backend, Case, Covered, End, Feature, GuestState, Incident, Method,
    Multifd, Point, Profile, Raw, Suite, Tls, Transport, ZeroPage, coverage, excluded,
};

/// The tests that QEMU 10.2.2's `migration-test` registers on x86_64, and those of COLO that a later
/// QEMU has.
const NAMES: &str = include_str!("migration-tests.txt");

fn cases() -> impl Iterator<Item = (&'static str, Raw)> {
    coverage().filter_map(|(test, covered)| match covered {
        Covered::Case(raw) => Some((test, raw)),
        Covered::Not(_) => None,
    })
}

fn point_of(test: &str) -> Raw {
    cases().find(|(name, _)| *name == test).unwrap().1
}

#[test]
fn each_of_the_96_tests_is_there_once_in_their_order() {
    let tests: Vec<&str> = coverage().map(|(test, _)| test).collect();
    assert_eq!(tests, NAMES.lines().collect::<Vec<_>>());
    assert_eq!(tests.len(), 96);
    assert!(tests.iter().all_unique());
}

#[test]
fn only_colo_and_what_migrates_nothing_is_not_covered() {
    for (test, covered) in coverage() {
        let Covered::Not(reason) = covered else {
            continue;
        };
        assert!(
            test.starts_with("colo/") || test == "vcpu_dirty_limit",
            "{test}"
        );
        assert!(!reason.is_empty(), "{test}");
    }
    assert_eq!(cases().count(), 87);
}

#[test]
fn each_test_of_colo_is_in_the_suite_of_that_name() {
    let points = Profile::QEMU_COLO.points(Suite::Colo.backends()[0]);
    let points: BTreeSet<String> = points.iter().map(|(point, _)| point.to_string()).collect();
    let named = coverage().filter_map(|(_, covered)| match covered {
        Covered::Case(_) => None,
        Covered::Not(reason) => reason.strip_prefix("the suite `colo` has it: "),
    });
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), points);
}

#[test]
fn every_point_is_written_as_it_is_read_and_no_rule_leaves_it_out() {
    for (test, raw) in cases() {
        let name = format!("qemu/qemu/a,b/{raw}");
        let case: Case = name.parse().unwrap();
        assert_eq!(case.point, Point::Qemu(raw), "{test}");
        assert_eq!(excluded(&case), None, "{test}");
    }
    let table = include_str!("../src/suites/qemu/coverage.tsv");
    let texts = table.lines().filter_map(|line| line.split_once('\t'));
    let texts: Vec<&str> = texts.map(|(_, text)| text).collect();
    for (test, raw) in cases() {
        assert!(texts.contains(&raw.to_string().as_str()), "{test}: {raw}");
    }
}

#[test]
fn the_profile_has_each_point_of_the_table_once() {
    let points = Profile::MIGRATION_TEST.points(Backend::Qemu);
    assert!(points.iter().all_unique());
    let points: BTreeSet<Point> = points.into_iter().map(|(point, _)| point).collect();
    let table = cases().map(|(_, raw)| Point::Qemu(raw)).collect();
    assert_eq!(points, table);
    assert_eq!(Profile::MIGRATION_TEST.suite(), Suite::Qemu);
}

/// A part of a test's name, and what it says of the point.
type Says = (&'static str, fn(&Raw) -> bool);

const SAYS: [Says; 44] = [
    ("precopy/", |raw| raw.method == Method::Precopy),
    ("postcopy/", Raw::can_postcopy),
    ("/tcp", |raw| raw.transport != Transport::Unix),
    ("/unix/", |raw| raw.transport == Transport::Unix),
    ("/fd/file", |raw| raw.transport == Transport::FdFile),
    ("/fd/tcp", |raw| raw.transport == Transport::Fd),
    ("precopy/file", |raw| raw.transport.is_named_file()),
    ("multifd/file", |raw| raw.transport.is_named_file()),
    ("file/offset", |raw| raw.transport != Transport::File),
    ("fdset", |raw| raw.transport == Transport::FileFdset),
    ("offset/bad", |raw| raw.incident == Incident::BadOffset),
    ("multifd", |raw| raw.multifd != Multifd::Off),
    ("/zlib", |raw| raw.multifd == Multifd::Zlib),
    ("/zstd", |raw| raw.multifd == Multifd::Zstd),
    ("zero-page/legacy", |raw| raw.zero_page == ZeroPage::Legacy),
    ("zero-page/none", |raw| raw.zero_page == ZeroPage::None),
    ("tls/psk", |raw| {
        matches!(raw.tls, Tls::Psk | Tls::PskMismatch)
    }),
    ("psk/mismatch", |raw| raw.tls == Tls::PskMismatch),
    ("default-host", |raw| raw.tls == Tls::X509),
    ("override-host", |raw| raw.tls == Tls::X509OverrideHost),
    ("mismatch-host", |raw| raw.tls == Tls::X509MismatchHost),
    ("friendly-client", |raw| raw.tls == Tls::X509FriendlyClient),
    ("hostile-client", |raw| raw.tls == Tls::X509HostileClient),
    ("allow-anon-client", |raw| {
        raw.tls == Tls::X509AllowAnonymous
    }),
    ("reject-anon-client", |raw| {
        raw.tls == Tls::X509RejectAnonymous
    }),
    ("preempt", |raw| raw.features.has(Feature::PostcopyPreempt)),
    ("recovery", |raw| raw.incident.is_recovery()),
    ("handshake", |raw| raw.incident == Incident::FailHandshake),
    ("reconnect", |raw| raw.incident == Incident::FailReconnect),
    ("suspend", |raw| raw.guest.sleeps()),
    ("mapped-ram", |raw| raw.features.has(Feature::MappedRam)),
    ("/dio", |raw| raw.features.has(Feature::DirectIo)),
    ("mapped-ram/live", |raw| raw.guest == GuestState::Running),
    ("xbzrle", |raw| raw.features.has(Feature::Xbzrle)),
    ("switchover-ack", |raw| {
        raw.features.has(Feature::SwitchoverAck)
    }),
    ("validate_uuid", |raw| {
        raw.features.has(Feature::ValidateUuid)
    }),
    ("ignore-shared", |raw| {
        raw.features.has(Feature::IgnoreShared)
    }),
    ("auto_converge", |raw| {
        raw.features.has(Feature::AutoConverge)
    }),
    ("dirty_limit", |raw| raw.features.has(Feature::DirtyLimit)),
    ("dirty_ring", |raw| {
        raw.accelerator == Accelerator::KvmDirtyRing
    }),
    ("plain/cancel", |raw| raw.incident == Incident::CancelRetry),
    ("tcp/channels", |raw| raw.address == Address::Channels),
    ("both_set", |raw| raw.address == Address::Both),
    ("none_set", |raw| raw.address == Address::Neither),
];

#[test]
fn no_point_is_claimed_for_a_test_whose_name_says_otherwise() {
    for (part, holds) in SAYS {
        let mut named = cases().filter(|(test, _)| test.contains(part)).peekable();
        assert!(named.peek().is_some(), "no test is called {part}");
        for (test, raw) in named {
            assert!(holds(&raw), "{test}: {raw}");
        }
    }
}

/// Parts of names that no test without them may be covered by.
#[test]
fn no_point_has_what_its_test_does_not_name() {
    for (test, raw) in cases() {
        let tls = raw.tls != Tls::None;
        assert_eq!(tls, test.contains("tls/"), "{test}: {raw}");
        let preempt = raw.features.has(Feature::PostcopyPreempt);
        assert_eq!(preempt, test.contains("preempt"), "{test}: {raw}");
        let mapped = raw.features.has(Feature::MappedRam);
        assert_eq!(mapped, test.contains("mapped-ram"), "{test}: {raw}");
        assert_eq!(
            raw.can_postcopy(),
            test.contains("postcopy"),
            "{test}: {raw}"
        );
        assert_eq!(
            raw.guest.sleeps(),
            test.contains("suspend"),
            "{test}: {raw}"
        );
        assert_eq!(raw.method.is_cpr(), test.contains("mode/"), "{test}: {raw}");
    }
}

#[test]
fn a_cancel_comes_in_the_state_that_the_test_names() {
    for (test, raw) in cases() {
        if let Some(state) = test.strip_prefix("cancel/src/after/") {
            assert_eq!(raw.incident.to_string(), format!("cancel-{state}"));
        }
    }
}

#[test]
fn the_model_expects_of_each_point_what_its_test_expects() {
    let fails = [
        "mismatch",
        "hostile",
        "reject",
        "unix/tls/x509/default-host",
        "uuid_error",
        "bad_dest",
        "after/failed",
    ];
    let cancelled = [
        "after/setup",
        "after/active",
        "after/pre-switchover",
        "after/cancelling",
        "after/cancelled",
    ];
    let refused = ["offset/bad", "both_set", "none_set"];
    for (test, raw) in cases() {
        let is = |parts: &[&str]| parts.iter().any(|part| test.contains(part));
        match raw.expectation().end {
            End::Failed(_) => assert!(is(&fails), "{test}"),
            End::Cancelled => assert!(is(&cancelled), "{test}"),
            End::Refused => assert!(is(&refused), "{test}"),
            End::Completed => {
                assert!(!is(&fails) && !is(&cancelled) && !is(&refused), "{test}");
            }
        }
    }
}

#[test]
fn a_script_can_analyse_the_stream_of_the_test_for_that() {
    let conditions = point_of("analyze-script").conditions();
    assert!(conditions.contains(&migratrix_matrix::Condition::Stream));
}
