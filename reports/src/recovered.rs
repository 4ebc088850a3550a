//! The operator's report of struck migrations: for each pair a grid of faults and moments, with who had the guest then
//! and whether a retry worked, and the steps that heal in words.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Not, Range},
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
    /// Whether both sides say that they run it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub on_both: bool,
    /// The step that healed what was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Remedy>,
    /// Whether that step was refused.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub unhealed: bool,
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
    /// Who had the guest, in short: see [`legend`].
    pub owners: String,
}

/// What the words for who had the guest mean.
const OWNERS: [(&str, &str); 8] = [
    ("S", "the source had the guest, and a retry worked"),
    ("S!", "the source had the guest, and a retry did not work"),
    ("D", "the destination had it"),
    (
        "D!",
        "the destination had it, and the step that heals was refused",
    ),
    ("B", "it ran on both sides at once"),
    ("0", "nobody had: it was started anew, and migrated"),
    (
        "0!",
        "nobody had: it was started anew, and that or its migration failed",
    ),
    ("?", "it is not known who had it"),
];

/// What the signs of these grids mean: each that occurs, and no other.
pub(crate) fn legend<'g, 'r: 'g>(grids: impl IntoIterator<Item = &'g Grid<'r>>) -> String {
    let grids = grids.into_iter();
    let cells: Vec<_> = grids
        .flat_map(|grid| grid.rows.iter().flat_map(|(_, cells)| cells))
        .collect();
    let there = || cells.iter().filter_map(|cell| cell.as_ref());
    let standings: BTreeSet<_> = there().map(|cell| cell.worst).collect();
    let standings = standings.into_iter().map(|one| match one {
        Standing::Skipped => format!("{} alone: skipped", sign(one)),
        Standing::Passed
        | Standing::KnownFailure
        | Standing::Unknown
        | Standing::UnexpectedPass
        | Standing::FailedAtFirst
        | Standing::Failed => format!("{} {}", sign(one), one.word()),
    });
    let tried = || there().filter(|cell| cell.worst != Standing::Skipped);
    let owners: BTreeSet<_> = tried().flat_map(|cell| cell.owners.split('/')).collect();
    let owners = OWNERS.iter().filter(|(word, _)| owners.contains(word));
    let owners = owners.map(|(word, told)| format!("{word} {told}"));
    let several = tried().find(|cell| cell.owners.contains('/'));
    let several = several.map(|cell| {
        let owners = &cell.owners;
        format!("{owners} in some of these cases the one, in others the other")
    });
    let none = cells.iter().any(|cell| cell.is_none());
    let none = none.then(|| format!("{NO_CASE} no case"));
    let all = standings.chain(owners).chain(several).chain(none);
    all.collect::<Vec<_>>().join("; ")
}

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
    let failed = recovered.unhealed || matches!(recovered.retried, Some(false));
    match recovered.owner {
        _ if recovered.on_both => "B",
        Owner::Source if failed => "S!",
        Owner::Source => "S",
        Owner::Destination if recovered.unhealed => "D!",
        Owner::Destination => "D",
        Owner::Nobody if failed => "0!",
        Owner::Nobody => "0",
    }
}

/// What an operator has to do, in words, and each time after what.
fn steps(cases: &[(&Recovery, &Judgement)]) -> Vec<String> {
    let mut after: BTreeMap<Step, BTreeMap<Strike, BTreeSet<RecoveryMoment>>> = BTreeMap::new();
    for (point, judgement) in cases {
        let recovered = judgement.recovered;
        for step in recovered.into_iter().flat_map(|one| needed(point, one)) {
            let strikes = after.entry(step).or_default();
            let moments = strikes.entry(point.strike).or_default();
            moments.insert(point.moment);
        }
    }
    let after = after.into_iter();
    after
        .map(|(step, strikes)| {
            let strikes = strikes.iter().map(|(strike, moments)| {
                let moments: Vec<_> = moments.iter().map(|moment| moment.word()).collect();
                format!("{strike} at {}", moments.join(", "))
            });
            let strikes: Vec<_> = strikes.collect();
            format!("{}: {}", step.told(), strikes.join("; "))
        })
        .collect()
}

/// What an operator has to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// What was taken to heal.
    Heal(Remedy),
    /// Nobody can say whose guest is the right one.
    Choose,
    /// What was tried did not work.
    Find,
}

impl Step {
    const fn told(self) -> &'static str {
        match self {
            Self::Heal(remedy) => remedy.told(),
            Self::Choose => {
                "it ran on both sides: destroy it on one, and what it wrote there is lost"
            }
            Self::Find => "what heals, or the retry, was refused: its cases say why",
        }
    }
}

/// The steps that were needed in a case. A guest that was given up by choice needed none.
fn needed(point: &Recovery, recovered: Recovered) -> Vec<Step> {
    let remedy = recovered.remedy.filter(|one| *one != Remedy::Nothing);
    let remedy = remedy.filter(|_| point.way == Way::Documented);
    let failed = recovered.unhealed || recovered.retried == Some(false);
    let heal = remedy.filter(|_| !recovered.unhealed).map(Step::Heal);
    let choose = recovered.on_both.then_some(Step::Choose);
    let find = (failed && !recovered.on_both).then_some(Step::Find);
    [heal, choose, find].into_iter().flatten().collect()
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
        lines.push(format!("  {}", legend([&grid])));
        lines.extend(grid.steps.iter().map(|step| format!("  {step}")));
    }
    lines
}

/// What stands where there is no case.
pub(crate) const NO_CASE: &str = "·";

/// A row of a grid: its fault, and what its cells tell.
type Told = (String, Vec<String>);

/// The rows of a grid, below the heads of its columns. Where it goes into several blocks, each has the faults that
/// have a case there.
fn aligned(grid: &Grid<'_>, room: Option<usize>) -> Vec<String> {
    let moments = grid.moments.iter().map(ToString::to_string);
    let mut table: Vec<Told> = vec![(String::new(), moments.collect())];
    for (strike, cells) in &grid.rows {
        let told = |cell: &Option<Cell>| cell.as_ref().map_or(NO_CASE.to_owned(), Cell::told);
        table.push((strike.to_string(), cells.iter().map(told).collect()));
    }
    let wide = |text: &String| text.chars().count();
    let names = table.iter().map(|(name, _)| wide(name)).max().unwrap_or(0);
    let width = |at: usize| table.iter().map(|(_, row)| wide(&row[at])).max();
    let widths: Vec<usize> = (0..grid.moments.len())
        .map(|at| width(at).unwrap_or(0))
        .collect();
    let line = |(name, row): &Told, block: Range<usize>| {
        let cells = row[block.clone()].iter().zip(&widths[block]);
        let cells: String = cells
            .map(|(cell, width)| format!("  {cell:width$}"))
            .collect();
        format!("  {name:names$}{cells}").trim_end().to_owned()
    };
    let spaced: Vec<usize> = widths.iter().map(|width| width + 2).collect();
    let blocks = blocks(names + 2, &spaced, room);
    let (mut lines, is_whole) = (Vec::new(), blocks.len() == 1);
    for block in blocks {
        let has_case =
            |(_, row): &&Told| is_whole || row[block.clone()].iter().any(|it| it != NO_CASE);
        let rows: Vec<_> = table.iter().filter(has_case).collect();
        lines.extend(rows.iter().map(|row| line(row, block.clone())));
        lines.extend(left_out(table.len() - rows.len()));
    }
    lines
}

/// That some faults are not among the rows of a block.
fn left_out(faults: usize) -> Option<String> {
    let (faults, has) = match faults {
        0 => return None,
        1 => ("1 fault".to_owned(), "has"),
        more => (format!("{more} faults"), "have"),
    };
    Some(format!("  {faults} {has} no case at these moments"))
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
            one.recovered = owner.map(of_owner);
            one
        });
        Run::new(Vec::new(), skipped.chain(seen))
    }

    /// This one had the guest, and a retry worked.
    const fn of_owner(owner: Owner) -> Recovered {
        Recovered {
            owner,
            on_both: false,
            remedy: None,
            unhealed: false,
            retried: Some(true),
        }
    }

    /// The two first moments.
    fn two() -> Run {
        run(&[
            (RecoveryMoment::ALL[0], Some(Owner::Source)),
            (RecoveryMoment::ALL[1], None),
        ])
    }

    #[test]
    fn a_skipped_cell_says_no_more_than_that() {
        let rows = text(&two(), None);
        let row = |strike: Strike| {
            let begin = format!("  {strike} ");
            let row = rows.iter().find(|row| row.starts_with(&begin));
            let row = row.expect("it is there").split_whitespace();
            row.skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row(Strike::ALL[0]), ["-", "-"]);
        assert_eq!(row(Strike::ALL[1]), ["✓", "S", "✓", "?"]);
    }

    /// What the legend of a text of grids says.
    fn legend_of(rows: &[String]) -> Vec<&str> {
        let row = rows.iter().find(|row| row.contains(" the guest, and a "));
        row.expect("a legend").trim().split("; ").collect()
    }

    #[test]
    fn the_legend_explains_each_sign_that_occurs_and_no_other() {
        assert_eq!(
            legend_of(&text(&two(), None)),
            [
                "- alone: skipped",
                "✓ passed",
                "S the source had the guest, and a retry worked",
                "? it is not known who had it",
            ]
        );
        let first = RecoveryMoment::ALL[0];
        let both = run(&[
            (first, Some(Owner::Source)),
            (RecoveryMoment::ALL[1], Some(Owner::Nobody)),
        ]);
        let mut other = both.judgements().last().expect("a case").clone();
        let name = other.case.to_string().replace("/normal/", "/p2p/");
        other.case = name.parse().expect("a case");
        other.recovered = Some(of_owner(Owner::Destination));
        let all = both.judgements().cloned().chain([other]);
        let rows = text(&Run::new(Vec::new(), all), None);
        let told = legend_of(&rows);
        let grid = rows.join("\n");
        let several = ["0/D", "D/S"].into_iter().find(|it| grid.contains(it));
        let several = several.expect("two cases in a cell");
        let explains = format!("{several} in some of these cases the one, in others the other");
        assert!(told.contains(&explains.as_str()), "{told:?}");
        assert!(told.contains(&"D the destination had it"), "{told:?}");
        assert!(!grid.contains("S!") && !grid.contains(NO_CASE), "{grid}");
    }

    #[test]
    fn the_legend_has_words_for_all_that_a_cell_can_say_of_owners() {
        let owners = [Owner::Source, Owner::Destination, Owner::Nobody];
        let retried = [None, Some(true), Some(false)];
        let mut words: BTreeSet<_> = OWNERS.iter().map(|(word, _)| *word).collect();
        assert!(words.remove("?"));
        let mut said = BTreeSet::new();
        let ends = owners.map(|owner| {
            retried.map(|retried| Recovered {
                retried,
                ..of_owner(owner)
            })
        });
        for well in ends.into_iter().flatten() {
            let unhealed = Recovered {
                unhealed: true,
                ..well
            };
            let on_both = Recovered {
                on_both: true,
                ..well
            };
            said.extend([well, unhealed, on_both].map(short));
        }
        assert_eq!(said, words);
    }

    #[test]
    fn an_operator_reads_what_heals_and_where_nothing_that_was_tried_did() {
        let point = "data-reset/postcopy-middle/p2p/persistent-running-undefined/live";
        let point: Recovery = point.parse().expect("a point");
        let needed = |recovered| needed(&point, recovered).into_iter().map(Step::told);
        let needed = |recovered| needed(recovered).collect::<Vec<_>>();
        let well = Recovered {
            remedy: Some(Remedy::PostcopyResume),
            ..of_owner(Owner::Destination)
        };
        assert_eq!(needed(well), [Remedy::PostcopyResume.told()]);
        let unhealed = Recovered {
            unhealed: true,
            ..well
        };
        assert_eq!(needed(unhealed), [Step::Find.told()]);
        let refused = Recovered {
            retried: Some(false),
            ..of_owner(Owner::Source)
        };
        assert_eq!(needed(refused), [Step::Find.told()]);
        let on_both = Recovered {
            on_both: true,
            ..refused
        };
        assert_eq!(needed(on_both), [Step::Choose.told()]);
        assert!(needed(of_owner(Owner::Source)).is_empty());
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
        let end = "\n  ✓ passed";
        let (grid, _) = grid
            .split_once(end)
            .or(grid.split_once("\n  - alone"))
            .expect("a legend");
        assert!(grid.lines().all(|row| row.chars().count() <= 80), "{grid}");
        let words: BTreeSet<&str> = grid.split_whitespace().collect();
        let lacking = all
            .iter()
            .find(|(moment, _)| !words.contains(moment.word()));
        assert_eq!(lacking, None, "{grid}");
    }

    #[test]
    fn a_block_has_no_row_without_a_case_and_says_how_many_were_left_out() {
        let all = RecoveryMoment::ALL.map(|moment| (moment, Some(Owner::Source)));
        let whole = run(&all);
        // The first fault strikes at the first moment alone.
        let first = RecoveryMoment::ALL[0].word();
        let alone = |one: &&Judgement| {
            let name = one.case.to_string();
            !name.contains(&format!("/{}/", Strike::ALL[0])) || name.contains(&format!("/{first}/"))
        };
        let run = Run::new(Vec::new(), whole.judgements().filter(alone).cloned());
        let told = |room| {
            let rows = text(&run, room);
            let of = |strike: Strike| {
                let begin = format!("  {strike} ");
                rows.iter().filter(|row| row.starts_with(&begin)).count()
            };
            let left_out = "  1 fault has no case at these moments";
            let out = rows.iter().filter(|row| *row == left_out).count();
            (of(Strike::ALL[0]), of(Strike::ALL[1]), out)
        };
        assert_eq!(told(None), (1, 1, 0));
        let (first, second, out) = told(Some(80));
        assert_eq!((first, second), (1, 1 + out));
        assert!(out > 0);
    }
}
