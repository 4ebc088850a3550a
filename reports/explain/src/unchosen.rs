//! What a cause could be with one literal more: where all of its outcomes have something, and rows that were not
//! tried have not, nothing tells whether that is a part of it. The cause is told without it, and what it would be
//! with it is asked for.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::{
    FACTORS, Kind, Literal, Table, Values,
    candidates::{Candidate, whole},
    follows::factors,
    literal::literals,
    search::of_literals,
    seen::Seen,
    shared::union,
    within::best,
};

/// Each of these with what all of its outcomes have of a column, where some row of it that was not tried has not:
/// of a column that nobody chose, and of any other as long as that makes no cause of too many factors. What others
/// account for as well is no outcome of it.
pub(crate) fn with_untried(
    table: &Table,
    following: &[usize],
    chosen: &[Candidate],
) -> Vec<Candidate> {
    let regions: Vec<_> = chosen
        .iter()
        .map(|one| table.region(&one.literals))
        .collect();
    let all = chosen.iter().enumerate().flat_map(|(place, one)| {
        let mut alone = regions[place].clone();
        alone.difference_with(&union(table, &regions, place));
        let has_room = factors(table, following, &one.literals) < FACTORS;
        with_what_all_have(table, one, &alone, has_room)
    });
    all.collect()
}

/// One of them with what all outcomes of these rows have, of what was chosen only where it has room for that.
fn with_what_all_have(
    table: &Table,
    one: &Candidate,
    rows: &FixedBitSet,
    has_room: bool,
) -> Vec<Candidate> {
    let mut groups: BTreeSet<usize> = groups(table, &one.literals).collect();
    let columns = 0..table.columns().len();
    let columns = columns.filter(|column| has_room || table.is_unchosen(*column));
    let narrow = columns.filter_map(|column| {
        let group = table.columns()[column].group;
        let narrow = (!groups.contains(&group)).then(|| narrowed(table, one, (rows, column)));
        narrow.flatten().inspect(|_| {
            groups.insert(group);
        })
    });
    narrow.collect()
}

fn groups<'t>(table: &'t Table, literals: &'t [Literal]) -> impl Iterator<Item = usize> + 't {
    literals.iter().map(|one| table.columns()[one.column].group)
}

fn narrowed(
    table: &Table,
    one: &Candidate,
    (rows, column): (&FixedBitSet, usize),
) -> Option<Candidate> {
    let values = |is: fn(u32) -> bool| {
        let rows = rows.ones().map(|row| &table.rows()[row]);
        let rows = rows.filter(move |row| is(row.failed + row.passed));
        rows.filter_map(|row| row.values[column])
            .collect::<Values>()
    };
    let (told, untried) = (values(|told| told > 0), values(|told| told == 0));
    let values = match table.columns()[column].kind {
        Kind::Ordered => between(table, column, told),
        Kind::Unordered { .. } => told,
        Kind::Single if told.count() == 1 => told,
        Kind::Single => return None,
    };
    let literal = Literal { column, values };
    let says = values.count() > 0 && !values.includes(untried);
    says.then(|| one.and(literal, literal.cost(table)))
}

/// The values of an ordered column from the first of some to the last.
fn between(table: &Table, column: usize, some: Values) -> Values {
    let first = some.iter().next();
    let last = some.iter().last();
    let all = table.there(column).iter();
    all.filter(|value| first <= Some(*value) && Some(*value) <= last)
        .collect()
}

/// Of how many failures a combination has to be true that takes a literal of what nobody chose beside
/// [`FACTORS`] others.
const LEAST: usize = 3;

/// What takes a literal of a column that nobody chose beside as many others as a cause has at most: of the values that
/// failures have which are left over, and of those that what was chosen names, which may be a part of it alone.
pub(crate) fn beside_unchosen(
    table: &Table,
    seen: &Seen,
    (left, chosen): (&[usize], &[Candidate]),
) -> Vec<Candidate> {
    let columns = (0..table.columns().len()).filter(|column| table.is_unchosen(*column));
    let unchosen = columns.flat_map(|column| {
        let values = left.iter().map(|row| table.rows()[*row].values[column]);
        let named = chosen.iter().flat_map(|one| &one.literals);
        let named = named.filter(|one| one.column == column);
        let named = named.flat_map(|one| one.values.iter());
        let values: BTreeSet<u8> = values.flatten().chain(named).collect();
        let values = values.into_iter().map(|value| Values::from_iter([value]));
        values.map(move |values| Literal { column, values })
    });
    let all = unchosen.flat_map(|unchosen| with_others(table, seen, unchosen));
    all.collect()
}

/// What takes this literal beside as many others as a cause has at most.
fn with_others(table: &Table, seen: &Seen, unchosen: Literal) -> Vec<Candidate> {
    let others = literals(table).into_iter();
    let others = others.filter(|one| one.column != unchosen.column);
    let rows = table.having(&unchosen);
    let own = seen.within(&rows, &whole(seen.fails.len()));
    let found = best(of_literals(table, &own, others, LEAST));
    let long = found
        .into_iter()
        .filter(|one| one.literals.len() == FACTORS);
    let widened = long.map(|one| {
        let cost = unchosen.cost(table);
        let long = one.and(unchosen, cost);
        let literals = long.literals.clone();
        long.of(table, seen, literals)
    });
    widened.collect()
}

impl Candidate {
    /// The same with a literal that all of its outcomes have.
    fn and(&self, literal: Literal, cost: f64) -> Self {
        let mut literals = self.literals.clone();
        literals.push(literal);
        literals.sort_unstable();
        Self {
            literals,
            cost: self.cost + cost,
            ..self.clone()
        }
    }
}
