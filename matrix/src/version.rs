//! Versions of libvirt and QEMU.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::word::serde_as_text;

/// A version of libvirt or QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

impl Version {
    /// A version of three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, micro: u32) -> Self {
        Self {
            major,
            minor,
            micro,
        }
    }

    /// From the form of `virGetVersion` and `virConnectGetLibVersion`:
    /// 1,000,000 × major + 1,000 × minor + micro.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each part is below 4,300,000"
    )]
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
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            *number = part.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        }
        let [major, minor, micro] = numbers;
        Ok(Self::new(major, minor, micro))
    }
}

serde_as_text!(Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_three_numbers_are_a_version() {
        assert_eq!("9".parse(), Ok(Version::new(9, 0, 0)));
        assert_eq!("7.2.22".parse(), Ok(Version::new(7, 2, 22)));
        assert_eq!(Version::from_libvirt(11_003_000), Version::new(11, 3, 0));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "9.", ".9", "+9", "-1", "9.0.0.0", "9.x", "99999999999"] {
            assert_eq!(text.parse::<Version>(), Err(BadVersion(text.to_owned())));
        }
    }
}
