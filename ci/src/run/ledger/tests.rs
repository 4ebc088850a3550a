//! A case of libvirt that failed, with the raw case beside it, as a run left them.

use migratrix_guest::Parameters;
use migratrix_history::{Entry, Header, Observation, Outcome, Side, Verb};
use migratrix_matrix::Selection;

use super::*;

/// A case of libvirt that has a raw one beside it.
const CASE: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";

/// The history of a case that left something behind, and did nothing else.
fn history(case: &Case) -> History {
    let header = Header {
        case: case.clone(),
        attempt: 1,
        began_unix: 1_700_000_000,
        began_ms: 0,
        domain: "m".to_owned(),
        uuid: "u".to_owned(),
        machine: "pc-q35-7.2".to_owned(),
        guest: Parameters::SMALL,
        downtime_bound_ms: 1_000,
        setup: Default::default(),
        evidence: Header::EVIDENCE,
    };
    let step = || "clear source".to_owned();
    let seen = [
        Observation::Began {
            verb: Verb::Clear,
            step: step(),
        },
        Observation::Ended {
            verb: Verb::Clear,
            step: step(),
            outcome: Outcome::Done,
        },
        Observation::Leftovers {
            side: Side::Source,
            left: vec!["a file".to_owned()],
        },
    ];
    let entries = seen.map(|saw| Entry { at_us: 5_000, saw });
    History {
        header,
        entries: entries.into(),
    }
}

/// A run's directory with the history of `case`, and its judgement.
fn judged(dir: &RunDir, case: &Case) -> Judgement {
    let file = dir.history_path(case, 1);
    fs::write(&file, history(case).to_text()).expect("there is room");
    let left = Trace::History(dir.name_within(&file));
    left.judged(case, 1, dir).expect("it was just written")
}

fn with_run(test: impl Fn(&RunDir, &Plan)) {
    let place = tempfile::tempdir().expect("there is room");
    let plan = Plan {
        format: Plan::FORMAT,
        selection: Selection::default(),
        options: migratrix_matrix::RunOptions::default(),
        releases: Vec::new(),
        whole: None,
        known: None,
        keeps: Vec::new(),
        cases: vec![CASE.parse().expect("it is a case")],
    };
    let dir = RunDir::create(&place.path().join("out"), &plan).expect("there is room");
    test(&dir, &plan);
}

fn raw_judgements(dir: &RunDir) -> [Judgement; 2] {
    let raw = case().control_case().expect("it has one");
    [
        judged(dir, &raw),
        Judgement::skipped(raw, "multifd", 1_700_000_001),
    ]
}

fn case() -> Case {
    CASE.parse().expect("it is a case")
}

#[test]
fn whose_failure_it_is_is_judged_again_with_the_case() {
    with_run(|dir, _| {
        for raw in raw_judgements(dir) {
            let last = judged(dir, &case()).attributed(&raw);
            assert!(last.attribution.is_some());
            let concluded = Concluded::of(&[], &last, Some(&raw));
            let read = serde_json::from_str::<Concluded>(&concluded.to_line());
            let again = read.expect("it was just written").judged_again(dir);
            assert_eq!(again.judgements, [last]);
            assert_eq!(again.troubles, []);
        }
    });
}

#[test]
fn the_verdicts_of_an_earlier_version_tell_whose_failure_it_was() {
    with_run(|dir, plan| {
        for raw in raw_judgements(dir) {
            let last = judged(dir, &case()).attributed(&raw);
            let line = to_line(&last) + "\n";
            dir.write("verdicts.jsonl", &line).expect("there is room");
            let ledger = Ledger::read(dir, plan).expect("it can be read");
            let ledger = ledger.expect("there are verdicts");
            let known = KnownFailures::default();
            ledger
                .write_verdicts(dir, plan, &known)
                .expect("there is room");
            let verdicts = dir.path().join("verdicts.jsonl");
            assert_eq!(fs::read_to_string(verdicts).expect("it is there"), line);
        }
    });
}

#[test]
fn a_line_that_makes_no_sense_is_named_and_a_cut_one_is_not_there() {
    let text = "{\"case\":7}\n{\"case\":\"tck";
    let ledger = Ledger::of_lines(text, Path::new("concluded.jsonl"));
    assert_eq!(ledger.cases, []);
    assert_eq!(ledger.troubles.len(), 1);
    assert!(
        ledger.troubles[0].starts_with("line 1 of concluded.jsonl"),
        "{:?}",
        ledger.troubles
    );
}

#[test]
fn a_line_without_an_attempt_concludes_nothing() {
    let text = format!("{{\"case\":\"{CASE}\",\"attempts\":[]}}\n");
    let ledger = Ledger::of_lines(&text, Path::new("concluded.jsonl"));
    assert_eq!(ledger.cases, []);
    let told = &ledger.troubles[0];
    assert!(
        told.contains("what it told is lost: it names no attempt"),
        "{told}"
    );
}

#[test]
fn a_history_of_another_attempt_is_not_believed() {
    with_run(|dir, plan| {
        let case = &plan.cases[0];
        let first = judged(dir, case);
        let again = Concluded::of(std::slice::from_ref(&first), &first, None).judged_again(dir);
        let [trouble] = &again.troubles[..] else {
            panic!("{:?}", again.troubles)
        };
        assert!(
            trouble
                .told
                .contains("is of attempt 1 at its case, and not of attempt 2"),
            "{trouble:?}"
        );
        assert_eq!(
            again.judgements[1].standing(),
            migratrix_reports::Standing::Unknown
        );
    });
}
