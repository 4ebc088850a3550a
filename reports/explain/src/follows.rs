//! What follows from a place, as the direction does from a source and a destination: a cause that names a place could
//! as well be of all places of which that is true.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use crate::{Kind, Literal, Table, Values};

/// A cause by what follows from its place instead of the place itself: it is of more rows, and no longer.
pub(crate) struct Wider {
    pub literals: Vec<Literal>,
    /// The rows of it that are not of the cause.
    pub more: FixedBitSet,
}

/// The columns that nobody chose, and that follow from a place.
pub(crate) fn following(table: &Table) -> Vec<usize> {
    let columns = 0..table.columns().len();
    let columns = columns.filter(|one| table.is_unchosen(*one) && follows(table, *one));
    columns.collect()
}

/// What a cause could be by these columns, which follow from its place.
pub(crate) fn by_what_follows(
    table: &Table,
    following: &[usize],
    literals: &[Literal],
) -> Vec<Wider> {
    let (place, rest): (Vec<Literal>, Vec<Literal>) =
        literals.iter().partition(|one| is_of_place(table, one));
    if place.is_empty() {
        return Vec::new();
    }
    let own = table.region(literals);
    let is_said = |column: usize| literals.iter().any(|one| one.column == column);
    let columns = following.iter().copied().filter(|one| !is_said(*one));
    let wider = columns.flat_map(|column| {
        let sets = sets(table, column, &own).into_iter();
        let wider = sets.filter_map(|values| {
            let literal = Literal { column, values };
            let mut literals = [&rest[..], &[literal]].concat();
            literals.sort_unstable();
            let mut more = table.region(&literals);
            more.difference_with(&own);
            (!more.is_clear()).then_some(Wider { literals, more })
        });
        wider.collect::<Vec<_>>()
    });
    wider.collect()
}

/// How many factors these are beside what nobody chose: what names a place is one where what follows from a place says
/// the same in one value, as the direction does between two releases.
pub(crate) fn factors(table: &Table, following: &[usize], literals: &[Literal]) -> usize {
    let chosen = literals.iter().filter(|one| !table.is_unchosen(one.column));
    let (place, rest): (Vec<Literal>, Vec<Literal>) =
        chosen.copied().partition(|one| is_of_place(table, one));
    if place.len() > 1 && says_what_follows(table, following, &place) {
        rest.len() + 1
    } else {
        rest.len() + place.len()
    }
}

/// Whether a place has all rows of a value that follows from it, and no others.
fn says_what_follows(table: &Table, following: &[usize], place: &[Literal]) -> bool {
    let own = table.region(place);
    following.iter().copied().any(|column| {
        let values = values_of(table, column, &own);
        values.count() == 1 && table.having(&Literal { column, values }) == own
    })
}

fn is_of_place(table: &Table, literal: &Literal) -> bool {
    let group = |column: usize| table.columns()[column].group;
    let mut placed = table.placed().iter();
    placed.any(|column| group(*column) == group(literal.column))
}

/// Whether all rows of a place have the same value of a column.
fn follows(table: &Table, column: usize) -> bool {
    let mut known: HashMap<Vec<Option<u8>>, Option<u8>> = HashMap::new();
    table.rows().iter().all(|row| {
        let place = table.placed().iter().map(|one| row.values[*one]);
        let value = row.values[column];
        *known.entry(place.collect()).or_insert(value) == value
    })
}

/// The values of a column that some rows have.
fn values_of(table: &Table, column: usize, rows: &FixedBitSet) -> Values {
    let rows = rows.ones().map(|row| &table.rows()[row]);
    rows.filter_map(|row| row.values[column]).collect()
}

/// The values of a column that some rows have, and the families that these are of, the fewest values first.
fn sets(table: &Table, column: usize, rows: &FixedBitSet) -> Vec<Values> {
    let there = table.there(column);
    let own = values_of(table, column, rows);
    let families: &[Values] = match &table.columns()[column].kind {
        Kind::Unordered { families } => families,
        Kind::Ordered | Kind::Single => &[],
    };
    let is_one = own.count() == 1 || families.contains(&own);
    let around = families.iter().copied();
    let around = around.filter(|one| *one != own && one.includes(own));
    let own = is_one.then_some(own).into_iter();
    let sets = own.chain(around);
    sets.filter(|one| !one.includes(there)).collect()
}
