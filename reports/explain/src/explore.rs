//! Where a further cause could hide: in values that stood together in no case that passed, be it that those which have
//! them failed by another cause, or that none was tried.

use std::{cmp::Reverse, collections::BinaryHeap};

use fixedbitset::FixedBitSet;

use crate::{Explanation, Kind, Row, Table, candidates::whole};

/// How many values are looked up at most.
const LOOKED_UP: usize = 20_000_000;
/// What all threes of three columns weigh together.
const WEIGHT: u64 = 1 << 40;
/// How many values an ordered column counts as: a range has about every other one.
const RANGE: usize = 2;

/// All ways to choose three columns, and which values of each did not pass together.
struct Threes {
    columns: Vec<[usize; 3]>,
    /// How much three values of each weigh: a cause is as likely of three columns as of three others, so of many
    /// values each is less likely.
    weights: Vec<u64>,
    sizes: Vec<usize>,
    /// Where those of each three columns begin.
    bases: Vec<usize>,
    hidden: FixedBitSet,
}

/// Rows that were not tried and are in no cause, at most `most`, which have most of the threes of values that no
/// passing row has, by what they weigh. None where there is no cause.
pub(crate) fn unseen(table: &Table, explanation: &Explanation, most: usize) -> Vec<usize> {
    if explanation.causes.is_empty() {
        return Vec::new();
    }
    let mut blamed = FixedBitSet::with_capacity(table.rows().len());
    for cause in &explanation.causes {
        blamed.union_with(&table.region(&cause.literals));
    }
    let mut threes = Threes::of(table);
    let passed = table.rows().iter().filter(|row| row.passed > 0);
    passed.for_each(|row| threes.show(row));
    let rows = table.rows().iter().enumerate();
    let rows = rows.filter(|(place, row)| row.tries() == 0 && !blamed.contains(*place));
    let mut rows: Vec<_> = rows.map(|(place, _)| place).collect();
    let step = 1 + rows.len() * threes.columns.len() / LOOKED_UP;
    rows = rows.into_iter().step_by(step).collect();
    let weight = |threes: &Threes, place: usize| threes.weight(&table.rows()[place]);
    let weighed = rows.into_iter();
    let weighed = weighed.map(|place| (weight(&threes, place), Reverse(place)));
    let mut best: BinaryHeap<_> = weighed.filter(|(weight, _)| *weight > 0).collect();
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let Some((before, Reverse(place))) = best.pop() else {
            break;
        };
        // What was hidden in it may have been seen in another by now.
        let now = weight(&threes, place);
        if now == before {
            threes.show(&table.rows()[place]);
            chosen.push(place);
        } else if now > 0 {
            best.push((now, Reverse(place)));
        }
    }
    chosen
}

impl Threes {
    fn of(table: &Table) -> Self {
        let columns = finest(table);
        let sizes: Vec<_> = table.columns().iter().map(|column| column.values).collect();
        let mut all = Vec::new();
        for (one, first) in columns.iter().enumerate() {
            for (other, second) in columns.iter().enumerate().skip(one + 1) {
                let third = columns.iter().skip(other + 1);
                all.extend(third.map(|third| [*first, *second, *third]));
            }
        }
        let mut end = 0;
        let bases = all.iter().map(|three| {
            let base = end;
            end += three.iter().map(|column| sizes[*column]).product::<usize>();
            base
        });
        let bases: Vec<_> = bases.collect();
        Self {
            weights: all.iter().map(|three| weight(table, three)).collect(),
            columns: all,
            sizes,
            bases,
            hidden: whole(end),
        }
    }

    /// The place of each three values of a row, with what they weigh.
    fn places<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = (usize, u64)> + 't {
        let all = self.columns.iter().zip(&self.bases).zip(&self.weights);
        all.filter_map(|((three, base), weight)| {
            let place = three.iter().try_fold(0, |place, column| {
                let value = row.values[*column]?;
                Some(place * self.sizes[*column] + usize::from(value))
            });
            place.map(|place| (base + place, *weight))
        })
    }

    /// Has nothing that a row has hidden any more.
    fn show(&mut self, row: &Row) {
        let places: Vec<_> = self.places(row).collect();
        let places = places.into_iter();
        places.for_each(|(place, _)| self.hidden.remove(place));
    }

    /// What those of a row weigh that are hidden.
    fn weight(&self, row: &Row) -> u64 {
        let hidden = self.places(row);
        let hidden = hidden.filter(|(place, _)| self.hidden.contains(*place));
        hidden.map(|(_, weight)| weight).sum()
    }
}

/// What three values of these columns weigh.
fn weight(table: &Table, three: &[usize; 3]) -> u64 {
    let count = |column: usize| match table.columns()[column].kind {
        Kind::Ordered => RANGE,
        Kind::Unordered { .. } | Kind::Single => table.there(column).count().max(1),
    };
    let share = |weight: u64, column: &usize| weight / u64::try_from(count(*column)).unwrap_or(1);
    three.iter().fold(WEIGHT, share)
}

/// Of each group the column with most values, where it has several.
fn finest(table: &Table) -> Vec<usize> {
    let mut best: Vec<(usize, usize, usize)> = Vec::new();
    for (place, column) in table.columns().iter().enumerate() {
        let count = table.there(place).count();
        match best.iter_mut().find(|(group, ..)| *group == column.group) {
            Some(known) if known.1 < count => *known = (column.group, count, place),
            Some(_) => {}
            None => best.push((column.group, count, place)),
        }
    }
    let several = best.into_iter().filter(|(_, count, _)| *count > 1);
    several.map(|(_, _, place)| place).collect()
}
