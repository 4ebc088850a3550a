//! The same without libvirt: of QEMU alone, of pairs and of backups.

use migratrix_history::{Entry, History, Observation, Part, Side, Verb, When};
use migratrix_matrix::Condition;
use serde_json::json;

use super::{fails, is_command, is_unknown, within, worked};
use crate::{
    Kind,
    checks::{
        backup, colo,
        tests::{assert_kind, begins},
    },
    raw_story,
    story::{changed, without},
};
use Side::{Destination, Source};

const PRIMARY: &str = "single-channel/primary/idle/plain";

fn raw(point: &str) -> History {
    raw_story::good(&format!("qemu/qemu/bookworm,trixie/{point}"))
}

#[test]
fn a_guest_that_is_held_still_is_not_reset_meanwhile() {
    let reset = raw_story::event(Destination, "RESET");
    let history = within(raw("precopy/unix/running/plain"), Verb::Survey, reset);
    fails(
        &history,
        Condition::Events,
        "sent RESET where the guest was held still",
    );
    let stop = raw_story::event(Destination, "STOP");
    let history = within(raw("precopy/unix/running/plain"), Verb::Survey, stop);
    assert_kind(&history, Condition::Events, Kind::Pass);
}

#[test]
fn a_guest_that_moves_is_not_to_go_on_where_it_was() {
    let command = raw_story::command("cont", json!({}));
    let history = within(raw("precopy/unix/running/plain"), Verb::Survey, command);
    fails(
        &history,
        Condition::Events,
        "was told to let the guest go on",
    );
}

#[test]
fn a_job_lasts_as_long_as_it_was_held_and_what_is_heard_late_counts_for_nothing() {
    // Two seconds pass right before it is let go, or right after.
    let waits = |after: usize| {
        let mut history = raw("precopy/unix/running/plain");
        let mut entries = history.entries.iter();
        let freed = entries.position(|entry| begins(&entry.saw, Verb::Converge));
        let freed = freed.expect("it is let go");
        for entry in &mut history.entries[freed + after..] {
            entry.at_us += 2_000_000;
        }
        let at_us = history.entries[freed + 1].at_us;
        let saw = raw_story::status(Source, "device");
        history.entries.insert(freed + 1, Entry { at_us, saw });
        history
    };
    fails(&waits(0), Condition::Statistics, "was seen to copy for");
    let heard_late = waits(1);
    assert_kind(&heard_late, Condition::Statistics, Kind::Pass);
}

#[test]
fn a_migration_of_qemus_own_comes_through_its_states_and_is_told_of_postcopy() {
    let postcopy = "postcopy/tcp/running/plain";
    for (point, of, word) in [
        ("precopy/unix/running/plain", Source, "setup"),
        ("precopy/unix/running/plain", Source, "active"),
        ("precopy/unix/running/plain", Destination, "active"),
        (postcopy, Destination, "postcopy-active"),
    ] {
        let history = without(
            raw(point),
            |saw| matches!(saw, Observation::Status { side, status } if *side == of && status == word),
        );
        is_unknown(
            &history,
            Condition::Migrated,
            &format!("never seen in `{word}`"),
        );
        let mut old = history;
        old.header.evidence = 0;
        assert_kind(&old, Condition::Migrated, Kind::Pass);
    }
    let told = "migrate-start-postcopy";
    let untold = without(raw(postcopy), |saw| is_command(saw, told));
    is_unknown(&untold, Condition::Migrated, "was not told to go over");
    let command = raw_story::command(told, json!({}));
    let precopy = within(raw("precopy/unix/running/plain"), Verb::Await, command);
    is_unknown(&precopy, Condition::Migrated, "was told to go over");
}

#[test]
fn a_parameter_that_no_case_names_is_as_it_always_is() {
    for (name, other) in [
        ("announce-rounds", json!(99)),
        ("cpu-throttle-initial", json!(99)),
        ("tls-hostname", json!("elsewhere")),
    ] {
        let history = changed(raw("precopy/unix/running/plain"), |saw| {
            if let Observation::Settings {
                side: Source,
                parameters,
                ..
            } = saw
            {
                parameters.insert(name.to_owned(), other.clone());
            }
        });
        fails(&history, Condition::Settings, name);
    }
}

#[test]
fn credentials_that_are_set_were_given() {
    for lost in Side::BOTH {
        let history = without(
            raw("precopy/tcp/running/psk"),
            |saw| matches!(saw, Observation::Command { side, command, .. } if *side == lost && command == "object-add"),
        );
        is_unknown(
            &history,
            Condition::Settings,
            "was not given the credentials",
        );
    }
}

#[test]
fn a_destination_that_listens_elsewhere_is_not_where_the_source_was_sent() {
    let point = "precopy/unix/running/plain";
    let listens = |uri: &'static str| {
        changed(raw(point), move |saw| {
            if let Observation::Command {
                side: Destination,
                command,
                arguments,
            } = saw
            {
                if command == "migrate-incoming" {
                    *arguments = json!({"uri": uri});
                }
            }
        })
    };
    fails(
        &listens("unix:/other"),
        Condition::Transport,
        "the destination is at",
    );
    let never = without(raw(point), |saw| is_command(saw, "migrate-incoming"));
    is_unknown(&never, Condition::Transport, "was not told where");
}

#[test]
fn each_count_of_the_channels_is_that_of_the_case() {
    let point = "precopy/tcp/running/multifd+16-channels";
    let count = Observation::Channels {
        side: Source,
        count: 3,
    };
    let history = within(raw(point), Verb::Inspect, count.clone());
    // The first look is before the migration; the last count is right.
    fails(&history, Condition::Channels, "had 3");
}

#[test]
fn a_stream_lists_most_devices_of_its_machine() {
    let lists = |devices: u64| {
        changed(raw("precopy/file/running/plain"), move |saw| match saw {
            Observation::Stream {
                devices: listed, ..
            } => *listed = Some(devices),
            Observation::Description { text, .. } => {
                for part in &mut text.parts {
                    if let Part::New(text) = part {
                        text.push_str("\n[device a]\n[device b]\n[device c]");
                    }
                }
            }
            _ => {}
        })
    };
    fails(&lists(1), Condition::Stream, "of a machine of 4");
    assert_kind(&lists(2), Condition::Stream, Kind::Pass);
}

#[test]
fn channels_that_compress_have_the_pages_that_the_guest_has_stamped() {
    let point = "precopy/tcp/running/multifd-zlib+16-channels";
    let history = worked(raw(point), |job| {
        (job.multifd_bytes, job.memory_normal_bytes) = (Some(5), Some(6));
    });
    fails(&history, Condition::Effect, "6 bytes of pages were sent");
}

#[test]
fn a_pair_is_compared_as_a_whole_and_after_what_was_seen_of_it() {
    let compared = |change: fn(&mut u32, &mut u64)| {
        changed(colo::story::good(PRIMARY), move |saw| {
            if let Observation::Mirror { lap, pages, .. } = saw {
                change(lap, pages);
            }
        })
    };
    fails(
        &compared(|_, pages| *pages = 10),
        Condition::Mirror,
        "10 of 512 pages",
    );
    fails(
        &compared(|lap, _| *lap = 5),
        Condition::Mirror,
        "compared at lap 5",
    );
    assert_kind(&compared(|lap, _| *lap = 21), Condition::Mirror, Kind::Pass);
}

#[test]
fn a_secondary_that_is_behind_the_checkpoint_that_it_goes_on_from_is_wrong() {
    let history = changed(colo::story::good(PRIMARY), |saw| {
        if let Observation::Beat {
            side: Destination,
            when: When::During,
            first,
            last,
            ..
        } = saw
        {
            (*first, *last) = (1, 2);
        }
    });
    fails(
        &history,
        Condition::Checkpoints,
        "before which the primary was at lap",
    );
}

#[test]
fn a_failover_that_nobody_asked_for_is_unknown() {
    for command in ["yank", "x-colo-lost-heartbeat"] {
        let history = without(colo::story::good(PRIMARY), |saw| is_command(saw, command));
        is_unknown(&history, Condition::Failover, command);
        let mut old = history;
        old.header.evidence = 0;
        assert_kind(&old, Condition::Failover, Kind::Pass);
        // One that stays in COLO fails all the same.
        old.header.evidence = migratrix_history::Header::EVIDENCE;
        let stayed = changed(old, |saw| {
            if let Observation::Colo { mode, .. } = saw {
                "primary".clone_into(mode);
            }
        });
        assert_kind(&stayed, Condition::Failover, Kind::Fail);
    }
}

#[test]
fn a_monitor_that_nothing_blocks_answers() {
    let mut history = colo::story::good(PRIMARY);
    let mut seen = history.entries.iter_mut();
    let answered = seen.find_map(|entry| match &mut entry.saw {
        Observation::Monitor { answered, .. } => Some(answered),
        _ => None,
    });
    *answered.expect("it is asked") = false;
    is_unknown(&history, Condition::Failover, "and nothing blocks it");
}

#[test]
fn a_comparison_with_another_image_and_a_write_that_was_lost_prove_nothing() {
    let simple = "stay/blockdev-backup/incremental-simple/plain";
    let mut history = backup::tests::of(simple);
    let compared = history
        .entries
        .iter_mut()
        .rev()
        .find_map(|entry| match &mut entry.saw {
            Observation::Compared { other, .. } => Some(other),
            _ => None,
        });
    "nothing".clone_into(compared.expect("the chain is compared"));
    assert_kind(&history, Condition::Chain, Kind::Unknown);
    let longer = changed(backup::tests::of(simple), |saw| {
        if let Observation::Written { length, .. } = saw {
            *length = 5 << 20;
        }
    });
    assert_kind(&longer, Condition::Bitmap, Kind::Unknown);
}
