//! The vocabulary of scripts: what every back end can be told to do.

mod backup;
mod colo;
mod qemu;
mod recovery;
mod tck;

use std::fmt;

use migratrix_history::{Side, Verb, When};
use migratrix_matrix::Persistence;

pub use backup::BackupStep;
pub use colo::ColoStep;
pub use qemu::RawStep;
pub use recovery::RecoveryStep;
pub use tck::{Litter, Migrate, Uuid, Variant};

/// One step of a script. Faults are steps like all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Open the connections to both hosts, listen to their events, and record the versions.
    Connect,
    /// Define the domain's inactive configuration.
    Define(Side, Uuid),
    /// Define the domain's configuration anew, as it is but for its title.
    Rename(Side),
    /// Remove the domain's configuration; a running domain becomes transient.
    Undefine(Side),
    /// Start the domain: defined first, or transient.
    Start(Side, Persistence, Variant),
    /// Wait until the guest has lapped at least twice.
    AwaitBeat(Side),
    /// Suspend the guest.
    Suspend(Side),
    /// Resume the guest.
    Resume(Side),
    /// Destroy the running domain; its configuration stays.
    Destroy(Side),
    /// Record what the host says of the domain.
    Inspect(Side, When),
    /// Record whether the guest's heartbeat advances: its lap counter, before and after a window.
    Beat(Side, When),
    /// Migrate the guest from the source to the destination.
    Migrate(Migrate),
    /// Record the statistics of the finished job.
    Job(Side),
    /// Hold the guest still, if it runs, and record its stamped memory.
    Survey(Side),
    /// Record what is in each page of the machine's memory, beside what the guest stamps. Nothing is
    /// held still for it: what it tells of doesn't change.
    ReadRam(Side, When),
    /// Destroy the domain and remove its configuration, whatever is there.
    Clear(Side),
    /// Record what is left of the domain on a host.
    Leftovers(Side),
    /// Change one byte of the guest's stamped memory through qtest.
    PokeByte(Side),
    /// Change one byte of memory that the guest doesn't stamp through qtest.
    PokeRest(Side),
    /// Put the last page of the guest's stamped memory back by a lap through qtest.
    AgePage(Side),
    /// Make the guest's processor halt for ever, by writing over its code through qtest.
    HaltGuest(Side),
    /// Leave a file that carries the domain's name where the daemon keeps its state.
    LeaveFile(Side),
    /// Leave something on a host that does not carry the domain's name.
    Leave(Side, Litter),
    /// Have the domain's QEMU plug in a device, behind libvirt's back.
    Plug(Side),
    /// Connect from the host to the other one's daemon, and say nothing.
    Approach(Side),
    /// Stop the host's daemon with `SIGSTOP`.
    StopDaemon(Side),
    /// Kill the guest's QEMU with `SIGKILL`.
    KillQemu(Side),
    /// Kill the client process with `SIGKILL`.
    KillClient,
    /// A step that only QEMU itself can be told.
    Raw(RawStep),
    /// A step of two guests in lock-step.
    Colo(ColoStep),
    /// A step of a chain of backups.
    Backup(BackupStep),
    /// A step of a migration that is struck on its way.
    Recovery(RecoveryStep),
}

impl Step {
    /// What the step is, whatever it is done to; all that breaks something is [`Verb::Break`].
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Connect => Verb::Connect,
            Self::Define(..) | Self::Rename(_) => Verb::Define,
            Self::Undefine(_) => Verb::Undefine,
            Self::Start(..) => Verb::Start,
            Self::AwaitBeat(_) => Verb::AwaitBeat,
            Self::Suspend(_) => Verb::Suspend,
            Self::Resume(_) => Verb::Resume,
            Self::Destroy(_) => Verb::Destroy,
            Self::Inspect(..) => Verb::Inspect,
            Self::Beat(..) => Verb::Beat,
            Self::Migrate(_) => Verb::Migrate,
            Self::Job(_) => Verb::Job,
            Self::Survey(_) => Verb::Survey,
            Self::ReadRam(..) => Verb::Ram,
            Self::Clear(_) => Verb::Clear,
            Self::Leftovers(_) => Verb::Leftovers,
            Self::PokeByte(_)
            | Self::PokeRest(_)
            | Self::AgePage(_)
            | Self::HaltGuest(_)
            | Self::LeaveFile(_)
            | Self::Leave(..)
            | Self::Plug(_)
            | Self::Approach(_)
            | Self::StopDaemon(_)
            | Self::KillQemu(_)
            | Self::KillClient => Verb::Break,
            Self::Raw(step) => step.verb(),
            Self::Colo(step) => step.verb(),
            Self::Backup(step) => step.verb(),
            Self::Recovery(step) => step.verb(),
        }
    }

    /// The host that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Define(side, _)
            | Self::Rename(side)
            | Self::Undefine(side)
            | Self::Start(side, _, _)
            | Self::AwaitBeat(side)
            | Self::Suspend(side)
            | Self::Resume(side)
            | Self::Destroy(side)
            | Self::Inspect(side, _)
            | Self::Beat(side, _)
            | Self::Job(side)
            | Self::Survey(side)
            | Self::ReadRam(side, _)
            | Self::Clear(side)
            | Self::Leftovers(side)
            | Self::PokeByte(side)
            | Self::PokeRest(side)
            | Self::AgePage(side)
            | Self::HaltGuest(side)
            | Self::LeaveFile(side)
            | Self::Leave(side, _)
            | Self::Plug(side)
            | Self::Approach(side)
            | Self::StopDaemon(side)
            | Self::KillQemu(side) => Some(*side),
            Self::Connect | Self::Migrate(_) | Self::KillClient => None,
            Self::Raw(step) => step.side(),
            Self::Colo(step) => step.side(),
            Self::Backup(step) => step.side(),
            Self::Recovery(step) => step.side(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect"),
            Self::Define(side, Uuid::Own) => write!(f, "define on {}", word(*side)),
            Self::Define(side, Uuid::Foreign) => {
                write!(f, "define with a foreign UUID on {}", word(*side))
            }
            Self::Rename(side) => write!(f, "define with another title on {}", word(*side)),
            Self::Undefine(side) => write!(f, "undefine on {}", word(*side)),
            Self::Start(side, persistence, variant) => {
                let (kind, more) = (persistence.word(), variant.told());
                write!(f, "start {kind}{more} on {}", word(*side))
            }
            Self::AwaitBeat(side) => write!(f, "await a heartbeat on {}", word(*side)),
            Self::Suspend(side) => write!(f, "suspend on {}", word(*side)),
            Self::Resume(side) => write!(f, "resume on {}", word(*side)),
            Self::Destroy(side) => write!(f, "destroy on {}", word(*side)),
            Self::Inspect(side, when) => write!(f, "look at {} {}", word(*side), moment(*when)),
            Self::Beat(side, when) => {
                write!(
                    f,
                    "sample the heartbeat on {} {}",
                    word(*side),
                    moment(*when)
                )
            }
            Self::Migrate(how) => how.fmt(f),
            Self::Job(side) => write!(f, "ask {} for the job's statistics", word(*side)),
            Self::Survey(side) => write!(f, "survey the memory on {}", word(*side)),
            Self::ReadRam(side, when) => {
                write!(
                    f,
                    "read all of the memory on {} {}",
                    word(*side),
                    moment(*when)
                )
            }
            Self::Clear(side) => write!(f, "clear {}", word(*side)),
            Self::Leftovers(side) => write!(f, "look for leftovers on {}", word(*side)),
            Self::PokeByte(side) => write!(f, "change a byte of memory on {}", word(*side)),
            Self::PokeRest(side) => {
                write!(f, "change a byte beside the stamps on {}", word(*side))
            }
            Self::AgePage(side) => write!(f, "put a page back by a lap on {}", word(*side)),
            Self::HaltGuest(side) => write!(f, "halt the guest on {}", word(*side)),
            Self::LeaveFile(side) => write!(f, "leave a file on {}", word(*side)),
            Self::Leave(side, litter) => write!(f, "leave {litter} on {}", word(*side)),
            Self::Plug(side) => write!(f, "have QEMU plug in a device on {}", word(*side)),
            Self::Approach(side) => {
                write!(f, "connect from {} to the other daemon", word(*side))
            }
            Self::StopDaemon(side) => write!(f, "stop the daemon of {}", word(*side)),
            Self::KillQemu(side) => write!(f, "kill QEMU on {}", word(*side)),
            Self::KillClient => f.write_str("kill the client"),
            Self::Raw(step) => step.fmt(f),
            Self::Colo(step) => step.fmt(f),
            Self::Backup(step) => step.fmt(f),
            Self::Recovery(step) => step.fmt(f),
        }
    }
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

const fn moment(when: When) -> &'static str {
    match when {
        When::Before => "before",
        When::During => "during",
        When::After => "after",
        When::Writing => "while it writes",
        When::Healed => "when healed",
        When::Retried => "when retried",
    }
}
