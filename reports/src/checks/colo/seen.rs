//! What the history of a COLO pair holds, by question.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Observation, Side, Verb, When};
use serde_json::Value;

use crate::checks::{beats::READING_US, evidence::Evidence};

/// The memory of both sides, compared.
pub(super) struct Mirror<'h> {
    pub at_us: u64,
    pub lap: u32,
    pub pages: u64,
    pub differing: &'h [u64],
}

/// What a side says of COLO.
pub(super) struct Status<'h> {
    pub mode: &'h str,
    pub last_mode: &'h str,
    pub reason: &'h str,
}

/// A beat that was sampled between two checkpoints.
#[derive(Clone, Copy)]
pub(super) struct Lapped {
    pub from_us: u64,
    pub to_us: u64,
    pub first: u32,
    pub last: u32,
    pub beats: bool,
}

impl<'h> Evidence<'h> {
    /// When steps of this kind were begun, in microseconds.
    pub(super) fn all_began(&self, of: Verb) -> Vec<u64> {
        let all = self.all(|saw| match saw {
            Observation::Began { verb, .. } if *verb == of => Some(()),
            _ => None,
        });
        all.into_iter().map(|(at_us, ())| at_us).collect()
    }

    /// When a side sent an event of one of these names, and which.
    pub(super) fn sent(&self, of: Side, names: &[&str]) -> Vec<(u64, &'h str)> {
        self.all(|saw| match saw {
            Observation::Event { side, event, .. }
                if *side == of && names.contains(&event.as_str()) =>
            {
                Some(event.as_str())
            }
            _ => None,
        })
    }

    /// The data with which a side said that it leaves COLO.
    pub(super) fn colo_exit(&self, of: Side) -> Option<&'h Value> {
        self.last(|saw| match saw {
            Observation::Event {
                side, event, data, ..
            } if *side == of && event == "COLO_EXIT" => Some(data),
            _ => None,
        })
    }

    /// The beats of a guest while both ran in lock-step.
    pub(super) fn lapped(&self, of: Side) -> Vec<Lapped> {
        let all = self.all(|saw| match saw {
            Observation::Beat {
                side,
                when: When::During,
                first,
                last,
                window_us,
            } if *side == of => Some((*window_us, *first, *last)),
            _ => None,
        });
        let lapped = |(to_us, (window_us, first, last)): (u64, (u64, u32, u32))| Lapped {
            from_us: to_us.saturating_sub(window_us),
            to_us,
            first,
            last,
            beats: last > first && window_us >= READING_US,
        };
        all.into_iter().map(lapped).collect()
    }

    pub(super) fn mirror(&self) -> Option<Mirror<'h>> {
        let mut all = self.all(|saw| match saw {
            Observation::Mirror {
                lap,
                pages,
                differing,
            } => Some((*lap, *pages, differing)),
            _ => None,
        });
        let (at_us, (lap, pages, differing)) = all.pop()?;
        Some(Mirror {
            at_us,
            lap,
            pages,
            differing,
        })
    }

    pub(super) fn colo_status(&self, of: Side) -> Option<Status<'h>> {
        self.last(|saw| match saw {
            Observation::Colo {
                side,
                mode,
                last_mode,
                reason,
            } if *side == of => Some(Status {
                mode,
                last_mode,
                reason,
            }),
            _ => None,
        })
    }

    /// Whether a side's monitor answered, each time that it was asked.
    pub(super) fn answers(&self, of: Side) -> Vec<bool> {
        let all = self.all(|saw| match saw {
            Observation::Monitor { side, answered, .. } if *side == of => Some(*answered),
            _ => None,
        });
        all.into_iter().map(|(_, answered)| answered).collect()
    }
}
