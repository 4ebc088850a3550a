//! What is said of what is asked for beside a migration.

use super::*;

/// What this case has to say of a call for a further job that ended so.
fn further(outcome: Outcome) -> (Kind, Kind) {
    let strike = "device-attached";
    let deed = Deed::Asked {
        call: "attach-device".to_owned(),
        outcome,
    };
    let mut history = struck_in(&CASE.replace("cancelled", strike), SENT, strike, deed);
    let answered = Observation::Answered {
        within_us: 1,
        outcome: Outcome::Done,
    };
    step(&mut history, Verb::Answer, vec![answered]);
    (lands(&history), kind(&history, Condition::Answered))
}

#[test]
fn a_device_that_is_asked_for_beside_a_migration_is_refused_for_that_and_for_nothing_else() {
    let refused = |code, domain| {
        let message = "domain is not running".to_owned();
        further(Outcome::Refused(Refusal {
            code,
            domain,
            message,
        }))
    };
    // How both sides stand was not seen, which is asked only of a call that ended as it should.
    for (code, domain) in [(55, 20), (42, 0), (68, 10), (68, 0)] {
        assert_eq!(refused(code, domain), (Kind::Pass, Kind::Unknown), "{code}");
    }
    for (code, domain) in [(1, 10), (67, 10), (55, 10)] {
        assert_eq!(refused(code, domain), (Kind::Pass, Kind::Fail), "{code}");
    }
    assert_eq!(further(Outcome::Done), (Kind::Pass, Kind::Fail));
}
