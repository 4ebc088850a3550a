//! What the guest is told when its image is made, and where its lap is read.

use serde::{Deserialize, Serialize};

use crate::{
    Disk,
    stamp::{self, PAGE, SECTOR},
};

/// What the guest is told when its image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Parameters {
    /// The first byte that it stamps: page-aligned, at or above 1 MiB.
    pub start: u32,
    /// The first byte that it no longer stamps: page-aligned.
    pub end: u32,
    /// The least time that a lap takes, in microseconds. The guest halts for what is left of it; at
    /// 0 it never halts.
    pub pace_us: u32,
    /// Whether it asks for ACPI S3 after its first lap. It goes on with the second when it is woken.
    pub suspend: bool,
    /// Whether it has the processor forget its translations at each lap. QEMU's own translator
    /// (TCG) before 9.0 marks a page as written only when it translates its address anew.
    #[serde(default)]
    pub flush: bool,
    /// The disk that it stamps as well, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
}

impl Parameters {
    /// The default guest: the second MiB of memory, 256 pages, 100 laps a second at most.
    pub const SMALL: Self = Self {
        start: 0x10_0000,
        end: 0x20_0000,
        pace_us: 10_000,
        suspend: false,
        flush: true,
        disk: None,
    };

    /// How many bytes must be read at [`Parameters::lap_address`].
    pub const LAP_BYTES: usize = 16;

    /// How many bytes the range has.
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// How many pages the range has.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.bytes() / PAGE
    }

    /// The least memory that a machine needs for the guest, in MiB: what lies below the range, the
    /// range, and 2 MiB for the tables that the BIOS keeps at the top.
    #[must_use]
    pub const fn memory_mib(&self) -> u32 {
        self.end.div_ceil(1 << 20) + 2
    }

    /// Where the guest's lap is read: [`Parameters::LAP_BYTES`] bytes, for [`Parameters::read_lap`].
    ///
    /// It is the sector that is stamped last, so it tells of whole laps.
    #[must_use]
    pub const fn lap_address(&self) -> u32 {
        self.end.saturating_sub(SECTOR)
    }

    /// How many laps the guest has done, by the bytes that were read at [`Parameters::lap_address`].
    ///
    /// `None` if they are too few, or no stamp of that place: the guest has not laid out its range
    /// yet. 0 says that it is just about to begin; the law holds from then on.
    #[must_use]
    pub fn read_lap(&self, bytes: &[u8]) -> Option<u32> {
        let mark = stamp::mark(self.lap_address()).to_le_bytes();
        let (lap, marks) = bytes.get(..Self::LAP_BYTES)?.split_first_chunk::<4>()?;
        let whole = marks.chunks_exact(4).all(|found| found == mark);
        whole.then(|| u32::from_le_bytes(*lap))
    }

    /// Whether memory that the guest stamps lies in these bytes, wherever it does: at least a sector of it,
    /// of which no byte is missing.
    #[must_use]
    pub fn lies_in(&self, bytes: &[u8]) -> bool {
        // The marks of a sector are longer than two steps together: one place at least lies in them.
        let steps = (0..bytes.len()).step_by(SECTOR as usize / 2);
        steps
            .filter_map(|at| bytes.get(at..)?.first_chunk::<{ Self::LAP_BYTES }>())
            .any(|part| self.is_marked(part))
    }

    /// Whether these bytes are a mark of the range, over and over, wherever it begins.
    fn is_marked(&self, bytes: &[u8; Self::LAP_BYTES]) -> bool {
        let (word, rest) = bytes.split_at(4);
        let address = |word: &[u8]| stamp::marked(u32::from_le_bytes(word.try_into().ok()?));
        let is_own = |word| address(word).is_some_and(|at| (self.start..self.end).contains(&at));
        rest.chunks_exact(4).all(|found| found == word) && bytes.windows(4).take(4).any(is_own)
    }

    /// Whether the guest's pages lie in a file as they lie in memory, one right behind the other.
    ///
    /// `None` if its first page is not there.
    #[must_use]
    pub fn lies_in_place(&self, file: &[u8]) -> Option<bool> {
        let mark = |address| stamp::mark(address).to_le_bytes();
        let marked = |bytes: &[u8], address| {
            let marks = bytes.get(4..Self::LAP_BYTES).unwrap_or_default();
            !marks.is_empty() && marks.chunks_exact(4).all(|found| found == mark(address))
        };
        let first = (0..file.len()).find(|at| marked(&file[*at..], self.start))?;
        let mut pages = (self.start..self.end).step_by(PAGE as usize);
        Some(pages.all(|address| {
            let at = first + (address - self.start) as usize;
            file.get(at..).is_some_and(|page| marked(page, address))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_memory_for_all_of_the_range_and_for_the_tables_above_it() {
        let up_to = |end: u32| {
            let guest = Parameters {
                end,
                ..Parameters::SMALL
            };
            guest.memory_mib()
        };
        assert_eq!(up_to(16 << 20), 18);
        assert_eq!(up_to((16 << 20) + PAGE), 19);
    }
}
