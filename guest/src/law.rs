//! The law that the guest's memory obeys whenever it is held still.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Page, Parameters, Place, Survey,
    stamp::{PAGE, SECTOR, SECTORS},
};

/// Where the stamper stood when the guest was held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stamper {
    /// How many laps it had done.
    pub laps: u32,
    /// The sector that it would have stamped next: the start of the range if it was between laps.
    pub address: u32,
}

/// How the memory breaks the law: the first page that does, and how many more do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Breach {
    /// The address of the page.
    pub address: u32,
    /// The first byte of the range.
    pub first: u8,
    /// The first byte that was due at that page.
    pub last: u8,
    /// The first byte that it has.
    pub current: u8,
    /// Whether the step down to the older lap lies below that page.
    pub edge: bool,
    /// How many more pages break the law.
    pub more: u32,
    /// What is wrong with the page.
    pub fault: Fault,
}

/// What is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Fault {
    /// It is of a lap that was over.
    Older {
        /// Its lap.
        lap: u32,
        /// The lap that was due.
        due: u32,
    },
    /// It is of a lap that had not come to it.
    Newer {
        /// Its lap.
        lap: u32,
        /// The lap that was due.
        due: u32,
    },
    /// It is of several laps, and the stamper did not stand there.
    Torn {
        /// The lap of each sector.
        laps: [u32; SECTORS],
        /// The lap that was due.
        due: u32,
    },
    /// It belongs elsewhere, or a part of it does.
    Misplaced {
        /// The sector that is out of its place.
        at: u32,
        /// Where that one belongs.
        belongs: u32,
    },
    /// It is nothing but zeros.
    Zero,
    /// It is not what the guest writes.
    Foreign {
        /// The first byte that is wrong.
        at: u32,
        /// How many bytes of the page are wrong, beside its stamps.
        wrong: u16,
    },
    /// It is where the guest would have stamped next, and that is no sector of its range.
    Astray {
        /// Where it would have.
        next: u32,
    },
    /// The survey does not tell of it, or tells of pages after the last.
    Unread {
        /// How many pages the survey tells of.
        told: u64,
    },
}

impl Survey {
    /// Where the stamper stood, if the memory is one that the guest can have been stopped with:
    /// going up through the sectors there is one step at most, from lap n+1 down to lap n, and every
    /// mark is in its place. Laps wrap.
    ///
    /// # Errors
    /// Returns the first page that breaks the law. Laps are measured by the newest whole page.
    pub fn law(&self, parameters: &Parameters) -> Result<Stamper, Breach> {
        self.walk(parameters, None)
    }

    /// As [`Survey::law`], where it is known at which place the guest was held still: the step is
    /// there, and a guest that stood between two laps has none.
    ///
    /// # Errors
    /// As [`Survey::law`].
    pub fn law_at(&self, parameters: &Parameters, place: Place) -> Result<Stamper, Breach> {
        let &Parameters { start, end, .. } = parameters;
        let next = match place {
            Place::Elsewhere => return self.law(parameters),
            Place::Between => end,
            Place::Before(next) => next,
        };
        if !(start..=end).contains(&next) || next % SECTOR != 0 {
            let mut walk = Walk::new(parameters, self.newest().unwrap_or_default(), None);
            walk.breach(Fault::Astray { next }, 0);
            return walk.end();
        }
        // Before the first sector of a lap there is no step either.
        self.walk(parameters, Some(if next == start { end } else { next }))
    }

    /// Goes up through the pages; the step is at `known`, if it is known where.
    fn walk(&self, parameters: &Parameters, known: Option<u32>) -> Result<Stamper, Breach> {
        let mut walk = Walk::new(parameters, self.newest().unwrap_or_default(), known);
        for page in self.each_page().take(parameters.pages() as usize) {
            walk.step(page);
        }
        if self.pages() != u64::from(parameters.pages()) {
            walk.breach(Fault::Unread { told: self.pages() }, 0);
        }
        walk.end()
    }

    fn each_page(&self) -> impl Iterator<Item = &Page> {
        self.runs
            .iter()
            .flat_map(|run| std::iter::repeat_n(&run.page, run.pages as usize))
    }

    /// The newest lap that the stamper had begun. A page that is torn counts only as the first of
    /// all, where no whole page of its newer lap can lie below it.
    fn newest(&self) -> Option<u32> {
        let whole = self.runs.iter().filter_map(|run| match run.page {
            Page::Stamped { lap } => Some(lap),
            Page::Torn { .. } | Page::Misplaced { .. } | Page::Zero | Page::Foreign { .. } => None,
        });
        let first = self.runs.first().and_then(|run| match run.page {
            Page::Torn { laps } => Some(laps[0]),
            Page::Stamped { .. } | Page::Misplaced { .. } | Page::Zero | Page::Foreign { .. } => {
                None
            }
        });
        first
            .into_iter()
            .chain(whole)
            .reduce(|newest, lap| if newer(lap, newest) { lap } else { newest })
    }
}

/// Whether `lap` comes after `other`, on a circle.
const fn newer(lap: u32, other: u32) -> bool {
    let ahead = lap.wrapping_sub(other);
    ahead != 0 && ahead < 1 << 31
}

/// A walk up through the pages.
struct Walk {
    start: u32,
    end: u32,
    address: u32,
    newest: u32,
    /// Where the step to the older lap must be, if that is known; at the end there is none.
    known: Option<u32>,
    first: Option<u8>,
    edge: Option<u32>,
    breach: Option<Breach>,
}

impl Walk {
    const fn new(parameters: &Parameters, newest: u32, known: Option<u32>) -> Self {
        let start = parameters.start;
        Self {
            start,
            end: parameters.end,
            address: start,
            newest,
            known,
            first: None,
            edge: None,
            breach: None,
        }
    }

    /// The lap that is due at this page, or starts to be due in the midst of it.
    const fn due(&self) -> u32 {
        match self.edge {
            None => self.newest,
            Some(_) => self.newest.wrapping_sub(1),
        }
    }

    fn step(&mut self, page: &Page) {
        self.first.get_or_insert(page.first_byte());
        match self.known {
            Some(edge) => self.step_by(edge, page),
            None => self.step_and_seek(page),
        }
        self.address = self.address.saturating_add(PAGE);
    }

    /// A step where it is not known where the edge is: the first page that can have it has it.
    fn step_and_seek(&mut self, page: &Page) {
        match self.edge_within(page) {
            Some(edge) => self.edge = Some(edge),
            None => {
                if let Some(fault) = self.fault(page, self.due()) {
                    self.breach(fault, page.first_byte());
                }
            }
        }
    }

    /// A step where the edge is known: each sector has the lap that is due there.
    fn step_by(&mut self, edge: u32, page: &Page) {
        let older = self.newest.wrapping_sub(1);
        let stamped = edge.saturating_sub(self.address) / SECTOR;
        let dues: [u32; SECTORS] = std::array::from_fn(|sector| {
            if (sector as u32) < stamped {
                self.newest
            } else {
                older
            }
        });
        if stamped < SECTORS as u32 {
            self.edge = Some(edge);
        }
        if !page.is_of(&dues) {
            // A page that is all of one lap where two are due is wrong by the other one.
            let [first, .., last] = dues;
            let wrong = match page {
                Page::Stamped { lap } if *lap == first => last,
                Page::Stamped { .. }
                | Page::Torn { .. }
                | Page::Misplaced { .. }
                | Page::Zero
                | Page::Foreign { .. } => first,
            };
            if let Some(fault) = self.fault(page, wrong) {
                self.breach(fault, page.first_byte());
            }
        }
    }

    /// Where the stamper stands, if it can stand at this page's start or within it.
    fn edge_within(&self, page: &Page) -> Option<u32> {
        let older = self.newest.wrapping_sub(1);
        let stamped = match page {
            Page::Stamped { lap } if *lap == older => 0,
            Page::Torn { laps } => steps_down(laps, self.newest)?,
            Page::Stamped { .. } | Page::Misplaced { .. } | Page::Zero | Page::Foreign { .. } => {
                return None;
            }
        };
        self.edge.is_none().then(|| self.address + SECTOR * stamped)
    }

    fn fault(&self, page: &Page, due: u32) -> Option<Fault> {
        let address = self.address;
        match *page {
            Page::Stamped { lap } if lap == due => None,
            Page::Stamped { lap } if newer(lap, due) => Some(Fault::Newer { lap, due }),
            Page::Stamped { lap } => Some(Fault::Older { lap, due }),
            Page::Torn { laps } => Some(Fault::Torn { laps, due }),
            Page::Misplaced { sector, shift, .. } => {
                let at = address + SECTOR * u32::from(sector);
                let belongs = u32::try_from(i64::from(at) + shift).unwrap_or_default();
                Some(Fault::Misplaced { at, belongs })
            }
            Page::Zero => Some(Fault::Zero),
            Page::Foreign { offset, wrong, .. } => Some(Fault::Foreign {
                at: address + u32::from(offset),
                wrong,
            }),
        }
    }

    fn breach(&mut self, fault: Fault, current: u8) {
        if let Some(breach) = &mut self.breach {
            breach.more += 1;
            return;
        }
        self.breach = Some(Breach {
            address: self.address,
            first: self.first.unwrap_or_default(),
            last: self.due().to_le_bytes()[0],
            current,
            edge: self.edge.is_some(),
            more: 0,
            fault,
        });
    }

    fn end(self) -> Result<Stamper, Breach> {
        if let Some(breach) = self.breach {
            return Err(breach);
        }
        Ok(match self.edge.filter(|edge| *edge < self.end) {
            None => Stamper {
                laps: self.newest,
                address: self.start,
            },
            Some(address) => Stamper {
                laps: self.newest.wrapping_sub(1),
                address,
            },
        })
    }
}

impl Page {
    /// Whether it is in its place, and its sectors are of these laps.
    fn is_of(&self, dues: &[u32; SECTORS]) -> bool {
        match self {
            Self::Stamped { lap } => dues.iter().all(|due| due == lap),
            Self::Torn { laps } => laps == dues,
            Self::Misplaced { .. } | Self::Zero | Self::Foreign { .. } => false,
        }
    }
}

/// How many sectors carry lap `newest`, if all after them carry the one before.
fn steps_down(laps: &[u32; SECTORS], newest: u32) -> Option<u32> {
    let stamped = laps.iter().take_while(|&&lap| lap == newest).count();
    let older = newest.wrapping_sub(1);
    let whole = stamped > 0 && laps[stamped..].iter().all(|&lap| lap == older);
    whole.then_some(stamped as u32)
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            first,
            last,
            current,
            edge,
            more,
            fault,
        } = self;
        let edge = if *edge { "hit" } else { "not hit" };
        write!(
            f,
            "page {address:#x} {fault} (first byte {first:#04x}, last byte {last:#04x}, "
        )?;
        write!(f, "current {current:#04x}, edge {edge})")?;
        match more {
            0 => Ok(()),
            1 => write!(f, ", and 1 more page"),
            _ => write!(f, ", and {more} more pages"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { lap, due } => {
                write!(f, "is of the older lap {lap}, where lap {due} was due")
            }
            Self::Newer { lap, due } => {
                write!(f, "is of the newer lap {lap}, where lap {due} was due")
            }
            Self::Torn { laps, due } => {
                write!(
                    f,
                    "is torn away from the stamper's place: its sectors are of the laps {laps:?}, "
                )?;
                write!(f, "where lap {due} was due")
            }
            Self::Misplaced { at, belongs } => {
                write!(
                    f,
                    "is in the wrong place: what lies at {at:#x} belongs at {belongs:#x}"
                )
            }
            Self::Zero => f.write_str("is nothing but zeros"),
            Self::Foreign { at, wrong: 1 } => write!(f, "is foreign: the byte at {at:#x} is wrong"),
            Self::Foreign { at, wrong } => {
                write!(
                    f,
                    "is foreign: {wrong} bytes are wrong, the first at {at:#x}"
                )
            }
            Self::Astray { next } => write!(
                f,
                "is the first of a range in which the guest stamps no more: it was to stamp {next:#x} next"
            ),
            Self::Unread { told } => write!(
                f,
                "is where the survey and the range part: it tells of {told} pages"
            ),
        }
    }
}
