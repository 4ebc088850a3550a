//! Small tables of all combinations of some values.

use migratrix_explain::{Column, Kind, Literal};

/// All combinations of so many values of each column; those of the last one change first.
pub fn rows<const N: usize>(sizes: [u8; N]) -> Vec<[u8; N]> {
    let mut rows = vec![[0; N]];
    for (column, values) in sizes.into_iter().enumerate() {
        let with = |row: [u8; N]| (0..values).map(move |value| (row, value));
        let all = rows.into_iter().flat_map(with);
        let all = all.map(|(mut row, value)| {
            row[column] = value;
            row
        });
        rows = all.collect();
    }
    rows
}

/// Columns of so many values, each of a group of its own, and of what kind that says.
pub fn columns(sizes: &[u8], kind: impl Fn(usize) -> Kind) -> Vec<Column> {
    let columns = sizes.iter().enumerate().map(|(group, values)| Column {
        group,
        values: usize::from(*values),
        kind: kind(group),
    });
    columns.collect()
}

/// Values in no order, and of no family.
pub const fn unordered() -> Kind {
    Kind::Unordered {
        families: Vec::new(),
    }
}

/// Some values of a column.
pub fn literal(column: usize, values: &[u8]) -> Literal {
    let values = values.iter().copied().collect();
    Literal { column, values }
}
