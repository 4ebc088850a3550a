//! The test of the tester: each crime is caught by the condition that should catch it.

mod run;

use migratrix_fake::Crime;
use migratrix_history::{History, Observation};
use migratrix_matrix::{Backend, Condition, Control, Point, Profile, Trip};
use migratrix_reports::{Kind, judge};

fn verdict_on(crime: Crime, committed: Option<Crime>) -> (Kind, String) {
    let history = run::play(&run::case(Point::Tck(crime.scenario()), None), committed);
    let judgement = judge(&history);
    let verdict = judgement.of(crime.condition()).unwrap();
    (verdict.kind(), verdict.why().to_owned())
}

#[test]
fn each_crime_is_caught_by_its_condition() {
    for crime in Crime::ALL {
        let caught = match crime.how() {
            Trip::Fail => Kind::Fail,
            Trip::Unknown => Kind::Unknown,
        };
        let (kind, why) = verdict_on(crime, Some(crime));
        assert_eq!(
            kind,
            caught,
            "{}: {} said: {why}",
            crime.word(),
            crime.condition()
        );
    }
}

#[test]
fn its_condition_holds_where_the_crime_is_not_committed() {
    for crime in Crime::ALL {
        let (kind, why) = verdict_on(crime, None);
        assert_eq!(
            kind,
            Kind::Pass,
            "{}: {} said: {why}",
            crime.word(),
            crime.condition()
        );
    }
}

/// What was seen, without the times.
fn sights(history: &History) -> Vec<&Observation> {
    history.entries.iter().map(|entry| &entry.saw).collect()
}

#[test]
fn a_crime_that_can_be_seen_is_caught_on_every_scenario() {
    let points = Profile::TckFull.points(Backend::Fake).into_iter();
    let is_p2p = |point: &Point| matches!(point, Point::Tck(one) if one.control == Control::P2p);
    for (point, _) in points.filter(|(point, _)| is_p2p(point)) {
        let case = run::case(point, None);
        let honest = run::play(&case, None);
        for crime in Crime::ALL {
            let history = run::play(&case, Some(crime));
            let seen = sights(&history) != sights(&honest);
            let passes = judge(&history).overall().kind() == Kind::Pass;
            assert_eq!(passes, !seen, "{} on {case}", crime.word());
        }
    }
}

#[test]
fn every_condition_has_a_crime_to_catch() {
    for condition in Condition::of_libvirt() {
        let mut caught = Crime::ALL.into_iter().map(Crime::condition);
        assert!(
            caught.any(|one| one == *condition),
            "nothing tries {condition}"
        );
    }
}

#[test]
fn no_two_crimes_share_a_word() {
    let mut words = Crime::ALL.map(Crime::word);
    words.sort_unstable();
    assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
}
