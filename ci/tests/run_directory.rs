//! `docs/run-directory.md` is held to what a run really writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// What only a run on real hosts writes.
const OF_REAL_HOSTS: [&str; 2] = ["evidence/CASE/", "hosts/HOST/"];

/// Each file of the page's table, with what it says of going on.
fn documented() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/run-directory.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let row = |line: &str| {
        let (file, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (_, on) = rest.trim_end_matches(" |").rsplit_once(" | ")?;
        Some((file.to_owned(), on.to_owned()))
    };
    page.lines().filter_map(row).collect()
}

/// The row that a file belongs to.
fn row_of(file: &str) -> String {
    match file.split_once('/') {
        Some(("history", name)) if name.ends_with(".jsonl") => "history/CASE.jsonl".to_owned(),
        Some(_) | None => file.to_owned(),
    }
}

/// All files below a directory, as seen from it.
fn files(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("it is inside");
                found.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn run(dir: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .arg("run")
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .output()
        .expect("the program is built");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
}

#[test]
fn the_page_names_what_a_run_writes_and_nothing_else_and_what_may_be_deleted_may_be() {
    let dir = tempfile::tempdir().expect("there is room");
    let place = dir.path().join("out");
    run(
        dir.path(),
        &["--backend=fake", "-E", "control(p2p)", "--out=out"],
    );
    let documented = documented();
    let written = files(&place);
    let rows: BTreeSet<_> = written.iter().map(|file| row_of(file)).collect();
    let of_memory = documented
        .keys()
        .filter(|row| !OF_REAL_HOSTS.contains(&row.as_str()));
    assert_eq!(rows, of_memory.cloned().collect());
    let verdicts = fs::read_to_string(place.join("verdicts.jsonl")).expect("it is there");
    for file in &written {
        match documented[&row_of(file)].as_str() {
            "needed" => {}
            "made again" | "not needed" => fs::remove_file(place.join(file)).expect("it is there"),
            on => panic!("{file} is `{on}` to go on"),
        }
    }
    run(dir.path(), &["--resume=out"]);
    assert_eq!(files(&place), written);
    let again = fs::read_to_string(place.join("verdicts.jsonl")).expect("it is there");
    assert_eq!(again, verdicts, "no case has run again");
}
