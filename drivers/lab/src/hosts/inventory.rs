//! All that is on a host: processes, listeners, sockets, mounts, interfaces and files.
//!
//! A folder that is new is one thing, with all that is in it: only those that were there from the start
//! are looked into.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    os::fd::OwnedFd,
    path::Path,
};

use migratrix_contract::read_kernel_file;
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2},
    io::Errno,
};

use crate::hosts::{
    folders::{AS_FOLDER, Folders, present},
    listeners::Listener,
    ports,
    processes::{self, Process},
};

/// Where libvirt, QEMU and whoever needs a place for a while have their files and sockets. Logs are
/// meant to stay.
const PLACES: [&str; 11] = [
    "/run",
    "/var/lib/libvirt",
    "/var/cache/libvirt",
    "/var/lib/migratrix",
    "/var/lib/qemu",
    "/etc/libvirt",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/hugepages",
    "/root",
];

/// What libvirt found out of its QEMUs: it is meant to stay as well.
const CAPABILITIES: &str = "/var/cache/libvirt/qemu/capabilities";

/// One thing on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A process, by its id as the host sees it and its start, in the kernel's ticks.
    Process {
        pid: i32,
        started: u64,
        command_line: String,
    },
    /// A TCP port that is listened to, and which process does.
    Port { port: u16, pid: i32 },
    /// A socket without a file.
    Socket(String),
    /// What is mounted there.
    Mount(String),
    /// A network interface.
    Interface(String),
    /// A file of any kind, or a folder with all that is in it.
    File(String),
}

/// All things on a host at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    /// Each thing, with the text that would name its owner.
    pub(crate) things: BTreeMap<Thing, String>,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process {
                pid, command_line, ..
            } => write!(f, "process {pid}: {command_line}"),
            Self::Port { port, pid } => write!(f, "port {port} of process {pid}"),
            Self::Socket(path) => write!(f, "socket {path}"),
            Self::Mount(path) => write!(f, "mount {path}"),
            Self::Interface(name) => write!(f, "interface {name}"),
            Self::File(path) => write!(f, "file {path}"),
        }
    }
}

/// What is looked into, and for whom.
pub(crate) struct Scope<'s> {
    /// The host's first process.
    pub(crate) first: i32,
    /// What is listened to now, and was not from the start.
    pub(crate) listeners: &'s [Listener],
    /// What was there from the start; nothing where this is the start.
    pub(crate) from_the_start: Option<&'s BTreeSet<Thing>>,
    pub(crate) folders: &'s mut Folders,
}

impl Scope<'_> {
    /// What is there now and was not there from the start.
    pub(crate) fn take(mut self) -> io::Result<Inventory> {
        let mut found = Inventory::default();
        let processes = processes::within_host(self.first)?;
        self.note_processes(&processes, &mut found);
        self.note_listeners(&processes, &mut found);
        for path in abstract_sockets(self.first)? {
            self.note(Thing::Socket(path.clone()), path, &mut found);
        }
        for path in mounts(self.first)? {
            self.note(Thing::Mount(path.clone()), path, &mut found);
        }
        for name in interfaces(self.first)? {
            self.note(Thing::Interface(name.clone()), name, &mut found);
        }
        let root = format!("/proc/{}/root", self.first);
        self.note_files(Path::new(&root), &mut found)?;
        Ok(found)
    }

    fn is_old(&self, thing: &Thing) -> bool {
        self.from_the_start.is_some_and(|old| old.contains(thing))
    }

    fn note(&self, thing: Thing, text: String, found: &mut Inventory) {
        if !self.is_old(&thing) {
            found.things.insert(thing, text);
        }
    }

    /// Each process but the daemon, which is the host's own whenever it was started; its text has the command lines of those that have started it.
    fn note_processes(&self, processes: &[Process], found: &mut Inventory) {
        for process in processes.iter().filter(|one| !is_hosts_own(one)) {
            self.note(thing(process), lineage(process, processes), found);
        }
    }

    fn note_listeners(&self, processes: &[Process], found: &mut Inventory) {
        if self.listeners.is_empty() {
            return;
        }
        let folder = processes::folder(self.first);
        for process in processes.iter().filter(|one| !is_hosts_own(one)) {
            let owned = ports::tcp_sockets(&folder.join(process.pid.to_string()));
            let its = self
                .listeners
                .iter()
                .filter(|one| owned.contains(&one.inode.into()));
            for Listener { port, .. } in its {
                let (port, pid) = (*port, process.pid);
                self.note(
                    Thing::Port { port, pid },
                    lineage(process, processes),
                    found,
                );
            }
        }
    }

    fn note_files(&mut self, root: &Path, found: &mut Inventory) -> io::Result<()> {
        let top = openat(CWD, root, OFlags::PATH | AS_FOLDER, Mode::empty())?;
        for place in PLACES {
            if let Some(folder) = place_in(&top, root, place)? {
                self.walk((place, &folder), Path::new("."), place, found)?;
            }
        }
        Ok(())
    }

    /// What is in the folder that is `inside` a place, and has this path for the host.
    fn walk(
        &mut self,
        place: (&'static str, &OwnedFd),
        inside: &Path,
        path: &str,
        found: &mut Inventory,
    ) -> io::Result<()> {
        let entries = self.folders.entries(place, inside)?;
        for entry in entries.iter().flat_map(|entries| &**entries) {
            let name = entry.name.to_string_lossy();
            let path = format!("{path}/{name}");
            if path == CAPABILITIES {
                continue;
            }
            let thing = Thing::File(path.clone());
            if entry.may_be_folder && (self.from_the_start.is_none() || self.is_old(&thing)) {
                self.walk(place, &inside.join(&entry.name), &path, found)?;
            }
            self.note(thing, name.into_owned(), found);
        }
        Ok(())
    }
}

/// Whether it is the daemon, where a host sees its processes itself.
fn is_hosts_own(process: &Process) -> bool {
    processes::is_daemon(process, 1)
}

fn thing(process: &Process) -> Thing {
    Thing::Process {
        pid: process.pid,
        started: process.started,
        command_line: process.command_line.clone(),
    }
}

/// The command lines of a process and of those that have started it, within the host.
fn lineage(process: &Process, processes: &[Process]) -> String {
    let parent = |child: &&Process| {
        let parent = child.parent;
        processes.iter().find(|one| one.pid == parent)
    };
    let line = std::iter::successors(Some(process), parent).take(8);
    let lines: Vec<_> = line.map(|one| one.command_line.as_str()).collect();
    lines.join(" < ")
}

/// What the kernel says in a table of the process `first`.
fn table(first: i32, name: &str) -> io::Result<String> {
    let text = read_kernel_file(format!("/proc/{first}/{name}"))?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Sockets without a file; those with one are found as files.
fn abstract_sockets(first: i32) -> io::Result<Vec<String>> {
    let table = table(first, "net/unix")?;
    let paths = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(7));
    Ok(paths
        .filter(|path| path.starts_with('@'))
        .map(str::to_owned)
        .collect())
}

fn mounts(first: i32) -> io::Result<Vec<String>> {
    let table = table(first, "mountinfo")?;
    let places = table.lines().filter_map(|line| line.split(' ').nth(4));
    Ok(places.map(str::to_owned).collect())
}

fn interfaces(first: i32) -> io::Result<Vec<String>> {
    let table = table(first, "net/dev")?;
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split_once(':'));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
}

/// Opens a place in `root`, whose handle `top` is. A link could lead out of the root: the kernel follows
/// it as if the root were `/`, or we do where it can't.
fn place_in(top: &OwnedFd, root: &Path, place: &str) -> io::Result<Option<OwnedFd>> {
    let (how, none) = (OFlags::PATH | AS_FOLDER, Mode::empty());
    match openat2(top, place, how, none, ResolveFlags::IN_ROOT) {
        Err(Errno::AGAIN | Errno::NOSYS | Errno::PERM) => {
            let found = migratrix_root::resolve(root, place)?;
            present(openat(CWD, &found, how | OFlags::NOFOLLOW, none))
        }
        opened => present(opened),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn files(root: &Path, old: Option<&BTreeSet<Thing>>) -> Vec<String> {
        let mut scope = Scope {
            first: 0,
            listeners: &[],
            from_the_start: old,
            folders: &mut Folders::default(),
        };
        let mut found = Inventory::default();
        scope.note_files(root, &mut found).unwrap();
        found.things.keys().map(Thing::to_string).collect()
    }

    #[test]
    fn files_are_found_at_any_depth_and_by_no_link_out_of_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let (root, away) = (dir.path().join("root"), dir.path().join("away"));
        for folder in ["run", "var/lib/libvirt/qemu/a", "var/lib/migratrix", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::create_dir_all(away.join("t1")).unwrap();
        symlink(&away, root.join("etc/libvirt")).unwrap();
        symlink(&away, root.join("var/lib/migratrix/out")).unwrap();
        let start = files(&root, None);
        assert_eq!(start.len(), 3, "{start:?}");
        let old = [
            "/var/lib/libvirt/qemu",
            "/var/lib/libvirt/qemu/a",
            "/var/lib/migratrix/out",
        ];
        let old = old.map(|path| Thing::File(path.to_owned())).into();
        fs::write(root.join("var/lib/libvirt/qemu/a/t1.xml"), "").unwrap();
        fs::create_dir_all(root.join("run/domain-7-t1")).unwrap();
        fs::write(root.join("run/domain-7-t1/t1.sock"), "").unwrap();
        assert_eq!(
            files(&root, Some(&old)),
            [
                "file /run/domain-7-t1",
                "file /var/lib/libvirt/qemu/a/t1.xml"
            ]
        );
    }

    #[test]
    fn what_libvirt_found_out_of_its_qemus_is_no_leftover_and_what_else_is_in_its_cache_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("var/cache/libvirt/qemu");
        fs::create_dir_all(&cache).unwrap();
        let old = [Thing::File("/var/cache/libvirt/qemu".to_owned())].into();
        fs::create_dir(cache.join("capabilities")).unwrap();
        fs::write(cache.join("capabilities/4f.xml"), "").unwrap();
        assert!(files(dir.path(), Some(&old)).is_empty());
        fs::write(cache.join("t1.xml"), "").unwrap();
        assert_eq!(
            files(dir.path(), Some(&old)),
            ["file /var/cache/libvirt/qemu/t1.xml"]
        );
    }
}
