//! What an earlier version wrote, in the words of then, is read and judged as it was.

use migratrix_history::{Completeness, History};
use migratrix_matrix::{Case, Condition, Filter, Plan, Releases};
use migratrix_reports::{Judgement, Kind, KnownFailures, judge};

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("data/format1/", $name))
    };
}

const PLAN: &str = sample!("run/plan.json");
const KNOWN: &str = sample!("known-failures.toml");

/// The histories of a run on the hypervisor in memory, and its verdicts, in the same order.
const IN_MEMORY: [&str; 2] = [
    sample!(
        "run/history/tck~fake~bookworm,bookworm,trixie~normal~persistent-running-prepared~undefine.jsonl"
    ),
    sample!(
        "run/history/tck~fake~bookworm,bookworm,trixie~normal~persistent-running-bare~undefine.jsonl"
    ),
];
const IN_MEMORY_VERDICTS: &str = sample!("run/verdicts.jsonl");

/// Histories of real hosts, a suite each or more, and their verdicts.
const REAL: [&str; 6] = [
    sample!(
        "real/history/tck~libvirt~bookworm,bookworm,trixie~normal~transient-running-bare~none.jsonl"
    ),
    sample!("real/history/backup~qemu~trixie,trixie~stay~drive-backup~bad-granularity~plain.jsonl"),
    sample!("real/history/colo~qemu~sid,sid~single-channel~primary~idle~plain.jsonl"),
    sample!("real/history/qemu~qemu~bookworm,trixie~precopy~tcp~running~no-address.jsonl"),
    sample!(
        "real/history/faults~libvirt~bookworm,bookworm,trixie~normal~persistent-running-bare~none~daemon-stopped.jsonl"
    ),
    sample!("real/history/qemu~qemu~bookworm,trixie~precopy~unix~running~plain.jsonl"),
];
const REAL_VERDICTS: &str = sample!("real/verdicts.jsonl");

fn read(text: &str) -> History {
    let (history, completeness) = History::read(text).expect("it is a history");
    assert_eq!(completeness, Completeness::Whole);
    history
}

fn verdicts(text: &str) -> Vec<Judgement> {
    let read = |line| serde_json::from_str(line).expect("it is a verdict");
    text.lines().map(read).collect()
}

fn came(judgement: &Judgement) -> (Case, Vec<(Condition, Kind)>) {
    let conditions = judgement.conditions.iter();
    let kinds = conditions.map(|(condition, verdict)| (*condition, verdict.kind()));
    (judgement.case.clone(), kinds.collect())
}

/// What is judged now, less the conditions that there were not then: they are skipped.
fn known_then(
    mut now: Vec<(Case, Vec<(Condition, Kind)>)>,
    then: Vec<(Case, Vec<(Condition, Kind)>)>,
) -> Vec<(Case, Vec<(Condition, Kind)>)> {
    for ((case, now), (_, then)) in now.iter_mut().zip(then) {
        now.retain(|(condition, kind)| {
            let was_known = then.iter().any(|(one, _)| one == condition);
            assert!(was_known || *kind == Kind::Skipped, "{condition} of {case}");
            was_known
        });
    }
    now
}

#[test]
fn a_history_of_before_is_judged_as_it_was() {
    let of = |histories: &[&str]| -> Vec<_> {
        let judged = histories.iter().map(|text| judge(&read(text)));
        judged.map(|one| came(&one)).collect()
    };
    let were = |text| -> Vec<_> { verdicts(text).iter().map(came).collect() };
    assert_eq!(
        known_then(of(&REAL), were(REAL_VERDICTS)),
        were(REAL_VERDICTS)
    );
    let in_memory = were(IN_MEMORY_VERDICTS);
    assert_eq!(known_then(of(&IN_MEMORY), in_memory.clone()), in_memory);
}

#[test]
fn a_list_of_known_failures_of_before_marks_the_same() {
    let plan = Plan::from_json(PLAN).expect("it is a plan");
    let releases = Releases::new(plan.releases.clone()).expect("each once");
    let known = KnownFailures::parse(KNOWN).expect("it is a list");
    let were = verdicts(IN_MEMORY_VERDICTS);
    for (history, was) in IN_MEMORY.iter().zip(&were) {
        let mut now = judge(&read(history));
        known.mark(&mut now, &releases).expect("they are known");
        assert!(!now.known.is_empty(), "{} is subject to an entry", now.case);
        assert_eq!(now.known, was.known);
        assert_eq!(now.standing(), was.standing());
    }
    let all: Vec<_> = were.iter().flat_map(|one| &one.known).collect();
    for condition in [
        Condition::NoLeftovers,
        Condition::GuestDuringCopy,
        Condition::Statistics,
        Condition::Iterations,
        Condition::ExpectedError,
        Condition::Remigrate,
        Condition::BlockJobs,
    ] {
        assert!(
            all.iter().any(|one| one.condition == condition),
            "{condition}"
        );
    }
}

#[test]
fn a_plan_of_before_has_the_same_cases_and_is_written_in_the_words_of_now() {
    let plan = Plan::from_json(PLAN).expect("it is a plan");
    assert_eq!(plan.cases.len(), 2);
    let filter: Filter = plan.selection.filter.clone().expect("it has one");
    let releases = Releases::new(plan.releases.clone()).expect("each once");
    for case in &plan.cases {
        assert_eq!(filter.matches(case, &releases), Ok(true), "{case}");
        assert!(PLAN.contains(&case.first_name()), "{case}");
        assert!(plan.to_json().contains(&format!("\"{case}\"")));
    }
}
