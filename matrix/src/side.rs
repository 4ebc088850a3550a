//! The two sides of a migration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two sides of a migration: a host of it, or a QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Where the guest comes from.
    Source,
    /// Where it goes to.
    Destination,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Source, Self::Destination];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }

    /// It as a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_written_as_it_is_said_and_is_the_other_of_the_other() {
        for side in Side::BOTH {
            assert_eq!(serde_json::to_value(side).unwrap(), side.to_string());
            assert_ne!(side.other(), side);
            assert_eq!(side.other().other(), side);
        }
    }
}
