//! Failures that say different things: a cause is told apart where it has several values of a column, and the
//! failures of some of them say one thing, and those of the others another.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::{Kind, Literal, Table, Values, candidates::Candidate, merged::pairwise, seen::Seen};

/// Some values of a literal, what the failures of them say, and how many there are.
#[derive(Default)]
struct Part {
    values: Vec<u8>,
    says: BTreeSet<u32>,
    failures: usize,
}

/// The chosen ones, each by what the failures say that it alone accounts for. Where any is told apart, two of them whose
/// failures say the same may be one of all candidates.
pub(crate) fn apart(
    table: &Table,
    seen: &Seen,
    all: &[Candidate],
    chosen: Vec<Candidate>,
) -> Vec<Candidate> {
    let own = |place: usize| own(table, seen, &chosen, place);
    let parts = chosen.iter().enumerate();
    let parts = parts.flat_map(|(place, one)| split(table, seen, one, &own(place)));
    let parts: Vec<_> = parts.collect();
    if parts.len() == chosen.len() {
        return parts;
    }
    pairwise(parts, |parts, pair| {
        together(table, seen, (all, parts), pair)
    })
}

/// The shortest of all candidates that takes fewer words than these two, is of their failures and of no pass more, and
/// whose failures say what theirs do: nothing where they say different things.
fn together(
    table: &Table,
    seen: &Seen,
    (all, parts): (&[Candidate], &[Candidate]),
    pair: [usize; 2],
) -> Option<Candidate> {
    let [first, second] = pair.map(|place| said(table, seen, parts, place));
    if first.is_disjoint(&second) {
        return None;
    }
    let [one, other] = pair.map(|place| &parts[place]);
    let (mut fails, passes) = (&one.fails | &other.fails, &one.passes | &other.passes);
    let others = parts.iter().enumerate();
    let others = others.filter(|(place, _)| !pair.contains(place));
    let others: Vec<_> = others.map(|(_, other)| other.clone()).collect();
    for other in &others {
        fails.difference_with(&other.fails);
    }
    let fits = |both: &&Candidate| {
        both.cost < one.cost + other.cost
            && fails.is_subset(&both.fails)
            && both.passes.is_subset(&passes)
    };
    let says_the_same = |both: &&Candidate| {
        let fewer = [&others[..], &[(*both).clone()]].concat();
        said(table, seen, &fewer, others.len()).is_subset(&(&first | &second))
    };
    let shortest = all.iter().filter(fits).filter(says_the_same);
    let shortest = shortest.min_by(|one, other| {
        let by_cost = one.cost.total_cmp(&other.cost);
        by_cost.then_with(|| one.literals.cmp(&other.literals))
    });
    shortest.cloned()
}

/// What the failures say that one of some alone accounts for.
fn said(table: &Table, seen: &Seen, all: &[Candidate], place: usize) -> BTreeSet<u32> {
    let own = own(table, seen, all, place).into_iter();
    own.filter_map(|row| table.rows()[row].says).collect()
}

/// The rows that failed and that one of the chosen alone accounts for.
fn own(table: &Table, seen: &Seen, chosen: &[Candidate], place: usize) -> BTreeSet<usize> {
    let mut others = FixedBitSet::with_capacity(table.rows().len());
    for (_, other) in chosen.iter().enumerate().filter(|(one, _)| *one != place) {
        others.union_with(&table.region(&other.literals));
    }
    let rows = chosen[place]
        .fails
        .ones()
        .map(|failure| seen.fails[failure]);
    rows.filter(|row| !others.contains(*row)).collect()
}

fn split(table: &Table, seen: &Seen, one: &Candidate, own: &BTreeSet<usize>) -> Vec<Candidate> {
    let is_list = |literal: &Literal| match table.columns()[literal.column].kind {
        Kind::Unordered { .. } => true,
        Kind::Ordered | Kind::Single => false,
    };
    let (lists, ranges): (Vec<&Literal>, Vec<&Literal>) =
        one.literals.iter().partition(|one| is_list(one));
    let several = lists.into_iter().chain(ranges);
    let several = several.filter(|literal| literal.values.count() > 1);
    let mut ways = several.filter_map(|literal| {
        let parts = parts(table, *literal, own);
        (parts.len() > 1).then_some((literal, parts))
    });
    match ways.next() {
        None => vec![one.clone()],
        Some((literal, parts)) => {
            let narrow = |values| one.narrowed(table, seen, *literal, values);
            parts.into_iter().map(narrow).collect()
        }
    }
}

/// The values of a literal by what the failures of each say. Those of which none says anything go with most
/// failures. One part where a range would have to be told as several.
fn parts(table: &Table, literal: Literal, own: &BTreeSet<usize>) -> Vec<Values> {
    let mut parts: Vec<Part> = Vec::new();
    let mut silent = Vec::new();
    for value in literal.values.iter() {
        let rows = own.iter().map(|row| &table.rows()[*row]);
        let rows = rows.filter(|row| row.values[literal.column] == Some(value));
        let says: Vec<_> = rows.filter_map(|row| row.says).collect();
        if says.is_empty() {
            silent.push(value);
            continue;
        }
        let new = Part {
            values: vec![value],
            failures: says.len(),
            says: says.into_iter().collect(),
        };
        let (alike, others): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|part| !part.says.is_disjoint(&new.says));
        parts = others;
        parts.push(alike.into_iter().fold(new, Part::with));
    }
    parts.sort_by(|one, other| {
        let by_size = other.failures.cmp(&one.failures);
        by_size.then_with(|| one.values.cmp(&other.values))
    });
    if let Some(first) = parts.first_mut() {
        first.values.extend(silent);
    }
    let parts = parts
        .into_iter()
        .map(|part| part.values.into_iter().collect());
    let parts: Vec<Values> = parts.collect();
    let can_be_said = parts
        .iter()
        .all(|one| is_literal(table, literal.column, *one));
    if can_be_said {
        parts
    } else {
        vec![literal.values]
    }
}

/// Whether values of a column are one literal: those of an ordered one are a range.
pub(crate) fn is_literal(table: &Table, column: usize, values: Values) -> bool {
    match table.columns()[column].kind {
        Kind::Unordered { .. } => true,
        Kind::Single => values.count() == 1,
        Kind::Ordered => {
            let there = table.there(column).iter();
            let mut own = there.map(|one| values.has(one));
            own.by_ref().find(|has| *has);
            own.by_ref().find(|has| !*has);
            !own.any(|has| has)
        }
    }
}

impl Part {
    fn with(mut self, other: Self) -> Self {
        self.values.extend(other.values);
        self.says.extend(other.says);
        self.failures += other.failures;
        self
    }
}

impl Candidate {
    /// The same of some values of one of its literals.
    pub fn narrowed(&self, table: &Table, seen: &Seen, literal: Literal, values: Values) -> Self {
        let narrow = Literal { values, ..literal };
        let replaced = self.literals.iter();
        let replaced = replaced.map(|one| if *one == literal { narrow } else { *one });
        let mut literals: Vec<_> = replaced.collect();
        literals.sort_unstable();
        self.of(table, seen, literals)
    }
}
