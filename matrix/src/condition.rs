//! The conditions that a case is judged by: the ten post-conditions, and those beyond them.

use crate::word::words;

/// One thing that must hold of a case. Each is two-sided: it fails when a thing is absent and
/// expected, and when it is present and not expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// Before: the source's configuration exists exactly if the scenario says persistent.
    SourceDefined,
    /// Before: the guest runs and beats, or is paused and is still, as the scenario says.
    SourceStarted,
    /// Before: the destination's inactive configuration exists exactly if the scenario says so.
    DestinationPrepared,
    /// The migration call returned success within its deadline.
    Migrated,
    /// After: no active domain on the source.
    SourceInactive,
    /// After: the source's configuration exists iff it was persistent and not to be undefined.
    SourceConfig,
    /// After: a domain of that name and UUID is on the destination.
    DestinationExists,
    /// After: it is active.
    DestinationActive,
    /// After: it is persistent iff it was defined before or `PERSIST_DEST` was given.
    DestinationConfig,
    /// After: it is running or paused as expected, with the reason that the API documents.
    DestinationState,
    /// With `LIVE` the guest beats while its memory is copied; without it, it is paused from the start.
    During,
    /// The a-b law holds over every page of the guest's memory.
    Memory,
    /// A running guest beats on the destination and only there; a paused one does not beat.
    Alive,
    /// UUID, machine type, devices and their addresses are the same on both sides.
    Identity,
    /// Both sides sent the documented life-cycle events, in order.
    Events,
    /// The job's statistics are there and add up; the downtime is within its bound.
    Job,
    /// No process, port, lock, socket or file stays behind.
    NothingLeft,
    /// Raw: every capability and parameter that the case names was on, on both sides, as they say
    /// when they are asked back.
    Settings,
    /// Raw: the failure or the refusal that the case names came, with its class.
    Failure,
    /// Raw: what the case names on the way happened: the cancel came in that state, the connection
    /// was lost and recovered.
    Incident,
    /// Raw: the guest dirtied memory while it was copied, and a further pass was sent.
    Passes,
    /// Raw: the stream had as many channels as the case names.
    Channels,
    /// Raw: what a capability is for happened: compression compressed, postcopy requested pages.
    Effect,
    /// Raw: the case's device is the same on both sides, and works on.
    Device,
    /// Raw: the stream in the file is whole, and describes itself.
    Stream,
    /// COLO: at least three checkpoints were made, and both guests beat between them.
    Checkpoints,
    /// COLO: at a checkpoint the memory of both sides is the same, page by page.
    Mirror,
    /// COLO: the survivor left COLO with the reason that is documented, and runs alone.
    Failover,
    /// COLO: the survivor can be migrated once more by plain precopy.
    Onward,
    /// Backup: each job ended as the case says, through the states that are documented.
    Jobs,
    /// Backup: the bitmap's name, count, granularity and state are as the writes say.
    Bitmap,
    /// Backup: each incremental is the same as a full backup of the same moment.
    Backups,
    /// Backup: the end of the chain is the same as the disk, and holds every write.
    Chain,
}

impl Condition {
    /// All conditions, the ten post-conditions first.
    pub const ALL: [Self; 33] = [
        Self::SourceDefined,
        Self::SourceStarted,
        Self::DestinationPrepared,
        Self::Migrated,
        Self::SourceInactive,
        Self::SourceConfig,
        Self::DestinationExists,
        Self::DestinationActive,
        Self::DestinationConfig,
        Self::DestinationState,
        Self::During,
        Self::Memory,
        Self::Alive,
        Self::Identity,
        Self::Events,
        Self::Job,
        Self::NothingLeft,
        Self::Settings,
        Self::Failure,
        Self::Incident,
        Self::Passes,
        Self::Channels,
        Self::Effect,
        Self::Device,
        Self::Stream,
        Self::Checkpoints,
        Self::Mirror,
        Self::Failover,
        Self::Onward,
        Self::Jobs,
        Self::Bitmap,
        Self::Backups,
        Self::Chain,
    ];

    /// Those of the cases that libvirt runs: the ten post-conditions, and seven beyond them.
    #[must_use]
    pub fn of_libvirt() -> &'static [Self] {
        const ALL: &[Condition] = &Condition::ALL;
        &ALL[..17]
    }

    /// The ten post-conditions of the TCK's migration test, in its order.
    #[must_use]
    pub fn ten() -> &'static [Self] {
        const ALL: &[Condition] = &Condition::ALL;
        &ALL[..10]
    }

    /// Whether it is one of the ten.
    #[must_use]
    pub fn is_one_of_the_ten(self) -> bool {
        Self::ten().contains(&self)
    }

    /// The name that reports and configuration use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SourceDefined => "source-defined",
            Self::SourceStarted => "source-started",
            Self::DestinationPrepared => "destination-prepared",
            Self::Migrated => "migrated",
            Self::SourceInactive => "source-inactive",
            Self::SourceConfig => "source-config",
            Self::DestinationExists => "destination-exists",
            Self::DestinationActive => "destination-active",
            Self::DestinationConfig => "destination-config",
            Self::DestinationState => "destination-state",
            Self::During => "during",
            Self::Memory => "memory",
            Self::Alive => "alive",
            Self::Identity => "identity",
            Self::Events => "events",
            Self::Job => "job",
            Self::NothingLeft => "nothing-left",
            Self::Settings => "settings",
            Self::Failure => "failure",
            Self::Incident => "incident",
            Self::Passes => "passes",
            Self::Channels => "channels",
            Self::Effect => "effect",
            Self::Device => "device",
            Self::Stream => "stream",
            Self::Checkpoints => "checkpoints",
            Self::Mirror => "mirror",
            Self::Failover => "failover",
            Self::Onward => "onward",
            Self::Jobs => "jobs",
            Self::Bitmap => "bitmap",
            Self::Backups => "backups",
            Self::Chain => "chain",
        }
    }
}

words!(Condition, "condition");
