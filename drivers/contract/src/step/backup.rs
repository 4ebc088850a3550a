//! The steps of a chain of backups.

use std::fmt;

use migratrix_history::{Side, Verb};

use super::word;

/// A step of a chain of backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupStep {
    /// Make a full backup.
    Full(Side),
}

impl BackupStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Full(_) => Verb::Backup,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Full(side) => Some(*side),
        }
    }
}

impl fmt::Display for BackupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(side) => write!(f, "make a full backup on {}", word(*side)),
        }
    }
}
