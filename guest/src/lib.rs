//! The a-b guest: its boot image, and the law that its memory obeys.
//!
//! ```text
//!   Parameters ──▶ boot image ──▶ a guest that stamps its memory, lap after lap
//!        │                                   │ its bytes, read while it is held still
//!        ├──▶ Model (the same, in software) ─┤
//!        ▼                                   ▼
//!       law ◀───────────────────────────── Survey
//! ```
//!
//! # What the guest does
//!
//! It is one boot sector for an x86 BIOS. It lays out its range `start..end` once and writes `A` to
//! COM1. From then on it goes up through the range, lap after lap, stamps each sector of 512 bytes
//! with the number of the lap, and writes `B` to COM1 at the end of each. Between laps it halts
//! until the pace is up. Lap 0 is the layout; lap numbers wrap at 2³².
//!
//! # The stamp
//!
//! | bytes of a sector | what they carry |
//! |---|---|
//! | 0..4 | the number of the lap, little-endian: the only bytes that change |
//! | 4..512 | 127 times the sector's mark: its own address, exclusive-or the text `a-b!` |
//!
//! The first byte of a page is the low byte of its lap, so QEMU's own one-byte law can be read off
//! the same memory.
//!
//! # The law
//!
//! Going up through the sectors there is one step down at most, from lap n+1 to lap n, at the place
//! where the stamper stood; and every mark is in its place. See [`Survey::law`].
//!
//! # What can't be seen
//!
//! Every byte of the range is looked at, and the law holds of a memory exactly if the guest
//! can have been stopped with it. What is left unseen is a change that makes one such memory of
//! another: all of it from one earlier moment, or the stamps next to the stamper undone or
//! foreseen.

mod image;
mod law;
mod model;
mod parameters;
mod stamp;
mod survey;

pub use image::{ImageError, halting_code};
pub use law::{Breach, Fault, Stamper};
pub use model::Model;
pub use parameters::Parameters;
pub use stamp::{PAGE, SECTOR, SECTORS};
pub use survey::{Page, ReadError, Run, Survey};
