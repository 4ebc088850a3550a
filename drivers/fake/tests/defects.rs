//! The test of the tester: each defect is caught by the condition that should catch it.

mod run;

use migratrix_fake::Defect;
use migratrix_history::{History, Observation};
use migratrix_matrix::{Backend, Condition, Control, Detection, Point, Profile};
use migratrix_reports::{Kind, judge};

fn verdict_on(defect: Defect, committed: Option<Defect>) -> (Kind, String) {
    let history = run::play(&run::case(Point::Tck(defect.scenario()), None), committed);
    let judgement = judge(&history);
    let verdict = judgement.of(defect.condition()).unwrap();
    (verdict.kind(), verdict.why().to_owned())
}

#[test]
fn each_defect_is_caught_by_its_condition() {
    for defect in Defect::ALL {
        let caught = match defect.how() {
            Detection::Fail => Kind::Fail,
            Detection::Unknown => Kind::Unknown,
        };
        let (kind, why) = verdict_on(defect, Some(defect));
        assert_eq!(
            kind,
            caught,
            "{}: {} said: {why}",
            defect.word(),
            defect.condition()
        );
    }
}

#[test]
fn its_condition_holds_where_the_defect_is_not_there() {
    for defect in Defect::ALL {
        let (kind, why) = verdict_on(defect, None);
        assert_eq!(
            kind,
            Kind::Pass,
            "{}: {} said: {why}",
            defect.word(),
            defect.condition()
        );
    }
}

/// What was seen, without the times.
fn sights(history: &History) -> Vec<&Observation> {
    history.entries.iter().map(|entry| &entry.saw).collect()
}

#[test]
fn a_defect_that_can_be_seen_is_caught_on_every_scenario() {
    let points = Profile::TCK_FULL.points(Backend::Fake).into_iter();
    let is_p2p = |point: &Point| matches!(point, Point::Tck(one) if one.control == Control::P2p);
    for (point, _) in points.filter(|(point, _)| is_p2p(point)) {
        let case = run::case(point, None);
        let honest = run::play(&case, None);
        for defect in Defect::ALL {
            let history = run::play(&case, Some(defect));
            let seen = sights(&history) != sights(&honest);
            let passes = judge(&history).overall().kind() == Kind::Pass;
            assert_eq!(passes, !seen, "{} on {case}", defect.word());
        }
    }
}

#[test]
fn every_condition_has_a_defect_to_catch() {
    for condition in Condition::of_libvirt() {
        let mut caught = Defect::ALL.into_iter().map(Defect::condition);
        assert!(
            caught.any(|one| one == *condition),
            "nothing tries {condition}"
        );
    }
}

#[test]
fn no_two_defects_share_a_word() {
    let mut words = Defect::ALL.map(Defect::word);
    words.sort_unstable();
    assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
}
