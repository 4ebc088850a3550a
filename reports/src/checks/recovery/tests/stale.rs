//! What both sides showed while they were watched binds what is found of the guest then.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::When;

use super::*;
use crate::checks::{evidence::Evidence, recovery::watched::gone_back};

/// A guest that was watched so, from 1 s to 2 s, at these laps.
fn lapped(side: Side, laps: [u32; 2]) -> Observation {
    let mut looks = watched(side, QEMU, (1_000, 2_000), "running");
    if let Observation::Watched { laps: seen, .. } = &mut looks {
        *seen = Some(laps);
    }
    looks
}

#[test]
fn a_guest_is_at_no_lap_before_one_that_was_watched() {
    let history = with(vec![lapped(S, [40, 90])]);
    let evidence = Evidence::of(&history);
    let back = |side, at_ms: u64, lap| gone_back(&evidence, side, (at_ms * 1_000, lap)).is_some();
    assert!(back(S, 3_000, 89) && back(D, 3_000, 89));
    assert!(!back(S, 3_000, 90) && !back(D, 3_000, 90));
    // While it is watched it is known where it was first.
    assert!(back(S, 1_500, 39) && !back(S, 1_500, 40));
    assert!(!back(S, 500, 0), "nothing was seen by then");
}

#[test]
fn what_the_destination_has_done_binds_no_guest_that_the_source_has() {
    let history = with(vec![lapped(D, [40, 90])]);
    let evidence = Evidence::of(&history);
    assert!(gone_back(&evidence, S, (3_000_000, 10)).is_none());
    assert!(gone_back(&evidence, D, (3_000_000, 10)).is_some());
}

/// Who has the guest of a case that was cancelled, whose source keeps it, and that was watched so.
fn owner(looks: Vec<Observation>) -> Kind {
    let mut history = struck(SENT, "cancelled", aborted(Outcome::Done));
    let before = history.entries.iter().find_map(|entry| match &entry.saw {
        Observation::Domain {
            look: DomainState::Present(domain),
            ..
        } => Some(domain.clone()),
        _ => None,
    });
    let mut domain = before.unwrap();
    domain.reason = "booted".to_owned();
    let after = [(S, DomainState::Present(domain)), (D, DomainState::Absent)];
    let after = after.map(|(side, look)| Observation::Domain {
        side,
        when: When::After,
        look,
    });
    step(&mut history, Verb::Inspect, after.into());
    step(&mut history, Verb::Watch, looks);
    kind(&history, Condition::Owner)
}

#[test]
fn a_source_that_keeps_the_guest_has_it_alone() {
    let there = |state| vec![watched(D, QEMU, (0, 1), state)];
    assert_eq!(owner(there("inmigrate")), Kind::Pass);
    assert_eq!(owner(there("running")), Kind::Fail);
    let mut beats = watched(D, QEMU, (0, 1), "paused");
    if let Observation::Watched { laps, .. } = &mut beats {
        *laps = Some([4, 9]);
    }
    assert_eq!(owner(vec![beats]), Kind::Fail);
}
