//! Each check of a raw migration is shown to be able to pass, to fail and to be unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each spoiler changes one kind of observation"
)]

mod broken;
mod edges;
mod spoiled;
mod unseen;

use std::collections::BTreeSet;

use migratrix_history::{DomainState, Entry, Observation, Outcome, Side, Verb};
use migratrix_matrix::{Backend, Condition, Fault, Point, Profile};

use crate::{
    Kind, Verdict,
    checks::all,
    raw_story::{event, pass, status},
    story::{changed, without},
};
use Side::Destination;
use broken::{guests, in_name, migrations};
use spoiled::*;
use unseen::unseen;

#[test]
fn a_good_history_of_every_point_passes_every_condition() {
    for (point, _) in points() {
        for (condition, verdict) in all(&of(&point.to_string())) {
            assert_eq!(verdict, Verdict::Pass, "{condition} of {point}");
        }
    }
}

/// Every point of the suite's profiles.
fn points() -> impl Iterator<Item = (Point, Option<Fault>)> {
    let profiles = [Profile::MIGRATION_TEST, Profile::DEVICES, Profile::PLAIN].into_iter();
    profiles.flat_map(|one| one.points(Backend::Qemu))
}

#[test]
fn each_condition_fails_where_it_is_broken_and_explains_where() {
    let broken: Vec<_> = [guests(), migrations(), in_name()].concat();
    for (condition, history) in &broken {
        assert_kind(history, *condition, Kind::Fail);
        let why = verdict(history, *condition).why().to_owned();
        assert!(
            why.contains("QEMU 1"),
            "{condition}: no versions in `{why}`"
        );
    }
    let judged: BTreeSet<_> = points().flat_map(|(point, _)| point.conditions()).collect();
    for condition in judged {
        let fails = broken.iter().any(|(one, _)| *one == condition);
        assert!(fails, "{condition} never fails");
    }
}

#[test]
fn without_evidence_nothing_passes_and_nothing_fails() {
    for (point, _) in points() {
        let mut blind = of(&point.to_string());
        blind.entries.truncate(1);
        let saw = Observation::Ended {
            verb: Verb::Start,
            step: "launch source".to_owned(),
            outcome: Outcome::Unknown {
                why: "no answer".to_owned(),
            },
        };
        blind.entries.push(Entry { at_us: 2_000, saw });
        for (condition, verdict) in all(&blind) {
            assert_kind(&blind, condition, Kind::Unknown);
            let why = verdict.why();
            let told = why.contains("`launch source` ended unknown");
            assert!(told, "{condition} of {point}: {why}");
        }
    }
}

#[test]
fn what_was_not_seen_is_unknown() {
    for (condition, history) in unseen() {
        assert_kind(&history, condition, Kind::Unknown);
    }
}

#[test]
fn a_history_from_before_there_were_traces_is_judged_by_the_word_alone() {
    let is_trace = |saw: &Observation| {
        matches!(
            saw,
            Observation::Wire { .. } | Observation::Userfaults { .. }
        )
    };
    for point in [
        PSK,
        POSTCOPY,
        "precopy/tcp/running/return-path+switchover-ack",
    ] {
        let as_if_direct = |saw: &mut Observation| {
            if let Observation::Carriers { carriers, .. } = saw {
                let ports = "127.0.0.1:4000 and 127.0.0.1:5000".to_owned();
                carriers
                    .iter_mut()
                    .for_each(|one| one.address = Some(ports.clone()));
            }
        };
        let mut old = changed(without(of(point), is_trace), as_if_direct);
        let condition = match point {
            PSK => Condition::Transport,
            _ => Condition::Effect,
        };
        assert_kind(&old, condition, Kind::Unknown);
        old.header.evidence = 1;
        assert_kind(&old, condition, Kind::Pass);
    }
    let mut old = without(of("postcopy/tcp/stopped/plain"), is_trace);
    old.header.evidence = 1;
    assert_kind(&old, Condition::Effect, Kind::Skipped);
}

#[test]
fn a_class_is_told_by_the_text_of_either_side_and_of_any_step() {
    let bare = complaint(MISMATCH, "Unable to write to socket: Broken pipe");
    for text in [
        "TLS handshake failed: error",
        "Verify failed: No certificate was found.",
    ] {
        let text = format!("the destination's QEMU said: {text}");
        let noted = inserted(bare.clone(), Verb::Survey, Observation::Note { text });
        assert_kind(&noted, Condition::ExpectedError, Kind::Pass);
    }
}

#[test]
fn a_release_that_counts_pages_as_they_were_is_judged_by_its_setting() {
    let old = changed(
        worked(ZLIB, |job| job.multifd_bytes = Some(1 << 30)),
        |saw| {
            if let Observation::Versions(versions) = saw {
                versions.source_qemu = versions
                    .source_qemu
                    .map(|_| migratrix_matrix::Version::new(7, 2, 0));
            }
        },
    );
    assert_kind(&old, Condition::Effect, Kind::Pass);
}

#[test]
fn a_pass_that_began_only_when_the_migration_was_let_go_proves_nothing() {
    let late = without(of(PLAIN), |saw| *saw == pass(2));
    let why = verdict(&late, Condition::Iterations).why().to_owned();
    assert!(why.contains("before the migration was let go"), "{why}");
}

#[test]
fn the_source_of_a_file_needs_no_reader_to_have_its_channels_counted() {
    let point = "precopy/file/stopped/mapped-ram+multifd+4-channels";
    let alone = without(of(point), |saw| {
        matches!(
            saw,
            Observation::Channels {
                side: Destination,
                ..
            }
        )
    });
    assert_kind(&alone, Condition::Channels, Kind::Pass);
}

#[test]
fn a_source_that_waits_until_its_channels_were_counted_is_set_as_the_case_says() {
    let waits = |point: &str| {
        changed(of(point), |saw| {
            if let Observation::Settings { capabilities, .. } = saw {
                capabilities.insert("pause-before-switchover".to_owned());
            }
        })
    };
    for point in [
        "cpr-transfer/unix/stopped/channels+multifd",
        "precopy/unix/stopped/multifd",
        "precopy/file-fdset/stopped/mapped-ram+multifd+4-channels",
    ] {
        assert_kind(&waits(point), Condition::Settings, Kind::Pass);
        assert_kind(&of(point), Condition::Settings, Kind::Pass);
    }
    assert_kind(&waits(ZLIB), Condition::Settings, Kind::Fail);
}

#[test]
fn a_second_cancel_that_was_not_taken_while_the_first_was_under_way_proves_nothing() {
    let point = "precopy/unix/running/cancel-cancelling";
    let mut late = of(point);
    let once = |entry: &Entry| entry.saw == status(Side::Source, "cancelling");
    let place = late.entries.iter().position(once).expect("it cancels");
    late.entries.remove(place);
    assert_kind(&late, Condition::Incident, Kind::Unknown);
}

#[test]
fn a_connection_that_was_to_be_lost_when_all_was_over_proves_nothing() {
    let paused = |saw: &Observation| match saw {
        Observation::Status { status, .. } => status.starts_with("postcopy-paused"),
        _ => false,
    };
    let lost = without(of(spoiled::RECOVER), paused);
    assert_kind(&lost, Condition::Incident, Kind::Fail);
    let pause = Observation::Command {
        side: Side::Source,
        command: "migrate-pause".to_owned(),
        arguments: serde_json::json!({}),
    };
    let late = inserted(lost, Verb::Survey, pause);
    assert_kind(&late, Condition::Incident, Kind::Unknown);
}

#[test]
fn a_guest_that_an_old_qemu_could_not_stop_in_its_sleep_sleeps_on() {
    let point = "precopy/unix/suspended-stopped/plain";
    let asleep = changed(of(point), |saw| match saw {
        Observation::Domain {
            look: DomainState::Present(domain),
            ..
        } if domain.active => {
            domain.reason = "suspended".to_owned();
        }
        _ => {}
    });
    assert_kind(&asleep, Condition::SourceStarted, Kind::Pass);
    assert_kind(&asleep, Condition::DestinationState, Kind::Pass);
}

#[test]
fn a_migration_that_goes_on_after_its_end_did_not_end() {
    for side in [Side::Source, Destination] {
        let mut history = of("precopy/unix/running/plain");
        let end = status(side, "completed");
        let place = history.entries.iter().rposition(|entry| entry.saw == end);
        let place = place.expect("it completes");
        let at_us = history.entries[place].at_us;
        for saw in [end, status(side, "failed")] {
            history.entries.insert(place, Entry { at_us, saw });
        }
        assert_kind(&history, Condition::Migrated, Kind::Fail);
    }
}

#[test]
fn a_guest_that_went_on_before_it_was_stopped_ran_twice() {
    let mut history = of("precopy/unix/running/plain");
    let resumes = |entry: &Entry| entry.saw == event(Destination, "RESUME");
    let place = history.entries.iter().position(resumes);
    let place = place.expect("the guest goes on");
    history.entries[place].at_us -= 300_000;
    assert_kind(&history, Condition::Events, Kind::Fail);
}
