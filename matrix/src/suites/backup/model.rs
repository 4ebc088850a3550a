//! What must come of each act: the model of a dirty bitmap, as `docs/interop/bitmaps.rst` has it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    acts::{BackupAction, DirtyBitmap, Link, Misnamed, OnError, Together},
    axes::{BitmapTransfer, Clusters, Granularity, Operation, Writer},
    point::Backup,
    writes::{Drive, touched},
};
use crate::Side;

/// An act, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAction {
    /// What is done.
    pub act: BackupAction,
    /// On which side.
    pub side: Side,
    /// What QEMU must name where it must refuse, in whatever words.
    pub refusal: Option<&'static [&'static str]>,
    /// How each job must end that the act waits for.
    pub jobs: Vec<JobExpected>,
    /// What bitmaps there must be after it, of each drive that has some.
    pub bitmaps: Vec<BitmapExpected>,
}

/// How a job must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobExpected {
    /// Its id.
    pub id: String,
    /// How.
    pub end: JobEnd,
    /// How many bytes it has to copy; `None` where nobody can know.
    pub length: Option<u64>,
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// All is copied.
    Completed,
    /// By a read error.
    Failed,
    /// It is cancelled.
    Cancelled,
    /// It has not ended: it waits after a read error.
    Stopped,
}

/// What a bitmap must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitmapExpected {
    /// Of which disk.
    pub drive: Drive,
    /// Which.
    pub bitmap: DirtyBitmap,
    /// How much is dirty.
    pub count: Count,
    /// In bytes.
    pub granularity: u64,
    /// Whether a job has it.
    pub busy: bool,
    /// Whether it is stored in the image.
    pub persistent: bool,
}

/// How much of a bitmap is dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many bytes.
    Exactly(u64),
    /// What the guest has written, and not the whole disk.
    Some,
    /// What the guest has written meanwhile, if anything.
    Any,
}

/// What QEMU names of an incremental without a bitmap.
const MISSING: &[&str] = &["bitmap name", "incremental"];
/// What it names of one with a bitmap that is not there.
const UNKNOWN: &[&str] = &["bitmap", "'unknown'"];
/// What it names of a granularity that is no power of two.
const ODD: &[&str] = &["granularity", "power of 2"];

/// The cluster size of the disks, and of targets that are equal to them, in bytes.
const CLUSTER: u64 = 64 << 10;

impl Granularity {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => 32 << 10,
            Self::Usual => 64 << 10,
            Self::Large => 128 << 10,
        }
    }
}

impl Clusters {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Equal => CLUSTER,
            Self::Larger => 2 * CLUSTER,
        }
    }
}

impl Backup {
    /// The acts, each with what must come of it.
    #[must_use]
    pub fn expected_actions(&self) -> Vec<ExpectedAction> {
        let mut model = Model::of(self);
        let acts = self.acts().into_iter();
        acts.map(|act| model.perform(act)).collect()
    }
}

impl Backup {
    /// The links in which its chains end.
    #[must_use]
    pub fn ends(&self) -> Vec<Link> {
        let mut ends = BTreeMap::new();
        for scene in self.expected_actions() {
            for link in scene.made() {
                ends.insert((link.drive, link.bitmap), link);
            }
        }
        ends.into_values().collect()
    }
}

impl ExpectedAction {
    /// The links that are made and whole when it is over.
    fn made(&self) -> Vec<Link> {
        let links = match self.act {
            BackupAction::Increment(link, _)
            | BackupAction::Resume(link)
            | BackupAction::Twin(link)
            | BackupAction::Since(link, _) => {
                vec![link]
            }
            BackupAction::Pair(links) => links.to_vec(),
            BackupAction::Start
            | BackupAction::Add(..)
            | BackupAction::AddOdd(_)
            | BackupAction::Write(..)
            | BackupAction::Laps
            | BackupAction::Grow(_)
            | BackupAction::Full(..)
            | BackupAction::Inspect
            | BackupAction::IncrementBy(..)
            | BackupAction::Cancel(_)
            | BackupAction::Reference(_)
            | BackupAction::Compare(_)
            | BackupAction::Keep
            | BackupAction::Reinstate
            | BackupAction::Meet
            | BackupAction::Migrate
            | BackupAction::Continue
            | BackupAction::Halt
            | BackupAction::End => Vec::new(),
        };
        let whole = self.jobs.iter().all(|job| job.end == JobEnd::Completed);
        if whole { links } else { Vec::new() }
    }
}

/// The bitmaps as they must be.
struct Model<'b> {
    backup: &'b Backup,
    side: Side,
    /// What of each bitmap is dirty.
    bitmaps: BTreeMap<(Drive, DirtyBitmap), Dirt>,
    /// What has grown.
    grown: bool,
    trap: Trap,
    /// Whether the guest writes now.
    writing: bool,
}

/// The read error of the disk that fails: it comes once, after the first flush.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trap {
    Idle,
    Armed,
    Sprung,
}

#[derive(Default)]
struct Dirt {
    granules: BTreeSet<u64>,
    /// Whether the guest has written some since it was clean.
    some: bool,
    /// Whether a job has it.
    busy: bool,
}

impl<'b> Model<'b> {
    fn of(backup: &'b Backup) -> Self {
        Self {
            backup,
            side: Side::Source,
            bitmaps: BTreeMap::new(),
            grown: false,
            trap: Trap::Idle,
            writing: false,
        }
    }

    fn perform(&mut self, act: BackupAction) -> ExpectedAction {
        let side = self.side;
        let refusal = refusal(act);
        let jobs = self.jobs(act);
        self.change(act);
        let bitmaps = self.bitmaps();
        ExpectedAction {
            act,
            side,
            refusal,
            jobs,
            bitmaps,
        }
    }

    /// The jobs of an act, before it changes anything.
    fn jobs(&self, act: BackupAction) -> Vec<JobExpected> {
        match act {
            BackupAction::Full(drive, _) => vec![self.whole(drive.full_job(), drive)],
            BackupAction::Reference(link) => vec![self.whole(link.reference_job(), link.drive)],
            BackupAction::Increment(link, how) => {
                vec![self.increment(link, self.end(link.drive, how))]
            }
            BackupAction::Resume(link) => vec![self.increment(link, JobEnd::Completed)],
            BackupAction::Cancel(link) => vec![self.increment(link, JobEnd::Cancelled)],
            BackupAction::Twin(link) => vec![
                self.increment(link, JobEnd::Completed),
                self.whole(link.reference_job(), link.drive),
            ],
            BackupAction::Pair(links) => self.pair(links),
            BackupAction::Start
            | BackupAction::Add(..)
            | BackupAction::AddOdd(_)
            | BackupAction::Write(..)
            | BackupAction::Laps
            | BackupAction::Grow(_)
            | BackupAction::Inspect
            | BackupAction::IncrementBy(..)
            | BackupAction::Compare(_)
            | BackupAction::Since(..)
            | BackupAction::Keep
            | BackupAction::Reinstate
            | BackupAction::Meet
            | BackupAction::Migrate
            | BackupAction::Continue
            | BackupAction::Halt
            | BackupAction::End => Vec::new(),
        }
    }

    /// A job that copies the whole disk.
    fn whole(&self, id: String, drive: Drive) -> JobExpected {
        let grown = self.grown && drive == Drive::First;
        JobExpected {
            id,
            end: JobEnd::Completed,
            length: Some(if grown { Drive::GROWN } else { Drive::SIZE }),
        }
    }

    /// A job copies whole clusters of its target, or whole granules where those are larger.
    fn increment(&self, link: Link, end: JobEnd) -> JobExpected {
        let dirt = self.bitmaps.get(&(link.drive, link.bitmap));
        let granularity = self.backup.granularity.bytes();
        let piece = granularity.max(self.backup.clusters.bytes());
        let counted = self.backup.writer == Writer::QemuIo;
        let length = dirt.filter(|_| counted).map(|dirt| {
            let pieces = dirt.granules.iter().map(|at| at * granularity / piece);
            pieces.collect::<BTreeSet<u64>>().len() as u64 * piece
        });
        JobExpected {
            id: link.job(),
            end,
            length,
        }
    }

    fn end(&self, drive: Drive, how: OnError) -> JobEnd {
        match (self.is_armed() && drive == self.failing(), how) {
            (true, OnError::Report) => JobEnd::Failed,
            (true, OnError::Stop) => JobEnd::Stopped,
            (true, OnError::Ignore) | (false, _) => JobEnd::Completed,
        }
    }

    /// Where one of a group fails, the other is cancelled; how much it had to copy is not told by
    /// each release.
    fn pair(&self, links: [Link; 2]) -> Vec<JobExpected> {
        let of = |link: Link| match (self.is_armed(), link.drive == self.failing()) {
            (false, _) => self.increment(link, JobEnd::Completed),
            (true, true) => self.increment(link, JobEnd::Failed),
            (true, false) => self.increment(link, JobEnd::Cancelled),
        };
        links.map(of).to_vec()
    }

    /// The disk that has a read error.
    fn failing(&self) -> Drive {
        self.backup.failing().unwrap_or(Drive::First)
    }

    fn change(&mut self, act: BackupAction) {
        match act {
            BackupAction::Add(drive, bitmap) => self.add(drive, bitmap),
            BackupAction::Full(drive, Together::Add) => {
                let all = self.backup.bitmaps_of_a_drive();
                all.iter().for_each(|bitmap| self.add(drive, *bitmap));
            }
            BackupAction::Full(drive, Together::Clear) => self.clean(|at| at.0 == drive),
            BackupAction::Write(drive, set) => {
                let writes = set.writes(drive);
                let touched = touched(&writes, self.backup.granularity.bytes());
                let of_drive = self.bitmaps.iter_mut().filter(|(at, _)| at.0 == drive);
                of_drive.for_each(|(_, dirt)| dirt.granules.extend(&touched));
                self.flush(drive);
            }
            BackupAction::Laps => self.bitmaps.values_mut().for_each(|dirt| dirt.some = true),
            BackupAction::Start => self.writing = self.backup.writer == Writer::Guest,
            BackupAction::Continue => self.writing = self.backup.writer == Writer::Guest,
            BackupAction::Halt => self.writing = false,
            BackupAction::Grow(_) => self.grown = true,
            BackupAction::Increment(link, how) => self.incremented(link, self.end(link.drive, how)),
            BackupAction::Resume(link) | BackupAction::Twin(link) => {
                self.incremented(link, JobEnd::Completed)
            }
            BackupAction::Pair(links) => {
                let end = if self.is_armed() {
                    JobEnd::Failed
                } else {
                    JobEnd::Completed
                };
                for link in links {
                    self.incremented(link, end);
                }
            }
            BackupAction::Migrate => {
                self.side = Side::Destination;
                self.writing = false;
            }
            BackupAction::AddOdd(_)
            | BackupAction::Full(_, Together::Alone)
            | BackupAction::Inspect
            | BackupAction::IncrementBy(..)
            | BackupAction::Cancel(_)
            | BackupAction::Reference(_)
            | BackupAction::Compare(_)
            | BackupAction::Since(..)
            | BackupAction::Keep
            | BackupAction::Reinstate
            | BackupAction::Meet
            | BackupAction::End => {}
        }
    }

    /// A bitmap is cleaned by what succeeds with it, and by nothing else.
    fn incremented(&mut self, link: Link, end: JobEnd) {
        let at = (link.drive, link.bitmap);
        if end == JobEnd::Completed {
            self.clean(|other| *other == at);
        } else {
            self.trap = Trap::Sprung;
        }
        if let Some(dirt) = self.bitmaps.get_mut(&at) {
            dirt.busy = end == JobEnd::Stopped;
        }
    }

    fn flush(&mut self, drive: Drive) {
        if self.trap == Trap::Idle && self.backup.failing() == Some(drive) {
            self.trap = Trap::Armed;
        }
    }

    fn is_armed(&self) -> bool {
        self.trap == Trap::Armed
    }

    fn add(&mut self, drive: Drive, bitmap: DirtyBitmap) {
        self.bitmaps.insert((drive, bitmap), Dirt::default());
    }

    fn clean(&mut self, which: impl Fn(&(Drive, DirtyBitmap)) -> bool) {
        for (_, dirt) in self.bitmaps.iter_mut().filter(|(at, _)| which(at)) {
            dirt.granules.clear();
            dirt.some = false;
        }
    }

    fn bitmaps(&self) -> Vec<BitmapExpected> {
        let of = |(at, dirt): (&(Drive, DirtyBitmap), &Dirt)| BitmapExpected {
            drive: at.0,
            bitmap: at.1,
            count: self.count(dirt),
            granularity: self.backup.granularity.bytes(),
            busy: dirt.busy,
            persistent: self.backup.carrier == BitmapTransfer::Image,
        };
        self.bitmaps.iter().map(of).collect()
    }

    fn count(&self, dirt: &Dirt) -> Count {
        match (dirt.some, self.writing) {
            (true, _) => Count::Some,
            (false, true) => Count::Any,
            (false, false) => {
                let granularity = self.backup.granularity.bytes();
                Count::Exactly(dirt.granules.len() as u64 * granularity)
            }
        }
    }
}

const fn refusal(act: BackupAction) -> Option<&'static [&'static str]> {
    match act {
        BackupAction::IncrementBy(_, Misnamed::Missing) => Some(MISSING),
        BackupAction::IncrementBy(_, Misnamed::Unknown) => Some(UNKNOWN),
        BackupAction::AddOdd(_) => Some(ODD),
        BackupAction::Start
        | BackupAction::Add(..)
        | BackupAction::Write(..)
        | BackupAction::Laps
        | BackupAction::Grow(_)
        | BackupAction::Full(..)
        | BackupAction::Inspect
        | BackupAction::Increment(..)
        | BackupAction::Cancel(_)
        | BackupAction::Resume(_)
        | BackupAction::Pair(_)
        | BackupAction::Reference(_)
        | BackupAction::Twin(_)
        | BackupAction::Compare(_)
        | BackupAction::Since(..)
        | BackupAction::Keep
        | BackupAction::Reinstate
        | BackupAction::Meet
        | BackupAction::Migrate
        | BackupAction::Continue
        | BackupAction::Halt
        | BackupAction::End => None,
    }
}

impl Backup {
    /// The disks of the case.
    #[must_use]
    pub const fn drives(&self) -> &'static [Drive] {
        match self.operation {
            Operation::TransactionFailure | Operation::TransactionFailureRace => {
                &[Drive::First, Drive::Second]
            }
            Operation::Simple
            | Operation::Transaction
            | Operation::BitmapMissing
            | Operation::BitmapNotFound
            | Operation::BadGranularity
            | Operation::Growing
            | Operation::Failure
            | Operation::Pause
            | Operation::Cancel => &[Drive::First],
        }
    }

    /// The disk whose first read after a flush fails.
    #[must_use]
    pub const fn failing(&self) -> Option<Drive> {
        match self.operation {
            Operation::TransactionFailure | Operation::TransactionFailureRace => {
                Some(Drive::Second)
            }
            Operation::Failure | Operation::Pause => Some(Drive::First),
            Operation::Simple
            | Operation::Transaction
            | Operation::BitmapMissing
            | Operation::BitmapNotFound
            | Operation::BadGranularity
            | Operation::Growing
            | Operation::Cancel => None,
        }
    }
}
