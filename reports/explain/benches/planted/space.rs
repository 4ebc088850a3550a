//! The cases of a selection as a table, and which of them a plan tries.

use std::{cmp::Ordering, collections::HashMap};

use fixedbitset::FixedBitSet;
use migratrix_explain::{Column, Kind, Row, Table, Values};
use migratrix_matrix::{Case, Facet, Releases, Role, Selection, cover};

/// All feasible cases of a selection.
pub struct Space {
    pub cases: Vec<Case>,
    pub columns: Vec<Column>,
    values: Vec<Vec<Option<u8>>>,
    /// The places of the columns of source and destination.
    pub sides: Vec<usize>,
    /// The place of the column of the direction: the version of the source is newer, equal or older.
    pub direction: usize,
}

/// The name of the axis that is all words of a state together.
const STATE: &str = "state";

/// What a case is, trait by trait, and all words of its state together.
fn traits(case: &Case) -> Vec<Facet> {
    let mut all = case.facets();
    let words = all.iter().filter(|one| one.text.starts_with("state("));
    let text = words
        .map(|one| one.text.as_str())
        .collect::<Vec<_>>()
        .join(" & ");
    if !text.is_empty() {
        let axis = STATE.to_owned();
        all.push(Facet { axis, text });
    }
    all
}

/// The places of the ordered columns.
const ROLES: [&str; 3] = ["client", "source", "destination"];

impl Space {
    pub fn of(selection: &Selection, releases: &Releases) -> Self {
        let cases = selection.whole(releases).expect("there are cases");
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut words: Vec<Vec<String>> = Vec::new();
        let mut values: Vec<Vec<Option<u8>>> = Vec::new();
        for case in &cases {
            let mut row = vec![None; words.len()];
            for facet in traits(case) {
                let place = *places.entry(facet.axis.clone()).or_insert(words.len());
                if place == words.len() {
                    words.push(Vec::new());
                    row.push(None);
                    if ROLES.contains(&facet.axis.as_str()) {
                        let names = releases.names();
                        words[place] = names
                            .map(|name| format!("{}({name})", facet.axis))
                            .collect();
                    }
                }
                let known = words[place].iter().position(|word| *word == facet.text);
                let value = known.unwrap_or_else(|| {
                    words[place].push(facet.text.clone());
                    words[place].len() - 1
                });
                row[place] = u8::try_from(value).ok();
            }
            values.push(row);
        }
        let sides = [Role::Source, Role::Destination].map(|role| places[role.word()]);
        let mut columns = vec![None; words.len()];
        for (axis, place) in places {
            let kind = match axis.as_str() {
                one if ROLES.contains(&one) => Kind::Ordered,
                STATE => Kind::Single,
                _ => Kind::Unordered {
                    families: families(&words[place]),
                },
            };
            columns[place] = Some(Column {
                group: place,
                values: words[place].len(),
                kind,
            });
        }
        let mut columns: Vec<Column> = columns.into_iter().flatten().collect();
        let direction = columns.len();
        columns.push(Column {
            group: direction,
            values: 3,
            kind: Kind::Unordered {
                families: [[0, 1], [0, 2], [1, 2]].map(Values::from_iter).to_vec(),
            },
        });
        for row in &mut values {
            row.resize(direction, None);
            let [source, destination] = sides.map(|side| row[side]);
            row.push(Some(match destination.cmp(&source) {
                Ordering::Less => 0,
                Ordering::Equal => 1,
                Ordering::Greater => 2,
            }));
        }
        Self {
            direction,
            cases,
            columns,
            values,
            sides: sides.to_vec(),
        }
    }

    pub fn tried(&self, strength: Option<usize>) -> FixedBitSet {
        let mut tried = FixedBitSet::with_capacity(self.cases.len());
        match strength {
            None => tried.insert_range(..),
            Some(strength) => {
                let places: HashMap<_, _> = self.cases.iter().zip(0..).collect();
                for case in cover(&self.cases, strength).expect("few enough combinations") {
                    tried.insert(places[&case]);
                }
            }
        }
        tried
    }

    pub fn table(&self) -> Table {
        let rows = self.values.iter().map(|values| Row {
            values: values.clone(),
            ..Row::default()
        });
        let table = Table::new(self.columns.clone(), rows.collect()).expect("a table");
        let table = table.placed_by(self.sides.clone());
        table.with_unchosen(vec![self.direction])
    }
}

/// The values whose words begin alike, up to the first `-`.
fn families(words: &[String]) -> Vec<Values> {
    let mut all: HashMap<&str, Vec<u8>> = HashMap::new();
    for (word, value) in words.iter().zip(0..) {
        if let Some(end) = word.find('-') {
            all.entry(&word[..end]).or_default().push(value);
        }
    }
    let several = all.into_values().filter(|values| values.len() > 1);
    several.map(|values| values.into_iter().collect()).collect()
}
