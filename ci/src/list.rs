//! `migratrix list`: the cases that a selection names.

use anyhow::Result;
use migratrix_matrix::{Case, CaseEnd, Condition, Detection, Expected, Fault};
use serde::Serialize;

use crate::{
    cli::{ListFormat, SelectionArgs},
    config::Config,
    meaning,
};

/// A case, as JSON shows it.
#[derive(Serialize)]
struct Row<'c> {
    name: &'c Case,
    /// How it must end.
    outcome: CaseEnd,
    /// What it is judged by.
    conditions: Vec<Condition>,
    /// What is broken on purpose: the case passes where this is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Broken>,
    /// What must be seen, in the form of its suite.
    expects: Expected,
}

/// What is broken on purpose, and what must see it.
#[derive(Serialize)]
struct Broken {
    name: &'static str,
    seen_by: Condition,
    comes_out: &'static str,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self {
            name: fault.word(),
            seen_by: fault.detected_by(),
            comes_out: match fault.how() {
                Detection::Fail => "fail",
                Detection::Unknown => "unknown",
            },
        }
    }
}

impl<'c> Row<'c> {
    fn of(name: &'c Case) -> Self {
        let point = &name.point;
        Self {
            name,
            outcome: point.end(),
            conditions: point.conditions(),
            fault: name.fault.map(Broken::from),
            expects: point.expected(),
        }
    }
}

/// Prints the cases, or how many there are.
///
/// # Errors
/// Fails where the selection makes no sense, or is empty.
pub fn list(typed: &SelectionArgs, count: bool, format: ListFormat, config: &Config) -> Result<()> {
    let releases = meaning::known_releases(&meaning::store()?, config, &typed.own_builds()?)?;
    let selection = typed.meaning(&[])?;
    let suite = selection.suite;
    let cases = selection.cases(&releases)?;
    if matches!(format, ListFormat::Names) && !count {
        eprintln!("# {suite}: {}", suite.description());
    }
    match (count, format) {
        (true, ListFormat::Names) => println!("{}", cases.len()),
        (true, ListFormat::Json) => println!("{{\"count\":{}}}", cases.len()),
        (false, ListFormat::Names) => cases.iter().for_each(|case| println!("{case}")),
        (false, ListFormat::Json) => {
            let rows: Vec<_> = cases.iter().map(Row::of).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
    }
    Ok(())
}
