//! What a run tells of itself while it goes: in its `migratrix.log`, and by `-v`.

mod common;

use std::{fs, path::Path};

use common::{Said, a_history, alone, call, file_of, fresh, refuses, run_in};

/// One case.
const ONE: &str = "tck/fake/bookworm,bookworm,trixie/p2p/persistent-running-undefined/none";

/// A run of one case.
fn run_one(dir: &Path, more: &[&str]) -> Said {
    call(dir, &[&["run", "--out=out", "--case", ONE], more].concat())
}

#[test]
fn the_log_of_a_run_names_its_cases_when_they_began_and_what_came_of_them() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)"]);
    let log = file_of(dir.path(), "migratrix.log");
    let plan: serde_json::Value =
        serde_json::from_str(&file_of(dir.path(), "plan.json")).expect("it is JSON");
    let cases = plan["cases"].as_array().expect("it has cases");
    assert!(cases.len() > 20);
    for case in cases {
        let case = case.as_str().expect("it is a name");
        assert!(
            log.contains(&format!(" INFO begins {case}, attempt 1\n")),
            "{log}"
        );
        assert!(
            log.contains(&format!(" INFO ends {case}, passed\n")),
            "{log}"
        );
    }
    for line in log.lines() {
        assert!(
            line.starts_with("20") && line.contains("Z "),
            "no time: {line}"
        );
    }
    assert!(log.contains("release bookworm: libvirt "), "{log}");
    assert!(
        log.ends_with("the run is over, with exit code 0\n"),
        "{log}"
    );
}

#[test]
fn a_run_that_goes_on_adds_to_its_log() {
    let dir = fresh();
    run_one(dir.path(), &[]);
    let before = file_of(dir.path(), "migratrix.log");
    fs::remove_file(a_history(dir.path())).expect("it is there");
    let said = call(dir.path(), &["run", "--resume", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let log = file_of(dir.path(), "migratrix.log");
    let more = log.strip_prefix(&before).expect("it is only added to");
    assert!(more.contains(" the run goes on, "), "{more}");
    assert!(more.contains(&format!(" INFO begins {ONE}, ")), "{more}");
}

#[test]
fn a_step_that_is_refused_is_in_the_log() {
    let dir = fresh();
    run_in(
        dir.path(),
        &["--suite=faults", "-E", "fault(source-undefined)"],
    );
    let log = file_of(dir.path(), "migratrix.log");
    assert!(log.contains("DEBUG faults/fake/"), "{log}");
    assert!(log.contains(": refused: "), "{log}");
}

#[test]
fn without_v_nothing_more_is_printed_and_with_it_what_is_done() {
    let said = |more: &[&str]| {
        let dir = fresh();
        run_one(dir.path(), more)
    };
    let (quiet, told, all) = (said(&[]), said(&["-v"]), said(&["-vv"]));
    let opening = "1 case, 1 side by side, in out: ";
    assert!(quiet.err.starts_with(opening), "{}", quiet.err);
    assert_eq!(quiet.err.lines().count(), 1, "{}", quiet.err);
    let begins = format!(" INFO begins {ONE}, attempt 1\n");
    for verbose in [&told, &all] {
        assert!(verbose.err.contains(&begins), "{}", verbose.err);
        let is_told = |line: &str| line.starts_with(" INFO ") || line.starts_with("DEBUG ");
        let others = verbose.err.lines().filter(|line| !is_told(line));
        assert!(others.eq(quiet.err.lines()), "{}", verbose.err);
        assert_eq!(verbose.out.lines().count(), quiet.out.lines().count());
    }
    let list = alone(&["-v", "list", "--count"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
}

#[test]
fn no_report_may_be_written_over_the_log_of_a_run() {
    let dir = fresh();
    run_one(dir.path(), &[]);
    let said = call(
        dir.path(),
        &["report", "out", "--html", "out/migratrix.log"],
    );
    refuses(&said, 2, &["migratrix.log", "of the run"]);
    fs::remove_file(dir.path().join("out/migratrix.log")).expect("it is there");
    fs::create_dir(dir.path().join("out/migratrix.log")).expect("there is room");
    let said = call(dir.path(), &["run", "--resume", "out"]);
    refuses(
        &said,
        2,
        &["migratrix.log can't be used: it is a directory"],
    );
}
