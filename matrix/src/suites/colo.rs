//! The suite `colo`: two guests in lock-step, and what is left when one is lost.

pub(crate) mod axes;
pub(crate) mod faults;
mod needs;
pub(crate) mod point;
pub(crate) mod profiles;

use crate::{
    Backend, Colo, Condition, MachineChoice, Requirement, Suite, axis::Value, point::SuitePoint,
    suite::SuiteRow,
};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &[Backend::Qemu],
    profiles: &profiles::PROFILES,
};

impl SuitePoint for Colo {
    fn suite(&self) -> Suite {
        Suite::Colo
    }

    fn backends(&self) -> &'static [Backend] {
        &[Backend::Qemu]
    }

    fn values(&self) -> Vec<Value> {
        Self::values(self)
    }

    fn needs(&self) -> Vec<Requirement> {
        Self::needs(self)
    }

    fn machine(&self) -> MachineChoice {
        self.machine
    }

    fn conditions(&self) -> Vec<Condition> {
        Self::conditions(self)
    }
}
