//! What the tests of the command line share: calls of the program, and what they said.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// What a call said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Calls the program in `dir`, with a cache of its own there.
pub fn call(dir: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .env_remove("MIGRATRIX_CLIENT")
        .output()
        .expect("the program is built");
    Said::of(&output)
}

/// A directory that goes away by itself.
pub fn fresh() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Calls the program in a fresh directory.
pub fn alone(arguments: &[&str]) -> Said {
    call(fresh().path(), arguments)
}

/// That a call was refused with this code, and in these words.
#[track_caller]
pub fn refuses(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{}", said.err);
    for word in words {
        assert!(
            said.err.contains(word),
            "`{word}` is missing in: {}",
            said.err
        );
    }
}

impl Said {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("it exits by itself"),
            out: String::from_utf8(output.stdout.clone()).expect("it prints text"),
            err: String::from_utf8(output.stderr.clone()).expect("it prints text"),
        }
    }
}

/// A run on the hypervisor in memory.
pub fn run_in(dir: &Path, more: &[&str]) -> Said {
    call(
        dir,
        &[&["run", "--backend", "fake", "--out", "out"], more].concat(),
    )
}

/// A file of the run in `dir`.
pub fn file_of(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join("out").join(name)).expect("it is there")
}

/// The histories of the run in `dir`.
pub fn histories(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir.join("out/history")).expect("it is there");
    entries.map(|entry| entry.expect("it can be read").path())
}

/// One of them.
pub fn a_history(dir: &Path) -> PathBuf {
    histories(dir).next().expect("a history is there")
}
