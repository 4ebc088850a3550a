//! The story of a case: its acts, by its operation.

use super::{
    acts::{BackupAction, DirtyBitmap, Link, Misnamed, OnError, Together},
    axes::{BitmapTransfer, Bitmaps, Creation, Operation, Writer},
    point::Backup,
    writes::{Drive, WriteSet},
};
use Drive::{First, Second};

impl Backup {
    /// What is done, act after act.
    #[must_use]
    pub fn acts(&self) -> Vec<BackupAction> {
        let mut acts = vec![BackupAction::Start];
        acts.extend(match self.operation {
            Operation::Simple if self.jumps() => self.chain(),
            Operation::Simple => self.simple(),
            Operation::Transaction => transaction(),
            Operation::TransactionFailure => grouped(Some(WriteSet::First)),
            Operation::TransactionFailureRace => grouped(None),
            Operation::BitmapMissing => refused(Misnamed::Missing),
            Operation::BitmapNotFound => refused(Misnamed::Unknown),
            Operation::BadGranularity => vec![BackupAction::AddOdd(First), BackupAction::Inspect],
            Operation::Growing => growing(),
            Operation::Failure => failing(&[BackupAction::Increment(link(1, 0), OnError::Report)]),
            Operation::Pause => pausing(),
            Operation::Cancel => failing(&[BackupAction::Cancel(link(1, 0))]),
        });
        acts
    }

    /// The bitmaps of a drive.
    #[must_use]
    pub fn bitmaps_of_a_drive(&self) -> &'static [DirtyBitmap] {
        match self.bitmaps {
            Bitmaps::One => &[DirtyBitmap::First],
            Bitmaps::Two => &[DirtyBitmap::First, DirtyBitmap::Second],
        }
    }

    fn links(&self, number: u8) -> impl Iterator<Item = Link> {
        self.bitmaps_of_a_drive().iter().map(move |bitmap| Link {
            bitmap: *bitmap,
            ..link(number, number - 1)
        })
    }

    /// The full backup and the bitmaps.
    fn opening(&self) -> Vec<BackupAction> {
        let add = self.bitmaps_of_a_drive().iter();
        let add = add.map(|bitmap| BackupAction::Add(First, *bitmap));
        match self.creation {
            Creation::AfterFull => [BackupAction::Full(First, Together::Alone)]
                .into_iter()
                .chain(add)
                .collect(),
            Creation::BeforeWrites => add
                .chain([
                    BackupAction::Write(First, WriteSet::Third),
                    BackupAction::Inspect,
                    BackupAction::Full(First, Together::Clear),
                ])
                .collect(),
            Creation::InTransaction => vec![BackupAction::Full(First, Together::Add)],
        }
    }

    /// Three incrementals: nothing written, some, more.
    fn simple(&self) -> Vec<BackupAction> {
        let mut acts = self.opening();
        acts.push(BackupAction::Inspect);
        for (number, set) in [
            (1, None),
            (2, Some(WriteSet::First)),
            (3, Some(WriteSet::Second)),
        ] {
            if let Some(set) = set {
                acts.extend([BackupAction::Write(First, set), BackupAction::Inspect]);
            }
            for link in self.links(number) {
                acts.extend(backed_up(link));
            }
        }
        acts.push(BackupAction::End);
        acts
    }

    /// One incremental on the source, and one on the destination of what was written on both.
    fn chain(&self) -> Vec<BackupAction> {
        let writes = |set| match self.writer {
            Writer::QemuIo => BackupAction::Write(First, set),
            Writer::Guest => BackupAction::Laps,
        };
        let mut acts = self.opening();
        acts.extend([
            BackupAction::Inspect,
            writes(WriteSet::First),
            BackupAction::Inspect,
        ]);
        acts.extend(self.links(1).flat_map(twins));
        acts.extend([writes(WriteSet::Second), BackupAction::Inspect]);
        acts.extend([BackupAction::Meet, BackupAction::Migrate]);
        acts.extend(self.arrival());
        acts.extend([writes(WriteSet::Third), BackupAction::Inspect]);
        if self.writer == Writer::Guest {
            acts.extend(self.links(2).flat_map(twins));
            acts.extend([
                BackupAction::Laps,
                BackupAction::Halt,
                BackupAction::Inspect,
            ]);
            acts.extend(self.links(3).flat_map(twins));
        } else {
            acts.extend(self.links(2).flat_map(twins));
        }
        acts.extend([BackupAction::Inspect, BackupAction::End]);
        acts
    }
}

impl Backup {
    /// A stored bitmap is read when the disk is opened to be written: from 10.0 on, when the guest
    /// goes on (`migration_block_activate` in migration/block-active.c).
    const fn arrival(&self) -> [BackupAction; 2] {
        match self.carrier {
            BitmapTransfer::Stream | BitmapTransfer::Mapping => {
                [BackupAction::Inspect, BackupAction::Continue]
            }
            BitmapTransfer::Image => [BackupAction::Continue, BackupAction::Inspect],
        }
    }
}

const fn link(number: u8, onto: u8) -> Link {
    Link {
        drive: First,
        bitmap: DirtyBitmap::First,
        number,
        onto,
    }
}

fn backed_up(link: Link) -> [BackupAction; 4] {
    [
        BackupAction::Increment(link, OnError::Report),
        BackupAction::Inspect,
        BackupAction::Reference(link),
        BackupAction::Compare(link),
    ]
}

fn twins(link: Link) -> [BackupAction; 2] {
    [BackupAction::Twin(link), BackupAction::Compare(link)]
}

fn transaction() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Add(First, DirtyBitmap::First),
        BackupAction::Write(First, WriteSet::First),
        BackupAction::Add(First, DirtyBitmap::Second),
        BackupAction::Inspect,
        BackupAction::Full(First, Together::Clear),
        BackupAction::Inspect,
        BackupAction::Write(First, WriteSet::Second),
        BackupAction::Inspect,
    ];
    for bitmap in [DirtyBitmap::First, DirtyBitmap::Second] {
        acts.extend(backed_up(Link {
            bitmap,
            ..link(1, 0)
        }));
    }
    acts.push(BackupAction::End);
    acts
}

/// Two drives together, of which the second fails, and once more; `first` is what is written to the first.
fn grouped(first: Option<WriteSet>) -> Vec<BackupAction> {
    let mut acts = Vec::new();
    for drive in [First, Second] {
        acts.push(BackupAction::Add(drive, DirtyBitmap::First));
        acts.push(BackupAction::Full(drive, Together::Alone));
    }
    acts.extend(first.map(|set| BackupAction::Write(First, set)));
    acts.extend([
        BackupAction::Write(Second, WriteSet::First),
        BackupAction::Inspect,
    ]);
    let pair = |number| {
        [First, Second].map(|drive| Link {
            drive,
            ..link(number, 0)
        })
    };
    for number in [1, 2] {
        acts.extend([BackupAction::Pair(pair(number)), BackupAction::Inspect]);
    }
    for link in pair(2) {
        acts.extend([BackupAction::Reference(link), BackupAction::Compare(link)]);
    }
    acts.push(BackupAction::End);
    acts
}

fn refused(how: Misnamed) -> Vec<BackupAction> {
    vec![
        BackupAction::Add(First, DirtyBitmap::First),
        BackupAction::Write(First, WriteSet::First),
        BackupAction::IncrementBy(First, how),
        BackupAction::Inspect,
    ]
}

fn growing() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Full(First, Together::Alone),
        BackupAction::Add(First, DirtyBitmap::First),
        BackupAction::Grow(First),
        BackupAction::Inspect,
        BackupAction::Write(First, WriteSet::Tail),
        BackupAction::Inspect,
    ];
    acts.extend(backed_up(link(1, 0)));
    acts.push(BackupAction::End);
    acts
}

/// Up to the writes that the first incremental has to save.
fn begun() -> Vec<BackupAction> {
    vec![
        BackupAction::Full(First, Together::Alone),
        BackupAction::Add(First, DirtyBitmap::First),
        BackupAction::Write(First, WriteSet::First),
        BackupAction::Inspect,
    ]
}

/// A first incremental that comes to nothing, and a second one that has all.
fn failing(first: &[BackupAction]) -> Vec<BackupAction> {
    let mut acts = begun();
    acts.extend(first);
    acts.extend([
        BackupAction::Inspect,
        BackupAction::Write(First, WriteSet::Second),
        BackupAction::Inspect,
    ]);
    acts.extend(backed_up(link(2, 0)));
    acts.push(BackupAction::End);
    acts
}

fn pausing() -> Vec<BackupAction> {
    let first = link(1, 0);
    let mut acts = begun();
    acts.extend([
        BackupAction::Increment(first, OnError::Stop),
        BackupAction::Inspect,
        BackupAction::Resume(first),
        BackupAction::Inspect,
        BackupAction::Reference(first),
        BackupAction::Compare(first),
        BackupAction::End,
    ]);
    acts
}
