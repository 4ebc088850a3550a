//! What must come of a postcopy that is struck: whatever comes, the source never runs the guest again.
//!
//! `VIR_MIGRATE_PERSIST_DEST` has taken effect by then: Finish makes the domain persistent before it starts it
//! (qemuMigrationDstFinishFresh).

use super::{
    Answer, Ending, ErrorClass, FlagEffect, Libvirts, Owner, Remedy, Standing,
    classes::{BROKEN, CLOSED, DOMAIN_FAILED, FAILED, INTERNAL, RESET},
    knows_lost_postcopy,
    outcomes::gone_over,
};
use crate::{
    Control,
    suites::recovery::{
        axes::{RecoveryMoment, Strike, Way},
        point::Recovery,
    },
};

const NEVER: &str = "once the destination runs the guest, only it can go on; a cancel is refused \
    (virDomainMigrateStartPostCopy, qemuDomainAbortJobFlags)";
const PAUSED: &str = "a postcopy whose connection is lost is paused on both sides, and its job stays, to be gone on \
    with (VIR_MIGRATE_POSTCOPY_RESUME, NEWS of 8.5)";
const UNATTENDED: &str = "a postcopy that nobody attends goes on while QEMU runs it \
    (qemuProcessRecoverMigrationOut, qemuProcessRecoverMigrationIn)";
const LEFT: &str = "before 8.5 a postcopy that libvirt loses sight of counts as failed: it stays as it is, and a third party has to \
    look (qemuMigrationAnyPostcopyFailed, by qemuProcessRecoverMigrationOut and qemuProcessRecoverMigrationIn of 7.0)";
const LOST: &str = "what the destination has not got yet is lost with the source, and what it has with itself \
    (virDomainMigrateStartPostCopy)";

const TOO_LATE: &str = "a pause ends the connection of the data, and what was sent before arrives: at the end that is \
    all (migrate_pause in QEMU's migration.c)";

const CONNECTION: &[ErrorClass] = &[RESET, CLOSED, FAILED];
const MIGRATION: &[ErrorClass] = &[FAILED, DOMAIN_FAILED, INTERNAL, BROKEN];

/// The source, whose postcopy has failed, or is attended by nobody.
const HELD: Standing = Standing::Active(&[("paused", "postcopy-failed"), ("paused", "postcopy")]);
const FAILED_SOURCE: Standing = Standing::Active(&[("paused", "postcopy-failed")]);
/// The destination, which runs as far as it has the memory.
const FAILED_DESTINATION: Standing = Standing::Active(&[
    ("running", "postcopy-failed"),
    ("paused", "postcopy-failed"),
]);
const ANY_DESTINATION: Standing = Standing::Active(&[
    ("running", "postcopy-failed"),
    ("paused", "postcopy-failed"),
    ("running", "postcopy"),
]);
/// The destination whose daemon before 8.5 has restarted: it is to pause what runs, and leaves it if it can't.
const LEFT_DESTINATION: Standing =
    Standing::Active(&[("running", "postcopy"), ("paused", "postcopy-failed")]);

/// How it may end, when it was held, struck and, but where it is given up, let go.
pub(super) fn endings(point: &Recovery, libvirts: &Libvirts) -> Vec<Ending> {
    match point.strike {
        Strike::Undisturbed | Strike::Cancelled => {
            vec![gone_over(point, Answer::Success, NEVER)]
        }
        Strike::PostcopyPaused if !libvirts.can_pause() => {
            vec![gone_over(point, Answer::Success, NEVER)]
        }
        Strike::PostcopyPaused | Strike::DataReset => broken_off(point, libvirts),
        Strike::SourceDaemonKilled => {
            let answer = without_source(point.control());
            vec![unattended(point, libvirts, answer)]
        }
        Strike::DestinationDaemonKilled => {
            vec![unattended(point, libvirts, Answer::Error(CONNECTION))]
        }
        Strike::ManagementReset => {
            let left = lost_connection(libvirts, Answer::Error(CONNECTION), ANY_DESTINATION);
            let alone = unattended(point, libvirts, Answer::Error(CONNECTION));
            vec![alone, left]
        }
        Strike::ClientKilled => client_killed(point, libvirts),
        Strike::SourceQemuKilled => source_died(point),
        Strike::DestinationQemuKilled => vec![Ending {
            source: HELD,
            ..lost(Standing::Clear)
        }],
        Strike::SourceQemuStopped
        | Strike::SourceDaemonKilledTwice
        | Strike::DestinationDaemonKilledTwice
        | Strike::DestinationQemuStopped
        | Strike::SourceDaemonSilent
        | Strike::DestinationDaemonSilent
        | Strike::SourceDestroyed
        | Strike::DestinationDestroyed
        | Strike::DataStalled
        | Strike::ReplyLost
        | Strike::LinkDown
        | Strike::Suspended
        | Strike::Resumed
        | Strike::NeverConverges
        | Strike::GuestPoweredOff
        | Strike::GuestRebooted
        | Strike::GuestCrashed
        | Strike::SecondMigration
        | Strike::DeviceAttached
        | Strike::Crossing
        | Strike::Crowd
        | Strike::NameInactive
        | Strike::NameActive
        | Strike::UuidInactive
        | Strike::UuidActive
        | Strike::DomainActive
        | Strike::HookMigrate
        | Strike::HookStart
        | Strike::StateFolderFull
        | Strike::LibraryFolderFull
        | Strike::LogFolderFull
        | Strike::DaemonDead
        | Strike::MemoryShort
        | Strike::MachineUnknown
        | Strike::CpuModelUnknown
        | Strike::CpuFeatureUnknown
        | Strike::DiskMissing
        | Strike::DiskUnreadable
        | Strike::DiskShort
        | Strike::PortTaken
        | Strike::UriUnknown
        | Strike::UriUnreachable
        | Strike::UriRefusing
        | Strike::UriScheme
        | Strike::TlsMissing
        | Strike::TlsForeign
        | Strike::TlsExpired
        | Strike::TlsRight
        | Strike::SameHost => Vec::new(),
    }
}

/// The connection of the data is gone. At the end the destination may have all that it needs.
fn broken_off(point: &Recovery, libvirts: &Libvirts) -> Vec<Ending> {
    // What is paused on purpose is told to the destination only when its connection ends.
    let is_told = libvirts.can_resume() && point.strike == Strike::DataReset;
    let destination = if is_told {
        FAILED_DESTINATION
    } else {
        ANY_DESTINATION
    };
    let left = lost_connection(libvirts, Answer::Error(MIGRATION), destination);
    let mut endings = vec![given_up(point, left)];
    if point.moment == RecoveryMoment::PostcopyEnd {
        endings.push(given_up(point, complete(point)));
        if point.strike == Strike::PostcopyPaused {
            endings.push(gone_over(point, Answer::Success, TOO_LATE));
        }
    }
    endings
}

/// Both sides keep the guest, which the destination runs as far as it can; the caller goes on with it
/// where that can be done.
fn lost_connection(libvirts: &Libvirts, answer: Answer, destination: Standing) -> Ending {
    Ending {
        answer,
        owner: Owner::Destination,
        source: HELD,
        destination,
        flags: FlagEffect::Destination,
        remedy: if libvirts.can_resume() {
            Remedy::PostcopyResume
        } else {
            Remedy::StartAnew
        },
        rule: PAUSED,
    }
}

/// The destination had all that it needs, and the source has not heard that.
fn complete(point: &Recovery) -> Ending {
    Ending {
        source: FAILED_SOURCE,
        flags: FlagEffect::Destination,
        remedy: Remedy::DestroySource,
        ..gone_over(point, Answer::Error(MIGRATION), PAUSED)
    }
}

/// The same, where the operator does not go on with it.
fn given_up(point: &Recovery, ending: Ending) -> Ending {
    match point.way {
        Way::Documented => ending,
        Way::GiveUp => Ending {
            remedy: Remedy::StartAnew,
            ..ending
        },
    }
}

/// What the caller is told when the source's daemon is lost: the client that drives the migration waits for the
/// destination by then, whose answer is success, and that the source can't confirm is a warning
/// (virDomainMigrateVersion3Full).
const fn without_source(control: Control) -> Answer {
    match control {
        Control::Normal => Answer::Success,
        Control::P2p | Control::Tunnelled => Answer::Error(CONNECTION),
    }
}

/// It goes on by itself, but where it stays held until it is given up.
fn unattended(point: &Recovery, libvirts: &Libvirts, answer: Answer) -> Ending {
    match point.way {
        Way::Documented => left_by_itself(point, libvirts, answer),
        Way::GiveUp => Ending {
            answer,
            owner: Owner::Destination,
            source: HELD,
            destination: ANY_DESTINATION,
            flags: FlagEffect::Destination,
            remedy: Remedy::StartAnew,
            rule: UNATTENDED,
        },
    }
}

/// QEMU goes on with it to its end. A daemon before 8.5 takes no notice of that: what it has of the guest it takes for
/// failed.
fn left_by_itself(point: &Recovery, libvirts: &Libvirts, answer: Answer) -> Ending {
    let restarted = point.strike == Strike::DestinationDaemonKilled;
    let source_left = !knows_lost_postcopy(&[libvirts.source]);
    let destination_left = restarted && !knows_lost_postcopy(&[libvirts.destination]);
    let gone = Ending {
        flags: FlagEffect::Open,
        ..gone_over(point, answer, UNATTENDED)
    };
    let left_on_source = Ending {
        source: FAILED_SOURCE,
        flags: FlagEffect::Destination,
        remedy: Remedy::DestroySource,
        rule: LEFT,
        ..gone
    };
    // It is whole there, but nothing that libvirt shows says so.
    let left_on_destination = |ending: Ending| Ending {
        destination: LEFT_DESTINATION,
        remedy: Remedy::StartAnew,
        rule: LEFT,
        ..ending
    };
    match (source_left, destination_left) {
        (false, false) => gone,
        (true, false) => left_on_source,
        (false, true) => left_on_destination(gone),
        (true, true) => left_on_destination(left_on_source),
    }
}

/// Peer to peer nobody misses the client. Where it drives the migration, nobody calls Finish and Confirm.
fn client_killed(point: &Recovery, libvirts: &Libvirts) -> Vec<Ending> {
    match point.control() {
        Control::P2p | Control::Tunnelled => vec![gone_over(point, Answer::Gone, NEVER)],
        Control::Normal => {
            let complete = Ending {
                source: Standing::Active(&[
                    ("paused", "postcopy-failed"),
                    ("paused", "postcopy"),
                    ("paused", "migration"),
                ]),
                flags: FlagEffect::Open,
                remedy: Remedy::DestroySource,
                ..gone_over(point, Answer::Gone, UNATTENDED)
            };
            let left = lost_connection(libvirts, Answer::Gone, ANY_DESTINATION);
            vec![unattended(point, libvirts, Answer::Gone), complete, left]
        }
    }
}

/// What was not sent is gone; at the end nothing is missing.
fn source_died(point: &Recovery) -> Vec<Ending> {
    let left = Ending {
        source: Standing::Inactive(&["crashed"]),
        ..lost(ANY_DESTINATION)
    };
    if point.moment == RecoveryMoment::PostcopyEnd {
        let over = Ending {
            source: Standing::Inactive(&["crashed", "migrated"]),
            flags: FlagEffect::Open,
            ..gone_over(point, Answer::SuccessOr(MIGRATION), NEVER)
        };
        return vec![left, over];
    }
    vec![left]
}

/// The guest is lost: it can only be started anew.
const fn lost(destination: Standing) -> Ending {
    Ending {
        answer: Answer::Error(MIGRATION),
        owner: Owner::Nobody,
        source: HELD,
        destination,
        flags: FlagEffect::Destination,
        remedy: Remedy::StartAnew,
        rule: LOST,
    }
}
