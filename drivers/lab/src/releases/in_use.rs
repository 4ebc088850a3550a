//! Who uses a release: whoever does holds a lock on its folder, and nobody removes or replaces it meanwhile. The
//! kernel drops the lock when its holder ends, however it ends.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
};

use migratrix_contract::command_line;
use migratrix_matrix::{ReleaseName, Shown};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::stat::{major, minor},
};

use crate::{LabError, labs::is_at};

/// How many of those that use a release are named.
const NAMED: usize = 3;

/// The right to a release's files. While it is held, nobody removes or replaces them.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "it is held, and no more")] Flock<File>);

/// The right to remove or replace a release, which nobody uses.
#[derive(Debug)]
pub struct Unused {
    pub(crate) name: ReleaseName,
    _lock: Flock<File>,
}

/// Takes the right to use the release in `folder`; none where it is being removed.
pub(crate) fn share(folder: &Path) -> Result<Option<InUse>, LabError> {
    let lock = locked(folder, FlockArg::LockSharedNonblock)?;
    Ok(lock.ok().map(InUse))
}

/// Takes the right to remove or replace the release `name` in `folder`.
pub(crate) fn alone(name: &ReleaseName, folder: &Path) -> Result<Unused, LabError> {
    match locked(folder, FlockArg::LockExclusiveNonblock)? {
        Ok(lock) => Ok(Unused {
            name: name.clone(),
            _lock: lock,
        }),
        Err(file) => Err(LabError::InUse(name.clone(), told(&holders(&file)))),
    }
}

/// The folder's lock; the folder where another one has it.
fn locked(folder: &Path, how: FlockArg) -> Result<Result<Flock<File>, File>, LabError> {
    loop {
        let file = File::open(folder).map_err(LabError::file("read", folder))?;
        match Flock::lock(file, how) {
            // It was removed meanwhile, and another one may be in its place.
            Ok(lock) if !is_at(&lock, folder) => {}
            Ok(lock) => return Ok(Ok(lock)),
            Err((file, Errno::EWOULDBLOCK)) => return Ok(Err(file)),
            Err((_, error)) => {
                return Err(LabError::system(format!("lock {}", folder.shown()))(error));
            }
        }
    }
}

/// Who has a lock on the file, as far as that can be seen from here: the commands, each once.
fn holders(file: &File) -> Vec<String> {
    let Ok(it) = file.metadata() else {
        return Vec::new();
    };
    let (device, inode) = (it.dev(), it.ino());
    let place = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut commands: Vec<String> = Vec::new();
    for line in locks.lines() {
        // `1: FLOCK  ADVISORY  READ 4711 08:01:1234 0 EOF`; one that waits has `->` behind its number.
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, process, at, ..] = words[..] else {
            continue;
        };
        let command = (at == place).then(|| command(process)).flatten();
        if let Some(command) = command.filter(|command| !commands.contains(command)) {
            commands.push(command);
        }
    }
    commands
}

fn command(process: &str) -> Option<String> {
    let mut words = command_line(&Path::new("/proc").join(process))?;
    words.retain(|word| !word.is_empty());
    let program = words.first_mut()?;
    *program = Path::new(program)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    Some(Path::new(&words.join(" ")).shown())
}

fn told(holders: &[String]) -> String {
    let named = holders.iter().take(NAMED);
    let named: Vec<_> = named.map(|command| format!("`{command}`")).collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" by {}", named.join(" and "))
    }
}
