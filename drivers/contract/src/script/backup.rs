//! The script of a chain of backups.

use migratrix_matrix::Backup;

use crate::{Phase, Step};

/// The steps of a chain.
pub(super) fn steps(_backup: &Backup) -> Vec<(Phase, Step)> {
    Vec::new()
}
