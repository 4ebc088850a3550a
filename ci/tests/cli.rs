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
    let tck = ["--profile", "tck"];
    assert_eq!(count(&tck), 96);
    assert_eq!(
        count(&[&tck[..], &["--boundary", "bookworm,trixie"]].concat()),
        768
    );
    assert_eq!(count(&[&tck[..], &places].concat()), 6144);
    let default = count(&[]);
    assert_eq!(count(&["--suite", "tck"]), default);
    assert_eq!(default, count(&["-E", "hardware(minimal)"]) + 60);
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
    let said = run_in(dir.path(), &["--profile", "tck"]);
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
    refuses(
        &run_in(dir.path(), &["--profile", "tck"]),
        2,
        &["--resume out"],
    );
}

#[test]
fn a_run_that_was_cut_short_goes_on_where_it_stopped() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck"]);
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

/// A file of the run in `dir`.
fn file_of(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join("out").join(name)).expect("it is there")
}

#[test]
fn judging_again_gives_the_same_verdicts() {
    for suite in ["tck", "faults"] {
        let dir = fresh();
        let brief = "[deadlines]\nmigrate = 0.2\n";
        fs::write(dir.path().join("migratrix.toml"), brief).expect("it is written");
        run_in(dir.path(), &["--suite", suite]);
        let before = file_of(dir.path(), "verdicts.jsonl");
        let said = call(dir.path(), &["judge", "out"]);
        assert_eq!(said.code, 0, "{suite}: {}", said.err);
        assert_eq!(file_of(dir.path(), "verdicts.jsonl"), before, "{suite}");
    }
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
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
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
    run_in(
        dir.path(),
        &["--profile", "tck", "-E", "control(p2p) & state(running)"],
    );
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    fs::write(
        &history,
        text.replacen("\"saw\":\"ended\"", "\"saw\":\"ended", 1),
    )
    .expect("it is written");
    let name = history.file_name().expect("it has one").to_string_lossy();
    let said = call(dir.path(), &["judge", "out"]);
    refuses(&said, 3, &[&*name, "line"]);
    assert!(said.out.contains("15 passed, 1 unknown"), "{}", said.out);
}

#[test]
fn a_history_that_is_gone_or_of_another_case_is_named_and_its_case_unknown() {
    let dir = fresh();
    run_in(
        dir.path(),
        &["--profile", "tck", "-E", "control(p2p) & state(running)"],
    );
    let histories = fs::read_dir(dir.path().join("out/history")).expect("it is there");
    let mut files: Vec<_> = histories
        .map(|one| one.expect("it can be read").path())
        .collect();
    files.sort();
    fs::remove_file(&files[0]).expect("it was there");
    fs::copy(&files[1], &files[2]).expect("there is room");
    let said = call(dir.path(), &["judge", "out"]);
    refuses(&said, 3, &["can't be read: No such file", "and not of"]);
    assert!(said.out.contains("14 passed, 2 unknown"), "{}", said.out);
}

#[test]
fn a_run_of_an_earlier_version_is_judged_by_its_verdicts() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let before = file_of(dir.path(), "verdicts.jsonl");
    fs::remove_file(dir.path().join("out/concluded.jsonl")).expect("it was there");
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
    assert_eq!(file_of(dir.path(), "verdicts.jsonl"), before);
    // Without them, by its histories.
    fs::remove_file(dir.path().join("out/verdicts.jsonl")).expect("it was there");
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
    assert_eq!(file_of(dir.path(), "verdicts.jsonl").lines().count(), 32);
}

#[test]
fn judging_what_is_no_run_is_wrong_use() {
    let dir = fresh();
    refuses(
        &call(dir.path(), &["judge", "."]),
        2,
        &["not a run's directory"],
    );
    refuses(&call(dir.path(), &["judge", "none"]), 2, &["none"]);
}

#[test]
fn shards_reported_together_are_the_whole_run() {
    let dir = fresh();
    for shard in ["1/3", "2/3", "3/3"] {
        let out = format!("part-{}", &shard[..1]);
        let said = call(
            dir.path(),
            &[
                "run",
                "--backend",
                "fake",
                "--profile",
                "tck",
                "--shard",
                shard,
                "--out",
                &out,
            ],
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
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let plan = dir.path().join("out/plan.json");
    let text = fs::read_to_string(&plan).expect("it is there");
    fs::write(&plan, text.replacen("\"format\": 1", "\"format\": 9", 1)).expect("it is written");
    refuses(
        &call(dir.path(), &["judge", "out"]),
        2,
        &["format 9", "newer"],
    );
}

/// A run of three shards on the hypervisor in memory, each in a directory of its own.
fn three_shards(dir: &Path) {
    for index in 1..=3 {
        let (shard, out) = (format!("{index}/3"), format!("part-{index}"));
        let said = call(
            dir,
            &[
                "run",
                "--backend",
                "fake",
                "--profile",
                "tck",
                "--shard",
                &shard,
                "--out",
                &out,
            ],
        );
        assert_eq!(said.code, 0, "{}", said.err);
    }
}

#[test]
fn a_missing_shard_is_named_and_is_unknown() {
    let dir = fresh();
    three_shards(dir.path());
    let said = call(dir.path(), &["report", "part-1", "part-3"]);
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(said.out.contains("missing: hash:2/3"), "{}", said.out);
    assert!(said.out.contains(" of 96 cases"), "{}", said.out);
    let one = call(dir.path(), &["report", "part-1"]);
    assert_eq!(one.code, 3, "{}", one.out);
}

#[test]
fn shards_of_different_runs_are_refused_by_what_differs() {
    let dir = fresh();
    three_shards(dir.path());
    let other = ["--shard", "2/3", "-E", "control(p2p)"];
    let said = call(
        dir.path(),
        &[&["run", "--backend", "fake", "--out", "other"], &other[..]].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let said = call(dir.path(), &["report", "part-1", "other"]);
    refuses(&said, 2, &["part-1", "other", "filter", "control(p2p)"]);
    run_in(dir.path(), &["-E", "control(p2p)"]);
    let said = call(dir.path(), &["report", "part-1", "out"]);
    refuses(&said, 2, &["out is no shard"]);
}

#[test]
fn shards_with_other_known_failures_are_refused() {
    let dir = fresh();
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"job\"]\nreason = \"r\"\nsometimes = true\n";
    fs::write(dir.path().join("known.toml"), list).expect("it is written");
    let run = |shard: &str, more: &[&str]| {
        let base = ["run", "--backend", "fake", "--shard", shard, "--out"];
        let out = shard.replace('/', "-");
        call(dir.path(), &[&base[..], &[&out], more].concat())
    };
    run("1/2", &[]);
    run("2/2", &["--known", "known.toml"]);
    let said = call(dir.path(), &["report", "1-2", "2-2"]);
    refuses(&said, 2, &["list of known failures"]);
}

#[test]
fn a_report_does_not_overwrite_what_the_run_is_made_of() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)"]);
    let plan = dir.path().join("out/plan.json");
    std::os::unix::fs::symlink(&plan, dir.path().join("link")).expect("it is made");
    fs::hard_link(&plan, dir.path().join("hard")).expect("it is made");
    std::os::unix::fs::symlink("out/history", dir.path().join("folder")).expect("it is made");
    for (option, file) in [
        ("--html", "out/plan.json"),
        ("--html", "./out/../out/plan.json"),
        ("--json", "out/verdicts.jsonl"),
        ("--junit", "out/history/new.xml"),
        ("--junit-strict", "link"),
        ("--html", "hard"),
        ("--junit-per-pair", "folder"),
    ] {
        let before = fs::read(&plan).expect("it is there");
        let said = call(dir.path(), &["report", "out", option, file]);
        refuses(&said, 2, &[option, file, "of the run out"]);
        assert_eq!(fs::read(&plan).expect("it is there"), before);
    }
    let twice = ["report", "out", "--html", "page", "--json", "./page"];
    refuses(
        &call(dir.path(), &twice),
        2,
        &["--html and --json name the same file"],
    );
    let said = call(dir.path(), &["report", "out", "--html", "out/index.html"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

/// Each `href` of a page, as the path that it stands for.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).expect("the page is there");
    let parts = text.split("href=\"").skip(1);
    let paths = parts.map(|part| part.split('"').next().expect("it ends").to_owned());
    let folder = page.parent().expect("it is in a folder");
    paths
        .map(|path| folder.join(path.replace("%20", " ")))
        .collect()
}

/// A run with a failure, by a known failure that does not come.
fn run_with_news(dir: &Path, out: &str, more: &[&str]) {
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"job\"]\nreason = \"r\"\n";
    fs::write(dir.join("known.toml"), list).expect("it is written");
    let tck = ["--backend", "fake", "--profile", "tck"];
    let base = [&["run"], &tck[..], &["--known", "known.toml", "--out"]].concat();
    let said = call(dir, &[&base[..], &[out], more].concat());
    assert_eq!(said.code, 1, "{}", said.err);
}

#[test]
fn every_link_of_a_page_leads_to_a_file_from_wherever_the_page_is() {
    let dir = fresh();
    let known = ["--known", "known.toml"];
    run_with_news(dir.path(), "a run/out", &[]);
    fs::create_dir_all(dir.path().join("elsewhere/deep")).expect("it is made");
    let page = "elsewhere/deep/page.html";
    let said = call(
        dir.path(),
        &[&["report", "a run/out", "--html", page], &known[..]].concat(),
    );
    assert_eq!(said.code, 1, "{}", said.err);
    for shard in ["1/2", "2/2"] {
        let out = format!("part-{}", &shard[..1]);
        run_with_news(dir.path(), &out, &["--shard", shard]);
    }
    let both = ["report", "part-1", "part-2", "--html", "both.html"];
    call(dir.path(), &[&both[..], &known[..]].concat());
    for page in ["a run/out/index.html", page, "both.html"] {
        let links = links(&dir.path().join(page));
        assert_eq!(links.len(), 32, "{page}");
        for link in links {
            assert!(
                link.is_file(),
                "{page} leads to {}, which is not there",
                link.display()
            );
        }
    }
}

#[test]
fn a_known_failure_that_says_too_little_is_wrong_use() {
    let dir = fresh();
    let list = "[[known]]\ncases = \"source(trxie)\"\nconditions = [\"job\"]\nreason = \"r\"\n";
    fs::write(dir.path().join("known.toml"), list).expect("it is written");
    let said = run_in(dir.path(), &["--known", "known.toml"]);
    refuses(&said, 2, &["known failure 1", "trxie", "trixie"]);
    run_in(dir.path(), &["-E", "control(p2p)"]);
    for command in ["judge", "report"] {
        let said = call(dir.path(), &[command, "out", "--known", "known.toml"]);
        refuses(&said, 2, &["known failure 1", "trxie"]);
    }
}

#[test]
fn the_line_that_runs_a_case_again_runs_it_again() {
    let dir = fresh();
    run_with_news(dir.path(), "out", &[]);
    let said = call(dir.path(), &["report", "out", "--known", "known.toml"]);
    let line = said
        .out
        .lines()
        .find(|line| line.contains("migratrix run "))
        .expect("a case is told");
    let words: Vec<_> = line.split_whitespace().skip(1).collect();
    let again = call(dir.path(), &[&words[..], &["--out", "again"]].concat());
    assert!(again.out.contains("1 case in"), "{}", again.out);
}

#[test]
fn junit_a_pair_a_file_is_written_where_it_is_asked_for() {
    let dir = fresh();
    let places = ["--source", "bookworm,trixie", "--destination", "trixie"];
    run_in(dir.path(), &places);
    let said = call(dir.path(), &["report", "out", "--junit-per-pair", "pairs"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for name in ["junit-bookworm-to-trixie.xml", "junit-trixie-to-trixie.xml"] {
        let text = fs::read_to_string(dir.path().join("pairs").join(name));
        assert!(text.is_ok_and(|text| text.contains("<testcase ")), "{name}");
    }
}
