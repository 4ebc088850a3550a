//! Without a defect everything holds, and each fault is detected by the condition that it belongs to.

mod run;

use migratrix_history::{Completeness, History};
use migratrix_matrix::{Backend, Fault, Profile};
use migratrix_reports::{Kind, judge};

#[test]
fn all_scenarios_of_the_full_profile_meet_all_conditions() {
    for (point, _) in Profile::TCK_FULL.points(Backend::Fake) {
        let case = run::case(point, None);
        let judgement = judge(&run::play(&case, None));
        for (condition, verdict) in &judgement.conditions {
            assert_eq!(
                verdict.kind(),
                Kind::Pass,
                "{case}: {condition}: {}",
                verdict.why()
            );
        }
    }
}

fn faults() -> impl Iterator<Item = Fault> {
    let all = Fault::ALL.into_iter();
    all.filter(|fault| fault.runs_on(Backend::Fake))
}

#[test]
fn each_fault_is_detected_by_its_condition() {
    for fault in faults() {
        let case = run::case(fault.point(), Some(fault));
        let overall = judge(&run::play(&case, None)).overall();
        assert_eq!(overall.kind(), Kind::Pass, "{case}: {}", overall.why());
    }
}

#[test]
fn its_histories_read_back_as_they_were_written() {
    for fault in faults() {
        let history = run::play(&run::case(fault.point(), Some(fault)), None);
        let (read, completeness) = History::read(history.to_text()).unwrap();
        assert_eq!((read, completeness), (history, Completeness::Whole));
    }
}
