//! Releases: versions of the stack, and tuples of them.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a release: lower-case letters, digits and `-`, `.`, `_`, starting with a letter or
/// digit, so that it can stand in case names, file names and host names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseName(Arc<str>);

/// A text that can't be the name of a release.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a release name: use lower-case letters, digits, `-`, `.` and `_`")]
pub struct BadReleaseName(pub String);

/// A version of libvirt or QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number, 0 where the text has two.
    pub micro: u32,
}

/// A text that can't be a version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a version: expected up to three numbers, as in 9, 9.0 or 7.2.22")]
pub struct BadVersion(pub String);

/// One version of the stack: what the matrix has to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its name.
    pub name: ReleaseName,
    /// Its libvirt; `None` where it is not known before a host runs (a real machine).
    pub libvirt: Option<Version>,
    /// Its QEMU, likewise.
    pub qemu: Option<Version>,
    /// The versioned machine types that its QEMU offers, as `pc-q35-7.2`.
    pub machines: Vec<String>,
}

/// The releases at the three places of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tuple {
    /// Whose client library makes the call.
    pub client: ReleaseName,
    /// Where the guest comes from.
    pub source: ReleaseName,
    /// Where it goes to.
    pub destination: ReleaseName,
}

impl ReleaseName {
    /// Takes `text` as a name.
    ///
    /// # Errors
    /// Returns the text where it has other characters than a name may have.
    pub fn new(text: &str) -> Result<Self, BadReleaseName> {
        let inner = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)
        };
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts && text.bytes().all(inner) {
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

impl TryFrom<String> for ReleaseName {
    type Error = BadReleaseName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<ReleaseName> for String {
    fn from(name: ReleaseName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Version {
    /// A version of three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, micro: u32) -> Self {
        Self { major, minor, micro }
    }

    /// From the form of `virGetVersion` and `virConnectGetLibVersion`:
    /// 1,000,000 × major + 1,000 × minor + micro.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each part is below 4,300,000")]
    pub const fn from_libvirt(number: u64) -> Self {
        Self::new(
            (number / 1_000_000) as u32,
            (number / 1_000 % 1_000) as u32,
            (number % 1_000) as u32,
        )
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadVersion(text.to_owned());
        let mut numbers = [0_u32; 3];
        for (place, part) in text.split('.').enumerate() {
            let number = numbers.get_mut(place).ok_or_else(bad)?;
            *number = part.parse().map_err(|_| bad())?;
        }
        let [major, minor, micro] = numbers;
        Ok(Self::new(major, minor, micro))
    }
}

impl TryFrom<String> for Version {
    type Error = BadVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.client, self.source, self.destination)
    }
}
