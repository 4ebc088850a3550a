//! Who is at work in a run's directory: it is held by a lock, so that no two write into it.

use std::{
    fmt,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use crate::{files, say::Shown};

/// The lock's file.
pub const LOCK: &str = "run.lock";

/// Another migratrix is at work in this directory: whoever would write into it ends in one and the same code.
#[derive(Debug)]
pub struct Busy(PathBuf);

impl Busy {
    /// It is in this directory.
    pub fn in_dir(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dir = self.0.shown();
        write!(f, "another migratrix is at work in {dir}: wait for its end")
    }
}

impl std::error::Error for Busy {}

/// Takes the lock.
///
/// # Errors
/// Fails where another one has it, or it can't be written.
pub fn lock(path: &Path) -> Result<Flock<File>> {
    let file = path.join(LOCK);
    let mut how = OpenOptions::new();
    let lock = files::opened(&file, how.write(true).create(true))
        .with_context(|| format!("can't write {}", file.shown()))?;
    let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock);
    lock.map_err(|(_, why)| {
        if why == Errno::EWOULDBLOCK {
            return Busy::in_dir(path).into();
        }
        anyhow!(why).context(format!("can't lock {}", file.shown()))
    })
}

/// Whether another one has it.
pub fn is_busy(path: &Path) -> bool {
    let Ok(lock) = files::open(&path.join(LOCK)) else {
        return false;
    };
    let tried = Flock::lock(lock, FlockArg::LockSharedNonblock);
    tried.is_err_and(|(_, why)| why == Errno::EWOULDBLOCK)
}
