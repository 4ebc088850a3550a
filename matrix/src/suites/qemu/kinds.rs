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
            | Self::BadOffset => true,
            Self::None
            | Self::CancelBefore
            | Self::CancelCompleted
            | Self::CancelRetry
            | Self::Recover
            | Self::FailHandshake
            | Self::FailReconnect => false,
        }
    }
}
