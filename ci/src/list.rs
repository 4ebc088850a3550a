//! `migratrix list`: the cases that a selection names.

use std::collections::BTreeMap;

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

/// Prints the cases, or how many there are and, beside that, what each rule leaves out of the product.
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
    let left_out = match count {
        true => selection.excluded(&releases)?,
        false => BTreeMap::new(),
    };
    match (count, format) {
        (true, ListFormat::Names) => {
            println!("{}", cases.len());
            for (rule, times) in &left_out {
                eprintln!("# left out, {times} of the whole profile: {rule}");
            }
        }
        (true, ListFormat::Json) => {
            let left_out: BTreeMap<_, _> = left_out
                .iter()
                .map(|(rule, times)| (rule.name, times))
                .collect();
            println!(
                "{}",
                serde_json::json!({ "count": cases.len(), "left_out": left_out })
            );
        }
        (false, ListFormat::Names) => cases.iter().for_each(|case| println!("{case}")),
        (false, ListFormat::Json) => {
            let rows: Vec<_> = cases.iter().map(Row::of).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
    }
    Ok(())
}
