//! Models: columns with their values, and which rows there can be.

use itertools::Itertools;

use crate::CoverError;

/// One of a column's values, counted from 0.
pub type Value = u16;

/// The value of each column.
pub type Row = Vec<Value>;

/// A column and one of its values.
pub type Cell = (usize, Value);

/// What stands in a row where no value was chosen yet.
pub(crate) const FREE: Value = Value::MAX;

/// Columns, and what excludes rows. A row can be if no forbidden combination is in it, and every table
/// has it, whatever helping columns hold.
#[derive(Clone, Debug)]
pub struct Model {
    /// Of each column, and of each helping one after them.
    sizes: Vec<usize>,
    columns: usize,
    pub(crate) forbidden: Vec<Vec<Cell>>,
    pub(crate) tables: Vec<Table>,
}

/// Of some columns, the combinations that are allowed.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<usize>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    /// Whether it allows everything.
    pub(crate) fn has_all(&self, sizes: &[usize]) -> bool {
        let all = self.columns.iter().map(|column| sizes[*column] as u128);
        self.rows.iter().unique().count() as u128 == all.fold(1, u128::saturating_mul)
    }
}

impl Model {
    /// So many columns as there are `sizes`, each with so many values, and no constraint.
    #[must_use]
    pub fn new(sizes: &[usize]) -> Self {
        Self {
            sizes: sizes.to_vec(),
            columns: sizes.len(),
            forbidden: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// A helping column, for constraints to name: no row shows it, and nothing of it is covered. Two
    /// tables that share one say of which rows of the one go with which of the other.
    pub fn help(&mut self, size: usize) -> usize {
        self.sizes.push(size);
        self.sizes.len() - 1
    }

    /// No row has all of these cells.
    pub fn forbid(&mut self, cells: &[Cell]) {
        self.forbidden.push(cells.to_vec());
    }

    /// Each row has in `columns` what one of these `rows` has.
    pub fn allow(&mut self, columns: &[usize], rows: Vec<Row>) {
        self.tables.push(Table {
            columns: columns.to_vec(),
            rows,
        });
    }

    /// How many columns a row has.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// How many values each column has, with the helping ones.
    pub(crate) fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    pub(crate) fn check(&self) -> Result<(), CoverError> {
        let free = usize::from(FREE);
        for (column, &size) in self.sizes.iter().enumerate() {
            if !(1..=free).contains(&size) {
                return Err(CoverError::Size { column, size });
            }
        }
        for cells in &self.forbidden {
            self.check_cells(cells.iter().copied())?;
        }
        self.tables
            .iter()
            .try_for_each(|table| self.check_table(table))
    }

    fn check_table(&self, table: &Table) -> Result<(), CoverError> {
        if let Some(&twice) = table.columns.iter().duplicates().next() {
            return Err(CoverError::Column(twice));
        }
        let columns = table.columns.len();
        for row in &table.rows {
            if row.len() != columns {
                let values = row.len();
                return Err(CoverError::Width { columns, values });
            }
            let cells = table.columns.iter().copied().zip(row.iter().copied());
            self.check_cells(cells)?;
        }
        Ok(())
    }

    fn check_cells(&self, cells: impl Iterator<Item = Cell>) -> Result<(), CoverError> {
        for (column, value) in cells {
            let size = self.sizes.get(column).ok_or(CoverError::Column(column))?;
            if usize::from(value) >= *size {
                return Err(CoverError::Value { column, value });
            }
        }
        Ok(())
    }
}
