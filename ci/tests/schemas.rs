//! What a run writes is what its schemas say, and the schemas that are checked in are those that the
//! program prints.

use std::{env, fs, path::Path, process::Command};

use serde_json::Value;

const WRITTEN: [&str; 7] = [
    "plan",
    "history",
    "verdicts",
    "summary",
    "comparison",
    "account",
    "jumps",
];

/// What the program prints that is called in `dir`.
fn call(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .output()
        .expect("the program is built");
    String::from_utf8(output.stdout).expect("it prints text")
}

fn printed(of: &str) -> String {
    let dir = tempfile::tempdir().expect("there is room");
    call(dir.path(), &["schema", of])
}

#[test]
fn the_schemas_that_are_checked_in_are_those_that_are_printed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    for of in WRITTEN {
        let file = folder.join(format!("{of}.json"));
        let now = printed(of);
        if env::var_os("UPDATE_PAGES").is_some() {
            fs::create_dir_all(&folder).expect("there is room");
            fs::write(&file, &now).expect("there is room");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == now,
            "docs/schemas/{of}.json is out of date: write it anew by \
             UPDATE_PAGES=1 cargo test -p migratrix --test schemas"
        );
    }
}

/// What is told of the jumps of a run, and of an upgrade.
fn jumps(dir: &Path) -> String {
    let run = [
        "run",
        "--backend=fake",
        "--out=grid",
        "--profile=tck",
        "-E",
        "control(p2p)",
    ];
    let pairs = ["--source=bookworm,trixie", "--destination=bookworm,trixie"];
    call(dir, &[&run[..], &pairs].concat());
    call(dir, &["jump", "grid", "--ladder=nova", "--format=json"])
}

#[test]
fn every_line_of_a_run_obeys_its_schema_and_what_is_none_does_not() {
    let dir = tempfile::tempdir().expect("there is room");
    let run = ["run", "--backend", "fake", "--out", "out"];
    let some = ["--suite", "faults", "--shard", "slice:1/8"];
    call(dir.path(), &[&run[..], &some].concat());
    call(
        dir.path(),
        &[
            "run",
            "--backend=fake",
            "--out=other",
            "--suite=faults",
            "--shard=slice:1/9",
        ],
    );
    call(
        dir.path(),
        &["compare", "out", "other", "--json=comparison.json"],
    );
    let comparison = fs::read_to_string(dir.path().join("comparison.json")).expect("it is there");
    let out = dir.path().join("out");
    let account = call(dir.path(), &["explain", "out", "--format", "json"]);
    let jumps = jumps(dir.path());
    let whole = |name: &str| vec![fs::read_to_string(out.join(name)).expect("it is there")];
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let histories = fs::read_dir(out.join("history")).expect("it is there");
    let histories = histories.flat_map(|file| {
        lines(&fs::read_to_string(file.expect("it is there").path()).expect("it is text"))
    });
    for (of, texts) in [
        ("plan", whole("plan.json")),
        ("history", histories.collect()),
        ("verdicts", lines(&whole("verdicts.jsonl")[0])),
        ("summary", whole("summary.json")),
        ("comparison", vec![comparison]),
        ("account", vec![account]),
        ("jumps", vec![jumps]),
    ] {
        let schema: Value = serde_json::from_str(&printed(of)).expect("it is JSON");
        let schema = jsonschema::validator_for(&schema).expect("it is a schema");
        assert!(!texts.is_empty(), "{of}");
        for text in texts {
            let value: Value = serde_json::from_str(&text).expect("it is JSON");
            let wrong = schema.iter_errors(&value).map(|error| error.to_string());
            assert_eq!(wrong.collect::<Vec<_>>(), [""; 0], "{of}: {text}");
        }
        assert!(!schema.is_valid(&serde_json::json!({ "case": 1 })), "{of}");
    }
}
