//! Cases as rows of a table, and what a literal of it is in the language of filters.

mod direction;
mod made;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_explain::{Column, Kind, Literal, Table, Values};
use migratrix_matrix::{HostSetup, Releases, Role, Version};

use super::{
    Trial,
    trial::on,
    values::{facet_text, families},
};
use crate::ReportError;

/// The columns of a table of cases.
#[derive(Clone, Debug)]
pub(super) struct Columns(Vec<Axis>);

/// One column.
#[derive(Clone, Debug)]
struct Axis {
    /// What it is called: that of the releases at a place is the place.
    name: String,
    /// Which columns say the same in other words: those of one name.
    group: usize,
    words: Words,
}

/// What its values are called.
#[derive(Clone, Debug)]
enum Words {
    /// The filter that is true of each.
    Facets(Vec<String>),
    /// The versions of a program at a place, the oldest first.
    Versions(Role, Program, Vec<Version>),
    /// Those of [`direction::ALL`]: how the version of the source compares with that of the destination.
    Direction,
    /// The filter that is true of each, which says several words of one predicate.
    Wholes(Vec<String>),
    /// How the hosts are set up.
    Setups(Vec<HostSetup>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Libvirt,
    Qemu,
}

/// A filter that is true of all cases.
const ALL: &str = "name(*)";

/// How many of the roles that stand first are the sides of a jump.
const SIDES: usize = 2;

/// The value of each column of a case.
type Row = Vec<Option<u8>>;

impl Columns {
    /// The columns of these cases, and of each case its values.
    pub(super) fn of(trials: &[Trial], releases: &Releases) -> (Self, Vec<Row>) {
        let mut axes = Vec::new();
        let mut rows: Vec<Row> = vec![Row::new(); trials.len()];
        for (role, program) in made::versioned(trials) {
            made::versions(&mut axes, &mut rows, trials, releases, (role, program));
        }
        made::facets(&mut axes, &mut rows, trials);
        made::wholes(&mut axes, &mut rows, trials);
        made::direction(&mut axes, &mut rows, trials, releases);
        made::setups(&mut axes, &mut rows, trials);
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for axis in &mut axes {
            let next = groups.len();
            axis.group = *groups.entry(axis.name.clone()).or_insert(next);
        }
        (Self(axes), rows)
    }

    /// The columns, as a table takes them.
    pub(super) fn columns(&self) -> Vec<Column> {
        let column = |axis: &Axis| Column {
            group: axis.group,
            values: axis.words.count(),
            kind: match &axis.words {
                Words::Versions(..) => Kind::Ordered,
                Words::Facets(texts) => Kind::Unordered {
                    families: families(texts),
                },
                Words::Direction => Kind::Unordered {
                    families: direction::pairs(),
                },
                Words::Wholes(_) => Kind::Single,
                Words::Setups(_) => Kind::Unordered {
                    families: Vec::new(),
                },
            },
        };
        self.0.iter().map(column).collect()
    }

    /// Refuses an axis of more values than can be told apart.
    pub(super) fn demand_few(&self) -> Result<(), ReportError> {
        let most = Values::MOST;
        let mut all = self.0.iter().map(|axis| (axis, axis.words.count()));
        match all.find(|(_, count)| *count > most) {
            None => Ok(()),
            Some((axis, count)) => Err(ReportError::Values {
                axis: axis.name.clone(),
                count,
                most,
            }),
        }
    }

    /// Those that say from which release to which a case moves its guest.
    pub(super) fn sides(&self) -> Vec<usize> {
        let is_side = |axis: &Axis| {
            let side = [Role::Source, Role::Destination].map(Role::word);
            side.contains(&&*axis.name) && matches!(axis.words, Words::Facets(_))
        };
        let axes = self.0.iter().zip(0..);
        axes.filter_map(|(axis, place)| is_side(axis).then_some(place))
            .collect()
    }

    /// Those that say what nobody chose: how the hosts are set up, and whether a guest moves to other versions.
    pub(super) fn unchosen(&self) -> Vec<usize> {
        let axes = self.0.iter().zip(0..);
        let unchosen = axes.filter_map(|(axis, place)| match axis.words {
            Words::Setups(_) | Words::Direction => Some(place),
            Words::Facets(_) | Words::Versions(..) | Words::Wholes(_) => None,
        });
        unchosen.collect()
    }

    /// That which says how the hosts are set up, where they are set up in several ways.
    pub(super) fn setup(&self) -> Option<usize> {
        let is_setup = |axis: &Axis| matches!(axis.words, Words::Setups(_));
        self.0.iter().position(is_setup)
    }

    /// The filter that is true of the rows of all of these literals, but for what they say of how hosts are set
    /// up: without any it is one that is true of all.
    pub(super) fn filter(&self, table: &Table, literals: &[Literal]) -> String {
        let of_cases = self.of_cases(literals);
        if of_cases.is_empty() {
            return ALL.to_owned();
        }
        self.listed(table, &of_cases)
    }

    /// How hosts are set up by these literals; nothing where they don't say it.
    pub(super) fn setups(&self, literals: &[Literal]) -> Vec<HostSetup> {
        let own = literals.iter().map(|one| self.hosts(one));
        own.flatten().collect()
    }

    fn hosts(&self, literal: &Literal) -> Vec<HostSetup> {
        match &self.0[literal.column].words {
            Words::Setups(all) => literal
                .values
                .iter()
                .map(|one| all[usize::from(one)])
                .collect(),
            Words::Facets(_) | Words::Versions(..) | Words::Direction | Words::Wholes(_) => {
                Vec::new()
            }
        }
    }

    /// The literals that a filter can say: it is of a case, however its hosts are set up.
    pub(super) fn of_cases(&self, literals: &[Literal]) -> Vec<Literal> {
        let own = literals
            .iter()
            .filter(|one| Some(one.column) != self.setup());
        own.copied().collect()
    }

    fn listed(&self, table: &Table, literals: &[Literal]) -> String {
        let mut in_order = literals.to_vec();
        in_order.sort_by_key(|one| self.rank(one.column));
        let texts: Vec<_> = in_order.iter().map(|one| self.text(table, one)).collect();
        texts.join(" & ")
    }

    /// The same without what it says of source and destination; nothing where nothing is left.
    pub(super) fn traits(&self, table: &Table, literals: &[Literal]) -> String {
        let is_side = |one: &Literal| self.rank(one.column).0 < SIDES;
        let traits: Vec<_> = literals
            .iter()
            .filter(|one| !is_side(one))
            .copied()
            .collect();
        self.listed(table, &self.of_cases(&traits))
    }

    /// Source and destination stand first, as in a case's name what is migrated stands last.
    fn rank(&self, column: usize) -> (usize, usize) {
        let roles = [Role::Source, Role::Destination, Role::Client].map(Role::word);
        let place = match &self.0[column].words {
            Words::Direction => Some(SIDES - 1),
            Words::Facets(_) | Words::Versions(..) | Words::Wholes(_) | Words::Setups(_) => {
                roles.iter().position(|role| *role == self.0[column].name)
            }
        };
        (place.unwrap_or(roles.len()), column)
    }

    /// The filter that is true of the rows of a literal.
    pub(super) fn text(&self, table: &Table, literal: &Literal) -> String {
        match &self.0[literal.column].words {
            Words::Versions(role, program, versions) => {
                let of = |sign: &str, at: usize| {
                    format!("{}({}{sign}{})", role.word(), program.word(), versions[at])
                };
                let mut values = literal.values.iter().map(usize::from);
                let first = values.next().unwrap_or_default();
                let last = values.last().unwrap_or(first);
                let (is_first, is_last) = (first == 0, last + 1 == versions.len());
                match (is_first, is_last) {
                    // Nothing that was tried lies beyond it, or before it.
                    (_, _) if first == last => of("=", first),
                    (false, false) => format!("{} & {}", of(">=", first), of("<=", last)),
                    (_, true) => of(">=", first),
                    (true, false) => of("<=", last),
                }
            }
            Words::Facets(texts) => facet_text(table, literal, self.name(literal), texts),
            Words::Direction => {
                let own = literal.values.iter();
                direction::text(own.map(|one| direction::ALL[usize::from(one)].0))
            }
            Words::Wholes(texts) => {
                let own = literal.values.iter();
                let texts: Vec<_> = own.map(|one| &*texts[usize::from(one)]).collect();
                texts.join(" | ")
            }
            Words::Setups(_) => on(&self.hosts(literal)),
        }
    }

    /// What the axis of a literal is called.
    pub(super) fn name(&self, literal: &Literal) -> &str {
        &self.0[literal.column].name
    }

    /// The literal in other words, which are true of the same rows.
    pub(super) fn alike(&self, table: &Table, literal: &Literal) -> Vec<String> {
        let own = table.region(&[*literal]);
        let group = self.0[literal.column].group;
        let others = self.0.iter().enumerate();
        let others = others.filter(|(place, axis)| *place != literal.column && axis.group == group);
        let same = others.filter_map(|(column, _)| {
            let having = |value: &u8| {
                let values = Values::from_iter([*value]);
                let rows = table.region(&[Literal { column, values }]);
                !rows.is_clear() && rows.is_subset(&own)
            };
            let count = u8::try_from(self.0[column].words.count()).unwrap_or(u8::MAX);
            let values: Values = (0..count).filter(having).collect();
            let other = Literal { column, values };
            (values.count() > 0 && table.region(&[other]) == own).then(|| self.text(table, &other))
        });
        same.collect()
    }

    /// How hosts are set up in all rows of a cause that were tried, and in none that is beside it in one literal:
    /// what follows the setup and what follows that literal came out alike.
    pub(super) fn setup_alike(&self, table: &Table, literals: &[Literal]) -> Option<String> {
        let column = self.setup()?;
        let tried = |literals: &[Literal]| {
            let rows = table.region(literals);
            let rows = rows.ones().filter(|row| {
                let row = &table.rows()[*row];
                row.failed + row.passed > 0
            });
            rows.collect::<Vec<_>>()
        };
        let own = tried(literals);
        let setups = own
            .iter()
            .filter_map(|row| table.rows()[*row].values[column]);
        let values: Values = setups.collect();
        let instead = Literal { column, values };
        let others = literals.iter().enumerate().map(|(place, _)| {
            let mut others = literals.to_vec();
            others[place] = instead;
            others
        });
        let is_said = literals.iter().any(|one| one.column == column);
        let mut same = others.filter(|others| tried(others) == own);
        (!is_said && same.next().is_some()).then(|| on(&self.hosts(&instead)))
    }

    /// The names of the axes that have one value in all of these rows.
    pub(super) fn never_varied<'r>(
        &self,
        rows: impl Iterator<Item = &'r [Option<u8>]>,
    ) -> Vec<String> {
        let mut seen: Vec<BTreeSet<Option<u8>>> = vec![BTreeSet::new(); self.0.len()];
        for row in rows {
            row.iter().zip(&mut seen).for_each(|(value, seen)| {
                seen.insert(*value);
            });
        }
        let columns = self.0.iter().zip(seen);
        let facets = columns
            .filter(|(axis, seen)| seen.len() == 1 && matches!(axis.words, Words::Facets(_)));
        facets.map(|(axis, _)| axis.name.clone()).collect()
    }
}

impl Words {
    fn count(&self) -> usize {
        match self {
            Self::Facets(texts) => texts.len(),
            Self::Versions(_, _, versions) => versions.len(),
            Self::Direction => direction::ALL.len(),
            Self::Wholes(texts) => texts.len(),
            Self::Setups(all) => all.len(),
        }
    }
}

impl Program {
    const fn word(self) -> &'static str {
        match self {
            Self::Libvirt => "libvirt",
            Self::Qemu => "qemu",
        }
    }
}
