//! The steps of two guests in lock-step.

use std::fmt;

use migratrix_history::{Side, Verb};

use super::word;

/// A step of COLO: what the pair is told, or done to it.
///
/// The source is the primary, the destination the secondary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColoStep {
    /// Set capabilities and parameters on a side, ask them back, and record what it says.
    Configure(Side),
    /// Lay a relay between the two sides, through which the source then migrates.
    Relay,
    /// Wait until both sides have been through a further checkpoint, then record the beat of both
    /// guests, each within the time between two checkpoints.
    AwaitCheckpoint,
    /// Hold both guests still at the same lap: the primary's first, and the secondary's by a
    /// checkpoint. No other one comes until there is one more on demand.
    Hold,
    /// Compare the memory of both sides, page by page.
    Mirror,
    /// Let both guests go on: the primary's first, and the secondary's by a checkpoint.
    Release,
    /// Lose this side, in the moment and the way that the case names.
    Lose(Side),
    /// Record whether a side's monitor answers.
    AskMonitor(Side),
    /// Yank the migration's connection on a side, out of band (`yank`), where it has the command.
    Yank(Side),
    /// Kill a side that is taken for lost, so that it can't run beside the survivor.
    Fence(Side),
    /// Tell the survivor that the other is lost (`x-colo-lost-heartbeat`).
    LostHeartbeat(Side),
    /// Wait until the survivor has left COLO and runs, or has told all that it will; record what it
    /// says of COLO.
    AwaitExit(Side),
    /// Start another QEMU on the lost side's place, which waits for a stream.
    Refill(Side),
    /// Turn the capabilities of COLO off on the survivor.
    LeaveColo(Side),
    /// Migrate the survivor to the other side, by plain precopy, until it has ended there.
    Onward(Side),
}

impl ColoStep {
    /// What the step is, whatever it is done to.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Configure(_) => Verb::Configure,
            Self::Relay => Verb::Listen,
            Self::AwaitCheckpoint => Verb::Checkpoint,
            Self::Hold | Self::Mirror | Self::Release => Verb::Mirror,
            Self::AskMonitor(_) => Verb::Inspect,
            Self::Lose(_) | Self::Yank(_) | Self::Fence(_) | Self::LostHeartbeat(_) => {
                Verb::Intervene
            }
            Self::AwaitExit(_) => Verb::Await,
            Self::Refill(_) | Self::LeaveColo(_) | Self::Onward(_) => Verb::Onward,
        }
    }

    /// The side that the step needs, where it is one alone.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Configure(side)
            | Self::Lose(side)
            | Self::AskMonitor(side)
            | Self::Yank(side)
            | Self::Fence(side)
            | Self::LostHeartbeat(side)
            | Self::AwaitExit(side)
            | Self::Refill(side)
            | Self::LeaveColo(side) => Some(*side),
            Self::Relay
            | Self::AwaitCheckpoint
            | Self::Hold
            | Self::Mirror
            | Self::Release
            | Self::Onward(_) => None,
        }
    }
}

impl fmt::Display for ColoStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configure(side) => write!(f, "configure {} for COLO", word(*side)),
            Self::Relay => f.write_str("lay a relay between the two sides"),
            Self::AwaitCheckpoint => f.write_str("await a checkpoint"),
            Self::Hold => f.write_str("hold both guests at a checkpoint"),
            Self::Mirror => f.write_str("compare the memory of both sides"),
            Self::Release => f.write_str("let both guests go on"),
            Self::Lose(side) => write!(f, "lose {}", word(*side)),
            Self::AskMonitor(side) => write!(f, "ask the monitor of {}", word(*side)),
            Self::Yank(side) => write!(f, "yank the connection on {}", word(*side)),
            Self::Fence(side) => write!(f, "fence {}", word(*side)),
            Self::LostHeartbeat(side) => write!(f, "tell {} that the other is lost", word(*side)),
            Self::AwaitExit(side) => write!(f, "await that {} has left COLO", word(*side)),
            Self::Refill(side) => write!(f, "start another QEMU on {}", word(*side)),
            Self::LeaveColo(side) => write!(f, "turn COLO off on {}", word(*side)),
            Self::Onward(side) => write!(f, "migrate once more from {}", word(*side)),
        }
    }
}
