//! `migratrix jump`, on runs of the hypervisor in memory whose verdicts are changed afterwards.

use std::{fs, path::Path};

use serde_json::Value;

#[expect(dead_code, reason = "these tests need a part of what all share")]
mod common;
#[path = "common/copied.rs"]
mod copied;
use common::{Said, call, fresh, refuses};
use copied::copy;

const GRID: [&str; 6] = [
    "--profile=tck",
    "--client=bookworm",
    "--source=bookworm,sid,trixie",
    "--destination=bookworm,sid,trixie",
    "-E",
    "state(running) & flags(none)",
];

/// A run on the hypervisor in memory, in which what `fails` says of a name fails, on releases of these
/// versions.
fn run(dir: &Path, out: &str, more: &[&str], fails: impl Fn(&str) -> bool) {
    let said = call(
        dir,
        &[&["run", "--backend", "fake", "--out", out], more].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    change(&dir.join(out).join("plan.json"), |plan| {
        for release in plan["releases"].as_array_mut().expect("it has some") {
            let qemu = match release["name"].as_str() {
                Some("bookworm") => "7.2.22",
                Some("trixie") => "10.0.13",
                Some(_) | None => "11.1.3",
            };
            release["qemu"] = qemu.into();
            release["libvirt"] = qemu.into();
        }
    });
    change(&dir.join(out).join("verdicts.jsonl"), |one| {
        if fails(one["case"].as_str().expect("it has a name")) {
            let conditions = one["conditions"].as_array_mut().expect("it has some");
            let migrated = conditions.iter_mut().find(|one| one[0] == "migrated");
            let verdict = migrated.expect("it has this one");
            verdict[1] = serde_json::json!({ "verdict": "fail", "why": "refused" });
        }
    });
}

/// Changes each document of a file.
fn change(file: &Path, change: impl Fn(&mut Value)) {
    let text = fs::read_to_string(file).expect("it is there");
    let documents = serde_json::Deserializer::from_str(&text).into_iter();
    let changed = documents.map(|one: Result<Value, _>| {
        let mut one = one.expect("it is JSON");
        change(&mut one);
        one.to_string() + "\n"
    });
    let changed: String = changed.collect();
    fs::write(file, changed).expect("there is room");
}

/// What is said first of the hypervisor in memory.
const NO_QEMU: &str =
    "no QEMU ran: this is the hypervisor in memory, and says nothing of these releases\n";

fn jump(dir: &Path, more: &[&str]) -> Said {
    call(dir, &[&["jump"][..], more].concat())
}

#[test]
fn a_jump_is_told_with_what_to_avoid_and_the_ladder_for_people_and_for_programs() {
    let dir = fresh();
    run(dir.path(), "out", &GRID, |name| {
        name.contains(",trixie,sid/p2p/")
    });
    let said = jump(dir.path(), &["out", "--from", "trixie", "--to", "sid"]);
    assert_eq!(said.code, 1, "it is conditional: {}", said.err);
    let back = jump(dir.path(), &["out", "--from", "sid", "--to", "trixie"]);
    assert_eq!(back.code, 3, "it is safe, but no QEMU ran: {}", back.err);
    assert_eq!(jump(dir.path(), &["out"]).code, 1, "not all are");
    for line in [
        "  trixie → sid  conditional  ",
        "    avoid control(p2p) (",
        "    safe by steps: trixie → bookworm → sid\n",
        "  sid → trixie  safe         ",
        "  trixie → sid fails, and trixie → bookworm → sid holds: ",
    ] {
        assert!(
            said.out.contains(line),
            "`{line}` is missing in {}",
            said.out
        );
    }
    let json = jump(
        dir.path(),
        &["out", "--from", "trixie", "--to", "sid", "--format", "json"],
    );
    let told: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(told["jumps"][0]["safety"], "conditional");
    assert_eq!(
        told["jumps"][0]["ladder"],
        serde_json::json!(["trixie", "bookworm", "sid"])
    );
    let page = call(dir.path(), &["report", "out", "--html", "page.html"]);
    assert_eq!(page.code, 1, "{}", page.err);
    let page = fs::read_to_string(dir.path().join("page.html")).expect("it is there");
    assert!(
        page.contains("<svg class=\"ladder\""),
        "the ladder is drawn"
    );
}

#[test]
fn an_upgrade_goes_by_the_ladder_of_the_program_or_by_a_file() {
    let dir = fresh();
    run(dir.path(), "out", &GRID, |_| false);
    let nova = [
        "out", "--ladder", "nova", "--from", "2023.2", "--to", "2026.1",
    ];
    let said = jump(dir.path(), &nova);
    assert_eq!(said.code, 3, "no QEMU ran: {}", said.err);
    let way = "nova, in 3 steps: 2023.2 → 2024.1 → 2025.1 → 2026.1\n";
    assert!(
        said.out.starts_with(&(NO_QEMU.to_owned() + way)),
        "{}",
        said.out
    );
    let ladder = "name = \"mine\"\n[[release]]\nname = \"a\"\nqemu = \"8\"\nnext = [\"b\"]\n\
                  [[release]]\nname = \"b\"\nqemu = \"11\"\n";
    fs::write(dir.path().join("mine.toml"), ladder).expect("there is room");
    let said = jump(dir.path(), &["out", "--ladder", "mine.toml"]);
    assert_eq!(said.code, 3, "no QEMU ran: {}", said.err);
    assert!(
        said.out.contains("\na → b: 2 jumps stand for it, 2 safe\n"),
        "{}",
        said.out
    );
    let round = ladder.to_owned() + "next = [\"a\"]\n";
    fs::write(dir.path().join("round.toml"), round).expect("there is room");
    let words = ["round.toml: line 9, column 9: the steps a → b → a lead back"];
    refuses(
        &jump(dir.path(), &["out", "--ladder", "round.toml"]),
        2,
        &words,
    );
    let words = ["`nowhere` is neither a ladder that comes with the program (nova) nor a file"];
    refuses(
        &jump(dir.path(), &["out", "--ladder", "nowhere"]),
        2,
        &words,
    );
}

#[test]
fn the_ladder_of_the_page_is_one() {
    let dir = fresh();
    run(dir.path(), "out", &GRID, |_| false);
    let page = include_str!("../../docs/jump.md");
    let example = page.split("```toml\n").nth(1).expect("it has an example");
    let example = example.split("```").next().expect("the example ends");
    fs::write(dir.path().join("mine.toml"), example).expect("there is room");
    let said = jump(dir.path(), &["out", "--ladder", "mine.toml"]);
    assert_eq!(said.code, 3, "no QEMU ran: {}", said.err);
    let way = "mine, in 1 step: 2024 → 2026\n\n2024 (long support)  libvirt >= 9.0.0, ";
    assert!(
        said.out.starts_with(&(NO_QEMU.to_owned() + way)),
        "{}",
        said.out
    );
}

#[test]
fn what_tells_of_no_jump_is_refused_with_what_would() {
    let dir = fresh();
    run(
        dir.path(),
        "out",
        &["--profile=tck", "--shard=slice:1/8"],
        |_| false,
    );
    let words = [
        "one pair of releases, bookworm → trixie: there is no road to choose",
        "migratrix run --source bookworm,OTHER --destination bookworm,OTHER",
    ];
    refuses(&jump(dir.path(), &["out"]), 2, &words);
    run(dir.path(), "grid", &GRID, |_| false);
    copy(dir.path(), "grid", "copy");
    let words = "grid and copy hold the same session of one run, one of them is a copy";
    refuses(&jump(dir.path(), &["grid", "copy"]), 2, &[words]);
    run(dir.path(), "another", &GRID, |_| false);
    let counts = jump(dir.path(), &["grid", "another"]);
    assert_eq!(counts.code, 3, "no QEMU ran: {}", counts.err);
    let words = ["goes from or to `woody`: they have bookworm, trixie, sid"];
    refuses(&jump(dir.path(), &["grid", "--to", "woody"]), 2, &words);
    let same = ["grid", "--from", "sid", "--to", "sid"];
    refuses(
        &jump(dir.path(), &same),
        2,
        &["from `sid` to `sid` is no jump"],
    );
    run(
        dir.path(),
        "faults",
        &["--suite=faults", "--shard=slice:1/8"],
        |_| false,
    );
    refuses(
        &jump(dir.path(), &["grid", "faults"]),
        2,
        &["`tck` and `faults`"],
    );
}

#[test]
fn the_page_of_a_shard_says_of_its_jumps_what_the_command_says() {
    let dir = fresh();
    run(
        dir.path(),
        "out",
        &[&GRID[..], &["--shard=2/4"]].concat(),
        |_| false,
    );
    let said = jump(dir.path(), &["out"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let shared = "nothing is safe while shards are missing: hash:1/4, hash:3/4, hash:4/4";
    assert!(said.out.contains(shared), "{}", said.out);
    let report = call(dir.path(), &["report", "out", "--html=page.html"]);
    assert_eq!(report.code, 3, "{}", report.err);
    for page in ["out/index.html", "page.html"] {
        let page = fs::read_to_string(dir.path().join(page)).expect("it is there");
        assert!(page.contains(shared), "{page}");
        assert!(page.contains(" that were tried are safe."), "{page}");
        assert!(page.contains(": unclear, "), "the pairs are named");
    }
}
