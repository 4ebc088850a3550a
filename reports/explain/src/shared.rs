//! Values of a cause of which others account for all failures: it is told without them where that is no longer, and
//! nothing tells whether they are of it.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::{Kind, Literal, Table, Values, apart::is_literal, candidates::Candidate, seen::Seen};

/// By how much a choice has to be shorter to be another one.
const SAME: f64 = 1e-9;

/// The chosen ones, each without the values of which the others account for all failures, as long as that takes no
/// more words: what saves most is left out first.
pub(crate) fn unshared(table: &Table, seen: &Seen, mut chosen: Vec<Candidate>) -> Vec<Candidate> {
    loop {
        let regions: Vec<_> = chosen
            .iter()
            .map(|one| table.region(&one.literals))
            .collect();
        let shorter = (0..chosen.len()).flat_map(|place| {
            let (one, others) = (&chosen[place], union(table, &regions, place));
            let literals = one.literals.iter().enumerate();
            let rows = [&regions[place], &others];
            let less = literals.filter_map(|(at, _)| less(table, seen, (one, at), rows));
            less.map(move |less| (place, less)).collect::<Vec<_>>()
        });
        let saved = |(place, less): &(usize, Candidate)| chosen[*place].cost - less.cost;
        let best = shorter
            .filter(|one| saved(one) > -SAME)
            .max_by(|one, other| saved(one).total_cmp(&saved(other)));
        let Some((place, less)) = best else {
            return chosen;
        };
        chosen[place] = less;
    }
}

/// One of them without the values of the literal at this place of which the others account for all failures, but for
/// those whose failures say what is its own; nothing where there are none. The rows are its own, and those of the others.
fn less(
    table: &Table,
    seen: &Seen,
    (one, at): (&Candidate, usize),
    [own, others]: [&FixedBitSet; 2],
) -> Option<Candidate> {
    let literal = one.literals[at];
    let is_shared = |value: &u8| {
        let rows = table.region(&with(&one.literals, at, *value));
        let is_of_others = failures(table, &rows).is_some_and(|fails| fails.is_subset(others));
        is_of_others && whose(table, [own, &rows, others]) != Whose::Own
    };
    let some = literal.values.iter().filter(is_shared);
    let values = without(table, &literal, some.collect());
    let is_less = !values.is_empty() && values != literal.values;
    is_less.then(|| one.narrowed(table, seen, literal, values))
}

/// Literals with one value in the place of a literal's.
fn with(literals: &[Literal], place: usize, value: u8) -> Vec<Literal> {
    let mut instead = literals.to_vec();
    instead[place].values = Values::from_iter([value]);
    instead
}

/// Those of some rows that failed; nothing where none did.
fn failures(table: &Table, rows: &FixedBitSet) -> Option<FixedBitSet> {
    let mut fails = FixedBitSet::with_capacity(table.rows().len());
    fails.extend(rows.ones().filter(|row| table.rows()[*row].failed > 0));
    (!fails.is_clear()).then_some(fails)
}

/// Of which cause failures are that are in several, by what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// They say what those say that are its own, and not what those of the others do.
    Own,
    /// They say something else than those that are its own.
    Others,
    /// Nothing tells.
    Unknown,
}

/// Whose the failures of some rows are that are in others, by the rows of the cause and of the others.
fn whose(table: &Table, [own, shared, others]: [&FixedBitSet; 3]) -> Whose {
    let says = |rows: &FixedBitSet, but: [&FixedBitSet; 2]| {
        let rows = rows
            .ones()
            .filter(|row| !but.iter().any(|one| one.contains(*row)));
        rows.filter_map(|row| table.rows()[row].says)
            .collect::<BTreeSet<u32>>()
    };
    let none = &FixedBitSet::new();
    let what = says(shared, [none; 2]);
    let (mine, theirs) = (says(own, [shared, others]), says(others, [own, shared]));
    if what.is_empty() || mine.is_empty() {
        Whose::Unknown
    } else if what.is_disjoint(&mine) {
        Whose::Others
    } else if !theirs.is_empty() && what.is_disjoint(&theirs) {
        Whose::Own
    } else {
        Whose::Unknown
    }
}

/// The values of a literal without some: of a range the first and last of them are left out, as far as they are some.
fn without(table: &Table, literal: &Literal, some: Values) -> Values {
    match table.columns()[literal.column].kind {
        Kind::Unordered { .. } | Kind::Single => literal.values.without(some),
        Kind::Ordered => {
            let kept = literal.values.without(some);
            let (first, last) = (kept.iter().next(), kept.iter().last());
            let own = literal.values.iter();
            own.filter(|value| first <= Some(*value) && Some(*value) <= last)
                .collect()
        }
    }
}

/// Of each cause the values of which nothing tells whether they are of it: whatever has them and all of its other
/// literals is of other causes as well.
pub(crate) fn shared(table: &Table, causes: &[Vec<Literal>]) -> Vec<Vec<Literal>> {
    let regions: Vec<_> = causes.iter().map(|one| table.region(one)).collect();
    let mut all: Vec<Vec<Literal>> = vec![Vec::new(); causes.len()];
    for (place, own) in causes.iter().enumerate() {
        let others = union(table, &regions, place);
        all[place].extend(within(table, own, &others));
        all[place].extend(unsaid(table, own, &others));
        for (literal, more) in beside(table, own, &others) {
            let mut wider = own.clone();
            wider[literal].values = wider[literal].values.with(more);
            all[place].push(Literal {
                values: more,
                ..own[literal]
            });
            // What one may be of as well, another need not be of.
            let mut regions = regions.clone();
            regions[place] = table.region(&wider);
            for (other, literals) in causes.iter().enumerate().filter(|(one, _)| *one != place) {
                let others = union(table, &regions, other);
                all[other].extend(within(table, literals, &others));
                all[other].extend(unsaid(table, literals, &others));
            }
        }
    }
    for own in &mut all {
        own.sort_unstable();
        own.dedup();
    }
    all
}

/// The rows of all regions but one.
fn union(table: &Table, regions: &[FixedBitSet], place: usize) -> FixedBitSet {
    let mut all = FixedBitSet::with_capacity(table.rows().len());
    let others = regions.iter().enumerate().filter(|(one, _)| *one != place);
    others.for_each(|(_, other)| all.union_with(other));
    all
}

/// Of each literal the values without which it says less of what others account for alone.
fn within(table: &Table, literals: &[Literal], others: &FixedBitSet) -> Vec<Literal> {
    let all = literals.iter().enumerate().filter_map(|(place, literal)| {
        let own = literal.values.iter();
        let some = own.filter(|value| is_of_others(table, literals, (place, *value), others));
        let kept = without(table, literal, some.collect());
        let values = literal.values.without(kept);
        let is_less = !kept.is_empty() && !values.is_empty();
        is_less.then_some(Literal { values, ..*literal })
    });
    all.collect()
}

/// Of each column that a cause says nothing of, the values that others account for alone, where what is left is
/// one value or one range; one column of each group.
fn unsaid(table: &Table, literals: &[Literal], others: &FixedBitSet) -> Vec<Literal> {
    let group = |column: usize| table.columns()[column].group;
    let is_said = |column: &usize| {
        literals
            .iter()
            .any(|one| group(one.column) == group(*column))
    };
    let columns = (0..table.columns().len()).filter(|column| !is_said(column));
    let open = columns.filter_map(|column| {
        let any = Literal {
            column,
            values: table.there(column),
        };
        let (all, place) = ([literals, &[any]].concat(), literals.len());
        let fails = |value: &u8| failures(table, &table.region(&with(&all, place, *value)));
        let is_open = |value: &u8| is_of_others(table, &all, (place, *value), others);
        let failing = any.values.iter().filter(|value| fails(value).is_some());
        let (open, own): (Vec<u8>, Vec<u8>) = failing.partition(is_open);
        let values = open.into_iter().collect();
        is_one(table, column, &own).then_some(Literal { column, values })
    });
    let mut open: Vec<_> = open.filter(|one| !one.values.is_empty()).collect();
    open.dedup_by_key(|one| group(one.column));
    open
}

/// Of how many values all but one are told as soon as one of them.
const FEW: usize = 3;

/// Whether values are one of their column, all but one of a few, or a range.
fn is_one(table: &Table, column: usize, values: &[u8]) -> bool {
    match table.columns()[column].kind {
        Kind::Single => values.len() == 1,
        Kind::Unordered { .. } => {
            values.len() == 1 || !values.is_empty() && table.there(column).count() <= FEW
        }
        Kind::Ordered => {
            !values.is_empty() && is_literal(table, column, values.iter().copied().collect())
        }
    }
}

/// Of each literal, by its place, the values with which it would say more of what others account for alone.
fn beside(table: &Table, literals: &[Literal], others: &FixedBitSet) -> Vec<(usize, Values)> {
    let all = literals.iter().enumerate().filter_map(|(place, literal)| {
        let is_open = |value: &u8| is_of_others(table, literals, (place, *value), others);
        let own = literal.values;
        let there = table.there(literal.column).without(own).iter();
        let values: Values = match table.columns()[literal.column].kind {
            Kind::Unordered { .. } => there.filter(is_open).collect(),
            Kind::Single => Values::default(),
            Kind::Ordered => {
                let (before, after): (Vec<u8>, Vec<u8>) =
                    there.partition(|value| own.iter().next().is_some_and(|one| *value < one));
                let before = before.into_iter().rev().take_while(is_open);
                before
                    .chain(after.into_iter().take_while(is_open))
                    .collect()
            }
        };
        let is_all = own.with(values).includes(table.there(literal.column));
        (!values.is_empty() && !is_all).then_some((place, values))
    });
    all.collect()
}

/// Whether something fails that has a value in the place of a literal's, all that has it is of others, and nothing that
/// it says tells whose it is.
fn is_of_others(
    table: &Table,
    literals: &[Literal],
    (place, value): (usize, u8),
    others: &FixedBitSet,
) -> bool {
    let rows = table.region(&with(literals, place, value));
    let own = table.region(literals);
    rows.is_subset(others)
        && failures(table, &rows).is_some()
        && whose(table, [&own, &rows, others]) == Whose::Unknown
}
