//! Running a release's programs without entering its root: by its own loader, on its own libraries.
//!
//! It takes no rights, and works where the machine's C library is older or newer than the root's.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{LabError, StoredRelease, inside};

/// Where a root's libraries are: Debian's places, and then those of others.
const LIBRARIES: [&str; 4] = [
    "usr/lib/x86_64-linux-gnu",
    "lib/x86_64-linux-gnu",
    "usr/lib64",
    "lib64",
];

/// The loader's file.
const LOADER: &str = "ld-linux-x86-64.so.2";

/// A root's loader, with the libraries that it is to take.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    program: PathBuf,
    libraries: OsString,
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
        let folders = LIBRARIES.map(|folder| inside::resolve(root, folder));
        let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
        let found = folders
            .iter()
            .filter_map(|folder| {
                inside::resolve(root, folder.strip_prefix(root).ok()?.join(LOADER)).ok()
            })
            .find(|loader| loader.is_file());
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
        Ok(Self { program, libraries })
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
}
