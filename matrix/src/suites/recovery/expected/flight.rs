//! What must come of a migration that is struck while it is under way, before postcopy.

use super::{
    Answer, Ending, ErrorClass, FlagEffect, Owner, Remedy, Standing,
    classes::{
        ABORTED, BROKEN, CLOSED, DOMAIN_FAILED, FAILED, INTERNAL, NO_DOMAIN, NONE_FINISHED,
        NOT_RUNNING, RESET,
    },
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

pub(super) const STAYS: &str = "any failure before the destination runs the guest: the source runs it, or has it \
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
const LOST: &str =
    "past the point of no return only the destination has the guest: it is lost with that";
const FINISH: &str = "Finish fails or its answer is lost: the source is told that it is cancelled, and resumes \
    (virDomainMigrateVersion3Full)";
const RACE: &str = "a cancel, or a destroy, that comes while QEMU completes may be too late \
    (migrate_cancel in QEMU's qapi/migration.json)";

/// The connection of the data was lost, as the source's QEMU or its daemon tells it.
const DATA: &[ErrorClass] = &[FAILED, INTERNAL];
/// The connection to a daemon was lost.
const CONNECTION: &[ErrorClass] = &[RESET, CLOSED];
/// The one or the other: both go the same way, and whichever is missed first is told.
const EITHER: &[ErrorClass] = &[FAILED, INTERNAL, RESET, CLOSED];

/// How the domain stands on the source when it has what it had: in the state of before, with a reason of
/// its own where it had been stopped. libvirt starts it again (`migration-canceled`), or QEMU has done that
/// already (`unpaused`).
pub(super) const fn as_it_was(point: &Recovery) -> Standing {
    Standing::Active(if !point.runs() {
        &[("paused", "user")]
    } else if point.moment.is_stopped() {
        &[("running", "unpaused"), ("running", "migration-canceled")]
    } else {
        &[("running", "booted")]
    })
}

/// How it stands there when it was stopped for the switchover, and nobody has resumed it.
pub(super) const fn left_paused(point: &Recovery) -> Standing {
    Standing::Active(if point.runs() {
        &[("paused", "migration")]
    } else {
        &[("paused", "user")]
    })
}

/// How it stands on the destination when it has come.
pub(super) const fn arrived(point: &Recovery) -> Standing {
    Standing::Active(if point.runs() {
        &[("running", "migrated")]
    } else {
        &[("paused", "user"), ("paused", "migration")]
    })
}

/// The migration fails, and the source has the guest.
pub(super) const fn stays(
    point: &Recovery,
    classes: &'static [ErrorClass],
    rule: &'static str,
) -> Ending {
    Ending {
        answer: Answer::Error(classes),
        owner: Owner::Source,
        source: as_it_was(point),
        destination: Standing::Clear,
        flags: FlagEffect::None,
        remedy: Remedy::Nothing,
        rule,
    }
}

/// The destination has the guest, and the source knows it.
pub(super) const fn gone_over(point: &Recovery, answer: Answer, rule: &'static str) -> Ending {
    Ending {
        answer,
        owner: Owner::Destination,
        source: Standing::Inactive(&["migrated"]),
        destination: arrived(point),
        flags: FlagEffect::Both,
        remedy: Remedy::Nothing,
        rule,
    }
}

/// Nobody has the guest: its configuration is shut off on the source for this reason.
const fn lost(answer: Answer, reasons: &'static [&'static str], rule: &'static str) -> Ending {
    Ending {
        answer,
        owner: Owner::Nobody,
        source: Standing::Inactive(reasons),
        destination: Standing::Clear,
        flags: FlagEffect::None,
        remedy: Remedy::StartAnew,
        rule,
    }
}

/// As [`lost`], after success: what the flags ask for has taken effect.
const fn lost_after(rule: &'static str) -> Ending {
    Ending {
        flags: FlagEffect::Both,
        ..lost(Answer::Success, &["migrated"], rule)
    }
}

const fn success(point: &Recovery, rule: &'static str) -> Ending {
    gone_over(point, Answer::Success, rule)
}

/// How it may end.
pub(super) fn endings(point: &Recovery) -> Vec<Ending> {
    match point.strike {
        Strike::Cancelled | Strike::NeverConverges | Strike::DataStalled => cancelled(point),
        Strike::ClientKilled => client_killed(point),
        Strike::SourceQemuKilled => source_died(point, "crashed"),
        Strike::SourceDestroyed => source_died(point, "destroyed"),
        Strike::DestinationQemuKilled => destination_died(point),
        Strike::DestinationDestroyed => destination_destroyed(point),
        Strike::DestinationDaemonKilled => destination_restarted(point),
        Strike::SourceDaemonKilled => source_restarted(point),
        Strike::SourceDaemonSilent => source_silent(point),
        Strike::DestinationDaemonSilent | Strike::ManagementReset | Strike::LinkDown => {
            destination_unheard(point)
        }
        Strike::ReplyLost => vec![stays(point, CONNECTION, FINISH)],
        Strike::DataReset => data_reset(point),
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
        | Strike::PortTaken
        | Strike::UriUnknown
        | Strike::UriUnreachable
        | Strike::UriRefusing
        | Strike::UriScheme
        | Strike::TlsMissing => Vec::new(),
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
            gone(paused_on_source(point, Answer::Gone, CLIENT)),
        ],
        (Control::Normal, Finish) => vec![
            gone(paused_on_source(point, Answer::Gone, CLIENT)),
            gone(paused_beside(point, Answer::Gone, CLIENT)),
        ],
        (Control::Normal, Reply | Confirm | PostcopyMiddle | PostcopyEnd) => {
            vec![gone(success(point, CONFIRM))]
        }
    }
}

/// The source keeps the guest, paused, and the destination is cleared.
const fn paused_on_source(point: &Recovery, answer: Answer, rule: &'static str) -> Ending {
    let remedy = if point.runs() {
        Remedy::Resume
    } else {
        Remedy::Nothing
    };
    Ending {
        answer,
        source: left_paused(point),
        remedy,
        ..stays(point, &[], rule)
    }
}

/// The destination has the guest, and the source keeps it too, paused.
const fn paused_beside(point: &Recovery, answer: Answer, rule: &'static str) -> Ending {
    Ending {
        source: left_paused(point),
        flags: FlagEffect::Destination,
        remedy: Remedy::DestroySource,
        ..gone_over(point, answer, rule)
    }
}

fn source_died(point: &Recovery, reason: &'static str) -> Vec<Ending> {
    let destroyed = reason == "destroyed";
    let reasons: &[&str] = if destroyed {
        &["destroyed"]
    } else {
        &["crashed"]
    };
    let over = Ending {
        source: Standing::Inactive(if destroyed {
            &["destroyed", "migrated"]
        } else {
            &["crashed", "migrated"]
        }),
        ..success(point, CONFIRM)
    };
    let lost = |classes| lost(Answer::Error(classes), reasons, DIED);
    match point.moment {
        Call | Prepare => vec![lost(&[NOT_RUNNING, FAILED])],
        Launched if destroyed => vec![lost(&[NOT_RUNNING, FAILED])],
        Launched => vec![lost(&[FAILED, BROKEN])],
        FirstPass | LaterPass => vec![lost(&[FAILED, DOMAIN_FAILED, INTERNAL])],
        Switchover if destroyed => vec![lost(&[BROKEN]), success(point, RACE)],
        Switchover => vec![lost(&[BROKEN, INTERNAL])],
        Finish | Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![over],
    }
}

fn destination_died(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched => vec![stays(point, &[RESET, FAILED, INTERNAL], STAYS)],
        FirstPass | LaterPass | Switchover => vec![stays(point, DATA, STAYS)],
        Finish => vec![stays(point, &[INTERNAL, NONE_FINISHED, FAILED], FINISH)],
        Reply | Confirm | PostcopyMiddle | PostcopyEnd => vec![lost_after(LOST)],
    }
}

fn destination_destroyed(point: &Recovery) -> Vec<Ending> {
    match point.moment {
        Call | Prepare | Launched => vec![stays(point, &[RESET, FAILED], STAYS)],
        FirstPass | LaterPass => vec![stays(point, &[FAILED], STAYS)],
        Switchover => vec![stays(point, &[NO_DOMAIN, FAILED], STAYS)],
        Finish => vec![stays(point, &[INTERNAL], FINISH), lost_after(RACE)],
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
            vec![stays(point, &[RESET], STAYS)]
        }
        Finish => vec![
            paused_beside(point, answer, RESTART),
            stays(point, &[RESET], STAYS),
        ],
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
        (Control::Normal, Finish) => vec![paused_beside(point, Answer::Success, CLIENT)],
        (Control::P2p | Control::Tunnelled, Switchover | Finish) => {
            vec![stays(point, CONNECTION, FINISH)]
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
