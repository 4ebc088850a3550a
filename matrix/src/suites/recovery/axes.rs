//! The axes of the `recovery` suite; the others are those of the suite `tck`.
//!
//! A fault *strikes* at a *moment*: how far the five steps of the migration's protocol have come, Begin
//! (source), Prepare (destination), Perform (source), Finish (destination) and Confirm (source).

use crate::axis::axis;

axis! {
    /// How far the migration has come when the fault strikes.
    RecoveryMoment, "moment" {
        /// Not asked for: the cause of a refusal is there before.
        Call = "call",
        /// The destination is in Prepare: it has no QEMU for the guest yet.
        Prepare = "prepare",
        /// The destination's QEMU waits, and nothing has connected to it.
        Launched = "launched",
        /// The first pass over memory is under way.
        FirstPass = "first-pass",
        /// A further pass over memory is under way.
        LaterPass = "later-pass",
        /// The guest is stopped, and QEMU waits to be told to send the rest (`pre-switchover`).
        Switchover = "switchover",
        /// All is sent, and the destination was not told to start the guest.
        Finish = "finish",
        /// The destination has started the guest, and its answer is on its way.
        Reply = "reply",
        /// The destination runs the guest, and the source has still to confirm.
        Confirm = "confirm",
        /// In postcopy: the destination runs the guest, and pages are missing.
        PostcopyMiddle = "postcopy-middle",
        /// In postcopy: all pages are sent, and their receipt is not acknowledged.
        PostcopyEnd = "postcopy-end",
    }
}

axis! {
    /// How an operator goes on where there is a choice.
    Way, "way" {
        /// By the step that is documented for what is left.
        Documented = "documented",
        /// The guest is given up on both sides, and started anew.
        GiveUp = "give-up",
    }
}

axis! {
    /// What goes wrong.
    Strike, "strike" {
        /// The migration is cancelled (`virDomainAbortJob`).
        Cancelled = "cancelled",
        /// The process that made the call is killed.
        ClientKilled = "client-killed",
        /// The guest's QEMU on the source is killed.
        SourceQemuKilled = "source-qemu-killed",
        /// The guest's QEMU on the destination is killed.
        DestinationQemuKilled = "destination-qemu-killed",
        /// The guest's QEMU on the source is held still for a while (`SIGSTOP`).
        SourceQemuStopped = "source-qemu-stopped",
        /// The guest's QEMU on the destination is held still for a while.
        DestinationQemuStopped = "destination-qemu-stopped",
        /// The source's daemon is killed, and started again.
        SourceDaemonKilled = "source-daemon-killed",
        /// The destination's daemon is killed, and started again.
        DestinationDaemonKilled = "destination-daemon-killed",
        /// The source's daemon is killed, started again, and killed once more when it is there.
        SourceDaemonKilledTwice = "source-daemon-killed-twice",
        /// The destination's daemon is killed, started again, and killed once more when it is there.
        DestinationDaemonKilledTwice = "destination-daemon-killed-twice",
        /// The source's daemon is silent for longer than its peers wait.
        SourceDaemonSilent = "source-daemon-silent",
        /// The destination's daemon is silent for longer than its peers wait.
        DestinationDaemonSilent = "destination-daemon-silent",
        /// The domain is destroyed on the source (`virDomainDestroy`).
        SourceDestroyed = "source-destroyed",
        /// The domain is destroyed on the destination.
        DestinationDestroyed = "destination-destroyed",
        /// The connection of the data is reset.
        DataReset = "data-reset",
        /// The connection of the data passes nothing on, until the migration is cancelled for it.
        DataStalled = "data-stalled",
        /// The connection to the destination's daemon is reset.
        ManagementReset = "management-reset",
        /// The answer of the destination that it has started the guest is lost with its connection.
        ReplyLost = "reply-lost",
        /// The destination's link is down for longer than its peers wait.
        LinkDown = "link-down",
        /// The guest is suspended on the source (`virDomainSuspend`).
        Suspended = "suspended",
        /// The guest is resumed on the source (`virDomainResume`).
        Resumed = "resumed",
        /// The guest dirties memory faster than it is sent, until a time-out cancels the migration.
        NeverConverges = "never-converges",
        /// The guest powers its machine off.
        GuestPoweredOff = "guest-powered-off",
        /// The guest resets its machine, whose domain is to be restarted then (`on_reboot`).
        GuestRebooted = "guest-rebooted",
        /// The guest crashes: its processor shuts down (a triple fault), and its domain is to be destroyed then.
        GuestCrashed = "guest-crashed",
        /// The guest is asked to migrate a second time, while it does.
        SecondMigration = "second-migration",
        /// A device is attached to the guest, while it migrates (`virDomainAttachDevice`).
        DeviceAttached = "device-attached",
        /// Another guest migrates the other way meanwhile, and is there before this one.
        Crossing = "crossing",
        /// Five more guests migrate the same way meanwhile, of which two are cancelled.
        Crowd = "crowd",
        /// Nothing: the migration is held, and let go.
        Undisturbed = "undisturbed-postcopy",
        /// Postcopy is paused on purpose (`virDomainAbortJobFlags` with `VIR_DOMAIN_ABORT_JOB_POSTCOPY`).
        PostcopyPaused = "postcopy-paused",
        /// The destination has a domain of this name with another UUID, inactive.
        NameInactive = "name-taken",
        /// The destination has a domain of this name with another UUID, which runs.
        NameActive = "name-active",
        /// The destination has a domain of this UUID with another name, inactive.
        UuidInactive = "uuid-taken",
        /// The destination has a domain of this UUID with another name, which runs.
        UuidActive = "uuid-active",
        /// The destination runs a domain of this name and UUID.
        DomainActive = "domain-active",
        /// The destination's hook refuses at `migrate`.
        HookMigrate = "hook-migrate",
        /// The destination's hook refuses at `start`.
        HookStart = "hook-start",
        /// The destination's folder for the state of its domains is full.
        StateFolderFull = "state-folder-full",
        /// The destination's folder for what its QEMUs need is full.
        LibraryFolderFull = "library-folder-full",
        /// The destination's folder for the logs of its QEMUs is full.
        LogFolderFull = "log-folder-full",
        /// The destination's daemon is dead.
        DaemonDead = "daemon-dead",
        /// The destination's QEMU may not have as much memory as the guest has.
        MemoryShort = "memory-short",
        /// The destination has no machine of the guest's type.
        MachineUnknown = "machine-unknown",
        /// The destination has no processor of the guest's model.
        CpuModelUnknown = "cpu-model-unknown",
        /// The destination does not know a feature that the guest's processor is told to be without.
        CpuFeatureUnknown = "cpu-feature-unknown",
        /// The guest's disk is not on the destination.
        DiskMissing = "disk-missing",
        /// The destination's QEMU can't read the guest's disk: a folder is in its place.
        DiskUnreadable = "disk-unreadable",
        /// The guest's disk is smaller on the destination.
        DiskShort = "disk-short",
        /// The port that the call names is taken on the destination.
        PortTaken = "port-taken",
        /// The host that the call's migration URI names is unknown.
        UriUnknown = "uri-unknown",
        /// The host that it names can't be reached.
        UriUnreachable = "uri-unreachable",
        /// The host that it names refuses the connection.
        UriRefusing = "uri-refusing",
        /// The scheme that it has is unknown.
        UriScheme = "uri-scheme",
        /// TLS is asked for, and there are no certificates.
        TlsMissing = "tls-missing",
        /// TLS is asked for, and the destination's certificate is of an authority that the source does not know.
        TlsForeign = "tls-foreign",
        /// TLS is asked for, and the destination's certificate has expired.
        TlsExpired = "tls-expired",
        /// Nothing: TLS is asked for, and all certificates are right.
        TlsRight = "tls-right",
        /// The destination is the source itself.
        SameHost = "same-host",
    }
}
