//! A backup job: what is asked for, and what QEMU says of it.

use migratrix_matrix::{Backup, BackupForm, DirtyBitmap, Drive, Link, OnError, Together};
use migratrix_qmp::{Event, JobStatus};
use serde_json::{Map, Value, json};

use super::{
    added,
    images::{file, format},
};

/// How slowly a job runs that is to be cancelled, in bytes/s: seconds for what it has to copy.
pub(super) const SLOW: u64 = 64 << 10;

/// A backup that is asked for.
pub(super) struct Job {
    pub id: String,
    pub drive: Drive,
    /// The name of its target's file.
    pub target: String,
    pub sync: SyncMode,
    pub on_error: OnError,
    /// In bytes/s; `None` for no bound.
    pub speed: Option<u64>,
}

/// SyncMode is copied.
#[derive(Clone, Copy)]
pub(super) enum SyncMode {
    /// The whole disk, to a target that is there.
    Full,
    /// The whole disk; `drive-backup` makes the target itself.
    FullToNewTarget,
    /// SyncMode the bitmap of this name says.
    Bitmap(Option<&'static str>),
}

impl Job {
    pub fn of(case: &Backup, link: Link) -> Self {
        Self {
            id: link.job(),
            drive: link.drive,
            target: file(case, link),
            sync: SyncMode::Bitmap(Some(link.bitmap.name())),
            on_error: OnError::Report,
            speed: None,
        }
    }

    pub fn reference(link: Link) -> Self {
        Self {
            id: link.reference_job(),
            drive: link.drive,
            target: link.reference(),
            sync: SyncMode::Full,
            on_error: OnError::Report,
            speed: None,
        }
    }

    pub fn node(&self) -> String {
        format!("target-{}", self.id)
    }

    /// The arguments of its command; `path` is where its target is.
    pub fn arguments(&self, case: &Backup, path: &str) -> Value {
        let mut all = Map::from_iter(self.sync_arguments());
        all.insert("job-id".to_owned(), json!(self.id));
        all.insert("device".to_owned(), json!(self.drive.name()));
        all.extend(self.target(case, path));
        let on_error = match self.on_error {
            OnError::Report => None,
            OnError::Stop => Some("stop"),
            OnError::Ignore => Some("ignore"),
        };
        let on_error = on_error.map(|word| ("on-source-error".to_owned(), json!(word)));
        let speed = self.speed.map(|speed| ("speed".to_owned(), json!(speed)));
        all.extend(on_error.into_iter().chain(speed));
        Value::Object(all)
    }

    /// SyncMode is copied.
    fn sync_arguments(&self) -> Vec<(String, Value)> {
        let (sync, bitmap) = match self.sync {
            SyncMode::Full | SyncMode::FullToNewTarget => ("full", None),
            SyncMode::Bitmap(bitmap) => ("incremental", bitmap),
        };
        let sync = ("sync".to_owned(), json!(sync));
        let bitmap = bitmap.map(|name| ("bitmap".to_owned(), json!(name)));
        [sync].into_iter().chain(bitmap).collect()
    }

    /// Where it is copied to: a node that was added, or a file.
    fn target(&self, case: &Backup, path: &str) -> Vec<(String, Value)> {
        let target = |value: &str| ("target".to_owned(), json!(value));
        match (case.form, self.sync) {
            (BackupForm::Blockdev, _) => vec![target(&self.node())],
            (BackupForm::Drive, what) => {
                let mut all = vec![target(path), ("format".to_owned(), json!(format(case)))];
                match what {
                    SyncMode::FullToNewTarget => {}
                    SyncMode::Full | SyncMode::Bitmap(_) => {
                        all.push(("mode".to_owned(), json!("existing")));
                    }
                }
                all
            }
        }
    }
}

pub(super) const fn command(form: BackupForm) -> &'static str {
    match form {
        BackupForm::Blockdev => "blockdev-backup",
        BackupForm::Drive => "drive-backup",
    }
}

/// The action that clears or adds a bitmap.
pub(super) fn action(
    case: &Backup,
    drive: Drive,
    bitmap: DirtyBitmap,
    with: Together,
) -> Option<Value> {
    match with {
        Together::Alone => None,
        Together::Clear => {
            let data = json!({ "node": drive.name(), "name": bitmap.name() });
            Some(json!({ "type": "block-dirty-bitmap-clear", "data": data }))
        }
        Together::Add => {
            let data = added(case, drive, bitmap);
            Some(json!({ "type": "block-dirty-bitmap-add", "data": data }))
        }
    }
}

pub(super) fn is_gone(event: &Event, id: &str) -> bool {
    is_at(event, id, &JobStatus::Null)
}

pub(super) fn is_at(event: &Event, id: &str, status: &JobStatus) -> bool {
    let field = |name: &str| event.data.get(name).and_then(Value::as_str);
    event.name == "JOB_STATUS_CHANGE"
        && field("id") == Some(id)
        && field("status") == Some(status.as_str())
}

pub(super) fn is_stop(event: &Event, id: &str) -> bool {
    let field = |name: &str| event.data.get(name).and_then(Value::as_str);
    let of_job = field("device") == Some(id) && field("action") == Some("stop");
    event.name == "BLOCK_JOB_ERROR" && of_job
}
