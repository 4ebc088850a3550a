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
    /// In no order, and of which one alone is named: each is what several other columns say together.
    Single,
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
    /// How often it came out in both ways, or otherwise than last: that tells for no cause and against none.
    pub flaky: u32,
    /// What its failure says, as a number: failures that say the same, or nearly, have the same one.
    pub says: Option<u32>,
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
    /// Of each column the values that some row has.
    there: Vec<Values>,
    /// All rows.
    all: FixedBitSet,
    /// The columns that say at which place a row was tried.
    placed: Vec<usize>,
    /// The columns that say what nobody chose.
    unchosen: Vec<usize>,
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

impl Row {
    /// How often it was tried.
    pub(crate) const fn tries(&self) -> u32 {
        self.failed + self.passed + self.flaky
    }
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
        let mut all = none;
        all.insert_range(..);
        Ok(Self {
            there: having.iter().map(|values| there(values)).collect(),
            columns,
            rows,
            having,
            all,
            placed: Vec::new(),
            unchosen: Vec::new(),
        })
    }

    /// The same, where these columns say at which place a row was tried: a cause may name a place beside its
    /// other literals.
    #[must_use]
    pub fn placed_by(mut self, columns: Vec<usize>) -> Self {
        self.placed = columns;
        self
    }

    /// The same, where these columns say of a row what nobody chose, and what follows the others for the most
    /// part: a cause has a literal of one only where the others take many more words.
    #[must_use]
    pub fn with_unchosen(mut self, columns: Vec<usize>) -> Self {
        self.unchosen = columns;
        self
    }

    /// Whether a column says what nobody chose.
    pub(crate) fn is_unchosen(&self, column: usize) -> bool {
        self.unchosen.contains(&column)
    }

    /// The columns that say at which place a row was tried.
    pub(crate) fn placed(&self) -> &[usize] {
        &self.placed
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

    /// Adds what came of a row: what came last counts.
    pub fn add(&mut self, row: usize, outcome: Outcome) {
        let row = &mut self.rows[row];
        let (same, other) = match outcome {
            Outcome::Failed => (&mut row.failed, &mut row.passed),
            Outcome::Passed => (&mut row.passed, &mut row.failed),
        };
        *same += 1;
        row.flaky += std::mem::take(other);
    }

    /// The rows of which all `literals` are true.
    #[must_use]
    pub fn region(&self, literals: &[Literal]) -> FixedBitSet {
        FixedBitSet::with_capacity_and_blocks(self.rows.len(), self.blocks(literals))
    }

    /// How many these are.
    pub(crate) fn width(&self, literals: &[Literal]) -> usize {
        let counts = self.blocks(literals).map(usize::count_ones);
        counts.map(|count| count as usize).sum()
    }

    /// The rows of which a literal is true.
    pub(crate) fn having(&self, literal: &Literal) -> FixedBitSet {
        self.region(&[*literal])
    }

    /// The values of a column that some row has.
    pub(crate) fn there(&self, column: usize) -> Values {
        self.there[column]
    }

    /// The rows of which all literals are true, as the words of a set.
    fn blocks(&self, literals: &[Literal]) -> impl Iterator<Item = usize> {
        let sets = literals.iter().map(|literal| {
            let having = &self.having[literal.column];
            let values = literal.values.iter().map(usize::from);
            values.map(|value| having[value].as_slice()).collect()
        });
        let sets: Vec<Vec<&[usize]>> = sets.collect();
        self.all
            .as_slice()
            .iter()
            .zip(0..)
            .map(move |(all, place)| {
                sets.iter().fold(*all, |all, any| {
                    all & any.iter().fold(0, |any, one| any | one[place])
                })
            })
    }
}

/// The values that some row has, by the rows that have each.
fn there(values: &[FixedBitSet]) -> Values {
    let numbered = values.iter().zip(0..);
    numbered
        .filter_map(|(rows, value)| (!rows.is_clear()).then_some(value))
        .collect()
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
