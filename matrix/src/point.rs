//! A point: a place in a suite's space, before a tuple and a back end are chosen for it.

use std::fmt;

use itertools::Itertools;
use serde::Serialize;

use crate::{
    Axis, AxisInfo, Backend, Backup, BadWord, CaseEnd, Chained, Colo, ColoChannel, Condition,
    Ending, Expectation, Flag, MachineChoice, Raw, RawExpectation, Recovery, Requirement, Rule,
    Scenario, StorageMigration, Strike, Suite, axis::Value,
};

/// What a case does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// A migration through libvirt.
    Tck(Scenario),
    /// A migration between two QEMUs.
    Qemu(Raw),
    /// Two guests in lock-step.
    Colo(Colo),
    /// A chain of backups.
    Backup(Backup),
    /// A chain of backups around a migration through libvirt.
    Chained(Chained),
    /// A migration through libvirt that is struck on its way.
    Recovery(Recovery),
}

/// What must come of a case, in the form of its suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Expected {
    /// Of a migration through libvirt.
    Managed(Expectation),
    /// Of a migration between two QEMUs.
    Raw(RawExpectation),
    /// Of a migration that is struck, by the newest libvirt: one of these.
    Struck(Vec<Ending>),
    /// What it is judged by, where nothing else is told.
    Conditions(Vec<Condition>),
}

/// A column of a report's tables: the name of an axis, and a word of it.
pub type Column = (&'static str, &'static str);

/// Why a text is no point.
pub(crate) enum UnreadPoint {
    /// It has too few parts, or too many.
    Shape,
    /// One of its words is wrong.
    Word(BadWord),
}

/// One thing that a case is or is not, in the words of the filter language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facet {
    /// The axis that it is a value of: a case has one trait of each axis.
    pub axis: String,
    /// The filter that is true of exactly the cases that have it.
    pub text: String,
}

impl Facet {
    pub(crate) fn of(axis: &str, value: impl fmt::Display) -> Self {
        Self {
            axis: axis.to_owned(),
            text: format!("{axis}({value})"),
        }
    }
}

impl From<Value> for Facet {
    fn from(value: Value) -> Self {
        match value {
            Value::Is(axis, word) => Self {
                axis: axis.name.to_owned(),
                text: format!("{}({word})", axis.predicate),
            },
            Value::Has(axis, word, has) => {
                let (not, axis) = (if has { "" } else { "!" }, axis.predicate);
                Self {
                    axis: format!("{axis}({word})"),
                    text: format!("{not}{axis}({word})"),
                }
            }
        }
    }
}

/// The axes of all cases: their own, and those of the points of every suite, each once.
pub fn axes() -> impl Iterator<Item = &'static AxisInfo> {
    let own = [&Suite::INFO, &Backend::INFO].into_iter();
    let of_points = [
        Scenario::AXES,
        Raw::AXES,
        Colo::AXES,
        Backup::AXES,
        Chained::AXES,
        Recovery::AXES,
    ];
    let of_points = of_points.into_iter().flatten().copied();
    own.chain(of_points).unique_by(|axis| axis.name)
}

/// What a point of a suite knows of itself.
pub(crate) trait SuitePoint: fmt::Display {
    /// The suite whose product it is in.
    fn suite(&self) -> Suite;

    /// What can run it, the usual one first.
    fn backends(&self) -> &'static [Backend];

    /// What it has of each of its axes.
    fn values(&self) -> Vec<Value>;

    /// The rule of its suite that leaves it out; `None` where it may be run.
    fn excluded(&self) -> Option<&'static Rule> {
        None
    }

    /// What it needs of the two QEMUs, where no libvirt stands between; the most telling first.
    fn needs(&self) -> Vec<Requirement> {
        Vec::new()
    }

    /// The machine of its guest.
    fn machine(&self) -> MachineChoice {
        MachineChoice::Q35
    }

    /// The conditions that a case of it is judged by.
    fn conditions(&self) -> Vec<Condition>;

    /// What must come of it.
    fn expected(&self) -> Expected {
        Expected::Conditions(self.conditions())
    }

    /// How it must end.
    fn end(&self) -> CaseEnd {
        CaseEnd::Success
    }

    /// The axis, and the word of it, that tells it from others in a table of cases.
    fn column(&self) -> Column {
        (Suite::NAME, self.suite().word())
    }

    /// The programs that it needs beside QEMU's own, where no libvirt stands between.
    fn tools(&self) -> &'static [&'static str] {
        &[]
    }

    /// The scenario, where libvirt or the hypervisor in memory runs it.
    fn scenario(&self) -> Option<&Scenario> {
        None
    }

    /// Whether a guest goes from the source to the destination: where it does not, the case tells nothing of
    /// the destination.
    fn migrates(&self) -> bool {
        true
    }

    /// The point of a suite without libvirt that does the same.
    fn counterpart(&self) -> Option<Point> {
        None
    }
}

impl Point {
    /// The one place that knows which kinds of points there are.
    fn of_suite(&self) -> &dyn SuitePoint {
        match self {
            Self::Tck(scenario) => scenario,
            Self::Qemu(raw) => raw,
            Self::Colo(colo) => colo,
            Self::Backup(backup) => backup,
            Self::Chained(chained) => chained,
            Self::Recovery(recovery) => recovery,
        }
    }

    /// The point that a case's name has, which `backend` is to run.
    pub(crate) fn read(text: &str, backend: Backend) -> Result<Self, UnreadPoint> {
        let mut parts = text.split('/');
        let first = parts.next().unwrap_or_default();
        let more = parts.count();
        let journey = first.parse::<StorageMigration>().is_ok();
        let strike = first.parse::<Strike>().is_ok();
        let channel = first.parse::<ColoChannel>().is_ok();
        let point = match (backend.has_client(), more) {
            (false, 3) if channel => text.parse().map(Self::Colo),
            (false, 3) if journey => text.parse().map(Self::Backup),
            (false, 3) => text.parse().map(Self::Qemu),
            (true, 2 | 3) => text.parse().map(Self::Tck),
            (true, 4..) if strike => text.parse().map(Self::Recovery),
            (true, 4..) if journey => text.parse().map(Self::Chained),
            (true | false, _) => return Err(UnreadPoint::Shape),
        };
        point.map_err(UnreadPoint::Word)
    }

    /// The suite whose product it is in.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.of_suite().suite()
    }

    /// The scenario, where libvirt or the hypervisor in memory runs it.
    #[must_use]
    pub fn scenario(&self) -> Option<&Scenario> {
        self.of_suite().scenario()
    }

    /// The raw migration, where it is one.
    #[must_use]
    pub const fn raw(&self) -> Option<&Raw> {
        if let Self::Qemu(raw) = self {
            Some(raw)
        } else {
            None
        }
    }

    /// Whether the guest runs while its memory is copied: it is down for a moment only.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let scenario = self.scenario();
        scenario.is_none_or(|scenario| scenario.flags.has(Flag::Live))
    }

    /// Whether a guest goes from the source to the destination: where it does not, the case tells nothing of
    /// the destination.
    #[must_use]
    pub fn migrates(&self) -> bool {
        self.of_suite().migrates()
    }

    /// What must come of it.
    #[must_use]
    pub fn expected(&self) -> Expected {
        self.of_suite().expected()
    }

    /// How it must end.
    #[must_use]
    pub fn end(&self) -> CaseEnd {
        self.of_suite().end()
    }

    /// The column of a report's tables that its cases stand in.
    #[must_use]
    pub fn column(&self) -> Column {
        self.of_suite().column()
    }

    /// The programs that it needs beside QEMU's own, where no libvirt stands between.
    #[must_use]
    pub fn tools(&self) -> &'static [&'static str] {
        self.of_suite().tools()
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub fn backends(&self) -> &'static [Backend] {
        self.of_suite().backends()
    }

    /// What it is, trait by trait.
    #[must_use]
    pub fn facets(&self) -> Vec<Facet> {
        let values = self.of_suite().values().into_iter();
        values.map(Facet::from).collect()
    }

    /// Whether its axis of that name has the value of that word, or has it among others.
    #[must_use]
    pub fn is(&self, axis: &str, word: &str) -> bool {
        let values = self.of_suite().values();
        values.iter().any(|value| value.is(axis, word))
    }

    /// The rule of its suite that leaves it out; `None` where it may be run.
    pub(crate) fn excluded(&self) -> Option<&'static Rule> {
        self.of_suite().excluded()
    }

    /// The point of a suite without libvirt that does the same; `None` where there is none.
    pub(crate) fn counterpart(&self) -> Option<Self> {
        self.of_suite().counterpart()
    }

    /// What it needs of the two QEMUs, where no libvirt stands between; the most telling first.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        self.of_suite().needs()
    }

    /// The machine of its guest.
    #[must_use]
    pub fn machine(&self) -> MachineChoice {
        self.of_suite().machine()
    }

    /// The conditions that a case of it is judged by. What has no counterpart in a suite is left out
    /// of its cases, and not passed.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        self.of_suite().conditions()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of_suite().fmt(f)
    }
}
