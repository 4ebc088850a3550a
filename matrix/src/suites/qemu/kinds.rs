//! Of which kind the values of the axes are, as rules, needs and scripts ask.

use super::axes::{Accelerator, Incident, Method, Tls, Transport};

impl Transport {
    /// Whether QEMU opens the file itself, by a name (`file:`).
    #[must_use]
    pub const fn is_named_file(self) -> bool {
        match self {
            Self::File | Self::FileOffset | Self::FileFdset => true,
            Self::FdFile | Self::Exec | Self::Unix | Self::Tcp | Self::Fd => false,
        }
    }

    /// Whether the source connects to an address at which the destination listens.
    #[must_use]
    pub const fn is_dialled(self) -> bool {
        match self {
            Self::Unix | Self::Tcp => true,
            Self::FdFile | Self::File | Self::FileOffset | Self::FileFdset | Self::Exec => false,
            Self::Fd => false,
        }
    }
}

impl Method {
    /// Whether it is a mode of CPR, which stops the guest first.
    #[must_use]
    pub const fn is_cpr(self) -> bool {
        match self {
            Self::Precopy | Self::Postcopy => false,
            Self::CprReboot | Self::CprTransfer | Self::CprExec => true,
        }
    }
}

impl Accelerator {
    /// The argument of `-accel`.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Tcg | Self::TcgUnflushed => "tcg",
            Self::Kvm => "kvm",
            Self::KvmDirtyRing => "kvm,dirty-ring-size=4096",
        }
    }
}

impl Tls {
    /// Whether it shows what it is for only where the server has a host that a certificate can name.
    #[must_use]
    pub const fn needs_host(self) -> bool {
        match self {
            Self::None | Self::Psk | Self::PskMismatch | Self::X509 | Self::X509OverrideHost => {
                false
            }
            Self::X509MismatchHost
            | Self::X509FriendlyClient
            | Self::X509HostileClient
            | Self::X509AllowAnonymous
            | Self::X509RejectAnonymous => true,
        }
    }
}

impl Incident {
    /// Whether postcopy's connection is lost and recovered.
    #[must_use]
    pub const fn is_recovery(self) -> bool {
        matches!(
            self,
            Self::Recover | Self::FailHandshake | Self::FailReconnect
        )
    }

    /// Whether the migration is over before it would switch over.
    #[must_use]
    pub const fn ends_before_switchover(self) -> bool {
        match self {
            Self::CancelSetup
            | Self::CancelActive
            | Self::CancelPreSwitchover
            | Self::CancelCancelling
            | Self::CancelCancelled
            | Self::CancelFailed
            | Self::BadDestination
            | Self::BadOffset
            | Self::LoseActive
            | Self::LosePreSwitchover
            | Self::KillActive
            | Self::KillPreSwitchover => true,
            Self::None
            | Self::CancelBefore
            | Self::CancelCompleted
            | Self::CancelRetry
            | Self::Recover
            | Self::FailHandshake
            | Self::FailReconnect
            | Self::LoseRetry
            | Self::KillRetry
            | Self::HoldActive => false,
        }
    }

    /// Whether it is followed by another migration, to a new destination.
    #[must_use]
    pub const fn is_retried(self) -> bool {
        matches!(self, Self::CancelRetry | Self::LoseRetry | Self::KillRetry)
    }

    /// What strikes a migration that is under way from outside; `None` where nothing does.
    #[must_use]
    pub const fn blow(self) -> Option<Blow> {
        match self {
            Self::LoseActive | Self::LosePreSwitchover | Self::LoseRetry => Some(Blow::Lose),
            Self::KillActive | Self::KillPreSwitchover | Self::KillRetry => Some(Blow::Kill),
            Self::HoldActive => Some(Blow::Hold),
            Self::None
            | Self::CancelBefore
            | Self::CancelSetup
            | Self::CancelActive
            | Self::CancelPreSwitchover
            | Self::CancelCancelling
            | Self::CancelCancelled
            | Self::CancelCompleted
            | Self::CancelFailed
            | Self::CancelRetry
            | Self::BadDestination
            | Self::BadOffset
            | Self::Recover
            | Self::FailHandshake
            | Self::FailReconnect => None,
        }
    }

    /// Whether it happens in the state `pre-switchover`.
    #[must_use]
    pub const fn is_before_switchover(self) -> bool {
        matches!(
            self,
            Self::CancelPreSwitchover | Self::LosePreSwitchover | Self::KillPreSwitchover
        )
    }
}

/// What strikes a migration from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Its connections are lost.
    Lose,
    /// The destination's QEMU is killed.
    Kill,
    /// The destination's QEMU is held still, until nothing is sent any more.
    Hold,
}

impl Blow {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Kill => "kill",
            Self::Hold => "hold",
        }
    }

    /// What it befalls.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Lose => "the connection",
            Self::Kill | Self::Hold => "the destination's QEMU",
        }
    }
}
