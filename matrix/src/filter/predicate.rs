//! Predicates: what a filter can ask of a case.

use std::cmp::Ordering;

use crate::{
    Activity, Backend, Case, Control, Fault, Flag, FlagSet, Persistence, Place, Preparation,
    ReleaseName, Releases, SelectError, Suite, Version,
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
    Name(Glob),
    Release(Place, ReleaseName),
    Releases(Place, Glob),
    Version(Place, Bound),
    /// How the source's libvirt compares with the destination's.
    Jump(Ordering),
}

/// What a version is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) program: Program,
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
        let (scenario, state) = (case.scenario, case.scenario.state);
        Ok(match self {
            Self::Suite(suite) => case.suite == *suite,
            Self::Backend(backend) => case.backend == *backend,
            Self::Control(control) => scenario.control == *control,
            Self::Persistence(persistence) => state.persistence == *persistence,
            Self::Activity(activity) => state.activity == *activity,
            Self::Preparation(preparation) => state.preparation == *preparation,
            Self::Flag(flag) => scenario.flags.has(*flag),
            Self::Flags(flags) => scenario.flags == *flags,
            Self::Fault(fault) => case.fault == *fault,
            Self::Name(glob) => glob.matches(&case.to_string()),
            Self::Release(place, name) => case.tuple.at(*place) == name,
            Self::Releases(place, glob) => glob.matches(case.tuple.at(*place).as_str()),
            Self::Version(place, bound) => {
                bound.holds(bound.program.version(case.tuple.at(*place), releases)?)
            }
            Self::Jump(ordering) => {
                let source = Program::Libvirt.version(&case.tuple.source, releases)?;
                let destination = Program::Libvirt.version(&case.tuple.destination, releases)?;
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
