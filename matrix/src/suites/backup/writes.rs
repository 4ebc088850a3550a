//! What is written to the disks, and which granules of a bitmap that touches.
//!
//! The patterns and places are those of `qemu-iotests` 124.

use std::{collections::BTreeSet, fmt};

/// One of the case's disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Drive {
    /// The one that every case has.
    First,
    /// The one that fails where another one is to be cancelled with it.
    Second,
}

/// A set of writes, after which the disk is flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WriteSet {
    /// What is on the disk before QEMU starts.
    Offline,
    /// The first writes: 7 granules of 64 KiB.
    First,
    /// The second writes: 23 granules of 64 KiB.
    Second,
    /// The third writes, one of them over one of the second.
    Third,
    /// What is written behind the old end of a disk that has grown.
    Tail,
}

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The byte that is written.
    pub pattern: u8,
    /// Where, in bytes.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

const fn write(pattern: u8, offset: u64, length: u64) -> Write {
    Write {
        pattern,
        offset,
        length,
    }
}

impl Drive {
    /// The size of every disk, in bytes.
    pub const SIZE: u64 = 64 * MIB;

    /// The size of a disk that has grown, in bytes.
    pub const GROWN: u64 = 65 * MIB;

    /// What QEMU calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "drive0",
            Self::Second => "drive1",
        }
    }
}

impl Write {
    /// It as `qemu-io` takes it.
    #[must_use]
    pub fn command(&self) -> String {
        let (pattern, offset, length) = (self.pattern, self.offset, self.length);
        format!("write -P {pattern:#x} {offset} {length}")
    }

    /// What `qemu-io` tells when it is done.
    #[must_use]
    pub fn told(&self) -> String {
        let (offset, length) = (self.offset, self.length);
        format!("wrote {length}/{length} bytes at offset {offset}")
    }
}

impl WriteSet {
    /// Its writes on a disk. Those of the two disks differ by their patterns.
    #[must_use]
    pub fn writes(self, drive: Drive) -> Vec<Write> {
        let all = match self {
            Self::Offline => vec![
                write(0x41, 0, 512),
                write(0xd5, MIB, 32 * KIB),
                write(0xdc, 32 * MIB, 124 * KIB),
            ],
            Self::First => vec![
                write(0xab, 0, 512),
                write(0xfe, 16 * MIB, 256 * KIB),
                write(0x64, 32736 * KIB, 64 * KIB),
            ],
            Self::Second => vec![
                write(0x9a, 0, 512),
                write(0x55, 8 * MIB, 352 * KIB),
                write(0x78, 15872 * KIB, MIB),
            ],
            Self::Third => vec![
                write(0x3c, 8 * MIB + 64 * KIB, 64 * KIB),
                write(0x2e, 48 * MIB, 96 * KIB),
            ],
            Self::Tail => vec![write(0xcd, 64 * MIB, 64 * KIB)],
        };
        let turned = |write: Write| match drive {
            Drive::First => write,
            Drive::Second => Write {
                pattern: write.pattern.rotate_left(4),
                ..write
            },
        };
        all.into_iter().map(turned).collect()
    }
}

/// The granules of `granularity` bytes that the writes touch, by their numbers.
#[must_use]
pub(crate) fn touched(writes: &[Write], granularity: u64) -> BTreeSet<u64> {
    let granules = |write: &Write| {
        let end = write.offset + write.length;
        write.offset / granularity..end.div_ceil(granularity)
    };
    writes.iter().flat_map(granules).collect()
}

impl fmt::Display for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for WriteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "what is there from the start",
            Self::First => "the first writes",
            Self::Second => "the second writes",
            Self::Third => "the third writes",
            Self::Tail => "behind the old end",
        })
    }
}
