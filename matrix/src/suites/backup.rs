//! The suite `backup`: incremental backup with dirty bitmaps, on one QEMU or across a migration.
//!
//! Where libvirt makes the chain, the point is a [`Chained`](chained::Chained) one.

pub(crate) mod acts;
pub(crate) mod axes;
pub(crate) mod chained;
pub(crate) mod faults;
pub(crate) mod model;
mod needs;
pub(crate) mod point;
pub(crate) mod profiles;
pub(crate) mod rules;
mod story;
#[cfg(test)]
mod tests;
pub(crate) mod writes;

use crate::{
    Backend, Backup, CaseEnd, Condition, Requirement, Rule, Suite, axis::Value, point::SuitePoint,
    suite::SuiteRow,
};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &[Backend::Qemu, Backend::Libvirt],
    profiles: &profiles::PROFILES,
};

impl SuitePoint for Backup {
    fn suite(&self) -> Suite {
        Suite::Backup
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

    fn conditions(&self) -> Vec<Condition> {
        Self::conditions(self)
    }

    fn end(&self) -> CaseEnd {
        let class = self.operation.word();
        if self.operation.is_refused() {
            CaseEnd::Refused { class }
        } else {
            CaseEnd::Success
        }
    }

    fn migrates(&self) -> bool {
        self.jumps()
    }

    fn tools(&self) -> &'static [&'static str] {
        &["qemu-img", "qemu-io"]
    }
}
