//! How many channels a migration has: the threads that receive in its destination's QEMU, counted on
//! the host while it runs.
//!
//! They are there for a tenth of a second only, so that a thread of its own counts them: it is not
//! kept from it by what other cases compute. The connections would tell the same, but each look at the
//! kernel's table of them takes some ten milliseconds of a processor.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use migratrix_contract::threads_named;
use migratrix_history::{Observation, Side};

use crate::qemu::Qemu;

/// How often the threads are counted: they are files here.
const EVERY: Duration = Duration::from_millis(3);

/// How long a look may be late, so that no migration's memory was copied meanwhile: to copy what is
/// stamped takes 125 ms at the bandwidth at which channels are counted.
const LATEST: Duration = Duration::from_millis(80);

/// What the names of the threads that receive start with: up to QEMU 8, and later.
const NAMES: [&str; 2] = ["multifdrecv_", "mig/dst/recv_"];

/// Counts the channels of one migration, until it is dropped or asked.
#[derive(Debug)]
pub(crate) struct Channels {
    /// Dropped when the counting is to end.
    ends: Sender<()>,
    counting: JoinHandle<Option<u32>>,
}

impl Channels {
    /// Begins to count those of the domain's QEMU, which is one of `processes`.
    pub(crate) fn begin(processes: PathBuf, domain: String) -> Self {
        let (ends, ended) = channel();
        let counting = thread::spawn(move || most(&processes, &domain, &ended));
        Self { ends, counting }
    }

    /// What is recorded of the most that there were at once. Nothing where no QEMU came, or where
    /// channels may have been there while nobody looked.
    pub(crate) fn observation(self) -> Option<Observation> {
        drop(self.ends);
        let count = self.counting.join().ok()??;
        let side = Side::Destination;
        Some(Observation::Channels { side, count })
    }
}

/// The most channels that were there at once before the end.
fn most(processes: &Path, domain: &str, ended: &Receiver<()>) -> Option<u32> {
    let mut qemu = None;
    let mut most = 0;
    let mut late = false;
    let mut looked = Instant::now();
    while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        late |= qemu.is_some() && looked.elapsed() > LATEST;
        looked = Instant::now();
        qemu = qemu.or_else(|| Qemu::find(processes, domain, None));
        most = most.max(
            qemu.as_ref()
                .map_or(0, |qemu| threads_named(&qemu.folder, &NAMES)),
        );
    }
    qemu.filter(|_| !late).map(|_| most)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn process(domain: &str, threads: &[&str]) -> tempfile::TempDir {
        let processes = tempfile::tempdir().unwrap();
        let own = processes.path().join("42");
        for (number, name) in threads.iter().enumerate() {
            let thread = own.join("task").join(number.to_string());
            fs::create_dir_all(&thread).unwrap();
            fs::write(thread.join("comm"), format!("{name}\n")).unwrap();
        }
        let line = format!("qemu-system-x86_64\0-name\0guest={domain},debug-threads=on\0");
        fs::write(own.join("cmdline"), line).unwrap();
        processes
    }

    fn counted(domain: &str, threads: &[&str]) -> Option<u32> {
        let processes = process(domain, threads);
        let qemu = Qemu::find(processes.path(), "mx-0001", None)?;
        Some(threads_named(&qemu.folder, &NAMES))
    }

    #[test]
    fn the_threads_that_receive_are_counted_by_the_names_of_each_release() {
        let old = ["qemu-system-x86", "multifdrecv_0", "multifdrecv_1"];
        assert_eq!(counted("mx-0001", &old), Some(2));
        let new = [
            "CPU 0/TCG",
            "mig/dst/recv_0",
            "mig/dst/recv_1",
            "mig/dst/recv_2",
        ];
        assert_eq!(counted("mx-0001", &new), Some(3));
        assert_eq!(
            counted("mx-0001", &["CPU 0/TCG", "mig/src/send_0"]),
            Some(0)
        );
    }

    #[test]
    fn those_of_other_domains_are_not_counted() {
        assert_eq!(counted("mx-00011", &["multifdrecv_0"]), None);
    }

    #[test]
    fn where_no_qemu_came_nothing_is_said() {
        let processes = process("mx-0009", &["multifdrecv_0"]);
        let counting = Channels::begin(processes.path().to_owned(), "mx-0001".to_owned());
        assert_eq!(counting.observation(), None);
    }
}
