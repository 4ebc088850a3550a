//! The states that a migration has come through on one side.

use migratrix_qmp::MigrationStatus;

/// The states in their order, how far they have been awaited, and the pass that began last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    states: Vec<MigrationStatus>,
    next: usize,
    /// The state from before a new attempt, which QEMU may still report.
    stale: Option<MigrationStatus>,
    passes: u64,
}

impl Trail {
    /// Adds a state of an event.
    pub(crate) fn push(&mut self, state: MigrationStatus) {
        self.stale = None;
        self.states.push(state);
    }

    /// Adds a state of a response to a query; says whether it is news.
    pub(crate) fn learn(&mut self, state: &MigrationStatus) -> bool {
        let is_old = self.states.last().is_some_and(|last| last == state)
            || self.stale.as_ref() == Some(state)
            || *state == MigrationStatus::None;
        if !is_old {
            self.push(state.clone());
        }
        !is_old
    }

    /// How many states are known.
    pub(crate) fn count(&self) -> usize {
        self.states.len()
    }

    /// Whether the migration has come to `state` since what was awaited last; that counts as
    /// awaited then.
    pub(crate) fn take(&mut self, state: &MigrationStatus) -> bool {
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
    pub(crate) fn is_at(&self, state: &MigrationStatus) -> bool {
        self.stale.is_none() && self.states.last().is_some_and(|last| last == state)
    }

    /// The end that the migration has come to since what was awaited last.
    pub(crate) fn end(&self) -> Option<&MigrationStatus> {
        let last = self.states.get(self.next..)?.last()?;
        last.is_final().then_some(last)
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
    use MigrationStatus::{Active, Cancelled, Completed, Setup};

    use super::*;

    #[test]
    fn a_state_that_was_passed_through_counts_once() {
        let mut trail = Trail::default();
        for state in [Setup, Active, Completed] {
            trail.push(state);
        }
        assert!(trail.take(&Active));
        assert!(!trail.take(&Setup));
        assert_eq!(trail.end(), Some(&Completed));
        assert!(trail.take(&Completed));
        assert!(trail.take(&Completed), "it is still there");
    }

    #[test]
    fn the_end_of_an_attempt_is_none_of_the_next() {
        let mut trail = Trail::default();
        for state in [Setup, Cancelled] {
            trail.push(state);
        }
        trail.begin();
        assert!(!trail.learn(&Cancelled));
        assert!(!trail.take(&Cancelled));
        assert_eq!(trail.end(), None);
        assert!(trail.learn(&Setup));
        assert!(trail.take(&Setup));
        trail.push(Cancelled);
        assert_eq!(trail.end(), Some(&Cancelled));
    }
}
