//! The TCP sockets that are listened to in a host's network, as the kernel's `sock_diag` tells them: it
//! walks its listeners alone, where /proc/net/tcp costs a walk through all connections of the machine.

use std::{
    io::{self, Read, Write},
    sync::{Mutex, PoisonError},
};

use crate::hosts::net;
use socket2::{Domain, Protocol, Socket, Type};

/// Asks the kernel, in one network namespace.
#[derive(Debug)]
pub(crate) struct Listeners(Mutex<Socket>);

/// A socket that is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) inode: u32,
}

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// The state of a socket that is listened to, as a bit: `1 << TCP_LISTEN`.
const LISTENING: u32 = 1 << 10;
/// `struct nlmsghdr`, and `struct inet_diag_req_v2`.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// Where a message of the answer has the socket's port and inode.
const AT_PORT: usize = HEADER + 4;
const AT_INODE: usize = HEADER + 68;

impl Listeners {
    /// Those of the network namespace of the process `pid`.
    pub(crate) fn of(pid: i32) -> io::Result<Self> {
        Ok(Self(Mutex::new(net::made_in(pid, socket)?)))
    }

    /// All that are listened to now.
    pub(crate) fn now(&self) -> io::Result<Vec<Listener>> {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            socket.write_all(&request(u8::try_from(family).unwrap_or_default()))?;
            while answered(&mut socket, &mut all)? {}
        }
        Ok(all)
    }
}

/// What the kernel is asked by, in the network namespace of the thread.
fn socket() -> io::Result<Socket> {
    let kind = Protocol::from(libc::NETLINK_SOCK_DIAG);
    Socket::new(Domain::from(libc::AF_NETLINK), Type::DGRAM, Some(kind))
}

fn request(family: u8) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    bytes[..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    bytes[16..18].copy_from_slice(&[family, TCP]);
    bytes[20..24].copy_from_slice(&LISTENING.to_ne_bytes());
    bytes
}

/// Reads a part of the answer; says whether there is more.
fn answered(socket: &mut Socket, all: &mut Vec<Listener>) -> io::Result<bool> {
    let mut bytes = [0; 1 << 14];
    let length = socket.read(&mut bytes)?;
    let mut rest = &bytes[..length];
    while let Some((message, next)) = message(rest) {
        match message
            .get(4..6)
            .map(|kind| u16::from_ne_bytes([kind[0], kind[1]]))
        {
            Some(BY_FAMILY) => all.extend(listener(message)),
            // The end, or an error: of a family that the machine has not got.
            _ => return Ok(false),
        }
        rest = next;
    }
    Ok(length > 0)
}

/// The first message, and what comes after it.
fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
    let message = bytes.get(..length).filter(|_| length >= HEADER)?;
    Some((
        message,
        bytes.get(length.next_multiple_of(4)..).unwrap_or_default(),
    ))
}

fn listener(message: &[u8]) -> Option<Listener> {
    Some(Listener {
        port: u16::from_be_bytes(*message.get(AT_PORT..)?.first_chunk()?),
        inode: u32::from_ne_bytes(*message.get(AT_INODE..)?.first_chunk()?),
    })
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, os::unix::fs::MetadataExt};

    use super::*;

    /// Those of our own namespace, without going there: who may not go to another may not go to it.
    fn own() -> Listeners {
        Listeners(Mutex::new(socket().unwrap()))
    }

    #[test]
    fn a_listener_is_told_by_its_port_and_inode_for_as_long_as_it_is_there() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let link = std::fs::metadata(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&socket)
        ));
        let inode = u32::try_from(link.unwrap().ino()).unwrap();
        let listeners = own();
        assert!(listeners.now().unwrap().contains(&Listener { port, inode }));
        drop(socket);
        assert!(!listeners.now().unwrap().contains(&Listener { port, inode }));
    }
}
