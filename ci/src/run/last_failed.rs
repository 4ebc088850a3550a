//! `run --last-failed`: the cases of an earlier run that were not as expected.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use migratrix_lab::sandbox;
use migratrix_matrix::{Case, Emptied, HostSetup, RunOptions, SelectError};
use migratrix_reports::{Judgement, KnownAre, Rules, Standing};

use crate::{
    WrongUse,
    cli::KnownArgs,
    report,
    run::{
        newest::{RUNS, newest},
        rundir::RunDir,
    },
    say::{Shown, count, typed_word},
};

/// What an earlier run leaves to be run again.
#[derive(Debug, Default)]
pub struct LastFailed {
    /// The cases that were not as expected, in the order of its plan.
    pub cases: Vec<Case>,
    /// The options of it that a case needs to run again as it did.
    pub options: RunOptions,
}

impl LastFailed {
    /// Those of the run in `dir`, or of the newest run where none is named.
    ///
    /// # Errors
    /// Fails where there is no run, it can't be read, or all of it was as expected.
    pub fn of(dir: Option<&Path>, typed: &KnownArgs) -> Result<Self> {
        let path = dir.map_or_else(newest_run, |dir| Ok(dir.to_owned()))?;
        let (dir, plan) = RunDir::read(&path)?;
        let rules = typed.rules(&plan.options);
        let run = report::run_of(&dir, &plan, &typed.or_kept(&plan)?)?.by(rules);
        let wrong = run.judgements().filter(|one| is_wrong(one, rules));
        let wrong: BTreeMap<_, _> = wrong.map(|one| (&one.case, one.setup)).collect();
        let planned = plan.cases.iter();
        let cases: Vec<(Case, HostSetup)> = planned
            .filter_map(|case| Some((case.clone(), *wrong.get(case)?)))
            .collect();
        let (of, not_run) = (plan.cases.len(), run.missing().count());
        if cases.is_empty() {
            let by = Emptied::AllAsExpected(told_missing(&dir, not_run));
            return Err(SelectError::Empty { by, of }.into());
        }
        let (options, others) = plan.again_on(&cases);
        if sandbox::is_outside() {
            let (own, of) = (cases.len(), count(of, "case"));
            eprintln!(
                "--last-failed: {own} of {of} of {}",
                told_missing(&dir, not_run)
            );
            if others > 0 {
                eprintln!("{}", told_others(others));
            }
        }
        Ok(Self {
            cases: cases.into_iter().map(|(case, _)| case).collect(),
            options,
        })
    }
}

fn newest_run() -> Result<PathBuf> {
    let found = newest(Path::new(RUNS)).context("--last-failed can't tell the newest run")?;
    found.map_or_else(
        || {
            bail!(WrongUse(format!(
                "there is no run below {RUNS}: name a run's directory, as in --last-failed DIR"
            )))
        },
        Ok,
    )
}

/// The run, and what of it was not run: that is no failure, and goes on by itself.
fn told_missing(dir: &RunDir, not_run: usize) -> String {
    let path = dir.path().shown();
    if not_run == 0 {
        return path;
    }
    let cases = count(not_run, "case");
    if dir.is_under_way() {
        return format!("{path}; {cases} of it without a verdict yet");
    }
    let word = typed_word(&dir.path().to_string_lossy());
    format!("{path}; {cases} of it without a verdict: migratrix run --resume {word}")
}

/// Of cases that were controls and others: all run on hosts that are set up alike.
fn told_others(others: usize) -> String {
    let cases = count(others, "case");
    format!(
        "{cases} of them ran on hosts that were set up otherwise: the report of that run has a line for each"
    )
}

/// Whether a case was not as expected.
pub fn is_wrong(judgement: &Judgement, rules: Rules) -> bool {
    let standing = judgement.standing();
    let is_counted = standing == Standing::KnownFailure && rules.known == KnownAre::Failed;
    is_counted || !standing.is_as_expected()
}
