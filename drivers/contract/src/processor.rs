//! The processor time of a process, which its parent reads before it waits for it.

use std::time::Duration;

use procfs::process::Process;

/// What the process took, with all those that it has waited for; `None` where it is gone. One that
/// has ended still tells, until somebody waits for it.
#[must_use]
pub fn processor_time(pid: i32) -> Option<Duration> {
    let stat = Process::new(pid).ok()?.stat().ok()?;
    let waited_for = stat.cutime.max(0).unsigned_abs() + stat.cstime.max(0).unsigned_abs();
    let ticks = stat.utime + stat.stime + waited_for;
    Some(Duration::from_secs_f64(
        ticks as f64 / procfs::ticks_per_second() as f64,
    ))
}
