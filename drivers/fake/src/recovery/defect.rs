//! The defects that only a struck migration shows, each with the condition that must catch it.

use migratrix_matrix::{Condition, Detection, Recovery, RecoveryMoment, Strike};

/// One way in which a hypervisor can betray who recovers from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecoveryDefect {
    /// The fault is not committed.
    StrikeMissed,
    /// The destination knows what the guest is made of, which is to be unknown to it.
    KnownToBoth,
    /// The call never returns.
    NeverAnswers,
    /// The call fails with an error of another class.
    WrongError,
    /// A further job is done beside the migration.
    FurtherJobDone,
    /// A further job is refused by an error that tells of something else.
    RefusedOtherwise,
    /// A device is attached, though that was refused.
    FurtherDevice,
    /// The source's configuration becomes another one.
    ConfigChanged,
    /// The guest runs on the destination as well.
    BothRun,
    /// The guest that must go on is left paused.
    OwnerPaused,
    /// The guest is on the destination, though the migration failed.
    WrongOwner,
    /// The guest goes on from an older memory when it is resumed.
    StaleMemory,
    /// The guest is called running, and does not beat.
    DeadGuest,
    /// The source's configuration is lost.
    ConfigLost,
    /// The job stays on the source.
    JobStays,
    /// A port stays listened to on the destination.
    PortStays,
    /// A daemon that nobody killed is another one.
    DaemonReplaced,
    /// The migration can't be tried once more.
    RetryRefused,
    /// The guest goes on from an older memory when the migration was tried once more.
    RetryStale,
    /// The source's guest does not stand as the scenario says, before anything is struck.
    OtherStart,
    /// The destination does not tell that the guest which it had started is gone.
    EventLost,
    /// The guest that stayed has another machine type.
    OtherMachine,
    /// The guest has another machine type when the migration was tried once more.
    RetryOtherMachine,
    /// Another guest was asked to migrate before the moment.
    BesideTooSoon,
    /// Another guest is there only when the moment is over.
    BesideTooLate,
    /// The call of another guest is not answered.
    BesideUnanswered,
    /// The call of another guest is refused.
    BesideRefused,
    /// What is cancelled beside it is told to have succeeded.
    BesideNotCancelled,
    /// Another guest stays where it was.
    BesideStays,
    /// Another guest is lost.
    BesideLost,
    /// Another guest runs on both sides.
    BesideTwice,
    /// Another guest is there, and paused.
    BesidePaused,
    /// A guest that was cancelled beside it is lost.
    CancelledLost,
    /// A file stays behind on the source.
    FileStays,
}

impl RecoveryDefect {
    /// All values, in the order of the conditions that catch them.
    pub const ALL: [Self; 34] = [
        Self::StrikeMissed,
        Self::OtherStart,
        Self::KnownToBoth,
        Self::BesideTooSoon,
        Self::BesideTooLate,
        Self::NeverAnswers,
        Self::WrongError,
        Self::FurtherJobDone,
        Self::RefusedOtherwise,
        Self::BesideUnanswered,
        Self::BesideRefused,
        Self::BesideNotCancelled,
        Self::BothRun,
        Self::OwnerPaused,
        Self::WrongOwner,
        Self::BesideStays,
        Self::BesideLost,
        Self::BesideTwice,
        Self::BesidePaused,
        Self::CancelledLost,
        Self::StaleMemory,
        Self::DeadGuest,
        Self::ConfigLost,
        Self::ConfigChanged,
        Self::JobStays,
        Self::PortStays,
        Self::DaemonReplaced,
        Self::RetryRefused,
        Self::RetryStale,
        Self::EventLost,
        Self::OtherMachine,
        Self::RetryOtherMachine,
        Self::FurtherDevice,
        Self::FileStays,
    ];

    /// A point on which it can be seen.
    #[must_use]
    pub const fn point(self) -> Recovery {
        match self {
            Self::StaleMemory => Recovery {
                strike: Strike::ClientKilled,
                moment: RecoveryMoment::Finish,
                ..Recovery::USUAL
            },
            Self::KnownToBoth => Recovery {
                strike: Strike::MachineUnknown,
                moment: RecoveryMoment::Call,
                ..Recovery::USUAL
            },
            Self::FurtherJobDone => Recovery {
                strike: Strike::SecondMigration,
                ..Recovery::USUAL
            },
            Self::RefusedOtherwise | Self::FurtherDevice | Self::ConfigChanged => Recovery {
                strike: Strike::DeviceAttached,
                ..Recovery::USUAL
            },
            Self::BesideTooSoon
            | Self::BesideTooLate
            | Self::BesideUnanswered
            | Self::BesideRefused
            | Self::BesideStays
            | Self::BesideLost
            | Self::BesideTwice
            | Self::BesidePaused => Recovery {
                strike: Strike::Crossing,
                ..Recovery::USUAL
            },
            Self::BesideNotCancelled | Self::CancelledLost => Recovery {
                strike: Strike::Crowd,
                ..Recovery::USUAL
            },
            Self::StrikeMissed
            | Self::OtherStart
            | Self::RetryStale
            | Self::NeverAnswers
            | Self::WrongError
            | Self::BothRun
            | Self::OwnerPaused
            | Self::WrongOwner
            | Self::DeadGuest
            | Self::ConfigLost
            | Self::JobStays
            | Self::PortStays
            | Self::DaemonReplaced
            | Self::RetryRefused
            | Self::EventLost
            | Self::OtherMachine
            | Self::RetryOtherMachine
            | Self::FileStays => Recovery::USUAL,
        }
    }

    /// The condition that must catch it. Others may see it too.
    #[must_use]
    pub const fn condition(self) -> Condition {
        match self {
            Self::StrikeMissed
            | Self::OtherStart
            | Self::KnownToBoth
            | Self::BesideTooSoon
            | Self::BesideTooLate => Condition::Struck,
            Self::NeverAnswers
            | Self::WrongError
            | Self::FurtherJobDone
            | Self::RefusedOtherwise
            | Self::BesideUnanswered
            | Self::BesideRefused
            | Self::BesideNotCancelled => Condition::Answered,
            Self::BothRun => Condition::OneRuns,
            Self::OwnerPaused
            | Self::WrongOwner
            | Self::BesideStays
            | Self::BesideLost
            | Self::BesideTwice
            | Self::BesidePaused
            | Self::CancelledLost => Condition::Owner,
            Self::StaleMemory => Condition::Memory,
            Self::DeadGuest => Condition::Alive,
            Self::ConfigLost | Self::ConfigChanged => Condition::Config,
            Self::JobStays | Self::PortStays => Condition::Cleared,
            Self::DaemonReplaced => Condition::Daemons,
            Self::RetryRefused | Self::RetryStale => Condition::Retried,
            Self::EventLost => Condition::Events,
            Self::OtherMachine | Self::RetryOtherMachine | Self::FurtherDevice => {
                Condition::Identity
            }
            Self::FileStays => Condition::NoLeftovers,
        }
    }

    /// How that condition detects it: a fault that was not committed proves nothing.
    #[must_use]
    pub const fn how(self) -> Detection {
        match self {
            Self::StrikeMissed | Self::KnownToBoth | Self::BesideTooSoon | Self::BesideTooLate => {
                Detection::Unknown
            }
            Self::NeverAnswers
            | Self::WrongError
            | Self::FurtherJobDone
            | Self::RefusedOtherwise
            | Self::BesideUnanswered
            | Self::BesideRefused
            | Self::BesideNotCancelled
            | Self::BesideStays
            | Self::BesideLost
            | Self::BesideTwice
            | Self::BesidePaused
            | Self::CancelledLost
            | Self::FurtherDevice
            | Self::ConfigChanged
            | Self::BothRun
            | Self::OwnerPaused
            | Self::WrongOwner
            | Self::StaleMemory
            | Self::OtherStart
            | Self::RetryStale
            | Self::DeadGuest
            | Self::ConfigLost
            | Self::JobStays
            | Self::PortStays
            | Self::DaemonReplaced
            | Self::RetryRefused
            | Self::EventLost
            | Self::OtherMachine
            | Self::RetryOtherMachine
            | Self::FileStays => Detection::Fail,
        }
    }
}
