//! What a QEMU has open for its migration, as the kernel tells: sockets, files and pipes.

use std::{cell::OnceCell, collections::BTreeSet, path::PathBuf};

use migratrix_history::{Carrier, CarrierKind};
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
            Handle::File(path) => {
                carriers.push(carrier(CarrierKind::File, Some(path.display().to_string())));
            }
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
        let tcp =
            tcp.filter(|one| one.state == TcpState::Established && sockets.contains(&one.inode));
        all.extend(tcp.map(|one| {
            let ends = format!("{} and {}", one.local_address, one.remote_address);
            carrier(CarrierKind::Tcp, Some(ends))
        }));
    }
    Ok(all)
}

const fn carrier(kind: CarrierKind, address: Option<String>) -> Carrier {
    Carrier { kind, address }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        net::{TcpListener, TcpStream},
        os::unix::net::{UnixListener, UnixStream},
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
    fn a_process_that_has_ended_has_nothing_open() {
        assert!(handles(u32::MAX).is_empty());
        let opened = Opened::since(&BTreeSet::new(), u32::MAX);
        assert_eq!(carriers(&[opened]), [[]]);
    }
}
