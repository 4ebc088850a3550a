//! The TCP ports that processes listen to.
//!
//! The kernel writes all connections of the machine's table into /proc/net/tcp, or at least passes
//! them by, which takes it milliseconds: it is read for a process that has a TCP socket, and for no
//! other.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The state of a listening socket in /proc/net/tcp, see proc_net_tcp(5).
const LISTENING: &str = "0A";

/// The attribute by which a socket tells its protocol, as `TCPv6`, see sockfs in the kernel.
const PROTOCOL: &str = "system.sockprotoname";

/// The TCP ports that a process listens to. One that has ended listens to none.
pub(crate) fn of_process(pid: i32) -> io::Result<BTreeSet<u16>> {
    let owned = tcp_sockets(Path::new(&format!("/proc/{pid}")));
    let mut ports = BTreeSet::new();
    if owned.is_empty() {
        return Ok(ports);
    }
    for table in ["tcp", "tcp6"] {
        match fs::read_to_string(format!("/proc/{pid}/net/{table}")) {
            Ok(text) => {
                let mine = listening(&text).filter(|(_, inode)| owned.contains(inode));
                ports.extend(mine.map(|(port, _)| port));
            }
            // The machine may be without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ports)
}

/// The inodes of a process's sockets that are of TCP, or may be, by its folder below a `/proc`.
pub(crate) fn tcp_sockets(process: &Path) -> BTreeSet<u64> {
    let files = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let socket = |file: fs::DirEntry| {
        let path = file.path();
        let inode = socket_inode(&fs::read_link(&path).ok()?)?;
        may_be_tcp(&path).then_some(inode)
    };
    files.filter_map(socket).collect()
}

/// The inode in what a socket's link says, as `socket:[77]`.
fn socket_inode(target: &Path) -> Option<u64> {
    let inode = target.to_str()?.strip_prefix("socket:[")?;
    inode.strip_suffix(']')?.parse().ok()
}

/// Whether the socket is of TCP, or doesn't tell.
fn may_be_tcp(socket: &PathBuf) -> bool {
    let mut name = [0; 32];
    rustix::fs::getxattr(socket, PROTOCOL, &mut name)
        .map_or(true, |length| name[..length].starts_with(b"TCP"))
}

/// The ports that are listened to in the text of /proc/net/tcp, with their sockets' inodes.
fn listening(table: &str) -> impl Iterator<Item = (u16, u64)> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let port = u16::from_str_radix(address.rsplit(':').next()?, 16).ok()?;
        (*state == LISTENING).then_some((port, inode.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        net::{TcpListener, UdpSocket},
        os::unix::net::UnixStream,
        process::{Child, Command, Stdio},
    };

    use super::*;

    /// A process that has this as its standard input, and no other socket.
    fn with_socket(socket: impl Into<Stdio>) -> Child {
        let mut command = Command::new("sleep");
        command.arg("600").stdin(socket.into());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn end(mut process: Child) {
        process.kill().unwrap();
        process.wait().unwrap();
    }

    #[test]
    fn only_listening_ports_count() {
        let table = "  sl  local_address rem_address   st\n\
            0: 00000000:C000 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n\
            1: 00000000:C001 00000000:0000 01 00000000:00000000 00:00000000 00000000 0 0 78 1\n\
            2: 00000000:4085 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 79 1\n";
        assert_eq!(
            listening(table).collect::<Vec<_>>(),
            [(49152, 77), (16517, 79)]
        );
    }

    #[test]
    fn a_port_is_told_of_the_process_that_listens_to_it() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let process = with_socket(std::os::fd::OwnedFd::from(listener));
            let pid = i32::try_from(process.id()).unwrap();
            assert_eq!(of_process(pid).unwrap(), [port].into());
            end(process);
        }
    }

    #[test]
    fn the_tables_of_tcp_are_not_asked_for_a_process_without_a_tcp_socket() {
        let (unix, _other) = UnixStream::pair().unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for socket in [std::os::fd::OwnedFd::from(unix), udp.into()] {
            let process = with_socket(socket);
            let folder = format!("/proc/{}", process.id());
            assert_eq!(tcp_sockets(Path::new(&folder)), BTreeSet::new());
            end(process);
        }
    }
}
