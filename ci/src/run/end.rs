//! How a run ends, what ends it early, and what is said of what is left of it then.

use std::{fmt, io, path::Path};

use anyhow::{Error, anyhow};
use migratrix_lab::LabError;
use migratrix_reports::{Exit, Judgement, Rules, Run};

use crate::say::{self, Shown, typed_word};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// No case was left.
    Whole,
    /// A person stopped it.
    Stopped,
    /// So many cases were left when one failed, by `--fail-fast`.
    FailedFast {
        /// How many.
        left: usize,
    },
}

/// Whether a case of which these are the attempts fails the run that it is in.
#[must_use]
pub fn fails_run(earlier: &[Judgement], last: &Judgement, rules: Rules) -> bool {
    let attempts = earlier.iter().chain([last]).cloned();
    let alone = Run::new(vec![last.case.clone()], attempts).by(rules);
    alone.exit() == Exit::Failed
}

/// A run ended of which nobody lived to tell.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub how: LabError,
    /// What is left of it.
    left: String,
}

impl Ended {
    /// What is told of a run that ended in this error, where that was its end, and this is left of it.
    pub fn of(how: LabError, left: String) -> Error {
        let is_end = matches!(
            how,
            LabError::Killed(_) | LabError::Stopped | LabError::StoppedAtOnce
        );
        if is_end {
            Self { how, left }.into()
        } else {
            how.into()
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { how, left } = self;
        write!(f, "{how}; {left}")
    }
}

impl std::error::Error for Ended {}

/// What is left of a run that ended early, and how it goes on.
pub fn kept(dir: &Path) -> String {
    if is_begun(dir) {
        return format!("what is concluded is kept: go on with {}", go_on(dir));
    }
    let dir = dir.shown();
    format!("nothing to go on with is in {dir}: was it moved, or removed?")
}

/// What is told where a run in `dir` ends in this error: where the directory is gone that is all, and not which
/// file in it was missed first.
pub fn gone_or(error: Error, dir: &Path) -> Error {
    let is_missed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::NotFound)
    };
    if is_begun(dir) {
        return error;
    }
    if !error.chain().any(is_missed) {
        return anyhow!("{error:#}\n{}", kept(dir));
    }
    let dir = dir.shown();
    anyhow!(
        "the run's directory {dir} is gone, and nothing more can be kept in it: was it moved, or removed?"
    )
}

/// The line that goes on with a run: its directory keeps how.
pub fn go_on(dir: &Path) -> String {
    let path = dir.to_string_lossy();
    format!("{} run --resume {}", say::called(), typed_word(&path))
}

/// Whether a run has been begun there.
#[must_use]
pub fn is_begun(dir: &Path) -> bool {
    dir.join("plan.json").exists()
}
