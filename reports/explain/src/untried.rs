//! What a cause could be with more values: of a column only some values were tried with the rest of it, and those that
//! were not may fail as well. The cause is told of those that were, and the others are asked for.

use crate::{Kind, Literal, Table, Values, candidates::Candidate, ranges::is_cut};

/// Of a value that a family is told without, how many passes are so few that they may be by chance.
const FEW: usize = 2;
/// What it costs at most that values which are not in a cause passed: however many did, another one may fail.
const PASSED: f64 = 1.5;

/// Values of the column of a literal, by what is known of the rows that have all others.
struct Siblings {
    /// With which no row was tried.
    open: Values,
    /// With which some were, and which the literal has not.
    told: Values,
}

impl Siblings {
    fn of(table: &Table, literals: &[Literal], place: usize) -> Self {
        let Literal { column, values } = literals[place];
        let mut others = literals.to_vec();
        others.remove(place);
        let rows = table.region(&others);
        let of = |is: fn(u32) -> bool| {
            let rows = rows.ones().map(|row| &table.rows()[row]);
            let rows = rows.filter(move |row| is(row.failed + row.passed));
            rows.filter_map(|row| row.values[column])
                .collect::<Values>()
        };
        let told = of(|tried| tried > 0);
        Self {
            open: of(|tried| tried == 0).without(told).without(values),
            told: told.without(values),
        }
    }
}

/// Of each literal of an unordered column the other values with which no row of all other literals was tried.
pub(crate) fn untried(table: &Table, literals: &[Literal]) -> Vec<Literal> {
    let all = literals.iter().enumerate().filter_map(|(place, one)| {
        if table.is_unchosen(one.column) || families(table, one).is_none() {
            return None;
        }
        let values = Siblings::of(table, literals, place).open;
        let column = one.column;
        (!values.is_empty()).then_some(Literal { column, values })
    });
    all.collect()
}

/// The rows that passed and for which one of these is of a family without a value: where they are so few that they may
/// be by chance.
pub(crate) fn exceptions(table: &Table, chosen: &[Candidate]) -> Vec<usize> {
    let all = chosen.iter().flat_map(|one| {
        let literals = one.literals.iter().enumerate();
        let chosen = literals.filter(|(_, literal)| !table.is_unchosen(literal.column));
        chosen.flat_map(move |(place, literal)| {
            let families = families(table, literal).unwrap_or_default();
            let there = table.there(literal.column);
            let but = families.iter().filter_map(move |family| {
                let without = family.within(there).without(literal.values);
                (literal.values.count() > without.count()).then_some(without)
            });
            but.flat_map(move |values| passed(table, &one.literals, (place, values)))
        })
    });
    all.collect()
}

/// The rows that passed with each of these values in the place of a literal's, if they are few.
fn passed(table: &Table, literals: &[Literal], (place, values): (usize, Values)) -> Vec<usize> {
    let all = values.iter().flat_map(|value| {
        let mut other = literals.to_vec();
        other[place].values = Values::from_iter([value]);
        let rows = table.region(&other);
        let passed = rows.ones().filter(|row| table.rows()[*row].passed > 0);
        let passed: Vec<_> = passed.collect();
        if passed.len() > FEW {
            Vec::new()
        } else {
            passed
        }
    });
    all.collect()
}

/// Each of these with more values of one of its literals: one, those of a family, or all with which no row was tried
/// that has its others. Of a range those are next to it.
pub(crate) fn with_more(table: &Table, chosen: &[Candidate]) -> Vec<Candidate> {
    let all = chosen.iter().flat_map(|one| {
        let places = 0..one.literals.len();
        places.flat_map(move |place| more(table, one, place))
    });
    all.collect()
}

fn more(table: &Table, one: &Candidate, place: usize) -> Vec<Candidate> {
    let literal = one.literals[place];
    if table.is_unchosen(literal.column) {
        return Vec::new();
    }
    let siblings = || Siblings::of(table, &one.literals, place);
    let (siblings, sets) = match families(table, &literal) {
        // Not each range of many values was weighed; of few each was.
        None if is_cut(table, literal.column) => {
            let siblings = siblings();
            let sets = next_to(table, &literal, siblings.open);
            (siblings, sets)
        }
        Some(families) => {
            let siblings = siblings();
            let sets = parts(families, siblings.open);
            (siblings, sets)
        }
        None => return Vec::new(),
    };
    let wider = sets.into_iter().filter_map(|set| {
        let values = literal.values.with(set);
        let is_all = values.includes(table.there(literal.column));
        (!is_all).then(|| one.wider(table, place, values, &siblings))
    });
    wider.collect()
}

/// The families of a literal's column, where it is in no order.
fn families<'t>(table: &'t Table, literal: &Literal) -> Option<&'t [Values]> {
    match &table.columns()[literal.column].kind {
        Kind::Unordered { families } => Some(families),
        Kind::Ordered | Kind::Single => None,
    }
}

/// Each of some values alone, those of each family, and all.
fn parts(families: &[Values], open: Values) -> Vec<Values> {
    let alone = open.iter().map(|value| Values::from_iter([value]));
    let families = families.iter().map(|family| family.within(open));
    let all = alone.chain(families).chain([open]);
    let mut all: Vec<_> = all.filter(|one| !one.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Those of some values that follow a range without a gap, after its last and before its first one.
fn next_to(table: &Table, range: &Literal, open: Values) -> Vec<Values> {
    let all: Vec<u8> = table.there(range.column).iter().collect();
    let (before, after): (Vec<u8>, Vec<u8>) = all
        .into_iter()
        .filter(|value| !range.values.has(*value))
        .partition(|value| range.values.iter().next().is_some_and(|one| *value < one));
    let is_open = |value: &u8| open.has(*value);
    let after: Values = after.into_iter().take_while(is_open).collect();
    let before: Values = before.into_iter().rev().take_while(is_open).collect();
    [before, after]
        .into_iter()
        .filter(|one| !one.is_empty())
        .collect()
}

impl Candidate {
    /// The same with these values of one of its literals: what came of it is the same. The more of the others passed
    /// the less likely it is.
    fn wider(&self, table: &Table, place: usize, values: Values, siblings: &Siblings) -> Self {
        let mut literals = self.literals.clone();
        let before = literals[place].cost(table);
        literals[place].values = values;
        let said = literals[place].cost(table) - before;
        let passed = u32::try_from(siblings.told.count()).unwrap_or(u32::MAX);
        let surprise = f64::from(passed).ln_1p().min(PASSED);
        literals.sort_unstable();
        Self {
            literals,
            cost: self.cost + said + surprise,
            ..self.clone()
        }
    }
}
