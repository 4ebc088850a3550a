//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is: seconds since 1970 UTC.
#[must_use]
pub fn now_unix() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
