//! `alive`: a running guest's heartbeat advances where it should be and only there; a paused one's has
//! stopped.

use migratrix_history::{DomainState, Side, When};
use migratrix_matrix::{Activity, Point};

use super::{
    evidence::{Beat, Evidence, Judged},
    words::place,
};
use crate::Verdict;

/// The guest's heartbeat advances, or has stopped, on the side `on`, and the guest is nowhere else.
pub(super) fn alive(evidence: &Evidence<'_>, on: Side, wanted: Activity) -> Judged {
    // Where there is no guest at all, it was not read for any time.
    let is_there = evidence.any_beat(on, When::After)?.is_of_a_guest();
    if is_there {
        evidence.beat(on, When::After)?;
    }
    let beats = evidence.beats(on, When::After);
    let runs = wanted == Activity::Running;
    let host = evidence.host(on);
    let is_wrong = |beat: &&Beat| beat.beats() != runs || !beat.is_of_a_guest();
    if let Some(beat) = beats.iter().find(is_wrong) {
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
    // What the secondary of a pair is at, its checkpoints say.
    let is_pair = matches!(evidence.header().case.point, Point::Colo(_));
    let back = beats.iter().filter(|_| !is_pair);
    let mut back =
        back.filter_map(|beat| evidence.gone_back(on, *beat, &[When::Before, When::During]));
    if let Some(back) = back.next() {
        return Ok(back);
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
    let beats = evidence.beats(other, When::After);
    let beats = beats.into_iter().any(Beat::beats);
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
