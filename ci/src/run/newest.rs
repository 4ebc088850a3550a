//! The runs that lie side by side in a folder, and which of them is the newest.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::{
    WrongUse,
    say::{Shown, count, typed_word},
};

/// The folder of the runs that no `--out` names.
pub const RUNS: &str = "runs";

/// The run in `folder` that was begun or gone on with last; of several at the same time the last by
/// name. None where there is no run, or no folder.
///
/// # Errors
/// Fails where the folder can't be read.
pub fn newest(folder: &Path) -> Result<Option<PathBuf>> {
    Ok(all(folder)?.pop())
}

/// The runs in `folder`, the newest last.
fn all(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.with_context(|| format!("can't read {}", folder.shown()))?,
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("can't read {}", folder.shown()))?
            .path();
        if let Some(time) = worked_at(&path) {
            runs.push((time, path));
        }
    }
    runs.sort();
    Ok(runs.into_iter().map(|(_, path)| path).collect())
}

/// How many runs of a folder are named.
const NAMED: usize = 5;

/// Sees to it that a folder which stands where a run is meant is not one that holds runs.
///
/// # Errors
/// Names its runs, and what would have to be typed for the newest.
pub fn demand_one(folder: &Path) -> Result<()> {
    let runs = all(folder).unwrap_or_default();
    let Some(newest) = runs.last() else {
        return Ok(());
    };
    let words: Vec<_> = env::args_os().skip(1).collect();
    let typed = typed_for(&words, folder, newest);
    let names = runs.iter().rev().take(NAMED);
    let names: Vec<_> = names.map(|one| one.shown()).collect();
    let more = runs.len().checked_sub(NAMED).filter(|more| *more > 0);
    let more = more.map_or_else(String::new, |more| format!(" and {more} more"));
    bail!(WrongUse(format!(
        "{} is not a run's directory, it holds {}: {}{more}; for the newest: migratrix {typed}",
        folder.shown(),
        count(runs.len(), "run"),
        names.join(", "),
    )))
}

/// The words of a command line, as a shell takes them, with the run in place of the folder.
fn typed_for(words: &[OsString], folder: &Path, run: &Path) -> String {
    let (folder, run) = (folder.to_string_lossy(), run.to_string_lossy());
    let word = |word: &OsString| {
        let word = word.to_string_lossy();
        let option = word.split_once('=').filter(|(_, value)| *value == folder);
        match option {
            _ if word == folder => typed_word(&run),
            Some((option, _)) => format!("{option}={}", typed_word(&run)),
            None => typed_word(&word),
        }
    };
    let words: Vec<_> = words.iter().map(word).collect();
    words.join(" ")
}

/// When the run in `dir` was begun or gone on with, if it is one.
fn worked_at(dir: &Path) -> Option<SystemTime> {
    let modified = |name| fs::metadata(dir.join(name)).and_then(|data| data.modified());
    let planned = modified("plan.json").ok()?;
    Some(modified("sessions.jsonl").map_or(planned, |began| began.max(planned)))
}
