//! What is damaged, gone, or of a wrong kind: it is named, nothing waits for it, and nothing that was
//! lost counts as seen.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use nix::{sys::stat::Mode, unistd::mkfifo};

mod common;
#[path = "common/copied.rs"]
mod copied;

use common::{Said, a_history, alone, call, file_of, fresh, histories, refuses, run_in};
use copied::copy;

/// The cases of most runs here: 16 of them.
const SOME: [&str; 4] = ["--profile", "tck", "-E", "control(p2p) & state(running)"];

/// Calls the program, which must end within 30 s: 124 is the code where it does not.
fn in_time(dir: &Path, arguments: &[&str]) -> Said {
    let output = Command::new("timeout")
        .args(["30", env!("CARGO_BIN_EXE_migratrix")])
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .stdin(Stdio::null())
        .output()
        .expect("the program is built");
    Said::of(&output)
}

fn resume(dir: &Path) -> Said {
    in_time(dir, &["run", "--resume", "out"])
}

#[test]
fn a_case_whose_history_is_lost_runs_again_and_that_is_said() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let whole = file_of(dir.path(), "verdicts.jsonl");
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    let cut = &text[..text.len() - 3];
    for (spoilt, why) in [
        (None, "No such file"),
        (Some("{}"), "not the header"),
        (Some(cut), "was cut at line"),
        (
            Some(&text.replacen("\"saw\":\"ended\"", "\"saw\":", 1)),
            "line",
        ),
    ] {
        match spoilt {
            None => fs::remove_file(&history).expect("it is there"),
            Some(spoilt) => fs::write(&history, spoilt).expect("there is room"),
        }
        let judged = call(dir.path(), &["judge", "out"]);
        refuses(&judged, 3, &[why]);
        assert!(
            judged.out.contains("15 passed, 1 unknown"),
            "{}",
            judged.out
        );
        let said = resume(dir.path());
        refuses(
            &said,
            0,
            &["1 case runs again", why, "1 of 16 cases, 1 side by side"],
        );
        assert!(
            said.out.contains("16 cases (in memory: no QEMU ran) in"),
            "{}",
            said.out
        );
        assert!(said.out.contains("16 passed"), "{}", said.out);
        let verdicts = file_of(dir.path(), "verdicts.jsonl");
        assert_eq!(verdicts.lines().count(), whole.lines().count());
        assert_eq!(file_of(dir.path(), "concluded.jsonl").lines().count(), 16);
    }
    assert!(resume(dir.path()).err.contains("no case is left to run"));
}

#[test]
fn of_many_lost_histories_the_first_are_named_and_the_others_counted() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    fs::remove_dir_all(dir.path().join("out/history")).expect("it is there");
    let said = resume(dir.path());
    refuses(
        &said,
        0,
        &["16 cases run again", "and 13 more", "16 cases, "],
    );
}

#[test]
fn a_history_without_its_end_passes_nowhere() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    let lines: Vec<_> = text.lines().collect();
    for kept in [1, lines.len() / 2, lines.len() - 2, lines.len() - 1] {
        fs::write(&history, lines[..kept].join("\n") + "\n").expect("there is room");
        let said = call(dir.path(), &["judge", "out"]);
        refuses(&said, 3, &["was cut at line"]);
        assert!(
            said.out.contains("15 passed, 1 unknown"),
            "{kept}: {}",
            said.out
        );
    }
}

#[test]
fn a_history_that_has_lost_a_line_or_in_which_one_was_changed_is_unknown_to_all_who_read_it() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let verdicts = dir.path().join("out/verdicts.jsonl");
    let judged = fs::read_to_string(&verdicts).expect("it is there");
    let history = a_history(dir.path());
    let text = fs::read_to_string(&history).expect("it is there");
    let lines: Vec<_> = text.lines().collect();
    let lost = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n") + "\n";
    let (early, middle, late) = (lost(2), lost(lines.len() / 2), lost(lines.len() - 2));
    let changed = text.replacen("\"at_us\":", "\"at_us\":1", 1);
    for (spoilt, word) in [
        (early, "lines before its end"),
        (middle, "lines before its end"),
        (late, "lines before its end"),
        (changed, "damaged"),
    ] {
        fs::write(&history, spoilt).expect("there is room");
        fs::write(&verdicts, &judged).expect("there is room");
        for command in ["report", "explain", "judge"] {
            let said = call(dir.path(), &[command, "out"]);
            refuses(&said, 3, &["can't be read", word]);
        }
        let said = call(dir.path(), &["report", "out"]);
        assert!(said.out.contains("15 passed, 1 unknown"), "{}", said.out);
        assert!(!said.out.contains("failed"), "{}", said.out);
    }
}

#[test]
fn what_can_not_be_written_is_refused_before_anything_runs() {
    let dir = fresh();
    fs::write(dir.path().join("file"), "").expect("there is room");
    fs::create_dir(dir.path().join("folder")).expect("there is room");
    for place in ["file", "file/below", "/proc/none"] {
        let run = [
            "run",
            "--backend",
            "fake",
            "--out",
            "new",
            "--junit-per-pair",
            place,
        ];
        refuses(
            &call(dir.path(), &run),
            2,
            &["--junit-per-pair", place, "name another"],
        );
        assert!(!dir.path().join("new").exists(), "{place}: it was begun");
    }
    run_in(dir.path(), &SOME);
    let before = file_of(dir.path(), "junit.xml");
    for command in [
        &["judge", "out"][..],
        &["report", "out"],
        &["run", "--resume", "out"],
    ] {
        let asked = [command, &["--junit-per-pair", "file"]].concat();
        let said = call(dir.path(), &asked);
        refuses(&said, 2, &["--junit-per-pair file", "file is no directory"]);
        assert!(!said.out.contains("passed"), "{}", said.out);
    }
    for option in ["--junit", "--junit-strict", "--html", "--json"] {
        for (place, why) in [
            ("none/report", "is not there: make it"),
            ("file/report", "is no directory"),
            ("folder", "it is a directory"),
            ("/proc/report", "nothing can be written into /proc"),
        ] {
            let said = call(dir.path(), &["report", "out", option, place]);
            refuses(&said, 2, &[option, place, why, "name another file"]);
            assert!(!said.out.contains("passed"), "{}", said.out);
        }
    }
    refuses(
        &alone(&["run", "--out", "/proc/none/run"]),
        2,
        &["/proc", "--out"],
    );
    assert_eq!(file_of(dir.path(), "junit.xml"), before);
}

#[test]
fn what_is_no_regular_file_is_named_and_not_waited_for() {
    let dir = fresh();
    let pipe = dir.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).expect("there is room");
    for (file, what) in [
        ("pipe", "a pipe"),
        ("/dev/zero", "a device"),
        (".", "a directory"),
    ] {
        for arguments in [
            &["--config", file, "list"][..],
            &["run", "--backend", "fake", "--known", file],
        ] {
            refuses(&in_time(dir.path(), arguments), 2, &[file, what]);
        }
    }
    let added = in_time(dir.path(), &["releases", "add", "mine", "pipe"]);
    refuses(&added, 2, &["pipe", "a pipe"]);
    run_in(dir.path(), &SOME);
    for name in [
        "plan.json",
        "concluded.jsonl",
        "verdicts.jsonl",
        "run.lock",
        "junit.xml",
    ] {
        let (file, kept) = (dir.path().join("out").join(name), dir.path().join(name));
        fs::rename(&file, &kept).expect("it is there");
        mkfifo(&file, Mode::S_IRWXU).expect("there is room");
        for command in [
            &["judge", "out"][..],
            &["report", "out"],
            &["run", "--resume", "out"],
        ] {
            let said = in_time(dir.path(), command);
            refuses(&said, 2, &[name, "a pipe"]);
        }
        fs::remove_file(&file).expect("it is there");
        // A link to a regular file is as good as the file.
        symlink(&kept, &file).expect("there is room");
        assert_eq!(in_time(dir.path(), &["judge", "out"]).code, 0, "{name}");
    }
    let history = a_history(dir.path());
    fs::remove_file(&history).expect("it is there");
    mkfifo(&history, Mode::S_IRWXU).expect("there is room");
    refuses(&in_time(dir.path(), &["judge", "out"]), 3, &["a pipe"]);
    refuses(&resume(dir.path()), 0, &["1 case runs again", "a pipe"]);
}

#[test]
fn what_is_given_anew_to_a_run_that_goes_on_is_blamed_by_itself() {
    let dir = fresh();
    fs::write(dir.path().join("known.toml"), "").expect("there is room");
    fs::write(dir.path().join("own.toml"), "").expect("there is room");
    let own = ["--known", "known.toml", "--config", "own.toml"];
    run_in(dir.path(), &[&SOME[..], &own].concat());
    let on = |more: &[&str]| in_time(dir.path(), &[&["run", "--resume", "out"], more].concat());
    for option in ["--known", "--config"] {
        let said = on(&[option, "not-there"]);
        refuses(&said, 2, &["not-there", "No such file"]);
        assert!(!said.err.contains("was begun with"), "{}", said.err);
    }
    refuses(
        &on(&["--qemu", "mine=not-there"]),
        2,
        &["--qemu mine=", "it has none"],
    );
    for (name, option) in [("known.toml", "--known"), ("own.toml", "--config")] {
        fs::remove_file(dir.path().join(name)).expect("it is there");
        refuses(&on(&[]), 2, &[name, "the run was begun with", option]);
        fs::write(dir.path().join(name), "").expect("there is room");
    }
}

#[test]
fn a_plan_that_has_lost_cases_is_damaged_and_passes_nothing() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let file = dir.path().join("out/plan.json");
    let text = fs::read_to_string(&file).expect("it is there");
    let plan: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let cases = |kept: usize, whole: serde_json::Value| {
        let mut plan = plan.clone();
        plan["cases"]
            .as_array_mut()
            .expect("it is a list")
            .truncate(kept);
        plan["whole"] = whole;
        plan.to_string()
    };
    let plan_is = "plan.json is damaged";
    for (spoilt, what, why) in [
        (cases(0, 0.into()), plan_is, "it has no cases"),
        (
            cases(0, serde_json::Value::Null),
            plan_is,
            "it has no cases",
        ),
        (
            cases(1, 16.into()),
            plan_is,
            "it has 1 case and says that there are 16",
        ),
        (
            cases(9, serde_json::Value::Null),
            "jsonl is damaged",
            "which is not in plan.json",
        ),
        (
            cases(9, 9.into()),
            "jsonl is damaged",
            "which is not in plan.json",
        ),
    ] {
        fs::write(&file, spoilt).expect("there is room");
        for command in [
            &["judge", "out"][..],
            &["report", "out"],
            &["run", "--resume", "out"],
        ] {
            let said = in_time(dir.path(), command);
            refuses(&said, 2, &[what, why]);
            let mend = ["restore", "migratrix judge out"];
            assert!(
                mend.iter().any(|one| said.err.contains(one)),
                "{}",
                said.err
            );
            assert!(!said.out.contains("passed"), "{}", said.out);
        }
    }
}

#[test]
fn a_foreign_case_is_blamed_on_the_file_that_has_it_and_judging_again_mends_the_verdicts() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let file = dir.path().join("out/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, text.replacen("/p2p/", "/tunnelled/", 1)).expect("there is room");
    let said = call(dir.path(), &["report", "out"]);
    refuses(
        &said,
        2,
        &[
            "verdicts.jsonl is damaged",
            "make it anew by",
            "migratrix judge out",
        ],
    );
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
}

#[test]
fn a_cache_that_is_a_file_is_missing_to_the_doctor() {
    let dir = fresh();
    let doctor = || call(dir.path(), &["doctor"]);
    let fine = doctor();
    assert!(fine.out.contains("ok       cache: "), "{}", fine.out);
    fs::remove_dir_all(dir.path().join("cache")).ok();
    fs::write(dir.path().join("cache"), "").expect("there is room");
    let said = doctor();
    assert_eq!(said.code, 5, "{}", said.out);
    let (_, told) = said.out.split_once("MISSING  cache: ").expect("it is told");
    assert!(told.contains("cache is no directory"), "{told}");
    assert!(told.contains("fix: export MIGRATRIX_CACHE="), "{told}");
}

#[test]
fn what_a_run_prints_can_be_opened_from_where_it_was_called() {
    let dir = fresh();
    let news =
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"statistics\"]\nreason = \"r\"\n";
    fs::write(dir.path().join("known.toml"), news).expect("there is room");
    let more = ["--known", "known.toml", "--junit-per-pair", "pairs"];
    let run = run_in(dir.path(), &[&SOME[..], &more].concat());
    let judged = call(dir.path(), &["judge", "out"]);
    for said in [run, judged] {
        let seen = said
            .out
            .lines()
            .filter_map(|line| line.trim().strip_prefix("history: "));
        let seen: Vec<_> = seen.collect();
        assert_eq!(seen.len(), 3, "{}", said.out);
        for file in seen {
            assert!(dir.path().join(file).is_file(), "{file} is not there");
        }
    }
    let pair = fs::read_to_string(dir.path().join("pairs/junit-bookworm-to-trixie.xml"));
    assert!(pair.expect("it is there").contains("\"out/history/"));
    // The files of the run name each other by where they are.
    assert!(file_of(dir.path(), "summary.txt").contains("history: history/"));
}

/// A run of one case on real releases, as `plan` says; a history of an earlier version is enough.
fn real_run(dir: &Path, plan: impl Fn(String) -> String) {
    let of = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/data/format1");
    let case = "tck/libvirt/bookworm,bookworm,trixie/normal/transient-running-bare/none";
    let file = case.replace('/', "~") + ".jsonl";
    let out = dir.join("out");
    fs::create_dir_all(out.join("history")).expect("there is room");
    fs::copy(
        of.join("real/history").join(&file),
        out.join("history").join(&file),
    )
    .expect("the sample is there");
    let text = fs::read_to_string(of.join("run/plan.json")).expect("the sample is there");
    let mut told: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    told["cases"] = serde_json::json!([case]);
    told["whole"] = serde_json::json!(1);
    fs::write(out.join("plan.json"), plan(told.to_string())).expect("there is room");
}

#[test]
fn a_release_that_is_another_one_than_the_plan_says_is_an_error_of_the_lab_and_no_result() {
    let dir = fresh();
    real_run(dir.path(), |plan| plan);
    let said = call(dir.path(), &["judge", "out"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let dir = fresh();
    real_run(dir.path(), |plan| plan.replace("10.0.13", "10.0.2"));
    let said = call(dir.path(), &["judge", "out"]);
    let why = "trixie is not what the plan says: QEMU 10.0.13 took part, and not 10.0.2";
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains(why), "{}", said.out);
    assert!(said.out.contains("1 unknown"), "{}", said.out);
    assert!(file_of(dir.path(), "summary.json").contains(why));
}

#[test]
fn a_case_whose_line_is_lost_is_concluded_by_its_verdict_and_none_is_judged_away() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let (ledger, verdicts) = ("out/concluded.jsonl", "out/verdicts.jsonl");
    let [ledger, verdicts] = [ledger, verdicts].map(|file| dir.path().join(file));
    let whole = file_of(dir.path(), "verdicts.jsonl");
    let lines = file_of(dir.path(), "concluded.jsonl");
    let first = lines.lines().next().expect("it has lines").to_owned() + "\n";
    for (left, lacks) in [
        ("", "lacks 16 cases"),
        (&first, "lacks 15 cases"),
        (&lines[..lines.len() - 2], "lacks 1 case "),
        (&lines.replacen("{\"case\"", "{\"cas\"", 1), "lacks 1 case "),
    ] {
        fs::write(&ledger, left).expect("there is room");
        let said = call(dir.path(), &["judge", "out"]);
        let mend = "migratrix run --resume out writes it anew";
        refuses(&said, 3, &["concluded.jsonl is damaged", lacks, mend]);
        assert!(said.out.contains("16 passed"), "{}", said.out);
        let judged = file_of(dir.path(), "verdicts.jsonl");
        let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(sorted(&judged), sorted(&whole));
        let on = resume(dir.path());
        refuses(&on, 0, &[lacks, "no case is left to run"]);
        assert_eq!(file_of(dir.path(), "concluded.jsonl").lines().count(), 16);
        assert_eq!(call(dir.path(), &["judge", "out"]).err, "");
    }
    for file in [&ledger, &verdicts] {
        fs::write(file, "").expect("there is room");
    }
    let said = call(dir.path(), &["judge", "out"]);
    let mend = ["concluded.jsonl says nothing of 16 cases", "take it away"];
    refuses(&said, 3, &mend);
    fs::remove_file(&ledger).expect("it is there");
    fs::remove_file(&verdicts).expect("it is there");
    let said = call(dir.path(), &["judge", "out"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("16 passed"), "{}", said.out);
    assert!(said.out.contains("concluded.jsonl is lost"), "{}", said.out);
    assert_eq!(resume(dir.path()).code, 0);
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
}

#[test]
fn a_file_that_a_run_keeps_and_that_is_lost_is_told_by_all_who_read_it() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &SOME);
    copy(dir, "out", "whole");
    for name in ["concluded.jsonl", "sessions.jsonl"] {
        fs::remove_file(dir.join("out").join(name)).expect("it is there");
        for command in [
            &["report", "out", "--junit=j.xml", "--json=s.json"][..],
            &["judge", "out"],
            &["explain", "out"],
            &["compare", "whole", "out"],
        ] {
            let Said { code, out, err } = call(dir, command);
            assert_eq!(code, 3, "{command:?}: {out}{err}");
            let told = format!("{out}{err}");
            let lost = format!("out/{name} is lost: ");
            assert!(told.contains(&lost), "{command:?}: {told}");
            assert!(told.contains("run --resume out begins it anew"), "{told}");
        }
        let junit = fs::read_to_string(dir.join("j.xml")).expect("it is written");
        assert_eq!(junit.matches("<error").count(), 1, "{junit}");
        assert_eq!(resume(dir).code, 0);
        assert_eq!(call(dir, &["report", "out"]).code, 0);
    }
    // The plan of an earlier version does not say that a run keeps them.
    let plan = file_of(dir, "plan.json");
    let mut told: serde_json::Value = serde_json::from_str(&plan).expect("it is JSON");
    told.as_object_mut().expect("it is one").remove("keeps");
    fs::write(dir.join("out/plan.json"), told.to_string()).expect("there is room");
    for name in ["concluded.jsonl", "sessions.jsonl"] {
        fs::remove_file(dir.join("out").join(name)).expect("it is there");
    }
    assert_eq!(call(dir, &["report", "out"]).code, 0);
}

#[test]
fn one_damaged_line_of_the_verdicts_is_one_error_in_junit() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &SOME);
    let file = dir.join("out/verdicts.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let damaged = lines[4].replacen("\"verdict\":", "\"verdikt\":", 1);
    for (spoilt, due) in [
        (
            lines[..4].concat() + &damaged + &lines[5..].concat(),
            "line 5 of out/verdicts.jsonl is damaged",
        ),
        (
            lines[..15].concat(),
            "it lacks 1 attempt that concluded.jsonl has",
        ),
        (
            text[..text.len() - 9].to_owned(),
            "line 16 of out/verdicts.jsonl is cut",
        ),
    ] {
        fs::write(&file, spoilt).expect("there is room");
        let asked = ["report", "out", "--junit=j.xml", "--junit-per-pair=pairs"];
        assert_eq!(call(dir, &asked).code, 3);
        let junit = fs::read_to_string(dir.join("j.xml")).expect("it is written");
        assert_eq!(junit.matches("<error").count(), 1, "{junit}");
        assert!(junit.contains(due), "{junit}");
        assert!(junit.contains("judge out"), "{junit}");
        assert!(!dir.join("pairs/junit-rest.xml").exists());
    }
}

#[test]
fn of_many_damaged_histories_one_line_tells_with_their_number_and_the_mend() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &SOME);
    let verdicts = file_of(dir, "verdicts.jsonl");
    for history in histories(dir) {
        let text = fs::read_to_string(&history).expect("it is there");
        fs::write(&history, &text[..text.len() - 3]).expect("there is room");
    }
    for command in ["report", "explain", "judge"] {
        let said = call(dir, &[command, "out"]);
        assert_eq!(said.code, 3, "{}", said.err);
        let told: Vec<_> = said
            .err
            .lines()
            .filter(|line| line.contains("was cut at"))
            .collect();
        let [line] = told[..] else {
            panic!("{command}: {}", said.err);
        };
        assert!(
            line.starts_with("16 histories were cut, the first: out/history/"),
            "{line}"
        );
        assert!(
            line.ends_with("run --resume out runs their cases again"),
            "{line}"
        );
    }
    // What is unknown in each case is said there, and by none but them.
    call(dir, &["report", "out", "--junit=j.xml"]);
    let junit = fs::read_to_string(dir.join("j.xml")).expect("it is written");
    assert!(!junit.contains("name=\"files\""), "{junit}");
    fs::write(dir.join("out/verdicts.jsonl"), verdicts).expect("there is room");
    call(dir, &["report", "out", "--junit=j.xml"]);
    let junit = fs::read_to_string(dir.join("j.xml")).expect("it is written");
    assert_eq!(junit.matches("<error").count(), 1, "{junit}");
}

#[test]
fn verdicts_that_are_cut_anywhere_are_damaged_and_the_mend_is_told() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let file = dir.path().join("out/verdicts.jsonl");
    let whole = file_of(dir.path(), "verdicts.jsonl");
    let end_of_first = whole.find('\n').expect("it has lines") + 1;
    for kept in [
        0,
        end_of_first - 1,
        end_of_first,
        whole.len() / 2,
        whole.len() - 2,
    ] {
        fs::write(&file, &whole[..kept]).expect("there is room");
        let said = call(dir.path(), &["report", "out"]);
        assert_eq!(said.code, 3, "{kept}: {}", said.out);
        for due in [
            "verdicts.jsonl is damaged: it lacks ",
            "migratrix judge out",
        ] {
            assert!(said.out.contains(due), "{kept}: {}", said.out);
        }
    }
    fs::remove_file(&file).expect("it is there");
    let said = call(dir.path(), &["report", "out"]);
    assert!(said.out.contains("it lacks 16 attempts"), "{}", said.out);
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 0);
    assert_eq!(file_of(dir.path(), "verdicts.jsonl"), whole);
}

#[test]
fn of_many_damaged_lines_one_line_tells_with_the_first_and_their_number() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let spoilt = file_of(dir.path(), "verdicts.jsonl").replace("\"verdict\":", "\"verdikt\":");
    fs::write(dir.path().join("out/verdicts.jsonl"), spoilt).expect("there is room");
    for verb in ["report", "explain"] {
        let Said { code, out, err } = call(dir.path(), &[verb, "out"]);
        let told = format!("{out}{err}");
        assert_eq!(code, 3, "{told}");
        let first = "16 lines of out/verdicts.jsonl are damaged, the first is line 1: ";
        assert_eq!(told.matches("damaged").count(), 1, "{told}");
        assert!(told.contains(first), "{told}");
    }
}

#[test]
fn a_history_that_can_not_be_read_makes_no_run_longer() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let begun = file_of(dir.path(), "sessions.jsonl");
    let begun: serde_json::Value = serde_json::from_str(begun.trim()).expect("it is JSON");
    let begun = &begun["begun"]["at_unix"];
    let history = a_history(dir.path());
    fs::write(&history, "").expect("there is room");
    let pen = fs::File::options().append(true).open(&history);
    let late = SystemTime::now() + Duration::from_secs(100_000);
    pen.and_then(|file| file.set_modified(late))
        .expect("it is a file of ours");
    refuses(&call(dir.path(), &["judge", "out"]), 3, &["can't be read"]);
    let verdicts = file_of(dir.path(), "verdicts.jsonl");
    let read = |line: &str| serde_json::from_str(line).expect("it is JSON");
    let all: Vec<serde_json::Value> = verdicts.lines().map(read).collect();
    let unread = all.iter().find(|one| one["elapsed_ms"] == 0);
    assert_eq!(&unread.expect("it is there")["began_unix"], begun);
}

#[test]
fn a_plan_that_can_not_be_read_says_what_mends_it() {
    let dir = fresh();
    run_in(dir.path(), &SOME);
    let file = dir.path().join("out/plan.json");
    let whole = fs::read_to_string(&file).expect("it is there");
    let newer = whole.replacen("\"format\": ", "\"format\": 9", 1);
    for spoilt in ["", "{}", &whole[..whole.len() / 2], &newer] {
        fs::write(&file, spoilt).expect("there is room");
        let said = call(dir.path(), &["judge", "out"]);
        refuses(&said, 2, &["out/plan.json can't be used: restore it, "]);
    }
}

#[test]
fn a_verdict_of_the_attempt_0_or_of_a_file_outside_of_the_run_is_refused_by_file_and_line() {
    let dir = fresh();
    let dir = dir.path();
    let said = run_in(dir, &["-E", "control(p2p) & state(paused)"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let verdicts = dir.join("out/verdicts.jsonl");
    let text = fs::read_to_string(&verdicts).expect("it is there");
    let attempt = (
        "\"attempt\":1",
        "\"attempt\":0",
        "attempt 0: attempts are counted from 1",
    );
    let up = (
        "\"log\":\"",
        "\"log\":\"../../",
        "leads out of the run's directory",
    );
    let root = (
        "\"log\":\"",
        "\"log\":\"/etc/",
        "leads out of the run's directory",
    );
    for (from, to, told) in [attempt, up, root] {
        let (first, second) = text.split_once('\n').expect("several lines");
        let second = second.replacen(from, to, 1);
        fs::write(&verdicts, format!("{first}\n{second}")).expect("there is room");
        let said = call(dir, &["report", "out"]);
        assert_eq!(said.code, 3, "{}{}", said.out, said.err);
        let line = "line 2 of out/verdicts.jsonl is damaged";
        assert!(
            said.out.contains(line) && said.out.contains(told),
            "{}",
            said.out
        );
    }
    fs::write(&verdicts, &text).expect("there is room");
    let ledger = dir.join("out/concluded.jsonl");
    let text = fs::read_to_string(&ledger).expect("it is there");
    let text = text.replacen("{\"history\":\"", "{\"history\":\"../../", 1);
    fs::write(&ledger, text).expect("there is room");
    let said = call(dir, &["judge", "out"]);
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("line 1 of out/concluded.jsonl"), "{told}");
    assert!(told.contains("leads out of the run's directory"), "{told}");
}
