//! The processes of a host.

use std::{
    fs::{self, File},
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
};

use crate::releases::probe::LIBVIRTD;
use migratrix_contract::read_all;
use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat};

/// A process of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id, as seen from where it was looked for.
    pub(crate) pid: i32,
    /// Who has started it, as seen from there.
    pub(crate) parent: i32,
    /// When it was started, in ticks of the kernel.
    pub(crate) started: u64,
    /// Its arguments, with spaces between them.
    pub(crate) command_line: String,
}

/// The folder where the host itself sees its processes.
pub(crate) fn folder(first: i32) -> PathBuf {
    format!("/proc/{first}/root/proc").into()
}

/// All processes of the host, as seen from here: those that are in the PID namespace of its first.
pub(crate) fn of_host(first: i32) -> io::Result<Vec<Process>> {
    let namespace = fs::read_link(format!("/proc/{first}/ns/pid"))?;
    let namespace = namespace.as_os_str().as_encoded_bytes();
    let is_its = |all: BorrowedFd<'_>, pid: i32| {
        let its = readlinkat(all, format!("{pid}/ns/pid"), Vec::new());
        its.is_ok_and(|its| its.as_bytes() == namespace)
    };
    among(Path::new("/proc"), is_its)
}

/// All processes of the host, as seen from there: its kernel shows no others there, and the rest of the
/// machine's need not be looked at.
pub(crate) fn within_host(first: i32) -> io::Result<Vec<Process>> {
    among(&folder(first), |_, _| true)
}

/// Those of the processes in the folder that are wanted. Each is looked into from there: a path from the
/// root would be followed anew for every file of each.
fn among(
    folder: &Path,
    is_wanted: impl Fn(BorrowedFd<'_>, i32) -> bool,
) -> io::Result<Vec<Process>> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut all = Dir::new(openat(CWD, folder, how, Mode::empty())?)?;
    let mut numbers = Vec::new();
    while let Some(entry) = all.read() {
        let entry = entry?;
        let name = entry.file_name().to_str().ok();
        numbers.extend(name.and_then(|name| name.parse::<i32>().ok()));
    }
    let all = all.fd()?;
    // A process may end while we look: then it isn't left.
    let wanted = numbers.into_iter().filter(|pid| is_wanted(all, *pid));
    Ok(wanted.filter_map(|pid| process(all, pid)).collect())
}

/// The process with this number; `None` where it has ended, even if nobody has waited for it yet.
fn process(all: BorrowedFd<'_>, pid: i32) -> Option<Process> {
    let stat = file(all, pid, "stat").ok()?;
    let (state, parent, started) = parse(std::str::from_utf8(&stat).ok()?)?;
    let line = file(all, pid, "cmdline").unwrap_or_default();
    let command_line = String::from_utf8_lossy(&line).replace('\0', " ");
    (state != "Z").then(|| Process {
        pid,
        parent,
        started,
        command_line: command_line.trim().to_owned(),
    })
}

/// What a file of a process says.
fn file(all: BorrowedFd<'_>, pid: i32, name: &str) -> io::Result<Vec<u8>> {
    let how = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = openat(all, format!("{pid}/{name}"), how, Mode::empty())?;
    read_all(File::from(file))
}

/// The state, parent and start of a process, see proc_pid_stat(5).
fn parse(stat: &str) -> Option<(&str, i32, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    Some((state, parent, fields.nth(17)?.parse().ok()?))
}

/// The process that is the host's daemon: its first process, `first`, has started it. What it starts itself
/// has its words for a moment.
pub(crate) fn is_daemon(process: &Process, first: i32) -> bool {
    process.parent == first && process.command_line.starts_with(LIBVIRTD)
}

/// The process that is QEMU itself: the one whose program is.
pub(crate) fn is_qemu(process: &Process) -> bool {
    let program = process.command_line.split(' ').next().unwrap_or_default();
    migratrix_root::is_qemu(Path::new(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_is_told_by_its_program() {
        let process = |line: &str| Process {
            pid: 1,
            parent: 0,
            started: 0,
            command_line: line.to_owned(),
        };
        assert!(is_qemu(&process(
            "/usr/bin/qemu-system-x86_64 -name guest=a"
        )));
        assert!(!is_qemu(&process("/usr/sbin/libvirtd --listen")));
    }

    #[test]
    fn the_daemon_is_the_one_that_the_first_process_has_started() {
        let process = |parent| Process {
            pid: 7,
            parent,
            started: 0,
            command_line: "/usr/sbin/libvirtd --listen".to_owned(),
        };
        assert!(is_daemon(&process(3), 3));
        assert!(!is_daemon(&process(6), 3));
    }

    #[test]
    fn a_name_with_brackets_does_not_hide_the_start() {
        let stat = "7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 4711 99";
        assert_eq!(parse(stat), Some(("S", 3, 4_711)));
        assert_eq!(parse("7 (a"), None);
    }
}
