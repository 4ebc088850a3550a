//! The one question that tests and tools ask of a history. The checks have their own, which say
//! why an answer is missing.

use crate::{Entry, History, Observation, Outcome, Verb};

impl History {
    /// How the last step of that kind ended; `None` where none has.
    #[must_use]
    pub fn outcome_of(&self, verb: Verb) -> Option<&Outcome> {
        let mut ends = self.entries.iter().rev().filter_map(Entry::end);
        ends.find(|(of, _)| *of == verb).map(|(_, outcome)| outcome)
    }
}

impl Entry {
    fn end(&self) -> Option<(Verb, &Outcome)> {
        if let Observation::Ended { verb, outcome, .. } = &self.saw {
            Some((*verb, outcome))
        } else {
            None
        }
    }
}
