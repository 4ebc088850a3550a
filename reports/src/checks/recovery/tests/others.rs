//! What is said of the guests that migrate beside the case's own.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each edit picks one kind of observation"
)]

use migratrix_history::{CallBeside, When};

use super::*;

const STRIKE: &str = "crossing";

/// How a guest stands on both sides that went the other way.
const ARRIVED: [&str; 2] = ["running", "absent"];

/// What is said of a case beside which others migrate: whether they did so while its own guest was held, what their calls
/// were answered, and where they are.
fn said(calls: Vec<CallBeside>, stand: Option<[&str; 2]>) -> [Kind; 3] {
    let case = CASE.replace("cancelled", STRIKE);
    let mut history = struck_in(&case, SENT, STRIKE, Deed::Beside { guests: calls });
    let answered = Observation::Answered {
        within_us: 1,
        outcome: Outcome::Done,
    };
    step(&mut history, Verb::Answer, vec![answered]);
    let stand = stand.map(|both| both.map(glimpse));
    let stand = stand.map(|[source, destination]| Observation::Beside {
        guest: 0,
        source,
        destination,
    });
    step(&mut history, Verb::Strike, stand.into_iter().collect());
    let there = arrived(&history);
    step(&mut history, Verb::Inspect, there.into());
    [Condition::Struck, Condition::Answered, Condition::Owner].map(|one| kind(&history, one))
}

/// The case's own guest is on the destination, as it must be.
fn arrived(history: &History) -> [Observation; 2] {
    let mut looks = history.entries.iter().map(|entry| &entry.saw);
    let before = looks.find_map(|saw| match saw {
        Observation::Domain {
            look: DomainState::Present(domain),
            ..
        } => Some(domain.clone()),
        _ => None,
    });
    let mut domain = before.unwrap();
    domain.reason = "migrated".to_owned();
    [(S, DomainState::Absent), (D, DomainState::Present(domain))].map(|(side, look)| {
        let when = When::After;
        Observation::Domain { side, when, look }
    })
}

/// The call of the one that goes the other way, in the time in which the case's own is held.
fn call(outcome: Outcome) -> CallBeside {
    let held = struck(SENT, "cancelled", aborted(Outcome::Done));
    let began_us = held.entries.iter().find_map(|entry| match &entry.saw {
        Observation::Struck { began_us, .. } => Some(*began_us),
        _ => None,
    });
    let began_us = began_us.unwrap();
    CallBeside {
        from: D,
        began_us,
        ended_us: Some(began_us + 1),
        outcome,
    }
}

#[test]
fn one_that_crosses_is_proven_by_its_call_and_by_where_it_is() {
    let good = said(vec![call(Outcome::Done)], Some(ARRIVED));
    assert_eq!(good, [Kind::Pass; 3]);
}

#[test]
fn others_that_did_not_migrate_while_it_was_held_prove_nothing() {
    let struck = |calls| said(calls, Some(ARRIVED))[0];
    let good = call(Outcome::Done);
    let soon = CallBeside {
        began_us: 0,
        ..good.clone()
    };
    let late = CallBeside {
        ended_us: Some(u64::MAX),
        ..good.clone()
    };
    let unanswered = CallBeside {
        ended_us: None,
        ..good.clone()
    };
    let along = CallBeside {
        from: S,
        ..good.clone()
    };
    for calls in [
        vec![soon],
        vec![late],
        vec![unanswered],
        vec![along],
        vec![good.clone(), good],
        Vec::new(),
    ] {
        assert_eq!(struck(calls.clone()), Kind::Unknown, "{calls:?}");
    }
}

#[test]
fn the_call_of_each_must_end_as_it_is_to() {
    let refused = |code| {
        let message = "operation aborted".to_owned();
        call(Outcome::Refused(Refusal {
            code,
            domain: 10,
            message,
        }))
    };
    for call in [refused(78), refused(1)] {
        let said = said(vec![call], Some(ARRIVED));
        assert_eq!(said, [Kind::Pass, Kind::Fail, Kind::Pass]);
    }
    let why = "no answer".to_owned();
    let unknown = call(Outcome::Unknown { why });
    assert_eq!(said(vec![unknown], Some(ARRIVED))[1], Kind::Fail);
}

#[test]
fn each_runs_where_it_must_be_and_nowhere_else() {
    let owner = |stand| said(vec![call(Outcome::Done)], stand)[2];
    for wrong in [
        ["absent", "running"],
        ["absent", "absent"],
        ["running", "running"],
        ["running", "paused"],
        ["paused", "absent"],
    ] {
        assert_eq!(owner(Some(wrong)), Kind::Fail, "{wrong:?}");
    }
    assert_eq!(owner(Some(["running", "silent"])), Kind::Unknown);
    assert_eq!(owner(None), Kind::Unknown);
}
