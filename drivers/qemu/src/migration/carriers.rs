//! What a QEMU has open for its migration, as the kernel tells: sockets, files and pipes.

use std::{collections::BTreeSet, path::PathBuf};

use migratrix_history::{Carrier, CarrierKind};
use procfs::{
    ProcResult,
    net::{TcpState, UnixState},
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

/// What the process has open that carries a stream, and is not among `before`; nothing where it has
/// ended.
pub(crate) fn carriers(pid: u32, before: &BTreeSet<Handle>) -> Vec<Carrier> {
    process(pid)
        .and_then(|process| new(&process, before))
        .unwrap_or_default()
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

fn new(process: &Process, before: &BTreeSet<Handle>) -> ProcResult<Vec<Carrier>> {
    let mut carriers = Vec::new();
    let mut sockets = BTreeSet::new();
    for handle in open(process)?.difference(before) {
        match handle {
            Handle::Socket(inode) => drop(sockets.insert(*inode)),
            Handle::Pipe(_) => carriers.push(carrier(CarrierKind::Pipe, None)),
            Handle::File(path) => {
                carriers.push(carrier(CarrierKind::File, Some(path.display().to_string())));
            }
        }
    }
    if !sockets.is_empty() {
        carriers.extend(connected(process, &sockets)?);
    }
    carriers.sort();
    Ok(carriers)
}

/// Those of the sockets that are connected: one that listens carries nothing.
fn connected(process: &Process, sockets: &BTreeSet<u64>) -> ProcResult<Vec<Carrier>> {
    let unix = process.unix()?.into_iter();
    let unix = unix.filter(|one| one.state == UnixState::CONNECTED && sockets.contains(&one.inode));
    let unix = unix.map(|one| {
        let path = one.path.map(|path| path.display().to_string());
        carrier(CarrierKind::Unix, path)
    });
    let mut all: Vec<_> = unix.collect();
    // The kernel walks all connections of the machine for these.
    if all.len() < sockets.len() {
        let tcp = process.tcp()?.into_iter();
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
        carriers(id(), before).contains(wanted)
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
        assert!(carriers(u32::MAX, &BTreeSet::new()).is_empty());
    }
}
