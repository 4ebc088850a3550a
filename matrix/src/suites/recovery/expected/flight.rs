//! What must come of a migration that is struck while it is under way, before postcopy.

use super::{
    Answer, Ending, ErrorClass, FlagEffect, Standing,
    classes::{
        ABORTED, BROKEN, CLOSED, DOMAIN_FAILED, FAILED, INTERNAL, NO_DOMAIN, NO_PROCESS,
        NOT_RUNNING, REMOVED, RESET, STREAM,
    },
    outcomes::{gone_over, lost, lost_after, paused_beside, paused_on_source, stays, success},
};
use crate::{
    Control,
    suites::recovery::{
        axes::{RecoveryMoment, Strike},
        point::Recovery,
    },
};
use RecoveryMoment::{
    Call, Confirm, Finish, FirstPass, LaterPass, Launched, PostcopyEnd, PostcopyMiddle, Prepare,
    Reply, Switchover,
};

const STAYS: &str = "any failure before the destination runs the guest: the source runs it, or has it \
    paused as it was, and the destination is cleared (virDomainMigrateVersion3Full, \
    qemuMigrationSrcPerformPeer2Peer3, qemuMigrationSrcRestoreDomainState)";
const GOES: &str =
    "nothing in the protocol fails: the migration succeeds (virDomainMigrateVersion3Full)";
const CONFIRM: &str = "the destination runs the guest: whatever fails in Confirm is a warning \
    (virDomainMigrateVersion3Full)";
const PEER: &str =
    "peer to peer, the source's daemon needs no client (qemuMigrationSrcPerformPeer2Peer3)";
const CLIENT: &str = "the client's connection closes after Perform: the source stays paused, for nobody knows \
    whether the destination runs the guest (qemuMigrationAnyConnectionClosed)";
const RESTART: &str = "the source's daemon restarts after Perform: the source stays paused, a third party has to look \
    (qemuProcessRecoverMigrationOut)";
const DIED: &str =
    "a guest whose QEMU is gone before the destination runs it is lost (qemuProcessStop)";
const ENDED: &str = "a guest that ends, and whose domain is to be destroyed then, is shut off like any other: \
    what was sent of it is thrown away (\"Events configuration\" in libvirt's formatdomain, qemuProcessHandleMonitorEOF)";
const REBOOTED: &str = "a reset is one more change of memory and devices, and the domain that is to be restarted by it \
    goes on (\"Events configuration\" in libvirt's formatdomain, qemu_system_reset in QEMU)";
const ONE_JOB: &str = "a domain has one job that changes it at a time: who wants a further one waits, and finds the domain \
    gone (qemuMigrationJobStart, virDomainObjBeginJobInternal, virDomainObjCheckActive)";
const OTHERS: &str = "each domain has a job of its own, each migration a port of its own, and no daemon waits for its peer with \
    a lock that others need: what other guests do is nothing to it (qemuMigrationJobStart, virPortAllocatorAcquire, \
    qemuDomainObjEnterRemote)";
const LOST: &str =
    "past the point of no return only the destination has the guest: it is lost with that";
const FINISH: &str = "Finish fails or its answer is lost: the source is told that it is cancelled, and resumes \
    (virDomainMigrateVersion3Full)";
const RACE: &str = "a cancel, or a destroy, that comes while QEMU completes may be too late \
    (migrate_cancel in QEMU's qapi/migration.json)";
const NOT_THERE: &str = "what Prepare has not made yet can't be destroyed: the call is refused, and changes nothing \
    (qemuMigrationDstPrepareAny asks the hook before it adds the domain)";
const UNREAD: &str = "who was silent reads first what was sent to him until his peer closed the connection \
    (virNetServerClientDispatchEvent, virNetClientIOHandleInput)";

/// The connection of the data was lost, as the source's QEMU or its daemon tells it, or the client's library, which makes
/// one error of what both sides say (virDomainMigrateVersion3Full).
const DATA: &[ErrorClass] = &[FAILED, INTERNAL, DOMAIN_FAILED];
/// The connection to a daemon was lost.
const CONNECTION: &[ErrorClass] = &[RESET, CLOSED];
/// The one or the other: both go the same way, and whichever is missed first is told.
const EITHER: &[ErrorClass] = &[FAILED, INTERNAL, RESET, CLOSED];
/// The source's QEMU is gone, as whichever step comes to it first tells it: the migration's job and its monitor
/// (qemuMigrationJobCheckStatus, qemuMonitorIO), the look whether it is active (virDomainObjCheckActive), the look-up
/// of a transient domain (qemuDomainObjFromDomain), a wait for a job of one that is removed meanwhile
/// (virDomainObjBeginJob), and the look at the process itself (virProcessGetMaxMemLock).
const SOURCE_GONE: &[ErrorClass] = &[
    NOT_RUNNING,
    FAILED,
    DOMAIN_FAILED,
    INTERNAL,
    BROKEN,
    NO_DOMAIN,
    REMOVED,
    NO_PROCESS,
];
/// The destination's QEMU is gone: the source tells of the connection of the data, in whose place comes what
/// Finish has to say (virDomainMigrateVersion3Full): that there is no such domain, be it before or after the wait for a
/// job of it (virDomainObjBeginJob), or none that comes in (qemuMigrationJobIsActive).
const DESTINATION_GONE: &[ErrorClass] = TUNNEL_GONE.split_at(1).1;
/// The same in a tunnel, and first what is told there alone, where the destination's daemon may be the first to tell: it has nobody to hand the stream to
/// (daemonStreamEvent).
const TUNNEL_GONE: &[ErrorClass] = &[
    STREAM,
    FAILED,
    INTERNAL,
    DOMAIN_FAILED,
    NO_DOMAIN,
    REMOVED,
    NOT_RUNNING,
];
/// The same, where it is gone before the source connects: nobody listens.
const DESTINATION_NOT_REACHED: &[ErrorClass] = &[
    RESET,
    FAILED,
    INTERNAL,
    DOMAIN_FAILED,
    NO_DOMAIN,
    NOT_RUNNING,
];

/// How it may end.
pub(super) fn endings(point: &Recovery) -> Vec<Ending> {
    match point.strike {
        Strike::Cancelled | Strike::NeverConverges | Strike::DataStalled => cancelled(point),
        Strike::ClientKilled => client_killed(point),
        Strike::SourceQemuKilled => source_died(point, &["crashed"], &["crashed", "migrated"]),
        Strike::SourceDestroyed => source_died(point, &["destroyed"], &["destroyed", "migrated"]),
        Strike::DestinationQemuKilled => destination_died(point),
        Strike::DestinationDestroyed => destination_destroyed(point),
        Strike::DestinationDaemonKilled | Strike::DestinationDaemonKilledTwice => {
            destination_restarted(point)
        }
        Strike::SourceDaemonKilled | Strike::SourceDaemonKilledTwice => source_restarted(point),
        Strike::SourceDaemonSilent => source_silent(point),
        Strike::DestinationDaemonSilent | Strike::ManagementReset | Strike::LinkDown => {
            destination_unheard(point)
        }
        Strike::ReplyLost => vec![stays(point, CONNECTION, FINISH)],
        Strike::DataReset => data_reset(point),
        Strike::GuestPoweredOff | Strike::GuestCrashed => {
            vec![lost(Answer::Error(SOURCE_GONE), &["shutdown"], ENDED)]
        }
        Strike::GuestRebooted => vec![success(point, REBOOTED)],
        Strike::SecondMigration | Strike::DeviceAttached => vec![success(point, ONE_JOB)],
        Strike::Crossing | Strike::Crowd => vec![success(point, OTHERS)],
        Strike::SourceQemuStopped
        | Strike::DestinationQemuStopped
        | Strike::Suspended
        | Strike::Resumed => vec![success(point, GOES)],
        Strike::Undisturbed
        | Strike::PostcopyPaused
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

fn cancelled(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass => {
            vec![stays(point, &[ABORTED], STAYS)]
        }
        Switchover => vec![stays(point, &[ABORTED], STAYS), success(point, RACE)],
        Finish | Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![success(point, RACE)],
    }
}

/// Where the client drives the migration, whoever has its connections ends for him what he began.
fn client_killed(point: &Recovery) -> Vec<Ending> {
    let gone = |ending: Ending| Ending {
        answer: Answer::Gone,
        ..ending
    };
    match (point.control(), point.moment) {
        (Control::P2p | Control::Tunnelled, _) => vec![gone(success(point, PEER))],
        (Control::Normal, Call | Prepare | Launched | FirstPass | LaterPass) => {
            vec![gone(stays(point, &[], STAYS))]
        }
        (Control::Normal, Switchover) => vec![
            gone(stays(point, &[], STAYS)),
            paused_on_source(point, Answer::Gone, CLIENT),
        ],
        (Control::Normal, Finish) => vec![
            paused_on_source(point, Answer::Gone, CLIENT),
            paused_beside(point, Answer::Gone, CLIENT),
        ],
        (Control::Normal, Reply | Confirm | PostcopyMiddle | PostcopyEnd) => {
            vec![gone(success(point, CONFIRM))]
        }
    }
}

/// What is shut off on the source is so for one of these reasons: where the guest is lost, and where it had gone.
fn source_died(
    point: &Recovery,
    died: &'static [&'static str],
    gone: &'static [&'static str],
) -> Vec<Ending> {
    let lost = lost(Answer::Error(SOURCE_GONE), died, DIED);
    let over = |why| Ending {
        source: Standing::Inactive(gone),
        ..success(point, why)
    };
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass => vec![lost],
        // The destroy waits for a daemon that is held still, and the migration goes on with it.
        Switchover if point.strike == Strike::SourceDestroyed => {
            vec![lost, over(RACE)]
        }
        Switchover => vec![lost],
        Finish | Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![over(CONFIRM)],
    }
}

/// How the end of the destination's QEMU is told of while the guest moves.
fn destination_gone(point: &Recovery) -> &'static [ErrorClass] {
    match point.control() {
        Control::Normal | Control::P2p => DESTINATION_GONE,
        Control::Tunnelled => TUNNEL_GONE,
    }
}

fn destination_died(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched => vec![stays(point, DESTINATION_NOT_REACHED, STAYS)],
        FirstPass | LaterPass | Switchover => vec![stays(point, destination_gone(point), STAYS)],
        Finish => vec![stays(point, &[INTERNAL, REMOVED, FAILED], FINISH)],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![lost_after(LOST)],
    }
}

fn destination_destroyed(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare => vec![success(point, NOT_THERE)],
        Launched => vec![stays(point, DESTINATION_NOT_REACHED, STAYS)],
        FirstPass | LaterPass | Switchover => vec![stays(point, destination_gone(point), STAYS)],
        Finish => vec![
            stays(point, &[INTERNAL, NO_DOMAIN, REMOVED, FAILED], FINISH),
            lost_after(RACE),
        ],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![lost_after(LOST)],
    }
}

fn destination_restarted(point: &Recovery) -> Vec<Ending> {
    let classes: &[ErrorClass] = match (point.control(), point.moment) {
        (Control::Normal, Prepare | Launched) => &[RESET],
        (Control::Normal, FirstPass | LaterPass) => &[FAILED],
        (_, Finish) => CONNECTION,
        (Control::Normal | Control::P2p | Control::Tunnelled, _) => &[CLOSED],
    };
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass | Switchover => {
            vec![stays(point, classes, STAYS)]
        }
        Finish => vec![stays(point, classes, FINISH)],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![success(point, CONFIRM)],
    }
}

fn source_restarted(point: &Recovery) -> Vec<Ending> {
    let answer = answer_past_finish(point);
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass | Switchover => {
            vec![stays(point, CONNECTION, STAYS)]
        }
        Finish => vec![paused_beside(point, answer, RESTART)],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![Ending {
            source: Standing::Inactive(&["unknown"]),
            flags: FlagEffect::Open,
            ..gone_over(point, answer, RESTART)
        }],
    }
}

/// The client that drives the migration has the answer of Finish; where the source's daemon does, the
/// answer is lost with that.
fn answer_past_finish(point: &Recovery) -> Answer {
    match point.control() {
        Control::Normal => Answer::Success,
        Control::P2p | Control::Tunnelled => Answer::Error(CONNECTION),
    }
}

/// Its peers close their connections when they have heard nothing for long enough.
fn source_silent(point: &Recovery) -> Vec<Ending> {
    match (point.control(), point.moment) {
        (_, Call | Prepare | Launched | FirstPass | LaterPass) => {
            vec![stays(point, CONNECTION, STAYS)]
        }
        (Control::Normal, Switchover) => vec![
            stays(point, CONNECTION, STAYS),
            paused_on_source(point, Answer::Error(CONNECTION), CLIENT),
        ],
        (Control::Normal, Finish) => vec![
            paused_beside(point, Answer::Success, CLIENT),
            success(point, UNREAD),
        ],
        (Control::P2p | Control::Tunnelled, Switchover) => vec![stays(point, CONNECTION, FINISH)],
        (Control::P2p | Control::Tunnelled, Finish) => {
            let over = gone_over(point, Answer::SuccessOr(CONNECTION), UNREAD);
            vec![stays(point, CONNECTION, FINISH), over]
        }
        (_, Reply | Confirm | PostcopyMiddle | PostcopyEnd) => {
            vec![gone_over(point, Answer::SuccessOr(CONNECTION), CONFIRM)]
        }
    }
}

/// The destination's daemon is not heard any more: it clears what it was prepared for, and Finish fails.
fn destination_unheard(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass | Switchover => {
            vec![stays(point, EITHER, STAYS)]
        }
        Finish => vec![stays(point, EITHER, FINISH)],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![success(point, CONFIRM)],
    }
}

fn data_reset(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched | FirstPass | LaterPass | Switchover => {
            vec![stays(point, DATA, STAYS)]
        }
        Finish | Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![success(point, GOES)],
    }
}
