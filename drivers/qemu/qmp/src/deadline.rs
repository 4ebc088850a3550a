//! The moment until which something is awaited.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// A moment, and how far off it was when it was set. Several waits can share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    at: Instant,
    within: Duration,
}

/// Longer than this nothing is awaited: 30 years.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl Deadline {
    /// The moment that is `within` from now.
    #[must_use]
    pub fn after(within: Duration) -> Self {
        let within = within.min(FOR_EVER);
        let at = Instant::now() + within;
        Self { at, within }
    }

    /// Whether it has come.
    #[must_use]
    pub fn is_past(self) -> bool {
        Instant::now() >= self.at
    }

    /// The moment.
    #[must_use]
    pub const fn at(self) -> Instant {
        self.at
    }
}

impl From<Duration> for Deadline {
    fn from(within: Duration) -> Self {
        Self::after(within)
    }
}

/// In seconds from when it was set: `5 s`.
impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.within.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_of_any_length_can_be_set() {
        let far = Deadline::after(Duration::MAX);
        assert!(far.at() > Instant::now());
        assert_eq!(
            Deadline::after(Duration::from_millis(1500)).to_string(),
            "1.5 s"
        );
    }
}
