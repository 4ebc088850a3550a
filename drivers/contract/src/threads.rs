//! The threads of a process, by their names.

use std::{fs, path::Path};

use crate::kernel_file::read_kernel_file;

/// How many threads of the process whose folder below `/proc` this is have a name that starts with one
/// of `starts`; none where it has ended. The kernel keeps 15 characters of a name.
#[must_use]
pub fn threads_named(process: &Path, starts: &[&str]) -> u32 {
    let threads = fs::read_dir(process.join("task"));
    let threads = threads.into_iter().flatten().flatten();
    let names = threads.filter_map(|one| read_kernel_file(one.path().join("comm")).ok());
    let ours = names.filter(|name| {
        starts
            .iter()
            .any(|start| name.starts_with(start.as_bytes()))
    });
    u32::try_from(ours.count()).unwrap_or(u32::MAX)
}
