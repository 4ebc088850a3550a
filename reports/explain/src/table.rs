//! What is known: columns, the rows that could be tried, and what came of those that were.

use fixedbitset::FixedBitSet;
use thiserror::Error;

use crate::{Literal, Values};

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Columns that say the same thing in other words are of one group: a cause has a literal of one.
    pub group: usize,
    /// How many values it has: they are the numbers below.
    pub values: usize,
    /// How its values lie to one another.
    pub kind: Kind,
}

/// How the values of a column lie to one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In no order. Some may be of one family, which has a name.
    Unordered {
        /// The families.
        families: Vec<Values>,
    },
    /// In the order of their numbers: those that follow one another are a range.
    Ordered,
}

/// A row that could be tried, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its value in each column; `None` where it has none.
    pub values: Vec<Option<u8>>,
    /// How often it failed.
    pub failed: u32,
    /// How often it passed.
    pub passed: u32,
    /// How often it came out in both ways at once: that tells for no cause and against none.
    pub flaky: u32,
}

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It failed.
    Failed,
    /// It passed.
    Passed,
}

/// Columns and rows.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Of each column and value the rows that have it.
    having: Vec<Vec<FixedBitSet>>,
}

/// Why columns and rows are no table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadTable {
    /// More values than a set of them holds.
    #[error(
        "column {column} has {values} values: at most {} can be told apart",
        Values::MOST
    )]
    TooManyValues {
        /// The column's place.
        column: usize,
        /// How many it has.
        values: usize,
    },
    /// A row of another width.
    #[error("row {row} has {values} values: one for each of the {columns} columns is needed")]
    Width {
        /// The row's place.
        row: usize,
        /// How many it has.
        values: usize,
        /// How many there should be.
        columns: usize,
    },
    /// A value that its column does not have.
    #[error(
        "row {row} has the value {value} in column {column}: its values are the numbers below {values}"
    )]
    Value {
        /// The row's place.
        row: usize,
        /// The column's place.
        column: usize,
        /// The value.
        value: u8,
        /// How many values the column has.
        values: usize,
    },
}

impl Table {
    /// Takes columns and rows as a table.
    ///
    /// # Errors
    /// Returns what does not fit.
    pub fn new(columns: Vec<Column>, rows: Vec<Row>) -> Result<Self, BadTable> {
        for (column, Column { values, .. }) in columns.iter().enumerate() {
            if *values > Values::MOST {
                let values = *values;
                return Err(BadTable::TooManyValues { column, values });
            }
        }
        let none = FixedBitSet::with_capacity(rows.len());
        let mut having: Vec<_> = columns
            .iter()
            .map(|column| vec![none.clone(); column.values])
            .collect();
        for (place, row) in rows.iter().enumerate() {
            take(&columns, &mut having, place, row)?;
        }
        Ok(Self {
            columns,
            rows,
            having,
        })
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds what came of a row.
    pub fn add(&mut self, row: usize, outcome: Outcome) {
        match outcome {
            Outcome::Failed => self.rows[row].failed += 1,
            Outcome::Passed => self.rows[row].passed += 1,
        }
    }

    /// The rows of which all `literals` are true.
    #[must_use]
    pub fn region(&self, literals: &[Literal]) -> FixedBitSet {
        let mut all = FixedBitSet::with_capacity(self.rows.len());
        all.insert_range(..);
        for literal in literals {
            all.intersect_with(&self.having(literal));
        }
        all
    }

    /// The rows of which a literal is true.
    pub(crate) fn having(&self, literal: &Literal) -> FixedBitSet {
        let mut any = FixedBitSet::with_capacity(self.rows.len());
        for value in literal.values.iter() {
            any.union_with(&self.having[literal.column][usize::from(value)]);
        }
        any
    }
}

fn take(
    columns: &[Column],
    having: &mut [Vec<FixedBitSet>],
    place: usize,
    row: &Row,
) -> Result<(), BadTable> {
    if row.values.len() != columns.len() {
        return Err(BadTable::Width {
            row: place,
            values: row.values.len(),
            columns: columns.len(),
        });
    }
    for (column, value) in row.values.iter().enumerate() {
        let Some(value) = *value else { continue };
        let values = columns[column].values;
        let Some(having) = having[column].get_mut(usize::from(value)) else {
            return Err(BadTable::Value {
                row: place,
                column,
                value,
                values,
            });
        };
        having.insert(place);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: usize) -> Column {
        Column {
            group: 0,
            values,
            kind: Kind::Ordered,
        }
    }

    fn row(values: &[u8]) -> Row {
        Row {
            values: values.iter().copied().map(Some).collect(),
            ..Row::default()
        }
    }

    #[track_caller]
    fn refused(columns: Vec<Column>, rows: Vec<Row>, told: &str) {
        let error = Table::new(columns, rows).expect_err("it is no table");
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let many = "column 0 has 129 values: at most 128 can be told apart";
        refused(vec![column(129)], Vec::new(), many);
        let wide = "row 1 has 2 values: one for each of the 1 columns is needed";
        refused(vec![column(2)], vec![row(&[0]), row(&[0, 0])], wide);
        let high = "row 0 has the value 2 in column 0: its values are the numbers below 2";
        refused(vec![column(2)], vec![row(&[2])], high);
    }
}
