//! `migratrix explain`, on runs of the hypervisor in memory whose verdicts are changed afterwards.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

#[expect(dead_code, reason = "these tests need a part of what all share")]
mod common;
#[path = "common/copied.rs"]
mod copied;
#[path = "common/refused.rs"]
mod refused;
#[path = "common/unsealed.rs"]
mod unsealed;
use common::{Said, call, fresh, histories, refuses};
use copied::copy;
use refused::refuse;
use unsealed::unsealed;

/// A run of the suite `tck` on the hypervisor in memory, in which what `fails` says of a name fails.
fn run(dir: &Path, out: &str, more: &[&str], fails: impl Fn(&str) -> bool) {
    let run = ["run", "--backend", "fake", "--out", out];
    let said = call(dir, &[&run[..], more].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    change(&dir.join(out), |one| {
        fails(one["case"].as_str().expect("it has a name"))
    });
}

/// Makes those verdicts of a run failures that `fails` says it of.
fn change(dir: &Path, fails: impl Fn(&Value) -> bool) {
    let file = dir.join("verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let lines = text.lines().map(|line| {
        let mut one: Value = serde_json::from_str(line).expect("it is JSON");
        if fails(&one) {
            let conditions = one["conditions"].as_array_mut().expect("it has some");
            let migrated = conditions.iter_mut().find(|one| one[0] == "migrated");
            let verdict = migrated.expect("it has this one");
            verdict[1] = serde_json::json!({ "verdict": "fail", "why": "refused" });
        }
        one.to_string() + "\n"
    });
    let changed: String = lines.collect();
    fs::write(&file, changed).expect("there is room");
}

fn explain(dir: &Path, more: &[&str]) -> Said {
    call(dir, &[&["explain"][..], more].concat())
}

const PAIR: [&str; 2] = ["--profile", "tck"];

#[test]
fn a_cause_is_told_as_a_filter_that_list_takes() {
    let dir = fresh();
    let fails = |name: &str| name.contains("/p2p/transient-");
    run(dir.path(), "out", &PAIR, fails);
    let said = explain(dir.path(), &["out"]);
    assert_eq!(said.code, 1, "as report ends: {}", said.err);
    let filter = "control(p2p) & state(transient)";
    assert!(said.out.contains(&format!("1. {filter}\n")), "{}", said.out);
    let reason = "\n   condition migrated failed: refused\n";
    assert!(said.out.contains(reason), "{}", said.out);
    let listed = call(
        dir.path(),
        &[
            "list",
            "--backend",
            "fake",
            "--profile",
            "tck",
            "-E",
            filter,
        ],
    );
    let listed: Vec<_> = listed
        .out
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(!listed.is_empty() && listed.iter().all(|name| fails(name)));
    let json = explain(dir.path(), &["out", "--format", "json"]);
    let account: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(account["causes"][0]["filter"], filter);
    assert_eq!(
        account["causes"][0]["failed"].as_array().map(Vec::len),
        Some(listed.len())
    );
    let report = call(dir.path(), &["judge", "out"]);
    assert!(
        !report.out.contains("what accounts for it"),
        "the histories are as they were"
    );
}

#[test]
fn a_run_that_ends_with_failures_tells_its_causes_in_a_line_each() {
    let dir = fresh();
    run(dir.path(), "out", &PAIR, |_| false);
    let is_in_it = |path: &Path| path.to_string_lossy().contains("~p2p~transient-");
    let failing: Vec<_> = histories(dir.path()).filter(|one| is_in_it(one)).collect();
    failing.iter().for_each(|one| refuse(one, "not today"));
    let ended = call(dir.path(), &["judge", "out"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let count = failing.len();
    let line = format!("\n  control(p2p) & state(transient) ({count} of {count} fail)\n");
    let told = "migratrix explain out tells more):";
    assert!(
        ended.out.contains(&format!("{told}{line}")),
        "{}",
        ended.out
    );
}

#[test]
fn the_command_that_tells_more_tells_it_by_the_same_lists() {
    let dir = fresh();
    run(dir.path(), "out", &PAIR, |_| false);
    let is_in_it = |path: &Path| path.to_string_lossy().contains("~p2p~transient-");
    let failing: Vec<_> = histories(dir.path()).filter(|one| is_in_it(one)).collect();
    failing.iter().for_each(|one| refuse(one, "not today"));
    let list = |reason: &str| {
        let entry = "cases = \"control(p2p) & state(transient)\"\nconditions = [\"migrated\"]";
        format!("[[known]]\n{entry}\nreason = \"{reason}\"\n")
    };
    fs::write(dir.path().join("my list.toml"), list("mine")).expect("there is room");
    fs::write(dir.path().join("none.toml"), "").expect("there is room");
    for options in [
        &["--only-known", "--known", "none.toml"][..],
        &["--known", "my list.toml", "--fail-known"],
        &["--fail-known"],
        &[],
    ] {
        let ended = call(dir.path(), &[&["judge", "out"][..], options].concat());
        assert_eq!(ended.code, 1, "{}", ended.err);
        let (_, hint) = ended
            .out
            .split_once("what accounts for it (")
            .expect("a hint");
        let (_, hint) = hint.split_once("migratrix ").expect("a command");
        let (hint, causes) = hint.split_once(" tells more):\n").expect("its end");
        let words = hint.replace("'my list.toml'", "my\0list.toml");
        let words: Vec<_> = words
            .split(' ')
            .map(|word| word.replace('\0', " "))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words, [&["explain", "out"][..], options].concat());
        let more = call(dir.path(), &words);
        assert_eq!(more.code, ended.code, "{}", more.err);
        let cause = causes
            .lines()
            .next()
            .and_then(|line| line.split(" (").next());
        let told = format!("1. {}\n", cause.expect("one").trim_start());
        assert!(more.out.contains(&told), "{told} in {}", more.out);
    }
}

#[test]
fn the_end_of_a_run_and_its_page_are_as_sure_as_explain_is() {
    let dir = fresh();
    let few = [&PAIR[..], &["--cover", "2"]].concat();
    run(dir.path(), "out", &few, |_| false);
    let is_in_it = |path: &Path| path.to_string_lossy().contains("~p2p~transient-");
    let failing: Vec<_> = histories(dir.path()).filter(|one| is_in_it(one)).collect();
    failing.iter().for_each(|one| refuse(one, "not today"));
    let ended = call(dir.path(), &["judge", "out"]);
    let json = explain(dir.path(), &["out", "--format", "json"]);
    let account: Value = serde_json::from_str(&json.out).expect("it is JSON");
    let causes = account["causes"].as_array().expect("it has some");
    assert!(causes.iter().any(|one| one["sure"] == false), "{causes:?}");
    for cause in causes {
        let begin = format!("  {} (", cause["filter"].as_str().expect("a filter"));
        let mut lines = ended.out.lines();
        let line = lines.find(|line| line.starts_with(&begin));
        let line = line.expect("the end of the run tells the same causes");
        assert_eq!(
            line.ends_with(", not sure)"),
            cause["sure"] == false,
            "{line}"
        );
    }
    let page = fs::read_to_string(dir.path().join("out/index.html")).expect("it is there");
    assert!(page.contains(", not sure</small>"), "the page tells it too");
}

/// Three causes, as filters.
const PLANTED: [&str; 3] = [
    "source(bookworm) & control(p2p) & flag(persist)",
    "destination(sid) & state(paused)",
    "client(sid,trixie) & control(tunnelled) & state(transient)",
];

#[test]
fn three_causes_in_a_covered_run_on_64_tuples_are_found_whole() {
    let dir = fresh();
    let all = "bullseye,bookworm,trixie,sid";
    let tuples = ["--client", all, "--source", all, "--destination", all];
    let planted = PLANTED.map(|one| format!("({one})")).join(" | ");
    let list = |filter: &str| {
        let list = [
            "list",
            "--backend",
            "fake",
            "--profile",
            "tck",
            "-E",
            filter,
        ];
        let said = call(dir.path(), &[&list[..], &tuples].concat());
        let names = said.out.lines().filter(|line| !line.starts_with('#'));
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let failing = list(&planted);
    let covered = [&PAIR[..], &tuples, &["--cover", "4"]].concat();
    run(dir.path(), "out", &covered, |name| failing.contains(name));
    let json = explain(dir.path(), &["out", "--format", "json"]);
    let account: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(account["left_over"], Value::Array(Vec::new()));
    let causes = account["causes"].as_array().expect("it has some").iter();
    let told: BTreeSet<_> = causes
        .map(|one| list(one["filter"].as_str().expect("a filter")))
        .collect();
    let same = told == PLANTED.map(list).into();
    assert!(same && !told.contains(&BTreeSet::new()), "{account}");
}

#[test]
fn a_failure_that_does_not_come_again_is_no_cause_once_more_was_tried() {
    let dir = fresh();
    let covered = [&PAIR[..], &["--cover", "2"]].concat();
    let lone = std::cell::Cell::new(true);
    run(dir.path(), "out", &covered, |_| lone.take());
    let said = explain(dir.path(), &["out", "--confirm", "12"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("passed: tck/fake/"), "{}", said.err);
    let left = "left over, for which no cause of up to three factors stands out: 1 case";
    assert!(said.out.contains(left), "{}", said.out);
    assert!(dir.path().join("out-confirm-1/verdicts.jsonl").is_file());
    let again = explain(dir.path(), &["out", "out-confirm-1"]);
    assert_eq!(again.code, 1, "both are explained together: {}", again.err);
    let within = explain(&dir.path().join("out"), &[".", "--confirm", "1"]);
    let counts = "runs count as well, from";
    assert!(within.err.contains(counts), "{}", within.err);
    assert_eq!(within.code, 1, "{}", within.err);
}

#[test]
fn a_copy_of_a_run_does_not_count_twice_and_another_run_of_the_same_cases_does() {
    let dir = fresh();
    let some = [&PAIR[..], &["-E", "state(paused)"]].concat();
    run(dir.path(), "out", &some, |name| name.contains("/p2p/"));
    run(dir.path(), "rerun", &some, |_| false);
    let both = explain(dir.path(), &["out", "rerun"]);
    assert_eq!(both.code, 1, "another run counts: {}", both.err);
    copy(dir.path(), "out", "copy");
    let words = "out and copy hold the same session of one run, one of them is a copy: give one";
    refuses(&explain(dir.path(), &["out", "copy"]), 2, &[words]);
    let line = dir.path().join("copy/sessions.jsonl");
    let text = fs::read_to_string(&line).expect("it is there");
    let (before, _) = text.split_once(",\"mark\"").expect("it has one");
    fs::write(&line, before.to_owned() + "}}\n").expect("there is room");
    let said = explain(dir.path(), &["out", "copy"]);
    assert_eq!(said.code, 1, "one of before is taken: {}", said.err);
}

#[test]
fn a_copy_of_what_an_earlier_confirm_ran_counts_once() {
    let dir = fresh();
    let covered = [&PAIR[..], &["--cover", "2"]].concat();
    run(dir.path(), "out", &covered, |name| name.contains("/p2p/"));
    run(dir.path(), "out-confirm-1", &covered, |_| false);
    copy(dir.path(), "out-confirm-1", "copy");
    let said = explain(dir.path(), &["out", "--confirm", "1"]);
    let counts = "out-confirm-1 counts as well";
    assert!(said.err.contains(counts), "{}", said.err);
    let said = explain(dir.path(), &["out", "copy", "--confirm", "1"]);
    assert!(!said.err.contains(counts), "{}", said.err);
    assert!([0, 1].contains(&said.code), "{}", said.err);
}

/// Makes a run of the hypervisor in memory one of libvirt, as far as its verdicts tell: its cases have hosts
/// then, which were set up as the plan says. What `fails` says of its setup and name fails.
fn of_libvirt(dir: &Path, fails: impl Fn(&str, &str) -> bool) {
    let histories = fs::read_dir(dir.join("history")).expect("it is there");
    let histories = histories.map(|one| one.expect("it can be read").path());
    let files = ["plan.json", "concluded.jsonl", "verdicts.jsonl"].map(|file| dir.join(file));
    for path in files.into_iter().chain(histories.collect::<Vec<_>>()) {
        let text = fs::read_to_string(&path).expect("it is there");
        let text = text.replace("tck/fake/", "tck/libvirt/");
        let text = text.replace("tck~fake~", "tck~libvirt~");
        let text = text.replace("\"backend\": \"fake\"", "\"backend\": \"libvirt\"");
        fs::remove_file(&path).expect("it is there");
        let name = path.file_name().expect("it has one").to_string_lossy();
        let now = path.with_file_name(name.replace("tck~fake~", "tck~libvirt~"));
        fs::write(now, unsealed(&text)).expect("there is room");
    }
    change(dir, |one| {
        let [setup, name] = [&one["setup"], &one["case"]].map(|one| one.as_str());
        fails(setup.expect("a setup"), name.expect("a name"))
    });
}

#[test]
fn a_cause_that_only_hosts_of_one_setup_have_is_told_with_it_and_asks_for_a_case_on_others() {
    let dir = fresh();
    run(dir.path(), "out", &PAIR, |_| false);
    let is_planted = |setup: &str, name: &str| setup == "quick" && name.contains("/p2p/");
    of_libvirt(&dir.path().join("out"), is_planted);
    let said = explain(dir.path(), &["out"]);
    let line =
        "1. control(p2p), where libvirt does not ask QEMU about processors (capability_filters)\n";
    assert!(said.out.contains(line), "{}", said.out);
    let json = explain(dir.path(), &["out", "--format", "json"]);
    let account: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(account["causes"][0]["filter"], "control(p2p)");
    assert_eq!(account["causes"][0]["setups"], serde_json::json!(["quick"]));

    run(
        dir.path(),
        "usual",
        &[&PAIR[..], &["--without-controls"]].concat(),
        |_| false,
    );
    of_libvirt(&dir.path().join("usual"), is_planted);
    let said = explain(dir.path(), &["usual"]);
    assert!(said.out.contains("1. control(p2p)\n"), "{}", said.out);
    let other = "it could also be control(p2p), where libvirt does not ask QEMU about processors (capability_filters) (";
    let case = " run --as-shipped --case tck/libvirt/";
    for words in [other, case, "not sure"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
}

/// The cases of a run.
fn planned(dir: &Path) -> BTreeSet<String> {
    let plan = fs::read_to_string(dir.join("plan.json")).expect("it is there");
    let plan: Value = serde_json::from_str(&plan).expect("it is JSON");
    let cases = plan["cases"].as_array().expect("it has some").iter();
    let names = cases.map(|case| case.as_str().expect("a name").to_owned());
    names.collect()
}

#[test]
fn what_is_run_to_be_sure_was_not_tried_before_and_is_not_run_by_a_second_call() {
    let dir = fresh();
    let covered = [&PAIR[..], &["--cover", "2"]].concat();
    run(dir.path(), "out", &covered, |name| name.contains("/p2p/"));
    let mut tried = planned(&dir.path().join("out"));
    let mut lots = 0;
    for _ in 0..2 {
        let said = explain(dir.path(), &["out", "--confirm", "1"]);
        assert_eq!(said.code, 1, "{}", said.err);
        let told = "out-confirm-1 counts as well: an earlier --confirm ran it";
        assert_eq!(said.err.contains(told), lots > 0, "{}", said.err);
        loop {
            let lot = dir.path().join(format!("out-confirm-{}", lots + 1));
            if !lot.exists() {
                break;
            }
            for case in planned(&lot) {
                assert!(tried.insert(case.clone()), "{case} ran again");
            }
            lots += 1;
        }
    }
    assert_eq!(lots, 2, "each call ran one");
}

#[test]
fn it_ends_as_a_report_of_the_same_runs_does() {
    let dir = fresh();
    let known =
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"migrated\"]\nreason = \"of old\"\n";
    fs::write(dir.path().join("known.toml"), known).expect("there is room");
    let shard = [&PAIR[..], &["--shard", "1/2"]].concat();
    run(dir.path(), "good", &PAIR, |_| false);
    run(dir.path(), "bad", &PAIR, |name| name.contains("/p2p/"));
    run(dir.path(), "part", &shard, |_| false);
    for (arguments, code) in [
        (&["good"][..], 0),
        (&["bad"], 1),
        (&["bad", "--known", "known.toml"], 0),
        (&["bad", "--known", "known.toml", "--fail-known"], 1),
        (&["part"], 3),
    ] {
        for command in ["explain", "report"] {
            let said = call(dir.path(), &[&[command], arguments].concat());
            assert_eq!(said.code, code, "{command} {arguments:?}: {}", said.err);
        }
    }
}

#[test]
fn runs_that_can_not_be_explained_together_are_refused() {
    let dir = fresh();
    run(
        dir.path(),
        "tck",
        &[&PAIR[..], &["--shard", "slice:1/8"]].concat(),
        |_| false,
    );
    run(
        dir.path(),
        "faults",
        &["--suite", "faults", "--shard", "slice:1/8"],
        |_| false,
    );
    let said = explain(dir.path(), &["tck", "faults"]);
    refuses(
        &said,
        2,
        &[
            "`tck` and `faults` can't be explained together",
            "each run by itself",
        ],
    );
    refuses(&explain(dir.path(), &["tck", "tck"]), 2, &["given twice"]);
    refuses(
        &explain(dir.path(), &["nowhere"]),
        2,
        &["nowhere is not a run's directory"],
    );
    let none = explain(dir.path(), &["tck"]);
    assert_eq!(none.code, 3, "shards are missing: {}", none.err);
    assert!(
        none.out.ends_with("fails: there is nothing to explain\n"),
        "{}",
        none.out
    );
}

#[test]
fn verdicts_that_are_damaged_or_missing_are_told() {
    let dir = fresh();
    run(dir.path(), "out", &PAIR, |_| false);
    let file = dir.path().join("out/verdicts.jsonl");
    let text = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, text.replacen("\"case\"", "\"cas\"", 2)).expect("there is room");
    let said = explain(dir.path(), &["out"]);
    assert!(said.err.contains("verdicts.jsonl"), "{}", said.err);
    assert!(
        said.err.contains(" of out without a verdict"),
        "{}",
        said.err
    );
}

#[test]
fn a_shard_that_is_missing_is_told() {
    let dir = fresh();
    let shard = [&PAIR[..], &["--shard", "1/2"]].concat();
    run(dir.path(), "out", &shard, |_| false);
    let said = explain(dir.path(), &["out"]);
    assert!(
        said.err.starts_with("the shard hash:2/2 is missing"),
        "{}",
        said.err
    );
}

#[test]
fn what_cases_that_were_named_leave_open_is_asked_of_the_whole_profile() {
    let dir = fresh();
    let at = |rest: &str| format!("tck/fake/bookworm,bookworm,trixie/{rest}");
    let names = [
        at("p2p/transient-running-undefined/none"),
        at("p2p/transient-paused-undefined/none"),
        at("normal/persistent-running-undefined/none"),
        at("normal/persistent-paused-undefined/none"),
    ];
    let more: Vec<_> = names.iter().flat_map(|name| ["--case", name]).collect();
    let said = call(dir.path(), &[&["run", "--out", "out"], &more[..]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    change(&dir.path().join("out"), |one| {
        one["case"]
            .as_str()
            .is_some_and(|name| name.contains("/p2p/"))
    });
    let said = explain(dir.path(), &["out"]);
    assert!(said.out.contains("not sure"), "{}", said.out);
    let told = said
        .out
        .lines()
        .filter_map(|line| line.split_once("--case "));
    let mut told = told.map(|(_, case)| case.trim());
    assert!(
        told.any(|case| !names.iter().any(|name| name == case)),
        "{}",
        said.out
    );
    let said = explain(dir.path(), &["out", "--confirm", "4"]);
    assert!(said.err.contains("running "), "{}", said.err);
}
