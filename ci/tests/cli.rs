//! The command line on good and bad input: what it prints, and the code that it exits with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

mod common;
#[path = "common/copied.rs"]
mod copied;
#[path = "cli/last_failed.rs"]
mod last_failed;
#[path = "cli/pipelines.rs"]
mod pipelines;
#[path = "cli/readers.rs"]
mod readers;
#[path = "common/under_way.rs"]
mod under_way;

use common::{Said, a_history, alone, call, file_of, fresh, refuses, run_in};
use copied::copy;
use under_way::{signal, until_concluded};

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
    assert_eq!(count(&["--profile", "tck-full"]), 384 + 32);
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
fn the_list_in_json_says_how_each_case_must_end_and_by_what_it_is_judged() {
    let listed = |arguments: &[&str]| {
        let said = alone(&[&["list", "--format", "json"], arguments].concat());
        let mut all: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
        all[0].take()
    };
    let qemu = |filter| listed(&["--suite", "qemu", "-E", filter]);
    assert_eq!(
        listed(&[])["outcome"],
        serde_json::json!({"end": "success"})
    );
    assert_eq!(listed(&[])["expects"]["source_defined"], true);
    let refused = qemu("name(*no-address*)");
    let class = serde_json::json!({"end": "refused", "class": "no-address"});
    assert_eq!(refused["outcome"], class);
    let judged = refused["conditions"].as_array().expect("it has some");
    assert!(judged.contains(&"expected-error".into()), "{judged:?}");
    let failed = qemu("tls(x509-mismatch-host)");
    let class = serde_json::json!({"end": "failed", "class": "hostname"});
    assert_eq!(failed["outcome"], class);
    assert_eq!(failed["fault"], serde_json::Value::Null);
    let broken = listed(&["--suite", "faults", "-E", "fault(daemon-stopped)"]);
    assert_eq!(broken["fault"]["name"], "daemon-stopped");
    assert_eq!(broken["fault"]["comes_out"], "unknown");
    assert!(broken["fault"]["seen_by"].is_string(), "{broken}");
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
    // Its plan says nothing of what the run keeps, and it has no list of what was concluded.
    let plan = file_of(dir.path(), "plan.json");
    let mut plan: serde_json::Value = serde_json::from_str(&plan).expect("it is JSON");
    let keeps = plan.as_object_mut().and_then(|plan| plan.remove("keeps"));
    assert!(keeps.is_some(), "{plan}");
    fs::write(dir.path().join("out/plan.json"), plan.to_string()).expect("there is room");
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
            "--markdown",
            "all.md",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("96 passed"), "{}", said.out);
    assert!(dir.path().join("all.xml").exists());
    let summary = fs::read_to_string(dir.path().join("all.md")).expect("it is written");
    let title = "## ✓ As expected: 96 cases \\(in memory: no QEMU ran\\) in ";
    assert!(summary.starts_with(title), "{summary}");
}

#[test]
fn the_page_on_covers_counts_scenarios_as_list_does() {
    let page = include_str!("../../docs/covers.md").replace('\n', " ");
    let words = "`migratrix list --profile tck-full -E 'parallel(off)' --count` says 384 of one tuple, and 416 without `-E`";
    assert!(page.contains(words), "{page}");
    let count = |more: &[&str]| {
        let said = alone(&[&["list", "--profile", "tck-full", "--count"], more].concat());
        said.out.trim().to_owned()
    };
    assert_eq!(count(&["-E", "parallel(off)"]), "384");
    assert_eq!(count(&[]), "416");
}

#[test]
fn a_run_that_is_named_twice_is_refused_by_its_name() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let twice = call(dir.path(), &["report", "out", "out"]);
    refuses(
        &twice,
        2,
        &["the run out is given twice: give each run once"],
    );
    let otherwise = call(dir.path(), &["report", "out", "./out/"]);
    refuses(&otherwise, 2, &["./out/ is given twice, also as out"]);
}

#[test]
fn a_copy_of_a_shard_is_refused_by_the_names_of_both() {
    let dir = fresh();
    three_shards(dir.path());
    copy(dir.path(), "part-2", "copy");
    let said = call(
        dir.path(),
        &["report", "part-1", "part-2", "copy", "part-3"],
    );
    refuses(
        &said,
        2,
        &["part-2 and copy are both the shard hash:2/3, whose cases would count twice"],
    );
}

#[test]
fn a_folder_that_holds_runs_is_refused_with_their_names_and_what_to_type_wherever_a_run_is_meant() {
    let dir = fresh();
    for out in ["runs/one", "runs/two"] {
        let few = ["--profile", "tck", "-E", "control(p2p)", "--out", out];
        let said = call(
            dir.path(),
            &[&["run", "--backend", "fake"], &few[..]].concat(),
        );
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let case = "tck/libvirt/bookworm,bookworm,trixie/p2p/persistent-running-undefined/none";
    for command in [
        &["report", "runs"][..],
        &["judge", "runs"],
        &["explain", "runs"],
        &["jump", "runs"],
        &["compare", "runs/one", "runs"],
        &["reproduce", case, "--run", "runs"],
        &["run", "--resume", "runs"],
        &["run", "--last-failed=runs"],
    ] {
        let said = call(dir.path(), command);
        let told =
            "runs is not a run's directory, it holds 2 runs: runs/two, runs/one; for the newest: ";
        refuses(&said, 2, &[told]);
        let right = command.join(" ");
        let at = right.rfind("runs").expect("it is there");
        let right = format!(" {}runs/two\n", &right[..at]);
        assert!(said.err.ends_with(&right), "{}", said.err);
    }
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
fn a_directory_among_shards_that_holds_no_run_is_a_missing_shard_in_every_report() {
    let dir = fresh();
    three_shards(dir.path());
    fs::create_dir(dir.path().join("empty")).expect("there is room");
    fs::create_dir(dir.path().join("cut")).expect("there is room");
    let plan = fs::read_to_string(dir.path().join("part-2/plan.json")).expect("it is there");
    fs::write(dir.path().join("cut/plan.json"), &plan[..plan.len() / 2]).expect("there is room");
    let asked = ["--junit=j.xml", "--html=i.html", "--markdown=s.md"];
    for (lacking, shards) in [
        ("nowhere", ["nowhere", "part-1", "part-3"]),
        ("empty", ["part-1", "empty", "part-3"]),
        ("cut", ["part-1", "part-3", "cut"]),
    ] {
        for file in ["j.xml", "i.html", "s.md"] {
            let _not_there_yet = fs::remove_file(dir.path().join(file));
        }
        let said = call(dir.path(), &[&["report"], &shards[..], &asked].concat());
        assert_eq!(said.code, 3, "{}", said.err);
        let told = format!("{lacking} counts as a shard that is missing: ");
        assert!(said.out.contains("missing: hash:2/3"), "{}", said.out);
        assert!(said.out.contains(&told), "{}", said.out);
        let written = |file| fs::read_to_string(dir.path().join(file)).expect("it is written");
        assert!(written("j.xml").contains("<testcase name=\"hash:2/3\""));
        for file in ["j.xml", "i.html", "s.md"] {
            let text = written(file);
            assert!(text.contains(&told), "{file}: {text}");
        }
        let junit = written("j.xml");
        assert_eq!(junit.matches("<error").count(), 1, "{junit}");
        let mend = "or run it again by --shard hash:2/3";
        assert!(
            junit.contains(mend) && !junit.contains("as well"),
            "{junit}"
        );
    }
}

#[test]
fn a_directory_that_holds_no_run_is_refused_where_it_is_no_shard_that_is_missing() {
    let dir = fresh();
    three_shards(dir.path());
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let all = ["report", "part-1", "part-2", "part-3", "nowhere"];
    for call_of in [
        &["report", "nowhere"][..],
        &["report", "nowhere", "elsewhere"],
        &["report", "out", "nowhere"],
        &all,
    ] {
        let said = call(dir.path(), call_of);
        refuses(&said, 2, &["nowhere is not a run's directory"]);
    }
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

#[test]
fn a_report_does_not_overwrite_what_any_run_is_made_of() {
    let dir = fresh();
    let tck = ["run", "--backend", "fake", "-E", "control(p2p)", "--out"];
    for out in ["out", "base"] {
        call(dir.path(), &[&tck[..], &[out]].concat());
    }
    for (option, file) in [
        ("--html", "base/plan.json"),
        ("--junit", "base/concluded.jsonl"),
        ("--json", "base/history/new.json"),
        ("--junit-per-pair", "base/history"),
        ("--html", "out/summary.json"),
        ("--json", "base/junit.xml"),
        ("--html", "base/index.html"),
        ("--junit", "base/junit.xml"),
    ] {
        let read = || fs::read(dir.path().join(file)).ok();
        let before = read();
        let said = call(dir.path(), &["report", "out", option, file]);
        refuses(&said, 2, &[option, file, "write it elsewhere"]);
        assert_eq!(read(), before, "{file}");
    }
    for (option, file) in [
        ("--html", "out/index.html"),
        ("--json", "out/summary.json"),
        ("--junit-per-pair", "out/pairs"),
    ] {
        let said = call(dir.path(), &["report", "out", option, file]);
        assert_eq!(said.code, 0, "{}", said.err);
    }
}

/// Each `href` of a page that leads to a file, and the address of each history that its script has to
/// link, as the path that it stands for.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).expect("the page is there");
    let parts = text.split("href=\"").skip(1);
    let paths = parts.map(|part| part.split('"').next().expect("it ends").to_owned());
    let paths = paths
        .filter(|path| !path.starts_with('#'))
        .chain(histories(&text));
    let folder = page.parent().expect("it is in a folder");
    paths
        .map(|path| folder.join(path.replace("%20", " ")))
        .collect()
}

/// The histories of all cases, as the script of a page finds them.
fn histories(page: &str) -> Vec<String> {
    let (_, data) = page
        .split_once("type=\"application/json\">")
        .expect("it has data");
    let (data, _) = data.split_once("</script>").expect("they end");
    let data: serde_json::Value = serde_json::from_str(data).expect("they are JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let part = |of: &str, row: &serde_json::Value, place: usize| {
        let number = row[place]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        text(&data[of][number.expect("a number")][0])
    };
    let usual = |row: &serde_json::Value| {
        let name = part("heads", row, 0) + &part("tails", row, 1);
        format!(
            "{}history/{}.jsonl",
            text(&data["home"]),
            name.replace('/', "~")
        )
    };
    let rows = data["cases"].as_array().expect("rows").iter();
    rows.map(|row| row[6].as_str().map_or_else(|| usual(row), str::to_owned))
        .collect()
}

/// A run in which the cases of p2p are not as expected, by a known failure that does not come.
fn run_with_news(dir: &Path, out: &str, more: &[&str]) -> Said {
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"job\"]\nreason = \"r\"\n";
    fs::write(dir.join("known.toml"), list).expect("it is written");
    let tck = ["--backend", "fake", "--profile", "tck"];
    let base = [&["run"], &tck[..], &["--known", "known.toml", "--out"]].concat();
    let said = call(dir, &[&base[..], &[out], more].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    said
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
        assert_eq!(links.len(), 32 + 96, "{page}");
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
    refuses(
        &said,
        2,
        &[
            "known.toml: line 2, column 9: known failure 1",
            "trxie",
            "trixie",
        ],
    );
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
    let told = "1 case (in memory: no QEMU ran) in ";
    assert!(again.out.contains(told), "{}", again.out);
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

/// Begins a run that waits for 3 s at its end, and stops it there by Ctrl-C; gives what it said.
fn stopped(dir: &Path, more: &[&str]) -> Said {
    let run = [
        "run",
        "--backend",
        "fake",
        "--suite",
        "faults",
        "--out",
        "out",
    ];
    let running = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args([&run[..], more].concat())
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    until_concluded(dir, Duration::from_secs(20));
    signal(&running, "-INT");
    Said::of(&running.wait_with_output().expect("it ends"))
}

#[test]
fn a_run_whose_directory_goes_says_so_and_nothing_of_a_file_in_it() {
    let dir = fresh();
    let running = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(["run", "--backend", "fake", "--suite", "faults", "--jobs=1"])
        .args(["--out", "out"])
        .current_dir(dir.path())
        .env("MIGRATRIX_CACHE", dir.path().join("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    until_concluded(dir.path(), Duration::from_secs(20));
    fs::rename(dir.path().join("out"), dir.path().join("moved")).expect("it is ours");
    let said = Said::of(&running.wait_with_output().expect("it ends"));
    refuses(
        &said,
        5,
        &[
            "migratrix: the run's directory out is gone, and nothing more can be kept in it: was it moved",
        ],
    );
    assert!(!said.err.contains("No such file"), "{}", said.err);
    assert!(!said.err.contains("history"), "{}", said.err);
}

#[test]
fn a_run_that_was_stopped_says_last_how_to_go_on_and_goes_on_with_its_options() {
    let dir = fresh();
    let slow = "[deadlines]\nmigrate = 3\n";
    fs::write(dir.path().join("slow.toml"), slow).expect("it is written");
    fs::write(dir.path().join("known.toml"), "").expect("it is written");
    let options = [
        "--config=slow.toml",
        "--known=known.toml",
        "--granularity=condition",
        "--junit-per-pair=pairs",
        "--jobs=2",
        "--retries=1",
    ];
    let said = stopped(dir.path(), &options);
    assert_eq!(said.code, 3, "{}", said.err);
    let last = said.err.lines().last().expect("it says something");
    let (_, line) = last.split_once("go on with ").expect("it is the hint");
    let on = Command::new("sh")
        .args(["-c", line])
        .current_dir(dir.path())
        .output()
        .expect("there is a shell");
    let on = Said::of(&on);
    assert_eq!(on.code, 0, "{}", on.err);
    assert!(on.err.contains("2 side by side"), "{}", on.err);
    let pair = dir.path().join("pairs/junit-bookworm-to-trixie.xml");
    let pair = fs::read_to_string(pair).expect("it is written by the rest as well");
    let whole = file_of(dir.path(), "junit.xml");
    let tests = |text: &str| text.matches("<testcase").count();
    assert_eq!(tests(&pair), tests(&whole));
    let plan: serde_json::Value =
        serde_json::from_str(&file_of(dir.path(), "plan.json")).expect("it is JSON");
    let here = dir.path().canonicalize().expect("it is there");
    let path = |name: &str| here.join(name).to_string_lossy().into_owned();
    assert_eq!(
        plan["options"],
        serde_json::json!({
            "config": path("slow.toml"),
            "known": { "files": [path("known.toml")] },
            "granularity": "condition",
            "junit_per_pair": path("pairs"),
            "jobs": 2,
            "retries": 1,
        })
    );
}

#[test]
fn judging_again_writes_the_reports_as_the_run_did() {
    let dir = fresh();
    let rows = || {
        let text = file_of(dir.path(), "junit.xml");
        text.matches("<testcase").count()
    };
    let selection = ["-E", "control(p2p)", "--granularity=condition"];
    run_in(dir.path(), &selection);
    let before = rows();
    assert!(before > 500, "{before} rows are not one a condition");
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
    assert_eq!(rows(), before);
}

#[test]
fn an_option_that_is_given_anew_is_the_one_of_the_rest() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)", "--jobs", "1"]);
    let again = [
        "run",
        "--resume",
        "out",
        "--jobs",
        "3",
        "--granularity",
        "case",
    ];
    assert_eq!(call(dir.path(), &again).code, 0);
    let plan = file_of(dir.path(), "plan.json");
    assert!(plan.contains("\"jobs\": 3"), "{plan}");
    assert!(plan.contains("\"granularity\": \"case\""), "{plan}");
}

#[test]
fn verdicts_are_marked_anew_where_a_run_goes_on_with_other_known_failures() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p) & state(paused)"]);
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"memory\"]\nreason = \"no\"\n";
    fs::write(dir.path().join("known.toml"), list).expect("it is written");
    let said = call(
        dir.path(),
        &["run", "--resume", "out", "--known", "known.toml"],
    );
    assert_eq!(said.code, 1, "{}", said.out);
    let before = file_of(dir.path(), "verdicts.jsonl");
    assert!(before.contains("\"known\":["));
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 1);
    assert_eq!(file_of(dir.path(), "verdicts.jsonl"), before);
}

#[test]
fn a_selection_beside_a_run_that_goes_on_is_refused_by_its_name() {
    let dir = fresh();
    run_in(dir.path(), &["-E", "control(p2p)"]);
    for (name, value) in [
        (
            "--case",
            "tck/fake/trixie,trixie,trixie/p2p/persistent-running-undefined/none",
        ),
        ("--source", "trixie"),
        ("--shard", "1/2"),
        ("--suite", "tck"),
        ("--expression", "control(p2p)"),
        ("--out", "other"),
    ] {
        let said = call(dir.path(), &["run", "--resume", "out", name, value]);
        refuses(&said, 2, &["--resume", name]);
    }
}

#[test]
fn numbers_out_of_their_range_are_refused_with_it() {
    for jobs in ["0", "100000", "-1", "x", "\u{fc}", "4.5"] {
        let said = alone(&["run", "--backend", "fake", &format!("--jobs={jobs}")]);
        refuses(&said, 2, &[jobs, "--jobs", "1..=512"]);
    }
    let said = alone(&["run", "--backend", "fake", "--retries=100000"]);
    refuses(&said, 2, &["100000", "--retries", "0..=1000"]);
}

#[test]
fn settings_of_hosts_that_make_no_sense_are_named_by_key_and_value() {
    let host = |uri: &str, machines: &str| {
        let dir = fresh();
        let text = format!(
            "[hosts.prod-a]\nuri = {uri}\nboot_image = \"/a-b.img\"\nmachines = {machines}\n"
        );
        fs::write(dir.path().join("migratrix.toml"), text).expect("it is written");
        call(dir.path(), &["list", "--count"])
    };
    let good = (r#""qemu+ssh://root@a/system""#, r#"["pc-q35-8.2"]"#);
    assert_eq!(host(good.0, good.1).code, 0);
    for uri in [
        "\"\"",
        r#""qemu://a\nb/system""#,
        "\"nonsense\"",
        "\"qemu://a b\"",
    ] {
        refuses(
            &host(uri, good.1),
            2,
            &["hosts.prod-a", "uri", uri, "qemu+ssh://"],
        );
    }
    for machines in [r#"["nonsense"]"#, r#"["pc-q35-8.2", "pc"]"#] {
        let bad = machines.trim_end_matches(']').rsplit(['[', ' ']).next();
        let words = [
            "hosts.prod-a",
            "machines",
            bad.expect("it has one"),
            "pc-q35-7.2",
        ];
        refuses(&host(good.0, machines), 2, &words);
    }
    refuses(
        &host(good.0, "[]"),
        2,
        &["hosts.prod-a", "machines is empty"],
    );
    refuses(
        &host(good.0, r#"["pc-q35-8.2", "pc-q35-7.2", "pc-q35-8.2"]"#),
        2,
        &["hosts.prod-a", "machines has \"pc-q35-8.2\" twice", "once"],
    );
}

#[test]
fn a_run_can_not_have_the_place_of_a_file() {
    let dir = fresh();
    fs::write(dir.path().join("file"), "").expect("it is written");
    for out in ["file", "file/below"] {
        let said = call(dir.path(), &["run", "--backend", "fake", "--out", out]);
        refuses(&said, 2, &[out, "file is no directory", "--out"]);
    }
}

/// Puts a full disk in the place of a file.
fn full(file: &Path) {
    fs::create_dir_all(file.parent().expect("it has one")).expect("there is room");
    std::os::unix::fs::symlink("/dev/full", file).expect("there is room");
}

#[test]
fn a_full_disk_is_told_with_its_path() {
    let dir = fresh();
    let of = |name: &str| dir.path().join("out").join(name);
    full(&of("plan.json.part"));
    let said = run_in(dir.path(), &["-E", "control(p2p)"]);
    refuses(&said, 5, &["out/plan.json", "No space left"]);
    fs::remove_file(of("plan.json.part")).ok();
    assert_eq!(run_in(dir.path(), &["-E", "control(p2p)"]).code, 0);
    let stem = "tck~fake~bookworm,bookworm,trixie~p2p~persistent-running-undefined~none";
    let name = &format!("{stem}.part");
    fs::remove_file(of("history").join(format!("{stem}.jsonl"))).expect("it is there");
    full(&of("history").join(name));
    let said = call(dir.path(), &["run", "--resume", "out"]);
    refuses(
        &said,
        5,
        &[name, "No space left", "go on with", "--resume out"],
    );
    fs::remove_file(of("history").join(name)).ok();
    assert_eq!(call(dir.path(), &["run", "--resume", "out"]).code, 0);
    for name in ["verdicts.jsonl", "junit.xml"] {
        full(&of(&format!("{name}.part")));
        let said = call(dir.path(), &["judge", "out"]);
        refuses(&said, 5, &[&format!("out/{name}"), "No space left"]);
    }
}

#[test]
fn what_is_given_twice_is_blamed_where_it_was_given() {
    let said = alone(&["list", "--source", "trixie,trixie"]);
    refuses(&said, 2, &["twice as a source"]);
    let said = alone(&["list", "--suite", "qemu", "--profile", "tck"]);
    refuses(
        &said,
        2,
        &["the profile `tck` is of the suite `tck`, and not of `qemu`"],
    );
}

#[test]
fn a_profile_says_which_suite_it_is_of() {
    let named = |arguments: &[&str]| alone(arguments).out;
    assert_eq!(
        named(&["list", "--profile", "iotests-124"]),
        named(&["list", "--suite", "backup", "--profile", "iotests-124"])
    );
}

#[test]
fn a_value_of_thousands_of_characters_is_not_repeated_whole() {
    let long = "x".repeat(5_000);
    for arguments in [
        vec!["list", "--suite", &long],
        vec!["list", "--source", &long],
        vec!["list", "--format", &long],
        vec!["list", "-E", &long],
        vec!["list", "--case", &long],
        vec!["list", "--shard", &long],
        vec!["judge", &long],
        vec!["--config", &long, "list"],
        vec![&long],
    ] {
        let said = alone(&arguments);
        refuses(&said, 2, &["xxx"]);
        assert!(
            !said.err.contains(&long[..400]),
            "{arguments:?}: {}",
            said.err
        );
    }
}

#[test]
fn an_argument_that_is_no_text_is_named() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(["list", "--source"])
        .arg(OsStr::from_bytes(b"trix\xff"))
        .output()
        .expect("the program is built");
    refuses(&Said::of(&output), 2, &["not UTF-8", "trix", "--source"]);
}

#[test]
fn the_host_of_the_settings_is_looked_at_by_the_doctor() {
    let dir = fresh();
    let host = "[hosts.prod-a]\nuri = \"qemu+tcp://127.0.0.1:1/system\"\n\
                boot_image = \"/a-b.img\"\nmachines = [\"pc-q35-8.2\"]\n";
    fs::write(dir.path().join("migratrix.toml"), host).expect("it is written");
    let said = call(dir.path(), &["doctor"]);
    assert!(
        said.out
            .contains("limited  host prod-a: qemu+tcp://127.0.0.1:1/system was not asked")
    );
}

#[test]
fn two_do_not_write_into_one_directory() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let lock = fs::File::open(dir.path().join("out/run.lock")).expect("it is there");
    let held = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusiveNonblock);
    let held = held.map_err(|(_, why)| why).expect("nobody holds it");
    for command in [
        &["judge", "out"][..],
        &["run", "--resume", "out"],
        &["run", "--backend", "fake", "--out", "out"],
    ] {
        let said = call(dir.path(), command);
        refuses(&said, 5, &["at work in out: wait for its end\n"]);
    }
    drop(held);
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
}

#[test]
fn what_was_concluded_is_not_overwritten_and_not_taken_for_a_new_run() {
    let dir = fresh();
    run_in(dir.path(), &["--profile", "tck", "-E", "control(p2p)"]);
    let said = call(
        dir.path(),
        &["report", "out", "--junit", "out/concluded.jsonl"],
    );
    refuses(&said, 2, &["concluded.jsonl"]);
    fs::remove_file(dir.path().join("out/plan.json")).expect("it is there");
    let said = call(dir.path(), &["run", "--backend", "fake", "--out", "out"]);
    refuses(&said, 2, &["out holds a run already"]);
}

#[test]
fn a_case_that_is_named_names_its_back_end_too() {
    let dir = fresh();
    let case = "tck/fake/bookworm,bookworm,trixie/p2p/persistent-running-undefined/none";
    let said = call(
        dir.path(),
        &["list", "--backend", "libvirt", "--case", case],
    );
    let leave = "leave --suite, --backend and --profile out";
    refuses(&said, 2, &[leave]);
    let said = call(dir.path(), &["list", "--suite", "qemu", "--case", case]);
    refuses(&said, 2, &[leave]);
    let raw = "qemu/qemu/trixie,trixie/precopy/unix/running/plain";
    let said = call(dir.path(), &["list", "--case", raw]);
    assert!(said.err.starts_with("# qemu: "), "{}", said.err);
}

#[test]
fn a_report_is_written_into_a_device_and_by_what_the_run_was_begun_with() {
    let dir = fresh();
    run_with_news(dir.path(), "out", &[]);
    let said = call(dir.path(), &["report", "out", "--json", "/dev/stdout"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("\"format\""), "{}", said.out);
}

#[test]
fn a_run_that_may_not_open_the_files_that_it_needs_says_how_it_may() {
    let dir = fresh();
    let program = env!("CARGO_BIN_EXE_migratrix");
    let run = format!("ulimit -n 70; exec {program} run --backend fake --jobs 2 --out out");
    let shell = Command::new("sh")
        .args(["-c", &run])
        .current_dir(dir.path())
        .env("MIGRATRIX_CACHE", dir.path().join("cache"))
        .output();
    let said = Said::of(&shell.expect("a shell is there"));
    let words = [
        "2 cases side by side may have 96 files open, and 70 are allowed",
        "`ulimit -n 96`",
    ];
    refuses(&said, 5, &words);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn what_was_typed_is_given_back_without_what_a_terminal_would_obey() {
    for arguments in [
        &["run", "-E", "\u{1b}[2J"][..],
        &["run", "--jobs", "\u{1b}[2J"],
        &["report", "\u{1b}[2J"],
    ] {
        let said = alone(arguments);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(!said.err.contains('\u{1b}'), "{:?}", said.err);
    }
}

#[test]
fn a_run_whose_name_holds_what_a_terminal_would_obey_is_told_within_a_line_wherever_it_is_found() {
    let dir = fresh();
    let out = "runs/a\nb\u{1b}[31m";
    let few = ["--profile", "tck", "-E", "control(p2p)", "--out", out];
    let run = call(
        dir.path(),
        &[&["run", "--backend", "fake"], &few[..]].concat(),
    );
    let none = call(dir.path(), &["run", "--last-failed"]);
    let folder = call(dir.path(), &["report", "runs"]);
    for (said, word) in [
        (run.out, "/index.html"),
        (run.err, "runs/"),
        (none.err, "runs/"),
        (folder.err, "$'runs/a\\x0ab"),
    ] {
        assert!(said.contains("a\\nb\\u{1b}[31m"), "{said}");
        assert!(said.contains(word), "{said}");
        assert!(!said.contains("a\nb") && !said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn a_client_of_another_build_is_refused_before_anything_starts() {
    let dir = fresh();
    let cache = dir.path().join("cache/releases");
    for name in ["bookworm", "trixie"] {
        let folder = cache.join(name);
        fs::create_dir_all(folder.join("root")).expect("there is room");
        let record = format!(
            r#"{{"format":1,"name":"{name}","origin":{{"directory":"/"}},"libvirt":"9.0.0","qemu":"7.2.0","packages":[],"machines":["pc-q35-7.2"],"glibc":"2.36","added":0}}"#
        );
        fs::write(folder.join("release.json"), record).expect("there is room");
    }
    let client = dir.path().join("client");
    fs::write(&client, "built long ago").expect("there is room");
    let run = || {
        let run = Command::new(env!("CARGO_BIN_EXE_migratrix"))
            .args(["run", "--out", "out"])
            .current_dir(dir.path())
            .env("MIGRATRIX_CACHE", dir.path().join("cache"))
            .env("MIGRATRIX_CLIENT", &client)
            .output();
        Said::of(&run.expect("the program is built"))
    };
    let said = run();
    refuses(
        &said,
        5,
        &[
            "was built with another version of this program",
            "ci/build-client",
        ],
    );
    assert!(!dir.path().join("out").exists());
    fs::remove_file(&client).expect("it is there");
    let said = run();
    refuses(
        &said,
        5,
        &["is not there: name another by MIGRATRIX_CLIENT"],
    );
}
