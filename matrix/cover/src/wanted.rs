//! What is wanted of a cover.

use itertools::Itertools;

use crate::{CoverError, Row};

/// What is to be covered, and how much is done for it to be few rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of how many columns, whichever they are, all combinations of values are to occur.
    pub strength: usize,
    /// Columns that are to be covered more strongly.
    pub groups: Vec<Group>,
    /// Rows that the cover has to have; they come first.
    pub kept: Vec<Row>,
    /// What the random choices begin with.
    pub seed: u64,
    /// How many changes the search tries, after the greedy pass.
    pub steps: u64,
}

/// Some columns that are to be covered by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The columns.
    pub columns: Vec<usize>,
    /// Of how many of them all combinations of values are to occur.
    pub strength: usize,
}

impl Wanted {
    /// The usual number of steps: about a second's for a plan of 700 rows.
    pub const STEPS: u64 = 50_000;

    /// A cover of this strength, and nothing special.
    #[must_use]
    pub const fn of_strength(strength: usize) -> Self {
        Self {
            strength,
            groups: Vec::new(),
            kept: Vec::new(),
            seed: 0,
            steps: Self::STEPS,
        }
    }

    /// The greatest strength in it.
    pub(crate) fn strongest(&self) -> usize {
        let groups = self.groups.iter().map(|group| group.strength);
        groups.fold(self.strength, usize::max)
    }

    pub(crate) fn check(&self, columns: usize) -> Result<(), CoverError> {
        check_strength(self.strength, columns)?;
        for group in &self.groups {
            let mut wrong = group.columns.iter().filter(|column| **column >= columns);
            let twice = group.columns.iter().duplicates().next();
            if let Some(&column) = wrong.next().or(twice) {
                return Err(CoverError::Column(column));
            }
            check_strength(group.strength, group.columns.len())?;
        }
        Ok(())
    }

    /// What is demanded at a level: of all columns, and of the groups, no strength greater than `most`.
    pub(crate) fn demands(&self, columns: usize, most: usize) -> Vec<Group> {
        let all = Group {
            columns: (0..columns).collect(),
            strength: self.strength,
        };
        let mut groups = vec![all];
        groups.extend(self.groups.iter().cloned());
        for group in &mut groups {
            group.strength = group.strength.min(most);
        }
        groups
    }
}

fn check_strength(strength: usize, columns: usize) -> Result<(), CoverError> {
    if (1..=columns).contains(&strength) {
        return Ok(());
    }
    Err(CoverError::Strength { strength, columns })
}
