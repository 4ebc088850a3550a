//! How much processor time a run took, and how much of it was our own.

use std::fmt;

use migratrix_lab::sandbox;
use procfs::process::{Process, Stat, all_processes};

/// Processor time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessorTime {
    /// Of everything in the sandbox: daemons, guests, and what follows.
    all: f64,
    /// Of the runner, and of its client processes that live: what else it waited for were QEMUs.
    ours: f64,
}

impl ProcessorTime {
    /// What was taken since the sandbox was entered; `None` outside it, where other people's
    /// processes would be counted. To be called while the hosts still run: what has ended counts
    /// for the process that waited for it.
    #[must_use]
    pub fn so_far() -> Option<Self> {
        if !sandbox::is_inside() {
            return None;
        }
        let mut time = Self {
            all: 0.0,
            ours: 0.0,
        };
        let runner = Process::myself().ok()?.pid;
        for process in all_processes().ok()?.flatten() {
            let Ok(stat) = process.stat() else { continue };
            time.all += seconds(&stat);
            if stat.pid == runner {
                time.ours += own_seconds(&stat);
            } else if is_client(&process) {
                time.ours += seconds(&stat);
            }
        }
        Some(time)
    }
}

impl fmt::Display for ProcessorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, ours } = self;
        let share = 100.0 * ours / all.max(0.01);
        write!(
            f,
            "processor time: {all:.1} s, of which {ours:.1} s ({share:.1} %) were our own"
        )
    }
}

fn is_client(process: &Process) -> bool {
    let words = process.cmdline().unwrap_or_default();
    words.iter().any(|word| word.ends_with("migratrix-client"))
}

/// Of the process, and of those that it waited for.
fn seconds(stat: &Stat) -> f64 {
    let waited_for = stat.cutime.max(0).unsigned_abs() + stat.cstime.max(0).unsigned_abs();
    own_seconds(stat) + waited_for as f64 / procfs::ticks_per_second() as f64
}

/// Of the process alone.
fn own_seconds(stat: &Stat) -> f64 {
    (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64
}
