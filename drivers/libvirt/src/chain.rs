//! Chains of backups that libvirt makes: an act becomes calls of libvirt, and of the hosts' own tools.

mod disks;
mod gate;
mod images;
mod xml;

use std::{fs, sync::Arc, time::Duration};

use migratrix_client::wire::{Act as DomainAct, Disks, Op, Said, What};
use migratrix_contract::{BackupStep, Recorder, Step};
use migratrix_history::{BitmapLook, BlockNode, Observation, Side, When};
use migratrix_matrix::{
    Act, Chained, DirtyBitmap, Drive, Journey, Link, Since, Together, WriteSet,
};
use serde_json::{Value, json};
use tokio::time::interval;

use crate::{
    Error, LibvirtDriver,
    driver::{done, observed},
};
pub use disks::disk_xml;

/// What libvirt calls a job that is a backup.
const BACKUP: &str = "backup";

/// How many sectors the guest writes before it is called writing.
const LAPS: u32 = 8;

/// How often a target is looked for until it is closed.
const CLOSED_EVERY: Duration = Duration::from_millis(5);

impl LibvirtDriver<'_> {
    /// What comes of the disks at the migration.
    pub(crate) fn disks(&self) -> Disks {
        match self.journey() {
            None => Disks::None,
            Some(Journey::Stay | Journey::Shared) => Disks::Shared,
            Some(Journey::Copied) => Disks::Copied,
        }
    }

    /// Does a step of the chain.
    pub(crate) async fn chain(
        &mut self,
        step: BackupStep,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let foreign = || Error::Foreign(Step::Backup(step).to_string());
        match step {
            BackupStep::Act(side, act) => self.chain_act(side, act, record).await,
            BackupStep::ReinstateNothing => Ok(()),
            BackupStep::ClearBitmap(side, _, bitmap) => self.clear_bitmap(side, bitmap).await,
            BackupStep::Overwrite(link) => self.overwrite(&link.file()).await,
            BackupStep::RemoveFull(drive) => self.remove_image(&drive.full()),
            BackupStep::MeetIncapable | BackupStep::UndoWrite(..) => Err(foreign()),
        }
    }

    async fn chain_act(
        &mut self,
        side: Side,
        act: Act,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match act {
            Act::Full(drive, Together::Add) => {
                let checkpoint = Some(DirtyBitmap::First);
                self.back_up(side, &drive.full(), None, checkpoint, record)
                    .await
            }
            Act::Since(link, since) => self.back_up_since(side, link, since, record).await,
            Act::Reference(link) => {
                self.back_up(side, &link.reference(), None, None, record)
                    .await
            }
            Act::Look => self.look_at_bitmaps(side, record).await,
            Act::Write(drive, set) => self.write(side, drive, set, record).await,
            Act::Laps => self.guest_writes(side, record).await,
            Act::Compare(link) => {
                let (one, other) = (self.shared(&link.file()), self.shared(&link.reference()));
                self.compare(&[Side::Source, Side::Destination], &one, &other, record)
                    .await?;
                self.survey_image(side, &one, record).await
            }
            Act::Keep => self.keep().await,
            Act::Reinstate => self.reinstate(side).await,
            Act::Continue => self.act(side, DomainAct::Resume).await,
            Act::Halt => self.act(side, DomainAct::Suspend).await,
            Act::End => self.end(side, record).await,
            Act::Start
            | Act::Add(..)
            | Act::AddOdd(_)
            | Act::Grow(_)
            | Act::Full(..)
            | Act::Increment(..)
            | Act::IncrementBy(..)
            | Act::Cancel(_)
            | Act::Resume(_)
            | Act::Pair(_)
            | Act::Twin(_)
            | Act::Meet
            | Act::Jump => Err(Error::Foreign(act.to_string())),
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
        done(Arc::clone(&client), op).await?;
        loop {
            let (at, event) = client.event().await;
            let ended = event.side == side && is_end_of_backup(&event.what);
            record.saw_at(at, observed(event.side, event.what));
            if ended {
                break;
            }
        }
        self.closed(side, &target).await
    }

    /// Waits until QEMU has the file no more: libvirt tells of the end of a job before it has it
    /// closed.
    async fn closed(&mut self, side: Side, file: &str) -> Result<(), Error> {
        let mut tick = interval(CLOSED_EVERY);
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
        self.lay_onto(side, &link.file(), &link.base()).await
    }

    /// What QEMU says to a command of the machine's monitor.
    async fn monitor(
        &mut self,
        side: Side,
        command: &str,
        arguments: Value,
    ) -> Result<Value, Error> {
        let line = json!({ "execute": command, "arguments": arguments }).to_string();
        let said = self.say(side, line, false).await?;
        let mut said: Value =
            serde_json::from_str(&said).map_err(|error| Error::Monitor(error.to_string()))?;
        match said.get_mut("return") {
            Some(answer) => Ok(answer.take()),
            None => Err(Error::Monitor(said.to_string())),
        }
    }

    async fn say(&mut self, side: Side, command: String, human: bool) -> Result<String, Error> {
        let op = Op::Monitor {
            side,
            domain: self.subject.domain.clone(),
            command,
            human,
        };
        let Said::Text(said) = self.on(side).await?.ask(op).await? else {
            return Err(Error::Astray("monitor"));
        };
        Ok(said)
    }

    async fn nodes(&mut self, side: Side) -> Result<Vec<BlockNode>, Error> {
        let command = "query-named-block-nodes";
        let said = self.monitor(side, command, json!({ "flat": true })).await?;
        serde_json::from_value(said).map_err(|error| Error::Monitor(error.to_string()))
    }

    /// The node of the domain's disk.
    async fn node(&mut self, side: Side) -> Result<BlockNode, Error> {
        let disk = self.disk();
        let mut nodes = self.nodes(side).await?.into_iter();
        let node = nodes.find(|node| node.drv == "qcow2" && node.file == disk);
        node.ok_or_else(|| Error::Monitor(format!("no node has `{disk}`")))
    }

    /// Records the bitmaps of the disk.
    async fn look_at_bitmaps(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let node = self.node(side).await?;
        let mut bitmaps: Vec<BitmapLook> = node.bitmaps(Drive::First.name());
        bitmaps.sort_by(|one, other| one.name.cmp(&other.name));
        record.saw(Observation::Bitmaps { side, bitmaps });
        Ok(())
    }

    async fn clear_bitmap(&mut self, side: Side, bitmap: DirtyBitmap) -> Result<(), Error> {
        let node = self.node(side).await?.node_name;
        let which = json!({ "node": node, "name": bitmap.name() });
        self.monitor(side, "block-dirty-bitmap-clear", which)
            .await?;
        Ok(())
    }

    /// Writes, and flushes, through the human monitor. Its answer is empty even where a write fails:
    /// QEMU tells the outcome on its standard output, which libvirt keeps as the domain's log.
    async fn write(
        &mut self,
        side: Side,
        drive: Drive,
        set: WriteSet,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        for write in set.writes(drive) {
            let before = self.log(side)?.len();
            self.qemu_io(side, &images::command(write)).await?;
            let told = self.log(side)?;
            let told = String::from_utf8_lossy(told.get(before..).unwrap_or_default()).into_owned();
            record.saw(Observation::Written {
                side,
                drive: drive.name().to_owned(),
                pattern: write.pattern,
                offset: write.offset,
                length: write.length,
                told: told.lines().next().unwrap_or_default().to_owned(),
            });
        }
        self.qemu_io(side, "flush").await
    }

    async fn qemu_io(&mut self, side: Side, words: &str) -> Result<(), Error> {
        let line = format!("qemu-io -d {} \"{words}\"", disks::BACKEND);
        self.say(side, line, true).await.map(drop)
    }

    /// Lets the guest write for some laps.
    async fn guest_writes(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let laps = self.pulse(side).await?.laps(LAPS).await?;
        record.saw(laps.observation(side, When::Writing));
        Ok(())
    }

    fn log(&self, side: Side) -> Result<Vec<u8>, Error> {
        let log = format!("/var/log/libvirt/qemu/{}.log", self.subject.domain);
        let path = self.path(side, &log)?;
        fs::read(&path).map_err(|source| Error::File { path, source })
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
            return Err(Error::Astray("checkpoints"));
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
        self.act(side, DomainAct::Destroy).await?;
        let (end, disk) = (self.shared(&Chained::LAST.file()), self.disk());
        self.compare(self.who_has_disk(), &end, &disk, record)
            .await?;
        self.survey_image(side, &end, record).await
    }
}

fn is_end_of_backup(what: &What) -> bool {
    matches!(what, What::JobEnded(job) if job.operation.as_deref() == Some(BACKUP))
}
