//! Whether a row that is only begun can be ended.

use std::collections::HashMap;

use crate::{
    Model,
    model::{Cell, FREE, Row, Table, Value},
    space::Space,
};

/// The constraints, in the form in which they are asked.
pub(crate) struct Feasible {
    columns: usize,
    sizes: Vec<usize>,
    forbidden: Vec<Vec<Cell>>,
    /// Of each column and value, the forbidden combinations that have it.
    at: Vec<Vec<Vec<usize>>>,
    tables: Vec<Rows>,
    /// Whether a constraint speaks of the column.
    constrained: Vec<bool>,
    /// The columns that are in a forbidden combination, or in two tables. Where all of these have values
    /// and no constraint is against it, the tables can be filled up each for itself.
    joints: Vec<usize>,
    /// Whether a helping column is among them.
    helped: bool,
}

/// The rows of a table: for each column and value a set of those that have it.
struct Rows {
    all: Vec<u64>,
    with: Vec<(usize, Vec<Vec<u64>>)>,
}

impl Rows {
    fn new(table: &Table, sizes: &[usize]) -> Self {
        let words = table.rows.len().div_ceil(64);
        let mut all = vec![0_u64; words];
        let empty = |&column: &usize| (column, vec![vec![0_u64; words]; sizes[column]]);
        let mut with: Vec<_> = table.columns.iter().map(empty).collect();
        for (place, row) in table.rows.iter().enumerate() {
            let (word, bit) = (place / 64, 1 << (place % 64));
            all[word] |= bit;
            for ((_, values), &value) in with.iter_mut().zip(row) {
                values[usize::from(value)][word] |= bit;
            }
        }
        Self { all, with }
    }

    /// Whether one of them has what `row` has, which may be without helping columns.
    fn has(&self, row: &[Value]) -> bool {
        let given = self.with.iter().filter_map(|(column, values)| {
            let value = row.get(*column).filter(|value| **value != FREE)?;
            Some(&values[usize::from(*value)])
        });
        let given: Vec<&Vec<u64>> = given.collect();
        let mut words = self.all.iter().enumerate();
        words.any(|(word, all)| given.iter().fold(*all, |left, set| left & set[word]) != 0)
    }

    fn speaks_of(&self, column: usize) -> bool {
        self.with.iter().any(|(own, _)| *own == column)
    }
}

impl Feasible {
    pub(crate) fn new(model: &Model) -> Self {
        let sizes = model.sizes().to_vec();
        let mut at: Vec<Vec<Vec<usize>>> =
            sizes.iter().map(|size| vec![Vec::new(); *size]).collect();
        let tables = model.tables.iter().filter(|table| !table.has_all(&sizes));
        let tables: Vec<&Table> = tables.collect();
        let mut uses = vec![0_usize; sizes.len()];
        for (number, cells) in model.forbidden.iter().enumerate() {
            for &(column, value) in cells {
                at[column][usize::from(value)].push(number);
                uses[column] += 2;
            }
        }
        for &column in tables.iter().flat_map(|table| &table.columns) {
            uses[column] += 1;
        }
        let tables = tables.into_iter().map(|table| Rows::new(table, &sizes));
        Self {
            columns: model.columns(),
            tables: tables.collect(),
            forbidden: model.forbidden.clone(),
            at,
            constrained: uses.iter().map(|uses| *uses > 0).collect(),
            helped: (model.columns()..sizes.len()).any(|column| uses[column] > 1),
            joints: (0..sizes.len())
                .filter(|column| uses[*column] > 1)
                .collect(),
            sizes,
        }
    }

    /// Whether a constraint speaks of the column.
    pub(crate) fn is_constrained(&self, column: usize) -> bool {
        self.constrained[column]
    }

    /// Whether there is a row that has what `row` has, which may be free in places.
    pub(crate) fn can_be(&self, row: &[Value]) -> bool {
        let mut row = row.to_vec();
        row.resize(self.sizes.len(), FREE);
        let given = |column: &usize| row[*column] != FREE && self.constrained[*column];
        let given: Vec<usize> = (0..self.columns).filter(given).collect();
        given.into_iter().all(|column| self.is_left(&row, column))
            && self.forbidden.iter().all(|cells| !cells.is_empty())
            && self.tables.iter().all(|table| table.has(&row))
            && self.ends(&mut row, 0)
    }

    /// Whether there is the whole `row`, of which all is known to be allowed but the value of the column.
    pub(crate) fn can_have(&self, row: &[Value], column: usize) -> bool {
        if self.helped {
            return self.can_be(row);
        }
        self.is_left(row, column) && self.tables_have(row, column)
    }

    /// Whether the joints from the given one on can have values.
    fn ends(&self, row: &mut [Value], from: usize) -> bool {
        let mut free = self.joints[from..].iter().enumerate();
        let Some((skipped, &column)) = free.find(|(_, column)| row[**column] == FREE) else {
            return true;
        };
        for value in 0..self.sizes[column] {
            row[column] = value as Value;
            let goes = self.is_left(row, column)
                && self.tables_have(row, column)
                && self.ends(row, from + skipped + 1);
            if goes {
                row[column] = FREE;
                return true;
            }
        }
        row[column] = FREE;
        false
    }

    /// Whether no forbidden combination with the column's value is wholly in `row`.
    fn is_left(&self, row: &[Value], column: usize) -> bool {
        let mut with = self.at[column][usize::from(row[column])].iter();
        with.all(|&number| {
            self.forbidden[number]
                .iter()
                .any(|&(at, value)| row[at] != value)
        })
    }

    fn tables_have(&self, row: &[Value], column: usize) -> bool {
        let mut tables = self.tables.iter();
        tables.all(|table| !table.speaks_of(column) || table.has(row))
    }

    /// Of each slot of the space, whether it can occur.
    ///
    /// It is asked once for each set of constrained columns, and for each of their values.
    pub(crate) fn combinations(&self, space: &Space) -> Vec<bool> {
        let mut possible = vec![true; space.slots];
        let mut known: HashMap<Vec<usize>, Vec<bool>> = HashMap::new();
        let mut row = vec![FREE; space.columns];
        for number in 0..space.combinations() {
            let columns = space.strides(number).iter();
            let columns = columns.map(|(column, _)| usize::from(*column));
            let columns: Vec<usize> = columns.filter(|column| self.constrained[*column]).collect();
            if columns.is_empty() {
                continue;
            }
            let of_columns = known
                .entry(columns)
                .or_insert_with_key(|columns| self.ask(columns, &mut row));
            let cells = space.slots_of(number);
            for slot in cells {
                let values = space.cells(slot as u32);
                let values = values.filter(|(column, _)| self.constrained[*column]);
                let mut stride = 1;
                let place = values.map(|(column, value)| {
                    let part = usize::from(value) * stride;
                    stride *= self.sizes[column];
                    part
                });
                possible[slot] = of_columns[place.sum::<usize>()];
            }
        }
        possible
    }

    /// Whether each combination of values of the columns can occur, the first column's values changing
    /// first.
    fn ask(&self, columns: &[usize], row: &mut Row) -> Vec<bool> {
        let all: usize = columns.iter().map(|column| self.sizes[*column]).product();
        let asked = (0..all).map(|mut place| {
            for &column in columns {
                row[column] = (place % self.sizes[column]) as Value;
                place /= self.sizes[column];
            }
            self.can_be(row)
        });
        let asked = asked.collect();
        for &column in columns {
            row[column] = FREE;
        }
        asked
    }
}
