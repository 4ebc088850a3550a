//! Chains of backups: an act becomes commands of QMP, and calls of the release's own tools.

mod disks;
mod faults;
mod images;
mod jobs;
mod migrate;
mod request;
mod writes;

use migratrix_contract::{BackupStep, Recorder, Step};
use migratrix_history::{BitmapInfo, BlockNode, Observation, Side};
use migratrix_matrix::{
    Backup, BackupAction, BitmapTransfer, DirtyBitmap, Drive, Misnamed, ODD_GRANULARITY, Point,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{QemuDriver, error::StepError, party::Party};
use migrate::Bitmaps;

impl QemuDriver {
    pub(crate) async fn backup(
        &mut self,
        step: BackupStep,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let Point::Backup(case) = self.subject.point else {
            return Err(StepError::OtherBackEnd(Step::Backup(step)));
        };
        match step {
            BackupStep::Act(side, act) => self.act(&case, side, act, record).await,
            BackupStep::ReinstateNothing => Err(StepError::OtherBackEnd(Step::Backup(step))),
            BackupStep::MeetIncapable => {
                self.prepare_migration(&case, Bitmaps::LeftBehind, record)
                    .await
            }
            BackupStep::ClearBitmap(side, drive, bitmap) => {
                self.clear_bitmap(side, drive, bitmap).await
            }
            BackupStep::Overwrite(link) => self.overwrite(&case, link).await,
            BackupStep::UndoWrite(side, drive) => self.undo_write(&case, side, drive, record).await,
            BackupStep::Rewrite(side, drive) => self.rewrite(&case, side, drive, record).await,
            BackupStep::RemoveFull(drive) => self.remove_full(drive),
        }
    }

    async fn act(
        &mut self,
        case: &Backup,
        side: Side,
        act: BackupAction,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        match act {
            BackupAction::Start => self.start_with_disks(case, record).await,
            BackupAction::Add(drive, bitmap) => self.add(case, side, drive, bitmap, record).await,
            BackupAction::AddOdd(drive) => self.add_odd(side, drive, record).await,
            BackupAction::Write(drive, set) => self.write(case, side, drive, set, record).await,
            BackupAction::Laps => self.guest_writes(side, record).await,
            BackupAction::Grow(drive) => self.grow(side, drive, record).await,
            BackupAction::Full(drive, with) => self.full(case, side, drive, with, record).await,
            BackupAction::Inspect => self.inspect_bitmaps(side, record).await,
            BackupAction::Increment(link, how) => {
                self.increment(case, side, link, how, record).await
            }
            BackupAction::IncrementBy(drive, Misnamed::Missing) => {
                self.increment_by(case, side, drive, None, record).await
            }
            BackupAction::IncrementBy(drive, Misnamed::Unknown) => {
                self.increment_by(case, side, drive, Some("unknown"), record)
                    .await
            }
            BackupAction::Cancel(link) => self.cancel_increment(case, side, link, record).await,
            BackupAction::Resume(link) => self.resume_increment(case, side, link, record).await,
            BackupAction::Pair(links) => self.pair(case, side, links, record).await,
            BackupAction::Reference(link) => self.reference(case, side, link, record).await,
            BackupAction::Twin(link) => self.twin(case, side, link, record).await,
            BackupAction::Compare(link) => {
                self.compare_with_reference(case, side, link, record).await
            }
            BackupAction::Since(..) | BackupAction::Keep | BackupAction::Reinstate => Err(
                StepError::OtherBackEnd(Step::Backup(BackupStep::Act(side, act))),
            ),
            BackupAction::Meet => {
                self.prepare_migration(case, Bitmaps::By(case.carrier), record)
                    .await
            }
            BackupAction::Migrate => self.migrate_with_disks(case, record).await,
            BackupAction::Continue => self.go_on(side, record).await,
            BackupAction::Halt => self.stop(side, record).await,
            BackupAction::End => self.end_and_compare(case, side, record).await,
        }
    }

    async fn add(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        bitmap: DirtyBitmap,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let arguments = added(case, drive, bitmap);
        let party = self.party(side);
        party
            .command("block-dirty-bitmap-add", arguments, record)
            .await?;
        Ok(())
    }

    async fn add_odd(
        &mut self,
        side: Side,
        drive: Drive,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let arguments = json!({
            "node": drive.name(), "name": "odd", "granularity": ODD_GRANULARITY,
        });
        let party = self.party(side);
        party
            .command("block-dirty-bitmap-add", arguments, record)
            .await?;
        Ok(())
    }

    async fn grow(
        &mut self,
        side: Side,
        drive: Drive,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let arguments = json!({ "node-name": drive.name(), "size": Drive::GROWN });
        let party = self.party(side);
        party.command("block_resize", arguments, record).await?;
        self.keep_written(drive, Drive::GROWN, &[])
    }

    /// Records the bitmaps of all disks.
    async fn inspect_bitmaps(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let nodes = self.party(side).nodes().await?;
        let looks = nodes.into_iter().flat_map(|node| {
            let drive = node.node_name.clone();
            node.bitmaps(&drive)
        });
        let mut bitmaps: Vec<BitmapInfo> = looks.collect();
        bitmaps.sort_by(|one, other| (&one.drive, &one.name).cmp(&(&other.drive, &other.name)));
        record.saw(Observation::Bitmaps { side, bitmaps });
        Ok(())
    }
}

/// The arguments that add a bitmap.
fn added(case: &Backup, drive: Drive, bitmap: DirtyBitmap) -> Value {
    json!({
        "node": drive.name(),
        "name": bitmap.name(),
        "granularity": case.granularity.bytes(),
        "persistent": case.carrier == BitmapTransfer::Image,
    })
}

impl Party {
    async fn nodes(&mut self) -> Result<Vec<BlockNode>, StepError> {
        let command = "query-named-block-nodes";
        let response = self.ask(command, json!({ "flat": true })).await?;
        Vec::<BlockNode>::deserialize(&response).map_err(|error| StepError::Malformed {
            command,
            what: error.to_string(),
        })
    }

    /// Whether a node has the file at `path`.
    async fn has_file(&mut self, path: &str) -> Result<bool, StepError> {
        let nodes = self.nodes().await?;
        Ok(nodes.iter().any(|node| node.file == path))
    }

    /// The size of a disk, in bytes.
    async fn size(&mut self, drive: Drive) -> Result<u64, StepError> {
        let nodes = self.nodes().await?;
        let node = nodes.iter().find(|node| node.node_name == drive.name());
        let size = node.map(|node| node.image.virtual_size);
        size.ok_or(StepError::NotApplicable("its disk is not there"))
    }
}
