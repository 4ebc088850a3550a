//! The plan of a run: what was selected, as it is written to `plan.json`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Case, Release, Releases, RunOptions, SelectError, Selection};

/// Everything that a run, and whoever reads it later, has to know of what is to be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// The number of this form, [`Plan::FORMAT`].
    pub format: u32,
    /// What was asked for.
    pub selection: Selection,
    /// How it was to be run. Plans of earlier versions don't say.
    #[serde(default)]
    pub options: RunOptions,
    /// The releases that the cases name, with their versions, in the order of the known ones.
    pub releases: Vec<Release>,
    /// How many cases all shards together have. Plans of earlier versions don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<usize>,
    /// What the list of known failures is told by: another list has another mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The files that a run by it writes beside its histories and verdicts, and that can't be made again: one that
    /// is not there is lost. Plans of earlier versions don't say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<String>,
    /// The cases, in the order in which they are to be run.
    pub cases: Vec<Case>,
}

/// Why a text is no plan that we can use.
#[derive(Debug, Error)]
pub enum BadPlan {
    /// It is of a later version of Migratrix.
    #[error(
        "the plan has format {format}, and this version reads formats up to {}: use a newer migratrix",
        Plan::FORMAT
    )]
    Newer {
        /// Its format.
        format: u32,
    },
    /// No version of Migratrix has written such a plan.
    #[error("the plan has format 0, and they are counted from 1")]
    NoFormat,
    /// It is not what a plan looks like.
    #[error("the text is not a plan")]
    Malformed(#[from] serde_json::Error),
}

impl Plan {
    /// The form that is written, and the newest that is read.
    pub const FORMAT: u32 = 1;

    /// What a run keeps beside its histories and verdicts: see [`Plan::keeps`].
    pub const KEPT: [&str; 2] = ["concluded.jsonl", "sessions.jsonl"];

    /// Plans the cases of `selection`.
    ///
    /// # Errors
    /// Returns the error of [`Selection::cases`].
    pub fn new(selection: Selection, releases: &Releases) -> Result<Self, SelectError> {
        let whole = selection.whole(releases)?;
        let count = whole.len();
        let cases = selection.part(whole)?;
        let named = |release: &&Release| {
            let of = |case: &Case| case.tuple.places().any(|(_, name)| *name == release.name);
            cases.iter().any(of)
        };
        Ok(Self {
            format: Self::FORMAT,
            selection,
            options: RunOptions::default(),
            releases: releases.iter().filter(named).cloned().collect(),
            whole: Some(count),
            known: None,
            keeps: Self::KEPT.map(str::to_owned).to_vec(),
            cases,
        })
    }

    /// The plan that `json` is the text of.
    ///
    /// # Errors
    /// Returns why it is none.
    pub fn from_json(json: &str) -> Result<Self, BadPlan> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_str(json)?;
        if format == 0 {
            return Err(BadPlan::NoFormat);
        }
        if format > Self::FORMAT {
            return Err(BadPlan::Newer { format });
        }
        Ok(serde_json::from_str(json)?)
    }

    /// Its text, which ends in a line's end. The same plan always has the same text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a plan has only strings for keys") + "\n"
    }
}
