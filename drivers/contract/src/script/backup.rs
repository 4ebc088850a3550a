//! The script of a chain of backups: its story, and a fault among its acts.

use migratrix_guest::Disk;
use migratrix_history::Side;
use migratrix_matrix::{
    Backup, BackupAction, BackupFault, Chained, ChainedFault, DirtyBitmap, Drive, Link, OnError,
    WriteSet, Writer,
};

use crate::{BackupStep, Phase, Script, Step};

/// The disk that the guest stamps.
pub(super) fn stamped(writer: Writer) -> Option<Disk> {
    match writer {
        Writer::QemuIo => None,
        Writer::Guest => Some(Disk::SMALL),
    }
}

/// The steps of a chain.
pub(super) fn steps(backup: &Backup) -> Vec<(Phase, Step)> {
    let story = backup.expected_actions().into_iter().map(|scene| {
        let phase = if scene.act == BackupAction::Start {
            Phase::Prepare
        } else {
            Phase::Migration
        };
        (phase, act(scene.side, scene.act))
    });
    let clear = [
        Step::Clear(Side::Destination),
        Step::Clear(Side::Source),
        Step::Leftovers(Side::Source),
        Step::Leftovers(Side::Destination),
    ];
    story
        .chain(clear.map(|step| (Phase::Clear, step)))
        .collect()
}

/// The steps of a chain that libvirt makes: its acts around `steps`, those of the migration of its
/// scenario.
pub(super) fn wrap(chained: &Chained, mut steps: Vec<(Phase, Step)>) -> Vec<(Phase, Step)> {
    for scene in chained.expected_actions() {
        let side = scene.side;
        let phase = match side {
            Side::Source => Phase::Before,
            Side::Destination => Phase::After,
        };
        let place = steps.partition_point(|(at, _)| *at <= phase);
        steps.insert(place, (phase, act(side, scene.act)));
    }
    steps
}

const fn act(side: Side, act: BackupAction) -> Step {
    Step::Backup(BackupStep::Act(side, act))
}

/// The link whose image and whose chain are spoiled: the last but one of the plain story.
const SPOILED: Link = Link {
    drive: Drive::First,
    bitmap: DirtyBitmap::First,
    number: 2,
    onto: 1,
};

impl Script {
    /// Puts the steps of a fault of a chain where it strikes.
    pub(super) fn inject_backup(&mut self, fault: BackupFault) {
        let is = |wanted: BackupAction| move |step: &Step| matches!(step, Step::Backup(BackupStep::Act(_, act)) if *act == wanted);
        let broken = Step::Backup;
        match fault {
            BackupFault::ErrorSwallowed => self.replace(ignoring_errors),
            BackupFault::BitmapCleared => {
                let (drive, bitmap) = (SPOILED.drive, SPOILED.bitmap);
                let clear = broken(BackupStep::ClearBitmap(Side::Source, drive, bitmap));
                self.before(is(BackupAction::Increment(SPOILED, OnError::Report)), clear);
                // It is looked at once more, so that it is seen and not only sampled.
                let place = self.steps.iter().position(|(_, step)| *step == clear);
                if let Some(place) = place.filter(|place| *place > 0) {
                    self.steps.swap(place, place - 1);
                }
            }
            BackupFault::BitmapLeftBehind => self.replace(|step| {
                is(BackupAction::Meet)(step).then_some(broken(BackupStep::MeetIncapable))
            }),
            BackupFault::SectorOverwritten => {
                self.before(
                    is(BackupAction::Compare(SPOILED)),
                    broken(BackupStep::Overwrite(SPOILED)),
                );
            }
            BackupFault::WriteChanged => {
                let act = BackupAction::Write(Drive::First, WriteSet::First);
                let rewrite = broken(BackupStep::Rewrite(Side::Source, Drive::First));
                self.behind(is(act), rewrite);
            }
            BackupFault::LinkMissing => {
                self.before(
                    is(BackupAction::End),
                    broken(BackupStep::RemoveFull(SPOILED.drive)),
                );
            }
            BackupFault::WriteLost => {
                let undo = broken(BackupStep::UndoWrite(Side::Destination, Drive::First));
                // Behind the guest's last write, so that it doesn't write there again.
                self.behind(is(BackupAction::Halt), undo);
            }
            BackupFault::FileLeft => {
                let is_for_leftovers = |step: &Step| matches!(step, Step::Leftovers(_));
                self.before(is_for_leftovers, Step::LeaveFile(Side::Source));
            }
        }
    }

    /// Puts the steps of a fault of a chain that libvirt makes where it strikes: all on the
    /// destination, at the last link.
    pub(super) fn inject_chained(&mut self, fault: ChainedFault) {
        let is = |wanted: BackupAction| move |step: &Step| matches!(step, Step::Backup(BackupStep::Act(Side::Destination, act)) if *act == wanted);
        let broken = Step::Backup;
        match fault {
            ChainedFault::Forgotten => self.replace(|step| {
                is(BackupAction::Reinstate)(step).then_some(broken(BackupStep::ReinstateNothing))
            }),
            ChainedFault::Cleared => {
                let (drive, bitmap) = (SPOILED.drive, DirtyBitmap::Second);
                let clear = BackupStep::ClearBitmap(Side::Destination, drive, bitmap);
                self.before(is(BackupAction::Inspect), broken(clear));
            }
            ChainedFault::Overwritten => {
                self.before(
                    is(BackupAction::Compare(SPOILED)),
                    broken(BackupStep::Overwrite(SPOILED)),
                );
            }
            ChainedFault::FullMissing => {
                self.before(
                    is(BackupAction::End),
                    broken(BackupStep::RemoveFull(SPOILED.drive)),
                );
            }
        }
    }

    /// Puts `step` right behind the first step that `is` names, in the phase of that one.
    fn behind(&mut self, is: impl Fn(&Step) -> bool, step: Step) {
        if let Some(place) = self.steps.iter().position(|(_, other)| is(other)) {
            let phase = self.steps[place].0;
            self.steps.insert(place + 1, (phase, step));
        }
    }

    /// Puts another step in the place of each that `instead` gives one for.
    fn replace(&mut self, instead: impl Fn(&Step) -> Option<Step>) {
        for (_, step) in &mut self.steps {
            *step = instead(step).unwrap_or(*step);
        }
    }
}

/// An incremental that fails by an error, as one that ignores it.
const fn ignoring_errors(step: &Step) -> Option<Step> {
    if let Step::Backup(BackupStep::Act(side, BackupAction::Increment(link, OnError::Report))) =
        step
    {
        return Some(act(*side, BackupAction::Increment(*link, OnError::Ignore)));
    }
    None
}
