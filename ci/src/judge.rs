//! `migratrix judge`: the verdicts of a run, made anew from what it left.

use std::path::Path;

use anyhow::Context;
use migratrix_reports::Exit;

use crate::{
    Blame, Failure,
    cli::KnownArgs,
    config::Config,
    formats::JunitArgs,
    known::check_known,
    possible::{Named, possible},
    report,
    run::{
        ledger::{self, Ledger},
        outputs,
        rundir::RunDir,
    },
    say::Shown,
};

/// Judges the histories of a run again, and writes its verdicts and reports anew. What can't be read
/// is named, and unknown.
///
/// # Errors
/// Fails where there is no run, or where something can't be written.
pub fn judge(
    path: &Path,
    typed: &KnownArgs,
    junit: &JunitArgs,
    config: &Config,
) -> Result<Exit, Failure> {
    let (dir, plan) = RunDir::open(path).or_wrong_use()?;
    let asked: Vec<_> = junit.output().into_iter().collect();
    outputs::check(&asked, &[path.to_owned()]).or_wrong_use()?;
    let blessed = typed.blessed(&plan.options.known).or_wrong_use()?;
    let known = typed.or_kept(&plan).or_wrong_use()?;
    check_known(&known, config, &plan).or_wrong_use()?;
    let junit = junit.or_kept(&plan.options).or_wrong_use()?;
    let dir = dir.again().or_lab_failed()?;
    let ledger = Ledger::read(&dir, &plan)
        .or_by_its_cause()?
        .with_context(|| format!("{} holds no history: nothing was run", path.shown()))
        .or_wrong_use()?;
    let mut troubles = ledger.write_verdicts(&dir, &plan, &known).or_lab_failed()?;
    troubles.extend(ledger.unconcluded(&dir, &plan));
    let run = report::run_of(&dir, &plan, &known).or_lab_failed()?;
    let possible = possible(&plan, config, Named::TheirLike).or_lab_failed()?;
    let run = run.by(typed.rules(&plan.options)).with_possible(possible);
    let exit = report::conclude(&dir, run, &junit, (typed, blessed.as_deref())).or_lab_failed()?;
    ledger::tell(&troubles);
    Ok(match exit {
        Exit::AsExpected if !troubles.is_empty() => Exit::Unknown,
        Exit::AsExpected | Exit::Failed | Exit::Unknown => exit,
    })
}
