//! Predicates: what a filter can ask of a case.

use std::cmp::Ordering;

use wildmatch::WildMatch;

use crate::{Case, Fault, FlagSet, ReleaseName, Releases, Role, SelectError, Version};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    /// One of several values: each the axis's name and the value's word.
    Is(Vec<(&'static str, &'static str)>),
    Flags(FlagSet),
    NoFault,
    /// One of these faults.
    Faults(Vec<Fault>),
    /// A glob for the name.
    Name(String),
    Release(Role, ReleaseName),
    Releases(Role, String),
    Version(Role, Bound),
    /// How the source's version compares with the destination's.
    Direction(Ordering),
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
        Ok(match self {
            Self::Is(values) => values.iter().any(|(axis, word)| case.is(axis, word)),
            Self::Flags(flags) => case.scenario().is_some_and(|one| one.flags == *flags),
            Self::NoFault => case.fault.is_none(),
            Self::Faults(faults) => case.fault.is_some_and(|fault| faults.contains(&fault)),
            Self::Name(glob) => {
                let glob = WildMatch::new(glob);
                glob.matches(&case.to_string()) || glob.matches(&case.first_name())
            }
            Self::Release(place, name) => case.tuple.at(*place) == name,
            Self::Releases(place, glob) => {
                WildMatch::new(glob).matches(case.tuple.at(*place).as_str())
            }
            Self::Version(place, bound) => {
                let program = bound.program.unwrap_or(Program::of(case));
                bound.holds(program.version(case.tuple.at(*place), releases)?)
            }
            Self::Direction(ordering) => {
                let program = Program::of(case);
                let source = program.version(&case.tuple.source, releases)?;
                let destination = program.version(&case.tuple.destination, releases)?;
                source.cmp(&destination) == *ordering
            }
        })
    }

    /// Whether it asks for releases or for their versions, and for nothing else.
    pub(super) const fn is_of_releases(&self) -> bool {
        match self {
            Self::Release(..) | Self::Releases(..) | Self::Version(..) | Self::Direction(_) => true,
            Self::Is(_) | Self::Flags(_) | Self::NoFault | Self::Faults(_) | Self::Name(_) => false,
        }
    }

    /// Whether it is a bound of versions.
    pub(super) const fn is_bound(&self) -> bool {
        matches!(self, Self::Version(..))
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
    /// Its numbers, and the first version beyond all that begin so.
    fn begins(&self) -> [Version; 2] {
        let version = |numbers: &[u32]| {
            let number = |place: usize| numbers.get(place).copied().unwrap_or(0);
            Version::new(number(0), number(1), number(2))
        };
        let mut beyond = self.numbers.clone();
        if let Some(last) = beyond.last_mut() {
            *last = last.saturating_add(1);
        }
        [version(&self.numbers), version(&beyond)]
    }

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

/// Whether no version does by all bounds of one place and program.
pub(super) fn is_void(bounds: &[(Role, &Bound)]) -> bool {
    bounds.iter().any(|(role, of)| {
        let alike = bounds
            .iter()
            .filter(|(other, bound)| (other, bound.program) == (role, of.program));
        let alike: Vec<_> = alike.map(|(_, bound)| *bound).collect();
        // Where a range of several bounds is not empty, it begins where one of them does, or at 0.
        let mut begins = alike.iter().flat_map(|bound| bound.begins());
        let is_in = |version: Version| alike.iter().all(|bound| bound.holds(version));
        !begins.any(is_in) && !is_in(Version::new(0, 0, 0))
    })
}

impl Program {
    /// The one that a case is about: a user's own build of QEMU comes without a libvirt.
    fn of(case: &Case) -> Self {
        if case.scenario().is_some() {
            Self::Libvirt
        } else {
            Self::Qemu
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
