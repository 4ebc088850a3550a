//! The two halves of cases, as the columns and tables that a cover is made of.
//!
//! A case is a tuple of releases and a point. The left half is the tuples, the right one the points, each
//! a list that is held anyhow; only their product is large, and is never held. Which points go with a
//! tuple is one set of points a tuple, and tuples with the same set are one group: without a filter there
//! is one group, and with one there are as many as it tells tuples apart. The groups are a helping column
//! of the model: a table of the left half says which tuple is of which group, and one of the right half
//! which points are. Where cases are named one by one, the left half is one that says nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use itertools::Itertools;
use migratrix_cover::{Model, Row, Value};

use crate::point::Facet;

/// One of the left half, and one of the right.
pub(crate) type Both = (usize, usize);

/// Both halves, and what goes with what.
pub(crate) struct Halves {
    left: Half,
    right: Half,
    /// Of each of the left half, its group; `None` where nothing goes with it.
    group: Vec<Option<usize>>,
    /// Of each group, whether each of the right half goes with it.
    groups: Vec<Vec<bool>>,
}

/// Things of one half, with the columns in which those differ that anything goes with.
pub(crate) struct Half {
    /// All axes, those that don't vary among them.
    axes: Vec<String>,
    varying: Vec<String>,
    /// Of each word that filters ask by the axes that it asks of.
    asked_by: BTreeMap<String, BTreeSet<String>>,
    pub(crate) sizes: Vec<usize>,
    /// Of each thing, its values; of one that nothing goes with, none.
    pub(crate) rows: Vec<Row>,
}

/// What a thing is, axis by axis.
type Named = HashMap<String, String>;

impl Half {
    /// What has none of an axis has that as its value.
    pub(crate) fn new(things: Vec<Vec<Facet>>, is_used: impl Fn(usize) -> bool) -> Self {
        let all = things.len();
        let used = things
            .into_iter()
            .enumerate()
            .filter(|(number, _)| is_used(*number));
        let used = used.map(|(number, facets)| {
            let facets = facets.into_iter().map(|one| (one.axis, one.text));
            (number, facets.collect())
        });
        let used: Vec<(usize, Named)> = used.collect();
        let axes = used.iter().flat_map(|(_, thing)| thing.keys());
        let axes: Vec<String> = axes.unique().sorted().cloned().collect();
        let mut half = Self {
            axes: Vec::new(),
            varying: Vec::new(),
            asked_by: BTreeMap::new(),
            sizes: Vec::new(),
            rows: vec![Row::new(); all],
        };
        for axis in &axes {
            half.add(axis, &used);
        }
        half.axes = axes;
        for (axis, text) in used.iter().flat_map(|(_, thing)| thing) {
            let word = text.trim_start_matches('!').split('(').next();
            let of = half.asked_by.entry(word.unwrap_or_default().to_owned());
            of.or_default().insert(axis.clone());
        }
        half
    }

    /// Adds the column of the axis, if it varies.
    fn add(&mut self, axis: &str, used: &[(usize, Named)]) {
        let mut numbers = HashMap::new();
        let values = used.iter().map(|(_, thing)| {
            let next = numbers.len() as Value;
            *numbers.entry(thing.get(axis)).or_insert(next)
        });
        let values: Vec<Value> = values.collect();
        if numbers.len() > 1 {
            self.varying.push(axis.to_owned());
            self.sizes.push(numbers.len());
            for ((number, _), value) in used.iter().zip(values) {
                self.rows[*number].push(value);
            }
        }
    }
}

impl Halves {
    /// Both halves. `goes` is asked once of each of the left with each of the right.
    ///
    /// # Errors
    /// Returns the first error of `goes`.
    pub(crate) fn new<E>(
        left: Vec<Vec<Facet>>,
        right: Vec<Vec<Facet>>,
        mut goes: impl FnMut(Both) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let mut numbers: HashMap<Vec<bool>, usize> = HashMap::new();
        let mut group = Vec::new();
        for one in 0..left.len() {
            let with = (0..right.len()).map(|other| goes((one, other)));
            let with: Vec<bool> = with.collect::<Result<_, _>>()?;
            let next = numbers.len();
            let any = with.contains(&true);
            group.push(any.then(|| *numbers.entry(with).or_insert(next)));
        }
        let groups = numbers.into_iter().sorted_by_key(|(_, number)| *number);
        let groups: Vec<Vec<bool>> = groups.map(|(with, _)| with).collect();
        Ok(Self {
            left: Half::new(left, |one| group[one].is_some()),
            right: Half::new(right, |one| groups.iter().any(|with| with[one])),
            group,
            groups,
        })
    }

    /// Things of which each is one by itself.
    pub(crate) fn alone(things: Vec<Vec<Facet>>) -> Self {
        let all = things.len();
        Self {
            left: Half::new(vec![Vec::new()], |_| true),
            right: Half::new(things, |_| true),
            group: vec![Some(0)],
            groups: vec![vec![true; all]],
        }
    }

    /// Whether nothing goes with anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the two go together.
    pub(crate) fn has(&self, (left, right): Both) -> bool {
        self.group[left].is_some_and(|group| self.groups[group][right])
    }

    /// The first two that go together.
    pub(crate) fn first(&self) -> Option<Both> {
        let mut left = self.group.iter().enumerate();
        left.find_map(|(left, group)| {
            let with = &self.groups[(*group)?];
            Some((left, with.iter().position(|goes| *goes)?))
        })
    }

    /// The axes that filters ask of by this word.
    pub(crate) fn asked_by(&self, word: &str) -> Vec<String> {
        let halves = [&self.left, &self.right].into_iter();
        let axes = halves.filter_map(|half| half.asked_by.get(word));
        axes.flatten().cloned().collect()
    }

    /// All axes.
    pub(crate) fn axes(&self) -> impl Iterator<Item = &String> {
        self.left.axes.iter().chain(&self.right.axes)
    }

    /// The columns: the axes that vary in one of the halves.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &String> {
        self.left.varying.iter().chain(&self.right.varying)
    }

    /// The columns with their values, and which rows there can be.
    pub(crate) fn model(&self) -> Model {
        let sizes = [&*self.left.sizes, &*self.right.sizes].concat();
        let (split, end) = (self.left.sizes.len(), sizes.len());
        let mut model = Model::new(&sizes);
        let group = model.help(self.groups.len());
        let columns: Vec<usize> = (0..split).chain([group]).collect();
        model.allow(&columns, self.left_rows().map(|(row, _)| row).collect());
        let columns: Vec<usize> = (split..end).chain([group]).collect();
        model.allow(&columns, self.right_rows().map(|(row, _)| row).collect());
        model
    }

    /// What the left half has in the model's first table, with its number.
    fn left_rows(&self) -> impl Iterator<Item = (Row, usize)> {
        let rows = self.left.rows.iter().zip(&self.group).enumerate();
        rows.filter_map(|(number, (row, group))| {
            let group = (*group)? as Value;
            Some((row.iter().copied().chain([group]).collect(), number))
        })
    }

    /// What the right half has in the model's second table, with its number.
    fn right_rows(&self) -> impl Iterator<Item = (Row, usize)> {
        let groups = self.groups.iter().enumerate();
        groups.flat_map(|(group, with)| {
            let rows = self.right.rows.iter().zip(with).enumerate();
            let rows = rows.filter(|(_, (_, goes))| **goes);
            rows.map(move |(number, (row, _))| {
                (
                    row.iter().copied().chain([group as Value]).collect(),
                    number,
                )
            })
        })
    }

    /// The row of the two.
    pub(crate) fn row(&self, (left, right): Both) -> Row {
        [&*self.left.rows[left], &*self.right.rows[right]].concat()
    }

    /// The two that each row stands for: of several the first.
    pub(crate) fn found(&self, rows: &[Row]) -> Vec<Both> {
        let split = self.left.sizes.len();
        let mut lefts: HashMap<&[Value], usize> = HashMap::new();
        for (number, row) in self
            .left
            .rows
            .iter()
            .enumerate()
            .filter(|(number, _)| self.group[*number].is_some())
        {
            lefts.entry(row).or_insert(number);
        }
        let mut rights: HashMap<Row, usize> = HashMap::new();
        for (row, number) in self.right_rows() {
            rights.entry(row).or_insert(number);
        }
        let both = rows.iter().map(|row| {
            let (left, right) = row.split_at(split);
            let left = *lefts.get(left)?;
            let group = self.group[left]? as Value;
            let right: Row = right.iter().copied().chain([group]).collect();
            Some((left, *rights.get(&right)?))
        });
        let both: Option<Vec<Both>> = both.collect();
        both.expect("each row of a cover is of both tables")
    }
}
