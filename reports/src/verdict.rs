//! Verdicts: what came of a condition, or of a whole case.

use serde::{Deserialize, Serialize};

/// What came of one condition, or of a whole case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// It holds, and there is evidence for it.
    Pass,
    /// It does not hold.
    Fail {
        /// What was expected, what was seen, and where.
        why: String,
    },
    /// We could not see whether it holds.
    Unknown {
        /// What stood in the way.
        why: String,
    },
    /// It was not tried.
    Skipped {
        /// The ability that is missing.
        why: String,
    },
}

/// A verdict without its reason: what tallies count and tables show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// [`Verdict::Pass`].
    Pass,
    /// [`Verdict::Fail`].
    Fail,
    /// [`Verdict::Unknown`].
    Unknown,
    /// [`Verdict::Skipped`].
    Skipped,
}

impl Verdict {
    /// A failure, and why.
    pub fn fail(why: impl Into<String>) -> Self {
        Self::Fail { why: why.into() }
    }

    /// An unknown, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// A skip, and the ability that is missing.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }

    /// Pass if `holds`, else the failure that `why` explains.
    pub fn pass_if(holds: bool, why: impl FnOnce() -> String) -> Self {
        if holds {
            Self::Pass
        } else {
            Self::Fail { why: why() }
        }
    }

    /// The verdict without its reason.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Pass => Kind::Pass,
            Self::Fail { .. } => Kind::Fail,
            Self::Unknown { .. } => Kind::Unknown,
            Self::Skipped { .. } => Kind::Skipped,
        }
    }

    /// The reason; empty for a pass.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail { why } | Self::Unknown { why } | Self::Skipped { why } => why,
        }
    }
}

impl Kind {
    /// All values, the good one first.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Unknown, Self::Skipped];

    /// The word that reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}
