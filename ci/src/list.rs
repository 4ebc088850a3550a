//! `migratrix list`: the cases that a selection names.

use anyhow::Result;
use migratrix_matrix::{Case, Expected};
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
    expects: Expected,
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
                    expects: name.point.expected(),
                })
                .collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
    }
    Ok(())
}
