//! How much processor time a run took, and which part of it was our own.

use std::{fs, ops::Add, path::PathBuf, time::Duration};

use migratrix_lab::{COMMAND, sandbox};
use migratrix_libvirt::{clients_time, ended_clients_time};
use procfs::process::{Process, Stat, all_processes};

/// Processor time, by who took it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessorTime {
    /// Guests, in hosts and without libvirt, and the tools that come with a QEMU. Hosts that were
    /// replaced count here as a whole.
    qemu: Duration,
    /// The hosts' daemons, and what they start.
    daemons: Duration,
    /// Our client processes.
    clients: Duration,
    /// The runner itself.
    runner: Duration,
    /// What holds the sandbox and the hosts.
    others: Duration,
}

/// Since when it is counted: no run keeps it.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    /// Since the run's begin.
    Begin,
    /// Since it was gone on with.
    Resume,
}

/// What a process of the sandbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Runner,
    Client,
    Qemu,
    /// The first process of a host, which waits for the QEMUs of its daemon.
    First,
    /// A process of a host that is none of the above: its daemon, or a helper of that.
    Daemon,
    Other,
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
            clients: clients_time(),
            ..Self::default()
        };
        let runner = Process::myself().ok()?.pid;
        let ours = pid_namespace(runner);
        for process in all_processes().ok()?.flatten() {
            let Ok(stat) = process.stat() else { continue };
            let its = pid_namespace(stat.pid);
            let in_host = its.is_some() && its != ours;
            let words = process.cmdline().unwrap_or_default();
            let part = if stat.pid == runner {
                Part::Runner
            } else {
                part(&words, in_host)
            };
            time.count(part, own(&stat), waited_for(&stat), ended_clients_time());
        }
        Some(time)
    }

    fn count(&mut self, part: Part, own: Duration, waited_for: Duration, clients: Duration) {
        match part {
            Part::Runner => {
                self.runner += own;
                self.qemu += waited_for.saturating_sub(clients);
            }
            // They are counted where they are started, since most are gone by now.
            Part::Client => {}
            Part::Qemu => self.qemu += own + waited_for,
            Part::First => {
                self.others += own;
                self.qemu += waited_for;
            }
            Part::Daemon => self.daemons += own + waited_for,
            Part::Other => self.others += own + waited_for,
        }
    }

    fn all(&self) -> Duration {
        let parts = [self.qemu, self.daemons, self.ours(), self.others];
        parts.into_iter().fold(Duration::ZERO, Duration::add)
    }

    fn ours(&self) -> Duration {
        self.clients + self.runner
    }
}

impl ProcessorTime {
    /// It in a line.
    #[must_use]
    pub fn told(&self, since: Since) -> String {
        let all = self.all().as_secs_f64();
        let share = 100.0 * self.ours().as_secs_f64() / all.max(0.01);
        let since = match since {
            Since::Begin => "",
            Since::Resume => " since the run was gone on with",
        };
        let parts = [
            ("QEMU", self.qemu),
            ("daemons", self.daemons),
            ("clients", self.clients),
            ("runner", self.runner),
            ("others", self.others),
        ];
        let parts = parts.map(|(what, time)| format!("{what} {:.1} s", time.as_secs_f64()));
        let parts = parts.join(", ");
        format!(
            "processor time{since}: {all:.1} s: {parts}, our own share (clients and runner) {share:.1} %"
        )
    }
}

/// The PID namespace of a process; `None` where it has just ended.
fn pid_namespace(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

/// What a process is, from its command line.
fn part(words: &[String], in_host: bool) -> Part {
    let program = words.first().map_or("", |word| name(word));
    let first_is = |command: &str| words.get(1).is_some_and(|word| word == command);
    if words.iter().any(|word| name(word) == "migratrix-client") {
        Part::Client
    } else if words.iter().any(|word| name(word).starts_with("qemu-")) {
        // One without libvirt is an argument of its release's loader.
        Part::Qemu
    } else if first_is(COMMAND) && in_host {
        Part::First
    } else if in_host && !program.is_empty() {
        Part::Daemon
    } else {
        Part::Other
    }
}

/// The last part of a path.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Of the processes that it waited for.
fn waited_for(stat: &Stat) -> Duration {
    ticks(stat.cutime.max(0).unsigned_abs() + stat.cstime.max(0).unsigned_abs())
}

/// Of the process alone.
fn own(stat: &Stat) -> Duration {
    ticks(stat.utime + stat.stime)
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part_of(line: &str, in_host: bool) -> Part {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        part(&words, in_host)
    }

    #[test]
    fn a_process_is_told_by_its_command_line() {
        let loader = "/r/ld-linux-x86-64.so.2 --library-path /r/lib";
        for (line, in_host, expected) in [
            (format!("{loader} /x/migratrix-client"), false, Part::Client),
            (
                format!("{loader} /r/usr/bin/qemu-system-x86_64 -nodefaults"),
                false,
                Part::Qemu,
            ),
            (
                "/usr/bin/qemu-system-x86_64 -name guest=a".to_owned(),
                true,
                Part::Qemu,
            ),
            ("/usr/sbin/libvirtd --listen".to_owned(), true, Part::Daemon),
            (
                "/proc/self/exe lab-host sid-s /logs".to_owned(),
                true,
                Part::First,
            ),
            (
                "/proc/self/exe lab-host sid-s /logs".to_owned(),
                false,
                Part::Other,
            ),
            ("/usr/bin/migratrix run".to_owned(), false, Part::Other),
        ] {
            assert_eq!(part_of(&line, in_host), expected, "{line}");
        }
    }

    #[test]
    fn clients_that_are_gone_are_ours_and_no_qemu() {
        let [one, two, ten] = [1, 2, 10].map(Duration::from_secs);
        let mut time = ProcessorTime {
            clients: two,
            ..ProcessorTime::default()
        };
        // The runner has waited for a client that took a second, and for QEMUs that took nine.
        time.count(Part::Runner, two, ten, one);
        time.count(Part::First, one, ten, one);
        time.count(Part::Client, one, one, one);
        time.count(Part::Daemon, ten, one, one);
        let parts = "35.0 s: QEMU 19.0 s, daemons 11.0 s, clients 2.0 s, runner 2.0 s, others 1.0 s, \
                     our own share (clients and runner) 11.4 %";
        let told = time.told(Since::Begin);
        assert_eq!(told, format!("processor time: {parts}"));
        let told = time.told(Since::Resume);
        assert_eq!(
            told,
            format!("processor time since the run was gone on with: {parts}")
        );
    }
}
