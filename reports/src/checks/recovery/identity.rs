//! `identity`: the guest's machine is the one that it had, where the guest is in the end.

use migratrix_history::{Side, When};
use migratrix_matrix::Recovery;

use super::{ending::chosen, memory::side};
use crate::checks::{
    evidence::{Evidence, Judged},
    identity::identity_at,
};

/// The same machine before on the source, and after on the side that has the guest. A guest that was started anew, or
/// waited for its pages, is compared where it is after the retry.
pub(super) fn identity(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    match side(&chosen) {
        Some((on, When::After)) => identity_at(evidence, (on, When::After)),
        Some(_) | None => identity_at(evidence, (Side::Destination, When::Retried)),
    }
}
