//! The place of a new run: a directory of its own, in which nobody loses anything.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::busy;
use crate::{WrongUse, files::real, say::Shown};

/// What a run makes before its plan: one that was killed there has left nothing else.
const BEFORE_THE_PLAN: [&str; 2] = ["history", busy::LOCK];

/// A plan that was being written when the run was cut short.
const CUT_PLAN: &str = "plan.json.part";

/// What stands beside the plan in the directory of a run, of whatever version.
const BESIDE_THE_PLAN: [&str; 4] = [
    "sessions.jsonl",
    "concluded.jsonl",
    "verdicts.jsonl",
    "history",
];

/// Sees to it that a directory which is there holds nothing.
///
/// # Errors
/// Names something in it.
pub fn demand_empty(path: &Path) -> Result<()> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("can't read {}", path.shown()))?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let is_left = BEFORE_THE_PLAN.iter().any(|one| name == *one);
        if name != CUT_PLAN && !(is_left && is_empty(&path.join(&name))) {
            bail!(WrongUse(format!(
                "{} is not empty, it holds {}, and a run would write into it: give another --out, as {}, or an \
                 empty directory",
                path.shown(),
                Path::new(&name).shown(),
                path.join("run").shown()
            )));
        }
    }
    Ok(())
}

/// Whether it is a file or a directory without anything in it.
fn is_empty(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0),
    }
}

/// Sees to it that a directory is not inside that of a run.
///
/// # Errors
/// Names that run.
pub fn demand_in_no_run(path: &Path) -> Result<()> {
    let real = real(path);
    let mut above = real.ancestors().skip(1);
    let Some(run) = above.find(|folder| is_run(folder)) else {
        return Ok(());
    };
    bail!(WrongUse(format!(
        "{} is in the directory of the run {}: give another --out, outside of it",
        path.shown(),
        run.shown()
    )))
}

/// Whether it is the directory of a run: others have a plan.json too.
fn is_run(folder: &Path) -> bool {
    let has = |name: &&str| folder.join(name).exists();
    has(&"plan.json") && BESIDE_THE_PLAN.iter().any(has)
}

/// A directory that was made for a run which has not begun. It goes away with this, where nothing has been put
/// into it.
#[derive(Debug)]
pub struct Claim(PathBuf);

impl Claim {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // One in which a run is stays.
        drop(fs::remove_dir(&self.0));
    }
}

/// Makes a directory that nobody else has, of this name or, where that is taken, of the next one: `NAME-2`,
/// `NAME-3` and so on.
///
/// # Errors
/// Fails where none can be made.
pub fn claim(wished: &Path) -> Result<Claim> {
    let failed = || format!("can't make the run's directory {}", wished.shown());
    if let Some(folder) = wished.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let name = wished.file_name().unwrap_or_default().to_string_lossy();
    let (mut path, mut number) = (wished.to_owned(), 1_u32);
    loop {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                number += 1;
                path.set_file_name(format!("{name}-{number}"));
            }
            made => return made.map(|()| Claim(path)).with_context(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_want_one_name_the_second_takes_the_next_and_an_unused_one_goes_away() {
        let dir = tempfile::tempdir().expect("there is room");
        let wished = dir.path().join("runs/20260101-120000");
        let first = claim(&wished).expect("there is room");
        let second = claim(&wished).expect("there is room");
        assert_eq!(first.path(), wished);
        assert!(second.path().ends_with("runs/20260101-120000-2"));
        fs::write(first.path().join("plan.json"), "{}").expect("there is room");
        let (used, unused) = (first.path().to_owned(), second.path().to_owned());
        drop((first, second));
        assert!(used.exists() && !unused.exists());
    }
}
