//! What is left of a domain on a host: processes, listening ports, sockets and files.
//!
//! Logs under /var/log are meant to stay, and don't count. Nor does libvirt's cache.

use std::{fs, io, os::fd::AsFd, path::Path};

use rustix::{
    fs::{CWD, Dir, FileType, Mode, OFlags, openat},
    io::Errno,
    path::Arg,
};

use crate::hosts::ports;

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
        let mut ports = ports::of_process(process.pid)?;
        ports.retain(|port| MIGRATION_PORTS.contains(port));
        let ports = ports.iter();
        found.extend(ports.map(|port| format!("port {port} of process {}", process.pid)));
    }
    found.extend(abstract_sockets(first, domain)?);
    found.extend(files(Path::new(&format!("/proc/{first}/root")), domain)?);
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
    migratrix_root::is_qemu(Path::new(program))
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

/// The domain's files in the system whose root is `root`.
fn files(root: &Path, domain: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for place in PLACES {
        // A link in the root could lead out of it.
        let path = migratrix_root::resolve(root, place)?;
        if let Some(folder) = folder(CWD, &path)? {
            walk(folder, place, domain, &mut found)?;
        }
    }
    Ok(found)
}

/// Each folder is opened from the one that it is in: a path from the root would be followed anew
/// for every one.
fn walk(mut folder: Dir, place: &str, domain: &str, found: &mut Vec<String>) -> io::Result<()> {
    while let Some(entry) = folder.read() {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{place}/{name}");
        if names(&name, domain) || is_folder_of(&name, domain) {
            found.push(format!("file {path}"));
        } else if [FileType::Directory, FileType::Unknown].contains(&entry.file_type()) {
            if let Some(inner) = self::folder(folder.fd()?, entry.file_name())? {
                walk(inner, &path, domain, found)?;
            }
        }
    }
    Ok(())
}

/// Opens a folder; `None` where there is none, or no more.
fn folder(at: impl AsFd, path: impl Arg) -> io::Result<Option<Dir>> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(at, path, how, Mode::empty()) {
        Ok(folder) => Ok(Some(Dir::new(folder)?)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
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
    use std::os::unix::fs::symlink;

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
    fn files_are_found_at_any_depth_and_by_no_link_out_of_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let (root, away) = (dir.path().join("root"), dir.path().join("away"));
        for folder in ["run", "var/lib/libvirt/qemu/a/b", "var/lib/migratrix"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::create_dir_all(away.join("t1")).unwrap();
        fs::write(root.join("var/lib/libvirt/qemu/a/b/t1.xml"), "").unwrap();
        fs::create_dir(root.join("run/domain-7-t1")).unwrap();
        fs::write(root.join("run/domain-7-t1/t1.sock"), "").unwrap();
        fs::create_dir(root.join("shm")).unwrap();
        fs::write(root.join("shm/t1"), "").unwrap();
        fs::create_dir(root.join("dev")).unwrap();
        symlink("/shm", root.join("dev/shm")).unwrap();
        fs::create_dir(root.join("etc")).unwrap();
        symlink(&away, root.join("etc/libvirt")).unwrap();
        symlink(&away, root.join("var/lib/migratrix/out")).unwrap();
        let mut found = files(&root, "t1").unwrap();
        found.sort();
        assert_eq!(
            found,
            [
                "file /dev/shm/t1",
                "file /run/domain-7-t1",
                "file /var/lib/libvirt/qemu/a/b/t1.xml"
            ]
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
