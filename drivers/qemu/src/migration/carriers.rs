//! What a QEMU has open for its migration, as the kernel tells: sockets, files and pipes.

use std::{
    cell::OnceCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use migratrix_history::{Carrier, CarrierKind};
use nix::fcntl::OFlag;
use procfs::{
    ProcResult,
    net::{TcpNetEntry, TcpState, UnixNetEntry, UnixState},
    process::{FDTarget, Process},
};

/// Something that a process has open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Handle {
    /// A socket, by its inode.
    Socket(u64),
    /// A pipe, by its inode.
    Pipe(u64),
    /// A file.
    File(PathBuf),
}

/// All that the process has open; nothing where it has ended.
pub(crate) fn handles(pid: u32) -> BTreeSet<Handle> {
    process(pid)
        .and_then(|process| open(&process))
        .unwrap_or_default()
}

/// Those of the handles of the processes, in their order, that carry a stream; nothing of one that has
/// ended. All are in one network, whose tables are read once, and only where a socket may be in them.
pub(crate) fn carriers(opened: &[Opened]) -> Vec<Vec<Carrier>> {
    let tables = Tables::default();
    let told = opened.iter().map(|one| told(one, &tables));
    told.map(ProcResult::unwrap_or_default).collect()
}

/// Whether a socket of these is still there, though who had it open has ended: what a ring of `io_uring` refers
/// to is let go of when that is taken apart, which is later (`io_ring_exit_work` in Linux's io_uring.c). The
/// tables are those of the network that `pid` is in; nothing is there where that has ended as well.
pub(crate) fn linger(handles: &BTreeSet<Handle>, pid: u32) -> bool {
    let is_one = |inode| handles.contains(&Handle::Socket(inode));
    let told = process(pid).and_then(|process| {
        let is_there = process.unix()?.iter().any(|one| is_one(one.inode))
            || process.tcp()?.iter().any(|one| is_one(one.inode));
        Ok(is_there)
    });
    told.unwrap_or(false)
}

/// How many `userfaultfd`s the process has; none where it has ended.
pub(crate) fn userfaults(pid: u32) -> u32 {
    let open = process(pid).and_then(|process| process.fd());
    let open = open.into_iter().flatten().flatten();
    let own =
        open.filter(|one| matches!(&one.target, FDTarget::AnonInode(name) if name == USERFAULT));
    u32::try_from(own.count()).unwrap_or(u32::MAX)
}

/// What the kernel calls a `userfaultfd`.
const USERFAULT: &str = "[userfaultfd]";

/// What a process has opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pid: u32,
    handles: BTreeSet<Handle>,
}

impl Opened {
    /// What the process has open that is not among `before`; nothing where it has ended.
    pub(crate) fn since(before: &BTreeSet<Handle>, pid: u32) -> Self {
        let handles = handles(pid).difference(before).cloned().collect();
        Self { pid, handles }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }
}

/// The sockets of the processes' network, as far as they were asked for.
#[derive(Default)]
struct Tables {
    unix: OnceCell<Vec<UnixNetEntry>>,
    tcp: OnceCell<Vec<TcpNetEntry>>,
}

/// What is in the cell, read where it is not there yet.
fn once<T>(cell: &OnceCell<T>, read: impl FnOnce() -> ProcResult<T>) -> ProcResult<&T> {
    match cell.get() {
        Some(table) => Ok(table),
        None => read().map(|table| cell.get_or_init(|| table)),
    }
}

fn process(pid: u32) -> ProcResult<Process> {
    Process::new(i32::try_from(pid).unwrap_or(i32::MAX))
}

fn open(process: &Process) -> ProcResult<BTreeSet<Handle>> {
    let handle = |target| match target {
        FDTarget::Socket(inode) => Some(Handle::Socket(inode)),
        FDTarget::Pipe(inode) => Some(Handle::Pipe(inode)),
        FDTarget::Path(path) => path.is_file().then_some(Handle::File(path)),
        FDTarget::Net(_) | FDTarget::AnonInode(_) | FDTarget::MemFD(_) | FDTarget::Other(..) => {
            None
        }
    };
    // One that is closed meanwhile is not open.
    let all = process.fd()?.flatten();
    Ok(all.filter_map(|one| handle(one.target)).collect())
}

fn told(opened: &Opened, tables: &Tables) -> ProcResult<Vec<Carrier>> {
    let mut carriers = Vec::new();
    let mut sockets = BTreeSet::new();
    for handle in &opened.handles {
        match handle {
            Handle::Socket(inode) => drop(sockets.insert(*inode)),
            Handle::Pipe(_) => carriers.push(carrier(CarrierKind::Pipe, None)),
            Handle::File(path) => carriers.push(Carrier {
                direct: direct(opened.pid, path)?,
                ..carrier(CarrierKind::File, Some(path.display().to_string()))
            }),
        }
    }
    if !sockets.is_empty() {
        carriers.extend(connected(&process(opened.pid)?, sockets, tables)?);
    }
    carriers.sort();
    Ok(carriers)
}

/// Those of the sockets that are connected: one that listens carries nothing.
fn connected(
    process: &Process,
    mut sockets: BTreeSet<u64>,
    tables: &Tables,
) -> ProcResult<Vec<Carrier>> {
    let mut all = Vec::new();
    for one in once(&tables.unix, || process.unix())? {
        if sockets.remove(&one.inode) && one.state == UnixState::CONNECTED {
            let path = one.path.as_ref().map(|path| path.display().to_string());
            all.push(carrier(CarrierKind::Unix, path));
        }
    }
    // The kernel walks all connections of the machine for these.
    if !sockets.is_empty() {
        let tcp = once(&tables.tcp, || process.tcp())?.iter();
        // One may be told twice, where others come and go meanwhile.
        let tcp =
            tcp.filter(|one| one.state == TcpState::Established && sockets.remove(&one.inode));
        all.extend(tcp.map(|one| {
            let ends = format!("{} and {}", one.local_address, one.remote_address);
            carrier(CarrierKind::Tcp, Some(ends))
        }));
    }
    Ok(all)
}

const fn carrier(kind: CarrierKind, address: Option<String>) -> Carrier {
    Carrier {
        kind,
        address,
        direct: 0,
    }
}

/// How many of the process's descriptors for a file were opened for direct I/O.
fn direct(pid: u32, file: &Path) -> ProcResult<usize> {
    let open = process(pid)?.fd()?.flatten();
    let own = open.filter(|one| matches!(&one.target, FDTarget::Path(path) if path == file));
    // One that is closed meanwhile has no flags.
    let is_direct = |fd: i32| {
        let told = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
        let flags = told.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
        Some(flags & OFlag::O_DIRECT.bits() != 0)
    };
    Ok(own.filter(|one| is_direct(one.fd) == Some(true)).count())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        net::{TcpListener, TcpStream},
        os::{
            fd::AsRawFd,
            unix::{
                fs::{MetadataExt, OpenOptionsExt},
                net::{UnixListener, UnixStream},
            },
        },
        process::id,
    };

    use super::*;

    /// What is new since `before`, of this test's own: others run beside it.
    fn has(before: &BTreeSet<Handle>, wanted: &Carrier) -> bool {
        carriers(&[Opened::since(before, id())])[0].contains(wanted)
    }

    #[test]
    fn what_was_opened_since_is_told_by_its_kind_and_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let _old = File::create(path("old")).unwrap();
        let before = handles(id());
        let listener = UnixListener::bind(path("socket")).unwrap();
        let at = Some(path("socket"));
        assert!(
            !has(&before, &carrier(CarrierKind::Unix, at.clone())),
            "it listens"
        );
        let _near = UnixStream::connect(path("socket")).unwrap();
        let _far = listener.accept().unwrap();
        assert!(has(&before, &carrier(CarrierKind::Unix, at)));
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let (own, its) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
        let ends = Some(format!("{own} and {its}"));
        assert!(has(&before, &carrier(CarrierKind::Tcp, ends)));
        let _file = File::create(path("stream")).unwrap();
        assert!(has(
            &before,
            &carrier(CarrierKind::File, Some(path("stream")))
        ));
        assert!(!has(
            &before,
            &carrier(CarrierKind::File, Some(path("old")))
        ));
    }

    #[test]
    fn a_socket_lingers_until_nobody_has_it() {
        let (_near, far) = UnixStream::pair().unwrap();
        let link = format!("/proc/self/fd/{}", far.as_raw_fd());
        let own = BTreeSet::from([Handle::Socket(fs::metadata(link).unwrap().ino())]);
        assert!(handles(id()).is_superset(&own));
        assert!(linger(&own, id()));
        drop(far);
        assert!(!linger(&own, id()), "though its peer is there");
    }

    #[test]
    fn descriptors_that_pass_the_cache_by_are_counted() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("stream");
        let _usual = File::create(&path).unwrap();
        assert_eq!(direct(id(), &path).unwrap(), 0);
        let mut how = File::options();
        let how = how.write(true).custom_flags(OFlag::O_DIRECT.bits());
        let _two = [how.open(&path).unwrap(), how.open(&path).unwrap()];
        assert_eq!(direct(id(), &path).unwrap(), 2);
    }

    #[test]
    fn a_process_that_has_ended_has_nothing_open() {
        assert!(handles(u32::MAX).is_empty());
        let opened = Opened::since(&BTreeSet::new(), u32::MAX);
        assert_eq!(carriers(&[opened]), [[]]);
    }
}
