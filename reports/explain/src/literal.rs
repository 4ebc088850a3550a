//! A literal: that a row has one of some values of a column.

use std::collections::HashSet;

use crate::{Kind, Table, ranges::ranges};

/// A set of values of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Values(u128);

/// That a row has one of some values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The column's place.
    pub column: usize,
    /// The values.
    pub values: Values,
}

/// How the values of a literal are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    One,
    /// The values of an ordered column up to one, or from one on.
    Half,
    /// Those between two of an ordered column.
    Range,
    /// A family of values.
    Family,
    /// One by one.
    Several,
    /// All but some.
    AllBut,
}

/// What it costs more to say what nobody chose: whatever somebody did is told before it, and a list of three
/// values as well. It costs so little that it is likely enough to be asked for where nothing tells of it.
const UNCHOSEN: f64 = 1.8;
/// What it costs more to say what several other columns say together: two of them are told before it, and three are
/// not.
const WHOLE: f64 = 1.8;
/// What a list costs, whatever is in it, and what it costs to say what is not in it.
const LIST: f64 = 1.0;
const NOT_IN_LIST: f64 = 1.3;
/// What a value of a list costs, or a family.
const LISTED: f64 = 0.7;
/// What a value costs that a family is listed without: a family but for one is said sooner than three of it.
const EXCEPTED: f64 = 0.8;

impl Values {
    /// How many values a column can have.
    pub const MOST: usize = 128;

    /// The values one by one.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let value = u8::try_from(rest.trailing_zeros()).ok();
            let value = value.filter(|_| rest != 0)?;
            rest &= rest - 1;
            Some(value)
        })
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether a value is among them.
    #[must_use]
    pub const fn has(self, value: u8) -> bool {
        self.0 >> value & 1 == 1
    }

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<u8> for Values {
    fn from_iter<I: IntoIterator<Item = u8>>(values: I) -> Self {
        let add = |all: u128, value: u8| all | 1_u128.checked_shl(value.into()).unwrap_or(0);
        Self(values.into_iter().fold(0, add))
    }
}

impl Literal {
    /// How its values are told in this table.
    #[must_use]
    pub fn shape(&self, table: &Table) -> Shape {
        let column = &table.columns()[self.column];
        let there = table.there(self.column);
        let own = self.values.count();
        match &column.kind {
            Kind::Ordered => {
                let first = there.iter().next().is_some_and(|one| self.values.has(one));
                let last = there.iter().last().is_some_and(|one| self.values.has(one));
                match (first || last, own) {
                    (true, _) => Shape::Half,
                    (false, 1) => Shape::One,
                    (false, _) => Shape::Range,
                }
            }
            Kind::Single => Shape::One,
            Kind::Unordered { .. } if own == 1 => Shape::One,
            Kind::Unordered { families } if families.contains(&self.values) => Shape::Family,
            Kind::Unordered { families } => {
                let listed = LIST + listed(families, there, self.values);
                let but = NOT_IN_LIST + listed_but(families, there, self.values);
                if but < listed {
                    Shape::AllBut
                } else {
                    Shape::Several
                }
            }
        }
    }

    /// What it costs to say it: of equally good causes the cheapest is told.
    pub(crate) fn cost(&self, table: &Table) -> f64 {
        let there = table.there(self.column);
        let families: &[Values] = match &table.columns()[self.column].kind {
            Kind::Unordered { families } => families,
            Kind::Ordered | Kind::Single => &[],
        };
        let (is_unchosen, kind) = (
            table.is_unchosen(self.column),
            &table.columns()[self.column].kind,
        );
        let more = match kind {
            Kind::Single => WHOLE,
            Kind::Ordered | Kind::Unordered { .. } if is_unchosen => UNCHOSEN,
            Kind::Ordered | Kind::Unordered { .. } => 0.0,
        };
        let said = match self.shape(table) {
            Shape::One | Shape::Half => 1.5,
            // What it is not is as short.
            Shape::Family if is_unchosen => 1.5,
            Shape::Range | Shape::Family => 1.7,
            Shape::Several => LIST + listed(families, there, self.values),
            Shape::AllBut => NOT_IN_LIST + listed_but(families, there, self.values),
        };
        said + more
    }
}

/// What it costs to list values: one by one, or by their family where few of it are not meant.
fn listed(families: &[Values], there: Values, values: Values) -> f64 {
    let mut rest = values;
    let mut cost = 0.0;
    for family in families {
        let own = family.within(rest).count();
        let missing = family.within(there).without(values).count();
        let by_family = LISTED + EXCEPTED * small(missing);
        if by_family < LISTED * small(own) {
            cost += by_family;
            rest = rest.without(*family);
        }
    }
    cost + LISTED * small(rest.count())
}

/// What it costs to list the others.
fn listed_but(families: &[Values], there: Values, values: Values) -> f64 {
    listed(families, there, there.without(values))
}

fn small(count: usize) -> f64 {
    u8::try_from(count).map_or(256.0, f64::from)
}

/// Of each column of more than two values in no order all but one of them, but for what other literals of its group say
/// of every row.
pub(crate) fn negations(table: &Table) -> Vec<Literal> {
    let columns = table.columns().iter().enumerate();
    let all = columns.flat_map(|(column, info)| {
        let there = table.there(column);
        let families: &[Values] = match &info.kind {
            Kind::Unordered { families } if !table.is_unchosen(column) && there.count() > 2 => {
                families
            }
            Kind::Unordered { .. } | Kind::Ordered | Kind::Single => return Vec::new(),
        };
        let but = |value| there.without(Values::from_iter([value]));
        let sets = there.iter().map(but).filter(|one| !families.contains(one));
        let all = sets.map(|values| Literal { column, values });
        all.collect::<Vec<_>>()
    });
    let rows = |one: &Literal| (table.columns()[one.column].group, table.having(one));
    let mut seen: HashSet<_> = literals(table).iter().map(rows).collect();
    all.filter(|one| seen.insert(rows(one))).collect()
}

/// All literals that say something, but for lists of values: of those of one group that say the same
/// of every row, the first.
pub(crate) fn literals(table: &Table) -> Vec<Literal> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for (column, info) in table.columns().iter().enumerate() {
        let there = table.there(column);
        let sets: Vec<Values> = match &info.kind {
            Kind::Ordered => ranges(table, column),
            Kind::Single => there
                .iter()
                .map(|value| Values::from_iter([value]))
                .collect(),
            Kind::Unordered { families } => {
                let single = there.iter().map(|value| Values::from_iter([value]));
                single.chain(families.iter().copied()).collect()
            }
        };
        for values in sets {
            let literal = Literal { column, values };
            let rows = table.having(&literal);
            let says = !rows.is_clear() && rows.count_ones(..) < table.rows().len();
            if says && seen.insert((info.group, rows)) {
                all.push(literal);
            }
        }
    }
    all
}
