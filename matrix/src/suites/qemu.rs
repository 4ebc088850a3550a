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

use crate::{
    Backend,
    suite::{ProfileRow, SuiteSpec},
};

/// The suite.
pub(crate) struct QemuSuite;

impl SuiteSpec for QemuSuite {
    fn backends(&self) -> &'static [Backend] {
        &[Backend::Qemu]
    }

    fn profiles(&self) -> &'static [ProfileRow] {
        &profiles::PROFILES
    }
}
