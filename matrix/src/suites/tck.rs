//! The suite `tck`: the scenarios of the migration test of the libvirt TCK, and their extensions.

pub(crate) mod axes;
pub(crate) mod faults;
pub(crate) mod hardware;
pub(crate) mod point;
pub(crate) mod profiles;

use crate::suite::SuiteRow;

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: profiles::BACKENDS,
    profiles: &profiles::PROFILES,
};
