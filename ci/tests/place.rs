//! Where a new run goes: into a directory in which nobody loses anything; and how it says what is left of it when
//! it is stopped, or its directory is taken away.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;
#[path = "common/under_way.rs"]
mod under_way;

use common::{Said, call, fresh, refuses, run_in};
use under_way::{signal, until_concluded};

/// How long a run may take to do what is waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const ONE: [&str; 4] = [
    "run",
    "--backend=fake",
    "--profile=tck",
    "-E=control(p2p) & state(persistent) & state(running) & state(defined) & flags(none)",
];

fn into(dir: &Path, out: &str) -> Said {
    call(dir, &[&ONE[..], &["--out", out]].concat())
}

/// The program, called in `dir`, where others are to see what it does.
fn started(dir: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built")
}

fn said(child: Child) -> Said {
    Said::of(&child.wait_with_output().expect("it ends"))
}

#[test]
fn a_new_run_writes_into_no_directory_that_holds_anything() {
    let dir = fresh();
    let site = dir.path().join("site");
    fs::create_dir(&site).expect("there is room");
    for mine in ["index.html", "run.lock", "history"] {
        fs::write(site.join(mine), "mine").expect("there is room");
        let said = into(dir.path(), "site");
        let words = [
            mine,
            "site is not empty",
            "--out, as site/run",
            "empty directory",
        ];
        refuses(&said, 2, &words);
        let text = fs::read_to_string(site.join(mine)).expect("it is there");
        assert_eq!(text, "mine");
        fs::remove_file(site.join(mine)).expect("it is there");
        assert_eq!(fs::read_dir(&site).expect("it is there").count(), 0);
    }
    symlink("/", dir.path().join("link")).expect("there is room");
    for out in ["/", "link", "../..", "."] {
        refuses(&into(dir.path(), out), 2, &["is not empty"]);
    }
}

#[test]
fn a_new_run_takes_an_empty_directory_and_one_that_was_left_before_its_plan() {
    let dir = fresh();
    fs::create_dir(dir.path().join("empty")).expect("there is room");
    fs::create_dir_all(dir.path().join("left/history")).expect("there is room");
    fs::write(dir.path().join("left/run.lock"), "").expect("there is room");
    for out in ["empty", "left", "new/deep"] {
        let said = into(dir.path(), out);
        assert_eq!(said.code, 0, "{}", said.err);
    }
}

#[test]
fn a_new_run_goes_into_no_directory_of_another_one() {
    let dir = fresh();
    assert_eq!(into(dir.path(), "out").code, 0);
    let run = dir.path().join("out");
    for out in [
        "out/history",
        "out/sub",
        "out/evidence/deep",
        "out/sub/../other",
    ] {
        refuses(&into(dir.path(), out), 2, &["--out"]);
    }
    assert!(!run.join("sub").exists() && !run.join("other").exists());
    refuses(
        &into(&run, "sub"),
        2,
        &["is in the directory of the run", "give another --out"],
    );
    refuses(&call(&run, &ONE), 2, &["is in the directory of the run"]);
    assert!(!run.join("runs").exists());
    // Others have a plan.json too.
    fs::write(dir.path().join("plan.json"), "{}").expect("there is room");
    assert_eq!(into(dir.path(), "beside").code, 0);
}

#[test]
fn runs_that_begin_in_one_second_have_a_directory_each() {
    let dir = fresh();
    let all: Vec<_> = (0..4).map(|_| started(dir.path(), &ONE)).collect();
    for one in all {
        let said = said(one);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let runs = fs::read_dir(dir.path().join("runs")).expect("it is there");
    let runs = runs.map(|run| run.expect("it can be read").path());
    assert_eq!(
        runs.filter(|run| run.join("verdicts.jsonl").exists())
            .count(),
        4
    );
}

/// A run that waits for a while at its end, when it has concluded a case.
fn at_work(dir: &Path) -> Child {
    let slow = "[deadlines]\nmigrate = 3\n";
    fs::write(dir.join("slow.toml"), slow).expect("it is written");
    let run = ["run", "--backend=fake", "--suite=faults", "--out=out"];
    let running = started(dir, &[&run[..], &["--config=slow.toml"]].concat());
    until_concluded(dir, PATIENCE);
    running
}

/// Whether hang-ups are ignored here, as below `nohup`.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("it is there");
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .expect("it is told");
    u64::from_str_radix(ignored.trim(), 16).expect("a mask") & 1 == 1
}

#[test]
fn by_whichever_signal_a_run_is_stopped_it_reports_and_says_how_it_goes_on() {
    for word in ["-INT", "-TERM", "-HUP"] {
        // Where the test itself is to outlive its terminal, so is what it starts.
        if word == "-HUP" && hangups_are_ignored() {
            continue;
        }
        let dir = fresh();
        let running = at_work(dir.path());
        signal(&running, word);
        let said = said(running);
        refuses(&said, 3, &["stopped: go on with", "run --resume out"]);
        assert!(dir.path().join("out/summary.txt").exists(), "{word}");
    }
}

#[test]
fn a_run_that_was_begun_to_live_on_without_its_terminal_does_so() {
    let dir = fresh();
    let script = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_migratrix")]);
    command.args(["run", "--backend=fake", "--suite=faults", "--out=out"]);
    command.env("MIGRATRIX_CACHE", dir.path().join("cache"));
    let running = command
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let deadline = Instant::now() + PATIENCE;
    while !dir.path().join("out/concluded.jsonl").exists() {
        assert!(Instant::now() < deadline, "it does not begin");
        std::thread::yield_now();
    }
    signal(&running, "-HUP");
    assert_eq!(said(running).code, 0);
}

#[test]
fn a_run_whose_directory_was_taken_away_names_no_way_to_go_on_there() {
    let dir = fresh();
    let running = at_work(dir.path());
    fs::rename(dir.path().join("out"), dir.path().join("moved")).expect("it is there");
    let said = said(running);
    refuses(
        &said,
        5,
        &["the run's directory out is gone", "moved, or removed?"],
    );
    assert!(!said.err.contains("--resume"), "{}", said.err);
    assert_eq!(call(dir.path(), &["judge", "moved"]).code, 3);
}

#[test]
fn what_was_left_of_a_run_is_refused_in_a_run_that_is_named_again() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    refuses(
        &into(dir.path(), "out"),
        2,
        &["out holds a run already", "--resume out"],
    );
}
