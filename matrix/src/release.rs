//! Releases: versions of the stack, and tuples of them.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use itertools::Itertools;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Version,
    axis::axis,
    word::{one_of, serde_as_text},
};

/// The name of a release: lower-case letters, digits and `-`, `.`, `_`, starting with a letter or
/// digit, so that it can stand in case names, file names and host names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReleaseName(Arc<str>);

/// A text that can't be the name of a release.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a release name: use up to {most} lower-case letters, digits, `-`, `.` and `_`",
    most = ReleaseName::LONGEST
)]
pub struct BadReleaseName(pub String);

/// One version of the stack: what the matrix has to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Release {
    /// Its name.
    pub name: ReleaseName,
    /// Its libvirt; `None` where it is not known before a host runs (a real machine).
    pub libvirt: Option<Version>,
    /// Its QEMU, likewise.
    pub qemu: Option<Version>,
    /// The versioned machine types that its QEMU offers, as `pc-q35-7.2`.
    pub machines: Vec<String>,
    /// The exact versions of the packages that it is made of, by their names; empty where it is not
    /// made of packages, or nobody knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, String>,
}

/// The releases at the three places of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tuple {
    /// Whose client library makes the call.
    pub client: ReleaseName,
    /// Where the guest comes from.
    pub source: ReleaseName,
    /// Where it goes to.
    pub destination: ReleaseName,
}

axis! {
    /// What a release is for a case: one of three places.
    Role, "place" {
        /// Where the client library is.
        Client = "client",
        /// Where the guest comes from.
        Source = "source",
        /// Where it goes to.
        Destination = "destination",
    }
}

/// The known releases, in the order in which they are listed, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases(Vec<Release>);

/// Two releases of one name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there are two releases of the name `{0}`")]
pub struct DuplicateRelease(pub ReleaseName);

/// A name that no known release has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is not a known release: expected {}", one_of(known))]
pub struct UnknownRelease {
    /// The name.
    pub name: ReleaseName,
    /// The names that are known.
    pub known: Vec<ReleaseName>,
}

impl Release {
    /// A release of which nothing but the name is known.
    #[must_use]
    pub const fn unknown(name: ReleaseName) -> Self {
        Self {
            name,
            libvirt: None,
            qemu: None,
            machines: Vec::new(),
            packages: BTreeMap::new(),
        }
    }

    /// The exact versions of its packages.
    pub fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.packages.iter();
        all.map(|(name, version)| (name.as_str(), version.as_str()))
    }
}

impl ReleaseName {
    /// How many letters it has at most: the names of three stand in a file's.
    pub const LONGEST: usize = 50;

    /// Takes `text` as a name.
    ///
    /// # Errors
    /// Returns the text where it has other characters than a name may have, or too many.
    pub fn new(text: &str) -> Result<Self, BadReleaseName> {
        let inner =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
        let starts = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts && text.len() <= Self::LONGEST && text.bytes().all(inner) {
            Ok(Self(text.into()))
        } else {
            Err(BadReleaseName(text.to_owned()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ReleaseName {
    type Err = BadReleaseName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl Tuple {
    /// The release at `place`.
    #[must_use]
    pub fn at(&self, place: Role) -> &ReleaseName {
        match place {
            Role::Client => &self.client,
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }

    /// The three places with their releases.
    pub fn places(&self) -> impl Iterator<Item = (Role, &ReleaseName)> {
        Role::ALL.into_iter().map(|place| (place, self.at(place)))
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.client, self.source, self.destination)
    }
}

impl Releases {
    /// Takes `releases` as the known ones.
    ///
    /// # Errors
    /// Returns the first name that two of them have.
    pub fn new(releases: Vec<Release>) -> Result<Self, DuplicateRelease> {
        let twice = releases
            .iter()
            .duplicates_by(|release| &release.name)
            .next();
        match twice {
            Some(release) => Err(DuplicateRelease(release.name.clone())),
            None => Ok(Self(releases)),
        }
    }

    /// The release of that name.
    ///
    /// # Errors
    /// Returns the name, and those that are known, where there is none.
    pub fn find(&self, name: &ReleaseName) -> Result<&Release, UnknownRelease> {
        let found = self.0.iter().find(|release| release.name == *name);
        found.ok_or_else(|| UnknownRelease {
            name: name.clone(),
            known: self.names().cloned().collect(),
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Release> {
        self.0.iter()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &ReleaseName> {
        self.0.iter().map(|release| &release.name)
    }
}

serde_as_text!(ReleaseName);
