//! The parts of a process's memory that may be a machine's: those of its size that can be read and written.
//!
//! The kernel says of each part of a process what it is in `/proc/PID/maps`, as text, with the paths of all its
//! libraries. Since Linux 6.11 it can be asked there for just the parts that can be written
//! (`PROCMAP_QUERY`), which costs a tenth.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rustix::{
    io::Errno,
    ioctl::{Opcode, Updater, ioctl, opcode},
};

/// A part of a process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    /// Whether it is the process's own, and no file's.
    pub(crate) is_anonymous: bool,
}

/// `struct procmap_query` of the kernel's `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Query {
    size: u64,
    asked: u64,
    from: u64,
    start: u64,
    end: u64,
    flags: u64,
    page_size: u64,
    offset: u64,
    inode: u64,
    device: [u32; 2],
    room_for_name_and_build: [u32; 2],
    name_and_build: [u64; 2],
}

/// `PROCMAP_QUERY`.
const QUERY: Opcode = opcode::read_write::<Query>(b'f', 17);
/// `PROCMAP_QUERY_VMA_READABLE | PROCMAP_QUERY_VMA_WRITABLE`.
const READ_AND_WRITTEN: u64 = 0x03;
/// `PROCMAP_QUERY_VMA_SHARED`.
const SHARED: u64 = 0x08;
/// `PROCMAP_QUERY_COVERING_OR_NEXT_VMA`.
const HERE_OR_NEXT: u64 = 0x10;

/// Those of the process with this folder below `/proc` that are as large, in bytes.
pub(crate) fn of_size(process: &Path, size: u64) -> io::Result<Vec<Mapping>> {
    let mut maps = File::open(process.join("maps"))?;
    match asked(&maps, size) {
        Err(Errno::NOTTY | Errno::INVAL | Errno::NOSYS) => {
            let mut text = String::new();
            maps.read_to_string(&mut text)?;
            Ok(told(&text, size).collect())
        }
        found => Ok(found?),
    }
}

/// Asks the kernel for them, one after the other.
fn asked(maps: &File, size: u64) -> Result<Vec<Mapping>, Errno> {
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let mut query = Query {
            size: size_of::<Query>() as u64,
            asked: READ_AND_WRITTEN | HERE_OR_NEXT,
            from,
            ..Query::default()
        };
        // SAFETY: it is the structure of this request, which says how long it is, and has no room for texts.
        let answer = unsafe { ioctl(maps, Updater::<QUERY, Query>::new(&mut query)) };
        match answer {
            Err(Errno::NOENT) => return Ok(found),
            answer => answer?,
        }
        if query.end - query.start == size {
            found.push(Mapping {
                start: query.start,
                is_anonymous: query.flags & SHARED == 0 && query.inode == 0,
            });
        }
        from = query.end;
    }
}

/// Those that the text of `/proc/PID/maps` tells of.
fn told(maps: &str, size: u64) -> impl Iterator<Item = Mapping> {
    maps.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        let rights = words.next()?;
        let inode = words.nth(2)?;
        let is_memory = rights.starts_with("rw") && end - start == size;
        is_memory.then(|| Mapping {
            start,
            is_anonymous: rights.ends_with('p') && inode == "0",
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    /// The sizes that parts of this process have.
    fn sizes(text: &str) -> BTreeSet<u64> {
        let ends = text
            .lines()
            .filter_map(|line| line.split(' ').next()?.split_once('-'));
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        ends.map(|(start, end)| number(end) - number(start))
            .collect()
    }

    #[test]
    fn what_the_kernel_answers_is_what_its_text_says() {
        let maps = File::open("/proc/self/maps").unwrap();
        if let Err(Errno::NOTTY) = asked(&maps, 0) {
            // An older kernel has the text alone.
            return;
        }
        let text = || fs::read_to_string("/proc/self/maps").unwrap();
        let (before, mut compared) = (text(), 0);
        for size in sizes(&before) {
            let answered = asked(&maps, size).unwrap();
            let told: [Vec<_>; 2] = [&before, &text()].map(|text| told(text, size).collect());
            // Other tests run beside this, and have memory of their own.
            if told[0] == told[1] {
                assert_eq!(answered, told[0], "{size}");
                compared += answered.len();
            }
        }
        assert!(compared > 3, "{before}");
    }
}
