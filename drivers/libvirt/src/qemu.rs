//! The process that is a domain's QEMU, found by its words.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use migratrix_contract::{GuestMemory, command_words, read_kernel_file};
use migratrix_history::Side;

use crate::LibvirtDriver;

/// The process that is a domain's QEMU.
#[derive(Debug)]
pub(crate) struct Qemu {
    /// Its folder below `/proc`.
    pub(crate) folder: PathBuf,
    /// What it was started with, as the kernel gives it.
    line: Vec<u8>,
}

impl Qemu {
    /// That of the domain among `processes`, a folder as `/proc` is one. `before` is where it was: it is
    /// there still where the kernel says so, and the others need not be asked.
    pub(crate) fn find(processes: &Path, domain: &str, before: Option<&OsStr>) -> Option<Self> {
        let name = format!("guest={domain},");
        let there = before.and_then(|number| Self::at(processes.join(number), &name));
        there.or_else(|| {
            let entries = fs::read_dir(processes).ok()?.flatten();
            let mut numbered = entries.filter(|entry| is_number(&entry.file_name()));
            numbered.find_map(|entry| Self::at(entry.path(), &name))
        })
    }

    /// The one with this folder, if a word of its starts with this.
    fn at(folder: PathBuf, start: &str) -> Option<Self> {
        let line = read_kernel_file(folder.join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0);
        let is_its = words.any(|word| word.starts_with(start.as_bytes()));
        is_its.then_some(Self { folder, line })
    }

    /// The words that it was started with.
    pub(crate) fn words(&self) -> Vec<String> {
        command_words(&self.line)
    }

    fn number(&self) -> Option<OsString> {
        self.folder.file_name().map(OsStr::to_owned)
    }
}

impl LibvirtDriver<'_> {
    /// The memory of the domain's guest on a host, in the process of its QEMU.
    pub(crate) fn memory(&mut self, side: Side) -> io::Result<Arc<GuestMemory>> {
        // As long as its process is there a domain has no other one.
        if let Some(known) = self.memories.get(&side).filter(|known| known.is_there()) {
            return Ok(Arc::clone(known));
        }
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the domain has no QEMU there");
        let processes = self.host(side).path("/proc").ok_or_else(gone)?;
        let qemu = self.qemu(side, &processes).ok_or_else(gone)?;
        let (guest, mib) = (self.subject.guest, self.subject.memory_mib);
        let found = Arc::new(GuestMemory::find(&qemu.folder, &guest, mib)?);
        self.memories.insert(side, Arc::clone(&found));
        Ok(found)
    }

    /// The process of the domain's QEMU on a host, one of these `processes`.
    pub(crate) fn qemu(&mut self, side: Side, processes: &Path) -> Option<Qemu> {
        let before = self.qemus.get(&side).cloned();
        let before = before.or_else(|| self.told_number(side));
        let qemu = Qemu::find(processes, &self.subject.domain, before.as_deref())?;
        self.qemus
            .extend(qemu.number().map(|number| (side, number)));
        Some(qemu)
    }

    /// The number that libvirt has written down for the domain's QEMU, where there is one.
    fn told_number(&self, side: Side) -> Option<OsString> {
        let file = format!("/run/libvirt/qemu/{}.pid", self.subject.domain);
        let told = fs::read_to_string(self.host(side).path(&file)?).ok()?;
        Some(OsString::from(told.trim()))
    }
}

fn is_number(name: &OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(all: &[(&str, &str)]) -> tempfile::TempDir {
        let processes = tempfile::tempdir().unwrap();
        for (number, name) in all {
            let folder = processes.path().join(number);
            fs::create_dir_all(&folder).unwrap();
            let line = format!("qemu\0-name\0guest={name},debug-threads=on\0-rtc\0base={number}");
            fs::write(folder.join("cmdline"), line).unwrap();
        }
        processes
    }

    fn words(processes: &tempfile::TempDir, domain: &str, before: Option<&str>) -> Option<String> {
        let qemu = Qemu::find(processes.path(), domain, before.map(OsStr::new));
        qemu.map(|qemu| qemu.words()[3..].join(" "))
    }

    #[test]
    fn the_words_are_those_of_the_domains_own_qemu() {
        let all = processes(&[("41", "mx-00011"), ("42", "mx-0001")]);
        assert_eq!(words(&all, "mx-0001", None).unwrap(), "-rtc base=42");
        assert_eq!(words(&all, "mx-0002", None), None);
    }

    #[test]
    fn where_it_was_it_is_looked_for_first_and_believed_only_where_it_is_still_so() {
        let all = processes(&[("41", "mx-0002"), ("42", "mx-0001"), ("self", "mx-0001")]);
        // Whatever has its number now, or nothing.
        for before in ["42", "41", "7"] {
            let found = words(&all, "mx-0001", Some(before));
            assert_eq!(found.unwrap(), "-rtc base=42", "{before}");
        }
        assert_eq!(words(&all, "mx-0003", Some("42")), None);
    }
}
