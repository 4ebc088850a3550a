//! The steps of a chain of backups.

use std::fmt;

use migratrix_history::{Side, Verb};
use migratrix_matrix::{BackupAction, DirtyBitmap, Drive, Link};

use super::word;

/// A step of a chain of backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupStep {
    /// An act of the case's story.
    Act(Side, BackupAction),
    /// As [`BackupAction::Meet`], but the bitmaps are not to travel.
    MeetIncapable,
    /// As [`BackupAction::Reinstate`], but the destination is told nothing.
    ReinstateNothing,
    /// Clear a bitmap, and tell nobody.
    ClearBitmap(Side, Drive, DirtyBitmap),
    /// Overwrite one sector of an incremental's image.
    Overwrite(Link),
    /// Overwrite a sector that the guest has written, on its disk.
    UndoWrite(Side, Drive),
    /// Write another pattern where the first writes have begun, and tell nobody.
    Rewrite(Side, Drive),
    /// Remove the full backup of a disk.
    RemoveFull(Drive),
}

impl BackupStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Act(..) | Self::MeetIncapable | Self::ReinstateNothing => Verb::Backup,
            Self::ClearBitmap(..)
            | Self::Overwrite(_)
            | Self::UndoWrite(..)
            | Self::Rewrite(..)
            | Self::RemoveFull(_) => Verb::Break,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Act(side, _)
            | Self::ClearBitmap(side, ..)
            | Self::UndoWrite(side, _)
            | Self::Rewrite(side, _) => Some(*side),
            Self::ReinstateNothing => Some(Side::Destination),
            Self::MeetIncapable | Self::Overwrite(_) | Self::RemoveFull(_) => None,
        }
    }
}

impl fmt::Display for BackupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(side, act) => write!(f, "{act} on {}", word(*side)),
            Self::MeetIncapable => f.write_str("start the other QEMU without dirty-bitmaps"),
            Self::ReinstateNothing => f.write_str("tell the destination of no checkpoint"),
            Self::ClearBitmap(side, drive, bitmap) => {
                write!(f, "clear {bitmap} of {drive} on {}", word(*side))
            }
            Self::Overwrite(link) => write!(f, "overwrite a sector of {link}"),
            Self::UndoWrite(side, drive) => {
                write!(f, "undo a write of the guest to {drive} on {}", word(*side))
            }
            Self::Rewrite(side, drive) => {
                write!(f, "write another pattern to {drive} on {}", word(*side))
            }
            Self::RemoveFull(drive) => write!(f, "remove the full backup of {drive}"),
        }
    }
}
