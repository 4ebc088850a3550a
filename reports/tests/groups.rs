//! Failures with one cause are one group, whatever the case: in a run, in a comparison, and in what is written of
//! them into a list of known failures, which holds for the next run as well.

use migratrix_matrix::{Condition, Release, ReleaseName, Releases};
use migratrix_reports::{
    Blessing, Colour, Judgement, KnownFailures, Run, Standing, Verdict, compare, comparison_text,
    groups,
};

const PCOMMIT: &str = "guest CPU doesn't match specification: missing features: pcommit";
const TOPOLOGY: &str = "guest CPU doesn't match specification: missing features: ht,cmp_legacy";

/// A case, its method and flags, its hardware, and why it is refused.
const CASES: [[&str; 4]; 7] = [
    ["p2p", "live+undefine+persist", "host-model", PCOMMIT],
    ["normal", "none", "host-model", PCOMMIT],
    ["tunnelled", "none", "host-model", PCOMMIT],
    ["p2p", "live", "two-threads", TOPOLOGY],
    ["normal", "none", "two-processors", TOPOLOGY],
    ["tunnelled", "none", "two-threads", TOPOLOGY],
    ["p2p", "none", "rng", ""],
];

fn judged([control, flags, hardware, why]: [&str; 4], qemu: &str) -> Judgement {
    let name = format!(
        "tck/libvirt/bookworm,bookworm,trixie/{control}/persistent-running-undefined/{flags}/{hardware}"
    );
    let mut judgement = Judgement::skipped(name.parse().expect("a case"), "", 0);
    judgement.versions.source_qemu = "7.2.22".parse().ok();
    judgement.versions.destination_qemu = qemu.parse().ok();
    for (condition, verdict) in &mut judgement.conditions {
        let fails = *condition == Condition::Migrated && !why.is_empty();
        *verdict = if fails {
            Verdict::fail(format!(
                "expected success, the {control} migration ({flags}) from the source (bookworm, libvirt 9.0.0, QEMU \
                 7.2.22) to the destination (trixie, libvirt 11.3.0, QEMU {qemu}) was refused: operation failed: \
                 {why} (error code 9, domain 31)"
            ))
        } else {
            Verdict::Pass
        };
    }
    judgement
}

fn run(all: impl IntoIterator<Item = Judgement>) -> Run {
    let all: Vec<_> = all.into_iter().collect();
    let planned = all.iter().map(|one| one.case.clone()).collect();
    Run::new(planned, all)
}

fn failed(qemu: &str) -> Run {
    run(CASES.map(|case| judged(case, qemu)))
}

fn passed() -> Run {
    let good = CASES.map(|[control, flags, hardware, _]| [control, flags, hardware, ""]);
    run(good.map(|case| judged(case, "")))
}

fn sizes(run: &Run) -> Vec<usize> {
    let groups = groups(run, &[Standing::Failed, Standing::KnownFailure]);
    groups.iter().map(|group| group.cases.len()).collect()
}

fn marked(mut run: Run, list: &str) -> Run {
    let names = ["bookworm", "trixie"].map(|name| ReleaseName::new(name).expect("a name"));
    let releases = Releases::new(names.map(Release::unknown).to_vec()).expect("each once");
    let known = KnownFailures::parse(list).expect("it is a list");
    run.mark_known(&known, &releases).expect("all are known");
    run
}

fn broken(new: Run) -> Vec<String> {
    let told = compare(&[("old".to_owned(), passed())], &[("new".to_owned(), new)]);
    let text = comparison_text(&told.expect("they can be compared"), Colour::Plain);
    let titles = text.lines().filter(|line| line.contains(": migrated, "));
    titles.map(str::to_owned).collect()
}

#[test]
fn one_reason_is_one_group_whatever_the_method_and_the_flags() {
    let run = failed("10.0.13");
    assert_eq!(sizes(&run), [3, 3]);
    assert_eq!(broken(run).len(), 2);
}

#[test]
fn each_group_gets_an_entry_that_says_what_went_wrong_and_holds_for_the_next_release_of_a_series() {
    let blessing = Blessing::of(&failed("10.0.13"), "").expect("it is a list");
    assert_eq!((blessing.entries, blessing.cases, blessing.left), (2, 6, 0));
    for why in [PCOMMIT, TOPOLOGY] {
        let says = format!("says = [\"operation failed: {why}\"]\n");
        assert!(blessing.text.contains(&says), "{}", blessing.text);
    }
    for qemu in ["10.0.13", "10.0.14"] {
        let known = marked(failed(qemu), &blessing.text);
        let standings = known.cases();
        assert_eq!(
            standings.get(&Standing::KnownFailure),
            Some(&6),
            "{standings:?}"
        );
        assert_eq!(sizes(&known), [3, 3]);
        assert_eq!(broken(known).len(), 2);
    }
    let later = marked(failed("10.1.0"), &blessing.text);
    assert_eq!(
        later.cases().get(&Standing::Failed),
        Some(&6),
        "another series is news"
    );
    let other = CASES.map(|[control, flags, hardware, why]| {
        let why = if why.is_empty() {
            ""
        } else {
            "no such feature"
        };
        judged([control, flags, hardware, why], "10.0.13")
    });
    let news = marked(run(other), &blessing.text);
    assert_eq!(
        news.cases().get(&Standing::Failed),
        Some(&6),
        "another failure is news"
    );
}
