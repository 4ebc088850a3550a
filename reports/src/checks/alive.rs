//! `alive`: a running guest beats where it should be and only there; a paused one doesn't beat.

use migratrix_history::{Look, Side, When};
use migratrix_matrix::Activity;

use super::{
    evidence::{Beat, Evidence, Judged},
    reasons::place,
};
use crate::Verdict;

/// The guest beats, or is still, on the side `on`, and is nowhere else.
pub(super) fn alive(evidence: &Evidence<'_>, on: Side, wanted: Activity) -> Judged {
    let beat = evidence.beat(on, When::After)?;
    if beat.beats() != (wanted == Activity::Running) {
        let host = evidence.host(on);
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
    only_there(evidence, on)
}

/// The other side has no active domain, and no beat where one was felt for.
fn only_there(evidence: &Evidence<'_>, on: Side) -> Judged {
    let other = on.other();
    let active = match evidence.look(other, When::After)? {
        Look::Present(domain) => domain.active,
        Look::Absent => false,
    };
    let beats = evidence
        .beat_if_felt(other, When::After)
        .is_some_and(Beat::beats);
    Ok(Verdict::pass_if(!active && !beats, || {
        let (host, there) = (evidence.host(other), place(on));
        let is = if beats {
            "beats there too"
        } else {
            "is active there too"
        };
        format!("expected the guest on {there} only, and it {is}: {host}")
    }))
}
