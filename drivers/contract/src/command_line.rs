//! What a process was started with.

use std::{fs, path::Path};

/// The words that the process whose folder below `/proc` this is was started with; `None` where it has
/// ended.
#[must_use]
pub fn command_line(process: &Path) -> Option<Vec<String>> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let words = line.split(|byte| *byte == 0);
    let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
    Some(words.collect())
}
