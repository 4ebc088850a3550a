//! What a run says of itself is true: of its hosts, its files, its parts, and of what was asked for.

use std::{fs, path::Path};

mod common;
#[path = "common/unsealed.rs"]
mod unsealed;

use common::{a_history, alone, call, file_of, fresh, refuses, run_in};
use unsealed::unsealed;

/// The cases of most runs here: 16 of them.
const SOME: [&str; 4] = ["--profile", "tck", "-E", "control(p2p) & state(running)"];

fn add(dir: &Path, file: &str, line: &str) {
    let path = dir.join("out").join(file);
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(path, text + line + "\n").expect("there is room");
}

#[test]
fn a_host_that_was_lost_beside_the_cases_fails_the_run_whenever_it_is_told_of() {
    let dir = fresh();
    assert_eq!(run_in(dir.path(), &SOME).code, 0);
    let lost = r#"{"host-lost":{"release":"trixie","side":"source","why":"killed by signal 9 (SIGKILL)","at_unix":1795000000}}"#;
    add(dir.path(), "sessions.jsonl", lost);
    for command in [
        &["report", "out"][..],
        &["judge", "out"],
        &["run", "--resume", "out"],
    ] {
        let said = call(dir.path(), command);
        assert_eq!(said.code, 1, "{command:?}: {}", said.out);
        assert!(
            said.out.contains("source host of trixie died at"),
            "{}",
            said.out
        );
        assert!(
            said.out.contains("signal 9 (SIGKILL)\n  no case was on it"),
            "{}",
            said.out
        );
    }
    for file in [
        "summary.txt",
        "summary.json",
        "junit.xml",
        "junit-strict.xml",
    ] {
        assert!(file_of(dir.path(), file).contains("SIGKILL"), "{file}");
    }
    assert_eq!(
        call(dir.path(), &["report", "out", "--allow-flaky"]).code,
        0
    );
}

#[test]
fn a_line_beside_the_cases_that_is_damaged_is_named_and_is_unknown() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    add(dir.path(), "sessions.jsonl", "{}");
    let said = call(dir.path(), &["report", "out"]);
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(
        said.out.contains("line 2 of out/sessions.jsonl is damaged"),
        "{}",
        said.out
    );
}

#[test]
fn a_verdict_without_a_condition_of_its_case_is_named_and_the_rest_is_judged() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let file = dir.path().join("out/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let (first, rest) = text.split_once('\n').expect("it has lines");
    let mut line: serde_json::Value = serde_json::from_str(first).expect("it is JSON");
    let conditions = line["conditions"].as_array_mut().expect("it is a list");
    conditions.retain(|one| one[0] != "memory");
    let spoilt = format!("{line}\n{rest}");
    fs::write(&file, &spoilt).expect("there is room");
    let said = call(dir.path(), &["report", "out"]);
    assert_eq!(said.code, 3, "{}", said.out);
    for words in [
        "line 1 of out/verdicts.jsonl is damaged: its conditions are not those of its case tck/",
        "it lacks memory",
        "judge out",
        "15 passed, 1 unknown",
    ] {
        assert!(said.out.contains(words), "`{words}`: {}", said.out);
    }
    assert_eq!(call(dir.path(), &["run", "--resume", "out"]).code, 0);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
    fs::write(&file, format!("{{}}\n{rest}")).expect("there is room");
    let said = call(dir.path(), &["report", "out"]);
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(
        said.out.contains("line 1 of out/verdicts.jsonl is damaged"),
        "{}",
        said.out
    );
    assert!(said.out.contains("15 passed"), "{}", said.out);
}

/// Changes one history, and judges the run again.
fn judged_with(change: impl Fn(&str) -> String) -> common::Said {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    let changed = change(&text);
    assert_ne!(changed, text);
    fs::write(&history, unsealed(&changed)).expect("there is room");
    call(dir.path(), &["judge", "out"])
}

#[test]
fn a_word_of_a_newer_version_in_a_history_passes_nothing_and_is_named_with_its_line() {
    let said = judged_with(|text| text.replacen("\"saw\":\"memory\"", "\"saw\":\"weather\"", 1));
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(said.out.contains("15 passed, 1 unknown"), "{}", said.out);
    assert!(
        said.out.contains("of the history tells `weather`"),
        "{}",
        said.out
    );
}

#[test]
fn a_search_of_a_host_of_ours_that_tells_nothing_is_unknown() {
    let said = judged_with(|text| {
        let kept = text
            .split_inclusive('\n')
            .filter(|line| !line.contains("\"saw\":\"residue\""));
        kept.collect()
    });
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(said.out.contains("15 passed, 1 unknown"), "{}", said.out);
    assert!(said.out.contains("no-leftovers"), "{}", said.out);
}

#[test]
fn a_shard_says_which_it_is_and_one_that_was_run_by_other_rules_is_refused() {
    let dir = fresh();
    let part = |out: &str, shard: &str, more: &[&str]| {
        let run = ["run", "--backend", "fake", "--out", out, "--shard", shard];
        call(dir.path(), &[&run[..], &SOME, more].concat())
    };
    let said = part("one", "slice:1/2", &[]);
    assert!(
        said.out
            .contains("\nshard 1 of 2: 8 of 16 cases (in memory: no QEMU ran) in "),
        "{}",
        said.out
    );
    for (out, option) in [("two", "--as-shipped"), ("three", "--retries=2")] {
        part(out, "slice:2/2", &[option]);
        let option = option.split('=').next().expect("it has a name");
        let merged = call(dir.path(), &["report", "one", out]);
        refuses(
            &merged,
            2,
            &["one and ", " are not shards of one run", option],
        );
    }
    part("four", "slice:2/2", &["--jobs=1"]);
    let merged = call(dir.path(), &["report", "one", "four"]);
    assert_eq!(merged.code, 0, "{}", merged.err);
    assert!(
        merged
            .out
            .contains("\n16 cases (in memory: no QEMU ran) in "),
        "{}",
        merged.out
    );
}

#[test]
fn another_list_of_known_failures_is_named_by_its_file() {
    let dir = fresh();
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"memory\"]\nreason = \"r\"\n\
        sometimes = true\n";
    fs::write(dir.path().join("mine.toml"), list).expect("there is room");
    let part = |out: &str, shard: &str, more: &[&str]| {
        let run = ["run", "--backend", "fake", "--out", out, "--shard", shard];
        call(dir.path(), &[&run[..], &SOME, more].concat())
    };
    part("one", "slice:1/2", &[]);
    part("two", "slice:2/2", &["--known", "mine.toml"]);
    let merged = call(dir.path(), &["report", "one", "two"]);
    refuses(
        &merged,
        2,
        &["mine.toml", "the one that comes with the program"],
    );
}

#[test]
fn a_release_that_is_not_built_is_wrong_use_with_the_mend() {
    let dir = fresh();
    for suite in ["tck", "qemu", "backup", "faults"] {
        let out = ["--out", suite];
        let arguments = [&["run", "--suite", suite][..], &out].concat();
        let said = call(dir.path(), &arguments);
        refuses(
            &said,
            2,
            &[
                "bookworm is not built: ",
                "migratrix releases build bookworm",
            ],
        );
        assert!(
            !dir.path().join(suite).exists(),
            "{suite}: nothing was begun"
        );
    }
    let up = call(dir.path(), &["lab", "up", "trixie"]);
    refuses(
        &up,
        2,
        &["trixie is not built: ", "migratrix releases build trixie"],
    );
}

#[test]
fn a_release_that_is_given_twice_to_a_lab_is_wrong_use() {
    let said = alone(&["lab", "up", "trixie", "bookworm", "trixie"]);
    refuses(&said, 2, &["`trixie` is given twice"]);
}

#[test]
fn a_filter_of_another_suite_names_that() {
    let said = alone(&["list", "-E", "tls(psk,x509)"]);
    refuses(
        &said,
        4,
        &["matches none of them", "--suite qemu --profile "],
    );
    let mend = said.err.rsplit("--suite ").next().expect("it is there");
    let words: Vec<_> = mend.split_whitespace().collect();
    let named = alone(&[
        "list",
        "--count",
        "--suite",
        words[0],
        "--profile",
        words[2],
        "-E",
        "tls(psk,x509)",
    ]);
    assert_eq!(named.code, 0, "{}", named.err);
    let never = alone(&["list", "-E", "state(paused) & state(running)"]);
    assert!(!never.err.contains("--suite"), "{}", never.err);
}

#[test]
fn a_machine_of_another_hypervisor_is_refused_by_its_uri() {
    let dir = fresh();
    for uri in ["xen:///", "test:///default", "qemux://a/"] {
        let text = format!(
            "[hosts.a]\nuri = \"{uri}\"\nboot_image = \"/a\"\nmachines = [\"pc-q35-7.2\"]\n"
        );
        fs::write(dir.path().join("migratrix.toml"), text).expect("there is room");
        refuses(
            &call(dir.path(), &["list"]),
            2,
            &["hosts.a", uri, "no QEMU driver"],
        );
    }
}

#[test]
fn a_link_of_a_known_failure_that_leads_to_no_page_is_refused() {
    let dir = fresh();
    let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"memory\"]\nreason = \"r\"\n\
        link = \"javascript:alert(1)\"\n";
    fs::write(dir.path().join("mine.toml"), list).expect("there is room");
    let said = call(dir.path(), &["run", "--backend=fake", "--known=mine.toml"]);
    refuses(
        &said,
        2,
        &["mine.toml", "`javascript:alert(1)`", "https://"],
    );
}

#[test]
fn the_help_says_what_is_tried_again_and_whose_list_stays() {
    let help = alone(&["run", "--help"]).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("Whatever is given, a case of which something could not be seen"),
        "{help}"
    );
    assert!(
        help.contains("--known FILE is the list of the whole run from then on"),
        "{help}"
    );
}
