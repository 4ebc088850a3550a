//! What the steps of a migration through libvirt say beside the side that they are for.

use std::fmt;

use migratrix_matrix::{Call, Scenario};

/// How the guest is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrate {
    /// The scenario whose migration is asked for: the case's own, or as a fault has it.
    pub scenario: Scenario,
    /// The bandwidth's bound, in MiB/s; `None` for the hypervisor's own.
    pub bandwidth_mib: Option<u32>,
}

impl Migrate {
    /// The same in libvirt's words.
    #[must_use]
    pub fn call(&self) -> Call {
        self.scenario.call(self.bandwidth_mib)
    }
}

impl fmt::Display for Migrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scenario { control, flags, .. } = self.scenario;
        write!(f, "migrate {} with {flags}", control.word())?;
        let own = self.scenario.call(None).parameters;
        own.iter()
            .try_for_each(|(name, number)| write!(f, ", {name}={number}"))
    }
}

/// Whose UUID a configuration gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uuid {
    /// The domain's own.
    Own,
    /// Another one.
    Foreign,
}

/// In which form a domain is defined or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The case's own.
    Plain,
    /// With a device more.
    ExtraDevice,
    /// With a title.
    Titled,
}

impl Variant {
    /// What it has beyond the plain form, in the words of a step.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::ExtraDevice => " with a device more",
            Self::Titled => " with a title",
        }
    }
}

/// What is left on a host without the domain's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Litter {
    /// A file with the domain's UUID.
    UuidFile,
    /// A QEMU without a name, which listens on a port of migrations.
    Listener,
    /// A paused copy of the domain, with another name and UUID.
    Copy,
}

impl fmt::Display for Litter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UuidFile => "a file with the UUID",
            Self::Listener => "a QEMU that listens",
            Self::Copy => "a copy under another name",
        })
    }
}
