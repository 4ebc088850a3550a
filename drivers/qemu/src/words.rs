//! Lines of arguments, as they are written here.

/// The words of a line that has no blanks within them.
pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
