//! A dirty bitmap, and the node that has it, as a QEMU describes them.

use serde::{Deserialize, Serialize};

/// A bitmap of a disk, as `BlockDirtyInfo` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BitmapInfo {
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

/// A node, as `query-named-block-nodes` tells of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BlockNode {
    /// Its name.
    #[serde(default)]
    pub node_name: String,
    /// The driver.
    pub drv: String,
    /// The file, as a path or as a description that has the path in it.
    pub file: String,
    /// What it says of the image.
    pub image: BlockImage,
    #[serde(default)]
    dirty_bitmaps: Vec<Dirty>,
}

/// What a node says of its image.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BlockImage {
    /// How large the disk is, in bytes.
    pub virtual_size: u64,
}

/// Those of a running job have no name.
#[derive(Clone, Debug, Deserialize)]
struct Dirty {
    name: Option<String>,
    count: u64,
    granularity: u64,
    recording: bool,
    busy: bool,
    persistent: bool,
    #[serde(default)]
    inconsistent: bool,
}

impl BlockNode {
    /// Its bitmaps that have a name, as those of the disk of this name.
    #[must_use]
    pub fn bitmaps(self, drive: &str) -> Vec<BitmapInfo> {
        let look = |dirty: Dirty| {
            Some(BitmapInfo {
                drive: drive.to_owned(),
                name: dirty.name?,
                count: dirty.count,
                granularity: dirty.granularity,
                recording: dirty.recording,
                busy: dirty.busy,
                persistent: dirty.persistent,
                inconsistent: dirty.inconsistent,
            })
        };
        self.dirty_bitmaps.into_iter().filter_map(look).collect()
    }
}
