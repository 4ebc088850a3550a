//! How what is asked for beside a migration is refused, where the table says so.
//!
//! Attaching a device is a job that modifies the domain. The job of a migration lets queries, a destroy, an abort, a
//! suspend, the migration's own calls and, in newer releases, modifications that are safe for it in beside it (the mask of
//! `qemuMigrationJobStart`). The attach is none of these: it waits for its end, half a minute at the longest.

use super::{
    ErrorClass,
    classes::{ALREADY_ACTIVE, HELD, HELD_BY_JOB, NO_DOMAIN, REMOVED},
};
use crate::suites::recovery::axes::Strike;

/// The migration has taken the guest away: its domain is not running (virDomainObjUpdateModificationImpact), was removed
/// while the job was waited for (virDomainObjBeginJobInternal), or is not found any more (qemuDomainObjFromDomain); or the
/// migration has lasted for longer than the job is waited for.
const WAITED: &[ErrorClass] = &[ALREADY_ACTIVE, REMOVED, NO_DOMAIN, HELD, HELD_BY_JOB];

impl Strike {
    /// The classes of errors by which what is asked for beside the migration may be refused; `None` where any will do, or
    /// nothing is asked for that is to be refused.
    #[must_use]
    pub const fn refused_by(self) -> Option<&'static [ErrorClass]> {
        if matches!(self, Self::DeviceAttached) {
            Some(WAITED)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_further_job_has_errors_of_its_own() {
        let told = |strike: Strike| {
            let classes = strike.refused_by()?.iter();
            Some(
                classes
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(","),
            )
        };
        let all = Strike::ALL.into_iter();
        let with: Vec<_> = all.filter_map(|one| Some((one, told(one)?))).collect();
        let classes = "55/20,42/0,42/10,68/10,68/0".to_owned();
        assert_eq!(with, [(Strike::DeviceAttached, classes)]);
        assert!(with.iter().all(|(one, _)| one.is_further_job()));
    }
}
