//! Each condition, and histories that break it.

use std::collections::BTreeSet;

use migratrix_history::{
    Carrier, CarrierKind, DomainInfo, DomainState, History, Observation, Outcome, Side, Verb, When,
    Wire,
};
use migratrix_matrix::Condition;
use serde_json::json;

use super::spoiled::*;
use crate::{
    raw_story::{command, event, pass},
    story::{changed, without},
};
use Side::{Destination, Source};

fn absent(point: &str, of_look: (Side, When)) -> History {
    changed(of(point), |saw| match saw {
        Observation::Domain { side, when, look } if (*side, *when) == of_look => {
            *look = DomainState::Absent;
        }
        _ => {}
    })
}

fn lapped(point: &str, of_beat: (Side, When), by: u32) -> History {
    changed(of(point), |saw| match saw {
        Observation::Beat {
            side,
            when,
            first,
            last,
            ..
        } if (*side, *when) == of_beat => *last = *first + by,
        _ => {}
    })
}

fn set(point: &str, on: Side, name: &str, to: &serde_json::Value) -> History {
    changed(of(point), |saw| match saw {
        Observation::Settings {
            side, parameters, ..
        } if *side == on => {
            parameters.insert(name.to_owned(), to.clone());
        }
        _ => {}
    })
}

fn capable(point: &str, on: Side, change: impl Fn(&mut BTreeSet<String>)) -> History {
    changed(of(point), |saw| match saw {
        Observation::Settings {
            side, capabilities, ..
        } if *side == on => change(capabilities),
        _ => {}
    })
}

const NEHALEM: &str = "precopy/unix/running/cpu-nehalem";

fn processed(point: &str, on: Side, kind: &str) -> History {
    changed(of(point), |saw| {
        let Observation::Domain {
            side,
            look: DomainState::Present(domain),
            ..
        } = saw
        else {
            return;
        };
        if let Some(identity) = domain.identity.as_mut().filter(|_| *side == on) {
            identity.processor = Some(kind.to_owned());
        }
    })
}

fn channelled(side: Side, to: u32) -> History {
    changed(of(ZLIB), |saw| match saw {
        Observation::Channels { side: on, count } if *on == side => *count = to,
        _ => {}
    })
}

/// The source's stream is carried by something of another kind.
fn carried_by(point: &str, other: CarrierKind) -> History {
    carried(point, Source, |carriers| {
        carriers.iter_mut().for_each(|one| one.kind = other);
    })
}

fn carried(point: &str, on: Side, change: impl Fn(&mut Vec<Carrier>)) -> History {
    changed(of(point), |saw| match saw {
        Observation::Carriers { side, carriers } if *side == on => change(carriers),
        _ => {}
    })
}

/// The side's stream is carried at another address.
fn carried_elsewhere(point: &str, on: Side, address: Option<&str>) -> History {
    carried(point, on, |carriers| {
        let address = || address.map(str::to_owned);
        carriers.iter_mut().for_each(|one| one.address = address());
    })
}

/// The side has one more open than the stream needs.
fn carried_twice(point: &str, on: Side) -> History {
    carried(point, on, |carriers| {
        carriers.push(Carrier {
            kind: CarrierKind::Pipe,
            address: None,
            direct: 0,
        });
    })
}

/// With the last of what went by as something else.
fn wired(point: &str, change: impl Fn(&mut Wire)) -> History {
    changed(of(point), |saw| {
        if let Observation::Wire { connections, .. } = saw {
            connections.iter_mut().rev().take(1).for_each(&change);
        }
    })
}

const SEALED_CHANNELS: &str = "precopy/tcp/stopped/multifd+16-channels+psk";
const PREEMPTED: &str = "postcopy/tcp/running/postcopy-preempt";
const DIRECT: &str = "precopy/file/stopped/mapped-ram+direct-io+multifd+4-channels";
const DIRECT_SET: &str = "precopy/file-fdset/stopped/mapped-ram+direct-io+multifd+4-channels";
const ANSWERED: &str = "precopy/tcp/running/return-path+switchover-ack";

/// The side has lost a connection.
fn carried_by_less(point: &str, on: Side) -> History {
    carried(point, on, |carriers| drop(carriers.pop()))
}

fn without_userfaults(point: &str) -> History {
    changed(of(point), |saw| {
        if let Observation::Userfaults { count, .. } = saw {
            *count = 0;
        }
    })
}

/// Histories in which QEMU's word is kept, and what was seen of it in the world is not.
pub(super) fn in_name() -> Vec<(Condition, History)> {
    use Condition as C;
    let clear = |it: &mut Wire| "5145564d00000003".clone_into(&mut it.sent);
    let stamp = |it: &mut Wire| it.stamped = !it.stamped;
    let sealed = |it: &mut Wire| "160301018a010001".clone_into(&mut it.sent);
    vec![
        (C::Transport, wired(PSK, clear)),
        (C::Transport, wired(SEALED_CHANNELS, clear)),
        (
            C::Transport,
            wired(PSK, |it| "00020004".clone_into(&mut it.received)),
        ),
        (C::Transport, wired(PSK, stamp)),
        (C::Transport, wired("precopy/unix/running/psk", clear)),
        (C::Transport, wired("precopy/fd/running/psk", stamp)),
        (C::Transport, wired(ANSWERED, sealed)),
        (C::Transport, wired(ANSWERED, stamp)),
        (C::Transport, carried_by_less(ZLIB, Source)),
        (C::Transport, carried_by_less(ZLIB, Destination)),
        (
            C::Transport,
            carried_elsewhere(PSK, Destination, Some("127.0.0.1:4000 and 127.0.0.1:5000")),
        ),
        (C::Effect, wired(ANSWERED, |it| it.received.clear())),
        (
            C::Effect,
            wired(ANSWERED, |it| {
                "000200040000000100010004000000".clone_into(&mut it.received)
            }),
        ),
        (
            C::Effect,
            wired("precopy/tcp/running/return-path", |it| it.received.clear()),
        ),
        (C::Effect, carried_by_less(PREEMPTED, Source)),
        (C::Effect, carried_by_less(PREEMPTED, Destination)),
        (C::Effect, carried(DIRECT, Source, |all| all[0].direct -= 1)),
        (
            C::Effect,
            carried(DIRECT_SET, Source, |all| all[0].direct -= 1),
        ),
        (C::Effect, without_userfaults(POSTCOPY)),
        (C::Effect, without_userfaults("postcopy/tcp/stopped/plain")),
    ]
}

fn streamed(change: impl Fn(&mut String, &mut u32, &mut Option<u64>)) -> History {
    changed(of(FILE), |saw| {
        if let Observation::Stream {
            magic,
            version,
            devices,
            ..
        } = saw
        {
            change(magic, version, devices);
        }
    })
}

/// A file with a place for each page, in which they lie so or not.
pub(super) fn placed(there: Option<bool>) -> History {
    changed(of("precopy/file/running/mapped-ram"), |saw| {
        if let Observation::Stream { in_place, .. } = saw {
            *in_place = there;
        }
    })
}

const SOURCE_BEFORE: (Side, When) = (Source, When::Before);

const SOURCE_DURING: (Side, When) = (Source, When::During);

const SOURCE_AFTER: (Side, When) = (Source, When::After);

const DESTINATION_AFTER: (Side, When) = (Destination, When::After);

/// Histories that break what is seen of the machines, the guest and its memory.
pub(super) fn guests() -> Vec<(Condition, History)> {
    use Condition as C;
    let renamed = |it: &mut DomainInfo| it.reason = "paused".to_owned();
    vec![
        (C::SourceStarted, absent(PLAIN, SOURCE_BEFORE)),
        (C::SourceStarted, domain(PLAIN, SOURCE_BEFORE, renamed)),
        (C::SourceStarted, domain(ASLEEP, SOURCE_BEFORE, renamed)),
        (C::SourceStarted, lapped(PLAIN, SOURCE_BEFORE, 0)),
        (C::SourceStarted, lapped(STOPPED, SOURCE_BEFORE, 1)),
        (
            C::SourceInactive,
            domain(PLAIN, SOURCE_AFTER, |it| it.active = true),
        ),
        (C::DestinationExists, absent(PLAIN, DESTINATION_AFTER)),
        (
            C::DestinationExists,
            domain(
                "precopy/unix/running/uuid-mismatch",
                DESTINATION_AFTER,
                |it| {
                    it.uuid = crate::story::UUID.to_owned();
                },
            ),
        ),
        (
            C::DestinationActive,
            domain(PLAIN, DESTINATION_AFTER, |it| it.active = false),
        ),
        (
            C::DestinationState,
            domain(PLAIN, DESTINATION_AFTER, renamed),
        ),
        (
            C::DestinationState,
            domain(ASLEEP, DESTINATION_AFTER, renamed),
        ),
        (C::DestinationState, absent(PLAIN, DESTINATION_AFTER)),
        (C::GuestDuringCopy, lapped(PLAIN, SOURCE_DURING, 0)),
        (C::GuestDuringCopy, lapped(STOPPED, SOURCE_DURING, 1)),
        (C::Iterations, lapped(PLAIN, SOURCE_DURING, 0)),
        (C::Iterations, without(of(PLAIN), |saw| *saw == pass(2))),
        (C::Memory, lapped(PLAIN, SOURCE_DURING, 5_000)),
        (C::Memory, lapped(CANCEL, SOURCE_BEFORE, 5_000)),
        (C::Memory, pageless(PLAIN)),
        (C::Memory, pageless(CANCEL)),
        (C::Alive, lapped(PLAIN, DESTINATION_AFTER, 0)),
        (C::Alive, lapped(STOPPED, DESTINATION_AFTER, 1)),
        (C::Alive, lapped(CANCEL, SOURCE_AFTER, 0)),
        (
            C::Alive,
            domain(CANCEL, DESTINATION_AFTER, |it| it.active = true),
        ),
        (C::Identity, domain(PLAIN, DESTINATION_AFTER, a_device_more)),
        (C::Device, other_device()),
        (C::NoLeftovers, left_behind()),
    ]
}

/// Histories that break what is seen of the migration.
pub(super) fn migrations() -> Vec<(Condition, History)> {
    use Condition as C;
    let complete = "completed";
    vec![
        (C::Settings, capable(PLAIN, Destination, BTreeSet::clear)),
        (
            C::Settings,
            capable(PLAIN, Source, |on| {
                on.insert("multifd".to_owned());
            }),
        ),
        (
            C::Settings,
            set(ZLIB, Source, "multifd-compression", &json!("none")),
        ),
        (
            C::Settings,
            set(ZLIB, Destination, "multifd-channels", &json!(2)),
        ),
        (
            C::Settings,
            set(PLAIN, Source, "multifd-compression", &json!("zlib")),
        ),
        (C::Settings, set(PSK, Destination, "tls-creds", &json!(""))),
        (C::Settings, set(PLAIN, Source, "tls-creds", &json!("tls0"))),
        (
            C::Settings,
            set(
                "precopy/tcp/running/x509-override-host",
                Source,
                "tls-hostname",
                &json!(""),
            ),
        ),
        (C::Migrated, came_to(PLAIN, Source, complete, "failed")),
        (C::Migrated, came_to(PLAIN, Destination, complete, "failed")),
        (C::Migrated, came_to(PLAIN, Source, complete, "cancelled")),
        (C::Migrated, refused(PLAIN)),
        (
            C::Migrated,
            inserted(
                of(PLAIN),
                Verb::Converge,
                command("migrate", json!({"uri": "x"})),
            ),
        ),
        (C::Incident, ended(CANCEL, Verb::Intervene, &refusal("no"))),
        (C::Migrated, stateless(POSTCOPY, Source, "postcopy-active")),
        (
            C::ExpectedError,
            came_to(MISMATCH, Source, "failed", complete),
        ),
        (
            C::ExpectedError,
            changed(of(MISMATCH), |saw| {
                if let Observation::Job { job, .. } = saw {
                    job.kind = "completed".to_owned();
                }
            }),
        ),
        (
            C::ExpectedError,
            complaint(MISMATCH, "UUID received is 1 and local is 2"),
        ),
        (
            C::ExpectedError,
            ended(REFUSED, Verb::Migrate, &Outcome::Done),
        ),
        (
            C::ExpectedError,
            ended(
                REFUSED,
                Verb::Migrate,
                &refusal("Parameter 'channels' is unexpected"),
            ),
        ),
        (C::Incident, came_to(CANCEL, Source, "cancelled", complete)),
        (
            C::Incident,
            stuck(CANCEL, Source, "cancelled", "cancelling"),
        ),
        (
            C::Incident,
            stuck(RECOVER, Source, complete, "postcopy-recover"),
        ),
        (C::Migrated, stuck(PLAIN, Source, complete, "device")),
        (
            C::Incident,
            came_to(
                "precopy/unix/running/cancel-completed",
                Source,
                "setup",
                "cancelled",
            ),
        ),
        (C::Incident, stateless(RECOVER, Source, "postcopy-paused")),
        (
            C::Incident,
            came_to(RECOVER, Destination, complete, "postcopy-paused"),
        ),
        (C::Incident, as_if(VAIN, RECOVER)),
        (C::Incident, as_if(NOWHERE, RECOVER)),
        (C::Incident, as_if(RECOVER, NOWHERE)),
        (C::Incident, as_if(VAIN, NOWHERE)),
        (C::Settings, processed(NEHALEM, Source, "qemu64-x86_64-cpu")),
        (
            C::Settings,
            processed(NEHALEM, Destination, "qemu64-x86_64-cpu"),
        ),
        (C::Settings, processed(PLAIN, Source, "max-x86_64-cpu")),
        (C::Identity, processed(PLAIN, Destination, "max-x86_64-cpu")),
        (
            C::Transport,
            carried_elsewhere(PLAIN, Destination, Some("/run/other")),
        ),
        (C::Transport, carried_elsewhere(PLAIN, Destination, None)),
        (
            C::Transport,
            carried_elsewhere("precopy/fd/running/plain", Destination, Some("/run/other")),
        ),
        (
            C::Transport,
            carried_elsewhere(
                "precopy/tcp/running/plain",
                Source,
                Some("127.0.0.1:5000 and 127.0.0.1:40001"),
            ),
        ),
        (
            C::Transport,
            carried_elsewhere(FILE, Source, Some("/tmp/stream")),
        ),
        (C::Transport, carried_twice(PLAIN, Destination)),
        (C::Transport, carried_by(PLAIN, CarrierKind::Tcp)),
        (C::Transport, carried_by(FILE, CarrierKind::Pipe)),
        (
            C::Transport,
            carried_by("precopy/exec/running/plain", CarrierKind::File),
        ),
        (C::Transport, carried_by(POSTCOPY, CarrierKind::Pipe)),
        (C::Channels, channelled(Source, 1)),
        (C::Channels, channelled(Destination, 1)),
        (
            C::Effect,
            worked(ZLIB, |job| job.multifd_bytes = Some(1 << 30)),
        ),
        (
            C::Effect,
            worked(POSTCOPY, |job| job.postcopy_requests = Some(0)),
        ),
        (C::Effect, placed(Some(false))),
        (
            C::Effect,
            worked("precopy/unix/running/xbzrle", |job| {
                job.xbzrle_pages = Some(0)
            }),
        ),
        (
            C::Effect,
            worked("precopy/unix/running/auto-converge", |job| {
                job.throttle_percent = Some(0)
            }),
        ),
        (
            C::Effect,
            worked("precopy/unix/running/ignore-shared", |job| {
                job.memory_processed = Some(1 << 20)
            }),
        ),
        (
            C::Effect,
            stateless(
                "precopy/unix/running/pause-before-switchover",
                Source,
                "pre-switchover",
            ),
        ),
        (
            C::Effect,
            capable(
                "precopy/tcp/running/return-path+switchover-ack",
                Source,
                BTreeSet::clear,
            ),
        ),
        (C::Events, eventless(PLAIN, Source, "STOP")),
        (C::Events, eventless(PLAIN, Destination, "RESUME")),
        (
            C::Events,
            inserted(of(PLAIN), Verb::Inspect, event(Source, "RESUME")),
        ),
        (
            C::Events,
            inserted(of(PLAIN), Verb::Inspect, event(Destination, "STOP")),
        ),
        (
            C::Events,
            inserted(of(STOPPED), Verb::Inspect, event(Destination, "RESUME")),
        ),
        (
            C::Events,
            inserted(of(CANCEL), Verb::Inspect, event(Destination, "RESUME")),
        ),
        (
            C::Events,
            inserted(of(CANCEL), Verb::Inspect, event(Source, "STOP")),
        ),
        (
            C::Statistics,
            worked(PLAIN, |job| job.kind = "failed".to_owned()),
        ),
        (
            C::Statistics,
            worked(PLAIN, |job| job.downtime_ms = Some(2_001)),
        ),
        (
            C::Statistics,
            worked(PLAIN, |job| job.memory_remaining = Some(4_096)),
        ),
        (C::Stream, streamed(|magic, _, _| "QEVN".clone_into(magic))),
        (C::Stream, streamed(|_, version, _| *version = 2)),
        (C::Stream, streamed(|_, _, devices| *devices = None)),
    ]
}

fn refusal(message: &str) -> Outcome {
    Outcome::Refused(migratrix_history::Refusal {
        code: 0,
        domain: 0,
        message: message.to_owned(),
    })
}

fn refused(point: &str) -> History {
    ended(
        point,
        Verb::Migrate,
        &refusal("There's a migration process in progress"),
    )
}

fn pageless(point: &str) -> History {
    changed(of(point), |saw| {
        if let Observation::Memory { survey, .. } = saw {
            survey.runs.clear();
        }
    })
}

fn a_device_more(domain: &mut DomainInfo) {
    let identity = domain.identity.as_mut().expect("it is active");
    let device = ("rng".to_owned(), "pci 0000:02:00.0".to_owned());
    identity.devices.extend([device]);
}

fn other_device() -> History {
    changed(of(DEVICE), |saw| {
        if let Observation::Device {
            side: Destination,
            did,
            ..
        } = saw
        {
            did[1] = "read it: b-a".to_owned();
        }
    })
}

fn left_behind() -> History {
    changed(of(PLAIN), |saw| {
        if let Observation::Leftovers { left, .. } = saw {
            left.push("the file /run/mx-0001".to_owned());
        }
    })
}
