//! What is done in a case of the `backup` suite, act after act.

use std::fmt;

use super::writes::{Drive, WriteSet};

/// One of a drive's bitmaps; with libvirt, the one of the checkpoint of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DirtyBitmap {
    /// The one that every case has.
    First,
    /// The other one.
    Second,
}

/// An incremental in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The disk.
    pub drive: Drive,
    /// The bitmap whose chain it is.
    pub bitmap: DirtyBitmap,
    /// Its number; that of the full backup is 0.
    pub number: u8,
    /// The number of the link that it lies on.
    pub onto: u8,
}

/// What comes in one transaction with a full backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Nothing: it is a command of its own.
    Alone,
    /// Every bitmap of the drive is cleared.
    Clear,
    /// The drive's bitmaps are added.
    Add,
}

/// What a job does on a read error (`on-source-error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It fails.
    Report,
    /// It waits until it is told to go on.
    Stop,
    /// It tries again, and says nothing: only as a fault.
    Ignore,
}

/// A bitmap that an incremental can't be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misnamed {
    /// None is named.
    Missing,
    /// There is none of that name.
    Unknown,
}

/// What libvirt makes an incremental of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Since {
    /// The checkpoint since which the writes are.
    pub checkpoint: DirtyBitmap,
    /// The checkpoint that is made of the same moment.
    pub next: Option<DirtyBitmap>,
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupAction {
    /// Make the disks, and start the QEMU that has them.
    Start,
    /// Add a bitmap (`block-dirty-bitmap-add`).
    Add(Drive, DirtyBitmap),
    /// Add a bitmap whose granularity is no power of two.
    AddOdd(Drive),
    /// Write, and flush.
    Write(Drive, WriteSet),
    /// Let the guest write.
    Laps,
    /// Make the disk larger (`block_resize`).
    Grow(Drive),
    /// Make a full backup.
    Full(Drive, Together),
    /// Look at the bitmaps.
    Inspect,
    /// Make an incremental, and wait until its job has ended, or has stopped.
    Increment(Link, OnError),
    /// Ask for an incremental that must be refused.
    IncrementBy(Drive, Misnamed),
    /// Make an incremental slowly, and cancel it.
    Cancel(Link),
    /// Have the job that stopped go on (`job-resume`), and wait until it has ended.
    Resume(Link),
    /// Make an incremental of both drives in one grouped transaction.
    Pair([Link; 2]),
    /// Make a full backup to compare a link with.
    Reference(Link),
    /// Make an incremental and its reference in one transaction, so that they are of one moment.
    Twin(Link),
    /// Compare a link with its reference.
    Compare(Link),
    /// Make an incremental since a checkpoint.
    Since(Link, Since),
    /// Save what describes the checkpoints.
    Keep,
    /// Have the destination take the checkpoints up by what was saved.
    Reinstate,
    /// Start the other QEMU, and prepare both for the migration.
    Meet,
    /// Migrate, and look at the source's bitmaps while nobody writes.
    Migrate,
    /// Have the guest go on (`cont`).
    Continue,
    /// Stop the guest (`stop`).
    Halt,
    /// End the QEMU, and compare each chain with its disk.
    End,
}

/// The granularity that is no power of two, in bytes.
pub const ODD_GRANULARITY: u64 = 64_000;

impl DirtyBitmap {
    /// What QEMU calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "bitmap0",
            Self::Second => "bitmap1",
        }
    }
}

impl Link {
    /// The name of its file.
    #[must_use]
    pub fn file(&self) -> String {
        self.numbered(self.number)
    }

    /// The name of the file that it lies on.
    #[must_use]
    pub fn base(&self) -> String {
        self.numbered(self.onto)
    }

    /// The name of its reference's file.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}-reference", self.file())
    }

    /// The id of its job.
    #[must_use]
    pub fn job(&self) -> String {
        format!("backup-{}", self.drive)
    }

    /// The id of its reference's job.
    #[must_use]
    pub fn reference_job(&self) -> String {
        format!("reference-{}", self.drive)
    }

    fn numbered(&self, number: u8) -> String {
        match number {
            0 => full(self.drive),
            _ => format!("{}-{}-{number}", self.drive, self.bitmap),
        }
    }
}

/// The name of a full backup's file.
#[must_use]
pub(crate) fn full(drive: Drive) -> String {
    format!("{drive}-full")
}

/// The id of a full backup's job.
#[must_use]
pub(crate) fn full_job(drive: Drive) -> String {
    format!("full-{drive}")
}

impl Drive {
    /// The name of its full backup's file.
    #[must_use]
    pub fn full(self) -> String {
        full(self)
    }

    /// The id of its full backup's job.
    #[must_use]
    pub fn full_job(self) -> String {
        full_job(self)
    }
}

impl fmt::Display for DirtyBitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file())
    }
}

impl fmt::Display for BackupAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start with the disks"),
            Self::Add(drive, bitmap) => write!(f, "add {bitmap} to {drive}"),
            Self::AddOdd(drive) => write!(f, "add a bitmap of {ODD_GRANULARITY} bytes to {drive}"),
            Self::Write(drive, set) => write!(f, "write {set} to {drive}"),
            Self::Laps => f.write_str("let the guest write"),
            Self::Grow(drive) => write!(f, "make {drive} larger"),
            Self::Full(drive, Together::Alone) => write!(f, "make a full backup of {drive}"),
            Self::Full(drive, Together::Clear) => {
                write!(f, "clear the bitmaps and make a full backup of {drive}")
            }
            Self::Full(drive, Together::Add) => {
                write!(f, "add the bitmaps and make a full backup of {drive}")
            }
            Self::Inspect => f.write_str("look at the bitmaps"),
            Self::Increment(link, OnError::Report) => write!(f, "make {link}"),
            Self::Increment(link, OnError::Stop) => write!(f, "make {link}, and stop on an error"),
            Self::Increment(link, OnError::Ignore) => write!(f, "make {link}, and ignore errors"),
            Self::IncrementBy(drive, Misnamed::Missing) => {
                write!(f, "make an incremental of {drive} without a bitmap")
            }
            Self::IncrementBy(drive, Misnamed::Unknown) => {
                write!(f, "make an incremental of {drive} by an unknown bitmap")
            }
            Self::Cancel(link) => write!(f, "cancel {link} on the way"),
            Self::Resume(link) => write!(f, "have {link} go on"),
            Self::Pair([one, other]) => write!(f, "make {one} and {other} together"),
            Self::Reference(link) => write!(f, "make a reference of {link}"),
            Self::Twin(link) => write!(f, "make {link} and its reference together"),
            Self::Compare(link) => write!(f, "compare {link} with its reference"),
            Self::Since(link, Since { checkpoint, next }) => {
                write!(f, "make {link} since {checkpoint}")?;
                next.map_or(Ok(()), |next| write!(f, ", and the checkpoint {next}"))
            }
            Self::Keep => f.write_str("save the checkpoints"),
            Self::Reinstate => f.write_str("take the checkpoints up"),
            Self::Meet => f.write_str("start the other QEMU"),
            Self::Migrate => f.write_str("migrate"),
            Self::Continue => f.write_str("have the guest go on"),
            Self::Halt => f.write_str("stop the guest"),
            Self::End => f.write_str("end QEMU and compare the chain with the disk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_named_by_its_bitmap_and_its_number_and_the_first_lies_on_the_full_backup() {
        let link = Link {
            drive: Drive::First,
            bitmap: DirtyBitmap::Second,
            number: 1,
            onto: 0,
        };
        assert_eq!(link.file(), "drive0-bitmap1-1");
        assert_eq!(link.base(), "drive0-full");
        assert_eq!(link.reference(), "drive0-bitmap1-1-reference");
    }
}
