//! The script of a case: its subject, and the steps in their phases.

mod backup;
mod colo;
mod qemu;
mod recovery;
mod tck;

use migratrix_guest::Parameters;
use migratrix_history::{Header, Side};
use migratrix_matrix::{Accelerator, Case, Fault, HostSetup, Point, Raw, Strike};

use crate::{Litter, MONITORS, Step};
pub use tck::LIVE_BANDWIDTH_MIB;

/// What is decided for a case's domain by who runs it: its names, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSpec {
    /// Its name: unique in the run, and the mark by which its leftovers are found.
    pub domain: String,
    /// Its UUID, as text.
    pub uuid: String,
    /// Another UUID, for a configuration that is in the way.
    pub foreign_uuid: String,
    /// The versioned machine type.
    pub machine: String,
    /// The domain's memory, in MiB.
    pub memory_mib: u32,
    /// The guest's parameters, but for what the case says of them.
    pub guest: Parameters,
    /// The guest's boot image, by the path that both hosts know it by.
    pub boot_image: String,
}

/// A processor that is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cpu {
    /// It is of this model.
    Model(String),
    /// It is the usual one, and told to be without this feature.
    Without(String),
}

/// The domain that a case moves. It is made whole by [`Subject::of`], and by nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// Its name: unique in the run, and the mark by which its leftovers are found.
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
    /// What its processors are; the usual ones where nothing is said, and until a driver says so.
    pub cpu: Option<Cpu>,
    /// Whether the domain's QEMU gets a qtest socket, see [`Subject::qtest_socket`].
    pub qtest: bool,
    /// What the case says is done.
    pub point: Point,
    /// What a raw migration really does: as its case says, but for a fault; of a COLO pair, the
    /// migration that lies under it; of any other case, the usual one.
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

/// How much memory a guest stamps whose migration is to be lost half-way: so much that it still waits for
/// pages when that comes. QEMU sends some thirty at once, ten times a second, whatever the bandwidth.
const RECOVERED_BYTES: u32 = 8 << 20;

/// Whether a fault is committed through qtest.
fn needs_qtest(fault: Option<Fault>) -> bool {
    match fault {
        Some(Fault::Tck(fault)) => tck::needs_qtest(fault),
        Some(Fault::Recovery(fault)) => recovery::needs_qtest(fault),
        Some(Fault::Raw(_) | Fault::Colo(_) | Fault::Backup(_) | Fault::Chained(_)) | None => false,
    }
}

/// Whether what its guest needs is taken from it through qtest.
fn crashes(point: &Point) -> bool {
    matches!(point, Point::Recovery(point) if point.strike == Strike::GuestCrashed)
}

impl Subject {
    /// The subject of `case`, with all that the case says of it.
    #[must_use]
    pub fn of(case: &Case, spec: DomainSpec) -> Self {
        let raw = match &case.point {
            Point::Qemu(raw) => qemu::effective(*raw, case.fault),
            Point::Colo(colo) => colo::base_migration(colo),
            Point::Tck(_) | Point::Backup(_) | Point::Chained(_) | Point::Recovery(_) => Raw::USUAL,
        };
        let disk = match &case.point {
            Point::Backup(backup) => backup::stamped(backup.writer),
            Point::Chained(chained) => backup::stamped(chained.writer),
            Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Recovery(_) => spec.guest.disk,
        };
        let bytes = match &case.point {
            Point::Recovery(recovery) => recovery::stamped(recovery.moment),
            Point::Qemu(_)
            | Point::Colo(_)
            | Point::Tck(_)
            | Point::Backup(_)
            | Point::Chained(_) => raw.incident.is_recovery().then_some(RECOVERED_BYTES),
        };
        let guest = Parameters {
            suspend: raw.guest.sleeps(),
            flush: raw.accelerator != Accelerator::TcgUnflushed,
            disk,
            end: bytes.map_or(spec.guest.end, |bytes| spec.guest.start + bytes),
            ..spec.guest
        };
        Self {
            domain: spec.domain,
            uuid: spec.uuid,
            foreign_uuid: spec.foreign_uuid,
            machine: spec.machine,
            memory_mib: spec.memory_mib.max(guest.memory_mib()),
            guest,
            boot_image: spec.boot_image,
            cpu: None,
            qtest: needs_qtest(case.fault) || crashes(&case.point),
            point: case.point,
            raw,
        }
    }

    /// The steps that it goes through where nothing is broken on purpose.
    fn steps(&self) -> Vec<(Phase, Step)> {
        match &self.point {
            Point::Tck(scenario) => tck::steps(scenario),
            Point::Qemu(named) => qemu::steps(&self.raw, named),
            Point::Colo(colo) => colo::steps(colo),
            Point::Backup(backup) => backup::steps(backup),
            Point::Chained(chained) => backup::wrap(chained, tck::steps(&chained.scenario)),
            Point::Recovery(recovery) => recovery::steps(recovery),
        }
    }

    /// Where the domain's QEMU listens for qtest, by the path that its host knows it by.
    #[must_use]
    pub fn qtest_socket(&self) -> String {
        match self.point {
            Point::Recovery(_) => format!("{MONITORS}/{}.qtest", self.domain),
            Point::Tck(_)
            | Point::Qemu(_)
            | Point::Colo(_)
            | Point::Backup(_)
            | Point::Chained(_) => format!("/run/{}.qtest", self.domain),
        }
    }
}

impl Script {
    /// The script of `case`: what the scenario says, with the case's fault among the steps.
    /// `downtime_bound_ms` is the bound on the downtime, in milliseconds.
    #[must_use]
    pub fn of(case: &Case, spec: DomainSpec, downtime_bound_ms: u64) -> Self {
        let subject = Subject::of(case, spec);
        let mut script = Self {
            case: case.clone(),
            steps: subject.steps(),
            subject,
            downtime_bound_ms,
            setup: HostSetup::default(),
        };
        if let Some(fault) = case.fault {
            script.inject_fault(fault);
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
            began_ms: 0,
            domain: self.subject.domain.clone(),
            uuid: self.subject.uuid.clone(),
            machine: self.subject.machine.clone(),
            guest: self.subject.guest,
            downtime_bound_ms: self.downtime_bound_ms,
            setup: self.setup,
            evidence: Header::EVIDENCE,
        }
    }

    /// Puts the steps of `fault` where it strikes.
    fn inject_fault(&mut self, fault: Fault) {
        match fault {
            Fault::Tck(fault) => self.inject_tck(fault),
            Fault::Raw(fault) => self.inject_raw(fault),
            Fault::Colo(fault) => self.inject_colo(fault),
            Fault::Backup(fault) => self.inject_backup(fault),
            Fault::Chained(fault) => self.inject_chained(fault),
            Fault::Recovery(fault) => self.inject_recovery(fault),
        }
    }

    /// Adds steps at the end of `phase`.
    fn after<const N: usize>(&mut self, phase: Phase, steps: [Step; N]) {
        let place = self.steps.partition_point(|(at, _)| *at <= phase);
        self.steps
            .splice(place..place, steps.map(|step| (phase, step)));
    }

    /// Leaves something on a side when all is cleared.
    fn leave(&mut self, side: Side, litter: Litter) {
        let is_for_leftovers = |step: &Step| matches!(step, Step::Leftovers(_));
        self.before(is_for_leftovers, Step::Leave(side, litter));
    }

    /// Holds the guest still on the destination, and puts `step` right before its memory is read.
    fn before_survey(&mut self, step: Step) {
        let is_survey = |step: &Step| matches!(step, Step::Survey(_));
        self.before(is_survey, Step::Suspend(Side::Destination));
        self.before(is_survey, step);
    }

    /// Puts `step` right before the first step that `is` names, in the phase of that one.
    fn before(&mut self, is: impl Fn(&Step) -> bool, step: Step) {
        if let Some(place) = self.steps.iter().position(|(_, other)| is(other)) {
            let phase = self.steps[place].0;
            self.steps.insert(place, (phase, step));
        }
    }
}
