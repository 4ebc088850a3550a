//! Running a release's programs without entering its root: by its own loader, on its own libraries.
//!
//! It takes no rights, and works where the machine's C library is older or newer than the root's.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    Lacks, Root,
    arch::{Layout, layout},
};

/// The folder of QEMU's modules, in one of libraries.
const MODULES: &str = "qemu";

/// A root's loader, with the libraries that it is to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loader {
    program: PathBuf,
    libraries: Vec<PathBuf>,
}

impl Loader {
    pub(crate) fn of(root: &Root) -> Result<Self, Lacks> {
        let Layout {
            libraries, loader, ..
        } = layout(root.arch);
        let places = libraries.map(|folder| Path::new(folder).join(loader));
        Ok(Self {
            program: root.file(&places)?,
            libraries: root.folders(&libraries),
        })
    }

    /// The command line that starts `program`.
    #[must_use]
    pub fn words(&self, program: &Path) -> Vec<OsString> {
        let mut libraries = OsString::new();
        for folder in &self.libraries {
            if !libraries.is_empty() {
                libraries.push(":");
            }
            libraries.push(folder);
        }
        vec![
            self.program.clone().into(),
            "--library-path".into(),
            libraries,
            program.into(),
        ]
    }

    /// Where QEMU's modules are, if there are any.
    #[must_use]
    pub fn modules(&self) -> Option<PathBuf> {
        let folders = self.libraries.iter().map(|folder| folder.join(MODULES));
        folders.into_iter().find(|folder| folder.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_program_is_started_by_the_root_s_own_loader_on_its_own_libraries() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path());
        let libraries = dir.path().join("usr/lib64");
        fs::create_dir_all(libraries.join("qemu")).unwrap();
        symlink("/lib64/ld.so", libraries.join("ld-linux-x86-64.so.2")).unwrap();
        let error = Loader::of(&root).unwrap_err();
        assert!(
            error
                .sought
                .ends_with("/usr/lib64/ld-linux-x86-64.so.2, /lib64/ld-linux-x86-64.so.2")
        );
        fs::create_dir(dir.path().join("lib64")).unwrap();
        let program = dir.path().join("lib64/ld.so");
        fs::write(&program, "elf").unwrap();
        let loader = Loader::of(&root).unwrap();
        let path = format!("{0}/usr/lib64:{0}/lib64", dir.path().display());
        let words = ["--library-path", &path, "qemu"];
        assert_eq!(loader.words(Path::new("qemu"))[1..], words);
        assert_eq!(loader.words(Path::new("qemu"))[0], program);
        assert_eq!(loader.modules(), Some(libraries.join("qemu")));
    }
}
