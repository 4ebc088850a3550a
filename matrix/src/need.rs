//! What a case needs of a QEMU or of the machine, which not every release has: its gates.

use std::fmt;

use crate::{Side, Version};

/// One thing that a case needs of one side or of the machine that it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// Who must have it.
    pub holder: Holder,
    /// What.
    pub ability: Ability,
}

/// Who must have what a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The QEMU of a side.
    Side(Side),
    /// Neither side: the machine that both run on, and what they share.
    Machine,
}

/// One thing that a QEMU, or a machine, has or hasn't got. All but the last two are probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// A capability of the migration.
    Capability(&'static str),
    /// A parameter of the migration.
    Parameter(&'static str),
    /// A value of a parameter: the parameter, the value.
    ParameterValue(&'static str, &'static str),
    /// An argument of a command, or a way into it: `migrate`, `channels.addr.transport`.
    Argument(&'static str, &'static str),
    /// A transport of migration's addresses.
    AddressType(&'static str),
    /// A device type.
    Device(&'static str),
    /// A machine type of this family that both have: `pc-q35`, `pc-i440fx`.
    Machine(&'static str),
    /// KVM, on hardware that virtualizes.
    Kvm,
    /// A file system that takes direct I/O.
    DirectIo,
    /// `userfaultfd` for the user that QEMU runs as.
    Userfaultfd,
    /// At least this version; why, and where it is written.
    Since(Version, &'static str),
    /// A version before this one; why, and where it is written.
    Until(Version, &'static str),
    /// Both sides before this version, or neither; why, and where it is written.
    Alike(Version, &'static str),
}

/// What can't be probed: which points, on which sides, and what is asked of the version.
pub(crate) struct Row<P> {
    pub of: fn(&P) -> bool,
    pub holders: &'static [Holder],
    pub ability: Ability,
}

pub(crate) const SOURCE: Holder = Holder::Side(Side::Source);
pub(crate) const DESTINATION: Holder = Holder::Side(Side::Destination);
pub(crate) const BOTH: &[Holder] = &[SOURCE, DESTINATION];

/// Adds what the rows ask of the versions for `point`.
pub(crate) fn of_versions<P>(rows: &[Row<P>], point: &P, all: &mut Vec<Requirement>) {
    for row in rows.iter().filter(|row| (row.of)(point)) {
        on(row.holders, row.ability.clone(), all);
    }
}

/// Adds the same need of each of `holders`.
pub(crate) fn on(holders: &[Holder], ability: Ability, all: &mut Vec<Requirement>) {
    all.extend(holders.iter().map(|holder| Requirement {
        holder: *holder,
        ability: ability.clone(),
    }));
}

impl Requirement {
    /// Whether the versions of both sides' QEMUs, where they are known, tell that it is not met. What is probed
    /// they don't tell.
    #[must_use]
    pub fn is_ruled_out(&self, [source, destination]: [Option<Version>; 2]) -> bool {
        let of = |version: Option<Version>| self.ability.is_in(version?);
        let has = match self.holder {
            Holder::Side(Side::Source) => of(source),
            Holder::Side(Side::Destination) => of(destination),
            Holder::Machine => source
                .zip(destination)
                .and_then(|(one, other)| self.ability.is_in_both([one, other])),
        };
        has == Some(false)
    }
}

impl Ability {
    /// Whether a QEMU of `version` has it; `None` where a version doesn't tell.
    #[must_use]
    pub fn is_in(&self, version: Version) -> Option<bool> {
        match self {
            Self::Since(first, _) => Some(version >= *first),
            Self::Until(end, _) => Some(version < *end),
            Self::Capability(_)
            | Self::Parameter(_)
            | Self::ParameterValue(..)
            | Self::Argument(..)
            | Self::AddressType(_)
            | Self::Device(_)
            | Self::Machine(_)
            | Self::Kvm
            | Self::DirectIo
            | Self::Userfaultfd
            | Self::Alike(..) => None,
        }
    }

    /// Whether a pair of these versions has it; `None` where two versions don't tell.
    #[must_use]
    pub fn is_in_both(&self, [one, other]: [Version; 2]) -> Option<bool> {
        match self {
            Self::Alike(border, _) => Some((one < *border) == (other < *border)),
            Self::Since(..)
            | Self::Until(..)
            | Self::Capability(_)
            | Self::Parameter(_)
            | Self::ParameterValue(..)
            | Self::Argument(..)
            | Self::AddressType(_)
            | Self::Device(_)
            | Self::Machine(_)
            | Self::Kvm
            | Self::DirectIo
            | Self::Userfaultfd => Some(self.is_in(one)? && self.is_in(other)?),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Side(side) => side.fmt(f),
            Self::Machine => f.pad("machine"),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(name) => write!(f, "the capability {name}"),
            Self::Parameter(name) => write!(f, "the parameter {name}"),
            Self::ParameterValue(name, value) => write!(f, "{name} = {value}"),
            Self::Argument(command, argument) => write!(f, "the argument {argument} of {command}"),
            Self::AddressType(name) => write!(f, "the transport {name}"),
            Self::Device(name) => write!(f, "the device {name}"),
            Self::Machine(family) => write!(f, "a {family} machine that both QEMUs have"),
            Self::Kvm => f.write_str("KVM on hardware that virtualizes"),
            Self::DirectIo => f.write_str("a file system that takes direct I/O"),
            Self::Userfaultfd => f.write_str("userfaultfd for the user that QEMU runs as"),
            Self::Since(version, why) => write!(f, "QEMU {version} or later: {why}"),
            Self::Until(version, why) => write!(f, "QEMU before {version}: {why}"),
            Self::Alike(version, why) => {
                write!(f, "two QEMUs before {version}, or none: {why}")
            }
        }
    }
}
