//! All of a machine's memory, read in the process that has it.
//!
//! The kernel is asked, and not QEMU: it costs QEMU nothing, it takes two milliseconds for 16 MiB, and
//! what is behind a machine's windows (of its display, of its BIOS) is seen as well.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use migratrix_guest::{Accelerated, PAGE, Parameters, Ram, RamReader, Survey};

use crate::mappings::{self, Mapping};

/// How many pages are read at once: so many as stay in a processor's cache.
const SPAN: u32 = 64;

/// What the kernel says of a page, in 8 bytes: it is there, it is swapped out, it is a file's.
const ENTRY: usize = 8;
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_FILE: u64 = 1 << 61;

/// The memory of a guest, in the process of its QEMU.
///
/// It is the process's own: once that has ended nothing is read any more, whoever has its number then.
#[derive(Debug)]
pub struct GuestMemory {
    memory: File,
    /// What the kernel says of each of its pages.
    pagemap: File,
    mapping: Mapping,
    guest: Parameters,
    pages: u32,
}

impl GuestMemory {
    /// That of the guest whose QEMU is the process with this folder below `/proc`: `mib` MiB, from address 0
    /// on. It is the one mapping of that size that has the guest's stamp in its place.
    ///
    /// # Errors
    /// Returns an error where the process may not be read, or has no such mapping or several.
    pub fn find(process: &Path, guest: &Parameters, mib: u32) -> io::Result<Self> {
        let mappings = mappings::of_size(process, u64::from(mib) << 20)?;
        let memory = File::open(process.join("mem"))?;
        let pagemap = File::open(process.join("pagemap"))?;
        let is_guests = |mapping: &Mapping| matches!(mapping.lap(&memory, guest), Ok(Some(_)));
        let mut found = mappings.into_iter().filter(is_guests);
        let mapping = match (found.next(), found.next()) {
            (Some(mapping), None) => mapping,
            (None, _) => return Err(unclear("no mapping", mib)),
            (Some(_), Some(_)) => return Err(unclear("more than one mapping", mib)),
        };
        Ok(Self {
            memory,
            pagemap,
            mapping,
            guest: *guest,
            pages: mib * ((1 << 20) / PAGE),
        })
    }

    /// Whether its process is still there: one that has its number by now has another memory.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.lap().is_ok()
    }

    /// The guest's lap; `None` where its stamp is not there.
    ///
    /// # Errors
    /// Returns an error where the process has ended.
    pub fn lap(&self) -> io::Result<Option<u32>> {
        self.mapping.lap(&self.memory, &self.guest)
    }

    /// The range that the guest stamps.
    ///
    /// # Errors
    /// Returns an error where the process has ended.
    pub fn survey(&self) -> io::Result<Survey> {
        Survey::read_by(&self.guest, |address, bytes| {
            let place = self.mapping.start + u64::from(address);
            self.memory.read_exact_at(bytes, place)
        })
    }

    /// What is in each page of it.
    ///
    /// # Errors
    /// Returns an error where the process has ended.
    pub fn ram(&self, accelerated: Accelerated) -> io::Result<Ram> {
        let entries = self.mapping.entries(&self.pagemap, self.pages)?;
        let mut reader = RamReader::new(&self.guest, accelerated);
        let mut bytes = vec![0; (SPAN * PAGE) as usize];
        for (entries, first) in entries
            .chunks(SPAN as usize)
            .zip((0..).step_by(SPAN as usize))
        {
            let pages = entries.len() as u32;
            let is_empty = |entry: &u64| self.mapping.is_empty(*entry);
            if reader.is_blank(pages) || entries.iter().all(is_empty) {
                reader.skip(pages);
                continue;
            }
            let bytes = &mut bytes[..entries.len() * PAGE as usize];
            let place = self.mapping.start + u64::from(PAGE) * first;
            self.memory.read_exact_at(bytes, place)?;
            reader.read(bytes);
        }
        Ok(reader.finish())
    }
}

fn unclear(what: &str, mib: u32) -> io::Error {
    let why = format!("{what} of {mib} MiB has the guest's stamp");
    io::Error::new(io::ErrorKind::NotFound, why)
}

impl Mapping {
    /// The lap of the guest whose memory it is.
    fn lap(&self, memory: &File, guest: &Parameters) -> io::Result<Option<u32>> {
        let mut stamp = [0; Parameters::LAP_BYTES];
        let place = self.start + u64::from(guest.lap_address());
        memory.read_exact_at(&mut stamp, place)?;
        Ok(guest.read_lap(&stamp))
    }

    /// What the kernel says of each of its pages.
    fn entries(&self, pagemap: &File, pages: u32) -> io::Result<Vec<u64>> {
        let mut bytes = vec![0; pages as usize * ENTRY];
        pagemap.read_exact_at(&mut bytes, self.start / u64::from(PAGE) * ENTRY as u64)?;
        let entries = bytes.chunks_exact(ENTRY);
        let entry = |bytes: &[u8]| bytes.try_into().map_or(PRESENT, u64::from_le_bytes);
        Ok(entries.map(entry).collect())
    }

    /// Whether a page is known to be nothing but zeros: one that was never touched, or the kernel's own
    /// page of zeros, which is no process's.
    const fn is_empty(&self, entry: u64) -> bool {
        let is_untouched = entry & (PRESENT | SWAPPED) == 0;
        let is_kernels = entry & PRESENT != 0 && entry & OF_FILE != 0;
        self.is_anonymous && (is_untouched || is_kernels)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use migratrix_guest::Model;

    use super::*;

    const GUEST: Parameters = Parameters {
        end: Parameters::SMALL.start + 0x3000,
        ..Parameters::SMALL
    };
    const MIB: u32 = 5;
    const THERE: u64 = PRESENT;

    /// A machine's memory, with a guest that has laid out its range, and something at its end.
    fn memory() -> Vec<u8> {
        let mut bytes = vec![0; (MIB as usize) << 20];
        let start = GUEST.start as usize;
        let range = Model::new(GUEST).memory();
        bytes[start..start + range.len()].copy_from_slice(&range);
        *bytes.last_mut().unwrap() = 7;
        bytes
    }

    /// A folder that stands for one below `/proc`: of a process that has a page of its own, and then the
    /// memory, each page of which has this `entry`.
    fn process(rights: &str, entry: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let end = PAGE + (MIB << 20);
        let maps = format!("1000-{end:x} {rights}\n7f00-8f00 rw-p 0 0:0 0 [stack]\n");
        let pages = (end / PAGE) as usize;
        fs::write(folder.path().join("maps"), maps).unwrap();
        let bytes = [vec![7; PAGE as usize], memory()].concat();
        fs::write(folder.path().join("mem"), bytes).unwrap();
        let entries = entry.to_le_bytes().repeat(pages);
        fs::write(folder.path().join("pagemap"), entries).unwrap();
        folder
    }

    fn read(process: &tempfile::TempDir) -> io::Result<Ram> {
        GuestMemory::find(process.path(), &GUEST, MIB)?.ram(Accelerated::Tcg)
    }

    fn whole() -> Ram {
        let mut reader = RamReader::new(&GUEST, Accelerated::Tcg);
        reader.read(&mut memory());
        reader.finish()
    }

    #[test]
    fn the_memory_of_a_process_is_found_by_the_guest_s_stamp() {
        assert_eq!(read(&process("rw-p 0 0:0 0", THERE)).unwrap(), whole());
        assert_eq!(whole().regions.len(), 1);
    }

    #[test]
    fn the_lap_and_the_stamped_range_are_those_that_lie_in_the_memory() {
        let process = process("rw-p 0 0:0 0", THERE);
        let found = GuestMemory::find(process.path(), &GUEST, MIB).unwrap();
        let range = Model::new(GUEST).memory();
        assert_eq!(found.lap().unwrap(), Some(0));
        assert_eq!(
            found.survey().unwrap(),
            Survey::read(&GUEST, &range).unwrap()
        );
    }

    #[test]
    fn of_a_process_that_has_ended_nothing_is_read() {
        let process = process("rw-p 0 0:0 0", THERE);
        let found = GuestMemory::find(process.path(), &GUEST, MIB).unwrap();
        assert!(found.is_there());
        // The memory of a process that is no more has no bytes.
        fs::write(process.path().join("mem"), "").unwrap();
        assert!(!found.is_there());
        assert!(found.lap().is_err() && found.survey().is_err());
    }

    #[test]
    fn pages_that_are_not_there_are_not_read_where_the_kernel_s_word_is_enough() {
        let skipped = |rights, entry| read(&process(rights, entry)).unwrap() != whole();
        for entry in [0, THERE | OF_FILE] {
            assert!(skipped("rw-p 0 0:0 0", entry));
            // A file has pages that no process has touched yet.
            assert!(!skipped("rw-s 0 0:1 7 /memfd:pc.ram", entry));
            assert!(!skipped("rw-p 0 0:1 7 /memory", entry));
        }
        assert!(!skipped("rw-p 0 0:0 0", SWAPPED));
    }

    #[test]
    fn a_process_without_the_guest_s_memory_or_with_two_that_could_be_it_has_none() {
        let error = read(&process("r--p 0 0:0 0", THERE)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no mapping of 5 MiB has the guest's stamp"
        );
        let twice = process("rw-p 0 0:0 0", THERE);
        let maps = twice.path().join("maps");
        let text = fs::read_to_string(&maps).unwrap().repeat(2);
        fs::write(maps, text).unwrap();
        let error = read(&twice).unwrap_err().to_string();
        assert!(error.starts_with("more than one mapping"), "{error}");
    }
}
