//! Labs that stay up for a person, each under a name, and how they are found again and ended.
//!
//! A lab is known by the lock that the process which holds it has on the lab's file. The kernel
//! drops it when that process ends, however it ends, and says who has it: no number is written
//! down that could be another process's by now. Whoever it is, is looked at and signalled by a
//! handle that stands for that very process (`pidfd`).
//!
//! ```text
//!  <cache>/labs/NAME.lock   the lock
//!  <cache>/labs/NAME/       the logs of its hosts
//!  <cache>/labs/NAME/up     there as soon as all of its hosts are up
//! ```

mod up_lab;

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use migratrix_matrix::Shown;
use nix::{
    fcntl::{FcntlArg, fcntl},
    libc::{self, c_int},
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub use self::up_lab::UpLab;
use crate::LabError;

/// The longest name of a lab, in bytes.
const NAME_MAX: usize = 50;
/// What the names of the labs' files end in.
const LOCK: &str = "lock";

/// How the lock is opened: what else may have its name is not waited for, as a pipe that nobody has at its other end.
const AT_ONCE: c_int = libc::O_NONBLOCK;
/// What marks a lab whose hosts are all up, among the folders of its hosts' logs.
const UP: &str = "up";

/// All labs of a cache folder.
#[derive(Clone, Debug)]
pub struct Labs {
    folder: PathBuf,
}

/// The name of a lab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabName(String);

/// The right to a lab's name. It ends with this, or with the process; with this, nothing of the lab is left.
#[derive(Debug)]
pub struct Hold {
    _file: File,
    lock: PathBuf,
    logs: PathBuf,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The lock goes with its file, and last: until then the name is taken.
        drop(fs::remove_dir_all(&self.logs));
        drop(fs::remove_file(&self.lock));
    }
}

impl LabName {
    /// A name of lower-case letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// Returns an error where it is no such name.
    pub fn new(name: &str) -> Result<Self, LabError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(fits) {
            return Err(LabError::BadLabName(name.chars().take(NAME_MAX).collect()));
        }
        Ok(Self(name.to_owned()))
    }

    /// It as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Labs {
    /// The labs of the cache folder `cache`.
    ///
    /// # Errors
    /// Returns an error where the folder can't be made.
    pub fn open(cache: &Path) -> Result<Self, LabError> {
        let folder = cache.join("labs");
        fs::create_dir_all(&folder).map_err(LabError::file("create", &folder))?;
        let folder = folder
            .canonicalize()
            .map_err(LabError::file("read", &folder))?;
        Ok(Self { folder })
    }

    /// Takes the name for this process.
    ///
    /// # Errors
    /// Returns an error where a lab of this name is up.
    pub fn hold(&self, name: &LabName) -> Result<Hold, LabError> {
        let path = self.lock(name);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .custom_flags(AT_ONCE)
                .open(&path)
                .map_err(LabError::file("create", &path))?;
            match fcntl(&file, FcntlArg::F_SETLK(&whole(libc::F_WRLCK))) {
                // Another one may have ended meanwhile, and its file with it: that holds nothing.
                Ok(_) if !is_at(&file, &path) => {}
                Ok(_) => {
                    // One that was killed has left its mark.
                    unmark(&self.mark(name))?;
                    return Ok(Hold {
                        _file: file,
                        lock: path,
                        logs: self.logs(name),
                    });
                }
                Err(nix::Error::EAGAIN | nix::Error::EACCES) => {
                    return Err(LabError::LabUp(name.0.clone()));
                }
                Err(source) => {
                    return Err(LabError::system(format!("lock {}", path.shown()))(source));
                }
            }
        }
    }

    /// The lab of this name.
    ///
    /// # Errors
    /// Returns an error that names those that are up where this one is not.
    pub fn get(&self, name: &LabName) -> Result<UpLab, LabError> {
        if let Some(lab) = self.find(name)? {
            return Ok(lab);
        }
        let up: Vec<String> = self
            .up()
            .unwrap_or_default()
            .into_iter()
            .map(|lab| lab.name.0)
            .collect();
        let others = if up.is_empty() {
            "no other is up".to_owned()
        } else {
            format!("up: {}", up.join(", "))
        };
        Err(LabError::NoLab(name.0.clone(), others))
    }

    /// All labs that are up, in the order of their names.
    ///
    /// # Errors
    /// Returns an error where one is held by a process that can't be seen from here.
    pub fn up(&self) -> Result<Vec<UpLab>, LabError> {
        let entries = fs::read_dir(&self.folder).map_err(LabError::file("read", &self.folder))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(LabError::file("read", &self.folder))?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            let name = name.and_then(|name| LabName::new(name).ok());
            if let Some(name) = name.filter(|_| path.extension().is_some_and(|it| it == LOCK)) {
                found.extend(self.find(&name)?);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Where the logs of a lab's hosts go.
    #[must_use]
    pub fn logs(&self, name: &LabName) -> PathBuf {
        self.folder.join(&name.0)
    }

    /// Marks the lab of this name, which is held by this process or one above it: all of its hosts are up.
    ///
    /// # Errors
    /// Returns an error where the mark can't be written.
    pub fn mark_up(&self, name: &LabName) -> Result<(), LabError> {
        let mark = self.mark(name);
        fs::create_dir_all(self.logs(name)).map_err(LabError::file("create", &mark))?;
        fs::write(&mark, "").map_err(LabError::file("create", &mark))
    }

    fn mark(&self, name: &LabName) -> PathBuf {
        self.logs(name).join(UP)
    }

    fn lock(&self, name: &LabName) -> PathBuf {
        self.folder.join(format!("{}.{LOCK}", name.0))
    }

    fn find(&self, name: &LabName) -> Result<Option<UpLab>, LabError> {
        let path = self.lock(name);
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(AT_ONCE)
            .open(&path);
        let file = match file {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(LabError::file("read", &path))?,
        };
        loop {
            let Some(holder) = holder(&file, name)? else {
                return Ok(None);
            };
            // Between the two looks it may have ended, and its number be another's. Where it has
            // the lock after the handle was made, the handle is its own.
            let handle = pidfd_open(holder, PidfdFlags::empty());
            if self::holder(&file, name)? != Some(holder) {
                continue;
            }
            let handle = handle.map_err(LabError::system(format!("look at the lab `{}`", name.0)));
            return Ok(Some(UpLab {
                name: name.clone(),
                holder,
                handle: handle?,
                mark: self.mark(name),
            }));
        }
    }
}

/// Takes the mark of an earlier lab away, where one is there.
fn unmark(mark: &Path) -> Result<(), LabError> {
    match fs::remove_file(mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::file("remove", mark)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether the file is the one at the path.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let there = fs::metadata(path).map(of).ok();
    there.is_some() && there == file.metadata().map(of).ok()
}

/// Who has the lock on the file; `None` where nobody has.
fn holder(file: &File, name: &LabName) -> Result<Option<Pid>, LabError> {
    let mut lock = whole(libc::F_WRLCK);
    fcntl(file, FcntlArg::F_GETLK(&mut lock))
        .map_err(LabError::system(format!("look at the lab `{}`", name.0)))?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    // In another PID namespace, or on another machine, it has no number here.
    let seen = (lock.l_pid > 0).then(|| Pid::from_raw(lock.l_pid));
    seen.flatten()
        .map(Some)
        .ok_or_else(|| LabError::Unseen(name.0.clone()))
}

/// A lock of this kind on the whole of a file.
fn whole(kind: i32) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).expect("the kinds of locks are small numbers"),
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_word() {
        assert!(LabName::new("my-lab_2").is_ok());
        for bad in ["", "A", "a/b", "..", "a b", &"x".repeat(51)] {
            assert!(LabName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_of_a_lab_is_left_when_it_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let labs = Labs::open(dir.path()).unwrap();
        let name = LabName::new("mine").unwrap();
        for _ in 0..2 {
            let hold = labs.hold(&name).unwrap();
            fs::create_dir_all(labs.logs(&name).join("a-s")).unwrap();
            assert!(dir.path().join("labs/mine.lock").exists());
            drop(hold);
            let left = fs::read_dir(dir.path().join("labs")).unwrap().count();
            assert_eq!(left, 0);
        }
    }

    #[test]
    fn the_mark_of_a_lab_that_was_killed_is_not_that_of_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let labs = Labs::open(dir.path()).unwrap();
        let name = LabName::new("mine").unwrap();
        labs.mark_up(&name).unwrap();
        let _hold = labs.hold(&name).unwrap();
        assert!(!labs.mark(&name).exists());
        labs.mark_up(&name).unwrap();
        assert!(labs.mark(&name).exists());
    }

    #[test]
    fn a_pipe_in_place_of_a_lock_is_no_lab_and_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let labs = Labs::open(dir.path()).unwrap();
        let name = LabName::new("default").unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(labs.lock(&name))
            .status();
        assert!(pipe.unwrap().success());
        assert!(labs.find(&name).unwrap().is_none());
        assert!(labs.hold(&name).is_err());
    }

    #[test]
    fn a_file_without_a_lock_is_no_lab_whatever_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let labs = Labs::open(dir.path()).unwrap();
        fs::write(dir.path().join("labs/default.lock"), "1").unwrap();
        assert!(labs.up().unwrap().is_empty());
        let error = labs.get(&LabName::new("default").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "no lab `default` is up; no other is up");
    }
}
