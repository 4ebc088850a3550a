//! `migratrix judge` and `migratrix report`, and the reports that every run ends in.

use std::{
    fs,
    io::{IsTerminal, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use migratrix_history::{Completeness, History};
use migratrix_matrix::{Plan, Releases};
use migratrix_reports::{self as reports, Colour, Exit, Flavour, Judgement, KnownFailures, Run};

use crate::{
    cli::{Granularity, JunitArgs, OutputArgs},
    evidence,
    rundir::{RunDir, write_whole},
};

impl From<Granularity> for reports::Granularity {
    fn from(typed: Granularity) -> Self {
        match typed {
            Granularity::Case => Self::Case,
            Granularity::Condition => Self::Condition,
            Granularity::TenConditions => Self::PostCondition,
        }
    }
}

/// The run of a directory: its plan, and the verdicts so far.
///
/// # Errors
/// Fails where a file can't be read.
pub fn run_of(dir: &RunDir, plan: &Plan, known: &KnownFailures) -> Result<Run> {
    let mut run = Run::new(plan.cases.clone(), dir.verdicts()?);
    run.mark_known(known, &Releases::new(plan.releases.clone())?)?;
    run.elapsed_ms = elapsed_ms(&run);
    Ok(run)
}

/// From the first case's begin to the last one's end. A run that was interrupted counts its pause.
fn elapsed_ms(run: &Run) -> u64 {
    let ends = run
        .judgements()
        .map(|one| one.began_unix * 1_000 + one.elapsed_ms);
    ends.max().map_or(0, |end| end - run.began_unix * 1_000)
}

fn junit_of(run: &Run, granularity: Granularity, flavour: Flavour) -> Result<String> {
    Ok(reports::junit(run, granularity.into(), flavour)?)
}

/// Writes all reports into the run's directory, and prints the summary.
///
/// # Errors
/// Fails where one can't be written.
pub fn conclude(dir: &RunDir, run: &Run, junit: &JunitArgs) -> Result<Exit> {
    dir.write(
        "junit.xml",
        &junit_of(run, junit.granularity, Flavour::Rich)?,
    )?;
    dir.write(
        "junit-strict.xml",
        &junit_of(run, junit.granularity, Flavour::Strict)?,
    )?;
    dir.write("index.html", &reports::html(run))?;
    dir.write("summary.json", &reports::json(run))?;
    dir.write("summary.txt", &reports::terminal(run, Colour::Plain))?;
    print!("{}", reports::terminal(run, colour()));
    println!(
        "\nJUnit: {0}/junit.xml · page: {0}/index.html",
        dir.path().display()
    );
    Ok(run.exit())
}

fn colour() -> Colour {
    let wanted = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if wanted { Colour::Ansi } else { Colour::Plain }
}

/// Merges runs, and writes the reports that are asked for.
///
/// # Errors
/// Fails where a run can't be read, or a report can't be written.
pub fn report(paths: &[PathBuf], known: &KnownFailures, outputs: &OutputArgs) -> Result<Exit> {
    let runs = paths.iter().map(|path| {
        let (dir, plan) = RunDir::open(path)?;
        run_of(&dir, &plan, known)
    });
    let run = runs
        .reduce(|one, other| Ok(one?.merge(other?)))
        .context("no run is named")??;
    if let Some(file) = &outputs.junit {
        write_whole(
            file,
            &junit_of(&run, outputs.how.granularity, Flavour::Rich)?,
        )?;
    }
    if let Some(file) = &outputs.junit_strict {
        write_whole(
            file,
            &junit_of(&run, outputs.how.granularity, Flavour::Strict)?,
        )?;
    }
    if let Some(file) = &outputs.html {
        write_whole(file, &reports::html(&run))?;
    }
    if let Some(file) = &outputs.json {
        write_whole(file, &reports::json(&run))?;
    }
    print!("{}", reports::terminal(&run, colour()));
    Ok(run.exit())
}

/// Judges the histories of a run again, and writes its verdicts and reports anew.
///
/// # Errors
/// Fails where a history is damaged, and names it; nothing is written then.
pub fn judge(path: &Path, known: &KnownFailures, junit: &JunitArgs) -> Result<Exit> {
    let (dir, plan) = RunDir::open(path)?;
    let folder = path.join("history");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| format!("can't read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    if files.is_empty() {
        bail!("{} holds no history: nothing was run", folder.display());
    }
    let judgements = files
        .iter()
        .map(|file| judge_file(file, &dir))
        .collect::<Result<Vec<_>>>()?;
    let lines: String = judgements
        .iter()
        .map(|one| reports::to_line(one) + "\n")
        .collect();
    dir.write("verdicts.jsonl", &lines)?;
    conclude(&dir, &run_of(&dir, &plan, known)?, junit)
}

/// Judges one history. Where it was cut, what is missing is unknown, and said to be.
fn judge_file(file: &Path, dir: &RunDir) -> Result<Judgement> {
    let read = || -> Result<_> { Ok(History::read(fs::read(file)?)?) };
    let (history, completeness) =
        read().with_context(|| format!("the history {} can't be read", file.display()))?;
    if let Completeness::Truncated { line } = completeness {
        eprintln!(
            "{} was cut at line {line}: what is missing is unknown",
            file.display()
        );
    }
    let log = file.strip_prefix(dir.path()).unwrap_or(file);
    let judgement = reports::judge(&history).with_log(log.display().to_string());
    let evidence = evidence::kept(dir, &judgement.case, judgement.attempt);
    Ok(judgement.with_evidence(evidence))
}
