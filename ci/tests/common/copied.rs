//! A copy of a run's directory.

use std::{path::Path, process::Command};

/// Copies the directory of a run.
pub fn copy(dir: &Path, from: &str, to: &str) {
    let mut copying = Command::new("cp");
    let copied = copying.args(["-r", from, to]).current_dir(dir).status();
    assert!(copied.expect("cp is there").success());
}
