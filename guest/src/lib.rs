//! The a-b guest: its boot image, and the law that its memory obeys.

use serde::{Deserialize, Serialize};

/// What the guest is told when its image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The first byte that it stamps: page-aligned, at or above 1 MiB.
    pub start: u32,
    /// The first byte that it no longer stamps: page-aligned.
    pub end: u32,
    /// The least time that a lap takes, in microseconds.
    pub pace_us: u32,
    /// Whether it asks for ACPI S3 after its first lap.
    pub suspend: bool,
}

/// What was read of the guest's stamped memory, in a short form that loses nothing that the law asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {}
