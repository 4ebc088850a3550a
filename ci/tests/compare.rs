//! Runs that are compared: what is said, what is written, how it ends, and what can't be compared.

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;
#[path = "common/copied.rs"]
mod copied;

use std::{fs, path::Path};

use common::{Said, call, fresh, refuses};
use copied::copy;

/// A run of the paused cases of p2p.
fn run(dir: &Path, out: &str, more: &[&str]) {
    let base = ["run", "--backend=fake", "--profile=tck", "--out", out];
    let some = ["-E", "control(p2p) & state(paused)"];
    let said = call(dir, &[&base[..], &some, more].concat());
    assert_eq!(said.code, 0, "{}", said.err);
}

/// Changes the line of each judgement of a run whose case's name holds `part`.
fn change(dir: &Path, out: &str, part: &str, how: impl Fn(&mut serde_json::Value)) {
    let file = dir.join(out).join("verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let lines = text.lines().map(|line| {
        let mut judgement: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        if judgement["case"]
            .as_str()
            .is_some_and(|one| one.contains(part))
        {
            how(&mut judgement);
        }
        judgement.to_string() + "\n"
    });
    let lines: String = lines.collect();
    fs::write(&file, lines).expect("there is room");
}

fn spoil(judgement: &mut serde_json::Value) {
    for pair in judgement["conditions"].as_array_mut().expect("a list") {
        if pair[0] == "memory" {
            pair[1] = serde_json::json!({ "verdict": "fail", "why": "page 5 is of the older lap" });
        }
    }
}

fn compare(dir: &Path, more: &[&str]) -> Said {
    call(dir, &[&["compare"], more].concat())
}

#[test]
fn what_broke_ends_in_1_and_is_told_in_text_markdown_and_json() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    let same = compare(dir, &["old", "new"]);
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{}", same.out);
    assert!(
        same.out.contains("16 cases: 16 passing as before"),
        "{}",
        same.out
    );
    change(dir, "new", "/persistent-", spoil);
    change(dir, "old", "", |one| {
        one["versions"]["destination_qemu"] = "10.0.13".into()
    });
    change(dir, "new", "", |one| {
        one["versions"]["destination_qemu"] = "11.1.3".into()
    });
    let files = [
        "--markdown=told.md",
        "--json=told.json",
        "--html=pages/told.html",
    ];
    fs::create_dir(dir.join("pages")).expect("there is room");
    let said = compare(dir, &[&["old", "new"], &files[..]].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.out.contains("\ntrixie: QEMU 10.0.13 → 11.1.3\n"),
        "{}",
        said.out
    );
    for part in [
        "✗ broke: memory, 8 cases\n  page 5 is of the older lap\n  tck/fake/",
        "    before: passing\n",
        "migratrix run --case tck/fake/",
        "16 cases: 8 broke, 8 passing as before\n",
    ] {
        assert!(said.out.contains(part), "{part} is missing in {}", said.out);
    }
    let markdown = fs::read_to_string(dir.join("told.md")).expect("it is written");
    assert!(markdown.starts_with("## 8 cases broke\n"), "{markdown}");
    let page = fs::read_to_string(dir.join("pages/told.html")).expect("it is written");
    for part in [
        "<h1>8 cases broke</h1>",
        "trixie: QEMU 10.0.13 → 11.1.3",
        "page 5 is of the older lap",
        "before: <a href=\"../old/index.html#open=tck%2Ffake%2F",
        "now: <a href=\"../new/index.html#open=tck%2Ffake%2F",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let json = fs::read_to_string(dir.join("told.json")).expect("it is written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(
        (&json["exit"], &json["counts"]["broke"]),
        (&"failed".into(), &8.into())
    );
    let back = compare(dir, &["new", "old"]);
    assert_eq!(back.code, 0, "{}", back.err);
    assert!(back.out.contains("8 mended"), "{}", back.out);
}

#[test]
fn a_known_failure_did_not_break() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    change(dir, "new", "/persistent-", spoil);
    let list =
        "[[known]]\ncases = \"state(persistent)\"\nconditions = [\"memory\"]\nreason = \"r\"\n";
    fs::write(dir.join("known.toml"), list).expect("there is room");
    let said = compare(dir, &["old", "new", "--known=known.toml"]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(
        said.out.contains("8 known to fail, 8 passing as before"),
        "{}",
        said.out
    );
}

#[test]
fn what_cannot_be_seen_any_more_ends_in_3() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    let file = dir.join("new/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let damaged = text.replacen("\"case\"", "\"cafe\"", 1);
    for (verdicts, word) in [
        (
            &text[..text.len() / 2],
            "it was planned, and has no verdict",
        ),
        (damaged.as_str(), "NEW: line 1 of "),
    ] {
        fs::write(&file, verdicts).expect("there is room");
        let said = compare(dir, &["old", "new"]);
        assert_eq!(said.code, 3, "{}", said.err);
        assert!(said.out.contains("? not seen any more: "), "{}", said.out);
        assert!(said.out.contains(word), "{}", said.out);
    }
}

#[test]
fn each_side_may_be_several_runs_and_a_shard_that_is_missing_is_told() {
    let dir = fresh();
    let dir = dir.path();
    for side in ["old", "new"] {
        for shard in ["1", "2"] {
            run(
                dir,
                &format!("{side}-{shard}"),
                &[&format!("--shard=slice:{shard}/2")],
            );
        }
    }
    let all = ["old-1", "old-2", "--to", "new-1", "new-2"];
    let said = compare(dir, &all);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("16 cases: 16 passing as before"),
        "{}",
        said.out
    );
    let said = compare(dir, &all[..4]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(
        said.out.contains("NEW: the shard slice:2/2 is missing"),
        "{}",
        said.out
    );
    change(dir, "old-2", "", spoil);
    let nights = compare(dir, &["new-2", "old-2", "--to", "new-2/"]);
    refuses(&nights, 2, &["new-2/ is given twice"]);
    refuses(&compare(dir, &["old-1"]), 2, &["1 given", "--to"]);
    refuses(
        &compare(dir, &["old-1", "old-2", "new-1"]),
        2,
        &["3 given", "--to"],
    );
}

#[test]
fn a_copy_of_a_run_is_refused_by_the_names_of_both_and_another_run_of_the_same_cases_counts() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    run(dir, "newer", &[]);
    let counts = compare(dir, &["old", "--to", "new", "newer"]);
    assert_eq!(counts.code, 0, "{}", counts.err);
    copy(dir, "new", "copy");
    let words = "new and copy hold the same session of one run, one of them is a copy: give one";
    refuses(&compare(dir, &["old", "--to", "new", "copy"]), 2, &[words]);
    refuses(&compare(dir, &["new", "--to", "new", "copy"]), 2, &[]);
}

#[test]
fn a_run_is_compared_with_a_copy_of_it_that_was_judged_again() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "new", &[]);
    copy(dir, "new", "old");
    change(dir, "old", "/persistent-", spoil);
    let words = "old and new hold the same session of one run: what differs was judged otherwise";
    let said = compare(dir, &["old", "new"]);
    refuses(&said, 0, &[words]);
    assert!(said.out.contains("8 mended"), "{}", said.out);
    let back = compare(dir, &["new", "old"]);
    assert_eq!(back.code, 1, "{}", back.err);
}

#[test]
fn what_is_no_run_or_of_a_newer_form_or_of_other_suites_is_refused() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    fs::create_dir(dir.join("empty")).expect("there is room");
    for (name, word) in [
        ("empty", "is not a run's directory"),
        ("gone", "is not a run's directory"),
    ] {
        refuses(&compare(dir, &["old", name]), 2, &[name, word]);
        refuses(&compare(dir, &[name, "old"]), 2, &[name, word]);
    }
    let plan = fs::read_to_string(dir.join("old/plan.json")).expect("it is there");
    fs::create_dir(dir.join("newer")).expect("there is room");
    let newer = plan.replacen("\"format\": 1", "\"format\": 99", 1);
    fs::write(dir.join("newer/plan.json"), newer).expect("there is room");
    refuses(
        &compare(dir, &["old", "newer"]),
        2,
        &["format 99", "use a newer migratrix"],
    );
    fs::create_dir(dir.join("bare")).expect("there is room");
    fs::write(dir.join("bare/plan.json"), &plan).expect("there is room");
    refuses(
        &compare(dir, &["bare", "old"]),
        2,
        &["nothing was judged in OLD (bare)"],
    );
    call(
        dir,
        &[
            "run",
            "--backend=fake",
            "--out=faults",
            "--suite=faults",
            "--shard=slice:1/30",
        ],
    );
    let mixed = compare(dir, &["old", "--to", "old/../faults"]);
    refuses(&mixed, 2, &["the suite `", "is in OLD alone (old)"]);
    for file in ["--json=old/summary.json", "--markdown=old/index.html"] {
        let before = fs::read(dir.join("old/summary.json")).expect("it is there");
        run(dir, &format!("new{}", file.len()), &[]);
        let said = compare(dir, &["old", &format!("new{}", file.len()), file]);
        refuses(&said, 2, &["write it elsewhere"]);
        assert_eq!(
            fs::read(dir.join("old/summary.json")).expect("it is there"),
            before
        );
    }
}

#[test]
fn an_old_side_that_is_cut_is_named_by_file_and_line_and_ends_in_3() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    let file = dir.join("old/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    fs::remove_file(dir.join("old/concluded.jsonl")).expect("it was there");
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let cut = lines[..9].concat() + &lines[9][..200];
    for (text, words) in [
        (
            cut,
            &[
                "OLD: line 10 of old/verdicts.jsonl is cut",
                "no verdict of 7 cases",
            ][..],
        ),
        (
            lines[..9].concat(),
            &["OLD: old/verdicts.jsonl has no verdict of 7 cases"][..],
        ),
    ] {
        fs::write(&file, text).expect("there is room");
        let said = compare(dir, &["old", "new"]);
        assert_eq!(said.code, 3, "{}{}", said.out, said.err);
        words
            .iter()
            .for_each(|word| assert!(said.out.contains(word), "{word}: {}", said.out));
    }
}

#[test]
fn a_ledger_or_a_history_that_is_damaged_on_either_side_is_named_and_ends_in_3() {
    let dir = fresh();
    let dir = dir.path();
    run(dir, "old", &[]);
    run(dir, "new", &[]);
    for (side, out) in [("OLD", "old"), ("NEW", "new")] {
        let file = dir.join(out).join("concluded.jsonl");
        let text = fs::read_to_string(&file).expect("it is there");
        let flipped = text.replacen("{\"case\"", "{\"case\'", 1);
        let cut = text[..text.len() - 40].to_owned();
        let ledger = format!("{out}/concluded.jsonl");
        for (spoilt, told) in [
            (
                flipped,
                format!("{side}: line 1 of {ledger} makes no sense"),
            ),
            (cut, format!("{side}: {ledger} is damaged: it lacks 1 case")),
        ] {
            fs::write(&file, spoilt).expect("there is room");
            let said = compare(dir, &["old", "new"]);
            assert_eq!(said.code, 3, "{}{}", said.out, said.err);
            assert!(said.out.contains(&told), "{told}: {}", said.out);
        }
        fs::write(&file, text).expect("there is room");
        assert_eq!(compare(dir, &["old", "new"]).code, 0);
    }
    let history = fs::read_dir(dir.join("new/history")).expect("it is there");
    let history = history.flatten().next().expect("there are some").path();
    fs::write(&history, "").expect("there is room");
    let said = compare(dir, &["old", "new"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("NEW: "), "{}", said.out);
}
