//! Without a crime everything holds, and each fault trips the condition that it belongs to.

mod run;

use migratrix_history::{Completeness, History};
use migratrix_matrix::{Fault, Profile};
use migratrix_reports::{Kind, judge};

#[test]
fn all_384_scenarios_meet_all_conditions() {
    for point in Profile::TckFull.points() {
        let case = run::case(point.scenario, None);
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

#[test]
fn each_fault_trips_its_condition() {
    for fault in Fault::ALL {
        let case = run::case(fault.scenario(), Some(fault));
        let overall = judge(&run::play(&case, None)).overall();
        assert_eq!(overall.kind(), Kind::Pass, "{case}: {}", overall.why());
    }
}

#[test]
fn its_histories_read_back_as_they_were_written() {
    for fault in Fault::ALL {
        let history = run::play(&run::case(fault.scenario(), Some(fault)), None);
        let (read, completeness) = History::read(history.to_text()).unwrap();
        assert_eq!((read, completeness), (history, Completeness::Whole));
    }
}
