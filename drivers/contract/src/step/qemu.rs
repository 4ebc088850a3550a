//! The steps that only QEMU itself can be told.

use std::fmt;

use migratrix_history::{Side, Verb, When};
use migratrix_matrix::Blow;

use super::{moment, word};

/// A step of a raw migration: what QEMU is told by QMP, one thing after the other.
///
/// The driver finds the form of each command that a release takes, and records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawStep {
    /// Start the side's QEMU, and record its version. The source runs the guest; the destination
    /// waits (`-incoming defer`).
    Launch(Side),
    /// Set capabilities and parameters on a side, ask them back, and record what it says. Bandwidth
    /// and downtime are set so that the migration does not end before [`RawStep::Converge`].
    Configure(Side),
    /// Ask a side again what is set, and record what it says; one that is gone says nothing.
    AskSettings(Side),
    /// Let the guest go, which was held until now, and wait until it sleeps (`SUSPEND`).
    AwaitSleep(Side),
    /// Wake the guest (`system_wakeup`).
    Wake(Side),
    /// Use the case's device, and record what it did.
    UseDevice(Side, When),
    /// Have the destination listen (`migrate-incoming`).
    Listen,
    /// Ask the source to migrate (`migrate`).
    Migrate,
    /// Wait until a side's migration is in this state (`MigrationStatus`), or can't come to it.
    Await(Side, &'static str),
    /// Wait until the guest has lapped and a further pass over its memory has begun; record the
    /// guest's heartbeat.
    AwaitPass,
    /// Lift the bounds on bandwidth and downtime.
    Converge,
    /// As [`RawStep::Converge`], and hold the destination still (`SIGSTOP`) for 200 ms from when the
    /// guest is stopped.
    ConvergeSlowly,
    /// Switch over to postcopy (`migrate-start-postcopy`).
    StartPostcopy,
    /// Record how many multifd channels each side has, by its threads.
    CountChannels,
    /// Record what each side's QEMU has open for the migration.
    InspectCarriers,
    /// Record what they have open for it in postcopy, and how many `userfaultfd`s the destination has.
    InspectPostcopy,
    /// Lay a relay between the destination and the address to which the source goes.
    Relay,
    /// Record what went by at the relay.
    InspectWire,
    /// Cancel (`migrate_cancel`).
    Cancel,
    /// Cancel twice at once, so that the second comes while the first is under way.
    CancelTwice,
    /// Go on from `pre-switchover` (`migrate-continue`).
    Proceed,
    /// Lose postcopy's connection on both sides (`migrate-pause`, or the connection is cut).
    Lose,
    /// Recover postcopy on a new address (`migrate-recover`, then `migrate` with `resume`).
    Recover,
    /// As [`RawStep::Recover`], with a peer that breaks off while it shakes hands.
    RecoverInVain,
    /// As [`RawStep::Recover`], to an address at which nobody listens.
    RecoverNowhere,
    /// End the destination, and start another one in its place, configured as the first.
    Replace,
    /// Strike the migration from outside, and record that.
    Strike(Blow),
    /// Record the stream that lies in the file.
    ReadStream,
    /// Turn a capability on that the case has not got, when all was asked back.
    SwitchOn(Side),
    /// Plug in a device (`device_add`).
    PlugDevice(Side),
    /// Set the year of the guest's clock back, through its ports.
    SetClock(Side),
    /// Change a register of the case's device behind its driver's back.
    DisturbDevice(Side),
    /// Cut off the end of the stream's file.
    CutStream,
    /// Stop the side's QEMU with `SIGSTOP`.
    StopQemu(Side),
    /// Have the side's QEMU answer nonsense from now on: what it sends is garbled on its way.
    Garble(Side),
}

impl RawStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Launch(_) | Self::Replace => Verb::Start,
            Self::Configure(_) => Verb::Configure,
            Self::Listen | Self::Relay => Verb::Listen,
            Self::Migrate => Verb::Migrate,
            Self::AwaitSleep(_) | Self::Await(..) | Self::AwaitPass => Verb::Await,
            Self::Converge | Self::ConvergeSlowly => Verb::Converge,
            Self::StartPostcopy
            | Self::Cancel
            | Self::CancelTwice
            | Self::Proceed
            | Self::Lose
            | Self::Recover
            | Self::RecoverInVain
            | Self::RecoverNowhere => Verb::Intervene,
            Self::Strike(_) => Verb::Strike,
            Self::Wake(_) => Verb::Wake,
            Self::UseDevice(..) => Verb::UseDevice,
            Self::AskSettings(_)
            | Self::CountChannels
            | Self::InspectCarriers
            | Self::InspectPostcopy
            | Self::InspectWire
            | Self::ReadStream => Verb::Inspect,
            Self::SwitchOn(_)
            | Self::PlugDevice(_)
            | Self::SetClock(_)
            | Self::DisturbDevice(_)
            | Self::CutStream
            | Self::StopQemu(_)
            | Self::Garble(_) => Verb::Break,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Launch(side)
            | Self::Configure(side)
            | Self::AskSettings(side)
            | Self::SwitchOn(side)
            | Self::AwaitSleep(side)
            | Self::Wake(side)
            | Self::UseDevice(side, _)
            | Self::Await(side, _)
            | Self::PlugDevice(side)
            | Self::SetClock(side)
            | Self::DisturbDevice(side)
            | Self::StopQemu(side)
            | Self::Garble(side) => Some(*side),
            Self::Listen | Self::Replace => Some(Side::Destination),
            Self::Migrate
            | Self::AwaitPass
            | Self::Converge
            | Self::ConvergeSlowly
            | Self::StartPostcopy
            | Self::Cancel
            | Self::CancelTwice
            | Self::Proceed
            | Self::Strike(_) => Some(Side::Source),
            Self::Lose
            | Self::Recover
            | Self::RecoverInVain
            | Self::RecoverNowhere
            | Self::CountChannels
            | Self::InspectCarriers
            | Self::InspectPostcopy
            | Self::Relay
            | Self::InspectWire
            | Self::CutStream
            | Self::ReadStream => None,
        }
    }
}

impl fmt::Display for RawStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launch(side) => write!(f, "launch {}", word(*side)),
            Self::Configure(side) => write!(f, "configure {}", word(*side)),
            Self::AskSettings(side) => write!(f, "ask {} again what is set", word(*side)),
            Self::SwitchOn(side) => {
                write!(
                    f,
                    "turn a capability on that nobody asked for on {}",
                    word(*side)
                )
            }
            Self::AwaitSleep(side) => write!(f, "await sleep on {}", word(*side)),
            Self::Wake(side) => write!(f, "wake {}", word(*side)),
            Self::UseDevice(side, when) => {
                write!(f, "use the device on {} {}", word(*side), moment(*when))
            }
            Self::Listen => f.write_str("listen"),
            Self::Migrate => f.write_str("migrate"),
            Self::Await(side, status) => write!(f, "await {status} on {}", word(*side)),
            Self::AwaitPass => f.write_str("await a further pass"),
            Self::Converge => f.write_str("converge"),
            Self::ConvergeSlowly => f.write_str("converge slowly"),
            Self::StartPostcopy => f.write_str("start postcopy"),
            Self::CountChannels => f.write_str("count the channels"),
            Self::InspectCarriers => f.write_str("inspect what carries the stream"),
            Self::InspectPostcopy => f.write_str("inspect what serves postcopy"),
            Self::Relay => f.write_str("lay a relay"),
            Self::InspectWire => f.write_str("inspect what went by"),
            Self::Cancel => f.write_str("cancel"),
            Self::CancelTwice => f.write_str("cancel twice"),
            Self::Proceed => f.write_str("continue"),
            Self::Lose => f.write_str("lose the connection"),
            Self::Recover => f.write_str("recover"),
            Self::RecoverInVain => f.write_str("recover with a peer that breaks off"),
            Self::RecoverNowhere => f.write_str("recover where nobody listens"),
            Self::Replace => f.write_str("replace the destination"),
            Self::Strike(blow) => write!(f, "{} {}", blow.word(), blow.what()),
            Self::ReadStream => f.write_str("read the stream"),
            Self::PlugDevice(side) => write!(f, "plug in a device on {}", word(*side)),
            Self::SetClock(side) => write!(f, "set the clock on {}", word(*side)),
            Self::DisturbDevice(side) => write!(f, "disturb the device on {}", word(*side)),
            Self::CutStream => f.write_str("cut the stream"),
            Self::StopQemu(side) => write!(f, "stop QEMU on {}", word(*side)),
            Self::Garble(side) => write!(f, "garble what QEMU says on {}", word(*side)),
        }
    }
}
