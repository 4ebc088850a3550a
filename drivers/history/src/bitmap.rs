//! A dirty bitmap, as a QEMU describes it.

use serde::{Deserialize, Serialize};

/// A bitmap of a disk, as `BlockDirtyInfo` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitmapLook {
    /// The disk that it is of.
    pub drive: String,
    /// Its name.
    pub name: String,
    /// How much is dirty, in bytes.
    pub count: u64,
    /// In bytes.
    pub granularity: u64,
    /// Whether it records writes.
    pub recording: bool,
    /// Whether a job or the migration has it.
    pub busy: bool,
    /// Whether it is stored in the image.
    pub persistent: bool,
    /// Whether what is stored of it can't be trusted.
    #[serde(default)]
    pub inconsistent: bool,
}
