//! The processor time of a process: what it took, which its parent reads before it waits for it, and what it waited for.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use procfs::process::{Process, Task};

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
    let waited = threads(pid).filter_map(|thread| Some(thread.schedstat().ok()?.run_delay));
    Duration::from_nanos(waited.sum())
}

/// The threads that a process has now; none where it is gone.
fn threads(pid: u32) -> impl Iterator<Item = Task> {
    let process = i32::try_from(pid)
        .ok()
        .and_then(|pid| Process::new(pid).ok());
    let threads = process.and_then(|process| process.tasks().ok());
    threads.into_iter().flatten().flatten()
}

/// How long the threads of some processes wait for a processor, from the first look on, together. Those count that
/// a QEMU does its work by, and not those that run its guest, which are named `CPU`. A thread that has ended has
/// waited for as long as it had at the last look that it was seen at.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// What each had waited for when it counted first, and at last, in nanoseconds.
    threads: HashMap<i32, (u64, u64)>,
    looked: Option<Instant>,
}

/// How old a look may be: what a thread waits for after its last one is not known.
const FRESH: Duration = Duration::from_millis(50);

impl Waits {
    /// Looks at the threads of these processes.
    pub fn look(&mut self, pids: impl IntoIterator<Item = u32>) {
        for thread in pids.into_iter().flat_map(threads) {
            let Ok(now) = thread.schedstat().map(|stat| stat.run_delay) else {
                continue;
            };
            if let Some((_, last)) = self.threads.get_mut(&thread.tid) {
                *last = now;
            } else if !runs_guest(&thread) {
                // One that is new has waited for all of it since.
                let first = if self.looked.is_some() { 0 } else { now };
                self.threads.insert(thread.tid, (first, now));
            }
        }
        self.looked = Some(Instant::now());
    }

    /// Whether it is time to look again.
    #[must_use]
    pub fn are_old(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= FRESH)
    }

    /// How long they have waited, at the last look.
    #[must_use]
    pub fn total(&self) -> Duration {
        let each = self.threads.values();
        Duration::from_nanos(each.map(|(first, last)| last.saturating_sub(*first)).sum())
    }
}

/// Whether the thread runs a guest's processor (`debug-threads=on` of QEMU's `-name`).
fn runs_guest(thread: &Task) -> bool {
    thread
        .stat()
        .is_ok_and(|stat| stat.comm.starts_with("CPU "))
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Child, Command},
        thread,
    };

    use super::*;

    /// More processes that are busy than there are processors.
    fn busy() -> Vec<Child> {
        let processors = thread::available_parallelism().unwrap().get();
        let one = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .spawn()
        };
        (0..=processors).map(|_| one().unwrap()).collect()
    }

    fn until(is_so: impl FnMut() -> bool) {
        let mut is_so = is_so;
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(Instant::now() < deadline, "none has waited");
            thread::yield_now();
        }
    }

    fn end(all: &mut [Child]) {
        for one in all {
            one.kill().unwrap();
            one.wait().unwrap();
        }
    }

    const SOME: Duration = Duration::from_millis(50);

    #[test]
    fn who_finds_no_processor_free_waits_for_one() {
        let mut all = busy();
        let waited = || all.iter().map(|one| waited_for_processor(one.id()));
        until(|| waited().sum::<Duration>() >= SOME);
        end(&mut all);
        for one in &all {
            assert_eq!(waited_for_processor(one.id()), Duration::ZERO);
        }
    }

    #[test]
    fn waits_count_from_the_first_look_and_last_when_who_waited_has_ended() {
        let mut all = busy();
        let pids: Vec<u32> = all.iter().map(Child::id).collect();
        let mut waits = Waits::default();
        assert!(waits.are_old());
        waits.look(pids.iter().copied());
        assert_eq!(waits.total(), Duration::ZERO);
        until(|| {
            waits.look(pids.iter().copied());
            waits.total() >= SOME
        });
        end(&mut all);
        let before = waits.total();
        waits.look(pids);
        assert_eq!(waits.total(), before);
    }
}
