//! The story of a case: its acts, by its operation.

use super::{
    acts::{Act, DirtyBitmap, Link, Misnamed, OnError, Together},
    axes::{BitmapTransfer, Bitmaps, Creation, Operation, Writer},
    point::Backup,
    writes::{Drive, WriteSet},
};
use Drive::{First, Second};

impl Backup {
    /// What is done, act after act.
    #[must_use]
    pub fn acts(&self) -> Vec<Act> {
        let mut acts = vec![Act::Start];
        acts.extend(match self.operation {
            Operation::Simple if self.jumps() => self.chain(),
            Operation::Simple => self.simple(),
            Operation::Transaction => transaction(),
            Operation::TransactionFailure => grouped(Some(WriteSet::First)),
            Operation::TransactionFailureRace => grouped(None),
            Operation::BitmapMissing => refused(Misnamed::Missing),
            Operation::BitmapNotFound => refused(Misnamed::Unknown),
            Operation::BadGranularity => vec![Act::AddOdd(First), Act::Inspect],
            Operation::Growing => growing(),
            Operation::Failure => failing(&[Act::Increment(link(1, 0), OnError::Report)]),
            Operation::Pause => pausing(),
            Operation::Cancel => failing(&[Act::Cancel(link(1, 0))]),
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
    fn opening(&self) -> Vec<Act> {
        let add = self.bitmaps_of_a_drive().iter();
        let add = add.map(|bitmap| Act::Add(First, *bitmap));
        match self.creation {
            Creation::AfterFull => [Act::Full(First, Together::Alone)]
                .into_iter()
                .chain(add)
                .collect(),
            Creation::BeforeWrites => add
                .chain([
                    Act::Write(First, WriteSet::Third),
                    Act::Inspect,
                    Act::Full(First, Together::Clear),
                ])
                .collect(),
            Creation::InTransaction => vec![Act::Full(First, Together::Add)],
        }
    }

    /// Three incrementals: nothing written, some, more.
    fn simple(&self) -> Vec<Act> {
        let mut acts = self.opening();
        acts.push(Act::Inspect);
        for (number, set) in [
            (1, None),
            (2, Some(WriteSet::First)),
            (3, Some(WriteSet::Second)),
        ] {
            if let Some(set) = set {
                acts.extend([Act::Write(First, set), Act::Inspect]);
            }
            for link in self.links(number) {
                acts.extend(backed_up(link));
            }
        }
        acts.push(Act::End);
        acts
    }

    /// One incremental on the source, and one on the destination of what was written on both.
    fn chain(&self) -> Vec<Act> {
        let writes = |set| match self.writer {
            Writer::QemuIo => Act::Write(First, set),
            Writer::Guest => Act::Laps,
        };
        let mut acts = self.opening();
        acts.extend([Act::Inspect, writes(WriteSet::First), Act::Inspect]);
        acts.extend(self.links(1).flat_map(twins));
        acts.extend([writes(WriteSet::Second), Act::Inspect]);
        acts.extend([Act::Meet, Act::Jump]);
        acts.extend(self.arrival());
        acts.extend([writes(WriteSet::Third), Act::Inspect]);
        if self.writer == Writer::Guest {
            acts.extend(self.links(2).flat_map(twins));
            acts.extend([Act::Laps, Act::Halt, Act::Inspect]);
            acts.extend(self.links(3).flat_map(twins));
        } else {
            acts.extend(self.links(2).flat_map(twins));
        }
        acts.extend([Act::Inspect, Act::End]);
        acts
    }
}

impl Backup {
    /// A stored bitmap is read when the disk is opened to be written: from 10.0 on, when the guest
    /// goes on (`migration_block_activate` in migration/block-active.c).
    const fn arrival(&self) -> [Act; 2] {
        match self.carrier {
            BitmapTransfer::Stream | BitmapTransfer::Mapping => [Act::Inspect, Act::Continue],
            BitmapTransfer::Image => [Act::Continue, Act::Inspect],
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

fn backed_up(link: Link) -> [Act; 4] {
    [
        Act::Increment(link, OnError::Report),
        Act::Inspect,
        Act::Reference(link),
        Act::Compare(link),
    ]
}

fn twins(link: Link) -> [Act; 2] {
    [Act::Twin(link), Act::Compare(link)]
}

fn transaction() -> Vec<Act> {
    let mut acts = vec![
        Act::Add(First, DirtyBitmap::First),
        Act::Write(First, WriteSet::First),
        Act::Add(First, DirtyBitmap::Second),
        Act::Inspect,
        Act::Full(First, Together::Clear),
        Act::Inspect,
        Act::Write(First, WriteSet::Second),
        Act::Inspect,
    ];
    for bitmap in [DirtyBitmap::First, DirtyBitmap::Second] {
        acts.extend(backed_up(Link {
            bitmap,
            ..link(1, 0)
        }));
    }
    acts.push(Act::End);
    acts
}

/// Two drives together, of which the second fails, and once more; `first` is what is written to the first.
fn grouped(first: Option<WriteSet>) -> Vec<Act> {
    let mut acts = Vec::new();
    for drive in [First, Second] {
        acts.push(Act::Add(drive, DirtyBitmap::First));
        acts.push(Act::Full(drive, Together::Alone));
    }
    acts.extend(first.map(|set| Act::Write(First, set)));
    acts.extend([Act::Write(Second, WriteSet::First), Act::Inspect]);
    let pair = |number| {
        [First, Second].map(|drive| Link {
            drive,
            ..link(number, 0)
        })
    };
    for number in [1, 2] {
        acts.extend([Act::Pair(pair(number)), Act::Inspect]);
    }
    for link in pair(2) {
        acts.extend([Act::Reference(link), Act::Compare(link)]);
    }
    acts.push(Act::End);
    acts
}

fn refused(how: Misnamed) -> Vec<Act> {
    vec![
        Act::Add(First, DirtyBitmap::First),
        Act::Write(First, WriteSet::First),
        Act::IncrementBy(First, how),
        Act::Inspect,
    ]
}

fn growing() -> Vec<Act> {
    let mut acts = vec![
        Act::Full(First, Together::Alone),
        Act::Add(First, DirtyBitmap::First),
        Act::Grow(First),
        Act::Inspect,
        Act::Write(First, WriteSet::Tail),
        Act::Inspect,
    ];
    acts.extend(backed_up(link(1, 0)));
    acts.push(Act::End);
    acts
}

/// Up to the writes that the first incremental has to save.
fn begun() -> Vec<Act> {
    vec![
        Act::Full(First, Together::Alone),
        Act::Add(First, DirtyBitmap::First),
        Act::Write(First, WriteSet::First),
        Act::Inspect,
    ]
}

/// A first incremental that comes to nothing, and a second one that has all.
fn failing(first: &[Act]) -> Vec<Act> {
    let mut acts = begun();
    acts.extend(first);
    acts.extend([
        Act::Inspect,
        Act::Write(First, WriteSet::Second),
        Act::Inspect,
    ]);
    acts.extend(backed_up(link(2, 0)));
    acts.push(Act::End);
    acts
}

fn pausing() -> Vec<Act> {
    let first = link(1, 0);
    let mut acts = begun();
    acts.extend([
        Act::Increment(first, OnError::Stop),
        Act::Inspect,
        Act::Resume(first),
        Act::Inspect,
        Act::Reference(first),
        Act::Compare(first),
        Act::End,
    ]);
    acts
}
