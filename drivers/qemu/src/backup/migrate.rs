//! The chain's way to another QEMU: its disk is shared or copied, its bitmap carried.

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{Backup, BitmapTransfer, Drive, StorageMigration};
use migratrix_qmp::{
    Event, JobStatus,
    MigrationStatus::{Completed, PreSwitchover},
};
use serde_json::{Value, json};

use super::{disks, images::DISK};
use crate::{
    QemuDriver,
    error::StepError,
    party::{PATIENCE, Party},
};
use Side::{Destination, Source};

/// How the bitmaps come to the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bitmaps {
    /// By this way.
    By(BitmapTransfer),
    /// They are left behind, on purpose.
    LeftBehind,
}

/// The socket of the stream.
const STREAM: &str = "jump";
/// The socket of the disk's copy.
const COPY: &str = "copy";
/// The export of the disk's copy.
const EXPORT: &str = "export";
/// The job that copies the disk.
const MIRROR: &str = "mirror";
/// The node by which the copy is written.
const REMOTE: &str = "remote";

impl QemuDriver {
    /// Starts the destination, and prepares both for the migration.
    pub(super) async fn prepare_migration(
        &mut self,
        case: &Backup,
        bitmaps: Bitmaps,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if case.journey == StorageMigration::Copied {
            let name = disks::file(case, Destination, Drive::First);
            self.make_image(Destination, &name, &DISK).await?;
        }
        self.start_on(case, Destination, record).await?;
        for side in [Source, Destination] {
            self.party(side).prepare(case, bitmaps, record).await?;
        }
        match case.journey {
            StorageMigration::Stay | StorageMigration::Shared => Ok(()),
            StorageMigration::Copied => self.begin_copy(record).await,
        }
    }

    /// Has the source's disk copied, and all that is written to it from now on.
    async fn begin_copy(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let path = self.scratch.text(COPY);
        let drive = Drive::First.name();
        let server = json!({ "addr": { "type": "unix", "data": { "path": path } } });
        let export = json!({
            "type": "nbd", "id": EXPORT, "node-name": drive, "name": "copy", "writable": true,
        });
        let to = &mut self.destination;
        to.command("nbd-server-start", server, record).await?;
        to.command("block-export-add", export, record).await?;
        let remote = json!({
            "node-name": REMOTE, "driver": "nbd", "export": "copy",
            "server": { "type": "unix", "path": path },
        });
        let mirror = json!({ "job-id": MIRROR, "device": drive, "target": REMOTE, "sync": "full" });
        let from = &mut self.source;
        from.command("blockdev-add", remote, record).await?;
        let mut events = from.qemu()?.qmp().events();
        from.command("blockdev-mirror", mirror, record).await?;
        let ready = events.wait_for("BLOCK_JOB_READY", PATIENCE).await;
        from.explained(ready).await?;
        Ok(())
    }

    /// Ends the copy while the guest is held, and takes the export back before it runs again.
    async fn end_copy(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let from = &mut self.source;
        let mut events = from.qemu()?.qmp().events();
        let cancel = json!({ "device": MIRROR });
        from.command("block-job-cancel", cancel, record).await?;
        let is_gone = |event: &Event| {
            event.name == "JOB_STATUS_CHANGE"
                && event.data == json!({ "id": MIRROR, "status": JobStatus::Null.as_str() })
        };
        let gone = events
            .wait("that the copy is over", PATIENCE, is_gone)
            .await;
        from.explained(gone).await?;
        let remote = json!({ "node-name": REMOTE });
        from.command("blockdev-del", remote, record).await?;
        let to = &mut self.destination;
        let mut events = to.qemu()?.qmp().events();
        let export = json!({ "id": EXPORT });
        to.command("block-export-del", export, record).await?;
        let deleted = events.wait_for("BLOCK_EXPORT_DELETED", PATIENCE).await;
        to.explained(deleted).await?;
        to.command("nbd-server-stop", json!({}), record).await?;
        Ok(())
    }

    /// Migrates. The destination is not let run, so that its bitmaps are seen as they came.
    pub(super) async fn migrate_with_disks(
        &mut self,
        case: &Backup,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let uri = json!({ "uri": format!("unix:{}", self.scratch.text(STREAM)) });
        let to = &mut self.destination;
        to.command("migrate-incoming", uri.clone(), record).await?;
        self.source.command("migrate", uri, record).await?;
        self.await_status(Source, &PreSwitchover, record).await?;
        self.inspect_bitmaps(Source, record).await?;
        match case.journey {
            StorageMigration::Stay | StorageMigration::Shared => {}
            StorageMigration::Copied => self.end_copy(record).await?,
        }
        let proceed = json!({ "state": PreSwitchover.as_str() });
        let from = &mut self.source;
        from.command("migrate-continue", proceed, record).await?;
        self.await_status(Source, &Completed, record).await?;
        self.await_status(Destination, &Completed, record).await?;
        self.await_arrival(record).await
    }

    /// Waits until the guest, and its disk with it, is the destination's.
    async fn await_arrival(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        while self.destination.run_state().await?.is_to_come() {
            self.note_events(record);
            self.pause().await;
        }
        Ok(())
    }
}

impl Party {
    async fn prepare(
        &mut self,
        case: &Backup,
        bitmaps: Bitmaps,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let mut capabilities = vec!["events", "pause-before-switchover"];
        match bitmaps {
            Bitmaps::By(BitmapTransfer::Stream | BitmapTransfer::Mapping) => {
                capabilities.push("dirty-bitmaps")
            }
            Bitmaps::By(BitmapTransfer::Image) | Bitmaps::LeftBehind => {}
        }
        let capabilities: Vec<Value> = capabilities
            .into_iter()
            .map(|name| json!({ "capability": name, "state": true }))
            .collect();
        let capabilities = json!({ "capabilities": capabilities });
        self.command("migrate-set-capabilities", capabilities, record)
            .await?;
        if bitmaps == Bitmaps::By(BitmapTransfer::Mapping) {
            let mapping = json!({ "block-bitmap-mapping": mapping(case) });
            self.command("migrate-set-parameters", mapping, record)
                .await?;
        }
        Ok(())
    }
}

/// Each disk and each bitmap travels under a name of its own.
fn mapping(case: &Backup) -> Value {
    let of = |drive: &Drive| {
        let bitmaps = case.bitmaps_of_a_drive().iter();
        let bitmaps: Vec<Value> = bitmaps
            .map(|bitmap| json!({ "name": bitmap.name(), "alias": format!("alias-{bitmap}") }))
            .collect();
        json!({ "node-name": drive.name(), "alias": format!("alias-{drive}"), "bitmaps": bitmaps })
    };
    case.drives().iter().map(of).collect()
}
