//! `migratrix report`, and the reports that every run ends in.

use std::{
    io::{IsTerminal, stdout},
    path::PathBuf,
};

use anyhow::{Context, Result};
use migratrix_matrix::{Plan, Releases};
use migratrix_reports::{self as reports, Colour, Exit, Flavour, KnownFailures, Run};

use crate::{
    cli::{Granularity, JunitArgs, OutputArgs},
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

fn junit_of(run: &Run, granularity: Option<Granularity>, flavour: Flavour) -> Result<String> {
    let granularity = granularity.unwrap_or(Granularity::Case);
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
