//! A point: a place in a suite's space, before a tuple and a back end are chosen for it.

use std::fmt;

use crate::{
    Backend, Backup, Chained, Colo, Condition, Flag, MachineChoice, Need, Raw, Scenario, Suite,
    axis::Axis,
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

    fn part_of_state(axis: &str, value: &str) -> Self {
        Self {
            axis: axis.to_owned(),
            text: format!("state({value})"),
        }
    }

    fn switch(kind: &str, value: &str, on: bool) -> Self {
        let not = if on { "" } else { "!" };
        Self {
            axis: format!("{kind}({value})"),
            text: format!("{not}{kind}({value})"),
        }
    }
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
        match self {
            Self::Tck(scenario) => of_scenario(scenario),
            Self::Qemu(raw) => of_raw(raw),
            Self::Colo(colo) => of_values(&colo.values()),
            Self::Backup(backup) => of_values(&backup.values()),
            Self::Chained(chained) => {
                let mut all = of_values(&chained.values());
                all.extend(of_scenario(&chained.scenario));
                all
            }
        }
    }

    /// Whether its axis of that name, which is an [`Axis`], has the value of that word; a feature is
    /// on.
    #[must_use]
    pub fn is(&self, axis: &str, word: &str) -> bool {
        match self {
            Self::Tck(scenario) => scenario.values().contains(&(axis, word)),
            Self::Qemu(raw) => raw.is(axis, word),
            Self::Colo(colo) => colo.values().contains(&(axis, word)),
            Self::Backup(backup) => backup.values().contains(&(axis, word)),
            Self::Chained(chained) => {
                let scenario = chained.scenario.values();
                chained.values().contains(&(axis, word)) || scenario.contains(&(axis, word))
            }
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

fn of_scenario(scenario: &Scenario) -> Vec<Trait> {
    let state = scenario.state;
    let mut all = vec![
        Trait::of("control", scenario.control.word()),
        Trait::part_of_state("persistence", state.persistence.word()),
        Trait::part_of_state("activity", state.activity.word()),
        Trait::part_of_state("preparation", state.preparation.word()),
    ];
    let flags = Flag::ALL.map(|flag| Trait::switch("flag", flag.word(), scenario.flags.has(flag)));
    all.extend(flags);
    all.extend(of_values(&scenario.values()));
    all
}

fn of_values(values: &[(&str, &str)]) -> Vec<Trait> {
    let values = values.iter();
    values.map(|(axis, word)| Trait::of(axis, word)).collect()
}

fn of_raw(raw: &Raw) -> Vec<Trait> {
    let values = raw.values().into_iter();
    let mut all: Vec<_> = values.map(|(axis, word)| Trait::of(axis, word)).collect();
    let features = crate::Feature::ALL.iter();
    all.extend(features.map(|one| Trait::switch("feature", one.word(), raw.features.has(*one))));
    all
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
