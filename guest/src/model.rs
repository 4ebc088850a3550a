//! The guest in software: the memory that it has after any number of stamps.

use crate::{
    ImageError, Parameters, Registers, Stamper, Survey,
    stamp::{self, SECTOR},
};

/// The guest in software, once it has laid out its range: a stamp at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    parameters: Parameters,
    stamper: Stamper,
}

impl Model {
    /// A guest that has laid out its range and not begun its first lap.
    #[must_use]
    pub const fn new(parameters: Parameters) -> Self {
        let address = parameters.start;
        Self::at(parameters, Stamper { laps: 0, address })
    }

    /// A guest whose stamper stands at this place.
    #[must_use]
    pub const fn at(parameters: Parameters, stamper: Stamper) -> Self {
        Self {
            parameters,
            stamper,
        }
    }

    /// How many stamps a lap takes.
    #[must_use]
    pub const fn stamps_per_lap(&self) -> u32 {
        self.parameters.bytes() / SECTOR
    }

    /// Stamps as many sectors more.
    pub fn advance(&mut self, stamps: u64) {
        let per_lap = u64::from(self.stamps_per_lap()).max(1);
        let done = u64::from((self.stamper.address - self.parameters.start) / SECTOR);
        // Whole laps are told apart first, so that no number of stamps overflows.
        let within = done + stamps % per_lap;
        let laps = stamps / per_lap + within / per_lap;
        // Laps wrap at 2³², as they do in the guest.
        self.stamper.laps = self.stamper.laps.wrapping_add(laps as u32);
        self.stamper.address = self.parameters.start + SECTOR * (within % per_lap) as u32;
    }

    /// How many laps it has done, as [`Parameters::read_lap`] tells it.
    #[must_use]
    pub const fn lap(&self) -> u32 {
        self.stamper.laps
    }

    /// Where its stamper stands.
    #[must_use]
    pub const fn stamper(&self) -> Stamper {
        self.stamper
    }

    /// The registers of its processor.
    ///
    /// # Errors
    /// Returns an error if no guest can be made of its parameters.
    pub fn registers(&self) -> Result<Registers, ImageError> {
        self.parameters.registers(self.stamper.address)
    }

    /// The bytes of its range.
    #[must_use]
    pub fn memory(&self) -> Vec<u8> {
        let Parameters { start, end, .. } = self.parameters;
        let sectors = (start..end).step_by(SECTOR as usize);
        sectors
            .flat_map(|address| stamp::sector(address, self.lap_at(address)))
            .collect()
    }

    /// The survey of its memory.
    #[must_use]
    pub fn survey(&self) -> Survey {
        Survey::read(&self.parameters, &self.memory()).expect("the memory has the range's size")
    }

    const fn lap_at(&self, address: u32) -> u32 {
        let stamped = address < self.stamper.address;
        self.stamper.laps.wrapping_add(stamped as u32)
    }
}
