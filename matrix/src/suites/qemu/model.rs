//! What must come of a raw migration, by QEMU's documentation.

use serde::Serialize;

use super::{
    axes::{
        Address, Devices, Feature, GuestState, Incident, Method, Multifd, Tls, Transport, Uuids,
    },
    point::Raw,
};
use crate::{Activity, CaseEnd, Condition, Side};

/// How a raw migration ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The guest is on the destination (`completed`).
    Completed,
    /// It was cancelled, and the guest is on the source (`cancelled`).
    Cancelled,
    /// It failed, and the guest is on the source (`failed`).
    Failed(Failure),
    /// The command was refused, and the guest is on the source.
    Refused,
}

/// Why a migration that must fail does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Nobody answers at the address.
    Connection,
    /// The two sides don't agree on a key, or one of them has none.
    Handshake,
    /// The server's certificate is another host's, or there is no host to compare it with.
    Hostname,
    /// The server does not admit the client.
    Authorization,
    /// The UUIDs differ.
    Uuid,
    /// The connection broke off.
    Broken,
}

impl Failure {
    /// The word for it, as in JSON.
    const fn word(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Handshake => "handshake",
            Self::Hostname => "hostname",
            Self::Authorization => "authorization",
            Self::Uuid => "uuid",
            Self::Broken => "broken",
        }
    }
}

/// What must come of a raw migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawExpectation {
    /// How it ends.
    pub end: End,
    /// Where the guest is then.
    pub survivor: Side,
    /// Before: what the guest does.
    pub activity: Activity,
    /// While memory is copied: what the guest does.
    pub during: Activity,
    /// After: what the guest does, once it was woken if it was suspended.
    pub after: Activity,
}

impl Raw {
    /// What must come of it.
    #[must_use]
    pub fn expectation(&self) -> RawExpectation {
        let end = self.end();
        let runs = match self.guest {
            GuestState::Running => Activity::Running,
            GuestState::Stopped | GuestState::Suspended | GuestState::SuspendedStopped => {
                Activity::Paused
            }
        };
        RawExpectation {
            end,
            survivor: match end {
                End::Completed => Side::Destination,
                End::Cancelled | End::Failed(_) | End::Refused => Side::Source,
            },
            activity: runs,
            during: if self.method.is_cpr() {
                Activity::Paused
            } else {
                runs
            },
            after: match self.guest {
                GuestState::Stopped => Activity::Paused,
                GuestState::Running | GuestState::Suspended | GuestState::SuspendedStopped => {
                    Activity::Running
                }
            },
        }
    }

    pub(super) fn end(&self) -> End {
        match self.address {
            Address::Both | Address::Neither => return End::Refused,
            Address::Uri | Address::Channels => {}
        }
        match self.incident {
            Incident::CancelSetup
            | Incident::CancelActive
            | Incident::CancelPreSwitchover
            | Incident::CancelCancelling
            | Incident::CancelCancelled => End::Cancelled,
            Incident::CancelFailed | Incident::BadDestination => End::Failed(Failure::Connection),
            Incident::BadOffset => End::Refused,
            Incident::LoseActive
            | Incident::LosePreSwitchover
            | Incident::KillActive
            | Incident::KillPreSwitchover => End::Failed(Failure::Broken),
            Incident::None
            | Incident::CancelBefore
            | Incident::CancelCompleted
            | Incident::CancelRetry
            | Incident::Recover
            | Incident::FailHandshake
            | Incident::FailReconnect
            | Incident::LoseRetry
            | Incident::KillRetry
            | Incident::HoldActive => self.failure().map_or(End::Completed, End::Failed),
        }
    }

    /// How it ends, in the words of all suites.
    pub(super) fn case_end(&self) -> CaseEnd {
        match self.end() {
            End::Completed => CaseEnd::Success,
            End::Cancelled => CaseEnd::Cancelled,
            End::Failed(why) => CaseEnd::Failed { class: why.word() },
            End::Refused => CaseEnd::Refused {
                class: match self.address {
                    Address::Both | Address::Neither => self.address.word(),
                    Address::Uri | Address::Channels => self.incident.word(),
                },
            },
        }
    }

    /// What makes an undisturbed migration fail.
    pub(super) fn failure(&self) -> Option<Failure> {
        let checked = self.features.has(Feature::ValidateUuid);
        match self.tls {
            Tls::PskMismatch | Tls::X509RejectAnonymous => Some(Failure::Handshake),
            Tls::X509MismatchHost => Some(Failure::Hostname),
            // A UNIX socket has no host, and nothing names one.
            Tls::X509 if self.transport != Transport::Tcp => Some(Failure::Hostname),
            Tls::X509HostileClient => Some(Failure::Authorization),
            Tls::None
            | Tls::Psk
            | Tls::X509
            | Tls::X509OverrideHost
            | Tls::X509FriendlyClient
            | Tls::X509AllowAnonymous => {
                (checked && self.uuids == Uuids::Mismatch).then_some(Failure::Uuid)
            }
        }
    }

    /// Whether the guest must dirty memory while it is copied, and a further pass be sent.
    #[must_use]
    pub fn has_passes(&self) -> bool {
        let runs = self.guest == GuestState::Running;
        runs && self.is_held() && self.end() == End::Completed
    }

    /// Whether memory is copied for long enough that the guest can be seen meanwhile.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.method == Method::Precopy && !self.features.has(Feature::IgnoreShared)
    }

    /// Whether what carries its stream is looked at while it does: it lasts for long enough, and completes.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let lasts = self.is_held() || self.method == Method::Postcopy;
        lasts && self.end() == End::Completed
    }

    /// Whether what goes over its connections is looked at: that it is encrypted, what comes back, or what is
    /// held up until the connection is lost.
    #[must_use]
    pub fn is_wired(&self) -> bool {
        let tells = self.tls != Tls::None
            || self.features.has(Feature::ReturnPath)
            || self.incident.is_recovery();
        tells && self.is_carried() && !self.transport.is_file()
    }

    /// How many connections it has while its memory is copied before any postcopy.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self.multifd {
            Multifd::Off => 1,
            Multifd::Plain | Multifd::Zlib | Multifd::Zstd => {
                1 + usize::from(self.channels.count())
            }
        }
    }

    /// How many it has once it is in postcopy.
    #[must_use]
    pub fn connections_in_postcopy(&self) -> usize {
        self.connections() + usize::from(self.features.has(Feature::PostcopyPreempt))
    }

    /// Whether both sides have the same memory.
    #[must_use]
    pub fn shares_memory(&self) -> bool {
        self.features.has(Feature::IgnoreShared) || self.hands_memory_over()
    }

    /// Whether the destination gets the memory itself, and no copy of it.
    #[must_use]
    pub const fn hands_memory_over(&self) -> bool {
        matches!(self.method, Method::CprTransfer | Method::CprExec)
    }

    /// Whether it waits before the switchover until it is continued.
    #[must_use]
    pub fn pauses(&self) -> bool {
        self.features.has(Feature::PauseBeforeSwitchover) || self.waits_to_be_counted()
    }

    /// Whether it waits before the switchover though the case does not name that. Channels take all of a
    /// guest that is still at once, whatever the bandwidth, and where memory stays in place there is
    /// nothing to take: they would be gone before they were counted, but for luck.
    #[must_use]
    pub fn waits_to_be_counted(&self) -> bool {
        let completes = self.end() == End::Completed;
        let copies = self.method != Method::Postcopy;
        self.multifd != Multifd::Off && completes && copies && !self.has_passes()
    }

    /// The sides that are asked again what is set when the migration is over. A process that has replaced
    /// itself has forgotten it, and one that is handed its state over was never told.
    #[must_use]
    pub const fn asked_again(&self) -> &'static [Side] {
        match self.method {
            Method::Precopy | Method::Postcopy | Method::CprReboot => &Side::BOTH,
            Method::CprTransfer => &[Side::Source],
            Method::CprExec => &[],
        }
    }

    /// Whether something of it has an effect that can be measured.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        let effective = [
            Feature::Xbzrle,
            Feature::AutoConverge,
            Feature::DirtyLimit,
            Feature::IgnoreShared,
            Feature::SwitchoverAck,
            Feature::PauseBeforeSwitchover,
            Feature::MappedRam,
        ];
        let compressed = self.sends_compressed();
        let postcopied = self.method == Method::Postcopy;
        let featured = effective.into_iter().any(|one| self.features.has(one));
        let returned = self.features.has(Feature::ReturnPath) && self.is_wired();
        let all = compressed || postcopied || featured || returned;
        self.end() == End::Completed && all
    }

    /// Whether it sends pages compressed. What is handed over is not sent.
    #[must_use]
    pub const fn sends_compressed(&self) -> bool {
        matches!(self.multifd, Multifd::Zlib | Multifd::Zstd) && !self.hands_memory_over()
    }

    /// The conditions that a case of it is judged by.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let end = self.end();
        let completes = end == End::Completed;
        let moves = completes || matches!(end, End::Cancelled | End::Failed(_));
        let in_use = self.devices != Devices::None;
        let all = [
            (Condition::SourceStarted, true),
            (Condition::Settings, moves),
            (Condition::Migrated, completes),
            (
                Condition::ExpectedError,
                matches!(end, End::Failed(_) | End::Refused),
            ),
            (Condition::Incident, self.incident.is_seen()),
            (Condition::SourceInactive, completes),
            (Condition::DestinationExists, completes),
            (Condition::DestinationActive, completes),
            (Condition::DestinationState, completes),
            (Condition::GuestDuringCopy, completes && self.is_held()),
            (Condition::Iterations, self.has_passes()),
            (
                Condition::Channels,
                completes && self.multifd != Multifd::Off,
            ),
            (Condition::Effect, self.has_effect()),
            (Condition::Memory, true),
            (Condition::Alive, true),
            (Condition::Identity, completes),
            (Condition::Device, completes && in_use),
            (Condition::Events, moves),
            (
                Condition::Statistics,
                completes && self.method != Method::CprExec,
            ),
            (Condition::Transport, self.is_carried()),
            (Condition::Stream, completes && self.transport.is_file()),
            (Condition::NoLeftovers, true),
        ];
        let own = all.into_iter().filter_map(|(one, is)| is.then_some(one));
        own.collect()
    }
}

impl Incident {
    /// Whether something happens on the way that must have been seen.
    #[must_use]
    pub const fn is_seen(self) -> bool {
        !matches!(self, Self::None | Self::BadDestination | Self::BadOffset)
    }
}

impl Incident {
    /// Whether a migration that is under way is cancelled.
    #[must_use]
    pub const fn cancels(self) -> bool {
        matches!(
            self,
            Self::CancelActive
                | Self::CancelPreSwitchover
                | Self::CancelCancelling
                | Self::CancelCancelled
                | Self::CancelRetry
        )
    }
}

impl GuestState {
    /// Whether the guest is in ACPI S3.
    #[must_use]
    pub const fn sleeps(self) -> bool {
        matches!(self, Self::Suspended | Self::SuspendedStopped)
    }
}

impl Transport {
    /// Whether the stream lies in a file between the two sides: it goes one way, and the destination
    /// comes to it when the source has completed.
    #[must_use]
    pub const fn is_file(self) -> bool {
        match self {
            Self::FdFile | Self::File | Self::FileOffset | Self::FileFdset | Self::Exec => true,
            Self::Unix | Self::Tcp | Self::Fd => false,
        }
    }
}
