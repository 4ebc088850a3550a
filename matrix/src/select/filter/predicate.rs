//! Predicates: what a filter can ask of a case.

use std::cmp::Ordering;

use crate::{
    Activity, Backend, Case, Control, Fault, Flag, FlagSet, Persistence, Place, Point, Preparation,
    ReleaseName, Releases, Scenario, SelectError, Suite, Version,
};

use super::glob::Glob;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    Suite(Suite),
    Backend(Backend),
    Control(Control),
    Persistence(Persistence),
    Activity(Activity),
    Preparation(Preparation),
    Flag(Flag),
    Flags(FlagSet),
    Fault(Option<Fault>),
    /// A value of an axis: the axis's name, the value's word.
    Value(&'static str, &'static str),
    /// One of several values of an axis: the axis's name, the values' words.
    Values(&'static str, Vec<&'static str>),
    Name(Glob),
    Release(Place, ReleaseName),
    Releases(Place, Glob),
    Version(Place, Bound),
    /// How the source's version compares with the destination's.
    Jump(Ordering),
}

/// What a version is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// Whose version; `None` for that of the case's [own program](Program::of).
    pub(super) program: Option<Program>,
    pub(super) comparison: Comparison,
    /// Its one to three numbers, as far as they are written.
    pub(super) numbers: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Libvirt,
    Qemu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

impl Predicate {
    pub(super) fn holds(&self, case: &Case, releases: &Releases) -> Result<bool, SelectError> {
        let of_scenario = |is: &dyn Fn(&Scenario) -> bool| case.scenario().is_some_and(is);
        Ok(match self {
            Self::Suite(suite) => case.suite == *suite,
            Self::Backend(backend) => case.backend == *backend,
            Self::Control(control) => of_scenario(&|one| one.control == *control),
            Self::Persistence(persistence) => {
                of_scenario(&|one| one.state.persistence == *persistence)
            }
            Self::Activity(activity) => of_scenario(&|one| one.state.activity == *activity),
            Self::Preparation(preparation) => {
                of_scenario(&|one| one.state.preparation == *preparation)
            }
            Self::Flag(flag) => of_scenario(&|one| one.flags.has(*flag)),
            Self::Flags(flags) => of_scenario(&|one| one.flags == *flags),
            Self::Fault(fault) => case.fault == *fault,
            Self::Value(axis, word) => case.point.is(axis, word),
            Self::Values(axis, words) => words.iter().any(|word| case.point.is(axis, word)),
            Self::Name(glob) => glob.matches(&case.to_string()),
            Self::Release(place, name) => case.tuple.at(*place) == name,
            Self::Releases(place, glob) => glob.matches(case.tuple.at(*place).as_str()),
            Self::Version(place, bound) => {
                let program = bound.program.unwrap_or(Program::of(case));
                bound.holds(program.version(case.tuple.at(*place), releases)?)
            }
            Self::Jump(ordering) => {
                let program = Program::of(case);
                let source = program.version(&case.tuple.source, releases)?;
                let destination = program.version(&case.tuple.destination, releases)?;
                source.cmp(&destination) == *ordering
            }
        })
    }

    /// The release that it names.
    pub(super) fn release(&self) -> Option<&ReleaseName> {
        if let Self::Release(_, name) = self {
            Some(name)
        } else {
            None
        }
    }
}

impl Bound {
    /// Compares as many numbers as the bound has.
    fn holds(&self, version: Version) -> bool {
        let numbers = [version.major, version.minor, version.micro];
        let ordering = numbers[..self.numbers.len()].cmp(&self.numbers);
        match self.comparison {
            Comparison::Less => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::Equal => ordering.is_eq(),
            Comparison::AtLeast => ordering.is_ge(),
            Comparison::Greater => ordering.is_gt(),
        }
    }
}

impl Program {
    /// The one that a case is about: a user's own build of QEMU comes without a libvirt.
    fn of(case: &Case) -> Self {
        match case.point {
            Point::Tck(_) | Point::Chained(_) => Self::Libvirt,
            Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) => Self::Qemu,
        }
    }

    fn version(self, release: &ReleaseName, releases: &Releases) -> Result<Version, SelectError> {
        let known = releases.find(release)?;
        let (program, version) = match self {
            Self::Libvirt => ("libvirt", known.libvirt),
            Self::Qemu => ("QEMU", known.qemu),
        };
        version.ok_or_else(|| SelectError::UnknownVersion {
            program,
            release: release.clone(),
        })
    }
}
