//! The processes of a host.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

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
    let is_its = |folder: &Path| {
        let its = fs::read_link(folder.join("ns/pid"));
        its.is_ok_and(|its| its == namespace)
    };
    among(Path::new("/proc"), is_its)
}

/// All processes of the host, as seen from there: its kernel shows no others there, and the rest of the
/// machine's need not be looked at.
pub(crate) fn within_host(first: i32) -> io::Result<Vec<Process>> {
    among(&folder(first), |_| true)
}

/// Those of the processes in the folder that are wanted.
fn among(folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> io::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        // A process may end while we look: then it isn't left.
        let path = entry.path();
        if is_wanted(&path) {
            processes.extend(process(pid, &path));
        }
    }
    Ok(processes)
}

/// The process with this folder; `None` where it has ended, even if nobody has waited for it yet.
fn process(pid: i32, folder: &Path) -> Option<Process> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let (state, parent, started) = parse(&stat)?;
    let line = fs::read(folder.join("cmdline")).unwrap_or_default();
    let command_line = String::from_utf8_lossy(&line).replace('\0', " ");
    (state != "Z").then(|| Process {
        pid,
        parent,
        started,
        command_line: command_line.trim().to_owned(),
    })
}

/// The state, parent and start of a process, see proc_pid_stat(5).
fn parse(stat: &str) -> Option<(&str, i32, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    Some((state, parent, fields.nth(17)?.parse().ok()?))
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
    fn a_name_with_brackets_does_not_hide_the_start() {
        let stat = "7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 4711 99";
        assert_eq!(parse(stat), Some(("S", 3, 4_711)));
        assert_eq!(parse("7 (a"), None);
    }
}
