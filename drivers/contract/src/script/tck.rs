//! The script of a migration through libvirt, and a fault among its steps.

use migratrix_history::{Side, When};
use migratrix_matrix::{
    Activity, Control, Flag, Parallel, Persistence, Preparation, Scenario, TckFault,
};

use crate::{Litter, Migrate, Phase, Script, Step, Uuid, Variant};

/// The bandwidth of a `LIVE` migration, in MiB/s: slow enough that the guest laps while its memory
/// is copied, and fast enough that what a lap dirties fits into QEMU's default downtime limit of
/// 300 ms, so that the migration converges.
pub const LIVE_BANDWIDTH_MIB: u32 = 8;

/// The downtime bound of [`TckFault::Throttled`], in milliseconds: well above what the small guest
/// needs unbounded, and well below its stamped MiB at 1 MiB/s.
const THROTTLED_BOUND_MS: u64 = 600;

/// Whether a fault is committed through qtest.
pub(super) const fn needs_qtest(fault: TckFault) -> bool {
    matches!(
        fault,
        TckFault::MemoryByte
            | TckFault::PageOutdated
            | TckFault::UnstampedByte
            | TckFault::SourceHalted
            | TckFault::DestinationHalted
    )
}

/// The steps of a case without a fault.
pub(super) fn steps(scenario: &Scenario) -> Vec<(Phase, Step)> {
    let state = scenario.state;
    let mut steps = vec![(Phase::Prepare, Step::Connect)];
    if state.preparation == Preparation::Defined {
        steps.push((Phase::Prepare, Step::Define(Side::Destination, Uuid::Own)));
    }
    steps.push((
        Phase::Prepare,
        Step::Start(Side::Source, state.persistence, Variant::Plain),
    ));
    steps.push((Phase::Prepare, Step::AwaitBeat(Side::Source)));
    if state.activity == Activity::Paused {
        steps.push((Phase::Prepare, Step::Suspend(Side::Source)));
    }
    let before = [
        Step::Inspect(Side::Source, When::Before),
        Step::Beat(Side::Source, When::Before),
        Step::Inspect(Side::Destination, When::Before),
        Step::ReadRam(Side::Source, When::Before),
    ];
    let migration = Step::Migrate(Migrate {
        scenario: *scenario,
        bandwidth_mib: bandwidth(scenario),
    });
    let after = [
        Step::Inspect(Side::Source, When::After),
        Step::Inspect(Side::Destination, When::After),
        Step::Beat(Side::Source, When::After),
        Step::Beat(Side::Destination, When::After),
        Step::Job(Side::Destination),
        Step::Survey(Side::Destination),
        Step::ReadRam(Side::Destination, When::After),
    ];
    let clear = [
        Step::Clear(Side::Destination),
        Step::Clear(Side::Source),
        Step::Leftovers(Side::Source),
        Step::Leftovers(Side::Destination),
    ];
    steps.extend(before.map(|step| (Phase::Before, step)));
    steps.push((Phase::Migration, migration));
    steps.extend(after.map(|step| (Phase::After, step)));
    steps.extend(clear.map(|step| (Phase::Clear, step)));
    steps
}

/// Of a still guest too, where its channels are to be counted while they are there.
fn bandwidth(scenario: &Scenario) -> Option<u32> {
    let is_seen = scenario.flags.has(Flag::Live) || scenario.call(None).channels() > 0;
    is_seen.then_some(LIVE_BANDWIDTH_MIB)
}

impl Script {
    /// Puts the steps of a fault of libvirt's cases where it strikes.
    pub(super) fn inject_tck(&mut self, fault: TckFault) {
        use Side::{Destination, Source};
        let own = |side| Step::Define(side, Uuid::Own);
        match fault {
            TckFault::SourceUndefined => self.after(Phase::Prepare, [Step::Undefine(Source)]),
            TckFault::SourceDefined => self.after(Phase::Prepare, [own(Source)]),
            TckFault::SourceSuspended => self.after(Phase::Prepare, [Step::Suspend(Source)]),
            TckFault::SourceResumed => self.after(Phase::Prepare, [Step::Resume(Source)]),
            TckFault::SourceHalted => self.after(Phase::Prepare, [Step::HaltGuest(Source)]),
            TckFault::DestinationUndefined => {
                self.after(Phase::Prepare, [Step::Undefine(Destination)]);
            }
            TckFault::DestinationDefined => self.after(Phase::Prepare, [own(Destination)]),
            TckFault::ForeignUuid => self.after(
                Phase::Before,
                [
                    Step::Undefine(Destination),
                    Step::Define(Destination, Uuid::Foreign),
                ],
            ),
            TckFault::StrangerConnected => self.after(Phase::Before, [Step::Approach(Source)]),
            TckFault::DaemonStopped => self.after(Phase::Before, [Step::StopDaemon(Source)]),
            TckFault::QemuKilled => self.after(Phase::Before, [Step::KillQemu(Source)]),
            TckFault::ClientKilled => self.after(Phase::Before, [Step::KillClient]),
            TckFault::SourceStartedAgain => {
                let again = Step::Start(Source, Persistence::Transient, Variant::Plain);
                self.after(Phase::Migration, [again]);
            }
            TckFault::SourceConfigRemoved => self.after(Phase::Migration, [Step::Undefine(Source)]),
            TckFault::SourceConfigAdded => self.after(Phase::Migration, [own(Source)]),
            TckFault::DestinationCleared => {
                self.after(Phase::Migration, [Step::Clear(Destination)])
            }
            TckFault::DestinationDestroyed => {
                self.after(Phase::Migration, [Step::Destroy(Destination)]);
            }
            TckFault::DestinationConfigRemoved => {
                self.after(Phase::Migration, [Step::Undefine(Destination)]);
            }
            TckFault::DestinationConfigAdded => self.after(Phase::Migration, [own(Destination)]),
            TckFault::SourceRenamed => self.after(Phase::Migration, [Step::Rename(Source)]),
            TckFault::DestinationRenamed => {
                self.after(Phase::Migration, [Step::Rename(Destination)]);
            }
            TckFault::DevicePluggedBehind => {
                self.after(Phase::Migration, [Step::Plug(Destination)]);
            }
            TckFault::DestinationSuspended => {
                self.after(Phase::Migration, [Step::Suspend(Destination)]);
            }
            TckFault::DestinationResumed => {
                self.after(Phase::Migration, [Step::Resume(Destination)])
            }
            TckFault::MemoryByte => self.before_survey(Step::PokeByte(Destination)),
            TckFault::PageOutdated => self.before_survey(Step::AgePage(Destination)),
            TckFault::UnstampedByte => self.before_survey(Step::PokeRest(Destination)),
            TckFault::DestinationHalted => {
                self.after(Phase::Migration, [Step::HaltGuest(Destination)]);
            }
            TckFault::DeviceAdded => {
                let other = Step::Start(Destination, Persistence::Transient, Variant::ExtraDevice);
                self.after(Phase::Migration, [Step::Clear(Destination), other]);
            }
            TckFault::DestinationFlickered => self.after(
                Phase::Migration,
                [Step::Suspend(Destination), Step::Resume(Destination)],
            ),
            TckFault::LiveGiven => self.change(|how| {
                how.scenario.flags = how.scenario.flags.with(Flag::Live);
            }),
            TckFault::LiveWithheld => {
                self.change(|how| {
                    let flags = how.scenario.flags.iter();
                    how.scenario.flags = flags.filter(|flag| *flag != Flag::Live).collect();
                });
            }
            TckFault::TunnelWithheld => self.change(|how| how.scenario.control = Control::P2p),
            TckFault::PeerWithheld => self.change(|how| how.scenario.control = Control::Normal),
            TckFault::TunnelGiven => self.change(|how| how.scenario.control = Control::Tunnelled),
            TckFault::ParallelGiven => self.change(|how| how.scenario.parallel = Parallel::Four),
            TckFault::UuidFileLeft => self.leave(Side::Destination, Litter::UuidFile),
            TckFault::ListenerLeft => self.leave(Side::Destination, Litter::Listener),
            TckFault::CopyLeft => self.leave(Side::Destination, Litter::Copy),
            TckFault::ParallelWithheld => self.change(|how| how.scenario.parallel = Parallel::Off),
            TckFault::Throttled => {
                self.downtime_bound_ms = THROTTLED_BOUND_MS;
                self.change(|how| how.bandwidth_mib = Some(1));
            }
            TckFault::DomainLeft => self.leave_domain(),
            TckFault::FileLeft => {
                self.before(
                    |step| matches!(step, Step::Leftovers(_)),
                    Step::LeaveFile(Source),
                );
            }
        }
    }

    /// Changes how the migration is asked for.
    fn change(&mut self, change: impl Fn(&mut Migrate)) {
        for (_, step) in &mut self.steps {
            if let Step::Migrate(how) = step {
                change(how);
            }
        }
    }

    /// Clears the destination only after the look for leftovers.
    fn leave_domain(&mut self) {
        let clear = (Phase::Clear, Step::Clear(Side::Destination));
        self.steps.retain(|step| *step != clear);
        self.steps.push(clear);
    }
}
