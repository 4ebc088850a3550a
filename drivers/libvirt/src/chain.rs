//! Chains of backups that libvirt makes: an act becomes calls of libvirt, and of the hosts' own tools.

pub(crate) mod disks;
mod gate;
mod images;
mod monitor;
mod xml;

use std::time::Duration;

use migratrix_client::wire::{Disks, DomainAction, EventKind, Op, Said};
use migratrix_contract::{BackupStep, Recorder, Step};
use migratrix_history::Side;
use migratrix_matrix::{
    BackupAction, Chained, DirtyBitmap, Link, Since, StorageMigration, Together,
};

use crate::{Error, LibvirtDriver, client::done, listener::observed, ticks::Ticks};

/// What libvirt calls a job that is a backup.
const BACKUP: &str = "backup";

/// How often a target is looked for until it is closed.
const CLOSED_EVERY: Duration = Duration::from_millis(5);

impl LibvirtDriver<'_> {
    /// What comes of the disks at the migration.
    pub(crate) fn disks(&self) -> Disks {
        match self.journey() {
            None => Disks::None,
            Some(StorageMigration::Stay | StorageMigration::Shared) => Disks::Shared,
            Some(StorageMigration::Copied) => Disks::Copied,
        }
    }

    /// Does a step of the chain.
    pub(crate) async fn chain(
        &mut self,
        step: BackupStep,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match step {
            BackupStep::Act(side, act) => self.chain_act(side, act, record).await,
            BackupStep::ReinstateNothing => Ok(()),
            BackupStep::ClearBitmap(side, _, bitmap) => self.clear_bitmap(side, bitmap).await,
            BackupStep::Overwrite(link) => self.overwrite(&link.file()).await,
            BackupStep::RemoveFull(drive) => self.remove_image(&drive.full()),
            BackupStep::MeetIncapable | BackupStep::UndoWrite(..) | BackupStep::Rewrite(..) => {
                Err(Error::Foreign(Step::Backup(step).to_string()))
            }
        }
    }

    async fn chain_act(
        &mut self,
        side: Side,
        act: BackupAction,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match act {
            BackupAction::Full(drive, Together::Add) => {
                let checkpoint = Some(DirtyBitmap::First);
                self.back_up(side, &drive.full(), None, checkpoint, record)
                    .await
            }
            BackupAction::Since(link, since) => self.back_up_since(side, link, since, record).await,
            BackupAction::Reference(link) => {
                self.back_up(side, &link.reference(), None, None, record)
                    .await
            }
            BackupAction::Inspect => self.look_at_bitmaps(side, record).await,
            BackupAction::Write(drive, set) => self.write(side, drive, set, record).await,
            BackupAction::Laps => self.guest_writes(side, record).await,
            BackupAction::Compare(link) => {
                let (one, other) = (self.shared(&link.file()), self.shared(&link.reference()));
                let both = &Side::BOTH;
                self.compare(both, &one, (&other, "qcow2"), record).await?;
                self.compare_with_written(both, &one, record).await?;
                self.survey_image(side, &one, record).await
            }
            BackupAction::Keep => self.keep().await,
            BackupAction::Reinstate => self.reinstate(side).await,
            BackupAction::Continue => self.act(side, DomainAction::Resume).await,
            BackupAction::Halt => self.act(side, DomainAction::Suspend).await,
            BackupAction::End => self.end(side, record).await,
            BackupAction::Start
            | BackupAction::Add(..)
            | BackupAction::AddOdd(_)
            | BackupAction::Grow(_)
            | BackupAction::Full(..)
            | BackupAction::Increment(..)
            | BackupAction::IncrementBy(..)
            | BackupAction::Cancel(_)
            | BackupAction::Resume(_)
            | BackupAction::Pair(_)
            | BackupAction::Twin(_)
            | BackupAction::Meet
            | BackupAction::Migrate => Err(Error::Foreign(act.to_string())),
        }
    }

    /// Makes a backup, with a checkpoint of its moment, and waits until its job has ended.
    async fn back_up(
        &mut self,
        side: Side,
        name: &str,
        since: Option<DirtyBitmap>,
        checkpoint: Option<DirtyBitmap>,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let client = self.on(side).await?;
        let target = self.shared(name);
        let (disk, _) = disks::target(&self.subject);
        let op = Op::Backup {
            side,
            domain: self.subject.domain.clone(),
            backup: xml::backup(disk, &target, since),
            checkpoint: checkpoint.map(|name| xml::checkpoint(disk, name)),
        };
        done(client, op).await?;
        loop {
            let (at, from, what) = self.events.next().await?;
            let ended = from == side && is_end_of_backup(&what);
            record.saw_at(at, observed(from, what));
            if ended {
                break;
            }
        }
        self.closed(side, &target).await
    }

    /// Waits until QEMU has the file no more: libvirt tells of the end of a job before it has it
    /// closed.
    async fn closed(&mut self, side: Side, file: &str) -> Result<(), Error> {
        let mut tick = Ticks::every(CLOSED_EVERY);
        loop {
            tick.tick().await;
            let mut nodes = self.nodes(side).await?.into_iter();
            if !nodes.any(|node| node.file == file) {
                return Ok(());
            }
        }
    }

    /// Makes an incremental, and puts it onto the link before it: libvirt makes it without one.
    async fn back_up_since(
        &mut self,
        side: Side,
        link: Link,
        Since { checkpoint, next }: Since,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.back_up(side, &link.file(), Some(checkpoint), next, record)
            .await?;
        self.lay_onto(side, &link.file(), &link.base()).await?;
        self.survey_image(side, &self.shared(&link.file()), record)
            .await
    }

    /// Saves what the source says of the checkpoints.
    async fn keep(&mut self) -> Result<(), Error> {
        let side = Side::Source;
        let domain = self.subject.domain.clone();
        let said = self
            .on(side)
            .await?
            .ask(Op::Checkpoints { side, domain })
            .await?;
        let Said::Checkpoints(kept) = said else {
            return Err(Error::Malformed("checkpoints"));
        };
        self.kept = kept;
        Ok(())
    }

    async fn reinstate(&mut self, side: Side) -> Result<(), Error> {
        for checkpoint in self.kept.clone() {
            let op = Op::Redefine {
                side,
                domain: self.subject.domain.clone(),
                checkpoint,
            };
            done(self.on(side).await?, op).await?;
        }
        Ok(())
    }

    /// Ends the domain, and compares the end of the chain with its disk.
    async fn end(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        self.act(side, DomainAction::Destroy).await?;
        let (end, disk) = (self.shared(&Chained::LAST.file()), self.disk());
        let sides = self.who_has_disk();
        self.compare(sides, &end, (&disk, "qcow2"), record).await?;
        self.compare_with_written(sides, &disk, record).await?;
        self.survey_image(side, &end, record).await
    }
}

fn is_end_of_backup(what: &EventKind) -> bool {
    matches!(what, EventKind::JobEnded(job) if job.operation.as_deref() == Some(BACKUP))
}
