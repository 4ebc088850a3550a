//! Hosts that run on this machine, and commands inside them; also from outside the sandbox.

use std::{
    ffi::OsStr,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    LabError,
    hosts::{hosted, spec::hosts_file},
};

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

    /// Whether it was started by the process `ancestor`, or by one that that has started.
    pub(crate) fn descends_from(&self, ancestor: i32) -> bool {
        let parents = std::iter::successors(Some(self.first), |pid| parent_of(*pid));
        parents.skip(1).any(|pid| pid == ancestor)
    }

    /// The runner that has the host, as seen from here: its network has all hosts of the lab.
    #[must_use]
    pub fn runner(&self) -> Option<i32> {
        let supervisor = parent_of(self.first)?;
        parent_of(supervisor)
    }

    /// The address of each host of its lab, by which clients reach it, with the host's name.
    ///
    /// # Errors
    /// Returns an error where its lab is gone.
    pub fn neighbours(&self) -> Result<Vec<(String, Ipv4Addr)>, LabError> {
        let runner = self.runner().unwrap_or_default();
        let lab = self.logs.parent().unwrap_or(&self.logs);
        let lab = lab.strip_prefix("/").unwrap_or(lab);
        let path = hosts_file(&Path::new("/proc").join(format!("{runner}/root")).join(lab));
        let text = fs::read_to_string(&path).map_err(LabError::file("read", path))?;
        Ok(named_addresses(&text))
    }
}

/// The words that run a command of one's own, with one's own files, on the network of a process.
#[must_use]
pub fn enter_network(pid: i32) -> Vec<String> {
    let mut words = vec!["nsenter".to_owned(), format!("--target={pid}")];
    if is_in_another_user_namespace(pid) {
        words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
    }
    words.push("--net".to_owned());
    words
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
    if is_in_another_user_namespace(first) {
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

fn is_in_another_user_namespace(pid: i32) -> bool {
    let space = |process: &str| fs::read_link(format!("/proc/{process}/ns/user")).ok();
    space("self") != space(&pid.to_string())
}

/// The parent of a process; `None` for one that is gone or has none here.
fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    parent_in(&status)
}

/// The parent from the status of a process.
fn parent_in(status: &str) -> Option<i32> {
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    parent.trim().parse().ok().filter(|parent| *parent > 0)
}

/// The names and addresses in the text of a lab's hosts file, without the loopback's.
fn named_addresses(text: &str) -> Vec<(String, Ipv4Addr)> {
    let named = |line: &str| {
        let (address, name) = line.split_once(' ')?;
        let address: Ipv4Addr = address.parse().ok()?;
        (!address.is_loopback()).then(|| (name.trim().to_owned(), address))
    };
    text.lines().filter_map(named).collect()
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
    fn a_parent_is_read_from_the_status() {
        assert_eq!(parent_in("Name:\tx\nPPid:\t14\n"), Some(14));
        assert_eq!(parent_in("PPid:\t0\n"), None);
    }

    #[test]
    fn the_hosts_file_tells_all_hosts_but_the_loopback() {
        let text = "127.0.0.1 localhost\n198.18.0.2 sid-s\n198.18.0.3 sid-d\n";
        let addresses = named_addresses(text);
        assert_eq!(addresses.len(), 2);
        assert_eq!(addresses[1], ("sid-d".into(), Ipv4Addr::new(198, 18, 0, 3)));
    }

    #[test]
    fn the_first_process_has_the_number_one_inside() {
        assert!(is_first("Name:\tx\nNSpid:\t812\t14\t1\n"));
        assert!(!is_first("Name:\tx\nNSpid:\t811\t13\n"));
        assert!(!is_first("Name:\tx\n"));
    }
}
