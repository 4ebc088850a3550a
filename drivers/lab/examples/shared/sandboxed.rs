//! How an example comes into the sandbox, and its lab.

use std::{env, error::Error, path::PathBuf, process::ExitCode};

use migratrix_lab::{
    Lab,
    sandbox::{self, Entered, Terminal},
};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs it inside the sandbox; outside gives what came of that.
pub fn sandboxed(inside: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    if let Entered::Left(code) = sandbox::enter(Terminal::Outer)? {
        return Ok(ExitCode::from(code));
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(inside)
}

/// A lab whose logs are in the folder that the environment names.
pub fn lab() -> Result<Lab> {
    let dir = env::var_os("LAB_DIR").map_or_else(|| PathBuf::from("lab"), PathBuf::from);
    Ok(Lab::new(&dir)?)
}
