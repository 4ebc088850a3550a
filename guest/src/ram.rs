//! All of a machine's memory, in a short form: a hash of each page that is not empty.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::{
    Parameters,
    image::scratch,
    stamp::{PAGE, SECTOR},
};

/// What was read of a machine's memory beside the guest's stamps, in a short form.
///
/// The places that change while the guest runs, [`Area`], count as zeros: the stamped range is one of
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ram {
    /// How many pages the machine has.
    pub pages: u32,
    /// The pages that are not nothing but zeros, from the first to the last.
    pub regions: Vec<Region>,
}

/// Reads a machine's memory, from address 0 on, part by part.
#[derive(Debug)]
pub struct RamReader {
    areas: Vec<Area>,
    ram: Ram,
}

/// Pages that follow each other, none of which is nothing but zeros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Region {
    /// The number of the first, from 0.
    pub page: u32,
    /// The hash of each (XXH3, 64 bits), as 16 hexadecimal digits each, one after the other.
    pub hashes: String,
}

/// By what the guest's processor is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerated {
    /// By QEMU's own translator.
    Tcg,
    /// By the kernel.
    Kvm,
}

/// A part of memory that changes while the guest runs, or as it comes to another QEMU, and may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Where it is.
    pub range: Range<u32>,
    /// Why it may.
    pub why: &'static str,
}

/// What differs between two readings of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The address of the first page that differs.
    pub address: u64,
    /// How many differ.
    pub pages: u32,
    /// What the first one has now.
    pub now: Content,
}

/// What a page has that is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing but zeros.
    Zeros,
    /// What lay in the page of this address.
    Of(u64),
    /// Something that was nowhere.
    Other,
}

/// How many digits a hash has.
const DIGITS: usize = 16;

/// The BIOS's own: its variables, its stack, its code, and the ROMs of devices.
const BIOS_DATA: Range<u32> = 0x400..0x1000;
const BIOS: Range<u32> = 0xc_0000..0x10_0000;
/// What the BIOS keeps where only the mode of system management sees it.
const MANAGEMENT: Range<u32> = 0xa_0000..0xc_0000;

impl Area {
    /// All areas of a guest, each with its reason. What is not named here stays as it was.
    #[must_use]
    pub fn of(guest: &Parameters, accelerated: Accelerated) -> Vec<Self> {
        let area = |range, why| Self { range, why };
        let tick = scratch::TICK;
        let mut areas = vec![
            area(guest.start..guest.end, "it is stamped: the law judges it"),
            area(tick, "a tick pushes the flags and its return there"),
        ];
        if guest.disk.is_some() {
            areas.push(area(
                scratch::BUFFER..scratch::BUFFER + SECTOR,
                "a sector is made there before it is written to the disk",
            ));
        }
        if guest.suspend {
            areas.extend([
                area(BIOS_DATA, "the BIOS works there when it wakes the machine"),
                area(MANAGEMENT, "the BIOS makes it anew when it wakes"),
                area(BIOS, "the BIOS notes there that it woke the machine"),
            ]);
        }
        match accelerated {
            Accelerated::Tcg => {}
            Accelerated::Kvm => areas.push(area(
                BIOS,
                "the kernel keeps the time there (kvmclock), where the BIOS has asked it to",
            )),
        }
        areas
    }
}

impl Ram {
    /// Adds a page that has this hash, or nothing but zeros.
    pub fn push(&mut self, hash: Option<u64>) {
        let page = self.pages;
        self.pages += 1;
        let Some(hash) = hash else {
            return;
        };
        let digits = format!("{hash:0DIGITS$x}");
        match self.regions.last_mut() {
            Some(last) if last.end() == page => last.hashes.push_str(&digits),
            Some(_) | None => self.regions.push(Region {
                page,
                hashes: digits,
            }),
        }
    }

    /// What differs `now`; `None` where nothing does.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<Difference> {
        let was = self.each_page();
        let mut differ = (0_u64..)
            .step_by(PAGE as usize)
            .zip(was.iter().zip(now.each_page()))
            .filter(|(_, (was, is))| *was != is);
        let missing = self.pages.abs_diff(now.pages);
        let Some((address, (_, first))) = differ.next() else {
            let end = u64::from(self.pages.min(now.pages)) * u64::from(PAGE);
            return (missing > 0).then_some(Difference {
                address: end,
                pages: missing,
                now: Content::Other,
            });
        };
        let pages = 1 + missing + u32::try_from(differ.count()).unwrap_or(u32::MAX);
        let now = content(first, &was);
        Some(Difference {
            address,
            pages,
            now,
        })
    }

    /// Whether there is anything but zeros in the page of an address.
    #[must_use]
    pub fn has(&self, address: u64) -> bool {
        let page = address / u64::from(PAGE);
        let mut regions = self.regions.iter();
        regions.any(|region| (u64::from(region.page)..u64::from(region.end())).contains(&page))
    }

    /// The digits of each page; none where it is nothing but zeros.
    fn each_page(&self) -> Vec<Option<&str>> {
        let mut pages = vec![None; self.pages as usize];
        for region in &self.regions {
            let places = pages.iter_mut().skip(region.page as usize);
            for (place, digits) in places.zip(region.each_hash()) {
                *place = Some(digits);
            }
        }
        pages
    }
}

impl RamReader {
    /// A reader of the memory of this guest's machine.
    #[must_use]
    pub fn new(guest: &Parameters, accelerated: Accelerated) -> Self {
        Self {
            areas: Area::of(guest, accelerated),
            ram: Ram::default(),
        }
    }

    /// Reads the pages that come next; one that is cut short doesn't count. What changes while the guest
    /// runs is blanked in them.
    pub fn read(&mut self, bytes: &mut [u8]) {
        let start = self.ram.pages as usize * PAGE as usize;
        for Area { range, .. } in &self.areas {
            let [from, to] = [range.start, range.end]
                .map(|bound| (bound as usize).saturating_sub(start).min(bytes.len()));
            bytes[from..to].fill(0);
        }
        for page in bytes.chunks_exact(PAGE as usize) {
            self.ram.push(hash(page));
        }
    }

    /// Whether all of the next so many pages lies where memory changes while the guest runs: whatever is
    /// there counts as zeros, and they may be gone over.
    #[must_use]
    pub fn is_blank(&self, pages: u32) -> bool {
        let start = u64::from(self.ram.pages) * u64::from(PAGE);
        let end = start + u64::from(pages) * u64::from(PAGE);
        self.areas.iter().any(|Area { range, .. }| {
            u64::from(range.start) <= start && end <= u64::from(range.end)
        })
    }

    /// Goes over so many pages that are known to count as nothing but zeros.
    pub const fn skip(&mut self, pages: u32) {
        self.ram.pages += pages;
    }

    /// All that was read.
    #[must_use]
    pub fn finish(self) -> Ram {
        self.ram
    }
}

impl Region {
    /// The number of the page after its last.
    fn end(&self) -> u32 {
        self.page + (self.hashes.len() / DIGITS) as u32
    }

    fn each_hash(&self) -> impl Iterator<Item = &str> {
        let starts = (0..self.hashes.len()).step_by(DIGITS);
        starts.filter_map(|start| self.hashes.get(start..start + DIGITS))
    }
}

/// What a page has now: of where in the memory that was before, if it was anywhere.
fn content(now: Option<&str>, was: &[Option<&str>]) -> Content {
    match now {
        None => Content::Zeros,
        Some(_) => match was.iter().position(|page| *page == now) {
            Some(place) => Content::Of(place as u64 * u64::from(PAGE)),
            None => Content::Other,
        },
    }
}

/// The hash of a page; none where it is nothing but zeros. Most are, and a comparison is the fastest
/// way to know.
fn hash(page: &[u8]) -> Option<u64> {
    const ZEROS: [u8; PAGE as usize] = [0; PAGE as usize];
    (page != ZEROS).then(|| XxHash3_64::oneshot(page))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            pages,
            now,
        } = self;
        match now {
            Content::Zeros => write!(f, "the page at {address:#x} is nothing but zeros now")?,
            Content::Of(other) => {
                write!(f, "the page at {address:#x} has what lay at {other:#x}")?;
            }
            Content::Other => write!(f, "the page at {address:#x} has something else now")?,
        }
        match pages {
            0 | 1 => Ok(()),
            2 => write!(f, ", and 1 more page differs"),
            _ => write!(f, ", and {} more pages differ", pages - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Disk;

    const PAGE_BYTES: usize = PAGE as usize;
    const GUEST: Parameters = Parameters {
        end: Parameters::SMALL.start + 2 * PAGE,
        ..Parameters::SMALL
    };

    /// 2 MiB, with something in every third page.
    fn memory() -> Vec<u8> {
        let mut bytes = vec![0; 0x20_0000];
        for (number, page) in bytes.chunks_mut(PAGE_BYTES).enumerate() {
            page[7] = if number % 3 == 0 { number as u8 | 1 } else { 0 };
            page[8] = (number >> 8) as u8;
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Ram {
        read_of(&GUEST, Accelerated::Tcg, bytes)
    }

    /// In parts, which end within an area.
    fn read_of(guest: &Parameters, accelerated: Accelerated, bytes: &[u8]) -> Ram {
        let mut reader = RamReader::new(guest, accelerated);
        for part in bytes.to_vec().chunks_mut(7 * PAGE_BYTES) {
            reader.read(part);
        }
        reader.finish()
    }

    fn changed(at: usize) -> Option<Difference> {
        let mut bytes = memory();
        bytes[at] ^= 1;
        read(&memory()).difference(&read(&bytes))
    }

    #[test]
    fn the_same_memory_has_no_difference_and_reads_back_from_json() {
        let ram = read(&memory());
        assert_eq!(ram.difference(&read(&memory())), None);
        assert_eq!(ram.pages, 512);
        let json = serde_json::to_string(&ram).unwrap();
        assert_eq!(serde_json::from_str::<Ram>(&json).unwrap(), ram);
    }

    #[test]
    fn pages_with_something_that_follow_each_other_are_one_region() {
        let mut ram = Ram::default();
        for hash in [Some(1), Some(2), None, Some(3)] {
            ram.push(hash);
        }
        let regions: Vec<_> = ram
            .regions
            .iter()
            .map(|one| (one.page, one.end()))
            .collect();
        assert_eq!(regions, [(0, 2), (3, 4)]);
    }

    #[test]
    fn a_page_has_something_if_it_is_not_all_zeros() {
        let ram = read(&memory());
        for (address, has) in [
            (0, true),
            (0xfff, true),
            (0x1000, false),
            (0x2fff, false),
            (0x3000, true),
            (0x20_0000, false),
        ] {
            assert_eq!(ram.has(address), has, "{address:#x}");
        }
        assert!(!Ram::default().has(0));
    }

    #[test]
    fn pages_that_are_skipped_are_nothing_but_zeros() {
        let mut bytes = memory();
        bytes[4 * PAGE_BYTES..9 * PAGE_BYTES].fill(0);
        let mut reader = RamReader::new(&GUEST, Accelerated::Tcg);
        reader.read(&mut bytes.clone()[..4 * PAGE_BYTES]);
        reader.skip(5);
        reader.read(&mut bytes.clone()[9 * PAGE_BYTES..]);
        assert_eq!(reader.finish(), read(&bytes));
    }

    #[test]
    fn pages_that_lie_in_an_area_whole_count_as_zeros_whatever_is_there() {
        let start = (GUEST.start / PAGE) as usize * PAGE_BYTES;
        let mut reader = RamReader::new(&GUEST, Accelerated::Tcg);
        let mut bytes = memory();
        assert!(!reader.is_blank(8), "the tick's is a part of its page");
        reader.read(&mut bytes[..start]);
        assert!(reader.is_blank(1) && reader.is_blank(2) && !reader.is_blank(3));
        reader.skip(2);
        assert!(!reader.is_blank(1));
        reader.read(&mut bytes[start + 2 * PAGE_BYTES..]);
        assert_eq!(reader.finish(), read(&memory()));
    }

    #[test]
    fn a_byte_that_changed_anywhere_but_in_a_named_area_is_told_by_its_page() {
        for at in [
            0, 0x400, 0x7bf3, 0x7c00, 0x8200, 0xf_ffff, 0x10_2000, 0x1f_ffff,
        ] {
            let difference = changed(at).unwrap_or_else(|| panic!("{at:#x}"));
            assert_eq!(difference.address, (at & !0xfff) as u64);
            assert_eq!(difference.pages, 1);
        }
    }

    #[test]
    fn what_may_change_is_no_difference() {
        for at in [0x7bf4, 0x7bff, 0x10_0000, 0x10_1fff] {
            assert_eq!(changed(at), None, "{at:#x}");
        }
    }

    #[test]
    fn a_guest_that_wakes_or_writes_to_a_disk_has_more_that_may_change() {
        let disk = Some(Disk {
            port: 0x1f0,
            sectors: 8,
            stride: 1,
        });
        let waking = Parameters {
            suspend: true,
            ..GUEST
        };
        let cases = [
            (Parameters { disk, ..GUEST }, Accelerated::Tcg, 0x83ff),
            (waking, Accelerated::Tcg, 0x400),
            (waking, Accelerated::Tcg, 0xa_0000),
            (waking, Accelerated::Tcg, 0xf_ffff),
            (GUEST, Accelerated::Kvm, 0xc_0000),
        ];
        for (guest, accelerated, at) in cases {
            let before = read_of(&guest, accelerated, &memory());
            let mut bytes = memory();
            bytes[at] ^= 1;
            let after = read_of(&guest, accelerated, &bytes);
            assert_eq!(before.difference(&after), None, "{at:#x}");
            assert!(changed(at).is_some(), "{at:#x}");
        }
    }

    #[test]
    fn a_page_that_was_lost_came_from_elsewhere_or_is_new_is_told_so() {
        let was = memory();
        let said = |change: fn(&mut Vec<u8>)| {
            let mut now = was.clone();
            change(&mut now);
            read(&was).difference(&read(&now)).unwrap().to_string()
        };
        assert_eq!(
            said(|now| now[0x3000..0x4000].fill(0)),
            "the page at 0x3000 is nothing but zeros now"
        );
        assert_eq!(
            said(|now| now.copy_within(0x3000..0x4000, 0x6000)),
            "the page at 0x6000 has what lay at 0x3000"
        );
        assert_eq!(
            said(|now| now[0x4000..0x7000].fill(9)),
            "the page at 0x4000 has something else now, and 2 more pages differ"
        );
        assert_eq!(
            said(|now| now[0x4000..0x6000].fill(9)),
            "the page at 0x4000 has something else now, and 1 more page differs"
        );
        assert_eq!(
            said(|now| now.truncate(0x1f_f000)),
            "the page at 0x1ff000 has something else now"
        );
    }

    #[test]
    fn every_area_has_a_reason_and_lies_within_the_machine() {
        let guest = Parameters {
            suspend: true,
            ..GUEST
        };
        for Area { range, why } in Area::of(&guest, Accelerated::Kvm) {
            assert!(range.start < range.end && !why.is_empty(), "{range:?}");
        }
    }

    #[test]
    fn memory_that_lost_its_end_differs_there_and_by_all_that_is_missing() {
        let bytes = memory();
        let short = read(&bytes[..bytes.len() - 3 * PAGE_BYTES]);
        let difference = read(&bytes).difference(&short).unwrap();
        assert_eq!(difference.address, 0x20_0000 - 3 * PAGE as u64);
        assert_eq!(difference.pages, 3);
        let mut changed = bytes.clone();
        changed[0] ^= 1;
        changed[PAGE_BYTES * 3] ^= 1;
        let difference = read(&changed).difference(&short).unwrap();
        assert_eq!((difference.address, difference.pages), (0, 5));
    }
}
