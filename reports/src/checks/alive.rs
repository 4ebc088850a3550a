//! `alive`: a running guest's heartbeat advances where it should be and only there; a paused one's has
//! stopped.

use migratrix_history::{DomainState, Side, When};
use migratrix_matrix::Activity;

use super::{
    evidence::{Beat, Evidence, Judged},
    words::place,
};
use crate::Verdict;

/// The guest's heartbeat advances, or has stopped, on the side `on`, and the guest is nowhere else.
pub(super) fn alive(evidence: &Evidence<'_>, on: Side, wanted: Activity) -> Judged {
    let beat = evidence.beat(on, When::After)?;
    if beat.beats() != (wanted == Activity::Running) {
        let host = evidence.host(on);
        let is = if beat.beats() {
            "advances"
        } else {
            "has stopped"
        };
        return Ok(Verdict::fail(format!(
            "expected a {} guest, the heartbeat of the one on {host} {is}: {}",
            wanted.word(),
            beat.told()
        )));
    }
    only_there(evidence, on)
}

/// The other side has no active domain, and no heartbeat where one was sampled.
fn only_there(evidence: &Evidence<'_>, on: Side) -> Judged {
    let other = on.other();
    let active = match evidence.look(other, When::After)? {
        DomainState::Present(domain) => domain.active,
        DomainState::Absent => false,
    };
    let beats = evidence
        .beat_if_sampled(other, When::After)
        .is_some_and(Beat::beats);
    Ok(Verdict::pass_if(!active && !beats, || {
        let (host, there) = (evidence.host(other), place(on));
        let is = if beats {
            "runs there too"
        } else {
            "is active there too"
        };
        format!("expected the guest on {there} only, and it {is}: {host}")
    }))
}
