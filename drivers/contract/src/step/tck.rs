//! What the steps of a migration through libvirt say beside the side that they are for.

use migratrix_matrix::{Control, FlagSet};

/// How the guest is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrate {
    /// Who drives it.
    pub control: Control,
    /// With which flags.
    pub flags: FlagSet,
    /// The bandwidth's bound, in MiB/s; `None` for the hypervisor's own.
    pub bandwidth_mib: Option<u32>,
}

/// Whose UUID a configuration gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uuid {
    /// The domain's own.
    Own,
    /// Another one.
    Foreign,
}

/// Which hardware a domain is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The case's own.
    Plain,
    /// With a device more.
    ExtraDevice,
}
