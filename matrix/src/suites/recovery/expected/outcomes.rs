//! The ways in which a migration that is struck ends: who has the guest, and how both sides stand then.

use super::{Answer, Ending, ErrorClass, FlagEffect, Owner, Remedy, Standing};
use crate::suites::recovery::{axes::RecoveryMoment, point::Recovery};

/// How the domain stands on the source when it has what it had: in the state of before, with a reason of
/// its own where it had been stopped. libvirt starts it again (`migration-canceled`), or QEMU has done that
/// already (`unpaused`), which it does not once it has completed.
pub(super) const fn as_it_was(point: &Recovery) -> Standing {
    Standing::Active(if !point.runs() {
        &[("paused", "user")]
    } else if matches!(point.moment, RecoveryMoment::Finish | RecoveryMoment::Reply) {
        &[("running", "migration-canceled")]
    } else if point.moment.is_stopped() {
        &[("running", "unpaused"), ("running", "migration-canceled")]
    } else {
        &[("running", "booted")]
    })
}

/// How it stands there when it was stopped for the switchover, and nobody has resumed it.
pub(super) const fn left_paused(point: &Recovery) -> Standing {
    Standing::Active(if point.runs() {
        &[("paused", "migration")]
    } else {
        &[("paused", "user")]
    })
}

/// How it stands on the destination when it has come.
pub(super) const fn arrived(point: &Recovery) -> Standing {
    Standing::Active(if point.runs() {
        &[("running", "migrated")]
    } else {
        &[("paused", "user")]
    })
}

/// The migration fails, and the source has the guest.
pub(super) const fn stays(
    point: &Recovery,
    classes: &'static [ErrorClass],
    rule: &'static str,
) -> Ending {
    Ending {
        answer: Answer::Error(classes),
        owner: Owner::Source,
        source: as_it_was(point),
        destination: Standing::Clear,
        flags: FlagEffect::None,
        remedy: Remedy::Nothing,
        rule,
    }
}

/// The destination has the guest, and the source knows it.
pub(super) const fn gone_over(point: &Recovery, answer: Answer, rule: &'static str) -> Ending {
    Ending {
        answer,
        owner: Owner::Destination,
        source: Standing::Inactive(&["migrated"]),
        destination: arrived(point),
        flags: FlagEffect::Both,
        remedy: Remedy::Nothing,
        rule,
    }
}

/// Nobody has the guest: its configuration is shut off on the source for this reason.
pub(super) const fn lost(
    answer: Answer,
    reasons: &'static [&'static str],
    rule: &'static str,
) -> Ending {
    Ending {
        answer,
        owner: Owner::Nobody,
        source: Standing::Inactive(reasons),
        destination: Standing::Clear,
        flags: FlagEffect::None,
        remedy: Remedy::StartAnew,
        rule,
    }
}

/// As [`lost`], after success: what the flags ask for has taken effect.
pub(super) const fn lost_after(rule: &'static str) -> Ending {
    Ending {
        flags: FlagEffect::Both,
        ..lost(Answer::Success, &["migrated"], rule)
    }
}

/// The same, and the caller is told so.
pub(super) const fn success(point: &Recovery, rule: &'static str) -> Ending {
    gone_over(point, Answer::Success, rule)
}

/// The source keeps the guest, paused, and the destination is cleared.
pub(super) const fn paused_on_source(
    point: &Recovery,
    answer: Answer,
    rule: &'static str,
) -> Ending {
    let remedy = if point.runs() {
        Remedy::Resume
    } else {
        Remedy::Nothing
    };
    Ending {
        answer,
        source: left_paused(point),
        remedy,
        ..stays(point, &[], rule)
    }
}

/// The destination has the guest, and the source keeps it too, paused.
pub(super) const fn paused_beside(point: &Recovery, answer: Answer, rule: &'static str) -> Ending {
    Ending {
        source: left_paused(point),
        flags: FlagEffect::Destination,
        remedy: Remedy::DestroySource,
        ..gone_over(point, answer, rule)
    }
}
