//! JUnit files, in two flavours from the same rows.
//!
//! | what came of it | JUnit |
//! |---|---|
//! | it passes, or fails as is known | passed |
//! | it fails | `failure` |
//! | a known failure passes | `failure` |
//! | it is unknown, or was planned and never judged | `error` |
//! | an ability is missing | `skipped`, with that ability |
//!
//! `classname` and `name` stay the same across point releases, because readers follow a test by
//! them; exact versions stand in properties.

mod rich;
mod rows;
mod strict;

use crate::{ReportError, Run};

/// What one test case of the file stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// A case.
    Case,
    /// One of the ten post-conditions of a case: 960 for 96 cases.
    PostCondition,
    /// A condition of a case, the ten and those beyond them.
    Condition,
}

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// What the strict schemas allow (the `junit-10.xsd` of Jenkins' xUnit plugin).
    Strict,
    /// With properties and earlier attempts, for readers that take more.
    Rich,
}

/// The run as a JUnit file.
///
/// # Errors
/// Returns what the XML writer said.
pub fn junit(run: &Run, granularity: Granularity, flavour: Flavour) -> Result<String, ReportError> {
    let suites = rows::suites(run, granularity);
    match flavour {
        Flavour::Strict => strict::write(&suites),
        Flavour::Rich => rich::write(run, &suites),
    }
}
