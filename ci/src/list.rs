//! `migratrix list`: the cases that a selection names.

use anyhow::Result;
use migratrix_matrix::{Case, Condition, Expectation, Point, RawExpectation};
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
    expects: Expects,
}

/// What a case's point says must come of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Expects {
    Managed(Expectation),
    Raw(RawExpectation),
    Conditions(Vec<Condition>),
}

impl Expects {
    fn of(case: &Case) -> Self {
        match &case.point {
            Point::Tck(scenario) => Self::Managed(scenario.expectation()),
            Point::Qemu(raw) => Self::Raw(raw.expectation()),
            Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
                Self::Conditions(case.point.conditions())
            }
        }
    }
}

/// Prints the cases, or how many there are.
///
/// # Errors
/// Fails where the selection makes no sense, or is empty.
pub fn list(typed: &SelectionArgs, count: bool, format: ListFormat, config: &Config) -> Result<()> {
    let releases = meaning::known_releases(&meaning::store()?, config, &typed.own_builds()?)?;
    let selection = typed.meaning()?;
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
            let rows: Vec<_> = cases
                .iter()
                .map(|name| Row {
                    name,
                    expects: Expects::of(name),
                })
                .collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
    }
    Ok(())
}
