//! The conditions that a case is judged by: the ten post-conditions, and those beyond them.

use crate::{Scenario, axis::axis};

axis! {
    /// One thing that must hold of a case. Each is two-sided: it fails when a thing is absent and
    /// expected, and when it is present and not expected.
    Condition, "condition" {
        /// Before: the source's configuration exists exactly if the scenario says persistent.
        SourceDefined = "source-defined",
        /// Before: the guest runs and its heartbeat advances, or it is paused and the heartbeat has stopped, as
        /// the scenario says.
        SourceStarted = "source-started",
        /// Before: the destination's inactive configuration exists exactly if the scenario says so.
        DestinationPrepared = "destination-prepared",
        /// The migration call returned success within its deadline.
        Migrated = "migrated",
        /// After: no active domain on the source.
        SourceInactive = "source-inactive",
        /// After: the source's configuration exists iff it was persistent and not to be undefined.
        SourceConfig = "source-config",
        /// After: a domain of that name and UUID is on the destination.
        DestinationExists = "destination-exists",
        /// After: it is active.
        DestinationActive = "destination-active",
        /// After: it is persistent iff it was defined before or `PERSIST_DEST` was given.
        DestinationConfig = "destination-config",
        /// After: it is running or paused as expected, with the reason that the API documents.
        DestinationState = "destination-state",
        /// With `LIVE` the guest runs while its memory is copied; without it, it is paused from the start.
        GuestDuringCopy = "guest-during-copy" once "during",
        /// The a-b law holds over every page of the guest's memory.
        Memory = "memory",
        /// The heartbeat of a running guest advances on the destination and only there; that of a paused one
        /// has stopped.
        Alive = "alive",
        /// UUID, machine type, devices and their addresses are the same on both sides.
        Identity = "identity",
        /// Both sides sent the documented life-cycle events, in order.
        Events = "events",
        /// The job's statistics are there and add up; the downtime is within its bound.
        Statistics = "statistics" once "job",
        /// The call reached the daemons with the flags of the case, and its data went over the connections
        /// that the control method names.
        Transport = "transport",
        /// No process, port, lock, socket or file stays behind.
        NoLeftovers = "no-leftovers" once "nothing-left",
        /// Raw: every capability and parameter that the case names was on, on both sides, as they say
        /// when they are asked back.
        Settings = "settings",
        /// Raw: the failure or the refusal that the case names came, with its class.
        ExpectedError = "expected-error" once "failure",
        /// Raw: what the case names on the way happened: the cancel came in that state, the connection
        /// was lost and recovered.
        Incident = "incident",
        /// Raw: the guest dirtied memory while it was copied, and a further iteration was sent.
        Iterations = "iterations" once "passes",
        /// The stream had as many channels as the case names.
        Channels = "channels",
        /// Raw: what a capability is for happened: compression compressed, postcopy requested pages.
        Effect = "effect",
        /// Raw: the case's device is the same on both sides, and works on.
        Device = "device",
        /// Raw: the stream in the file is whole, and describes itself.
        Stream = "stream",
        /// COLO: at least three checkpoints were made, and both guests' heartbeats advanced between them.
        Checkpoints = "checkpoints",
        /// COLO: at a checkpoint the memory of both sides is the same, page by page.
        Mirror = "mirror",
        /// COLO: the survivor left COLO with the reason that is documented, and runs alone.
        Failover = "failover",
        /// COLO: the survivor can be migrated once more by plain precopy.
        Remigrate = "remigrate" once "onward",
        /// Recovery: the fault landed, and at the moment that the case names.
        Struck = "struck",
        /// Recovery: the call was answered within its deadline, with success exactly where the destination has
        /// the guest, or with an error of a class that the table has.
        Answered = "answered",
        /// Recovery: at no time did both sides run the guest.
        OneRuns = "one-runs",
        /// Recovery: the guest is on the side, in the state and for the reason that fault and moment allow.
        Owner = "owner",
        /// Recovery: each side's configuration is as before, or as after success where the destination has the guest.
        Config = "config",
        /// Recovery: the side that has not got the guest has no domain, QEMU, socket or port of it, and no job is left.
        Cleared = "cleared",
        /// Recovery: daemons that were not killed are the same, and all know the domain.
        Daemons = "daemons",
        /// Recovery: after the step that heals, a plain migration to the same host succeeds, and the memory with it.
        Retried = "retried",
        /// Backup: each job ended as the case says, through the states that are documented.
        BlockJobs = "block-jobs" once "jobs",
        /// Backup: the bitmap's name, count, granularity and state are as the writes say.
        Bitmap = "bitmap",
        /// Backup: each incremental is the same as a full backup of the same moment.
        Backups = "backups",
        /// Backup: the end of the chain is the same as the disk, and holds every write.
        Chain = "chain",
    }
}

impl Condition {
    /// Those of a migration that is struck on its way.
    pub const RECOVERY: [Self; 13] = [
        Self::Struck,
        Self::Answered,
        Self::OneRuns,
        Self::Owner,
        Self::Memory,
        Self::Alive,
        Self::Config,
        Self::Cleared,
        Self::Daemons,
        Self::Retried,
        Self::Events,
        Self::Identity,
        Self::NoLeftovers,
    ];

    /// The ten post-conditions of the TCK's migration test, in its order.
    pub const TEN: [Self; 10] = [
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
    ];

    /// Those of the cases that libvirt runs: the ten post-conditions, and eight beyond them.
    #[must_use]
    pub fn of_libvirt() -> &'static [Self] {
        &Scenario::CONDITIONS
    }

    /// Whether it is one of the ten.
    #[must_use]
    pub fn is_one_of_the_ten(self) -> bool {
        Self::TEN.contains(&self)
    }
}
