//! The `migratrix` command: which live migrations between which versions of libvirt and QEMU work,
//! which do not, and why.
//!
//! ```text
//!  cli ─▶ meaning ─▶ run ─▶ runner ─▶ stage ─▶ a driver
//!  what    what it    the     side     what a
//!  was     means      whole   by side  case needs
//!  typed                └──────────▶ report
//! ```

mod cli;
mod config;
mod doctor;
mod hosts;
mod lab;
mod list;
mod meaning;
mod outputs;
mod processor;
mod progress;
mod qemus;
mod releases;
mod report;
mod run;
mod rundir;
mod runner;
mod stage;

use std::process::ExitCode;

use clap::Parser;
use migratrix_lab::{dispatch, sandbox};
use migratrix_matrix::SelectError;
use migratrix_reports::Exit;

use crate::{
    cli::{Cli, Command, RunArgs},
    config::Config,
};

/// The exit codes, as `--help` documents them.
mod code {
    pub const AS_EXPECTED: u8 = 0;
    pub const FAILED: u8 = 1;
    pub const WRONG_USE: u8 = 2;
    pub const UNKNOWN: u8 = 3;
    pub const NOTHING_SELECTED: u8 = 4;
    pub const LAB_FAILED: u8 = 5;
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
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn or_wrong_use(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            let empty = |cause: &(dyn std::error::Error + 'static)| {
                matches!(cause.downcast_ref(), Some(SelectError::Empty { .. }))
            };
            let nothing = error.chain().any(empty);
            Failure {
                code: if nothing {
                    code::NOTHING_SELECTED
                } else {
                    code::WRONG_USE
                },
                error,
            }
        })
    }

    fn or_lab_failed(self) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            code: code::LAB_FAILED,
            error: error.into(),
        })
    }
}

fn main() -> ExitCode {
    if let Some(code) = dispatch() {
        return code;
    }
    let code = carry_out(&Cli::parse()).unwrap_or_else(|Failure { code, error }| {
        eprintln!("migratrix: {error:#}");
        code
    });
    ExitCode::from(code)
}

fn carry_out(cli: &Cli) -> Result<u8, Failure> {
    let config = Config::read(cli.config.as_deref()).or_wrong_use()?;
    match &cli.command {
        Command::Doctor => Ok(if doctor::doctor() {
            code::AS_EXPECTED
        } else {
            code::LAB_FAILED
        }),
        Command::Releases { action } => {
            releases::releases(action.as_ref()).or_lab_failed()?;
            Ok(code::AS_EXPECTED)
        }
        Command::List {
            selection,
            count,
            format,
        } => {
            list::list(selection, *count, *format, &config).or_wrong_use()?;
            Ok(code::AS_EXPECTED)
        }
        Command::Run(typed) => run(typed, &config),
        Command::Judge { dir, known, junit } => report::judge(dir, known, junit, &config)
            .or_wrong_use()
            .map(exit),
        Command::Report {
            dirs,
            known,
            outputs,
        } => report::report(dirs, known, outputs, &config)
            .or_wrong_use()
            .map(exit),
        Command::Lab { action } => lab::lab(action).or_lab_failed(),
    }
}

fn run(typed: &RunArgs, config: &Config) -> Result<u8, Failure> {
    let order = run::Order::of(typed, config).or_wrong_use()?;
    if order.needs_sandbox(config) {
        match sandbox::enter(sandbox::Terminal::Outer).or_lab_failed()? {
            sandbox::Entered::Left(code) => return Ok(code),
            sandbox::Entered::Inside => {}
        }
    }
    order.carry_out(typed, config).or_lab_failed().map(exit)
}

const fn exit(exit: Exit) -> u8 {
    match exit {
        Exit::AsExpected => code::AS_EXPECTED,
        Exit::Failed => code::FAILED,
        Exit::Unknown => code::UNKNOWN,
    }
}
