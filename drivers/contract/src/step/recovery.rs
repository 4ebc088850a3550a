//! The steps of a migration that is struck on its way.

use std::{fmt, time::Duration};

use migratrix_history::{Side, Verb, When};
use migratrix_matrix::{RecoveryMoment, Strike};

use super::{moment, word};

/// What a step may take longer that ends a QEMU which does not hear SIGTERM, migrates, or waits for a job that holds
/// the domain: libvirt itself waits for that for half a minute, and says so then.
const HEALING: Duration = Duration::from_secs(45);

/// What it may take longer to start other guests, one after the other, beside those of other cases: each stamps its memory,
/// and there may be no more than two cores.
const GATHERING: Duration = Duration::from_secs(60);

/// A step of a migration that is struck on its way.
///
/// What is done and seen is that of the case's own point ([`migratrix_matrix::Recovery`]): how the call is
/// asked for, and how the domain differs from the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryStep {
    /// Look at both sides from now on, again and again, over connections that are not the migration's.
    Watch,
    /// End that, and record all that was seen.
    Unwatch,
    /// Start the guests that are to migrate beside the case's own.
    Gather,
    /// Make ready what holds the migration at this moment.
    Hold(RecoveryMoment),
    /// Ask for the migration, and don't wait for its answer.
    Begin,
    /// Have the migration switch over to postcopy, once memory is copied (`virDomainMigrateStartPostCopy`).
    StartPostcopy,
    /// Wait until the migration stands at this moment, and record by what that is known.
    AwaitMoment(RecoveryMoment),
    /// Commit the fault, and record what was done.
    Strike(Strike),
    /// Let go of the migration where it is held.
    Release,
    /// Wait until the call has been answered, and no longer than this.
    Linger(Duration),
    /// Undo what lasts of the fault: a daemon runs again, a folder has room, a link is up, other guests are gone.
    Undo(Strike),
    /// Wait for the answer to the call, and no longer than this.
    End(Duration),
    /// Wait until nothing moves on either side any more: no job is under way, and the states stay.
    Settle,
    /// Record the process of a host's daemon, and whether it answers.
    Daemon(Side, When),
    /// Record whether a job of the domain is under way.
    Pending(Side, When),
    /// Record what a host has of the domain.
    Stock(Side, When),
    /// Hold the guest still, if it runs, record its stamped memory, and let it go on as it was.
    Examine(Side),
    /// Do what heals, by how the domain stands on both sides.
    Heal,
    /// Migrate once more, by a plain call.
    Retry,
    /// Make sure that nothing is left of the guests that were to migrate beside the case's own.
    Dismiss,
    /// Make sure that nothing of holds, faults and watches is left on either host.
    Restore,
    /// Leave a listener on the port of the migration.
    TakePort(Side),
    /// Kill a daemon that nobody was to kill, and start it again.
    ReplaceDaemon(Side),
}

impl RecoveryStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Watch | Self::Unwatch => Verb::Watch,
            Self::Hold(_) | Self::AwaitMoment(_) | Self::Release | Self::Restore => Verb::Hold,
            Self::Begin => Verb::Begin,
            Self::StartPostcopy => Verb::Intervene,
            Self::Gather | Self::Strike(_) | Self::Undo(_) | Self::Dismiss => Verb::Strike,
            Self::Linger(_) | Self::Settle => Verb::Await,
            Self::End(_) => Verb::Answer,
            Self::Daemon(..) | Self::Pending(..) | Self::Stock(..) => Verb::Inspect,
            Self::Examine(_) => Verb::Survey,
            Self::Heal => Verb::Heal,
            Self::Retry => Verb::Retry,
            Self::TakePort(_) | Self::ReplaceDaemon(_) => Verb::Break,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Daemon(side, _)
            | Self::Pending(side, _)
            | Self::Stock(side, _)
            | Self::Examine(side)
            | Self::TakePort(side)
            | Self::ReplaceDaemon(side) => Some(*side),
            Self::Watch
            | Self::Unwatch
            | Self::Gather
            | Self::Dismiss
            | Self::Hold(_)
            | Self::Begin
            | Self::StartPostcopy
            | Self::AwaitMoment(_)
            | Self::Strike(_)
            | Self::Release
            | Self::Linger(_)
            | Self::Undo(_)
            | Self::End(_)
            | Self::Settle
            | Self::Heal
            | Self::Retry
            | Self::Restore => None,
        }
    }

    /// How long it waits by itself, beside what the step takes otherwise.
    #[must_use]
    pub const fn waits(&self) -> Option<Duration> {
        match self {
            Self::Linger(limit) | Self::End(limit) => Some(*limit),
            Self::Heal | Self::Retry | Self::Dismiss => Some(HEALING),
            Self::Undo(strike) if !strike.companions().is_empty() => Some(HEALING),
            Self::Gather => Some(GATHERING),
            Self::Watch
            | Self::Unwatch
            | Self::Hold(_)
            | Self::Begin
            | Self::StartPostcopy
            | Self::AwaitMoment(_)
            | Self::Strike(_)
            | Self::Release
            | Self::Undo(_)
            | Self::Settle
            | Self::Daemon(..)
            | Self::Pending(..)
            | Self::Stock(..)
            | Self::Examine(_)
            | Self::Restore
            | Self::TakePort(_)
            | Self::ReplaceDaemon(_) => None,
        }
    }
}

impl fmt::Display for RecoveryStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watch => f.write_str("watch both sides"),
            Self::Unwatch => f.write_str("end the watch"),
            Self::Gather => f.write_str("start the guests beside it"),
            Self::Dismiss => f.write_str("clear away the guests beside it"),
            Self::Hold(moment) => write!(f, "make ready to hold at {moment}"),
            Self::Begin => f.write_str("begin the migration"),
            Self::StartPostcopy => f.write_str("start postcopy"),
            Self::AwaitMoment(moment) => write!(f, "await {moment}"),
            Self::Strike(strike) => write!(f, "strike: {strike}"),
            Self::Release => f.write_str("let the migration go"),
            Self::Linger(limit) => {
                write!(f, "wait for the answer for {} s", limit.as_secs_f32())
            }
            Self::Undo(strike) => write!(f, "undo: {strike}"),
            Self::End(limit) => write!(f, "await the answer, {} s", limit.as_secs_f32()),
            Self::Settle => f.write_str("wait until nothing moves"),
            Self::Daemon(side, when) => {
                write!(f, "ask the daemon of {} {}", word(*side), moment(*when))
            }
            Self::Pending(side, when) => {
                write!(f, "ask {} for a job {}", word(*side), moment(*when))
            }
            Self::Stock(side, when) => {
                write!(f, "take stock of {} {}", word(*side), moment(*when))
            }
            Self::Examine(side) => write!(f, "examine the memory on {}", word(*side)),
            Self::Heal => f.write_str("heal what is left"),
            Self::Retry => f.write_str("migrate once more"),
            Self::Restore => f.write_str("restore both hosts"),
            Self::TakePort(side) => write!(f, "take the port of the migration on {}", word(*side)),
            Self::ReplaceDaemon(side) => write!(f, "replace the daemon of {}", word(*side)),
        }
    }
}
