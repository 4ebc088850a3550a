//! The states that a migration has come through on one side.

/// The states in their order, how far they have been awaited, and the pass that began last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    states: Vec<String>,
    next: usize,
    /// The state from before a new attempt, which QEMU may still report.
    stale: Option<String>,
    passes: u64,
}

/// States from which a migration goes nowhere by itself.
const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

impl Trail {
    /// Adds a state of an event.
    pub(crate) fn push(&mut self, state: &str) {
        self.stale = None;
        self.states.push(state.to_owned());
    }

    /// Adds a state of a response to a query; says whether it is news.
    pub(crate) fn learn(&mut self, state: &str) -> bool {
        let is_old = self.states.last().is_some_and(|last| last == state)
            || self.stale.as_deref() == Some(state)
            || state == "none";
        if !is_old {
            self.push(state);
        }
        !is_old
    }

    /// How many states are known.
    pub(crate) fn count(&self) -> usize {
        self.states.len()
    }

    /// Whether the migration has come to `state` since what was awaited last; that counts as
    /// awaited then.
    pub(crate) fn take(&mut self, state: &str) -> bool {
        let place = self.states[self.next..]
            .iter()
            .position(|seen| seen == state);
        let now = self.is_at(state);
        if let Some(place) = place {
            self.next += place + 1;
        }
        place.is_some() || now
    }

    /// Whether the migration is in `state` now, by all that is known.
    pub(crate) fn is_at(&self, state: &str) -> bool {
        self.stale.is_none() && self.states.last().is_some_and(|last| last == state)
    }

    /// The end that the migration has come to since what was awaited last.
    pub(crate) fn end(&self) -> Option<&str> {
        let last = self.states.get(self.next..)?.last()?;
        ENDS.contains(&last.as_str()).then_some(last)
    }

    /// A new attempt begins: what was before counts no longer.
    pub(crate) fn begin(&mut self) {
        self.stale = self.states.last().cloned();
        self.next = self.states.len();
        self.passes = 0;
    }

    /// A pass over memory has begun.
    pub(crate) fn pass(&mut self, number: u64) {
        self.passes = self.passes.max(number);
    }

    /// How many passes have begun.
    pub(crate) const fn passes(&self) -> u64 {
        self.passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_was_passed_through_counts_once() {
        let mut trail = Trail::default();
        for state in ["setup", "active", "completed"] {
            trail.push(state);
        }
        assert!(trail.take("active"));
        assert!(!trail.take("setup"));
        assert_eq!(trail.end(), Some("completed"));
        assert!(trail.take("completed"));
        assert!(trail.take("completed"), "it is still there");
    }

    #[test]
    fn the_end_of_an_attempt_is_none_of_the_next() {
        let mut trail = Trail::default();
        for state in ["setup", "cancelled"] {
            trail.push(state);
        }
        trail.begin();
        assert!(!trail.learn("cancelled"));
        assert!(!trail.take("cancelled"));
        assert_eq!(trail.end(), None);
        assert!(trail.learn("setup"));
        assert!(trail.take("setup"));
        trail.push("cancelled");
        assert_eq!(trail.end(), Some("cancelled"));
    }
}
