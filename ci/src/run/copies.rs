//! Runs that are counted as evidence: each session once. A copy of a run's directory has the marks of the
//! first, and tells nothing more; another run of the same cases has others, and counts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::{
    WrongUse,
    run::{rundir::RunDir, sessions::Sessions},
    say::Shown,
};

/// The sessions that were counted so far, by their marks: each with the directory that it was read in.
#[derive(Debug, Default)]
pub struct Counted(BTreeMap<String, PathBuf>);

impl Counted {
    /// Takes a run in.
    ///
    /// # Errors
    /// Names it and the one before of which a session is in it as well: one of them is a copy.
    pub fn take(&mut self, dir: &RunDir) -> Result<()> {
        let marks = Sessions::read(dir)?.marks;
        if let Some(before) = self.first_of(&marks) {
            let (before, copy) = (before.shown(), dir.path().shown());
            bail!(WrongUse(format!(
                "{before} and {copy} hold the same session of one run, one of them is a copy: give one of \
                 both, or it would count twice"
            )));
        }
        let path = dir.path();
        let marks = marks.into_iter();
        self.0.extend(marks.map(|mark| (mark, path.to_owned())));
        Ok(())
    }

    /// Whether a session of this run was counted.
    ///
    /// # Errors
    /// Fails where its sessions can't be read.
    pub fn has(&self, dir: &RunDir) -> Result<bool> {
        Ok(self.holder(dir)?.is_some())
    }

    /// The directory that a session of this run was counted in.
    ///
    /// # Errors
    /// As [`Counted::has`].
    pub fn holder(&self, dir: &RunDir) -> Result<Option<&Path>> {
        Ok(self.first_of(&Sessions::read(dir)?.marks))
    }

    fn first_of(&self, marks: &[String]) -> Option<&Path> {
        let held = marks.iter().find_map(|mark| self.0.get(mark));
        held.map(PathBuf::as_path)
    }
}
