//! The guest's boot image: what is true of it on each architecture, and the one that is there.

mod x86_64;

pub(crate) use x86_64::scratch;
pub use x86_64::{halting_code, no_interrupts};

use crate::{Disk, Parameters, Place, Registers, stamp::PAGE};

/// Why no guest can be made of these parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A bound of the range lies within a page.
    #[error("{0:#x} lies within a page: a range starts and ends at multiples of 0x1000")]
    Unaligned(u32),
    /// The range has no pages.
    #[error("the range {start:#x}..{end:#x} is empty: it must end after its start")]
    Empty {
        /// Where it starts.
        start: u32,
        /// Where it ends.
        end: u32,
    },
    /// The range reaches into the memory of the BIOS and of the guest's own code.
    #[error("the range starts at {0:#x}: it must start at 0x100000 (1 MiB) or above")]
    Low(u32),
    /// The range reaches to where a machine may have no memory.
    #[error("the range ends at {0:#x}: q35 may have no memory above 0x80000000 (2 GiB)")]
    High(u32),
    /// The disk's sectors are not counted in powers of two, or lie beyond 4 GiB.
    #[error(
        "{sectors} sectors, one of {stride}: both must be powers of two, and their product 2²³ at most"
    )]
    Disk {
        /// How many are stamped.
        sectors: u32,
        /// From each to the next.
        stride: u32,
    },
    /// The assembler refused.
    #[error("the boot sector can't be assembled: {0}")]
    Assembly(String),
}

/// A byte of the guest's code that can hold it still for a while, at the end of a lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Where it is.
    pub address: u32,
    /// The guest's own, `sti`: it waits for the tick, and goes on.
    pub own: u8,
    /// What holds it, `cli`: it halts and is deaf to the tick. When its own byte is back, an NMI
    /// lets it go on: that takes it where a tick would.
    pub holding: u8,
}

impl Parameters {
    /// The guest's boot image, to boot from as a raw disk: the boot sector, and zeros up to the 504
    /// KiB of one cylinder. SeaBIOS reads no disk that has less.
    ///
    /// # Errors
    /// Returns an error if no guest can be made of the parameters.
    pub fn boot_image(&self) -> Result<Vec<u8>, ImageError> {
        self.check()?;
        x86_64::boot_image(self)
    }

    /// What holds the guest still at the end of a lap; none for a guest that never waits.
    ///
    /// # Errors
    /// Returns an error if no guest can be made of the parameters.
    pub fn hold(&self) -> Result<Option<Hold>, ImageError> {
        x86_64::hold(self)
    }

    /// Where the stamper of this guest stood, by the registers of its processor.
    ///
    /// # Errors
    /// Returns an error if no guest can be made of the parameters.
    pub fn place(&self, registers: &Registers) -> Result<Place, ImageError> {
        x86_64::place(self, registers)
    }

    /// The registers of this guest where its stamper stands so: as it begins to stamp `sector`, or as
    /// it waits.
    pub(crate) fn registers(&self, sector: u32) -> Result<Registers, ImageError> {
        x86_64::registers(self, sector)
    }

    fn check(&self) -> Result<(), ImageError> {
        let &Self { start, end, .. } = self;
        if let Some(bound) = [start, end].into_iter().find(|bound| bound % PAGE != 0) {
            return Err(ImageError::Unaligned(bound));
        }
        if start >= end {
            return Err(ImageError::Empty { start, end });
        }
        if start < 0x10_0000 {
            return Err(ImageError::Low(start));
        }
        if end > 0x8000_0000 {
            return Err(ImageError::High(end));
        }
        if let Some(disk) = self.disk.filter(|disk| !disk.is_sound()) {
            let Disk {
                sectors, stride, ..
            } = disk;
            return Err(ImageError::Disk { sectors, stride });
        }
        Ok(())
    }
}
