//! Running a release's programs without entering its root: by its own loader, on its own libraries.
//!
//! It takes no rights, and works where the machine's C library is older or newer than the root's.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{LabError, StoredRelease, process};

/// Where a root's libraries are: Debian's places, and then those of others.
const LIBRARIES: [&str; 4] = [
    "usr/lib/x86_64-linux-gnu",
    "lib/x86_64-linux-gnu",
    "usr/lib64",
    "lib64",
];

/// The loader's file. In some roots `/lib64/` has it by an absolute link, which would lead out of
/// the root.
const LOADER: &str = "ld-linux-x86-64.so.2";

/// A root's loader, with the libraries that it is to take.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    program: PathBuf,
    libraries: OsString,
    root: PathBuf,
}

/// The command line of a client process that uses the client library of this release.
/// `client_binary` must be built for a C library that is no newer than the release's.
///
/// # Errors
/// Returns an error where the release has no loader.
pub fn client_command(
    release: &StoredRelease,
    client_binary: &Path,
) -> Result<Vec<OsString>, LabError> {
    let loader = Loader::of(&release.root())?;
    Ok(loader.words(client_binary))
}

impl Loader {
    /// Finds the loader of the system in `root`.
    pub(crate) fn of(root: &Path) -> Result<Self, LabError> {
        let folders: Vec<PathBuf> = LIBRARIES.iter().map(|folder| root.join(folder)).collect();
        let is_own = |path: &PathBuf| {
            let root = root.canonicalize().ok();
            let path = path.canonicalize().ok();
            path.zip(root)
                .is_some_and(|(path, root)| path.starts_with(root) && path.is_file())
        };
        let found = folders
            .iter()
            .map(|folder| folder.join(LOADER))
            .find(is_own);
        let program = found.ok_or_else(|| LabError::Lacks {
            root: root.to_owned(),
            sought: LIBRARIES
                .map(|folder| format!("/{folder}/{LOADER}"))
                .join(", "),
        })?;
        let mut libraries = OsString::new();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            if !libraries.is_empty() {
                libraries.push(":");
            }
            libraries.push(folder);
        }
        Ok(Self {
            program,
            libraries,
            root: root.to_owned(),
        })
    }

    /// The command line that starts `program`.
    pub(crate) fn words(&self, program: &Path) -> Vec<OsString> {
        vec![
            self.program.clone().into(),
            "--library-path".into(),
            self.libraries.clone(),
            program.into(),
        ]
    }

    /// What the root's program `path` says when run with `arguments`.
    pub(crate) fn ask(&self, path: &str, arguments: &[&str]) -> Result<String, LabError> {
        let words = self.words(&self.root.join(path.trim_start_matches('/')));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments).env("LC_ALL", "C");
        process::output(&mut command, "libc6")
    }
}
