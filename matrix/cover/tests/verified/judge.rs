//! What judges covers: by making all rows, with none of the code that makes covers.

use std::collections::BTreeSet;

use migratrix_cover::{Cell, Cover, Model, Row, Wanted};

/// A model, as it was written down.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    pub sizes: Vec<usize>,
    pub helping: Vec<usize>,
    pub forbidden: Vec<Vec<Cell>>,
    pub tables: Vec<(Vec<usize>, Vec<Row>)>,
}

/// What is to be covered and kept.
pub struct Ask {
    /// Columns, and how many of them are combined.
    parts: Vec<(Option<Vec<usize>>, usize)>,
    kept: Vec<Row>,
}

impl Ask {
    pub fn of(wanted: &Wanted) -> Self {
        let mut parts = vec![(None, wanted.strength)];
        for group in &wanted.groups {
            parts.push((Some(group.columns.clone()), group.strength));
        }
        let kept = wanted.kept.clone();
        Self { parts, kept }
    }
}

impl Constraints {
    pub fn model(&self) -> Model {
        let mut model = Model::new(&self.sizes);
        for size in &self.helping {
            model.help(*size);
        }
        for cells in &self.forbidden {
            model.forbid(cells);
        }
        for (columns, rows) in &self.tables {
            model.allow(columns, rows.clone());
        }
        model
    }

    /// All rows that there can be.
    pub fn rows(&self) -> BTreeSet<Row> {
        let sizes = [&*self.sizes, &*self.helping].concat();
        let mut rows = vec![Row::new()];
        for size in sizes {
            let longer = |row: Row| (0..size).map(move |value| [&*row, &[value as u16]].concat());
            rows = rows.into_iter().flat_map(longer).collect();
        }
        rows.retain(|row| self.allows(row));
        let shown = rows.into_iter().map(|row| row[..self.sizes.len()].to_vec());
        shown.collect()
    }

    fn allows(&self, row: &Row) -> bool {
        let has = |cells: &Vec<Cell>| cells.iter().all(|(column, value)| row[*column] == *value);
        let is_of = |(columns, rows): &(Vec<usize>, Vec<Row>)| {
            let own: Row = columns.iter().map(|column| row[*column]).collect();
            rows.contains(&own)
        };
        !self.forbidden.iter().any(has) && self.tables.iter().all(is_of)
    }
}

/// What is wrong with the cover, in words.
pub fn faults(constraints: &Constraints, ask: &Ask, cover: &Cover) -> Vec<String> {
    let rows = constraints.rows();
    let mut faults = Vec::new();
    for row in cover.rows.iter().filter(|row| !rows.contains(*row)) {
        faults.push(format!("there can't be the row {row:?}"));
    }
    if !cover.rows.starts_with(&ask.kept) {
        faults.push("the kept rows are not the first".to_owned());
    }
    let strongest = ask.parts.iter().map(|part| part.1).max().unwrap();
    if cover.levels.len() != strongest || cover.levels.last() != Some(&cover.rows.len()) {
        faults.push(format!("the levels are {:?}", cover.levels));
    }
    for (most, &end) in (1..).zip(&cover.levels) {
        for (columns, strength) in &ask.parts {
            let all = (0..constraints.sizes.len()).collect();
            let columns = columns.clone().unwrap_or(all);
            for chosen in subsets(&columns, (*strength).min(most)) {
                let there = values(&cover.rows[..end], &chosen);
                for missing in values(&rows, &chosen).difference(&there) {
                    faults.push(format!(
                        "{missing:?} of {chosen:?} is not among the first {end}"
                    ));
                }
            }
        }
    }
    faults
}

/// What occurs in the columns.
pub fn values<'a>(rows: impl IntoIterator<Item = &'a Row>, columns: &[usize]) -> BTreeSet<Row> {
    let own = |row: &Row| columns.iter().map(|column| row[*column]).collect();
    rows.into_iter().map(own).collect()
}

/// All choices of so many of the columns.
fn subsets(columns: &[usize], length: usize) -> Vec<Vec<usize>> {
    let masks = (0_u32..1 << columns.len()).filter(|mask| mask.count_ones() as usize == length);
    let chosen = |mask: u32| {
        let places = (0..columns.len()).filter(|place| mask >> place & 1 == 1);
        places.map(|place| columns[place]).collect()
    };
    masks.map(chosen).collect()
}
