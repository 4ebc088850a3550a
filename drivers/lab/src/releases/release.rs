//! A release as the store keeps it: its root file system, and what was found in it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use migratrix_matrix::{HostSetup, Release, ReleaseName, Version};
use migratrix_root::Root;
use serde::{Deserialize, Serialize};

use crate::LabError;

/// The number of the form that release.json has now.
pub const FORMAT: u32 = 1;

/// The record of a release: release.json.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The number of the form.
    pub format: u32,
    /// The release's name.
    pub name: ReleaseName,
    /// How it was made.
    pub origin: Origin,
    /// Its libvirt, as its daemon says.
    pub libvirt: Version,
    /// Its QEMU, as it says.
    pub qemu: Version,
    /// The exact versions of the Debian packages, where it is of Debian.
    pub packages: Vec<Package>,
    /// The versioned machine types that its QEMU offers, as `pc-q35-7.2`.
    pub machines: Vec<String>,
    /// Its C library's version, as `2.36`; `None` where it can't be told.
    pub glibc: Option<String>,
    /// When it was added, in seconds since 1970.
    pub added: u64,
}

/// How a release was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a recipe of ours.
    Recipe {
        /// Its name.
        name: String,
        /// The mirror, where one was named.
        mirror: Option<String>,
    },
    /// From a folder that stays where it is.
    Directory(PathBuf),
    /// From a tarball that was extracted.
    Tarball(PathBuf),
}

/// A Debian package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its exact version.
    pub version: String,
}

/// A release that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRelease {
    /// What is known of it.
    pub record: Record,
    /// Its folder in the store.
    pub(crate) folder: PathBuf,
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
    let loader = Root::at(release.root()).loader()?;
    Ok(loader.words(client_binary))
}

impl StoredRelease {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ReleaseName {
        &self.record.name
    }

    /// Its root file system. Nobody writes to it.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        match &self.record.origin {
            Origin::Directory(path) => path.clone(),
            Origin::Recipe { .. } | Origin::Tarball(_) => self.folder.join("root"),
        }
    }

    /// What the matrix has to know of it.
    #[must_use]
    pub fn release(&self) -> Release {
        Release {
            name: self.record.name.clone(),
            libvirt: Some(self.record.libvirt),
            qemu: Some(self.record.qemu),
            machines: self.record.machines.clone(),
            packages: self
                .record
                .packages
                .iter()
                .map(|one| (one.name.clone(), one.version.clone()))
                .collect(),
        }
    }

    /// What its first host that filters as this setup does left for later ones, see [`super::caps_cache`]: what is
    /// filtered is not kept.
    pub(crate) fn caps_cache(&self, setup: HostSetup) -> PathBuf {
        let alike = if setup.filters(Some(self.libvirt())) {
            HostSetup::Quick
        } else {
            HostSetup::AsShipped
        };
        self.folder.join("warm").join(alike.word())
    }

    /// The version of its libvirt.
    pub(crate) const fn libvirt(&self) -> Version {
        self.record.libvirt
    }

    pub(crate) fn record_file(folder: &Path) -> PathBuf {
        folder.join("release.json")
    }
}
