//! `alive`: a running guest beats on the destination and only there; a paused one doesn't beat.

use migratrix_history::{Look, Side, When};
use migratrix_matrix::Activity;

use super::evidence::{Beat, Evidence, Judged};
use crate::Verdict;

/// The guest beats where and only where it should.
pub(super) fn alive(evidence: &Evidence<'_>) -> Judged {
    let beat = evidence.beat(Side::Destination, When::After)?;
    let wanted = evidence.expected.destination_activity;
    if beat.beats() != (wanted == Activity::Running) {
        let host = evidence.host(Side::Destination);
        let is = if beat.beats() {
            "beats"
        } else {
            "does not beat"
        };
        return Ok(Verdict::fail(format!(
            "expected a {} guest, the one on {host} {is}: {}",
            wanted.word(),
            beat.told()
        )));
    }
    only_there(evidence)
}

/// The source has no active domain, and no beat where one was felt for.
fn only_there(evidence: &Evidence<'_>) -> Judged {
    let active = match evidence.look(Side::Source, When::After)? {
        Look::Present(domain) => domain.active,
        Look::Absent => false,
    };
    let beats = evidence
        .beat_if_felt(Side::Source, When::After)
        .is_some_and(Beat::beats);
    Ok(Verdict::pass_if(!active && !beats, || {
        let host = evidence.host(Side::Source);
        let is = if beats {
            "beats there too"
        } else {
            "is active there too"
        };
        format!("expected the guest on the destination only, and it {is}: {host}")
    }))
}
