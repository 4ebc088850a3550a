//! The space: a number for each combination of values that is to be covered.

use itertools::Itertools;

use crate::{
    CoverError, Model,
    model::{Cell, Value},
    wanted::Group,
};

/// The most combinations of values that are held.
const MOST: usize = 1 << 26;

/// The number of a combination of values.
pub(crate) type Slot = u32;

/// All combinations of values that are to be covered, columns by columns.
pub(crate) struct Space {
    pub(crate) columns: usize,
    pub(crate) sizes: Vec<usize>,
    combinations: Vec<Combination>,
    /// Of all of them, the columns, and how far apart the slots of two neighbouring values are.
    strides: Vec<(u16, Slot)>,
    /// Of each column, the combinations that it is in, with its stride there.
    pub(crate) of_column: Vec<Vec<(u32, Slot)>>,
    /// How many slots there are.
    pub(crate) slots: usize,
}

/// Some columns: where their slots begin, and where their strides do.
struct Combination {
    base: Slot,
    strides: usize,
    length: u8,
}

impl Space {
    pub(crate) fn new(model: &Model, groups: &[Group]) -> Result<Self, CoverError> {
        let columns = model.columns();
        let sizes = model.sizes()[..columns].to_vec();
        for group in groups {
            check_size(&sizes, group)?;
        }
        let mut space = Self {
            columns,
            combinations: Vec::new(),
            strides: Vec::new(),
            of_column: vec![Vec::new(); columns],
            slots: 0,
            sizes,
        };
        for (place, group) in groups.iter().enumerate() {
            let chosen = group.columns.iter().copied().sorted();
            let chosen = chosen.combinations(group.strength);
            for columns in chosen.filter(|chosen| !is_elsewhere(chosen, place, groups)) {
                space.add(&columns);
            }
        }
        if space.slots > MOST {
            return Err(too_many(space.slots as u128));
        }
        Ok(space)
    }

    fn add(&mut self, columns: &[usize]) {
        let number = self.combinations.len() as u32;
        self.combinations.push(Combination {
            base: self.slots as Slot,
            strides: self.strides.len(),
            length: columns.len() as u8,
        });
        let mut stride = 1;
        for &column in columns {
            self.strides.push((column as u16, stride as Slot));
            self.of_column[column].push((number, stride as Slot));
            stride *= self.sizes[column];
        }
        self.slots += stride;
    }

    /// How many sets of columns are combined.
    pub(crate) fn combinations(&self) -> usize {
        self.combinations.len()
    }

    /// The slots of the combination, one after the other.
    pub(crate) fn slots_of(&self, number: usize) -> std::ops::Range<usize> {
        let end = self.combinations.get(number + 1);
        let end = end.map_or(self.slots, |next| next.base as usize);
        self.base(number) as usize..end
    }

    /// The slot of the combination in which all values are the first ones.
    pub(crate) fn base(&self, number: usize) -> Slot {
        self.combinations[number].base
    }

    /// How many columns the combination has.
    pub(crate) fn length(&self, number: usize) -> u8 {
        self.combinations[number].length
    }

    /// The columns of the combination, each with its stride.
    pub(crate) fn strides(&self, number: usize) -> &[(u16, Slot)] {
        let Combination {
            strides, length, ..
        } = self.combinations[number];
        &self.strides[strides..strides + usize::from(length)]
    }

    /// The slot of the combination that `row` is in.
    pub(crate) fn slot(&self, number: usize, row: &[Value]) -> Slot {
        let strides = self.strides(number).iter();
        let values = strides.map(|&(column, stride)| Slot::from(row[usize::from(column)]) * stride);
        self.base(number) + values.sum::<Slot>()
    }

    /// The slots that `row` is in.
    pub(crate) fn slots_in(&self, row: &[Value]) -> impl Iterator<Item = Slot> {
        (0..self.combinations.len()).map(|number| self.slot(number, row))
    }

    /// The combination that the slot is of.
    fn combination_of(&self, slot: Slot) -> usize {
        self.combinations.partition_point(|one| one.base <= slot) - 1
    }

    /// The columns and values of a slot.
    pub(crate) fn cells(&self, slot: Slot) -> impl Iterator<Item = Cell> {
        let number = self.combination_of(slot);
        let rest = slot - self.base(number);
        self.strides(number).iter().map(move |&(column, stride)| {
            let column = usize::from(column);
            (
                column,
                (rest as usize / stride as usize % self.sizes[column]) as Value,
            )
        })
    }
}

/// Whether another group has these columns among its own, and combines more of them; of two groups that
/// combine as many, the first has them.
fn is_elsewhere(columns: &[usize], place: usize, groups: &[Group]) -> bool {
    let own = groups[place].strength;
    let mut others = groups
        .iter()
        .enumerate()
        .filter(|(other, group)| group.strength > own || group.strength == own && *other < place);
    others.any(|(_, group)| columns.iter().all(|column| group.columns.contains(column)))
}

/// That the combinations of values of the group can be held: they are counted, and not made for it.
fn check_size(sizes: &[usize], group: &Group) -> Result<(), CoverError> {
    let mut of_length = vec![0_u128; group.strength + 1];
    of_length[0] = 1;
    for &column in &group.columns {
        for length in (1..=group.strength).rev() {
            let more = of_length[length - 1].saturating_mul(sizes[column] as u128);
            of_length[length] = of_length[length].saturating_add(more);
        }
    }
    match of_length[group.strength] {
        all if all > MOST as u128 => Err(too_many(all)),
        _ => Ok(()),
    }
}

const fn too_many(combinations: u128) -> CoverError {
    CoverError::TooMany {
        combinations,
        most: MOST,
    }
}
