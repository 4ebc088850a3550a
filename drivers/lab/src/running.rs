//! Hosts that run on this machine, and commands inside them; also from outside the sandbox.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command};

use crate::hosted;

/// A host that was found running, of whichever lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningHost {
    /// Its host name.
    pub hostname: String,
    /// The folder of its logs, which tells the labs apart.
    pub logs: PathBuf,
    first: i32,
}

impl RunningHost {
    /// A command that runs inside the host.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        command_in(self.first, words)
    }
}

/// All hosts that run on this machine and that we may look into.
#[must_use]
pub fn running_hosts() -> Vec<RunningHost> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(running).collect()
}

/// A command in the namespaces of the process `first`. Its user namespace is entered only where it
/// isn't ours already: the kernel refuses that.
pub(crate) fn command_in<S: AsRef<OsStr>>(first: i32, words: &[S]) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &first.to_string()]);
    let space = |process: &str| fs::read_link(format!("/proc/{process}/ns/user")).ok();
    if space("self") != space(&first.to_string()) {
        command.args(["--user", "--setuid=0", "--setgid=0"]);
    }
    command
        .args([
            "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--",
        ])
        .args(words)
        .envs([
            ("PATH", hosted::PATH),
            ("HOME", "/root"),
            ("LC_ALL", "C.UTF-8"),
        ]);
    command
}

fn running(pid: i32) -> Option<RunningHost> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let (hostname, logs) = host_words(&line)?;
    is_first(&status).then_some(RunningHost {
        hostname,
        logs,
        first: pid,
    })
}

/// The host's name and logs from a command line of [`hosted::COMMAND`], as /proc gives it.
fn host_words(line: &[u8]) -> Option<(String, PathBuf)> {
    let mut words = line
        .split(|&byte| byte == 0)
        .skip(1)
        .map(String::from_utf8_lossy);
    if words.next()? != hosted::COMMAND {
        return None;
    }
    Some((
        words.next()?.into_owned(),
        PathBuf::from(words.next()?.into_owned()),
    ))
}

/// Whether a process is the first of its PID namespace, from its status.
fn is_first(status: &str) -> bool {
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ids.and_then(|ids| ids.split_whitespace().next_back()) == Some("1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_command_line() {
        let line = b"/proc/self/exe\0lab-host\0sid-s\0/run/x\0";
        assert_eq!(host_words(line), Some(("sid-s".into(), "/run/x".into())));
        assert_eq!(host_words(b"/usr/bin/cat\0lab-hosts\0"), None);
        assert_eq!(host_words(b""), None);
    }

    #[test]
    fn the_first_process_has_the_number_one_inside() {
        assert!(is_first("Name:\tx\nNSpid:\t812\t14\t1\n"));
        assert!(!is_first("Name:\tx\nNSpid:\t811\t13\n"));
        assert!(!is_first("Name:\tx\n"));
    }
}
