//! What is where in a release's root file system, as seen from outside: the one place that knows its
//! folders of libraries, its loader and its QEMU.
//!
//! Nothing here leads out of a root: a link in it is followed as the system in it would.

mod arch;
mod inside;
mod loader;

use std::{
    io,
    path::{Path, PathBuf},
};

use migratrix_matrix::{Arch, Shown};
use thiserror::Error;

use arch::layout;
pub use inside::resolve;
pub use loader::Loader;

/// Where a root's firmware is.
const FIRMWARE: [&str; 2] = ["usr/share/qemu", "usr/share/seabios"];

/// A release's root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
    arch: Arch,
}

/// Whether a program of this name is a QEMU of some root.
#[must_use]
pub fn is_qemu(program: &Path) -> bool {
    let mut known = Arch::ALL.into_iter().flat_map(|arch| layout(arch).qemus);
    known.any(|qemu| Path::new(qemu).file_name() == program.file_name())
}

/// What a root should have, and hasn't.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} has none of {sought}", root.shown())]
pub struct Lacks {
    /// The root.
    pub root: PathBuf,
    /// What was looked for.
    pub sought: String,
}

impl Root {
    /// The one in this folder, of the usual architecture.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arch: Arch::default(),
        }
    }

    /// Where the file is that the system calls `path`.
    ///
    /// # Errors
    /// Returns an error where its links go in a circle, or can't be read.
    pub fn resolve(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        resolve(&self.path, path)
    }

    /// Where a file or folder of the root is, which was found by its path from outside.
    #[must_use]
    pub fn own(&self, found: &Path) -> Option<PathBuf> {
        self.resolve(found.strip_prefix(&self.path).ok()?).ok()
    }

    /// The first of these that is a file.
    ///
    /// # Errors
    /// Names them all where none is.
    pub fn file<P: AsRef<Path>>(&self, paths: &[P]) -> Result<PathBuf, Lacks> {
        self.found(paths).map(|(_, file)| file)
    }

    /// The first of these that is a file, by its path here and by where it is.
    fn found<'p, P: AsRef<Path>>(&self, paths: &'p [P]) -> Result<(&'p P, PathBuf), Lacks> {
        let mut found = paths
            .iter()
            .filter_map(|path| Some((path, self.resolve(path).ok()?)));
        found.find(|(_, file)| file.is_file()).ok_or_else(|| Lacks {
            root: self.path.clone(),
            sought: listed(paths),
        })
    }

    /// Those of these that are folders, each once.
    #[must_use]
    pub fn folders(&self, paths: &[&str]) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for folder in paths.iter().filter_map(|path| self.resolve(path).ok()) {
            if folder.is_dir() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Its QEMU.
    ///
    /// # Errors
    /// Says where one was looked for.
    pub fn qemu(&self) -> Result<PathBuf, Lacks> {
        self.file(&layout(self.arch).qemus)
    }

    /// Its QEMU, by the path that the system in it knows.
    ///
    /// # Errors
    /// As [`Root::qemu`].
    pub fn own_qemu(&self) -> Result<&'static str, Lacks> {
        let qemus = layout(self.arch).qemus;
        self.found(&qemus).map(|(path, _)| *path)
    }

    /// The folders of its QEMU's firmware.
    #[must_use]
    pub fn firmware(&self) -> Vec<PathBuf> {
        self.folders(&FIRMWARE)
    }

    /// The loader of its programs.
    ///
    /// # Errors
    /// Says where one was looked for.
    pub fn loader(&self) -> Result<Loader, Lacks> {
        Loader::of(self)
    }
}

/// The paths as the system in a root knows them, for people.
fn listed<P: AsRef<Path>>(paths: &[P]) -> String {
    let paths = paths.iter().map(AsRef::as_ref);
    let paths = paths.map(|path| format!("/{}", path.strip_prefix("/").unwrap_or(path).shown()));
    paths.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_qemu_that_is_an_absolute_link_is_the_root_s_own() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path());
        fs::create_dir_all(dir.path().join("usr/bin")).unwrap();
        fs::create_dir_all(dir.path().join("opt")).unwrap();
        // The machine has this one for sure, and the root has not yet.
        symlink("/bin/sh", dir.path().join("usr/bin/qemu-system-x86_64")).unwrap();
        let error = root.qemu().unwrap_err();
        assert_eq!(
            error.sought,
            "/usr/bin/qemu-system-x86_64, /usr/libexec/qemu-kvm"
        );
        fs::create_dir(dir.path().join("bin")).unwrap();
        fs::write(dir.path().join("bin/sh"), "elf").unwrap();
        assert_eq!(root.qemu().unwrap(), dir.path().join("bin/sh"));
        assert_eq!(root.own_qemu().unwrap(), "/usr/bin/qemu-system-x86_64");
    }

    #[test]
    fn a_qemu_is_known_by_each_name_that_it_has_in_a_root() {
        let is = |program| is_qemu(Path::new(program));
        assert!(is("/usr/bin/qemu-system-x86_64") && is("/usr/libexec/qemu-kvm"));
        assert!(!is("/usr/bin/qemu-img") && !is("/usr/sbin/libvirtd"));
    }

    #[test]
    fn a_folder_that_is_a_link_to_another_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("usr/lib64")).unwrap();
        symlink("/usr/lib64", dir.path().join("lib64")).unwrap();
        let folders = Root::at(dir.path()).folders(&["usr/lib64", "lib64", "tmp"]);
        assert_eq!(folders, [dir.path().join("usr/lib64")]);
    }
}
