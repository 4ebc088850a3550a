//! Runs on real releases, judged again. `ci/test` builds the releases; `MIGRATRIX` names the program,
//! which has its client beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Below the program's own directories, so that it is on a real disk; the runs stay for a look.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room for a directory");
    place
}

fn migratrix(place: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("MIGRATRIX").expect("MIGRATRIX names the program");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place);
    command
}

fn call(place: &Path, arguments: &[&str]) -> Output {
    let mut command = migratrix(place, arguments);
    command.output().expect("the program starts")
}

fn verdicts(place: &Path) -> String {
    fs::read_to_string(place.join("out/verdicts.jsonl")).unwrap_or_default()
}

/// Judges again, and sees that nothing is changed by it; `code` is what the run ended in.
#[track_caller]
fn judging_changes_nothing(place: &Path, code: Option<i32>) {
    let before = verdicts(place);
    let judged = call(place, &["judge", "out"]);
    let err = String::from_utf8_lossy(&judged.stderr);
    assert_eq!(judged.status.code(), code, "{err}");
    assert!(before == verdicts(place), "{} differs", place.display());
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn judging_a_run_of_each_suite_again_gives_the_same_verdicts() {
    let pair = ["--source", "bookworm,trixie", "--destination", "trixie"];
    for (name, suite) in [
        ("tck", &["-E", "control(p2p) & state(paused)"][..]),
        ("qemu", &["--suite", "qemu", "--cover", "1"]),
        ("colo", &["--suite", "colo", "--cover", "1"]),
        ("iotests", &["--suite", "backup", "--cover", "1"]),
        (
            "checkpoints",
            &[
                "--suite",
                "backup",
                "--profile",
                "checkpoints",
                "--cover",
                "1",
            ],
        ),
        ("faults", &["--suite", "faults", "--cover", "1"]),
    ] {
        let place = place(&format!("judge-{name}"));
        let run = [&["run", "--out", "out"][..], &pair, suite].concat();
        let status = call(&place, &run).status;
        assert!(!verdicts(&place).is_empty(), "{name} ran nothing");
        judging_changes_nothing(&place, status.code());
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn judging_a_run_that_was_stopped_gives_the_same_verdicts_and_it_goes_on() {
    let place = place("judge-stopped");
    let p2p = ["--profile", "tck", "-E", "control(p2p)"];
    let words = [&["run"], &p2p[..], &["--out", "out"]].concat();
    let mut running = migratrix(&place, &words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while verdicts(&place).lines().count() < 5 {
        assert!(Instant::now() < deadline, "no case is concluded");
        std::thread::yield_now();
    }
    let interrupt = ["-INT", &running.id().to_string()];
    let sent = Command::new("kill").args(interrupt).status();
    assert!(sent.expect("kill starts").success());
    let code = running.wait().expect("it was started here").code();
    assert_eq!(code, Some(3), "a run that is not whole");
    judging_changes_nothing(&place, Some(3));
    let stopped = verdicts(&place);
    let whole = call(&place, &["run", "--resume", "out"]);
    assert_eq!(whole.status.code(), Some(0));
    assert!(verdicts(&place).starts_with(&stopped));
    assert_eq!(verdicts(&place).lines().count(), 32);
    judging_changes_nothing(&place, Some(0));
}
