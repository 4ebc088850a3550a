//! The suites, each in a room of its own: its axes, its point, what excludes a point, what it needs,
//! its faults and its profiles.

pub(crate) mod backup;
pub(crate) mod colo;
pub(crate) mod faults;
pub(crate) mod qemu;
pub(crate) mod tck;
