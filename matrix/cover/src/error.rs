//! What can be wrong with a model, or with what is wanted of it.

use thiserror::Error;

use crate::Row;

/// Why there is no cover.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CoverError {
    /// A strength of 0, or one that is greater than the number of columns.
    #[error("the strength {strength} of {columns} columns: give one from 1 to {columns}")]
    Strength {
        /// The strength.
        strength: usize,
        /// How many columns there are to be combined.
        columns: usize,
    },
    /// A column that is not there, or that a group or table has twice.
    #[error("the column {0} is not there, or is named twice: name each column once")]
    Column(usize),
    /// A column with no value, or with too many.
    #[error("the column {column} has {size} values: give it 1 to 65535")]
    Size {
        /// The column.
        column: usize,
        /// How many values it has.
        size: usize,
    },
    /// A constraint names a value that its column does not have.
    #[error("the column {column} has no value {value}: leave the constraint out")]
    Value {
        /// The column.
        column: usize,
        /// The value.
        value: u16,
    },
    /// A row of a table is not as long as the table is wide.
    #[error(
        "a row of an allowed table has {values} values for {columns} columns: give one a column"
    )]
    Width {
        /// How many columns the table has.
        columns: usize,
        /// How many values the row has.
        values: usize,
    },
    /// A row to be kept that there can't be.
    #[error("the row {0:?} is to be kept, and the model excludes it: leave it out")]
    Kept(Row),
    /// There can be no row at all.
    #[error("the constraints leave no row: take one of them out")]
    NoRow,
    /// There are more combinations than are held.
    #[error(
        "there are {combinations} combinations to be covered, and at most {most} are held: ask for a smaller strength"
    )]
    TooMany {
        /// How many there are.
        combinations: u128,
        /// How many are held.
        most: usize,
    },
}
