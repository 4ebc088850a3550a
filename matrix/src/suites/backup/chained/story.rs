//! What is done around the migration, and what must come of each act.

use std::collections::BTreeSet;

use super::{
    super::{
        acts::{BackupAction, DirtyBitmap, Link, Since, Together},
        axes::Writer,
        model::{BitmapExpected, Count, ExpectedAction, JobEnd, JobExpected},
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
    pub fn expected_actions(&self) -> Vec<ExpectedAction> {
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
        acts.map(|(side, act)| model.perform(side, act)).collect()
    }
}

fn source() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Full(DRIVE, Together::Add),
        BackupAction::Inspect,
    ];
    acts.extend([
        BackupAction::Write(DRIVE, WriteSet::First),
        BackupAction::Inspect,
    ]);
    acts.extend(backed_up(link(1), BEFORE, Some(BETWEEN)));
    acts.extend([
        BackupAction::Write(DRIVE, WriteSet::Second),
        BackupAction::Inspect,
        BackupAction::Keep,
    ]);
    acts
}

fn destination() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Continue,
        BackupAction::Reinstate,
        BackupAction::Inspect,
    ];
    acts.extend([
        BackupAction::Write(DRIVE, WriteSet::Third),
        BackupAction::Inspect,
    ]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(BackupAction::End);
    acts
}

/// A guest writes on while it is backed up: no other backup is of the same moment, and its own stamps
/// tell whether one is whole.
fn source_of_guest() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Full(DRIVE, Together::Add),
        BackupAction::Inspect,
    ];
    acts.extend([BackupAction::Laps, BackupAction::Inspect]);
    acts.extend([since(link(1), BEFORE, Some(BETWEEN)), BackupAction::Inspect]);
    acts.extend([
        BackupAction::Laps,
        BackupAction::Inspect,
        BackupAction::Keep,
    ]);
    acts
}

fn destination_of_guest() -> Vec<BackupAction> {
    let mut acts = vec![
        BackupAction::Continue,
        BackupAction::Reinstate,
        BackupAction::Inspect,
    ];
    acts.extend([
        BackupAction::Laps,
        BackupAction::Halt,
        BackupAction::Inspect,
    ]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(BackupAction::End);
    acts
}

const fn since(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> BackupAction {
    BackupAction::Since(link, Since { checkpoint, next })
}

fn backed_up(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> [BackupAction; 4] {
    [
        since(link, checkpoint, next),
        BackupAction::Inspect,
        BackupAction::Reference(link),
        BackupAction::Compare(link),
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
    fn perform(&mut self, side: Side, act: BackupAction) -> ExpectedAction {
        let jobs = self.job(act).into_iter().collect();
        self.change(act);
        let bitmaps = self.bitmaps.iter();
        ExpectedAction {
            act,
            side,
            refusal: None,
            jobs,
            bitmaps: bitmaps.map(|one| self.expected(one)).collect(),
        }
    }

    fn change(&mut self, act: BackupAction) {
        if let BackupAction::Write(drive, set) = act {
            let touched = touched(&set.writes(drive), GRANULARITY);
            let bitmaps = self.bitmaps.iter_mut();
            bitmaps.for_each(|one| one.granules.extend(&touched));
        }
        let laps = act == BackupAction::Laps;
        self.bitmaps.iter_mut().for_each(|one| one.some |= laps);
        let made = if let BackupAction::Since(_, since) = act {
            since.next
        } else {
            (act == BackupAction::Full(DRIVE, Together::Add)).then_some(BEFORE)
        };
        self.bitmaps.extend(made.map(|bitmap| Bitmap {
            bitmap,
            granules: BTreeSet::new(),
            some: false,
        }));
    }

    /// The job of an act, before it changes anything.
    fn job(&self, act: BackupAction) -> Option<JobExpected> {
        let (id, length) = if let BackupAction::Full(drive, _) = act {
            (drive.full_job(), Some(Drive::SIZE))
        } else if let BackupAction::Reference(link) = act {
            (link.reference_job(), Some(Drive::SIZE))
        } else if let BackupAction::Since(link, since) = act {
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
