//! What a cause could be of as well, for others account for all failures of that: it is told without such values where
//! that is no longer, and nothing tells whether they are of it.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::{
    Kind, Literal, Table, Values, apart::is_literal, candidates::Candidate,
    follows::by_what_follows, seen::Seen,
};

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

/// What nothing tells of a cause: whether it is of more, all failures of which are of other causes as well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    /// The values with which and with all of its other literals that is so.
    pub values: Vec<Literal>,
    /// What it could be instead, by what follows from its place.
    pub wider: Vec<Vec<Literal>>,
}

/// Of each cause what nothing tells of it.
pub(crate) fn shared(table: &Table, following: &[usize], causes: &[Vec<Literal>]) -> Vec<Open> {
    let regions: Vec<_> = causes.iter().map(|one| table.region(one)).collect();
    let mut all = vec![Open::default(); causes.len()];
    for (place, own) in causes.iter().enumerate() {
        let others = union(table, &regions, place);
        all[place].less(table, own, &others);
        all[place].wider = wherever_it_follows(table, following, own, &others);
        for wider in all[place].more(table, own, &others) {
            // What one may be of as well, another need not be of.
            let mut regions = regions.clone();
            regions[place] = table.region(&wider);
            for (other, literals) in causes.iter().enumerate().filter(|(one, _)| *one != place) {
                let others = union(table, &regions, other);
                all[other].less(table, literals, &others);
            }
        }
    }
    for own in &mut all {
        own.values.sort_unstable();
        own.values.dedup();
    }
    all
}

impl Open {
    /// Adds the values without which a cause would be of less, as others account for all else.
    fn less(&mut self, table: &Table, own: &[Literal], others: &FixedBitSet) {
        self.values.extend(within(table, own, others));
        self.values.extend(unsaid(table, own, others));
    }

    /// Adds the values that make a cause of more, and returns what it is with each, and by what follows.
    fn more(&mut self, table: &Table, own: &[Literal], others: &FixedBitSet) -> Vec<Vec<Literal>> {
        let mut all = Vec::new();
        for (literal, values) in beside(table, own, others) {
            let mut wider = own.to_vec();
            wider[literal].values = wider[literal].values.with(values);
            all.push(wider);
            self.values.push(Literal {
                values,
                ..own[literal]
            });
        }
        all.extend(self.wider.iter().cloned());
        all
    }
}

/// What a cause could be by what follows from its place, where others account for all more that fails of that: none
/// that is of all rows of another one.
fn wherever_it_follows(
    table: &Table,
    following: &[usize],
    own: &[Literal],
    others: &FixedBitSet,
) -> Vec<Vec<Literal>> {
    let region = table.region(own);
    let is_open = |more: &FixedBitSet| may_be_of(table, [&region, more, others]);
    let mut open: Vec<(Vec<Literal>, FixedBitSet)> = Vec::new();
    for wider in by_what_follows(table, following, own) {
        let is_news = !open.iter().any(|(_, more)| more.is_subset(&wider.more));
        if is_news && is_open(&wider.more) {
            open.push((wider.literals, wider.more));
        }
    }
    open.into_iter().map(|(literals, _)| literals).collect()
}

/// The rows of all regions but that at a place.
pub(crate) fn union(table: &Table, regions: &[FixedBitSet], place: usize) -> FixedBitSet {
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

/// Whether nothing tells of what has a value in the place of a literal's whether it is of a cause.
fn is_of_others(
    table: &Table,
    literals: &[Literal],
    (place, value): (usize, u8),
    others: &FixedBitSet,
) -> bool {
    let rows = table.region(&with(literals, place, value));
    may_be_of(table, [&table.region(literals), &rows, others])
}

/// Whether something of some rows fails, all of them are of others, and nothing that they say tells whose they are. The
/// rows are those of a cause, these, and those of the others.
fn may_be_of(table: &Table, [own, rows, others]: [&FixedBitSet; 3]) -> bool {
    rows.is_subset(others)
        && failures(table, rows).is_some()
        && whose(table, [own, rows, others]) == Whose::Unknown
}
