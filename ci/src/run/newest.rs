//! The runs that lie side by side in a folder, and which of them is the newest.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

/// The folder of the runs that no `--out` names.
pub const RUNS: &str = "runs";

/// The run in `folder` that was begun or gone on with last; of several at the same time the last by
/// name. None where there is no run, or no folder.
///
/// # Errors
/// Fails where the folder can't be read.
pub fn newest(folder: &Path) -> Result<Option<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("can't read {}", folder.display()))?,
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("can't read {}", folder.display()))?
            .path();
        if let Some(time) = worked_at(&path) {
            runs.push((time, path));
        }
    }
    Ok(runs.into_iter().max().map(|(_, path)| path))
}

/// When the run in `dir` was begun or gone on with, if it is one.
fn worked_at(dir: &Path) -> Option<SystemTime> {
    let modified = |name| fs::metadata(dir.join(name)).and_then(|data| data.modified());
    let planned = modified("plan.json").ok()?;
    Some(modified("sessions.jsonl").map_or(planned, |began| began.max(planned)))
}
