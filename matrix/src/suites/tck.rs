//! The suite `tck`: the scenarios of the migration test of the libvirt TCK, and their extensions.

pub(crate) mod axes;
pub(crate) mod faults;
pub(crate) mod hardware;
pub(crate) mod point;
pub(crate) mod profiles;

use crate::{
    Backend,
    suite::{ProfileRow, SuiteSpec},
};

/// The suite.
pub(crate) struct Tck;

impl Tck {
    const BACKENDS: &'static [Backend] = &[Backend::Libvirt, Backend::Fake];
}

impl SuiteSpec for Tck {
    fn backends(&self) -> &'static [Backend] {
        Self::BACKENDS
    }

    fn profiles(&self) -> &'static [ProfileRow] {
        &profiles::PROFILES
    }
}
