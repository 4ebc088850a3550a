//! The guest in memory: it stamps as the a-b guest does, and its memory can be spoilt.

use migratrix_guest::{
    Model, PAGE, Page, Parameters, Ram, Registers, Run, SECTOR, SECTORS, Survey,
};

/// How many laps pass between two readings of the lap counter.
const WINDOW_LAPS: u32 = 3;
/// How far it stands in a lap when it is held still: within a page, so that this one is torn.
const PART_OF_A_LAP: u64 = 21;

/// A guest, and its memory.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    parameters: Parameters,
    model: Model,
    halted: bool,
    /// The memory's bytes, once they are no more those of the model.
    spoilt: Option<Vec<u8>>,
    /// The memory that it doesn't stamp.
    rest: Ram,
}

/// Two readings of the lap counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    pub first: u32,
    pub last: u32,
    pub window_us: u64,
}

impl Guest {
    /// A guest that has just booted.
    pub fn new(parameters: Parameters) -> Self {
        let booted = (0..PAGES).map(|page| is_used(page).then_some(page.into()));
        Self {
            parameters,
            model: Model::new(parameters),
            halted: false,
            spoilt: None,
            rest: ram(booted),
        }
    }

    /// How far into its range its stamper stands, in bytes.
    pub fn stood(&self) -> usize {
        (self.model.stamper().address - self.parameters.start) as usize
    }

    /// Where its processor stands.
    pub fn registers(&self) -> Option<Registers> {
        self.model.registers().ok()
    }

    /// What is in the memory that it doesn't stamp.
    pub fn rest(&self) -> Ram {
        self.rest.clone()
    }

    /// Changes what is in a page that it doesn't stamp; `None` is nothing but zeros.
    pub fn change_rest(&mut self, page: u32, hash: Option<u64>) {
        let booted = (0..PAGES).map(|page| is_used(page).then_some(page.into()));
        let changed = booted
            .enumerate()
            .map(|(number, is)| if number as u32 == page { hash } else { is });
        self.rest = ram(changed);
    }

    /// Halts its processor for ever.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    /// Reads its lap counter, lets it run if it `runs`, and reads it again.
    pub fn heartbeat(&mut self, runs: bool) -> Heartbeat {
        let first = self.model.lap();
        if runs {
            self.stamp(u64::from(WINDOW_LAPS * self.model.stamps_per_lap()) + PART_OF_A_LAP);
        }
        Heartbeat {
            first,
            last: self.model.lap(),
            window_us: u64::from(WINDOW_LAPS) * u64::from(self.parameters.pace_us.max(1)),
        }
    }

    /// Its memory, in the short form. Only spoilt memory is read byte by byte.
    pub fn survey(&self) -> Survey {
        match &self.spoilt {
            None => lawful(&self.parameters, &self.model),
            Some(bytes) => {
                Survey::read(&self.parameters, bytes).expect("the bytes are the range's")
            }
        }
    }

    /// Changes its memory behind its back; `change` gets the bytes of its range.
    pub fn spoil(&mut self, change: impl FnOnce(&mut [u8])) {
        let model = &self.model;
        change(self.spoilt.get_or_insert_with(|| model.memory()));
    }

    /// Puts it back to the moment when it had booted.
    pub fn rewind(&mut self) {
        self.model = Model::new(self.parameters);
    }

    fn stamp(&mut self, stamps: u64) {
        if self.halted {
            return;
        }
        self.model.advance(stamps);
        if let Some(bytes) = &mut self.spoilt {
            let fresh = self.model.memory();
            let per_lap = u64::from(self.model.stamps_per_lap());
            debug_assert!(stamps >= per_lap, "a guest runs for a lap at least");
            restamp(bytes, &fresh);
        }
    }
}

/// How many pages its machine has.
const PAGES: u32 = 512;

/// The pages of its own code and of the BIOS.
const fn is_used(page: u32) -> bool {
    page == CODE || (page >= 0xc0 && page < 0x100)
}

/// The page of its own code.
pub(crate) const CODE: u32 = 7;

fn ram(pages: impl Iterator<Item = Option<u64>>) -> Ram {
    let mut ram = Ram::default();
    pages.for_each(|hash| ram.push(hash));
    ram
}

/// What a lap does to spoilt memory: it writes the stamp of each sector, and nothing else.
fn restamp(bytes: &mut [u8], fresh: &[u8]) {
    let sectors = bytes.chunks_mut(SECTOR as usize);
    for (sector, fresh) in sectors.zip(fresh.chunks(SECTOR as usize)) {
        sector[..4].copy_from_slice(&fresh[..4]);
    }
}

/// The survey of the model's memory, without its bytes: what is stamped in this lap, the page at
/// which the stamper stands, and what is not.
fn lawful(parameters: &Parameters, model: &Model) -> Survey {
    let stamper = model.stamper();
    let (older, newer) = (stamper.laps, stamper.laps.wrapping_add(1));
    let done = stamper.address - parameters.start;
    let (whole, sectors) = (done / PAGE, (done % PAGE / SECTOR) as usize);
    let torn: [u32; SECTORS] = std::array::from_fn(|at| if at < sectors { newer } else { older });
    let runs = [
        (whole, Page::Stamped { lap: newer }),
        (u32::from(sectors > 0), Page::Torn { laps: torn }),
        (
            parameters.pages() - whole - u32::from(sectors > 0),
            Page::Stamped { lap: older },
        ),
    ];
    let runs = runs.into_iter().filter(|(pages, _)| *pages > 0);
    Survey {
        runs: runs.map(|(pages, page)| Run { pages, page }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: Parameters = Parameters {
        start: 0x10_0000,
        end: 0x10_8000,
        pace_us: 1_000,
        suspend: false,
        flush: true,
        disk: None,
    };

    #[test]
    fn the_short_way_to_a_survey_gives_what_the_bytes_give() {
        let mut model = Model::new(PARAMETERS);
        for _ in 0..3 * model.stamps_per_lap() {
            assert_eq!(lawful(&PARAMETERS, &model), model.survey());
            model.advance(1);
        }
    }

    #[test]
    fn a_running_guest_stamps_over_a_spoilt_stamp_but_not_over_a_mark() {
        let mut guest = Guest::new(PARAMETERS);
        guest.heartbeat(true);
        guest.spoil(|bytes| bytes[0] ^= 0xff);
        assert!(guest.survey().law(&PARAMETERS).is_err());
        guest.heartbeat(true);
        assert!(guest.survey().law(&PARAMETERS).is_ok());
        guest.spoil(|bytes| bytes[9] ^= 0xff);
        guest.heartbeat(true);
        assert!(guest.survey().law(&PARAMETERS).is_err());
    }

    #[test]
    fn only_a_guest_that_runs_and_is_not_halted_beats() {
        let mut guest = Guest::new(PARAMETERS);
        let beats = |heartbeat: Heartbeat| heartbeat.last > heartbeat.first;
        assert!(beats(guest.heartbeat(true)));
        assert!(!beats(guest.heartbeat(false)));
        guest.halt();
        assert!(!beats(guest.heartbeat(true)));
    }
}
