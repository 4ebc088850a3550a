//! What a run leaves to be run again: `--last-failed`, and `--fail-fast` with what it leaves undone.

use std::{fs, path::Path};

use crate::{
    common::{call, file_of, fresh, refuses},
    run_with_news,
};

fn cases_of(dir: &Path, out: &str) -> Vec<String> {
    let plan = fs::read_to_string(dir.join(out).join("plan.json")).expect("it is there");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("it is JSON");
    let cases = plan["cases"].as_array().expect("it has cases").iter();
    cases
        .map(|case| case.as_str().expect("it is a name").to_owned())
        .collect()
}

#[test]
fn what_was_not_as_expected_runs_again_with_the_options_of_its_run_and_a_filter_takes_some() {
    let dir = fresh();
    run_with_news(dir.path(), "before", &[]);
    let again = ["run", "--last-failed", "before", "--out"];
    let said = call(dir.path(), &[&again[..], &["again"]].concat());
    // By the same list it is news again.
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err
            .starts_with("--last-failed: 32 of 96 cases of before\n"),
        "{}",
        said.err
    );
    let mut wrong = cases_of(dir.path(), "before");
    wrong.retain(|case| case.contains("/p2p/"));
    assert_eq!(cases_of(dir.path(), "again"), wrong);
    let some = call(
        dir.path(),
        &[&again[..], &["some", "-E", "state(paused)"]].concat(),
    );
    assert!(some.out.contains("16 unexpected passes"), "{}", some.out);
    let none = call(
        dir.path(),
        &[&again[..], &["none", "-E", "control(normal)"]].concat(),
    );
    refuses(&none, 4, &["none of 32 cases", "control(normal)"]);
    fs::write(dir.path().join("empty.toml"), "").expect("there is room");
    let other = [&again[..], &["other", "--known", "empty.toml"]].concat();
    refuses(
        &call(dir.path(), &other),
        4,
        &["none of 96 cases", "as expected in before"],
    );
}

#[test]
fn without_a_directory_it_is_the_newest_run_that_counts() {
    let dir = fresh();
    refuses(
        &call(dir.path(), &["run", "--last-failed"]),
        2,
        &["no run below runs", "--last-failed DIR"],
    );
    run_with_news(dir.path(), "runs/b", &["-E", "state(paused)"]);
    run_with_news(dir.path(), "runs/a", &["-E", "state(running)"]);
    let again = |out: &str| call(dir.path(), &["run", "--last-failed", "--out", out]);
    assert!(again("first").err.contains("of runs/a\n"));
    assert_eq!(call(dir.path(), &["run", "--resume", "runs/b"]).code, 1);
    assert!(again("second").err.contains("of runs/b\n"));
    assert!(
        cases_of(dir.path(), "second")
            .iter()
            .all(|case| case.contains("-paused-"))
    );
}

#[test]
fn an_earlier_run_and_a_selection_of_ones_own_are_not_both_taken() {
    for (name, value) in [
        ("--suite", "tck"),
        ("--source", "sid"),
        ("--resume", "x"),
        ("--case", "x"),
    ] {
        let said = call(fresh().path(), &["run", "--last-failed", name, value]);
        refuses(&said, 2, &["--last-failed", name]);
    }
}

#[test]
fn after_the_first_failure_no_case_begins_and_the_rest_runs_when_it_is_gone_on_with() {
    let dir = fresh();
    let said = run_with_news(dir.path(), "out", &["--fail-fast", "--jobs=1"]);
    let all = cases_of(dir.path(), "out");
    let first = all.iter().position(|case| case.contains("/p2p/"));
    let ran = first.expect("there is one") + 1;
    let concluded = || file_of(dir.path(), "concluded.jsonl").lines().count();
    assert_eq!(concluded(), ran);
    let left = all.len() - ran;
    let told = format!("ended by a failure, {left} cases not run: go on with ");
    assert!(said.err.contains(&told), "{}", said.err);
    assert!(said.err.ends_with("--resume out\n"), "{}", said.err);
    let missing = format!("{left} cases planned and without a verdict");
    assert!(said.out.contains(&missing), "{}", said.out);
    assert!(
        said.out.contains(&format!("incomplete: {ran} of 96 cases")),
        "{}",
        said.out
    );
    let junit = file_of(dir.path(), "junit.xml");
    assert_eq!(junit.matches("<error").count(), left);
    // The one that failed is no case of the rest.
    let more = call(
        dir.path(),
        &["run", "--resume=out", "--fail-fast", "--jobs=1"],
    );
    assert_eq!((more.code, concluded()), (1, ran + 1), "{}", more.err);
    let again = call(
        dir.path(),
        &["run", "--last-failed=out", "--out=again", "--fail-fast"],
    );
    assert!(
        again.err.contains("--last-failed: 2 of 96 cases of out; "),
        "{}",
        again.err
    );
    assert!(
        again.err.contains("of it without a verdict: "),
        "{}",
        again.err
    );
    let rest = call(dir.path(), &["run", "--resume=out"]);
    assert_eq!((rest.code, concluded()), (1, 96), "{}", rest.err);
}

#[test]
fn what_does_not_fail_the_run_does_not_end_it() {
    let dir = fresh();
    let run = [
        "run",
        "--backend=fake",
        "--profile=tck",
        "--fail-fast",
        "--out=out",
    ];
    let said = call(dir.path(), &run);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("96 passed"), "{}", said.out);
    assert!(!said.err.contains("ended by a failure"), "{}", said.err);
}
