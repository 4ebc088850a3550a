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
    Backend,
    suite::{ProfileRow, SuiteSpec},
};

/// The suite.
pub(crate) struct BackupSuite;

impl SuiteSpec for BackupSuite {
    fn backends(&self) -> &'static [Backend] {
        &[Backend::Qemu, Backend::Libvirt]
    }

    fn profiles(&self) -> &'static [ProfileRow] {
        &profiles::PROFILES
    }
}
