//! A run that an earlier version left, in the words of then, is judged again and goes on.

use std::{collections::BTreeSet, fs, path::Path};

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;

use common::{call, file_of, fresh};

/// The names of a case, of now and of before.
const NAMES: [&str; 2] = [
    "tck/fake/bookworm,bookworm,trixie/normal/persistent-running-undefined/undefine",
    "tck/fake/bookworm,bookworm,trixie/normal/persistent-running-bare/undefine",
];

/// Puts the run of an earlier version into `dir`.
fn old_run(dir: &Path) {
    let of = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/data/format1");
    fs::create_dir_all(dir.join("out/history")).expect("there is room");
    for folder in ["", "history"] {
        let (from, to) = (of.join("run").join(folder), dir.join("out").join(folder));
        for entry in fs::read_dir(from).expect("the samples are there") {
            let file = entry.expect("it can be read").path();
            if file.is_file() {
                let name = file.file_name().expect("it has one");
                fs::copy(&file, to.join(name)).expect("there is room");
            }
        }
    }
    fs::copy(of.join("known-failures.toml"), dir.join("known.toml")).expect("there is room");
}

fn histories(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir.join("out/history")).expect("it is there");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entry| name(entry.expect("it can be read")))
        .collect()
}

#[test]
fn a_run_of_before_is_judged_again() {
    let dir = fresh();
    old_run(dir.path());
    let said = call(dir.path(), &["judge", "out", "--known", "known.toml"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("2 cases"), "{}", said.out);
    assert!(file_of(dir.path(), "verdicts.jsonl").contains(NAMES[0]));
}

#[test]
fn a_run_of_before_without_a_ledger_is_told_by_its_histories() {
    let dir = fresh();
    old_run(dir.path());
    for file in ["concluded.jsonl", "verdicts.jsonl"] {
        fs::remove_file(dir.path().join("out").join(file)).expect("it is there");
    }
    let said = call(dir.path(), &["judge", "out", "--known", "known.toml"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("2 passed"), "{}", said.out);
}

#[test]
fn a_run_of_before_goes_on_with_its_own_files() {
    let dir = fresh();
    old_run(dir.path());
    let before = histories(dir.path());
    for file in ["concluded.jsonl", "verdicts.jsonl"] {
        let text = file_of(dir.path(), file);
        let first = text.split_inclusive('\n').next().expect("it has lines");
        fs::write(dir.path().join("out").join(file), first).expect("there is room");
    }
    let said = call(
        dir.path(),
        &["run", "--resume", "out", "--known", "known.toml"],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.starts_with("1 of 2 cases, "),
        "one is left: {}",
        said.err
    );
    assert!(said.out.contains("2 passed"), "{}", said.out);
    assert_eq!(histories(dir.path()), before, "no file has two names");
    let ledger = file_of(dir.path(), "concluded.jsonl");
    let (first, last) = ledger.split_once('\n').expect("it has lines");
    assert!(
        first.contains("-prepared/undefine"),
        "it stays as it was: {first}"
    );
    assert!(last.contains(NAMES[0]), "it is new: {last}");
}

#[test]
fn a_case_is_run_by_its_name_of_before() {
    let dir = fresh();
    let said = call(dir.path(), &["run", "--case", NAMES[1], "--out", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let stem = NAMES[0].replace('/', "~");
    assert_eq!(histories(dir.path()), [stem + ".jsonl"].into());
}
