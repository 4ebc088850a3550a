//! The command line on good and bad input: what it prints, and the code that it exits with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// What a call said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Calls the program in `dir`, with a cache of its own there.
fn call(dir: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .env_remove("MIGRATRIX_CLIENT")
        .output()
        .expect("the program is built");
    Said {
        code: output.status.code().expect("it exits by itself"),
        out: String::from_utf8(output.stdout).expect("it prints text"),
        err: String::from_utf8(output.stderr).expect("it prints text"),
    }
}

fn fresh() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Calls the program in a fresh directory.
fn alone(arguments: &[&str]) -> Said {
    call(fresh().path(), arguments)
}

#[track_caller]
fn refuses(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{}", said.err);
    for word in words {
        assert!(
            said.err.contains(word),
            "`{word}` is missing in: {}",
            said.err
        );
    }
}

#[test]
fn the_counts_of_the_matrix_are_those_of_its_axes() {
    let all = "bullseye,bookworm,trixie,sid";
    let places = ["--client", all, "--source", all, "--destination", all];
    let count = |arguments: &[&str]| {
        let said = alone(&[&["list", "--count"], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out.trim().parse::<usize>().expect("it is a number")
    };
    assert_eq!(count(&["--suite", "tck"]), 96);
    assert_eq!(count(&["--boundary", "bookworm,trixie"]), 768);
    assert_eq!(count(&places), 6144);
    assert_eq!(count(&["--profile", "tck-full"]), 384);
}

#[test]
fn what_list_prints_case_accepts() {
    let listed = alone(&[
        "list",
        "-E",
        "control(p2p) & flag(undefine) & state(paused)",
    ]);
    let name = listed.out.lines().next().expect("a case is listed");
    assert_eq!(alone(&["list", "--case", name]).out.trim(), name);
}

#[test]
fn an_unknown_release_is_named_with_the_known_ones() {
    let said = alone(&["list", "--source", "buster"]);
    refuses(&said, 2, &["buster", "bookworm"]);
}

#[test]
fn an_empty_selection_has_a_code_of_its_own() {
    let said = alone(&["list", "-E", "state(paused) & state(running)"]);
    refuses(&said, 4, &["state(paused)"]);
}

#[test]
fn a_bad_filter_is_marked_where_it_is_bad() {
    let said = alone(&["list", "-E", "control(p2p) & stat(paused)"]);
    refuses(&said, 2, &["control(p2p) & stat(paused)", "^", "state"]);
}

#[test]
fn broken_settings_are_named_by_file_line_and_key() {
    let dir = fresh();
    fs::write(
        dir.path().join("migratrix.toml"),
        "[deadlines]\nmigrat = 5\n",
    )
    .expect("it is written");
    let said = call(dir.path(), &["list", "--count"]);
    refuses(&said, 2, &["migratrix.toml", "line 2", "migrat"]);
}

#[test]
fn settings_that_are_not_there_are_wrong_use() {
    refuses(
        &alone(&["--config", "none.toml", "list"]),
        2,
        &["none.toml"],
    );
}

#[test]
fn a_root_without_libvirt_is_refused_by_what_it_lacks() {
    let dir = fresh();
    fs::create_dir(dir.path().join("root")).expect("it is made");
    let said = call(dir.path(), &["releases", "add", "mine", "root"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("root"), "{}", said.err);
    assert!(said.err.contains("none of"), "{}", said.err);
}

#[test]
fn a_release_that_is_not_built_says_how_to_build_it() {
    let dir = fresh();
    // Not one that a run beside this test may have: a running host would be entered.
    let host = "trixie-backports-s";
    let said = call(dir.path(), &["lab", "exec", host, "--", "true"]);
    refuses(&said, 2, &["migratrix releases build trixie-backports"]);
}

/// A run on the hypervisor in memory.
fn run_in(dir: &Path, more: &[&str]) -> Said {
    call(
        dir,
        &[&["run", "--backend", "fake", "--out", "out"], more].concat(),
    )
}

#[test]
fn a_run_leaves_a_file_an_arrow_and_exits_as_expected() {
    let dir = fresh();
    let said = run_in(dir.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("960 post-conditions of 96 cases"),
        "{}",
        said.out
    );
    for file in [
        "plan.json",
        "verdicts.jsonl",
        "junit.xml",
        "junit-strict.xml",
        "index.html",
        "summary.json",
    ] {
        assert!(
            dir.path().join("out").join(file).exists(),
            "{file} is missing"
        );
    }
    refuses(&run_in(dir.path(), &[]), 5, &["--resume"]);
}

#[test]
fn a_run_that_was_cut_short_goes_on_where_it_stopped() {
    let dir = fresh();
    run_in(dir.path(), &[]);
    let verdicts = dir.path().join("out/verdicts.jsonl");
    let text = fs::read_to_string(&verdicts).expect("it is there");
    let kept: usize = text.lines().take(40).map(|line| line.len() + 1).sum();
    fs::write(&verdicts, &text[..kept + 25]).expect("it is written");
    let said = call(dir.path(), &["run", "--resume", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("96 cases"), "{}", said.out);
    assert_eq!(
        fs::read_to_string(&verdicts)
            .expect("it is there")
            .lines()
            .count(),
        96
    );
}

#[test]
fn judging_again_gives_the_same_verdicts() {
    let dir = fresh();
    let brief = "[deadlines]\nmigrate = 0.2\n";
    fs::write(dir.path().join("migratrix.toml"), brief).expect("it is written");
    run_in(dir.path(), &["--suite", "faults"]);
    let verdicts = || {
        let text = fs::read_to_string(dir.path().join("out/verdicts.jsonl")).expect("it is there");
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let before = verdicts();
    let said = call(dir.path(), &["judge", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(verdicts(), before);
}

/// One of the histories of the run in `dir`.
fn a_history(dir: &Path) -> PathBuf {
    let mut entries = fs::read_dir(dir.join("out/history")).expect("it is there");
    let entry = entries.next().expect("a history is there");
    entry.expect("it can be read").path()
}

#[test]
fn a_cut_history_is_judged_as_unknown_and_said_to_be_cut() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)"]);
    let history = a_history(dir.path());
    let text = fs::read(&history).expect("it is there");
    fs::write(&history, &text[..text.len() / 2]).expect("it is written");
    let said = call(dir.path(), &["judge", "out"]);
    refuses(&said, 3, &["was cut at line"]);
    assert!(said.out.contains("31 passed"), "{}", said.out);
}

#[test]
fn a_history_that_is_damaged_is_named_with_its_line() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p) & state(running)"]);
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    fs::write(
        &history,
        text.replacen("\"saw\":\"ended\"", "\"saw\":\"ended", 1),
    )
    .expect("it is written");
    refuses(
        &call(dir.path(), &["judge", "out"]),
        2,
        &["history", "line"],
    );
}

#[test]
fn shards_reported_together_are_the_whole_run() {
    let dir = fresh();
    for shard in ["1/3", "2/3", "3/3"] {
        let out = format!("part-{}", &shard[..1]);
        let said = call(
            dir.path(),
            &["run", "--backend", "fake", "--shard", shard, "--out", &out],
        );
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let said = call(
        dir.path(),
        &[
            "report",
            "part-1",
            "part-2",
            "part-3",
            "--junit-strict",
            "all.xml",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("96 passed"), "{}", said.out);
    assert!(dir.path().join("all.xml").exists());
}

#[test]
fn a_plan_of_a_later_version_is_not_guessed_at() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)"]);
    let plan = dir.path().join("out/plan.json");
    let text = fs::read_to_string(&plan).expect("it is there");
    fs::write(&plan, text.replacen("\"format\": 1", "\"format\": 9", 1)).expect("it is written");
    refuses(
        &call(dir.path(), &["judge", "out"]),
        2,
        &["format 9", "newer"],
    );
}
