//! The operator's report of struck migrations: for each pair a grid of faults and moments, with who had the guest then
//! and whether a retry worked, and the steps that heal in words.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Owner, Point, Recovery, RecoveryMoment, ReleaseName, Remedy, Strike, Way};
use serde::{Deserialize, Serialize};

use crate::{
    Judgement, Run, Standing,
    terminal::{share, sign},
};

/// What came of a struck migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recovered {
    /// Who had the guest.
    pub owner: Owner,
    /// The step that healed what was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Remedy>,
    /// Whether the migration could then be done once more; `None` where the source had no guest to migrate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<bool>,
}

/// The grid of a pair.
pub(crate) struct Grid<'r> {
    /// From where and to where.
    pub pair: (&'r ReleaseName, &'r ReleaseName),
    /// Its columns.
    pub moments: Vec<RecoveryMoment>,
    /// A row a fault, with a cell a moment; `None` where there is no case.
    pub rows: Vec<(Strike, Vec<Option<Cell>>)>,
    /// Each step that heals, in words, and after what it was needed.
    pub steps: Vec<String>,
}

/// What came of a fault at a moment, in all of its cases.
pub(crate) struct Cell {
    /// The worst of them.
    pub worst: Standing,
    /// Who had the guest, in short: see [`LEGEND`].
    pub owners: String,
}

/// What the signs of a cell mean.
pub(crate) const LEGEND: &str = "S the source had the guest, and a retry worked; S! it did not; D the destination had \
    it; 0 nobody had: it was started anew, and migrated; 0! that failed";

impl Cell {
    /// The cell in a line of text.
    pub fn told(&self) -> String {
        format!("{} {}", sign(self.worst), self.owners)
    }
}

/// The grids of a run: none where it has no struck migration.
pub(crate) fn grids(run: &Run) -> Vec<Grid<'_>> {
    let mut pairs: BTreeMap<_, Vec<(&Recovery, &Judgement)>> = BTreeMap::new();
    let judgements = run.by_route().into_iter();
    for (route, judgements) in judgements {
        let Some(destination) = route.destination else {
            continue;
        };
        for judgement in judgements {
            if let (Point::Recovery(point), None) = (&judgement.case.point, judgement.case.fault) {
                let pair = (route.source, destination);
                pairs.entry(pair).or_default().push((point, judgement));
            }
        }
    }
    let pairs = pairs.into_iter();
    pairs.map(|(pair, cases)| grid(run, pair, &cases)).collect()
}

fn grid<'r>(
    run: &Run,
    pair: (&'r ReleaseName, &'r ReleaseName),
    cases: &[(&Recovery, &'r Judgement)],
) -> Grid<'r> {
    let moments: BTreeSet<_> = cases.iter().map(|(point, _)| point.moment).collect();
    let strikes: BTreeSet<_> = cases.iter().map(|(point, _)| point.strike).collect();
    let cell = |strike: Strike, moment: RecoveryMoment| {
        let here = cases.iter();
        let here = here.filter(|(point, _)| (point.strike, point.moment) == (strike, moment));
        let here: Vec<_> = here.map(|(_, judgement)| *judgement).collect();
        let share = share(run, here.iter().copied())?;
        Some(Cell {
            worst: share.worst,
            owners: owners(&here),
        })
    };
    let rows = strikes.into_iter().map(|strike| {
        let cells = moments.iter().map(|moment| cell(strike, *moment));
        (strike, cells.collect())
    });
    Grid {
        pair,
        rows: rows.collect(),
        steps: steps(cases),
        moments: moments.into_iter().collect(),
    }
}

/// Who had the guest in these cases, each once.
fn owners(cases: &[&Judgement]) -> String {
    let all = cases.iter().filter_map(|one| one.recovered.as_ref());
    let all: BTreeSet<_> = all.map(|one| short(*one)).collect();
    if all.is_empty() {
        return "?".to_owned();
    }
    Vec::from_iter(all).join("/")
}

const fn short(recovered: Recovered) -> &'static str {
    let failed = matches!(recovered.retried, Some(false));
    match recovered.owner {
        Owner::Source if failed => "S!",
        Owner::Source => "S",
        Owner::Destination => "D",
        Owner::Nobody if failed => "0!",
        Owner::Nobody => "0",
    }
}

/// The steps that healed, in words, each with what it was needed after. A guest that was given up by choice needed
/// none.
fn steps(cases: &[(&Recovery, &Judgement)]) -> Vec<String> {
    let mut after: BTreeMap<Remedy, BTreeMap<Strike, BTreeSet<RecoveryMoment>>> = BTreeMap::new();
    for (point, judgement) in cases {
        let remedy = judgement.recovered.as_ref().and_then(|one| one.remedy);
        let is_needed = |one: &Remedy| *one != Remedy::Nothing && point.way == Way::Documented;
        if let Some(remedy) = remedy.filter(is_needed) {
            let strikes = after.entry(remedy).or_default();
            strikes
                .entry(point.strike)
                .or_default()
                .insert(point.moment);
        }
    }
    let after = after.into_iter();
    after
        .map(|(remedy, strikes)| {
            let strikes = strikes.iter().map(|(strike, moments)| {
                let moments: Vec<_> = moments.iter().map(|moment| moment.word()).collect();
                format!("{strike} at {}", moments.join(", "))
            });
            format!(
                "{}: {}",
                remedy.told(),
                strikes.collect::<Vec<_>>().join("; ")
            )
        })
        .collect()
}

/// The grids as lines of text.
pub(crate) fn text(run: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    for grid in grids(run) {
        let (source, destination) = grid.pair;
        lines.push(format!(
            "what was left when it was struck: {source} → {destination}"
        ));
        lines.extend(aligned(&grid));
        lines.push(format!("  {LEGEND}"));
        lines.extend(grid.steps.iter().map(|step| format!("  {step}")));
    }
    lines
}

fn aligned(grid: &Grid<'_>) -> Vec<String> {
    let mut table = vec![
        [String::new()]
            .into_iter()
            .chain(grid.moments.iter().map(ToString::to_string))
            .collect::<Vec<_>>(),
    ];
    for (strike, cells) in &grid.rows {
        let cells = cells
            .iter()
            .map(|cell| cell.as_ref().map_or("·".to_owned(), Cell::told));
        table.push([strike.to_string()].into_iter().chain(cells).collect());
    }
    let wide = |text: &String| text.chars().count();
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| table.iter().map(|row| wide(&row[at])).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    table.iter().map(line).collect()
}
