//! Faults: what can be broken on purpose, behind the runner's back, and the condition that must see it.
//!
//! A case of the suite `faults` is a scenario with one fault among its steps. It passes when the
//! condition that the fault belongs to *trips*: so each condition is proven on the real stack to be
//! able to fail.

mod backup;
mod chained;
mod colo;
mod raw;
mod rows;
mod table;

pub use backup::BackupFault;
pub use chained::ChainedFault;
pub use colo::ColoFault;
pub use raw::RawFault;
pub use table::{Moment, Trip};

use crate::word::words;

/// One thing to break on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The source's configuration is removed before the first look.
    SourceUndefined,
    /// A configuration is added on the source where the scenario has a transient domain.
    SourceDefined,
    /// A guest that should run is suspended on the source before the first look.
    SourceSuspended,
    /// A guest that should be paused is resumed on the source before the first look.
    SourceResumed,
    /// The guest is halted on the source, so that it is called running and does not beat.
    SourceHalted,
    /// The destination's configuration is removed before the first look.
    DestinationUndefined,
    /// A configuration is added on the destination where the scenario has none.
    DestinationDefined,
    /// The destination's configuration has another UUID, so that the migration is refused.
    ForeignUuid,
    /// The domain is started again on the source after the migration.
    SourceStartedAgain,
    /// The configuration that should stay on the source is removed after the migration.
    SourceConfigRemoved,
    /// A configuration is added on the source, where none should be, after the migration.
    SourceConfigAdded,
    /// The destination's domain is destroyed and undefined after the migration.
    DestinationCleared,
    /// The destination's domain is destroyed after the migration, and stays defined.
    DestinationDestroyed,
    /// The destination's configuration is removed after the migration.
    DestinationConfigRemoved,
    /// The destination's transient domain gets a configuration after the migration.
    DestinationConfigAdded,
    /// The running guest is suspended on the destination after the migration.
    DestinationSuspended,
    /// The paused guest is resumed on the destination after the migration.
    DestinationResumed,
    /// `LIVE` is given where the scenario has none: the guest is not paused from the start.
    LiveGiven,
    /// `LIVE` is withheld where the scenario has it: the guest is paused from the start.
    LiveWithheld,
    /// One byte of the guest's memory is changed on the destination through qtest.
    MemoryByte,
    /// The guest is halted on the destination, so that it is called running and does not beat.
    DestinationHalted,
    /// The destination's domain is replaced by one with a device more.
    DeviceAdded,
    /// The guest is suspended and resumed on the destination after the migration.
    DestinationFlickered,
    /// The bandwidth is bound to 1 MiB/s, so that the guest is down for longer than its bound.
    Throttled,
    /// The domain is left on the destination when the case is over.
    DomainLeft,
    /// A file that carries the domain's name is left on the source.
    FileLeft,
    /// The source's daemon is stopped (`SIGSTOP`) right before the migration.
    DaemonStopped,
    /// The source's QEMU is killed right before the migration.
    QemuKilled,
    /// The client process is killed right before the migration.
    ClientKilled,
    /// One that only QEMU itself can be done.
    Raw(RawFault),
    /// One of two guests in lock-step.
    Colo(ColoFault),
    /// One of a chain of backups.
    Backup(BackupFault),
    /// One of a chain of backups that libvirt makes.
    Chained(ChainedFault),
}

impl Fault {
    /// All values, in the order of the conditions that they trip, the lost processes last; then the
    /// raw ones.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::SourceUndefined; Self::COUNT];
        let mut place = 0;
        while place < all.len() {
            all[place] = Self::at(place);
            place += 1;
        }
        all
    };

    const COUNT: usize = Self::MANAGED.len()
        + RawFault::ALL.len()
        + ColoFault::ALL.len()
        + BackupFault::ALL.len()
        + ChainedFault::ALL.len();

    const fn at(place: usize) -> Self {
        let raw = Self::MANAGED.len();
        let colo = raw + RawFault::ALL.len();
        let backup = colo + ColoFault::ALL.len();
        let chained = backup + BackupFault::ALL.len();
        if place < raw {
            Self::MANAGED[place]
        } else if place < colo {
            Self::Raw(RawFault::ALL[place - raw])
        } else if place < backup {
            Self::Colo(ColoFault::ALL[place - colo])
        } else if place < chained {
            Self::Backup(BackupFault::ALL[place - backup])
        } else {
            Self::Chained(ChainedFault::ALL[place - chained])
        }
    }

    /// Those of the cases that libvirt runs.
    const MANAGED: [Self; 29] = [
        Self::SourceUndefined,
        Self::SourceDefined,
        Self::SourceSuspended,
        Self::SourceResumed,
        Self::SourceHalted,
        Self::DestinationUndefined,
        Self::DestinationDefined,
        Self::ForeignUuid,
        Self::SourceStartedAgain,
        Self::SourceConfigRemoved,
        Self::SourceConfigAdded,
        Self::DestinationCleared,
        Self::DestinationDestroyed,
        Self::DestinationConfigRemoved,
        Self::DestinationConfigAdded,
        Self::DestinationSuspended,
        Self::DestinationResumed,
        Self::LiveGiven,
        Self::LiveWithheld,
        Self::MemoryByte,
        Self::DestinationHalted,
        Self::DeviceAdded,
        Self::DestinationFlickered,
        Self::Throttled,
        Self::DomainLeft,
        Self::FileLeft,
        Self::DaemonStopped,
        Self::QemuKilled,
        Self::ClientKilled,
    ];

    /// The word that stands for it in names and filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SourceUndefined => "source-undefined",
            Self::SourceDefined => "source-defined",
            Self::SourceSuspended => "source-suspended",
            Self::SourceResumed => "source-resumed",
            Self::SourceHalted => "source-halted",
            Self::DestinationUndefined => "destination-undefined",
            Self::DestinationDefined => "destination-defined",
            Self::ForeignUuid => "foreign-uuid",
            Self::SourceStartedAgain => "source-started-again",
            Self::SourceConfigRemoved => "source-config-removed",
            Self::SourceConfigAdded => "source-config-added",
            Self::DestinationCleared => "destination-cleared",
            Self::DestinationDestroyed => "destination-destroyed",
            Self::DestinationConfigRemoved => "destination-config-removed",
            Self::DestinationConfigAdded => "destination-config-added",
            Self::DestinationSuspended => "destination-suspended",
            Self::DestinationResumed => "destination-resumed",
            Self::LiveGiven => "live-given",
            Self::LiveWithheld => "live-withheld",
            Self::MemoryByte => "memory-byte",
            Self::DestinationHalted => "destination-halted",
            Self::DeviceAdded => "device-added",
            Self::DestinationFlickered => "destination-flickered",
            Self::Throttled => "throttled",
            Self::DomainLeft => "domain-left",
            Self::FileLeft => "file-left",
            Self::DaemonStopped => "daemon-stopped",
            Self::QemuKilled => "qemu-killed",
            Self::ClientKilled => "client-killed",
            Self::Raw(fault) => fault.word(),
            Self::Colo(fault) => fault.word(),
            Self::Backup(fault) => fault.word(),
            Self::Chained(fault) => fault.word(),
        }
    }
}

words!(Fault, "fault");
