//! Which cases a script can show, and why others not.

use migratrix_matrix::{Backend, Case, Condition, Incident, Method, Point, Raw, Tls, Transport};
use thiserror::Error;

use crate::{Judgement, Standing};

/// Why there is no script of a case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoScript {
    /// What it does takes this program.
    #[error("no script can show the case {case}: {why}")]
    Unfit {
        /// The case.
        case: Case,
        /// What of it a script can't do, and what to do instead.
        why: &'static str,
    },
    /// What went wrong in it is nothing that a script looks at.
    #[error(
        "no script can show what went wrong in {case}: it looks at none of {conditions}; show the case's history"
    )]
    Unseen {
        /// The case.
        case: Case,
        /// The conditions that failed.
        conditions: String,
    },
    /// The migration is asked for by a flag that has no option of `virsh` here.
    #[error("no option of virsh is known for {0}: ask for the migration by hand")]
    NoOption(String),
    /// It was not run.
    #[error("the case {0} was not run there: name a run that has a history of it by --run")]
    NoHistory(Case),
}

/// What a script of a raw case looks at.
const SEEN_RAW: &[Condition] = &[
    Condition::SourceStarted,
    Condition::Migrated,
    Condition::SourceInactive,
    Condition::DestinationExists,
    Condition::DestinationActive,
    Condition::DestinationState,
    Condition::Memory,
    Condition::Alive,
    Condition::ExpectedError,
    Condition::Incident,
    Condition::Iterations,
];

/// What a script of a case of libvirt looks at.
const SEEN_LIBVIRT: &[Condition] = &[
    Condition::Migrated,
    Condition::SourceInactive,
    Condition::SourceConfig,
    Condition::DestinationExists,
    Condition::DestinationActive,
    Condition::DestinationConfig,
    Condition::DestinationState,
    Condition::Alive,
];

/// Whether a script can show the case.
///
/// # Errors
/// Says what of it takes this program.
pub fn can_be_shown(case: &Case) -> Result<(), NoScript> {
    match unfit(case) {
        None => Ok(()),
        Some(why) => Err(NoScript::Unfit {
            case: case.clone(),
            why,
        }),
    }
}

/// Whether a script can show what came of the case: something that failed is among what it looks at, or nothing
/// failed.
pub(super) fn would_be_seen(judgement: &Judgement) -> Result<(), NoScript> {
    let seen = match judgement.case.point {
        Point::Tck(_) => SEEN_LIBVIRT,
        Point::Qemu(_)
        | Point::Colo(_)
        | Point::Backup(_)
        | Point::Chained(_)
        | Point::Recovery(_) => SEEN_RAW,
    };
    let troubles: Vec<_> = judgement.troubles().map(|(one, _)| one).collect();
    if troubles.is_empty() || troubles.iter().any(|one| seen.contains(one)) {
        return Ok(());
    }
    let conditions: Vec<_> = troubles.iter().map(ToString::to_string).collect();
    Err(NoScript::Unseen {
        case: judgement.case.clone(),
        conditions: conditions.join(", "),
    })
}

/// Whether the attempt was tried at all.
pub(super) fn was_run(judgement: &Judgement) -> Result<(), NoScript> {
    match judgement.own_standing() {
        Standing::Skipped => Err(NoScript::NoHistory(judgement.case.clone())),
        Standing::Passed
        | Standing::KnownFailure
        | Standing::Unknown
        | Standing::UnexpectedPass
        | Standing::FailedAtFirst
        | Standing::Failed => Ok(()),
    }
}

fn unfit(case: &Case) -> Option<&'static str> {
    if case.fault.is_some() {
        return Some("something is broken in it on purpose, in ways that this program alone has");
    }
    match case.backend {
        Backend::Fake => {
            return Some("the hypervisor in memory runs it; name a case of a real one");
        }
        Backend::Libvirt | Backend::Qemu => {}
    }
    match &case.point {
        Point::Tck(_) => None,
        Point::Qemu(raw) => unfit_raw(raw),
        Point::Colo(_) => {
            Some("a side of its pair is lost at a moment that this program finds; give the history")
        }
        Point::Recovery(_) => {
            Some("it is struck at a moment that this program holds; give the history")
        }
        Point::Backup(_) | Point::Chained(_) => {
            Some("its images are written to and compared by this program; give the history")
        }
    }
}

fn unfit_raw(raw: &Raw) -> Option<&'static str> {
    if raw.devices.is_in_use() {
        return Some(
            "this program drives its device through qtest; try the case without `-in-use`",
        );
    }
    if raw.tls != Tls::None {
        return Some("this program makes its keys and certificates; try the case without them");
    }
    match raw.transport {
        Transport::Fd | Transport::FdFile | Transport::FileFdset => {
            return Some("its stream goes over descriptors of this program; try another transport");
        }
        Transport::Unix
        | Transport::Tcp
        | Transport::File
        | Transport::FileOffset
        | Transport::Exec => {}
    }
    match raw.method {
        Method::CprTransfer | Method::CprExec => {
            return Some("its destination starts in the middle of the migration; give the history");
        }
        Method::Precopy | Method::Postcopy | Method::CprReboot => {}
    }
    match raw.incident {
        Incident::Recover
        | Incident::FailHandshake
        | Incident::FailReconnect
        | Incident::LoseActive
        | Incident::LosePreSwitchover
        | Incident::LoseRetry => {
            Some("its connection is lost in this program, which lies between the two sides")
        }
        Incident::KillActive | Incident::KillPreSwitchover | Incident::HoldActive => {
            Some("this program strikes its destination; give the history")
        }
        Incident::CancelRetry | Incident::KillRetry => {
            Some("its destination is started twice; give the history")
        }
        Incident::None
        | Incident::CancelBefore
        | Incident::CancelSetup
        | Incident::CancelActive
        | Incident::CancelPreSwitchover
        | Incident::CancelCancelling
        | Incident::CancelCancelled
        | Incident::CancelCompleted
        | Incident::CancelFailed
        | Incident::BadDestination
        | Incident::BadOffset => None,
    }
}
