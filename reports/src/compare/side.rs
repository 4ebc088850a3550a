//! One side of a comparison: its runs, and what of them is not there or can't be believed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Runs, names};
use crate::terminal::cases;

/// One side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Side {
    /// Its runs.
    pub runs: Vec<String>,
    /// When the first of them began: seconds since 1970 UTC.
    pub began_unix: u64,
    /// How many cases it has.
    pub cases: usize,
    /// Its shards that are not there.
    pub missing_shards: Vec<String>,
    /// What of its files is not believed, or is not there.
    pub damaged: Vec<String>,
}

impl Side {
    /// Whether all of it is there, and can be believed.
    pub(super) fn is_whole(&self) -> bool {
        self.missing_shards.is_empty() && self.damaged.is_empty()
    }
}

/// A side of so many cases.
pub(super) fn side(runs: &Runs, all: usize) -> Side {
    let missing = runs.iter().flat_map(|(_, run)| run.missing_shards());
    let missing: BTreeSet<_> = missing.map(ToString::to_string).collect();
    let damaged = runs.iter().flat_map(|(name, run)| {
        let mut cut = run
            .judgements()
            .filter_map(|one| Some((one.cut?, one.log.as_ref()?)));
        let cut = cut.next().map(|(line, log)| {
            let first = format!("{name}/{log} is cut at line {line}: what follows is unknown");
            match cut.count() {
                0 => first,
                more => format!("{} histories are cut, the first: {first}", more + 1),
            }
        });
        let lacking = run.missing().count();
        let lacking = (lacking > 0).then(|| {
            if run.is_under_way() {
                return format!("{name} is under way: {} to come", cases(lacking));
            }
            format!(
                "{name}/verdicts.jsonl has no verdict of {} that plan.json has",
                cases(lacking)
            )
        });
        let own = run.damaged().iter().cloned();
        own.chain(cut).chain(lacking).collect::<Vec<_>>()
    });
    let began = runs.iter().map(|(_, run)| run.began_unix);
    Side {
        runs: names(runs),
        began_unix: began.filter(|began| *began > 0).min().unwrap_or(0),
        cases: all,
        missing_shards: missing.into_iter().collect(),
        damaged: damaged.collect(),
    }
}
