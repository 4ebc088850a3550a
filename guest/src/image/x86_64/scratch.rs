//! Where the guest writes beside its range.

use std::ops::Range;

use super::ORIGIN;

/// Where a sector is made before it is written to the disk.
pub(crate) const BUFFER: u32 = 0x8200;

/// What a tick pushes: the flags, the segment and the place where it interrupts.
pub(crate) const TICK: Range<u32> = ORIGIN - 12..ORIGIN;
