//! `identity`: the guest's machine is the one that it had, where the guest is in the end.

use migratrix_history::{Outcome, Side, When};
use migratrix_matrix::Recovery;

use super::{
    ending::{chosen, retry},
    memory::side,
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        identity::identity_at,
    },
};

/// Where it is when the migration was tried once more, and that went well.
const RETRIED: (Side, When) = (Side::Destination, When::Retried);

/// The same machine before on the source, after on the side that has the guest, and on the destination after a retry
/// that went well. A guest that was started anew, or waited for its pages, is compared after the retry alone.
pub(super) fn identity(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    let Some((on, When::After)) = side(&chosen) else {
        return identity_at(evidence, RETRIED);
    };
    let first = identity_at(evidence, (on, When::After))?;
    if first != Verdict::Pass || !matches!(retry(evidence), Some(Outcome::Done)) {
        return Ok(first);
    }
    identity_at(evidence, RETRIED)
}
