//! The operator's report of struck migrations: for each pair a grid of faults and moments, with who had the guest then
//! and whether a retry worked, and the steps that heal in words.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use migratrix_matrix::{Owner, Point, Recovery, RecoveryMoment, ReleaseName, Remedy, Strike, Way};
use serde::{Deserialize, Serialize};

use crate::{
    Judgement, Run, Standing,
    blocks::blocks,
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
    it; 0 nobody had: it was started anew, and migrated; 0! that failed; ? it is not known who had it; - alone, skipped; · \
    no case";

impl Cell {
    /// The cell in a line of text. Of what was skipped there is nothing to know.
    pub fn told(&self) -> String {
        match self.worst {
            Standing::Skipped => sign(self.worst).to_owned(),
            Standing::Passed
            | Standing::KnownFailure
            | Standing::Unknown
            | Standing::UnexpectedPass
            | Standing::FailedAtFirst
            | Standing::Failed => format!("{} {}", sign(self.worst), self.owners),
        }
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

/// The grids as lines of text, which are no wider than there is room, but for sentences.
pub(crate) fn text(run: &Run, room: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    for grid in grids(run) {
        let (source, destination) = grid.pair;
        lines.push(format!(
            "what was left when it was struck: {source} → {destination}"
        ));
        lines.extend(aligned(&grid, room));
        lines.push(format!("  {LEGEND}"));
        lines.extend(grid.steps.iter().map(|step| format!("  {step}")));
    }
    lines
}

/// What stands where there is no case.
pub(crate) const NO_CASE: &str = "·";

fn aligned(grid: &Grid<'_>, room: Option<usize>) -> Vec<String> {
    let moments = grid.moments.iter().map(ToString::to_string);
    let mut table = vec![(String::new(), moments.collect::<Vec<_>>())];
    for (strike, cells) in &grid.rows {
        let told = |cell: &Option<Cell>| cell.as_ref().map_or(NO_CASE.to_owned(), Cell::told);
        table.push((strike.to_string(), cells.iter().map(told).collect()));
    }
    let wide = |text: &String| text.chars().count();
    let names = table.iter().map(|(name, _)| wide(name)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..grid.moments.len())
        .map(|at| {
            table
                .iter()
                .map(|(_, row)| wide(&row[at]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let spaced: Vec<usize> = widths.iter().map(|width| width + 2).collect();
    let line = |(name, row): &(String, Vec<String>), block: Range<usize>| {
        let cells = row[block.clone()].iter().zip(&widths[block]);
        let cells: String = cells
            .map(|(cell, width)| format!("  {cell:width$}"))
            .collect();
        format!("  {name:names$}{cells}").trim_end().to_owned()
    };
    let blocks = blocks(names + 2, &spaced, room).into_iter();
    let lines = blocks.flat_map(|block| table.iter().map(move |row| (row, block.clone())));
    lines.map(|(row, block)| line(row, block)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, Verdict, html, markdown, terminal_within};

    /// Cases of each moment: skipped, but for those of which it is known, or not, who had the guest.
    fn run(moments: &[(RecoveryMoment, Option<Owner>)]) -> Run {
        let of = |strike: Strike, moment: RecoveryMoment| {
            let state = "normal/persistent-running-undefined/live";
            let name = format!("recovery/libvirt/a,a,b/{strike}/{moment}/{state}");
            Judgement::skipped(name.parse().expect("a case"), "a disk", 0)
        };
        let skipped = moments
            .iter()
            .map(|(moment, _)| of(Strike::ALL[0], *moment));
        let seen = moments.iter().map(|(moment, owner)| {
            let mut one = of(Strike::ALL[1], *moment);
            let conditions = one.conditions.iter_mut();
            conditions.for_each(|(_, verdict)| *verdict = Verdict::Pass);
            one.recovered = owner.map(|owner| Recovered {
                owner,
                remedy: None,
                retried: Some(true),
            });
            one
        });
        Run::new(Vec::new(), skipped.chain(seen))
    }

    /// The two first moments.
    fn two() -> Run {
        run(&[
            (RecoveryMoment::ALL[0], Some(Owner::Source)),
            (RecoveryMoment::ALL[1], None),
        ])
    }

    #[test]
    fn a_skipped_cell_says_no_more_than_that_and_the_legend_has_every_sign() {
        let rows = text(&two(), None);
        let row = |strike: Strike| {
            let begin = format!("  {strike} ");
            let row = rows.iter().find(|row| row.starts_with(&begin));
            let row = row.expect("it is there").split_whitespace();
            row.skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row(Strike::ALL[0]), ["-", "-"]);
        assert_eq!(row(Strike::ALL[1]), ["✓", "S", "✓", "?"]);
        for sign in ["S ", "S! ", "D ", "0 ", "0! ", "? ", "- ", "· "] {
            let told = LEGEND.split("; ").any(|part| part.starts_with(sign));
            assert!(told, "`{sign}` is missing in {LEGEND}");
        }
    }

    /// A page whose files are of no matter.
    struct NoFiles;

    impl crate::Files for NoFiles {
        fn way(&self, _: &Judgement, file: &str) -> String {
            file.to_owned()
        }

        fn bytes(&self, _: &Judgement, _: &str) -> Option<Vec<u8>> {
            None
        }
    }

    #[test]
    fn the_page_and_markdown_have_the_same_cells() {
        let (page, markdown) = (html(&two(), NoFiles), markdown(&two()));
        assert!(
            page.contains(">-</a>") && !page.contains(">- ?</a>"),
            "{page}"
        );
        assert!(markdown.contains(" | \\- | \\- |"), "{markdown}");
    }

    #[test]
    fn on_a_narrow_terminal_moments_follow_below_and_no_row_of_the_grid_is_wider() {
        let all = RecoveryMoment::ALL.map(|moment| (moment, Some(Owner::Source)));
        let run = run(&all);
        let text = terminal_within(&run, Colour::Plain, Some(80));
        let (_, grid) = text
            .split_once("when it was struck: a → b\n")
            .expect("a grid");
        let (grid, _) = grid.split_once(LEGEND).expect("a legend");
        assert!(grid.lines().all(|row| row.chars().count() <= 80), "{grid}");
        let words: BTreeSet<&str> = grid.split_whitespace().collect();
        let lacking = all
            .iter()
            .find(|(moment, _)| !words.contains(moment.word()));
        assert_eq!(lacking, None, "{grid}");
    }
}
