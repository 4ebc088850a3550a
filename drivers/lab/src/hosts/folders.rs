//! What is in a host's folders. One that has not changed since it was read is not read again.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, statat},
    io::Errno,
};

/// How a folder is opened, and nothing else.
pub(crate) const AS_FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// How old a folder's last change must be when it is read, to be known again by its time: two changes that are
/// nearer to each other than a tick of the kernel's clock carry the same.
const SETTLED: Duration = Duration::from_secs(1);

/// Folders that were read, by the place that they are in and their path from there.
#[derive(Debug, Default)]
pub(crate) struct Folders(HashMap<(&'static str, PathBuf), Known>);

/// One that was read.
#[derive(Debug)]
struct Known {
    state: State,
    entries: Arc<[Entry]>,
}

/// Which folder it is, and when it was last changed: the kernel's own time, which nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) may_be_folder: bool,
}

impl Folders {
    /// What is in the folder at `path` from `place`, whose handle `top` is; `None` where there is none, or
    /// no more.
    pub(crate) fn entries(
        &mut self,
        (place, top): (&'static str, &OwnedFd),
        path: &Path,
    ) -> io::Result<Option<Arc<[Entry]>>> {
        let Some(state) = present(statat(top, path, AtFlags::SYMLINK_NOFOLLOW))? else {
            return Ok(None);
        };
        let state = State::of(&state);
        let key = (place, path.to_owned());
        if let Some(known) = self.0.get(&key).filter(|known| known.state == state) {
            return Ok(Some(Arc::clone(&known.entries)));
        }
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | AS_FOLDER;
        let Some(folder) = present(openat(top, path, how, Mode::empty()))? else {
            return Ok(None);
        };
        let entries = read(folder)?;
        if state.is_settled() {
            let entries = Arc::clone(&entries);
            self.0.insert(key, Known { state, entries });
        }
        Ok(Some(entries))
    }
}

impl State {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            changed: (stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }

    fn is_settled(self) -> bool {
        let changed = u64::try_from(self.changed.0).unwrap_or_default();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
        SystemTime::now()
            .duration_since(changed)
            .is_ok_and(|age| age > SETTLED)
    }
}

/// What is in an open folder: its own handle is read, since another one would cost three calls more.
fn read(folder: OwnedFd) -> io::Result<Arc<[Entry]>> {
    let entries = Dir::new(folder)?.map(|entry| {
        let entry = entry?;
        let kind = entry.file_type();
        Ok(Entry {
            name: OsStr::from_bytes(entry.file_name().to_bytes()).to_owned(),
            may_be_folder: matches!(kind, FileType::Directory | FileType::Unknown),
        })
    });
    let is_other = |entry: &io::Result<Entry>| {
        let dots = [OsStr::new("."), OsStr::new("..")];
        !entry
            .as_ref()
            .is_ok_and(|entry| dots.contains(&&*entry.name))
    };
    entries.filter(is_other).collect()
}

/// `None` where there is no such folder, or no more.
pub(crate) fn present<T>(opened: Result<T, Errno>) -> io::Result<Option<T>> {
    match opened {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use rustix::fs::{CWD, Timespec, Timestamps, utimensat};

    use super::*;

    fn names(folders: &mut Folders, top: &OwnedFd, path: &str) -> Option<Vec<String>> {
        let entries = folders.entries(("/tmp", top), Path::new(path)).unwrap()?;
        let name = |entry: &Entry| entry.name.to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.iter().map(name).collect();
        names.sort();
        Some(names)
    }

    fn open(folder: &Path) -> OwnedFd {
        openat(CWD, folder, OFlags::PATH | AS_FOLDER, Mode::empty()).unwrap()
    }

    /// Passes over the time in which the kernel's clock may stand still.
    fn settle(folder: &Path) {
        let changed = || fs::metadata(folder).unwrap().modified().unwrap();
        while changed().elapsed().is_ok_and(|age| age <= SETTLED) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_comes_and_goes_in_a_folder_that_was_read_before_is_seen_though_its_times_are_set_back()
    {
        let dir = tempfile::tempdir().unwrap();
        let top = open(dir.path());
        let mut folders = Folders::default();
        fs::write(dir.path().join("old"), "").unwrap();
        settle(dir.path());
        assert_eq!(names(&mut folders, &top, ".").unwrap(), ["old"]);
        assert_eq!(folders.0.len(), 1);
        let before = fs::metadata(dir.path()).unwrap().modified().unwrap();
        fs::write(dir.path().join("new"), "").unwrap();
        set_back(dir.path(), before);
        assert_eq!(names(&mut folders, &top, ".").unwrap(), ["new", "old"]);
        fs::remove_file(dir.path().join("old")).unwrap();
        set_back(dir.path(), before);
        assert_eq!(names(&mut folders, &top, ".").unwrap(), ["new"]);
    }

    fn set_back(folder: &Path, to: SystemTime) {
        let since = to.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let time = Timespec {
            tv_sec: since.as_secs().try_into().unwrap(),
            tv_nsec: since.subsec_nanos().into(),
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        utimensat(CWD, folder, &times, AtFlags::empty()).unwrap();
    }

    #[test]
    fn a_folder_that_has_just_changed_is_read_again_and_one_that_is_another_now_too() {
        let dir = tempfile::tempdir().unwrap();
        let top = open(dir.path());
        let mut folders = Folders::default();
        fs::create_dir(dir.path().join("a")).unwrap();
        assert_eq!(names(&mut folders, &top, "a").unwrap(), [""; 0]);
        assert!(
            folders.0.is_empty(),
            "its time may be that of the next change"
        );
        settle(&dir.path().join("a"));
        assert_eq!(names(&mut folders, &top, "a").unwrap(), [""; 0]);
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("b/x"), "").unwrap();
        fs::rename(dir.path().join("a"), dir.path().join("c")).unwrap();
        fs::rename(dir.path().join("b"), dir.path().join("a")).unwrap();
        assert_eq!(names(&mut folders, &top, "a").unwrap(), ["x"]);
        fs::rename(dir.path().join("a"), dir.path().join("d")).unwrap();
        assert_eq!(names(&mut folders, &top, "a"), None);
        symlink("/", dir.path().join("a")).unwrap();
        assert_eq!(
            names(&mut folders, &top, "a"),
            None,
            "a link leads elsewhere"
        );
    }
}
