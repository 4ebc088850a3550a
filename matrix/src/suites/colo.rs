//! The suite `colo`: two guests in lock-step, and what is left when one is lost.

pub(crate) mod axes;
pub(crate) mod faults;
mod needs;
pub(crate) mod point;
pub(crate) mod profiles;

use crate::{Backend, suite::SuiteRow};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &[Backend::Qemu],
    profiles: &profiles::PROFILES,
};
