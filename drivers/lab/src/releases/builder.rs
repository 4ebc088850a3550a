//! A release that is being made: under a name of its own until it is whole.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use migratrix_matrix::{ReleaseName, Shown};
use nix::fcntl::{Flock, FlockArg};

use crate::{LabError, StoredRelease, labs::is_at, privilege, process, releases::release::Record};

/// A folder that becomes a release when it is finished, and goes away when it is dropped before.
pub(crate) struct ReleaseBuilder {
    folder: PathBuf,
    place: PathBuf,
    name: ReleaseName,
    _lock: MakersLock,
}

impl ReleaseBuilder {
    /// Begins to make the release `name` in the store's folder. Waits for another process that
    /// makes the same; what an earlier one left is removed.
    pub(crate) fn begin(store: &Path, name: &ReleaseName) -> Result<Self, LabError> {
        let lock = MakersLock::take(store.join(format!(".{name}.lock")))?;
        let (folder, place) = (
            store.join(format!(".{name}.partial")),
            store.join(name.as_str()),
        );
        if place.exists() {
            return Err(LabError::Taken(name.clone()));
        }
        remove_tree(&folder)?;
        // Nobody else looks into it before it is whole.
        let mut maker = DirBuilder::new();
        let made = maker.mode(0o700).create(&folder);
        made.map_err(LabError::file("create", &folder))?;
        Ok(Self {
            folder,
            place,
            name: name.clone(),
            _lock: lock,
        })
    }

    /// Where its root file system goes.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Writes its record, and puts it in its place.
    pub(crate) fn finish(self, record: Record) -> Result<StoredRelease, LabError> {
        debug_assert_eq!(
            record.name, self.name,
            "a record is of the release that is being made"
        );
        let file = StoredRelease::record_file(&self.folder);
        let text = serde_json::to_string_pretty(&record).expect("a record has text keys only");
        fs::write(&file, text).map_err(LabError::file("write", file))?;
        fs::set_permissions(&self.folder, Permissions::from_mode(0o755))
            .map_err(LabError::file("write", &self.folder))?;
        fs::rename(&self.folder, &self.place).map_err(LabError::file("create", &self.place))?;
        Ok(StoredRelease {
            record,
            folder: self.place.clone(),
        })
    }
}

impl Drop for ReleaseBuilder {
    fn drop(&mut self) {
        if self.folder.exists() {
            // What can't be removed now is removed when the release is made again.
            drop(remove_tree(&self.folder));
        }
    }
}

/// Removes a folder, with files of all the ids that a release's root holds.
pub(crate) fn remove_tree(folder: &Path) -> Result<(), LabError> {
    if !folder.exists() {
        return Ok(());
    }
    let mut command = privilege::as_owner("rm");
    command.args(["-rf", "--one-file-system", "--"]).arg(folder);
    process::output(&mut command, "coreutils").map(drop)
}

/// The right to make a release of a name. With it its file goes.
struct MakersLock {
    path: PathBuf,
    _lock: Flock<File>,
}

impl MakersLock {
    /// Waits for another process that has it.
    fn take(path: PathBuf) -> Result<Self, LabError> {
        loop {
            let file = File::create(&path).map_err(LabError::file("create", &path))?;
            let lock = Flock::lock(file, FlockArg::LockExclusive);
            let lock = lock
                .map_err(|(_, error)| LabError::system(format!("lock {}", path.shown()))(error))?;
            // The one who had it has taken the file away: that holds nothing.
            if is_at(&lock, &path) {
                return Ok(Self { path, _lock: lock });
            }
        }
    }
}

impl Drop for MakersLock {
    fn drop(&mut self) {
        // The lock goes with its file, and last: until then the name is taken.
        drop(fs::remove_file(&self.path));
    }
}
