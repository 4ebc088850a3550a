//! Who is at work in a run's directory: it is held by a lock, so that no two write into it. Who only reads it
//! looks whether it is held, and holds it for that moment as one of many.

use std::{
    fmt,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
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

/// How long the lock may be kept from a writer by those who only look whether it is held.
const LOOKS: Duration = Duration::from_secs(5);

/// Takes the lock.
///
/// # Errors
/// Fails where another one has it, or it can't be written.
pub fn lock(path: &Path) -> Result<Flock<File>> {
    let file = path.join(LOCK);
    let mut how = OpenOptions::new();
    let mut lock = files::opened(&file, how.write(true).create(true))
        .with_context(|| format!("can't write {}", file.shown()))?;
    let deadline = Instant::now() + LOOKS;
    loop {
        let why = match Flock::lock(lock, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(held),
            Err((back, why)) => {
                lock = back;
                why
            }
        };
        if why != Errno::EWOULDBLOCK {
            return Err(anyhow!(why).context(format!("can't lock {}", file.shown())));
        }
        if is_busy(path) || Instant::now() >= deadline {
            return Err(Busy::in_dir(path).into());
        }
        thread::yield_now();
    }
}

/// Whether a writer has it.
pub fn is_busy(path: &Path) -> bool {
    let Ok(lock) = files::open(&path.join(LOCK)) else {
        return false;
    };
    let tried = Flock::lock(lock, FlockArg::LockSharedNonblock);
    tried.is_err_and(|(_, why)| why == Errno::EWOULDBLOCK)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn who_only_looks_keeps_the_lock_from_no_writer_and_a_writer_does() {
        let dir = tempfile::tempdir().expect("there is room");
        let (path, ended) = (dir.path(), AtomicBool::new(false));
        drop(lock(path).expect("nobody holds it"));
        thread::scope(|scope| {
            let look = || {
                while !ended.load(Ordering::Relaxed) {
                    is_busy(path);
                }
            };
            scope.spawn(look);
            scope.spawn(look);
            let refused = (0..2_000).filter(|_| lock(path).is_err()).count();
            ended.store(true, Ordering::Relaxed);
            assert_eq!(refused, 0);
        });
        let _held = lock(path).expect("nobody holds it");
        let why = lock(path).expect_err("another one holds it");
        assert!(why.is::<Busy>() && is_busy(path), "{why}");
    }
}
