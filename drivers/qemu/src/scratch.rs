//! The folder of a case.

use std::{fs, path::PathBuf};

use migratrix_guest::Parameters;

use crate::{QemuError, trouble::Trouble};

/// A folder that one case has for itself. It is removed when this is dropped, at the latest.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of a file in it, as text for QEMU.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Makes the folder.
    pub(crate) fn make(&self) -> Result<(), Trouble> {
        let made = fs::create_dir_all(&self.folder);
        Ok(made.map_err(QemuError::file("create", &self.folder))?)
    }

    /// Makes a folder in it.
    pub(crate) fn make_within(&self, name: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        Ok(fs::create_dir_all(&path).map_err(QemuError::file("create", path))?)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.path(name);
        Ok(fs::write(&path, bytes).map_err(QemuError::file("write", path))?)
    }

    /// Writes the guest's boot image, and gives its path.
    pub(crate) fn boot_image(&self, guest: &Parameters) -> Result<String, Trouble> {
        if !self.path(BOOT).exists() {
            self.write(BOOT, &guest.boot_image()?)?;
        }
        Ok(self.text(BOOT))
    }

    /// The names of all that is left in it.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder);
        let entries = entries.into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path().display().to_string())
            .collect()
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(&self) {
        // What can't be removed is found as residue.
        drop(fs::remove_dir_all(&self.folder));
    }
}

const BOOT: &str = "boot";

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Scratch {
    /// The processes that have something of it on their command lines.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mark = self.text("");
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter(|entry| is_number(&entry.file_name()));
        let lines = processes.filter_map(|entry| {
            let line = fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let is_ours = line.contains(&mark);
            is_ours.then(|| {
                format!(
                    "process {}: {}",
                    entry.file_name().to_string_lossy(),
                    line.replace('\0', " ")
                )
            })
        });
        lines.collect()
    }
}

fn is_number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}
