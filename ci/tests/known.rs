//! Lists of known failures that are given: several of them, what is wrong with one, how one ends, and how
//! it is written.

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use common::{Said, call, file_of, fresh, refuses, run_in};

/// The cases of the tests.
const SOME: [&str; 4] = ["--profile", "tck", "-E", "control(p2p) & state(paused)"];

/// An entry for what does not fail, so that it is an unexpected pass.
fn entry(more: &str) -> String {
    format!(
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"memory\"]\nreason = \"r\"\n{more}"
    )
}

fn list(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).expect("there is room");
}

/// Has the memory fail in the verdicts of the cases whose names hold `part`.
fn spoil(dir: &Path, part: &str) {
    let file = dir.join("out/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let spoilt = text.lines().map(|line| {
        let mut judgement: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let is_meant = judgement["case"]
            .as_str()
            .is_some_and(|one| one.contains(part));
        for pair in judgement["conditions"].as_array_mut().expect("a list") {
            if is_meant && pair[0] == "memory" {
                pair[1] =
                    serde_json::json!({ "verdict": "fail", "why": "page 5 is of the older lap" });
            }
        }
        judgement.to_string() + "\n"
    });
    let spoilt: String = spoilt.collect();
    assert!(part.is_empty() || spoilt.contains("older lap"), "{part}");
    fs::write(&file, spoilt).expect("there is room");
}

#[test]
fn what_is_wrong_in_a_list_is_named_with_its_file_line_and_column() {
    let dir = fresh();
    for (more, words) in [
        (
            "sumtimes = true\n",
            ["line 5, column 1:", "unknown field `sumtimes`"],
        ),
        ("unseen = [\"memry\"]\n", ["line 5, column 10:", "`memry`"]),
        (
            "versions = \"libvirt 7.0\"\n",
            [
                "line 5, column 12: known failure 1",
                "versions = \"source(qemu>=10.0.11 & <10.0.14)\"",
            ],
        ),
        (
            "versions = \"control(p2p)\"\n",
            ["line 5, column 12: known failure 1", "versions of `source`"],
        ),
        (
            "versions = \"forward()\"\n",
            [
                "line 5, column 12: known failure 1",
                "`forward()`, which some migrations are in whatever their versions are, so that no fixed version",
            ],
        ),
        (
            "versions = \"!same() | destination(qemu<9)\"\n",
            ["line 5, column 12:", "directions into `cases`"],
        ),
        (
            "follows = \"alive\"\n",
            ["line 5, column 11:", "write a list, as in conditions = ["],
        ),
        ("expires = 2027-13-01\n", ["line 5, column 1", "expires = "]),
        (
            "expires = \"soon\"\n",
            ["line 5, column 11:", "`soon`, which is no day"],
        ),
        (
            "says = [\"a\", \" \"]\n",
            ["line 5, column 14:", "says nothing in `says`"],
        ),
        (
            "says = []\n",
            [
                "line 5, column 8:",
                "has an empty `says`, which says nothing",
            ],
        ),
        (
            "unseen = []\n",
            ["line 5, column 10:", "has an empty `unseen`"],
        ),
        (
            "follows = []\n",
            ["line 5, column 11:", "has an empty `follows`"],
        ),
    ] {
        list(dir.path(), "mine.toml", &entry(more));
        let said = run_in(dir.path(), &["--known", "mine.toml"]);
        refuses(&said, 2, &["mine.toml: ", words[0]]);
        if more != "expires = 2027-13-01\n" {
            refuses(&said, 2, &[words[1]]);
        }
    }
    list(
        dir.path(),
        "mine.toml",
        &entry("").replace("[[known]]", "[known]"),
    );
    let said = run_in(dir.path(), &["--known", "mine.toml"]);
    refuses(
        &said,
        2,
        &["mine.toml: ", "line 1", "begin each entry by `[[known]]`"],
    );
    list(
        dir.path(),
        "mine.toml",
        &entry("versions = \"libvirt before 8\"\n"),
    );
    let said = run_in(dir.path(), &["--known", "mine.toml"]);
    refuses(&said, 2, &["unknown predicate `libvirt`)"]);
    assert!(
        !said.err.contains("`backend`"),
        "no list of predicates: {}",
        said.err
    );
    assert!(!dir.path().join("out").exists(), "nothing was begun");
}

#[test]
fn several_lists_are_one_and_a_run_keeps_them() {
    let dir = fresh();
    let of = |state: &str| entry("").replace("control(p2p)", &format!("state({state})"));
    list(dir.path(), "one.toml", &of("persistent"));
    list(dir.path(), "two.toml", &of("transient"));
    let lists = ["--known=one.toml", "--known=two.toml", "--only-known"];
    let said = run_in(dir.path(), &[&SOME[..], &lists].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    let news = "16 cases (in memory: no QEMU ran) in ";
    assert!(
        said.out.contains(news) && said.out.contains(": 16 unexpected passes"),
        "{}",
        said.out
    );
    let again = call(dir.path(), &["report", "out"]);
    assert_eq!(
        (again.code, again.err.as_str()),
        (1, ""),
        "it kept its lists"
    );
    let plan = file_of(dir.path(), "plan.json");
    assert!(plan.contains("\"only\": true"), "{plan}");
    let others = call(dir.path(), &["report", "out", "--known=one.toml"]);
    assert!(
        others.out.contains("8 passed, 8 unexpected passes"),
        "{}",
        others.out
    );
}

#[test]
fn an_entry_is_of_the_versions_that_it_names_alone() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "/");
    let report = |range: &str| {
        list(
            dir.path(),
            "mine.toml",
            &entry(&format!("versions = \"{range}\"\n")),
        );
        call(dir.path(), &["report", "out", "--known=mine.toml"])
    };
    // The hypervisor in memory says of itself that it is 1.0.0.
    let within = report("source(libvirt>=0.9 & <1.1)");
    assert_eq!(within.code, 0, "{}", within.out);
    let directed = report("source(libvirt<1.1) & (same() | forward())");
    assert_eq!(directed.code, 0, "{}", directed.out);
    let beyond = report("source(libvirt>=0.9 & <1.0)");
    assert_eq!(beyond.code, 1, "{}", beyond.out);
    let told = "known failures that no case of this run is subject to:\n  \
                control(p2p) & source(libvirt>=0.9 & <1.0): r";
    assert!(beyond.out.contains(told), "{}", beyond.out);
}

#[test]
fn an_entry_that_matches_in_part_is_told() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "persist");
    list(
        dir.path(),
        "mine.toml",
        &entry("says = [\"another lap\"]\nsometimes = true\n"),
    );
    let said = reported(dir.path());
    assert_eq!(said.code, 1, "{}", said.out);
    let told = "known failure 1 of mine.toml (`control(p2p)`) matches in part: ";
    assert!(said.out.contains(told), "{}", said.out);
    assert!(
        said.out
            .contains("of 16 cases fail otherwise than its `says`, as memory in tck/")
    );
    assert_eq!(partly_known(dir.path()), 1);
}

/// A report of the run by the user's list, with its figures for programs.
fn reported(dir: &Path) -> Said {
    call(
        dir,
        &["report", "out", "--known=mine.toml", "--json=mine.json"],
    )
}

/// How many entries match in part, by the figures for programs.
fn partly_known(dir: &Path) -> usize {
    let json = fs::read_to_string(dir.join("mine.json")).expect("it is there");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    json["partly_known"].as_array().map_or(0, Vec::len)
}

#[test]
fn of_several_entries_that_match_in_part_one_line_tells() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "persist");
    let mine = entry("says = [\"another lap\"]\nsometimes = true\n");
    let both = mine.clone() + &mine.replace("control(p2p)", "control(p2p) & state(persistent)");
    list(dir.path(), "mine.toml", &both);
    let said = reported(dir.path());
    let told = "2 known failures match in part: 2 fail otherwise than their `says`, in ";
    assert!(said.out.contains(told), "{}", said.out);
    assert_eq!(said.out.matches("in part").count(), 1, "{}", said.out);
    assert_eq!(partly_known(dir.path()), 2);
}

#[test]
fn what_one_entry_says_is_no_news_of_another_that_says_otherwise() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "persist");
    let otherwise = entry("says = [\"another lap\"]\nsometimes = true\n");
    let both = otherwise + &entry("sometimes = true\n");
    list(dir.path(), "mine.toml", &both);
    let said = reported(dir.path());
    assert!(!said.out.contains("in part"), "{}", said.out);
    assert_eq!(partly_known(dir.path()), 0);
}

#[test]
fn what_failed_is_blessed_into_the_users_list_and_is_known_then() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "/persistent-");
    let before = format!(
        "# Mine.\n{}# The end.\n",
        entry("sometimes = true # by chance\n")
    )
    .replace("control(p2p)", "control(normal)");
    list(dir.path(), "mine.toml", &before);
    let bless = ["report", "out", "--known=mine.toml", "--bless"];
    let said = call(dir.path(), &bless);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err.contains("mine.toml: 1 entry added, of 8 cases"),
        "{}",
        said.err
    );
    let text = fs::read_to_string(dir.path().join("mine.toml")).expect("it is there");
    let added = text
        .strip_prefix(&before)
        .expect("what was there stays as it was");
    for part in [
        "\n[[known]]\ncases = \"backend(fake) & ",
        "conditions = [\"memory\"]\n",
        "says = [\"is of the older lap\"]\n",
        "reason = \"TODO: say whose fault it is. First seen: page 5 is of the older lap\"\n",
    ] {
        assert!(added.contains(part), "{part} is missing in {added}");
    }
    let again = call(dir.path(), &bless);
    assert_eq!(again.code, 0, "{}", again.out);
    assert!(again.err.contains("nothing was added"), "{}", again.err);
    assert_eq!(
        fs::read_to_string(dir.path().join("mine.toml")).expect("it is there"),
        text
    );
}

#[test]
fn a_list_that_is_blessed_keeps_its_mode_its_line_ends_and_the_link_that_leads_to_it() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "/persistent-");
    let before = format!("# Mine.\n{}# The end.\n", entry("sometimes = true\n"));
    let before = before.replace("control(p2p)", "control(normal)");
    let before = before.replace('\n', "\r\n");
    list(dir.path(), "real.toml", &before);
    let file = dir.path().join("real.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("it is ours");
    symlink("real.toml", dir.path().join("mine.toml")).expect("there is room");
    let said = call(
        dir.path(),
        &["report", "out", "--known=mine.toml", "--bless"],
    );
    assert!(said.err.contains("1 entry added"), "{}", said.err);
    assert!(dir.path().join("mine.toml").is_symlink());
    let mode = fs::metadata(&file).expect("it is there").permissions();
    assert_eq!(mode.mode() & 0o7777, 0o640);
    let text = fs::read_to_string(&file).expect("it is there");
    let added = text.strip_prefix(&before).expect("what was there stays");
    assert!(added.starts_with("\r\n[[known]]\r\n"), "{added:?}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn a_list_that_is_not_there_is_made_and_without_one_there_is_nothing_to_write_into() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    spoil(dir.path(), "/persistent-paused-undefined/none");
    refuses(
        &call(dir.path(), &["report", "out", "--bless"]),
        2,
        &["--bless", "--known FILE"],
    );
    call(
        dir.path(),
        &["report", "out", "--known=new.toml", "--bless"],
    );
    let text = fs::read_to_string(dir.path().join("new.toml")).expect("it was made");
    assert!(text.contains("\ncases = \"name(tck/fake/"), "{text}");
    let said = call(dir.path(), &["report", "out", "--known=new.toml"]);
    assert_eq!(said.code, 0, "{}", said.out);
}

#[test]
fn no_list_is_made_where_nothing_is_added_to_it() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    for command in ["report", "judge"] {
        let said = call(dir.path(), &[command, "out", "--known=new.toml", "--bless"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let told = "new.toml: nothing failed that is not known: nothing was added";
        assert!(said.err.contains(told), "{}", said.err);
        assert!(!dir.path().join("new.toml").exists(), "{command} made it");
    }
    let said = call(
        dir.path(),
        &[
            "report",
            "out",
            "--known=new.toml",
            "--known=other.toml",
            "--bless",
        ],
    );
    refuses(&said, 2, &["new.toml"]);
    let said = call(
        dir.path(),
        &["report", "out", "--known=nowhere/new.toml", "--bless"],
    );
    refuses(&said, 2, &["nowhere"]);
    // A run that was begun with such a list is read without it.
    let begun = [
        "run",
        "--backend=fake",
        "--out=mine",
        "--known=new.toml",
        "--bless",
    ];
    call(dir.path(), &[&begun[..], &SOME].concat());
    assert!(!dir.path().join("new.toml").exists());
    let said = call(dir.path(), &["report", "mine"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    list(dir.path(), "kept.toml", &entry("sometimes = true\n"));
    let begun = ["run", "--backend=fake", "--out=kept", "--known=kept.toml"];
    call(dir.path(), &[&begun[..], &SOME].concat());
    fs::remove_file(dir.path().join("kept.toml")).expect("it is there");
    refuses(&call(dir.path(), &["report", "kept"]), 2, &["kept.toml"]);
}

#[test]
fn what_is_run_again_counts_as_it_did() {
    let dir = fresh();
    list(dir.path(), "mine.toml", &entry("sometimes = true\n"));
    let strict = ["--known", "mine.toml", "--fail-known", "--as-shipped"];
    run_in(dir.path(), &[&SOME[..], &strict].concat());
    spoil(dir.path(), "/p2p/");
    let again = ["run", "--last-failed", "out", "--out", "again"];
    let said = call(dir.path(), &again);
    assert_eq!(said.code, 0, "{}", said.err);
    let plan = fs::read_to_string(dir.path().join("again/plan.json")).expect("it is there");
    for kept in ["\"fail_known\": true", "\"as_shipped\": true"] {
        assert!(plan.contains(kept), "{plan}");
    }
}
