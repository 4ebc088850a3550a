//! What is left of a domain on a host: processes, listening ports, sockets and files.
//!
//! Logs under /var/log are meant to stay, and don't count. Nor does libvirt's cache.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Where a domain's files and sockets would be.
const PLACES: [&str; 7] = [
    "/run",
    "/var/lib/libvirt",
    "/var/lib/migratrix",
    "/var/lib/qemu",
    "/etc/libvirt",
    "/tmp",
    "/dev/shm",
];

/// The ports that libvirt migrates to, see `migration_port_min` and `_max` in qemu.conf.
const MIGRATION_PORTS: std::ops::RangeInclusive<u16> = 49152..=49215;

/// The state of a listening socket in /proc/net/tcp, see proc_net_tcp(5).
const LISTENING: &str = "0A";

/// How much of a domain's name libvirt puts into the names of its folders, in characters.
const SHORT_NAME: usize = 20;

/// A process of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id, as seen from here.
    pub(crate) pid: i32,
    /// Its arguments, with spaces between them.
    pub(crate) command_line: String,
}

/// All that is left of `domain` on the host whose first process is `first`.
pub(crate) fn find(first: i32, domain: &str) -> io::Result<Vec<String>> {
    let processes = of_domain(first, domain)?;
    let mut found: Vec<String> = Vec::new();
    for process in &processes {
        found.push(format!("process {}: {}", process.pid, process.command_line));
        let ports = listening_ports(process.pid)?;
        found.extend(
            ports
                .iter()
                .map(|port| format!("port {port} of process {}", process.pid)),
        );
    }
    found.extend(abstract_sockets(first, domain)?);
    for place in PLACES {
        let root = PathBuf::from(format!("/proc/{first}/root"));
        walk(&root, place, domain, &mut found)?;
    }
    Ok(found)
}

/// The processes of the host that carry the domain's name.
pub(crate) fn of_domain(first: i32, domain: &str) -> io::Result<Vec<Process>> {
    let mut processes = of_host(first)?;
    processes.retain(|process| names(&process.command_line, domain));
    Ok(processes)
}

/// All processes of the host: those that are in the PID namespace of its first.
pub(crate) fn of_host(first: i32) -> io::Result<Vec<Process>> {
    let namespace = fs::read_link(format!("/proc/{first}/ns/pid"))?;
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse() else {
            continue;
        };
        // A process may end while we look: then it isn't left.
        if fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|its| its == namespace) {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command_line = String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .trim()
                .to_owned();
            processes.push(Process { pid, command_line });
        }
    }
    Ok(processes)
}

/// The process that is QEMU itself: the one whose program is.
pub(crate) fn is_qemu(process: &Process) -> bool {
    let program = process.command_line.split(' ').next().unwrap_or_default();
    program
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("qemu-system-"))
}

fn listening_ports(pid: i32) -> io::Result<BTreeSet<u16>> {
    let owned = sockets_of(pid);
    let mut sockets = listening(pid)?;
    sockets.retain(|(port, inode)| MIGRATION_PORTS.contains(port) && owned.contains(inode));
    Ok(sockets.into_iter().map(|(port, _)| port).collect())
}

/// The TCP ports that are listened to on the host of the process, with their sockets' inodes.
pub(crate) fn listening(pid: i32) -> io::Result<Vec<(u16, u64)>> {
    let mut sockets = Vec::new();
    for table in ["tcp", "tcp6"] {
        match fs::read_to_string(format!("/proc/{pid}/net/{table}")) {
            Ok(text) => sockets.extend(listening_in(&text)),
            // The machine may be without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sockets)
}

fn sockets_of(pid: i32) -> BTreeSet<u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    let inode = |target: PathBuf| {
        target
            .to_str()?
            .strip_prefix("socket:[")?
            .strip_suffix(']')?
            .parse()
            .ok()
    };
    targets.filter_map(inode).collect()
}

/// The ports that are listened to in the text of /proc/net/tcp, with their sockets' inodes.
fn listening_in(table: &str) -> impl Iterator<Item = (u16, u64)> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let port = u16::from_str_radix(address.rsplit(':').next()?, 16).ok()?;
        (*state == LISTENING).then_some((port, inode.parse().ok()?))
    })
}

/// Sockets without a file; those with one are found as files.
fn abstract_sockets(first: i32, domain: &str) -> io::Result<Vec<String>> {
    let table = fs::read_to_string(format!("/proc/{first}/net/unix"))?;
    let paths = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(7));
    let left = paths.filter(|path| path.starts_with('@') && names(path, domain));
    Ok(left.map(|path| format!("socket {path}")).collect())
}

fn walk(root: &Path, place: &str, domain: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(place.trim_start_matches('/'))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{place}/{name}");
        if names(&name, domain) || is_folder_of(&name, domain) {
            found.push(format!("file {path}"));
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(root, &path, domain, found)?;
        }
    }
    Ok(())
}

/// Whether the text has the domain's name in it, and not as a part of a longer word or number.
fn names(text: &str, domain: &str) -> bool {
    text.match_indices(domain).any(|(at, name)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

/// Whether it is the folder of the running domain, as libvirt names it: `domain-<id>-<the name's
/// start>`.
fn is_folder_of(name: &str, domain: &str) -> bool {
    let short: String = domain.chars().take(SHORT_NAME).collect();
    let rest = name
        .strip_prefix("domain-")
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(id, its)| id.parse::<u32>().is_ok() && its == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_only_as_a_whole() {
        assert!(names("qemu -name guest=t1,debug-threads=on", "t1"));
        assert!(names("t1.xml", "t1"));
        assert!(!names("t10.xml", "t1"));
        assert!(!names("at1", "t1"));
    }

    #[test]
    fn a_folder_is_known_by_the_start_of_a_long_name() {
        let domain = "abcdefghijklmnopqrstuvwxyz";
        assert!(is_folder_of("domain-3-abcdefghijklmnopqrst", domain));
        assert!(!is_folder_of("domain-x-abcdefghijklmnopqrst", domain));
        assert!(!is_folder_of("domain-3-abcdefghijklmnopqrsu", domain));
    }

    #[test]
    fn only_listening_ports_count() {
        let table = "  sl  local_address rem_address   st\n\
            0: 00000000:C000 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n\
            1: 00000000:C001 00000000:0000 01 00000000:00000000 00:00000000 00000000 0 0 78 1\n\
            2: 00000000:4085 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 79 1\n";
        assert_eq!(
            listening_in(table).collect::<Vec<_>>(),
            [(49152, 77), (16517, 79)]
        );
    }

    #[test]
    fn qemu_is_told_by_its_program() {
        let process = |line: &str| Process {
            pid: 1,
            command_line: line.to_owned(),
        };
        assert!(is_qemu(&process(
            "/usr/bin/qemu-system-x86_64 -name guest=a"
        )));
        assert!(!is_qemu(&process("/usr/sbin/libvirtd --listen")));
    }
}
