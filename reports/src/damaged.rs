//! What of a run's files, or of its shards, can't be believed: what is said of it, and by which rows of a report that
//! is told already, so that one defect counts once.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::Case;

use crate::{Run, Standing};

/// What can't be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// What it is, and the mend.
    pub told: String,
    /// What it is damage of.
    pub of: DamageOf,
}

/// What is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageOf {
    /// A file that is of no case, or of all.
    Files,
    /// What was left of these cases.
    Cases(BTreeSet<Case>),
    /// The directory of a shard that is missing.
    Shard,
}

/// What is damaged, by what is said of it: as [`DamageOf`], but for files.
pub(crate) type Damages = BTreeMap<String, DamageOf>;

impl Damaged {
    /// Damage of a file that is of no case, or of all.
    #[must_use]
    pub const fn of_files(told: String) -> Self {
        Self {
            told,
            of: DamageOf::Files,
        }
    }
}

impl Run {
    /// What can't be believed of it and is told by no case and by no missing shard: a case that is unknown, or has no
    /// verdict, says why.
    pub fn damage_beside_cases(&self) -> impl Iterator<Item = &str> {
        let all = self.damaged().iter().map(String::as_str);
        all.filter(|told| match self.damage_of(told) {
            DamageOf::Files => true,
            DamageOf::Cases(cases) => !cases.iter().all(|case| self.is_unseen(case)),
            DamageOf::Shard => self.missing_shards().is_empty(),
        })
    }

    /// Why the verdict of a case is not there, where it was and is lost.
    pub(crate) fn why_lost(&self, case: &Case) -> Option<String> {
        let told = self.damaged().iter().filter(
            |told| matches!(self.damage_of(told), DamageOf::Cases(cases) if cases.contains(case)),
        );
        let told: Vec<_> = told.map(String::as_str).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// What is said of the directories that were given for shards that are missing.
    pub(crate) fn shards_unread(&self) -> Vec<&str> {
        let all = self.damaged().iter().map(String::as_str);
        all.filter(|told| *self.damage_of(told) == DamageOf::Shard)
            .collect()
    }

    fn is_unseen(&self, case: &Case) -> bool {
        match self.judgement(case) {
            Some(judgement) => judgement.standing() == Standing::Unknown,
            None => self.planned().contains(case),
        }
    }
}
