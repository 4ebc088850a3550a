//! What the runner adds to a case: the whole line on the hypervisor in memory, from the command line to
//! reports on disk, against the bare loop and the judge in this process. Said as a ratio, in one run.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use migratrix_contract::{Deadlines, DomainSpec, Recorder, Script, run};
use migratrix_fake::FakeDriver;
use migratrix_guest::Parameters;
use migratrix_matrix::{Backend, Case, Profile, ReleaseName, Tuple};

/// How often each is done; the quickest counts.
const ROUNDS: usize = 5;

fn main() {
    let cases = cases();
    let bare = quickest(|| alone(&cases));
    let start = quickest(|| call(&["list", "--count"]));
    let whole = quickest(whole);
    let count = u32::try_from(cases.len()).expect("there are some hundred cases");
    let (bare, runner) = (bare / count, whole.saturating_sub(start) / count);
    println!("bare loop and judge: {bare:?} a case");
    println!("whole line: {runner:?} a case, its files and reports included");
    println!("ratio: {:.1}", runner.as_secs_f64() / bare.as_secs_f64());
}

fn quickest(work: impl Fn()) -> Duration {
    let round = |_| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    (0..ROUNDS).map(round).min().expect("there are rounds")
}

fn cases() -> Vec<Case> {
    let name = ReleaseName::new("a").expect("it is a name");
    let tuple = Tuple {
        client: name.clone(),
        source: name.clone(),
        destination: name,
    };
    let points = Profile::TCK_FULL.points(Backend::Fake).into_iter();
    points
        .map(|(point, fault)| Case {
            backend: Backend::Fake,
            tuple: tuple.clone(),
            point,
            fault,
        })
        .collect()
}

/// The cases in this process: no file, no command line.
fn alone(cases: &[Case]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("it can be made").block_on(async {
        for case in cases {
            let script = Script::of(case, spec(), 20_000);
            let mut driver = FakeDriver::new(&script.subject);
            let mut record = Recorder::new(script.header(1, 0), None);
            run(&script, &mut driver, &mut record, &Deadlines::default()).await;
            let history = record.finish().expect("there is no file");
            assert!(
                migratrix_reports::judge(&history)
                    .troubles()
                    .next()
                    .is_none()
            );
        }
    });
}

fn whole() {
    let place = tempfile::tempdir().expect("there is room");
    let out = place.path().join("out");
    let out = out.to_str().expect("it is text");
    call(&[
        "run",
        "--backend",
        "fake",
        "--profile",
        "tck-full",
        "--jobs",
        "1",
        "--out",
        out,
    ]);
}

fn call(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migratrix"));
    let status = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("the program is built").success());
}

fn spec() -> DomainSpec {
    DomainSpec {
        domain: "mx-0".into(),
        uuid: "6d780000-0001-4001-8000-000000000000".into(),
        foreign_uuid: "6d780000-0002-4001-8000-000000000000".into(),
        machine: "pc-q35-5.2".into(),
        memory_mib: 16,
        guest: Parameters::SMALL,
        boot_image: "/a-b.img".into(),
    }
}
