//! The suite `qemu`: the families of QEMU's own migration tests, with no libvirt between, and their
//! extensions.

pub(crate) mod axes;
pub(crate) mod coverage;
mod devices;
pub(crate) mod faults;
pub(crate) mod kinds;
pub(crate) mod model;
pub(crate) mod needs;
pub(crate) mod point;
pub(crate) mod profiles;
pub(crate) mod rules;
pub(crate) mod settings;

use crate::{
    Axis, Backend, CaseEnd, Condition, MachineChoice, Method, Raw, Requirement, Rule, Suite,
    axis::Value,
    point::{Column, Expected, SuitePoint},
    suite::SuiteRow,
};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &[Backend::Qemu],
    profiles: &profiles::PROFILES,
};

impl SuitePoint for Raw {
    fn suite(&self) -> Suite {
        Suite::Qemu
    }

    fn backends(&self) -> &'static [Backend] {
        &[Backend::Qemu]
    }

    fn values(&self) -> Vec<Value> {
        Self::values(self)
    }

    fn excluded(&self) -> Option<&'static Rule> {
        rules::excluded(self)
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

    fn expected(&self) -> Expected {
        Expected::Raw(self.expectation())
    }

    fn end(&self) -> CaseEnd {
        self.case_end()
    }

    fn column(&self) -> Column {
        (Method::NAME, self.method.word())
    }
}
