//! The few questions that tests and tools ask of a history. The checks have their own, which say
//! why an answer is missing.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use crate::{History, Look, Observation, Outcome, Side, Verb, When};

impl History {
    /// How the last step of that kind ended; `None` where none has.
    #[must_use]
    pub fn outcome_of(&self, of: Verb) -> Option<&Outcome> {
        self.last(|saw| match saw {
            Observation::Ended { verb, outcome, .. } if *verb == of => Some(outcome),
            _ => None,
        })
    }

    /// What the host said of the domain at that look; the last word where it was asked twice.
    #[must_use]
    pub fn look(&self, of: Side, at: When) -> Option<&Look> {
        self.last(|saw| match saw {
            Observation::Domain { side, when, look } if (*side, *when) == (of, at) => Some(look),
            _ => None,
        })
    }

    /// The life-cycle events that the host sent, each with its detail, in the order of the record.
    pub fn lifecycle(&self, of: Side) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .filter_map(move |entry| match &entry.saw {
                Observation::Lifecycle {
                    side,
                    event,
                    detail,
                } if *side == of => Some((event.as_str(), detail.as_str())),
                _ => None,
            })
    }

    fn last<'a, T>(&'a self, pick: impl Fn(&'a Observation) -> Option<T>) -> Option<T> {
        self.entries.iter().rev().find_map(|entry| pick(&entry.saw))
    }
}
