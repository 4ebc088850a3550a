//! The suite `recovery`: what is left when a migration through libvirt fails, at every moment of its way, by
//! every common cause.

pub(crate) mod axes;
pub(crate) mod companions;
mod counterpart;
pub(crate) mod expected;
pub(crate) mod faults;
pub(crate) mod kinds;
pub(crate) mod point;
pub(crate) mod profiles;
mod rules;

use crate::{
    Backend, CaseEnd, Condition, Control, Expected, Libvirts, Point, Recovery, Rule, Scenario,
    Suite,
    axis::{Axis, Value},
    point::{Column, SuitePoint},
    suite::SuiteRow,
};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: profiles::BACKENDS,
    profiles: &profiles::PROFILES,
};

impl SuitePoint for Recovery {
    fn suite(&self) -> Suite {
        Suite::Recovery
    }

    fn expected(&self) -> Expected {
        Expected::Struck(self.endings(&Libvirts::default()))
    }

    fn end(&self) -> CaseEnd {
        self.end_of_call()
    }

    fn backends(&self) -> &'static [Backend] {
        profiles::BACKENDS
    }

    fn values(&self) -> Vec<Value> {
        let mut all = vec![
            Value::of(self.strike),
            Value::of(self.moment),
            Value::of(self.way),
        ];
        all.extend(self.scenario.values());
        all
    }

    fn excluded(&self) -> Option<&'static Rule> {
        rules::excluded(self)
    }

    fn conditions(&self) -> Vec<Condition> {
        Condition::RECOVERY.to_vec()
    }

    fn column(&self) -> Column {
        (Control::NAME, self.control().word())
    }

    fn scenario(&self) -> Option<&Scenario> {
        Some(&self.scenario)
    }

    fn counterpart(&self) -> Option<Point> {
        counterpart::counterpart(self).map(Point::Qemu)
    }
}
