//! A point: a place in a suite's space, before a tuple and a back end are chosen for it.

use std::fmt;

use itertools::Itertools;

use crate::{
    Axis, AxisInfo, Backend, Backup, Chained, Colo, Condition, MachineChoice, Need, Raw, Scenario,
    Suite, axis::Value,
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
}

/// One thing that a case is or is not, in the words of the filter language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trait {
    /// The axis that it is a value of: a case has one trait of each axis.
    pub axis: String,
    /// The filter that is true of exactly the cases that have it.
    pub text: String,
}

impl Trait {
    pub(crate) fn of(axis: &str, value: impl fmt::Display) -> Self {
        Self {
            axis: axis.to_owned(),
            text: format!("{axis}({value})"),
        }
    }
}

impl From<Value> for Trait {
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
    ];
    let of_points = of_points.into_iter().flatten().copied();
    own.chain(of_points).unique_by(|axis| axis.name)
}

impl Point {
    /// The suite whose product it is in.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Tck(_) => Suite::Tck,
            Self::Qemu(_) => Suite::Qemu,
            Self::Colo(_) => Suite::Colo,
            Self::Backup(_) | Self::Chained(_) => Suite::Backup,
        }
    }

    /// The scenario, where libvirt or the hypervisor in memory runs it.
    #[must_use]
    pub const fn scenario(&self) -> Option<&Scenario> {
        match self {
            Self::Tck(scenario) => Some(scenario),
            Self::Chained(chained) => Some(&chained.scenario),
            Self::Qemu(_) | Self::Colo(_) | Self::Backup(_) => None,
        }
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub const fn backends(&self) -> &'static [Backend] {
        match self {
            Self::Tck(_) => &[Backend::Libvirt, Backend::Fake],
            Self::Qemu(_) | Self::Colo(_) | Self::Backup(_) => &[Backend::Qemu],
            Self::Chained(_) => &[Backend::Libvirt],
        }
    }

    /// What it is, trait by trait.
    #[must_use]
    pub fn traits(&self) -> Vec<Trait> {
        self.values().into_iter().map(Trait::from).collect()
    }

    /// Whether its axis of that name has the value of that word, or has it among others.
    #[must_use]
    pub fn is(&self, axis: &str, word: &str) -> bool {
        self.values().iter().any(|value| value.is(axis, word))
    }

    /// What it has of each of its axes.
    fn values(&self) -> Vec<Value> {
        match self {
            Self::Tck(scenario) => scenario.values(),
            Self::Qemu(raw) => raw.values(),
            Self::Colo(colo) => colo.values(),
            Self::Backup(backup) => backup.values(),
            Self::Chained(chained) => chained.values(),
        }
    }

    /// What it needs of the two QEMUs, where no libvirt stands between; the most telling first.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        match self {
            Self::Tck(_) | Self::Chained(_) => Vec::new(),
            Self::Qemu(raw) => raw.needs(),
            Self::Colo(colo) => colo.needs(),
            Self::Backup(backup) => backup.needs(),
        }
    }

    /// The machine of its guest.
    #[must_use]
    pub const fn machine(&self) -> MachineChoice {
        match self {
            Self::Tck(_) | Self::Backup(_) => MachineChoice::Q35,
            Self::Chained(chained) => chained.machine(),
            Self::Qemu(raw) => raw.machine,
            Self::Colo(colo) => colo.machine,
        }
    }

    /// The conditions that a case of it is judged by. What has no counterpart in a suite is left out
    /// of its cases, and not passed.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        match self {
            Self::Tck(_) => Condition::of_libvirt().to_vec(),
            Self::Qemu(raw) => raw.conditions(),
            Self::Colo(colo) => colo.conditions(),
            Self::Backup(backup) => backup.conditions(),
            Self::Chained(chained) => chained.conditions(),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tck(scenario) => scenario.fmt(f),
            Self::Qemu(raw) => raw.fmt(f),
            Self::Colo(colo) => colo.fmt(f),
            Self::Backup(backup) => backup.fmt(f),
            Self::Chained(chained) => chained.fmt(f),
        }
    }
}
