//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is: seconds since 1970 UTC.
#[must_use]
pub fn now_unix() -> u64 {
    now_unix_and_ms().0
}

/// What time it is: seconds since 1970 UTC, and the milliseconds that have passed since the last of them.
#[must_use]
pub fn now_unix_and_ms() -> (u64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    (since.as_secs(), since.subsec_millis())
}
