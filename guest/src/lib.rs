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
//! COM1. From then on it goes up through the range, lap after lap, counts the lap in each
//! sector of 512 bytes up by one, and writes `B` to COM1 at the end of each. Between laps it halts
//! until the pace is up. Lap 0 is the layout; lap numbers wrap at 2³².
//!
//! It keeps the lap nowhere else: what a migration lost of a page stays behind for ever, and is
//! seen however long the guest has run since.
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
//! where the stamper stood; and every mark is in its place. See [`Survey::law`]. Where the processor's
//! registers were read as well, the step is where they say, and a guest that waits has none: see
//! [`Survey::law_at`].
//!
//! # The rest of memory
//!
//! What the guest does not stamp stays as it is once it has begun its first lap, but for a few places
//! that [`Area`] names. [`Ram`] has a hash of each page.
//!
//! # The disk
//!
//! A guest that has a [`Disk`] writes one sector of it at the end of each lap, one after the other
//! and from the first again: a sector of that place, stamped with the lap. So the disk holds the
//! sectors of the last laps, each lap once, and a write that was lost is known by its lap. See
//! [`DiskSurvey::law`].
//!
//! # What can't be seen
//!
//! Every byte of the range is looked at, and the law holds of a memory exactly if the guest
//! can have been stopped with it, at the place where its registers say that it was. What is left unseen
//! is a change that makes one such memory of another: all of it from whole laps earlier or later.
//! Without the registers it is also the stamps next to the stamper, undone or foreseen.

mod disk;
mod image;
mod law;
mod model;
mod parameters;
mod ram;
mod registers;
mod stamp;
mod survey;

pub use disk::{Disk, DiskBreach, DiskSector, DiskSurvey};
pub use image::{Hold, ImageError, halting_code, no_interrupts};
pub use law::{Breach, Fault, Stamper};
pub use model::Model;
pub use parameters::Parameters;
pub use ram::{Accelerated, Area, Content, Difference, Ram, RamReader, Region};
pub use registers::{Place, Registers};
pub use stamp::{MAGIC, PAGE, SECTOR, SECTORS};
pub use survey::{Page, ReadError, Run, Survey};
