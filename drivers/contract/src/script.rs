//! The script of a case: its subject, and the steps in their phases.

mod backup;
mod colo;
mod raw;

use migratrix_guest::Parameters;
use migratrix_history::{Header, Side, When};
use migratrix_matrix::{
    Accelerator, Activity, Case, Fault, Flag, FlagSet, HostSetup, Persistence, Point, Preparation,
    Raw, Scenario,
};

use crate::{Migrate, Step, Uuid, Variant};

/// The domain that a case moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name: unique in the run, and the mark by which its residue is found.
    pub domain: String,
    /// Its UUID, as text.
    pub uuid: String,
    /// Another UUID, for a configuration that is in the way.
    pub foreign_uuid: String,
    /// The versioned machine type.
    pub machine: String,
    /// The domain's memory, in MiB.
    pub memory_mib: u32,
    /// The guest's parameters.
    pub guest: Parameters,
    /// The guest's boot image, by the path that both hosts know it by.
    pub boot_image: String,
    /// Whether the domain's QEMU gets a qtest socket, see [`Subject::qtest_socket`].
    pub qtest: bool,
    /// What the case says is done.
    pub point: Point,
    /// What a raw migration really does: as its case says, but for a fault; of a COLO pair, the
    /// migration that lies under it.
    pub raw: Raw,
}

/// The parts of a script, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Bring about the state that the scenario names.
    Prepare,
    /// Look at it.
    Before,
    /// Migrate.
    Migration,
    /// Look at what came of it.
    After,
    /// Clear everything away, always, and look for what is left.
    Clear,
}

/// What to do for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The case.
    pub case: Case,
    /// The domain that it moves.
    pub subject: Subject,
    /// The bound on the downtime, in milliseconds.
    pub downtime_bound_ms: u64,
    /// How the daemons of its hosts are set up.
    pub setup: HostSetup,
    /// The steps, phase after phase.
    pub steps: Vec<(Phase, Step)>,
}

/// The bandwidth of a `LIVE` migration, in MiB/s: slow enough that the guest laps while its memory
/// is copied, and fast enough that what a lap dirties fits into QEMU's default downtime limit of
/// 300 ms, so that the migration converges.
pub const LIVE_BANDWIDTH_MIB: u32 = 8;

impl Subject {
    /// Where the domain's QEMU listens for qtest, by the path that its host knows it by.
    #[must_use]
    pub fn qtest_socket(&self) -> String {
        format!("/run/{}.qtest", self.domain)
    }
}

impl Script {
    /// The script of `case`: what the scenario says, with the case's fault among the steps.
    /// `downtime_bound_ms` is the bound on the downtime, in milliseconds.
    #[must_use]
    pub fn of(case: &Case, mut subject: Subject, downtime_bound_ms: u64) -> Self {
        subject.qtest = case.fault.is_some_and(needs_qtest);
        subject.point = case.point;
        match &case.point {
            Point::Tck(_) => {}
            Point::Qemu(raw) => subject.raw = raw::really(*raw, case.fault),
            Point::Colo(colo) => subject.raw = colo::underneath(colo),
            Point::Backup(backup) => subject.guest.disk = backup::stamped(backup.writer),
            Point::Chained(chained) => subject.guest.disk = backup::stamped(chained.writer),
        }
        subject.guest.suspend = subject.raw.guest.sleeps();
        subject.guest.flush = subject.raw.accelerator != Accelerator::TcgUnflushed;
        let steps = match &case.point {
            Point::Tck(scenario) => plain(scenario),
            Point::Qemu(_) => raw::steps(&subject.raw),
            Point::Colo(colo) => colo::steps(colo),
            Point::Backup(backup) => backup::steps(backup),
            Point::Chained(chained) => {
                let mut steps = plain(&chained.scenario);
                backup::around(chained, &mut steps);
                steps
            }
        };
        let mut script = Self {
            case: case.clone(),
            subject,
            downtime_bound_ms,
            setup: HostSetup::default(),
            steps,
        };
        if let Some(fault) = case.fault {
            script.weave(fault);
        }
        script
    }

    /// What the record of an attempt at it opens with. `attempt` counts from 1; `began_unix` is in
    /// seconds since 1970 UTC.
    #[must_use]
    pub fn header(&self, attempt: u32, began_unix: u64) -> Header {
        Header {
            case: self.case.clone(),
            attempt,
            began_unix,
            domain: self.subject.domain.clone(),
            uuid: self.subject.uuid.clone(),
            machine: self.subject.machine.clone(),
            guest: self.subject.guest,
            downtime_bound_ms: self.downtime_bound_ms,
            setup: self.setup,
        }
    }

    /// Puts the steps of `fault` where it strikes.
    fn weave(&mut self, fault: Fault) {
        use Side::{Destination, Source};
        let own = |side| Step::Define(side, Uuid::Own);
        match fault {
            Fault::SourceUndefined => self.after(Phase::Prepare, [Step::Undefine(Source)]),
            Fault::SourceDefined => self.after(Phase::Prepare, [own(Source)]),
            Fault::SourceSuspended => self.after(Phase::Prepare, [Step::Suspend(Source)]),
            Fault::SourceResumed => self.after(Phase::Prepare, [Step::Resume(Source)]),
            Fault::SourceHalted => self.after(Phase::Prepare, [Step::HaltGuest(Source)]),
            Fault::DestinationUndefined => {
                self.after(Phase::Prepare, [Step::Undefine(Destination)]);
            }
            Fault::DestinationDefined => self.after(Phase::Prepare, [own(Destination)]),
            Fault::ForeignUuid => self.after(
                Phase::Before,
                [
                    Step::Undefine(Destination),
                    Step::Define(Destination, Uuid::Foreign),
                ],
            ),
            Fault::DaemonStopped => self.after(Phase::Before, [Step::StopDaemon(Source)]),
            Fault::QemuKilled => self.after(Phase::Before, [Step::KillQemu(Source)]),
            Fault::ClientKilled => self.after(Phase::Before, [Step::KillClient]),
            Fault::SourceStartedAgain => {
                let again = Step::Start(Source, Persistence::Transient, Variant::Plain);
                self.after(Phase::Migration, [again]);
            }
            Fault::SourceConfigRemoved => self.after(Phase::Migration, [Step::Undefine(Source)]),
            Fault::SourceConfigAdded => self.after(Phase::Migration, [own(Source)]),
            Fault::DestinationCleared => self.after(Phase::Migration, [Step::Clear(Destination)]),
            Fault::DestinationDestroyed => {
                self.after(Phase::Migration, [Step::Destroy(Destination)]);
            }
            Fault::DestinationConfigRemoved => {
                self.after(Phase::Migration, [Step::Undefine(Destination)]);
            }
            Fault::DestinationConfigAdded => self.after(Phase::Migration, [own(Destination)]),
            Fault::DestinationSuspended => {
                self.after(Phase::Migration, [Step::Suspend(Destination)]);
            }
            Fault::DestinationResumed => self.after(Phase::Migration, [Step::Resume(Destination)]),
            Fault::MemoryByte => {
                self.before(
                    |step| matches!(step, Step::Survey(_)),
                    Step::Suspend(Destination),
                );
                self.before(
                    |step| matches!(step, Step::Survey(_)),
                    Step::PokeByte(Destination),
                );
            }
            Fault::DestinationHalted => {
                self.after(Phase::Migration, [Step::HaltGuest(Destination)]);
            }
            Fault::DeviceAdded => {
                let other = Step::Start(Destination, Persistence::Transient, Variant::ExtraDevice);
                self.after(Phase::Migration, [Step::Clear(Destination), other]);
            }
            Fault::DestinationFlickered => self.after(
                Phase::Migration,
                [Step::Suspend(Destination), Step::Resume(Destination)],
            ),
            Fault::LiveGiven => self.change(|how| how.flags = how.flags.with(Flag::Live)),
            Fault::LiveWithheld => {
                self.change(|how| {
                    how.flags = how
                        .flags
                        .iter()
                        .filter(|flag| *flag != Flag::Live)
                        .collect()
                });
            }
            Fault::Throttled => {
                self.downtime_bound_ms = THROTTLED_BOUND_MS;
                self.change(|how| how.bandwidth_mib = Some(1));
            }
            Fault::Raw(fault) => self.weave_raw(fault),
            Fault::Colo(fault) => self.weave_colo(fault),
            Fault::Backup(fault) => self.weave_backup(fault),
            Fault::Chained(fault) => self.weave_chained(fault),
            Fault::DomainLeft => self.leave_domain(),
            Fault::FileLeft => {
                self.before(
                    |step| matches!(step, Step::Residue(_)),
                    Step::LeaveFile(Source),
                );
            }
        }
    }

    /// Adds steps at the end of `phase`.
    fn after<const N: usize>(&mut self, phase: Phase, steps: [Step; N]) {
        let place = self.steps.partition_point(|(at, _)| *at <= phase);
        self.steps
            .splice(place..place, steps.map(|step| (phase, step)));
    }

    /// Changes how the migration is asked for.
    fn change(&mut self, change: impl Fn(&mut Migrate)) {
        for (_, step) in &mut self.steps {
            if let Step::Migrate(how) = step {
                change(how);
            }
        }
    }

    /// Puts `step` right before the first step that `is` names, in the phase of that one.
    fn before(&mut self, is: impl Fn(&Step) -> bool, step: Step) {
        if let Some(place) = self.steps.iter().position(|(_, other)| is(other)) {
            let phase = self.steps[place].0;
            self.steps.insert(place, (phase, step));
        }
    }

    /// Clears the destination only after the look for residue.
    fn leave_domain(&mut self) {
        let clear = (Phase::Clear, Step::Clear(Side::Destination));
        self.steps.retain(|step| *step != clear);
        self.steps.push(clear);
    }
}

/// The downtime bound of [`Fault::Throttled`], in milliseconds: well above what the small guest
/// needs unbounded, and well below its stamped MiB at 1 MiB/s.
const THROTTLED_BOUND_MS: u64 = 600;

const fn needs_qtest(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::MemoryByte | Fault::SourceHalted | Fault::DestinationHalted
    )
}

/// The steps of a case without a fault.
fn plain(scenario: &Scenario) -> Vec<(Phase, Step)> {
    let state = scenario.state;
    let mut steps = vec![(Phase::Prepare, Step::Connect)];
    if state.preparation == Preparation::Prepared {
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
        Step::Look(Side::Source, When::Before),
        Step::Beat(Side::Source, When::Before),
        Step::Look(Side::Destination, When::Before),
    ];
    let migration = Step::Migrate(Migrate {
        control: scenario.control,
        flags: scenario.flags,
        bandwidth_mib: bandwidth(scenario.flags),
    });
    let after = [
        Step::Look(Side::Source, When::After),
        Step::Look(Side::Destination, When::After),
        Step::Beat(Side::Source, When::After),
        Step::Beat(Side::Destination, When::After),
        Step::Job(Side::Destination),
        Step::Survey(Side::Destination),
    ];
    let clear = [
        Step::Clear(Side::Destination),
        Step::Clear(Side::Source),
        Step::Residue(Side::Source),
        Step::Residue(Side::Destination),
    ];
    steps.extend(before.map(|step| (Phase::Before, step)));
    steps.push((Phase::Migration, migration));
    steps.extend(after.map(|step| (Phase::After, step)));
    steps.extend(clear.map(|step| (Phase::Clear, step)));
    steps
}

fn bandwidth(flags: FlagSet) -> Option<u32> {
    flags.has(Flag::Live).then_some(LIVE_BANDWIDTH_MIB)
}
