//! What a raw fault changes: in what is really done, or in the steps.

use migratrix_history::Side::{Destination, Source};
use migratrix_matrix::{
    Channels, Fault, Feature, Features, GuestState, Incident, Multifd, Raw, RawFault, Tls,
    Transport,
};

use super::raw;
use crate::{Litter, Phase, RawStep, Script, Step};

/// What is really done where the case says `raw`.
pub(in crate::script) fn effective(raw: Raw, fault: Option<Fault>) -> Raw {
    let Some(Fault::Raw(fault)) = fault else {
        return raw;
    };
    match fault {
        RawFault::CapabilityOff | RawFault::OneWay => Raw {
            features: Features::NONE,
            ..raw
        },
        RawFault::NotPreempted => Raw {
            features: raw.features.without(Feature::PostcopyPreempt),
            ..raw
        },
        RawFault::Cached => Raw {
            features: raw.features.without(Feature::DirectIo),
            ..raw
        },
        RawFault::Unencrypted => Raw {
            tls: Tls::None,
            ..raw
        },
        RawFault::FailureMissing => Raw {
            tls: Tls::Psk,
            ..raw
        },
        RawFault::CancelLate => Raw {
            incident: Incident::CancelCompleted,
            ..raw
        },
        RawFault::ContinuedDuring => Raw {
            guest: GuestState::Running,
            ..raw
        },
        RawFault::OneChannel => Raw {
            channels: Channels::One,
            ..raw
        },
        RawFault::Uncompressed => Raw {
            multifd: Multifd::Plain,
            ..raw
        },
        RawFault::Streamed => Raw {
            features: raw.features.without(Feature::MappedRam),
            ..raw
        },
        RawFault::TransportChanged => Raw {
            transport: Transport::Tcp,
            ..raw
        },
        RawFault::SourceStopped
        | RawFault::SourceContinued
        | RawFault::DestinationKilled
        | RawFault::DestinationReplaced
        | RawFault::DestinationStopped
        | RawFault::SinglePass
        | RawFault::PostcopyNotStarted
        | RawFault::PageChanged
        | RawFault::PageOutdated
        | RawFault::UnstampedByte
        | RawFault::GuestHalted
        | RawFault::DevicePlugged
        | RawFault::ClockSet
        | RawFault::DeviceDisturbed
        | RawFault::Flickered
        | RawFault::SlowlyConverged
        | RawFault::StreamCut
        | RawFault::FileLeft
        | RawFault::FileSwept
        | RawFault::SwitchedOn
        | RawFault::ListenerLeft
        | RawFault::QemuKilled
        | RawFault::QemuStopped
        | RawFault::QemuGarbled => raw,
    }
}

/// Puts the steps of `fault` into the script.
pub(super) fn inject_fault(script: &mut Script, fault: RawFault) {
    match fault {
        RawFault::CapabilityOff
        | RawFault::Unencrypted
        | RawFault::OneWay
        | RawFault::NotPreempted
        | RawFault::Cached
        | RawFault::FailureMissing
        | RawFault::CancelLate
        | RawFault::ContinuedDuring
        | RawFault::OneChannel
        | RawFault::Uncompressed
        | RawFault::Streamed
        | RawFault::TransportChanged => {}
        RawFault::SourceStopped => script.after(Phase::Prepare, [Step::Suspend(Source)]),
        RawFault::SourceContinued => script.after(Phase::Migration, [Step::Resume(Source)]),
        RawFault::DestinationKilled => {
            script.after(Phase::Migration, [Step::KillQemu(Destination)]);
        }
        RawFault::DestinationReplaced => {
            script.after(Phase::Migration, [raw(RawStep::Replace)]);
        }
        RawFault::DestinationStopped => {
            script.after(Phase::Migration, [Step::Suspend(Destination)]);
        }
        RawFault::SinglePass => {
            let pass = raw(RawStep::AwaitPass);
            script.steps.retain(|(_, step)| *step != pass);
        }
        RawFault::PostcopyNotStarted => {
            let steps = [
                raw(RawStep::StartPostcopy),
                raw(RawStep::Await(Source, "postcopy-active")),
            ];
            script.steps.retain(|(_, step)| !steps.contains(step));
        }
        RawFault::PageChanged => script.before_survey(Step::PokeByte(Destination)),
        RawFault::PageOutdated => script.before_survey(Step::AgePage(Destination)),
        RawFault::UnstampedByte => script.before_survey(Step::PokeRest(Destination)),
        RawFault::GuestHalted => script.after(Phase::Migration, [Step::HaltGuest(Destination)]),
        RawFault::DevicePlugged => {
            script.after(Phase::Migration, [raw(RawStep::PlugDevice(Destination))]);
        }
        RawFault::ClockSet => {
            script.after(Phase::Migration, [raw(RawStep::SetClock(Destination))]);
        }
        RawFault::DeviceDisturbed => {
            script.after(Phase::Migration, [raw(RawStep::DisturbDevice(Destination))]);
        }
        RawFault::Flickered => {
            let steps = [Step::Suspend(Destination), Step::Resume(Destination)];
            script.after(Phase::Migration, steps);
        }
        RawFault::SlowlyConverged => {
            script.downtime_bound_ms = SLOW_BOUND_MS;
            for (_, step) in &mut script.steps {
                if *step == raw(RawStep::Converge) {
                    *step = raw(RawStep::ConvergeSlowly);
                }
            }
        }
        RawFault::StreamCut => {
            let is_read = |step: &Step| *step == raw(RawStep::ReadStream);
            script.before(is_read, raw(RawStep::CutStream));
        }
        RawFault::FileLeft => {
            let is_for_leftovers = |step: &Step| matches!(step, Step::Leftovers(_));
            script.before(is_for_leftovers, Step::LeaveFile(Source));
        }
        RawFault::FileSwept => script.after(Phase::After, [Step::LeaveFile(Source)]),
        RawFault::SwitchedOn => {
            script.after(Phase::Before, [raw(RawStep::SwitchOn(Source))]);
        }
        RawFault::ListenerLeft => script.leave(Source, Litter::Listener),
        RawFault::QemuKilled => script.after(Phase::Before, [Step::KillQemu(Source)]),
        RawFault::QemuStopped => script.after(Phase::Before, [raw(RawStep::StopQemu(Source))]),
        RawFault::QemuGarbled => script.after(Phase::Before, [raw(RawStep::Garble(Source))]),
    }
}

/// The downtime bound of [`RawFault::SlowlyConverged`], in milliseconds: well above what the small
/// guest needs unbounded, and well below what its range needs at the bandwidth that is left.
const SLOW_BOUND_MS: u64 = 60;
