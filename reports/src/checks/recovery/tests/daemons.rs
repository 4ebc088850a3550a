//! What is said of the hosts' daemons.

use migratrix_history::When;

use super::*;
use crate::checks::recovery::daemons::ANSWER_US;

#[test]
fn a_daemon_answers_within_a_second_beside_what_it_waited_for_a_processor() {
    let answers = |answered_us, waited_us| {
        let mut history = history(CASE);
        for when in [When::Before, When::After] {
            let seen = Side::BOTH.map(|side| Observation::Daemon {
                side,
                when,
                pid: 1,
                started: 1,
                answered_us,
                waited_us,
            });
            step(&mut history, Verb::Inspect, seen.into());
        }
        kind(&history, Condition::Daemons)
    };
    for (answered, waited, kind) in [
        (Some(ANSWER_US), None, Kind::Pass),
        (Some(ANSWER_US + 1), None, Kind::Fail),
        (Some(ANSWER_US + 9), Some(9), Kind::Pass),
        (Some(ANSWER_US + 9), Some(8), Kind::Fail),
        (None, Some(9), Kind::Fail),
    ] {
        assert_eq!(answers(answered, waited), kind, "{answered:?}, {waited:?}");
    }
}
