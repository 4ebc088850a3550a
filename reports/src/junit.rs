//! JUnit files, in two flavours from the same rows, handed on as they are made: a run may be large.
//!
//! | what came of it | JUnit |
//! |---|---|
//! | it passes | passed |
//! | it fails as is known | `skipped`, with `known: ` and the reason, its link and its last day |
//! | the same, with [`KnownAre::Failed`](crate::KnownAre) | `failure` |
//! | it fails, or an attempt before it did | `failure` |
//! | a known failure passes | `failure` |
//! | it is unknown, or was planned and never judged; a shard is missing | `error` |
//! | a host died, whichever case it was | `failure`, in the suite `hosts` |
//! | an ability is missing | `skipped`, with that ability |
//!
//! `classname` and `name` stay the same across point releases, because readers follow a test by
//! them; exact versions stand in properties.

mod rich;
mod rows;
mod size;
mod strict;

use std::io;

use migratrix_matrix::{Case, ReleaseName};
use quick_xml::events::BytesStart;

use crate::{ReportError, Run};
pub use size::Size;

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

/// Which part of a run a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'r> {
    /// All of it.
    Whole,
    /// The cases from one release to another.
    Pair {
        /// From where.
        source: &'r ReleaseName,
        /// To where.
        destination: &'r ReleaseName,
    },
    /// What is of no pair: cases in which nothing migrates, hosts that died, shards that are missing.
    Rest,
}

impl Part<'_> {
    fn takes(&self, case: &Case) -> bool {
        match self {
            Self::Whole => true,
            Self::Pair {
                source,
                destination,
            } => {
                let own = [&case.tuple.source, &case.tuple.destination];
                case.migrates() && own == [*source, *destination]
            }
            Self::Rest => !case.migrates(),
        }
    }

    fn has_rest(&self) -> bool {
        match self {
            Self::Whole | Self::Rest => true,
            Self::Pair { .. } => false,
        }
    }
}

/// Writes a part of the run as a JUnit file, and says how large that became.
///
/// # Errors
/// Returns the error of the writer.
pub fn write_junit(
    run: &Run,
    part: Part<'_>,
    granularity: Granularity,
    flavour: Flavour,
    out: impl io::Write,
) -> Result<Size, ReportError> {
    let mut counted = size::Counted::new(out);
    let suites = rows::suites(run, part, granularity);
    let written = match flavour {
        Flavour::Strict => strict::write(run, &suites, &mut counted),
        Flavour::Rich => rich::write(run, &suites, &mut counted),
    };
    written.map_err(ReportError::JUnit)?;
    Ok(counted.size())
}

/// The run as a JUnit file, where it is known to be small.
///
/// # Errors
/// As [`write_junit`].
pub fn junit(run: &Run, granularity: Granularity, flavour: Flavour) -> Result<String, ReportError> {
    let mut xml = Vec::new();
    write_junit(run, Part::Whole, granularity, flavour, &mut xml)?;
    String::from_utf8(xml).map_err(|error| ReportError::JUnit(io::Error::other(error)))
}

fn set(element: &mut BytesStart<'_>, name: &str, value: &str) {
    element.push_attribute((name, value));
}
