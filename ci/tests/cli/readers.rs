//! What is said of a run that another migratrix still writes, to all who read it.

use std::{fs, fs::File, path::Path};

use nix::fcntl::{Flock, FlockArg};

use crate::{
    common::{Said, call, fresh, refuses, run_in},
    run_with_news,
};

/// What all who read a run say first of one that is under way.
const NOTE: &str = "out is being written by another migratrix: this is how far it is\n";

/// Words that are said of a run that is at rest and damaged, or is to go on.
const OF_DAMAGE: [&str; 7] = [
    "damaged",
    "is cut",
    "lacks",
    "lost",
    "take it away",
    "jsonl says nothing of",
    "--resume",
];

/// Holds the lock of the run in `out`, as one who writes it.
fn written(dir: &Path) -> Flock<File> {
    let lock = File::open(dir.join("out/run.lock")).expect("it is there");
    let held = Flock::lock(lock, FlockArg::LockExclusiveNonblock);
    held.map_err(|(_, why)| why).expect("nobody holds it")
}

/// Leaves so many lines of a file, and of the next one a part.
fn cut(dir: &Path, file: &str, lines: usize) {
    let file = dir.join("out").join(file);
    let text = fs::read_to_string(&file).expect("it is there");
    let whole: String = text.split_inclusive('\n').take(lines).collect();
    let next = text.lines().nth(lines).expect("it has more");
    fs::write(&file, whole + &next[..next.len() / 2]).expect("there is room");
}

/// A run of 96 cases as one who reads it may find it while it is written: its files are read at different
/// moments, and its verdicts are one time ahead of what is concluded, and one time behind.
fn grown(dir: &Path, concluded: usize, verdicts: usize) {
    run_with_news(dir, "out", &[]);
    cut(dir, "concluded.jsonl", concluded);
    cut(dir, "verdicts.jsonl", verdicts);
    let sessions = dir.join("out/sessions.jsonl");
    let text = fs::read_to_string(&sessions).expect("it is there");
    fs::write(&sessions, text + "{\"host-lo").expect("there is room");
}

/// The first case of the run that has a verdict, as one on libvirt: of one in memory there is nothing to reproduce.
fn a_case(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("out/verdicts.jsonl")).expect("it is there");
    let line = text.lines().next().expect("it has a line");
    let verdict: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
    verdict["case"]
        .as_str()
        .expect("it is a name")
        .replace("/fake/", "/libvirt/")
}

#[track_caller]
fn tells_how_far_it_is(said: &Said) {
    assert_eq!(said.err.matches(NOTE).count(), 1, "{}", said.err);
    for word in OF_DAMAGE {
        let both = [&said.out, &said.err];
        assert!(
            !both.iter().any(|text| text.contains(word)),
            "{word}: {}{}",
            said.out,
            said.err
        );
    }
}

#[test]
fn a_run_that_is_under_way_is_told_to_be_so_by_all_who_read_it_and_never_to_be_damaged() {
    for (concluded, verdicts) in [(40, 60), (60, 40)] {
        let dir = fresh();
        let dir = dir.path();
        run_with_news(dir, "other", &[]);
        grown(dir, concluded, verdicts);
        let case = a_case(dir);
        let held = written(dir);
        for command in [
            &["report", "out"][..],
            &["report", "out", "--html", "page.html", "--json", "all.json"],
            &["explain", "out"],
            &["jump", "out"],
            &["compare", "other", "out"],
            &["compare", "out", "other"],
            &["run", "--last-failed", "out", "--out", "again"],
        ] {
            let said = call(dir, command);
            tells_how_far_it_is(&said);
            assert_ne!(said.code, 0, "{command:?}");
            drop(fs::remove_dir_all(dir.join("again")));
        }
        let summary = fs::read_to_string(dir.join("all.json")).expect("it was written");
        assert!(summary.contains(r#""complete": false"#), "{summary}");
        let page = fs::read_to_string(dir.join("page.html")).expect("it was written");
        assert!(page.contains("it is still under way"));
        tells_how_far_it_is(&call(dir, &["reproduce", &case, "--run", "out"]));
        for command in [&["judge", "out"][..], &["run", "--resume", "out"]] {
            refuses(
                &call(dir, command),
                5,
                &["at work in out: wait for its end"],
            );
        }
        drop(held);
        // At rest the same files are damaged, as of a run that crashed.
        let said = call(dir, &["report", "out"]);
        assert!(!said.err.contains(NOTE), "{}", said.err);
        assert!(said.out.contains("is damaged"), "{}", said.out);
    }
}

#[test]
fn a_run_of_which_all_is_judged_and_that_is_not_at_its_end_is_not_as_expected_yet() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &["--profile", "tck", "-E", "control(p2p)"]);
    assert_eq!(call(dir, &["report", "out"]).code, 0);
    let _held = written(dir);
    let said = call(dir, &["report", "out"]);
    tells_how_far_it_is(&said);
    assert_eq!(said.code, 3, "{}", said.out);
}

#[test]
fn a_run_that_has_no_plan_yet_is_one_on_which_another_is_at_work() {
    let dir = fresh();
    let dir = dir.path();
    fs::create_dir(dir.join("out")).expect("there is room");
    File::create(dir.join("out/run.lock")).expect("there is room");
    let _held = written(dir);
    refuses(
        &call(dir, &["report", "out"]),
        5,
        &["another migratrix is at work in out"],
    );
}
