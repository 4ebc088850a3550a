//! What struck a migration, as the driver tells of it.

use migratrix_history::{Deed, Observation};

/// What was done, and when, in microseconds.
pub(super) struct Struck<'h> {
    pub(super) strike: &'h str,
    pub(super) began_us: u64,
    pub(super) deed: &'h Deed,
}

impl<'h> Struck<'h> {
    /// What is told of it, where something is.
    pub(super) fn of(saw: &'h Observation) -> Option<Self> {
        let Observation::Struck {
            strike,
            began_us,
            deed,
            ..
        } = saw
        else {
            return None;
        };
        Some(Self {
            strike,
            began_us: *began_us,
            deed,
        })
    }
}
