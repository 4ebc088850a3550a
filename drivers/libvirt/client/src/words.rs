//! The words for libvirt's numbers: the names of its constants, without prefix and in lower case.
//!
//! The numbers are part of libvirt's ABI and count from 0; a number that a later release has added
//! is told as itself. Source: `libvirt-domain.h`.

const STATES: &[(&str, &[&str])] = &[
    ("nostate", &["unknown"]),
    (
        "running",
        &[
            "unknown",
            "booted",
            "migrated",
            "restored",
            "from-snapshot",
            "unpaused",
            "migration-canceled",
            "save-canceled",
            "wakeup",
            "crashed",
            "postcopy",
            "postcopy-failed",
        ],
    ),
    ("blocked", &["unknown"]),
    (
        "paused",
        &[
            "unknown",
            "user",
            "migration",
            "save",
            "dump",
            "ioerror",
            "watchdog",
            "from-snapshot",
            "shutting-down",
            "snapshot",
            "crashed",
            "starting-up",
            "postcopy",
            "postcopy-failed",
            "api-error",
        ],
    ),
    ("shutdown", &["unknown", "user"]),
    (
        "shutoff",
        &[
            "unknown",
            "shutdown",
            "destroyed",
            "crashed",
            "migrated",
            "saved",
            "failed",
            "from-snapshot",
            "daemon",
        ],
    ),
    ("crashed", &["unknown", "panicked"]),
    ("pmsuspended", &["unknown"]),
];

const EVENTS: &[(&str, &[&str])] = &[
    ("defined", &["added", "updated", "renamed", "from-snapshot"]),
    ("undefined", &["removed", "renamed"]),
    (
        "started",
        &[
            "booted",
            "migrated",
            "restored",
            "from-snapshot",
            "wakeup",
            "recreated",
        ],
    ),
    (
        "suspended",
        &[
            "paused",
            "migrated",
            "ioerror",
            "watchdog",
            "restored",
            "from-snapshot",
            "api-error",
            "postcopy",
            "postcopy-failed",
            "guest-shutdown",
        ],
    ),
    (
        "resumed",
        &[
            "unpaused",
            "migrated",
            "from-snapshot",
            "postcopy",
            "postcopy-failed",
        ],
    ),
    (
        "stopped",
        &[
            "shutdown",
            "destroyed",
            "crashed",
            "migrated",
            "saved",
            "failed",
            "from-snapshot",
            "recreated",
        ],
    ),
    ("shutdown", &["finished", "guest", "host"]),
    ("pmsuspended", &["memory", "disk"]),
    ("crashed", &["panicked", "crashloaded"]),
];

const JOBS: &[&str] = &[
    "none",
    "bounded",
    "unbounded",
    "completed",
    "failed",
    "cancelled",
];

const OPERATIONS: &[&str] = &[
    "unknown",
    "start",
    "save",
    "restore",
    "migration-in",
    "migration-out",
    "snapshot",
    "snapshot-revert",
    "dump",
    "backup",
    "snapshot-delete",
];

/// The words of a `virDomainState` and its reason.
pub fn state(state: i32, reason: i32) -> (String, String) {
    pair(STATES, state, reason)
}

/// The words of a `virDomainEventType` and its detail.
pub fn event(event: i32, detail: i32) -> (String, String) {
    pair(EVENTS, event, detail)
}

/// The word of a `virDomainJobType`.
pub fn job(kind: i32) -> String {
    word(JOBS, kind)
}

/// The word of a `virDomainJobOperation`.
pub fn operation(operation: i32) -> String {
    word(OPERATIONS, operation)
}

fn pair(table: &[(&str, &[&str])], first: i32, second: i32) -> (String, String) {
    match usize::try_from(first).ok().and_then(|row| table.get(row)) {
        Some((name, reasons)) => ((*name).to_owned(), word(reasons, second)),
        None => (first.to_string(), second.to_string()),
    }
}

fn word(table: &[&str], number: i32) -> String {
    usize::try_from(number)
        .ok()
        .and_then(|row| table.get(row))
        .map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use virt::sys;

    use super::*;

    #[test]
    fn the_words_are_those_of_libvirts_constants() {
        let number = |constant: u32| i32::try_from(constant).unwrap();
        let running = number(sys::VIR_DOMAIN_RUNNING);
        assert_eq!(
            state(running, number(sys::VIR_DOMAIN_RUNNING_MIGRATED)).1,
            "migrated"
        );
        let paused = number(sys::VIR_DOMAIN_PAUSED);
        let api_error = number(sys::VIR_DOMAIN_PAUSED_API_ERROR);
        assert_eq!(
            state(paused, api_error),
            ("paused".into(), "api-error".into())
        );
        let stopped = number(sys::VIR_DOMAIN_EVENT_STOPPED);
        let migrated = number(sys::VIR_DOMAIN_EVENT_STOPPED_MIGRATED);
        assert_eq!(
            event(stopped, migrated),
            ("stopped".into(), "migrated".into())
        );
        assert_eq!(job(number(sys::VIR_DOMAIN_JOB_CANCELLED)), "cancelled");
        let backup = number(sys::VIR_DOMAIN_JOB_OPERATION_BACKUP);
        assert_eq!(operation(backup), "backup");
    }

    #[test]
    fn a_number_that_is_not_known_is_told_as_itself() {
        assert_eq!(state(1, 99), ("running".into(), "99".into()));
        assert_eq!(state(-1, 3), ("-1".into(), "3".into()));
    }
}
