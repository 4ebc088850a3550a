//! The suite `colo`: two guests in lock-step, and what is left when one is lost.

pub(crate) mod axes;
pub(crate) mod faults;
mod needs;
pub(crate) mod point;
pub(crate) mod profiles;

use crate::{
    Backend,
    suite::{ProfileRow, SuiteSpec},
};

/// The suite.
pub(crate) struct ColoSuite;

impl SuiteSpec for ColoSuite {
    fn backends(&self) -> &'static [Backend] {
        &[Backend::Qemu]
    }

    fn profiles(&self) -> &'static [ProfileRow] {
        &profiles::PROFILES
    }
}
