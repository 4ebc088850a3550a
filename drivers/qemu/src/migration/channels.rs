//! How many channels multifd has on a side, counted by its threads.

use std::path::Path;

use migratrix_contract::threads_named;

/// What the names of the threads of a channel start with: of QEMU 5.2 and 7.2, and of later ones.
const NAMES: [&str; 4] = [
    "multifdsend_",
    "multifdrecv_",
    "mig/src/send_",
    "mig/dst/recv_",
];

/// How many threads of multifd's channels the process has.
pub(crate) fn count(pid: u32) -> u32 {
    threads_named(Path::new(&format!("/proc/{pid}")), &NAMES)
}
