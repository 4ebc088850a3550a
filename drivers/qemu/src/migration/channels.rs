//! How many channels multifd has on a side, counted by its threads.

use std::fs;

/// What the names of the threads of a channel start with: of QEMU 5.2 and 7.2, and of later ones.
/// The kernel keeps 15 characters of a name.
const NAMES: [&str; 4] = [
    "multifdsend_",
    "multifdrecv_",
    "mig/src/send_",
    "mig/dst/recv_",
];

/// How many threads of multifd's channels the process has.
pub(crate) fn count(pid: u32) -> u32 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let ours = names.filter(|name| NAMES.iter().any(|start| name.starts_with(start)));
    u32::try_from(ours.count()).unwrap_or(u32::MAX)
}
