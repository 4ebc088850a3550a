//! The processor time of a process: what it took, which its parent reads before it waits for it, and what it waited for.

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

/// How long the threads that a process has now have waited for a processor until now, together; nothing where it is
/// gone (`/proc/PID/task/TID/schedstat`).
#[must_use]
pub fn waited_for_processor(pid: u32) -> Duration {
    let process = i32::try_from(pid)
        .ok()
        .and_then(|pid| Process::new(pid).ok());
    let threads = process.and_then(|process| process.tasks().ok());
    let threads = threads.into_iter().flatten().flatten();
    let waited = threads.filter_map(|thread| Some(thread.schedstat().ok()?.run_delay));
    Duration::from_nanos(waited.sum())
}

#[cfg(test)]
mod tests {
    use std::{process::Command, thread};

    use super::*;

    #[test]
    fn who_finds_no_processor_free_waits_for_one() {
        let busy = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .spawn()
        };
        let processors = thread::available_parallelism().unwrap().get();
        let mut all: Vec<_> = (0..=processors).map(|_| busy().unwrap()).collect();
        let pids = || all.iter().map(std::process::Child::id);
        let waited = || pids().map(waited_for_processor).sum::<Duration>();
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while waited() < Duration::from_millis(50) {
            assert!(std::time::Instant::now() < deadline, "none has waited");
            thread::yield_now();
        }
        for one in &mut all {
            one.kill().unwrap();
            one.wait().unwrap();
            assert_eq!(waited_for_processor(one.id()), Duration::ZERO);
        }
    }
}
