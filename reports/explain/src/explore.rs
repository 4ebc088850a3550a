//! Where a further cause could hide: in values that stood together in cases that failed by another cause,
//! and in none that passed.

use std::{cmp::Reverse, collections::BinaryHeap};

use fixedbitset::FixedBitSet;

use crate::{Explanation, Row, Table};

/// How many values are looked up at most.
const LOOKED_UP: usize = 20_000_000;

/// All ways to choose three columns, and which values of each were seen together.
struct Threes {
    columns: Vec<[usize; 3]>,
    sizes: Vec<usize>,
    /// Where those of each three columns begin.
    bases: Vec<usize>,
    hidden: FixedBitSet,
}

/// Rows that were not tried and are in no cause, at most `most`, which have most of the threes of values
/// that failing rows have and no passing one.
pub(crate) fn unseen(table: &Table, explanation: &Explanation, most: usize) -> Vec<usize> {
    let mut blamed = FixedBitSet::with_capacity(table.rows().len());
    for cause in &explanation.causes {
        blamed.union_with(&table.region(&cause.literals));
    }
    let mut threes = Threes::of(table);
    for (place, row) in table.rows().iter().enumerate() {
        if row.failed > 0 && blamed.contains(place) {
            threes.set(row, true);
        }
    }
    let passed = table.rows().iter().filter(|row| row.passed > 0);
    passed.for_each(|row| threes.set(row, false));
    let rows = table.rows().iter().enumerate();
    let rows = rows.filter(|(place, row)| row.tries() == 0 && !blamed.contains(*place));
    let mut rows: Vec<_> = rows.map(|(place, _)| place).collect();
    let step = 1 + rows.len() * threes.columns.len() / LOOKED_UP;
    rows = rows.into_iter().step_by(step).collect();
    let count = |threes: &Threes, place: usize| threes.count(&table.rows()[place]);
    let counted = rows.into_iter();
    let counted = counted.map(|place| (count(&threes, place), Reverse(place)));
    let mut best: BinaryHeap<_> = counted.filter(|(count, _)| *count > 0).collect();
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let Some((before, Reverse(place))) = best.pop() else {
            break;
        };
        // What was hidden in it may have been seen in another by now.
        let now = count(&threes, place);
        if now == before {
            threes.set(&table.rows()[place], false);
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
            columns: all,
            sizes,
            bases,
            hidden: FixedBitSet::with_capacity(end),
        }
    }

    /// The place of each three values of a row.
    fn places<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = usize> + 't {
        self.columns
            .iter()
            .zip(&self.bases)
            .filter_map(|(three, base)| {
                let place = three.iter().try_fold(0, |place, column| {
                    let value = row.values[*column]?;
                    Some(place * self.sizes[*column] + usize::from(value))
                });
                place.map(|place| base + place)
            })
    }

    fn set(&mut self, row: &Row, hidden: bool) {
        let places: Vec<_> = self.places(row).collect();
        places
            .into_iter()
            .for_each(|place| self.hidden.set(place, hidden));
    }

    fn count(&self, row: &Row) -> usize {
        self.places(row)
            .filter(|place| self.hidden.contains(*place))
            .count()
    }
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
