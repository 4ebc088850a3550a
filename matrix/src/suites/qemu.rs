//! The suite `qemu`: the families of QEMU's own migration tests, with no libvirt between, and their
//! extensions.

pub(crate) mod axes;
pub(crate) mod coverage;
mod devices;
pub(crate) mod faults;
mod kinds;
pub(crate) mod model;
pub(crate) mod needs;
pub(crate) mod point;
pub(crate) mod profiles;
pub(crate) mod rules;
pub(crate) mod settings;

use crate::{Backend, suite::SuiteRow};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &[Backend::Qemu],
    profiles: &profiles::PROFILES,
};
