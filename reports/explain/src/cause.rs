//! Causes, and how sure they are.

use std::collections::BTreeSet;

use crate::{
    Literal, Table,
    apart::apart,
    bare::bare,
    candidates::{Belief, Candidate, candidates},
    cover::{Choice, Distinct, choose},
    follows::following,
    merged::joined,
    rivals::{Hypothesis, Known, SETTLED, hypotheses, splitting},
    seen::Seen,
    shared::{shared, unshared},
    turned::turned,
    unchosen::{beside_unchosen, with_untried},
    untried::{exceptions, untried, with_more},
    within::within,
};

/// What accounts for the failures of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The causes, the one that explains most first.
    pub causes: Vec<Cause>,
    /// The rows that failed and that no cause is true of.
    pub left: Vec<usize>,
    /// The rows that passed, were tried once, and are within causes, or within fewer ones that would do but
    /// for them: tried again they tell which.
    pub doubted: Vec<usize>,
}

/// A combination of values whose rows fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// What is true of its rows, in the order of the columns; none where all rows fail, or nearly all.
    pub literals: Vec<Literal>,
    /// The rows of it that failed.
    pub failed: Vec<usize>,
    /// The rows of it that passed all the same: few, or none.
    pub passed: Vec<usize>,
    /// For each literal, what was tried beside it: of which it is not true, and all others are.
    pub beside: Vec<Beside>,
    /// Of each literal of an unordered column the other values of it with
    /// which no row was tried that has all other literals; only of those that have any.
    pub untried: Vec<Literal>,
    /// The values of which nothing tells whether they are of it, for all that fails with them and its other literals is
    /// of other causes as well.
    pub shared: Vec<Literal>,
    /// What it could be of all places of which something is true that follows from its own, for all more that fails of
    /// that is of other causes as well: no row tells.
    pub wider: Vec<Vec<Literal>>,
    /// How likely it is beside its rivals, of 1.
    pub share: f64,
    /// What else it could be, the likeliest first.
    pub rivals: Vec<Rival>,
    /// The row whose outcome would tell most, if any would.
    pub question: Option<usize>,
}

/// What came of the rows of which all literals but one are true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
}

/// Something else that a cause could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// Its literals; nothing where it is chance.
    pub literals: Option<Vec<Literal>>,
    /// What others of the causes are then; none where they stay what they are.
    pub with: Vec<Vec<Literal>>,
    /// How likely it is, of 1.
    pub share: f64,
    /// A row that fails by the one and passes by the other, if there is one.
    pub told_by: Option<usize>,
}

impl Cause {
    /// Whether what is known leaves little doubt.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.share >= SETTLED && self.untried.is_empty()
    }
}

/// How many rivals are told.
const RIVALS: usize = 3;
/// How likely a rival has to be to be told.
const LIKELY: f64 = 0.02;

/// Explains what failed.
#[must_use]
pub fn explain(table: &Table) -> Explanation {
    let seen = Seen::of(table);
    let mut all = candidates(table, &seen);
    let (mut concise, mut weighed) = seen.concise(&all);
    let mut distinct = Distinct::of(table, &weighed);
    let mut strict = choose(&distinct, &concise, Belief::Strict);
    let open = strict.open(&concise);
    let rows = open.0.ones().map(|failure| seen.fails[failure]);
    let rows: Vec<_> = rows.collect();
    let mut deeper = within(table, &seen, open);
    deeper.extend(beside_unchosen(table, &seen, (&rows, strict.candidates())));
    if !deeper.is_empty() {
        all.extend(deeper);
        (concise, weighed) = seen.concise(&all);
        distinct = Distinct::of(table, &weighed);
        strict = choose(&distinct, &concise, Belief::Strict);
    }
    let Choice {
        chosen,
        belief,
        doubted,
        weighed: best,
    } = strict.or(&distinct, &concise);
    let chosen = joined(table, &concise, chosen);
    let chosen = bare(table, &concise, chosen);
    let chosen = unshared(table, &concise, chosen);
    let chosen = apart(table, &concise, &weighed, chosen);
    // Of fewer values another literal may keep nothing out.
    let chosen = bare(table, &concise, chosen);
    let excepted = exceptions(table, &chosen);
    let following = following(table);
    let turned = turned(table, &concise, &best, (&chosen, belief));
    weighed.extend(with_untried(table, &following, &chosen));
    for more in [with_more(table, &chosen), chosen.clone()] {
        weighed.extend(missing(&more, &weighed));
    }
    let known = Known {
        table,
        seen: &concise,
        all: &weighed,
        chosen: &chosen,
        turned: &turned,
        belief,
    };
    let literals: Vec<_> = chosen.iter().map(|one| one.literals.clone()).collect();
    let open = shared(table, &following, &literals).into_iter();
    let causes = open.enumerate().map(|(place, open)| Cause {
        shared: open.values,
        wider: open.wider,
        ..cause(table, &chosen[place], &hypotheses(&known, place))
    });
    let mut causes: Vec<Cause> = causes.collect();
    causes.sort_by(|one, other| {
        let by_size = other.failed.len().cmp(&one.failed.len());
        by_size.then_with(|| one.literals.cmp(&other.literals))
    });
    let once = |row: &usize| table.rows()[*row].tries() == 1;
    let doubted: BTreeSet<_> = doubted.into_iter().chain(excepted).filter(once).collect();
    Explanation {
        left: left(table, &causes),
        doubted: doubted.into_iter().collect(),
        causes,
    }
}

/// Those of the chosen that are none of these: what is told apart was not weighed.
fn missing(chosen: &[Candidate], weighed: &[Candidate]) -> Vec<Candidate> {
    let is_there = |one: &&Candidate| weighed.iter().any(|other| other.literals == one.literals);
    let missing = chosen.iter().filter(|one| !is_there(one));
    missing.cloned().collect()
}

fn left(table: &Table, causes: &[Cause]) -> Vec<usize> {
    let regions: Vec<_> = causes
        .iter()
        .map(|one| table.region(&one.literals))
        .collect();
    let rows = table.rows().iter().enumerate();
    let failed = rows
        .filter(|(_, row)| row.failed > 0)
        .map(|(place, _)| place);
    failed
        .filter(|row| !regions.iter().any(|region| region.contains(*row)))
        .collect()
}

fn cause(table: &Table, chosen: &Candidate, hypotheses: &[Hypothesis]) -> Cause {
    let literals = chosen.literals.clone();
    let rows = table.region(&literals);
    let of = |is: fn(u32, u32) -> bool| {
        let tried = rows.ones().filter(|row| {
            let row = &table.rows()[*row];
            is(row.failed, row.passed)
        });
        tried.collect::<Vec<_>>()
    };
    let own = hypotheses.iter().find(|one| one.is_own);
    Cause {
        failed: of(|failed, _| failed > 0),
        passed: of(|_, passed| passed > 0),
        beside: (0..literals.len())
            .map(|one| beside(table, &literals, one))
            .collect(),
        untried: untried(table, &literals),
        shared: Vec::new(),
        wider: Vec::new(),
        share: own.map_or(0.0, |own| own.share),
        rivals: own.map_or_else(Vec::new, |own| rivals(own, hypotheses)),
        question: splitting(table, hypotheses).map(|(row, _)| row),
        literals,
    }
}

fn rivals(own: &Hypothesis, all: &[Hypothesis]) -> Vec<Rival> {
    let others = all.iter().filter(|one| !one.is_own && one.share > LIKELY);
    let rival = |one: &Hypothesis| Rival {
        literals: one.literals.clone(),
        with: one.with.clone(),
        share: one.share,
        told_by: one.region.symmetric_difference(&own.region).next(),
    };
    others.map(rival).take(RIVALS).collect()
}

fn beside(table: &Table, literals: &[Literal], one: usize) -> Beside {
    let others = literals
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != one);
    let others: Vec<_> = others.map(|(_, literal)| *literal).collect();
    let mut rows = table.region(&others);
    rows.difference_with(&table.having(&literals[one]));
    let rows = rows.ones().map(|row| &table.rows()[row]);
    rows.fold(Beside::default(), |sum, row| Beside {
        passed: sum.passed + usize::from(row.failed == 0 && row.passed > 0),
        failed: sum.failed + usize::from(row.failed > 0),
    })
}
