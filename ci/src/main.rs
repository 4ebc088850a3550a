//! The `migratrix` command: which live migrations between which versions of libvirt and QEMU work,
//! which do not, and why.
//!
//! ```text
//!  cli ─▶ meaning ─▶ run ─▶ runner ─▶ executor ─▶ a driver
//!  what    what it    the     side     what a
//!  was     means      whole   by side  case needs
//!  typed                └──────────▶ report
//! ```

#[macro_use]
mod say;

mod cli;
mod compare;
mod completion;
mod config;
mod doctor;
mod explain;
mod files;
mod formats;
mod judge;
mod jump;
mod known;
mod lab;
mod list;
mod log;
mod manual;
mod meaning;
mod next;
mod possible;
mod releases;
mod report;
mod reproduce;
mod run;
mod schema;
mod shard;
mod words;

use std::{io, path::Path, process::ExitCode};

use anyhow::Context;
use migratrix_lab::{LabError, dispatch, sandbox};
use migratrix_matrix::{BadReleaseName, SelectError};
use migratrix_reports::{Exit, printable};

use crate::{
    cli::{Asked, Cli, Command, RunArgs},
    config::Config,
    run::{Ended, rundir::Busy},
};

/// Most of what is handed out is small and short-lived: words of JSON and of XML.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit codes, as `--help` documents them.
mod code {
    pub const AS_EXPECTED: u8 = 0;
    pub const FAILED: u8 = 1;
    pub const WRONG_USE: u8 = 2;
    pub const UNKNOWN: u8 = 3;
    pub const NOTHING_SELECTED: u8 = 4;
    pub const LAB_FAILED: u8 = 5;
    /// As shells have it of a program that was interrupted.
    pub const STOPPED: u8 = 130;
}

/// An error, and the code that it ends in.
struct Failure {
    code: u8,
    error: anyhow::Error,
}

/// Says what an error ends in.
trait Blame<T> {
    /// What was asked for makes no sense; or it is nothing.
    fn or_wrong_use(self) -> Result<T, Failure>;
    /// The lab or a tool failed.
    fn or_lab_failed(self) -> Result<T, Failure>;
    /// A name that makes no sense or that nothing has is wrong use; else the lab or a tool failed.
    fn or_by_its_cause(self) -> Result<T, Failure>;
}

/// What was asked for makes no sense: it ends in [`code::WRONG_USE`].
#[derive(Debug)]
struct WrongUse(String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Whether this cause of an error is of the person's making.
fn is_wrong_use(cause: &(dyn std::error::Error + 'static)) -> bool {
    let lab = cause.downcast_ref::<LabError>();
    cause.is::<WrongUse>()
        || cause.is::<BadReleaseName>()
        || lab.is_some_and(LabError::is_wrong_use)
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn or_wrong_use(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            let empty = |cause: &(dyn std::error::Error + 'static)| {
                matches!(cause.downcast_ref(), Some(SelectError::Empty { .. }))
            };
            let code = if error.chain().any(empty) {
                code::NOTHING_SELECTED
            } else if error
                .chain()
                .any(|cause| is_full(cause) || cause.is::<Busy>())
            {
                code::LAB_FAILED
            } else {
                code::WRONG_USE
            };
            Failure { code, error }
        })
    }

    fn or_lab_failed(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            let code = failed_code(&error);
            Failure { code, error }
        })
    }

    fn or_by_its_cause(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            let wrong = error.chain().any(is_wrong_use) && !error.chain().any(is_full);
            let code = if wrong {
                code::WRONG_USE
            } else {
                failed_code(&error)
            };
            Failure { code, error }
        })
    }
}

/// What an error ends in that is not of the person's making: it is the lab's or a tool's, or the person's wish.
fn failed_code(error: &anyhow::Error) -> u8 {
    let is_stop = |cause: &(dyn std::error::Error + 'static)| {
        let run = cause.downcast_ref::<Ended>().map(|ended| &ended.how);
        let lab = run.or_else(|| cause.downcast_ref());
        lab.is_some_and(|lab| matches!(lab, LabError::Stopped | LabError::StoppedAtOnce))
    };
    if error.chain().any(is_stop) {
        code::STOPPED
    } else {
        code::LAB_FAILED
    }
}

/// Whether the cause is a disk that takes no more: nobody's use is wrong then.
fn is_full(cause: &(dyn std::error::Error + 'static)) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kind = cause.downcast_ref().map(io::Error::kind);
    kind.is_some_and(|kind| [StorageFull, QuotaExceeded, ReadOnlyFilesystem].contains(&kind))
}

fn main() -> ExitCode {
    sandbox::hear_early();
    if let Some(code) = dispatch() {
        return code;
    }
    completion::answer();
    let code = match cli::read() {
        Ok(Asked::For(cli)) => {
            log::begin(cli.verbose);
            carry_out(&cli).unwrap_or_else(Failure::told)
        }
        Ok(Asked::Nothing) => {
            let told = next::tell().or_wrong_use();
            told.map_or_else(Failure::told, |()| code::AS_EXPECTED)
        }
        Err(code) => code,
    };
    let ended = say::end().context("can't write to the standard output");
    ExitCode::from(ended.or_lab_failed().map_or_else(Failure::told, |()| code))
}

impl Failure {
    /// Tells the error, and gives the code.
    fn told(self) -> u8 {
        let error = say::typed_in_lines(&format!("{:#}", self.error));
        eprintln!("migratrix: {}", printable(&error));
        self.code
    }
}

fn carry_out(cli: &Cli) -> Result<u8, Failure> {
    let named = cli.config.as_deref();
    let config = || Config::read(Config::file(named).as_deref()).or_wrong_use();
    match &cli.command {
        Command::Doctor => Ok(if doctor::doctor(&config()?) {
            code::AS_EXPECTED
        } else {
            code::LAB_FAILED
        }),
        Command::Releases { action } => {
            config()?;
            releases::releases(action.as_ref()).or_by_its_cause()?;
            Ok(code::AS_EXPECTED)
        }
        Command::List {
            selection,
            count,
            format,
        } => {
            list::list(selection, *count, *format, &config()?).or_wrong_use()?;
            Ok(code::AS_EXPECTED)
        }
        Command::Run(typed) => run(typed, named),
        Command::Schema { of } => {
            schema::schema(*of).or_lab_failed()?;
            Ok(code::AS_EXPECTED)
        }
        Command::Judge { dir, known, junit } => {
            judge::judge(dir, known, junit, &config()?).map(exit)
        }
        Command::Report {
            dirs,
            known,
            outputs,
        } => report::report(dirs, known, outputs, &config()?)
            .or_wrong_use()
            .map(exit),
        Command::Compare(typed) => compare::compare(typed, &config()?).or_wrong_use().map(exit),
        Command::Reproduce { case, run } => reproduce::reproduce(case, run.as_deref(), &config()?)
            .or_wrong_use()
            .map(exit),
        Command::Explain(typed) => explain::explain(typed, &config()?).or_wrong_use().map(exit),
        Command::Jump(typed) => jump::jump(typed, &config()?).or_wrong_use().map(exit),
        Command::Lab { action } => {
            config()?;
            lab::lab(action).or_by_its_cause()
        }
        Command::Completions { shell } => {
            completion::script(*shell).or_lab_failed()?;
            Ok(code::AS_EXPECTED)
        }
        Command::Man { dir } => {
            manual::pages(dir).or_wrong_use()?;
            Ok(code::AS_EXPECTED)
        }
    }
}

fn run(typed: &RunArgs, config: Option<&Path>) -> Result<u8, Failure> {
    log::ahead();
    let mut order = run::Order::of(typed, config).or_wrong_use()?;
    if !sandbox::is_inside() {
        order.demand_files().or_lab_failed()?;
        order.demand_client().or_lab_failed()?;
    }
    if sandbox::is_outside() {
        order.claim().or_lab_failed()?;
    }
    if order.needs_sandbox() {
        match order.enter().or_lab_failed()? {
            sandbox::Entered::Left(code) => return Ok(code),
            sandbox::Entered::Inside => {}
        }
    }
    order.carry_out().or_lab_failed().map(exit)
}

const fn exit(exit: Exit) -> u8 {
    match exit {
        Exit::AsExpected => code::AS_EXPECTED,
        Exit::Failed => code::FAILED,
        Exit::Unknown => code::UNKNOWN,
    }
}
