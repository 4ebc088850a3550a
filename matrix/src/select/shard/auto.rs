//! The shard that the environment of a CI system or of a batch engine names, for `--shard auto`.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;

use super::{Shard, ShardBy};

/// Environment variables by their names.
pub type Environment = BTreeMap<String, String>;

/// A shard, and what it was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundShard {
    /// The shard.
    pub shard: Shard,
    /// The system whose variables name it.
    pub system: &'static str,
    /// The variables, as `CI_NODE_INDEX=2, CI_NODE_TOTAL=4`.
    pub by: String,
}

/// Why an environment names no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoShard {
    /// None of the variables is set.
    #[error(
        "--shard auto finds no variable that names a shard ({}): give it as INDEX/COUNT, as in --shard 2/4",
        every_pair()
    )]
    Nothing,
    /// A variable is set, and what belongs to it is not.
    #[error(
        "--shard auto finds {set} of {system}, and {lacks} is not set: {mend}, or give the shard as \
         INDEX/COUNT"
    )]
    Half {
        /// What is set, with its value.
        set: String,
        /// The system whose variable it is.
        system: &'static str,
        /// What is not.
        lacks: &'static str,
        /// What sets it.
        mend: &'static str,
    },
    /// A value is no number.
    #[error(
        "--shard auto finds {variable}=`{value}`, which is no number from 0 to {}",
        u32::MAX
    )]
    NoNumber {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The index is none of the shards.
    #[error("--shard auto finds {by} of {system}, and no shard has that index: {mend}")]
    Outside {
        /// The variables.
        by: String,
        /// The system whose variables they are.
        system: &'static str,
        /// What index would be right, or what sets it right.
        mend: String,
    },
    /// Two systems name different shards.
    #[error(
        "--shard auto finds {one}, and also {other}: unset the variables of one of them, or give the \
         shard as INDEX/COUNT"
    )]
    Several {
        /// The shard of the first, and what it was found by.
        one: String,
        /// That of the second.
        other: String,
    },
}

/// A system that tells a job which of several it is.
struct System {
    name: &'static str,
    /// The variable of the index.
    index: &'static str,
    /// The first index.
    from: First,
    /// The variable of the number of jobs.
    count: &'static str,
    /// What sets these variables.
    mend: &'static str,
}

/// What indexes begin with.
#[derive(Clone, Copy)]
enum First {
    /// A number.
    Is(u32),
    /// What a variable says.
    Said(&'static str),
}

const SYSTEMS: [System; 5] = [
    System {
        name: "GitLab CI",
        index: "CI_NODE_INDEX",
        from: First::Is(1),
        count: "CI_NODE_TOTAL",
        mend: "give the job `parallel: COUNT`",
    },
    System {
        name: "GitHub Actions",
        index: "STRATEGY_JOB_INDEX",
        from: First::Is(0),
        count: "STRATEGY_JOB_TOTAL",
        mend: "set both in the job's `env`, to ${{ strategy.job-index }} and ${{ strategy.job-total }}",
    },
    System {
        name: "Jenkins",
        index: "SHARD_INDEX",
        from: First::Is(1),
        count: "SHARD_COUNT",
        mend: "name the axis of the matrix SHARD_INDEX, and set SHARD_COUNT in `environment`",
    },
    System {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        from: First::Is(0),
        count: "JOB_COMPLETIONS",
        mend: "give the Job `completionMode: Indexed`, and its container JOB_COMPLETIONS in `env`",
    },
    System {
        name: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        from: First::Said(SLURM_MIN),
        count: "SLURM_ARRAY_TASK_COUNT",
        mend: "submit it by sbatch --array=1-COUNT",
    },
];

const SLURM_MIN: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_MAX: &str = "SLURM_ARRAY_TASK_MAX";

impl FoundShard {
    /// The shard that the environment names, dealt out in this way.
    ///
    /// # Errors
    /// Names the variables that say nothing, too little, or what can't be.
    pub fn of(environment: &Environment, by: ShardBy) -> Result<Self, NoShard> {
        let mut found: Option<Self> = None;
        let mut half = None;
        for system in &SYSTEMS {
            match system.shard(environment, by) {
                Ok(None) => {}
                // Another system may run within this one, or be told of it.
                Err(lacking @ NoShard::Half { .. }) => {
                    half.get_or_insert(lacking);
                }
                Err(wrong) => return Err(wrong),
                Ok(Some(shard)) => found = Some(alone(found, shard)?),
            }
        }
        found.ok_or_else(|| half.unwrap_or(NoShard::Nothing))
    }
}

/// The shard that was found, where another one was found before and is the same.
fn alone(before: Option<FoundShard>, found: FoundShard) -> Result<FoundShard, NoShard> {
    match before {
        Some(before) if before.shard != found.shard => Err(NoShard::Several {
            one: before.to_string(),
            other: found.to_string(),
        }),
        Some(before) => Ok(before),
        None => Ok(found),
    }
}

impl System {
    /// The shard by the variables of this system; none where none is set.
    fn shard(&self, all: &Environment, by: ShardBy) -> Result<Option<FoundShard>, NoShard> {
        let mut told = Vec::new();
        for name in self.variables() {
            match all.get(name) {
                Some(value) => told.push((name, number(name, value)?)),
                None if !self.variables().any(|one| all.contains_key(one)) => return Ok(None),
                None => return Err(self.half(all, name)),
            }
        }
        let text = told.iter().map(|(name, value)| format!("{name}={value}"));
        let text = text.collect::<Vec<_>>().join(", ");
        let (index, count) = (told[0].1, told[1].1);
        let from = match self.from {
            First::Is(from) => from,
            First::Said(_) => told[2].1,
        };
        let place = index.checked_sub(from).filter(|place| *place < count);
        let Some(place) = place.filter(|_| !self.has_gaps(all, from, count)) else {
            return Err(self.outside(text, from, count));
        };
        let index = place + 1;
        Ok(Some(FoundShard {
            shard: Shard { index, count, by },
            system: self.name,
            by: text,
        }))
    }

    /// Its variables: the index, the count, and what indexes begin with.
    fn variables(&self) -> impl Iterator<Item = &'static str> {
        let first = match self.from {
            First::Is(_) => None,
            First::Said(name) => Some(name),
        };
        [self.index, self.count].into_iter().chain(first)
    }

    /// Whether an array has fewer tasks than its ends say: no task knows its place then.
    fn has_gaps(&self, all: &Environment, from: u32, count: u32) -> bool {
        let last = match self.from {
            First::Is(_) => None,
            First::Said(_) => all.get(SLURM_MAX),
        };
        let last = last.and_then(|last| last.parse::<u32>().ok());
        last.is_some_and(|last| last.checked_sub(from) != count.checked_sub(1))
    }

    fn half(&self, all: &Environment, lacks: &'static str) -> NoShard {
        let set = self.variables().filter_map(|name| {
            let value = all.get(name)?;
            Some(format!("{name}={value}"))
        });
        NoShard::Half {
            set: set.collect::<Vec<_>>().join(", "),
            system: self.name,
            lacks,
            mend: self.mend,
        }
    }

    fn outside(&self, by: String, from: u32, count: u32) -> NoShard {
        let mend = match (self.from, count.checked_sub(1)) {
            (First::Said(_), _) => format!("{}, without gaps", self.mend),
            (First::Is(_), None) => self.mend.to_owned(),
            (First::Is(_), Some(last)) => {
                let last = u64::from(from) + u64::from(last);
                format!("{} is from {from} to {last}", self.index)
            }
        };
        NoShard::Outside {
            by,
            system: self.name,
            mend,
        }
    }
}

fn number(variable: &'static str, value: &str) -> Result<u32, NoShard> {
    value.trim().parse().map_err(|_| NoShard::NoNumber {
        variable,
        value: value.to_owned(),
    })
}

impl fmt::Display for FoundShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} of {}", self.shard, self.by, self.system)
    }
}

/// The variables of each system, for who has none.
fn every_pair() -> String {
    let told = SYSTEMS.map(|one| format!("{} and {} of {}", one.index, one.count, one.name));
    told.join(", ")
}

#[cfg(test)]
mod tests;
