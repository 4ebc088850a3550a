//! Of which kind a fault is: when it can strike, and what has to be ready for it.

use super::axes::{RecoveryMoment, Strike};
use crate::Side;
use Strike::*;

/// The parts of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// The cause is there before the call, and the migration is refused.
    Refused,
    /// The fault strikes while the migration is under way.
    InFlight,
    /// The fault strikes when the guest runs on the destination, and memory is still missing there.
    Postcopy,
}

/// How long a fault lasts, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// It is done at once, and nothing of it lasts.
    Instant,
    /// It lasts until it is undone, which is at once: a daemon is started again.
    Undone,
    /// It lasts until the call has ended or a time is over, and is undone then.
    Outlasting,
    /// It is there from before the call until the call has ended.
    Standing,
}

impl Strike {
    /// Those that strike while the migration is under way.
    pub const IN_FLIGHT: [Self; 29] = [
        Cancelled,
        ClientKilled,
        SourceQemuKilled,
        DestinationQemuKilled,
        SourceQemuStopped,
        DestinationQemuStopped,
        SourceDaemonKilled,
        DestinationDaemonKilled,
        SourceDaemonKilledTwice,
        DestinationDaemonKilledTwice,
        SourceDaemonSilent,
        DestinationDaemonSilent,
        SourceDestroyed,
        DestinationDestroyed,
        DataReset,
        DataStalled,
        ManagementReset,
        ReplyLost,
        LinkDown,
        Suspended,
        Resumed,
        NeverConverges,
        GuestPoweredOff,
        GuestRebooted,
        GuestCrashed,
        SecondMigration,
        DeviceAttached,
        Crossing,
        Crowd,
    ];

    /// Those that strike in postcopy.
    pub const POSTCOPY: [Self; 10] = [
        Undisturbed,
        Cancelled,
        PostcopyPaused,
        ClientKilled,
        SourceQemuKilled,
        DestinationQemuKilled,
        SourceDaemonKilled,
        DestinationDaemonKilled,
        DataReset,
        ManagementReset,
    ];

    /// Those that are there before the call.
    pub const REFUSED: [Self; 28] = [
        NameInactive,
        NameActive,
        UuidInactive,
        UuidActive,
        DomainActive,
        HookMigrate,
        HookStart,
        StateFolderFull,
        LibraryFolderFull,
        LogFolderFull,
        DaemonDead,
        MemoryShort,
        MachineUnknown,
        CpuModelUnknown,
        CpuFeatureUnknown,
        DiskMissing,
        DiskUnreadable,
        DiskShort,
        PortTaken,
        UriUnknown,
        UriUnreachable,
        UriRefusing,
        UriScheme,
        TlsMissing,
        TlsForeign,
        TlsExpired,
        TlsRight,
        SameHost,
    ];

    /// How long it lasts.
    #[must_use]
    pub const fn lasting(self) -> Lasting {
        match self {
            Cancelled
            | ClientKilled
            | SourceQemuKilled
            | DestinationQemuKilled
            | SourceDestroyed
            | DestinationDestroyed
            | DataReset
            | ManagementReset
            | ReplyLost
            | Suspended
            | Resumed
            | NeverConverges
            | GuestPoweredOff
            | GuestRebooted
            | GuestCrashed
            | SecondMigration
            | DeviceAttached
            | Undisturbed
            | PostcopyPaused => Lasting::Instant,
            SourceDaemonKilled
            | DestinationDaemonKilled
            | SourceDaemonKilledTwice
            | DestinationDaemonKilledTwice => Lasting::Undone,
            SourceQemuStopped
            | DestinationQemuStopped
            | SourceDaemonSilent
            | DestinationDaemonSilent
            | DataStalled
            | LinkDown => Lasting::Outlasting,
            Crossing | Crowd | NameInactive | NameActive | UuidInactive | UuidActive
            | DomainActive | HookMigrate | HookStart | StateFolderFull | LibraryFolderFull
            | LogFolderFull | DaemonDead | MemoryShort | MachineUnknown | CpuModelUnknown
            | CpuFeatureUnknown | DiskMissing | DiskUnreadable | DiskShort | PortTaken
            | UriUnknown | UriUnreachable | UriRefusing | UriScheme | TlsMissing | TlsForeign
            | TlsExpired | TlsRight | SameHost => Lasting::Standing,
        }
    }

    /// Whether somebody is not heard any more who is still there.
    #[must_use]
    pub const fn is_silence(self) -> bool {
        matches!(
            self,
            SourceDaemonSilent | DestinationDaemonSilent | LinkDown
        )
    }

    /// Whether it strikes the connection that the guest's memory goes over.
    #[must_use]
    pub const fn is_of_data(self) -> bool {
        matches!(self, DataReset | DataStalled)
    }

    /// Whether the configuration that is in the way stands where the domain's own would.
    #[must_use]
    pub const fn is_conflict(self) -> bool {
        matches!(self, NameInactive | NameActive | UuidInactive | UuidActive)
    }

    /// Whether it is about the address or the encryption of a data connection that QEMU opens itself.
    #[must_use]
    pub const fn is_of_native_data(self) -> bool {
        matches!(
            self,
            PortTaken | UriUnknown | UriUnreachable | UriRefusing | UriScheme
        ) || self.is_of_encryption()
    }

    /// Whether the data connection is to be encrypted.
    #[must_use]
    pub const fn is_of_encryption(self) -> bool {
        matches!(self, TlsMissing | TlsForeign | TlsExpired | TlsRight)
    }

    /// Whether it, or the moment, touches more on its hosts than the one domain: a daemon, a link, a
    /// folder, a limit, what all its QEMUs encrypt by, or much of a daemon's workers.
    #[must_use]
    pub const fn touches_host(self) -> bool {
        matches!(
            self,
            SourceDaemonKilled
                | DestinationDaemonKilled
                | SourceDaemonKilledTwice
                | DestinationDaemonKilledTwice
                | SourceDaemonSilent
                | DestinationDaemonSilent
                | LinkDown
                | StateFolderFull
                | LibraryFolderFull
                | LogFolderFull
                | DaemonDead
                | MemoryShort
                | TlsForeign
                | TlsExpired
                | TlsRight
                | Crowd
        )
    }

    /// Whether its cause is what the guest is made of: it can't be taken away, and a retry is refused alike.
    #[must_use]
    pub const fn is_of_guest(self) -> bool {
        matches!(self, MachineUnknown | CpuModelUnknown | CpuFeatureUnknown)
    }

    /// The side whose daemon it ends.
    #[must_use]
    pub const fn ends_daemon_of(self) -> Option<Side> {
        if matches!(self, SourceDaemonKilled | SourceDaemonKilledTwice) {
            Some(Side::Source)
        } else if matches!(
            self,
            DestinationDaemonKilled | DestinationDaemonKilledTwice | DaemonDead
        ) {
            Some(Side::Destination)
        } else {
            None
        }
    }

    /// Whether it ends that daemon, and then the one that was started in its place.
    #[must_use]
    pub const fn is_twice(self) -> bool {
        matches!(self, SourceDaemonKilledTwice | DestinationDaemonKilledTwice)
    }

    /// Whether the guest does it itself, which it can only while it runs.
    #[must_use]
    pub const fn is_by_guest(self) -> bool {
        matches!(self, GuestPoweredOff | GuestRebooted | GuestCrashed)
    }

    /// Whether it is a further job for a domain that has one: it is refused, and the migration goes on.
    #[must_use]
    pub const fn is_further_job(self) -> bool {
        matches!(self, SecondMigration | DeviceAttached)
    }

    /// Whether the disk that the guest has on the destination is struck, and so must be nobody else's.
    #[must_use]
    pub const fn is_of_disk(self) -> bool {
        matches!(self, DiskMissing | DiskUnreadable | DiskShort)
    }

    /// Whether there is more than one way on after it in postcopy.
    #[must_use]
    pub const fn has_two_ways(self) -> bool {
        matches!(
            self,
            DataReset | PostcopyPaused | SourceDaemonKilled | DestinationDaemonKilled
        )
    }
}

impl RecoveryMoment {
    /// Those of a migration that is under way.
    pub const IN_FLIGHT: [Self; 8] = [
        Self::Prepare,
        Self::Launched,
        Self::FirstPass,
        Self::LaterPass,
        Self::Switchover,
        Self::Finish,
        Self::Reply,
        Self::Confirm,
    ];

    /// Those of postcopy.
    pub const POSTCOPY: [Self; 2] = [Self::PostcopyMiddle, Self::PostcopyEnd];

    /// The part of the suite that it is of.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Call => Family::Refused,
            Self::Prepare
            | Self::Launched
            | Self::FirstPass
            | Self::LaterPass
            | Self::Switchover
            | Self::Finish
            | Self::Reply
            | Self::Confirm => Family::InFlight,
            Self::PostcopyMiddle | Self::PostcopyEnd => Family::Postcopy,
        }
    }

    /// Whether a pass over memory is under way.
    #[must_use]
    pub const fn is_pass(self) -> bool {
        matches!(self, Self::FirstPass | Self::LaterPass)
    }

    /// Whether the guest was stopped on the source for the switchover.
    #[must_use]
    pub const fn is_stopped(self) -> bool {
        match self {
            Self::Call | Self::Prepare | Self::Launched | Self::FirstPass | Self::LaterPass => {
                false
            }
            Self::Switchover
            | Self::Finish
            | Self::Reply
            | Self::Confirm
            | Self::PostcopyMiddle
            | Self::PostcopyEnd => true,
        }
    }

    /// Whether the destination has been told to start the guest, and did: the point of no return.
    #[must_use]
    pub const fn is_past_return(self) -> bool {
        match self {
            Self::Call
            | Self::Prepare
            | Self::Launched
            | Self::FirstPass
            | Self::LaterPass
            | Self::Switchover
            | Self::Finish => false,
            Self::Reply | Self::Confirm | Self::PostcopyMiddle | Self::PostcopyEnd => true,
        }
    }

    /// Whether it is held by a daemon that is held still.
    #[must_use]
    pub const fn holds_daemon(self) -> bool {
        matches!(self, Self::Switchover | Self::Finish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_causes_are_what_the_guest_is_made_of() {
        let of_guest: Vec<Strike> = Strike::ALL
            .into_iter()
            .filter(|strike| strike.is_of_guest())
            .collect();
        assert_eq!(
            of_guest,
            [MachineUnknown, CpuModelUnknown, CpuFeatureUnknown]
        );
    }
}
