//! Runs on the hypervisor in memory that are cut short, gone on with, and judged again.

use migratrix_matrix::{KnownLists, Profile, ReleaseName, RunOptions, Selection, Suite};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A known failure that does not come is news: its case is run again.
const NEWS: &str = r#"
[[known]]
cases = "control(p2p) & state(paused)"
conditions = ["memory"]
reason = "made up"
"#;

/// Cases of the hypervisor in memory, and some that are skipped since there is no QEMU.
fn plan(dir: &TempDir, jobs: usize, retries: u32) -> Plan {
    let name = ReleaseName::new("trixie").expect("it is a name");
    let known = dir.path().join("known.toml");
    std::fs::write(&known, NEWS).expect("there is room");
    let releases = Releases::new(vec![migratrix_matrix::Release::unknown(name)]);
    let releases = releases.expect("there is one");
    let of = |suite, backend, filter: &str| {
        let filter = Some(filter.parse().expect("it is a filter"));
        let selection = Selection {
            suite,
            profile: (suite == Suite::Tck).then_some(Profile::TCK),
            backend,
            filter,
            ..Selection::default()
        };
        Plan::new(selection, &releases).expect("it selects some")
    };
    let mut plan = of(Suite::Tck, Backend::Fake, "control(p2p)");
    let raw = of(Suite::Qemu, Backend::Qemu, "transport(unix)");
    plan.cases.splice(7..7, raw.cases.into_iter().take(9));
    plan.whole = Some(plan.cases.len());
    plan.options = RunOptions {
        known: KnownLists {
            files: vec![known.to_string_lossy().into_owned()],
            only: false,
        },
        jobs: Some(jobs),
        retries: Some(retries),
        ..RunOptions::default()
    };
    plan
}

/// Comes after the runner has been at work so many times.
async fn after(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

/// Runs, or goes on, until a stop; gives the verdicts.
fn verdicts(plan: &Plan, begin: Begin, turns: usize) -> String {
    let known = KnownArgs::default().or_kept(plan);
    let known = known.expect("it is there");
    let order = Order::by(plan.clone(), begin, Config::default(), known, Vec::new());
    let order = order.expect("it makes sense");
    let runtime = runtime().expect("it can be made");
    let outcome = order.run_until(&runtime, after(turns));
    let outcome = outcome.expect("it can be written");
    text(&outcome.dir)
}

fn text(dir: &RunDir) -> String {
    std::fs::read_to_string(dir.path().join("verdicts.jsonl")).expect("it is there")
}

/// The verdicts, judged again.
fn judged(path: &Path, plan: &Plan) -> String {
    let (dir, read) = RunDir::open(path).expect("it is a run");
    assert_eq!(read, *plan);
    let given = KnownArgs::default();
    let known = given.or_kept(plan).expect("it is there");
    let ledger = Ledger::read(&dir, plan).expect("it can be read");
    let ledger = ledger.expect("the run was begun");
    let troubles = ledger.write_verdicts(&dir, plan, &known);
    assert_eq!(troubles.expect("they can be written"), Vec::<String>::new());
    text(&dir)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn judging_again_gives_the_same_verdicts_of_a_whole_run_and_of_one_cut_anywhere(
        jobs in 1_usize..4,
        retries in 0_u32..3,
        cut in 0_usize..70,
        torn in prop::option::of(0_usize..4_000),
    ) {
        let dir = tempfile::tempdir().expect("there is room");
        let (path, plan) = (dir.path().join("out"), plan(&dir, jobs, retries));
        let first = verdicts(&plan, Begin::New(path.clone()), cut);
        prop_assert_eq!(&judged(&path, &plan), &first);
        // As a crash leaves it: the ends of the files are not there.
        if let Some(torn) = torn {
            let kept = &first.as_bytes()[..first.len().saturating_sub(torn)];
            std::fs::write(path.join("verdicts.jsonl"), kept).expect("there is room");
        }
        let (run, _) = RunDir::open(&path).expect("it is a run");
        let begin = Begin::Again { dir: run, manner: Manner::AsBefore };
        let whole = verdicts(&plan, begin, usize::MAX);
        prop_assert!(whole.starts_with(&first));
        prop_assert_eq!(&judged(&path, &plan), &whole);
        let news = plan.cases.len() - 9;
        prop_assert_eq!(whole.lines().count() - 9, news + news / 2 * retries as usize);
    }
}

#[test]
fn what_an_attempt_showed_before_the_run_was_stopped_is_not_forgotten() {
    let place = tempfile::tempdir().expect("there is room");
    let (path, plan) = (place.path().join("out"), plan(&place, 1, 1));
    let dir = RunDir::create(&path, &plan).expect("there is room");
    std::fs::write(dir.ledger_path(), "").expect("there is room");
    let case = plan
        .cases
        .iter()
        .find(|case| case.to_string().contains("p2p/persistent-paused"))
        .expect("it is planned");
    let known = KnownArgs::default().or_kept(&plan).expect("it is there");
    let order = |dir| {
        let begin = Begin::Again {
            dir,
            manner: Manner::AsBefore,
        };
        let order = Order::by(
            plan.clone(),
            begin,
            Config::default(),
            known.clone(),
            Vec::new(),
        );
        order.expect("it makes sense")
    };
    let job = |dir: &RunDir| {
        let jobs = order(RunDir::open(&path).expect("it is a run").0).jobs(dir);
        let jobs = jobs.expect("they can be read");
        jobs.into_iter()
            .find(|job| job.case == *case)
            .expect("it waits")
    };
    assert_eq!((job(&dir).attempt, job(&dir).earlier.len()), (1, 0));
    let header = migratrix_history::Header {
        case: case.clone(),
        attempt: 1,
        began_unix: 1_700_000_000,
        began_ms: 0,
        domain: "m".to_owned(),
        uuid: "u".to_owned(),
        machine: "pc-q35-7.2".to_owned(),
        guest: migratrix_guest::Parameters::SMALL,
        downtime_bound_ms: 1_000,
        setup: HostSetup::default(),
        evidence: migratrix_history::Header::EVIDENCE,
    };
    let entries = Vec::new();
    let whole = migratrix_history::History { header, entries }.to_text();
    let file = dir.history_path(case, 1);
    let (cut, _) = whole.trim_end().rsplit_once('\n').expect("it has an end");
    std::fs::write(&file, cut).expect("there is room");
    assert_eq!(
        (job(&dir).attempt, job(&dir).earlier.len()),
        (1, 0),
        "it was cut"
    );
    std::fs::write(&file, &whole).expect("there is room");
    assert_eq!((job(&dir).attempt, job(&dir).earlier.len()), (2, 1));
}
