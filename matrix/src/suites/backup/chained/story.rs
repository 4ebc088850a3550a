//! What is done around the migration, and what must come of each act.

use std::collections::BTreeSet;

use super::{
    super::{
        acts::{Act, DirtyBitmap, Link, Since, Together},
        axes::Writer,
        model::{BitmapExpected, Count, JobEnd, JobExpected, Scene},
        writes::{Drive, WriteSet, touched},
    },
    Chained,
};
use crate::Side;

/// The bitmaps' granularity: what libvirt leaves to QEMU, in bytes.
const GRANULARITY: u64 = 64 << 10;

const DRIVE: Drive = Drive::First;
const BEFORE: DirtyBitmap = DirtyBitmap::First;
const BETWEEN: DirtyBitmap = DirtyBitmap::Second;

impl Chained {
    /// The link that the chain ends in.
    pub const LAST: Link = link(2);

    /// What is done on the source before the migration and on the destination after it, each with
    /// what must come of it.
    #[must_use]
    pub fn scenes(&self) -> Vec<Scene> {
        let mut model = Model {
            writer: self.writer,
            bitmaps: Vec::new(),
        };
        let (before, after) = match self.writer {
            Writer::QemuIo => (source(), destination()),
            Writer::Guest => (source_of_guest(), destination_of_guest()),
        };
        let acts = before.into_iter().map(|act| (Side::Source, act));
        let acts = acts.chain(after.into_iter().map(|act| (Side::Destination, act)));
        acts.map(|(side, act)| model.play(side, act)).collect()
    }
}

fn source() -> Vec<Act> {
    let mut acts = vec![Act::Full(DRIVE, Together::Add), Act::Inspect];
    acts.extend([Act::Write(DRIVE, WriteSet::First), Act::Inspect]);
    acts.extend(backed_up(link(1), BEFORE, Some(BETWEEN)));
    acts.extend([Act::Write(DRIVE, WriteSet::Second), Act::Inspect, Act::Keep]);
    acts
}

fn destination() -> Vec<Act> {
    let mut acts = vec![Act::Continue, Act::Reinstate, Act::Inspect];
    acts.extend([Act::Write(DRIVE, WriteSet::Third), Act::Inspect]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(Act::End);
    acts
}

/// A guest writes on while it is backed up: no other backup is of the same moment, and its own stamps
/// tell whether one is whole.
fn source_of_guest() -> Vec<Act> {
    let mut acts = vec![Act::Full(DRIVE, Together::Add), Act::Inspect];
    acts.extend([Act::Laps, Act::Inspect]);
    acts.extend([since(link(1), BEFORE, Some(BETWEEN)), Act::Inspect]);
    acts.extend([Act::Laps, Act::Inspect, Act::Keep]);
    acts
}

fn destination_of_guest() -> Vec<Act> {
    let mut acts = vec![Act::Continue, Act::Reinstate, Act::Inspect];
    acts.extend([Act::Laps, Act::Halt, Act::Inspect]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(Act::End);
    acts
}

const fn since(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> Act {
    Act::Since(link, Since { checkpoint, next })
}

fn backed_up(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> [Act; 4] {
    [
        since(link, checkpoint, next),
        Act::Inspect,
        Act::Reference(link),
        Act::Compare(link),
    ]
}

/// All links are of one chain, whichever checkpoint each begins at.
const fn link(number: u8) -> Link {
    Link {
        drive: DRIVE,
        bitmap: DirtyBitmap::First,
        number,
        onto: number - 1,
    }
}

/// The bitmaps as they must be.
struct Model {
    writer: Writer,
    bitmaps: Vec<Bitmap>,
}

struct Bitmap {
    bitmap: DirtyBitmap,
    granules: BTreeSet<u64>,
    /// Whether the guest was left to write since it was clean.
    some: bool,
}

impl Model {
    fn play(&mut self, side: Side, act: Act) -> Scene {
        let jobs = self.job(act).into_iter().collect();
        self.change(act);
        let bitmaps = self.bitmaps.iter();
        Scene {
            act,
            side,
            refusal: None,
            jobs,
            bitmaps: bitmaps.map(|one| self.expected(one)).collect(),
        }
    }

    fn change(&mut self, act: Act) {
        if let Act::Write(drive, set) = act {
            let touched = touched(&set.writes(drive), GRANULARITY);
            let bitmaps = self.bitmaps.iter_mut();
            bitmaps.for_each(|one| one.granules.extend(&touched));
        }
        let laps = act == Act::Laps;
        self.bitmaps.iter_mut().for_each(|one| one.some |= laps);
        let made = if let Act::Since(_, since) = act {
            since.next
        } else {
            (act == Act::Full(DRIVE, Together::Add)).then_some(BEFORE)
        };
        self.bitmaps.extend(made.map(|bitmap| Bitmap {
            bitmap,
            granules: BTreeSet::new(),
            some: false,
        }));
    }

    /// The job of an act, before it changes anything.
    fn job(&self, act: Act) -> Option<JobExpected> {
        let (id, length) = if let Act::Full(drive, _) = act {
            (drive.full_job(), Some(Drive::SIZE))
        } else if let Act::Reference(link) = act {
            (link.reference_job(), Some(Drive::SIZE))
        } else if let Act::Since(link, since) = act {
            (link.job(), self.counted(since.checkpoint))
        } else {
            return None;
        };
        Some(JobExpected {
            id,
            end: JobEnd::Completed,
            length,
        })
    }

    /// How much is dirty of a bitmap, in bytes; `None` where the guest writes.
    fn counted(&self, bitmap: DirtyBitmap) -> Option<u64> {
        let mut bitmaps = self.bitmaps.iter();
        let found = bitmaps.find(|one| one.bitmap == bitmap);
        found
            .filter(|_| self.writer == Writer::QemuIo)
            .map(Bitmap::dirty)
    }

    fn expected(&self, one: &Bitmap) -> BitmapExpected {
        let count = match (self.writer, one.some) {
            (Writer::QemuIo, _) => Count::Exactly(one.dirty()),
            (Writer::Guest, true) => Count::Some,
            (Writer::Guest, false) => Count::Any,
        };
        BitmapExpected {
            drive: DRIVE,
            bitmap: one.bitmap,
            count,
            granularity: GRANULARITY,
            busy: false,
            persistent: true,
        }
    }
}

impl Bitmap {
    /// How much of it is dirty by what we have written, in bytes.
    fn dirty(&self) -> u64 {
        self.granules.len() as u64 * GRANULARITY
    }
}
