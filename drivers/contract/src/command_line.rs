//! What a process was started with.

use std::path::Path;

use crate::kernel_file::read_kernel_file;

/// The words that the process whose folder below `/proc` this is was started with; `None` where it has
/// ended.
#[must_use]
pub fn command_line(process: &Path) -> Option<Vec<String>> {
    let line = read_kernel_file(process.join("cmdline")).ok()?;
    Some(command_words(&line))
}

/// The words of a command line as the kernel gives it.
#[must_use]
pub fn command_words(line: &[u8]) -> Vec<String> {
    let words = line.split(|byte| *byte == 0);
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}
