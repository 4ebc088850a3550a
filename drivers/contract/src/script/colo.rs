//! The script of two guests in lock-step.

use migratrix_matrix::{Colo, Raw};

use crate::{Phase, Step};

/// The migration that lies under the pair.
pub(super) fn underneath(colo: &Colo) -> Raw {
    Raw {
        machine: colo.machine,
        accelerator: colo.accelerator,
        ..Raw::USUAL
    }
}

/// The steps of a pair, of which one is lost.
pub(super) fn steps(_colo: &Colo) -> Vec<(Phase, Step)> {
    Vec::new()
}
