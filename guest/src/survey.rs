//! A reading of the guest's memory, in a short form: runs of pages that are alike.

use serde::{Deserialize, Serialize};

use crate::{
    Parameters,
    stamp::{self, PAGE, SECTOR, SECTORS},
};

/// How much is read at once, in bytes: what stays in a processor's cache.
const SPAN: u32 = 16 * PAGE;

/// What was read of the guest's stamped memory, in a short form that loses nothing that the law asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Survey {
    /// From the first page to the last.
    pub runs: Vec<Run>,
}

/// Pages that follow each other and are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Run {
    /// How many, at least 1.
    pub pages: u32,
    /// What each of them is.
    #[serde(flatten)]
    pub page: Page,
}

/// What one page was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "page")]
pub enum Page {
    /// In its place, and of one lap.
    Stamped {
        /// The lap.
        lap: u32,
    },
    /// In its place, and of more laps than one.
    Torn {
        /// The lap of each sector.
        laps: [u32; SECTORS],
    },
    /// Made of whole sectors, of which one at least belongs elsewhere.
    Misplaced {
        /// The lap of the first sector.
        lap: u32,
        /// Which sector is the first that belongs elsewhere.
        sector: u8,
        /// How far from here it belongs, in bytes.
        shift: i64,
    },
    /// Nothing but zeros.
    Zero,
    /// Not what the guest writes.
    Foreign {
        /// The first byte of the page.
        first: u8,
        /// The offset of the first byte that is wrong.
        offset: u16,
        /// How many bytes are wrong.
        wrong: u16,
    },
}

/// A reading that is not of the guest's range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} bytes were read of a range of {due}: read exactly {start:#x}..{end:#x}")]
pub struct ReadError {
    /// How many bytes there were.
    pub found: usize,
    /// How many bytes the range has.
    pub due: u32,
    /// Where the range starts.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

impl Survey {
    /// Reads the bytes of the range `start..end`, all of them and no more.
    ///
    /// # Errors
    /// Returns an error if there are more or fewer bytes than the range has.
    pub fn read(parameters: &Parameters, bytes: &[u8]) -> Result<Self, ReadError> {
        let &Parameters { start, end, .. } = parameters;
        let due = parameters.bytes();
        if bytes.len() != due as usize {
            return Err(ReadError {
                found: bytes.len(),
                due,
                start,
                end,
            });
        }
        let mut survey = Self::default();
        survey.add(start, bytes);
        Ok(survey)
    }

    /// Reads the range `start..end` part by part: `read` fills what it is given with what lies at that
    /// address.
    ///
    /// # Errors
    /// Returns the error of `read`.
    pub fn read_by<E>(
        parameters: &Parameters,
        mut read: impl FnMut(u32, &mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let &Parameters { start, end, .. } = parameters;
        let mut survey = Self::default();
        let mut bytes = vec![0; SPAN as usize];
        for address in (start..end).step_by(SPAN as usize) {
            let bytes = &mut bytes[..SPAN.min(end - address) as usize];
            read(address, bytes)?;
            survey.add(address, bytes);
        }
        Ok(survey)
    }

    /// How many pages it tells of.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.runs.iter().map(|run| u64::from(run.pages)).sum()
    }

    /// Adds the pages that lie at `address`.
    fn add(&mut self, address: u32, bytes: &[u8]) {
        let addresses = (address..).step_by(PAGE as usize);
        for (address, bytes) in addresses.zip(bytes.chunks(PAGE as usize)) {
            self.push(Page::read(address, bytes));
        }
    }

    fn push(&mut self, page: Page) {
        match self.runs.last_mut() {
            Some(run) if run.page == page => run.pages += 1,
            Some(_) | None => self.runs.push(Run { pages: 1, page }),
        }
    }
}

impl Page {
    /// The byte that QEMU's own law looks at: the page's first.
    #[must_use]
    pub const fn first_byte(&self) -> u8 {
        match self {
            Self::Stamped { lap } | Self::Misplaced { lap, .. } => lap.to_le_bytes()[0],
            Self::Torn { laps } => laps[0].to_le_bytes()[0],
            Self::Zero => 0,
            Self::Foreign { first, .. } => *first,
        }
    }

    fn read(address: u32, bytes: &[u8]) -> Self {
        match whole_sectors(bytes) {
            Some(sectors) => Self::of_sectors(address, &sectors),
            None if bytes.iter().all(|&byte| byte == 0) => Self::Zero,
            None => Self::foreign(address, bytes),
        }
    }

    fn of_sectors(address: u32, sectors: &[Sector; SECTORS]) -> Self {
        let places = (address..).step_by(SECTOR as usize);
        let mut shifts = places
            .zip(sectors)
            .map(|(at, sector)| i64::from(sector.belongs) - i64::from(at));
        let laps = sectors.map(|sector| sector.lap);
        let lap = laps[0];
        if let Some(sector) = shifts.clone().position(|shift| shift != 0) {
            let shift = shifts.nth(sector).unwrap_or_default();
            Self::Misplaced {
                lap,
                sector: sector as u8,
                shift,
            }
        } else if laps == [lap; SECTORS] {
            Self::Stamped { lap }
        } else {
            Self::Torn { laps }
        }
    }

    fn foreign(address: u32, bytes: &[u8]) -> Self {
        let due = (address..)
            .step_by(SECTOR as usize)
            .flat_map(|at| stamp::sector(at, 0));
        let wrong: Vec<usize> = (bytes.iter().zip(due).enumerate())
            .filter(|(offset, (found, due))| offset % SECTOR as usize >= 4 && *found != due)
            .map(|(offset, _)| offset)
            .collect();
        Self::Foreign {
            first: bytes.first().copied().unwrap_or_default(),
            offset: wrong.first().copied().unwrap_or_default() as u16,
            wrong: wrong.len() as u16,
        }
    }
}

/// A sector whose marks are all the same, and a sector's.
#[derive(Clone, Copy)]
pub(crate) struct Sector {
    /// The address that it was made for, in bytes.
    pub(crate) belongs: u32,
    pub(crate) lap: u32,
}

impl Sector {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (lap, marks) = bytes.split_first_chunk::<4>()?;
        let (mark, rest) = marks.split_first_chunk::<4>()?;
        // Each word is as the one before it: one comparison of the marks with themselves.
        let alike = rest == &marks[..rest.len()];
        let belongs = stamp::marked(u32::from_le_bytes(*mark))?;
        alike.then(|| Self {
            belongs,
            lap: u32::from_le_bytes(*lap),
        })
    }
}

fn whole_sectors(page: &[u8]) -> Option<[Sector; SECTORS]> {
    let mut sectors = [Sector { belongs: 0, lap: 0 }; SECTORS];
    for (sector, bytes) in sectors.iter_mut().zip(page.chunks(SECTOR as usize)) {
        *sector = Sector::read(bytes)?;
    }
    Some(sectors)
}
