//! The steps of two guests in lock-step.

use std::fmt;

use migratrix_history::{Side, Verb};

use super::word;

/// A step of COLO: what the pair is told, or done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColoStep {
    /// Tell the survivor that the other is lost (`x-colo-lost-heartbeat`).
    LostHeartbeat(Side),
}

impl ColoStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::LostHeartbeat(_) => Verb::Intervene,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::LostHeartbeat(side) => Some(*side),
        }
    }
}

impl fmt::Display for ColoStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostHeartbeat(side) => write!(f, "tell {} that the other is lost", word(*side)),
        }
    }
}
