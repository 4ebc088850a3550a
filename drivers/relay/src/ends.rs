//! The two ends of a relay, and the connections that come to them.

use std::{
    io,
    net::{self, Ipv4Addr, Shutdown, SocketAddrV4},
    ops::RangeInclusive,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use rustix::net::connect_unspec;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

/// How much the kernel keeps of what was sent to a relay and is not read yet, in bytes: by itself it would
/// keep all of a small guest.
const RECEIVED: usize = 8 << 10;

/// How many may wait to be taken.
const WAITING: i32 = 16;

/// The ports that libvirt chooses from for migrations (`migration_port_min` and `_max` in qemu.conf): who
/// listens there is in its way.
const LIBVIRTS: RangeInclusive<u16> = 49_152..=49_215;

/// Where the source comes to.
pub(crate) enum Front {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Where the destination listens.
pub(crate) enum Back {
    Unix(PathBuf),
    Tcp(SocketAddrV4),
}

/// A connection, of which each direction is somebody else's.
pub(crate) struct Halves {
    pub(crate) from: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) to: Box<dyn AsyncWrite + Send + Unpin>,
    /// Where it can be broken off.
    pub(crate) handle: Handle,
}

/// A handle of its own on a connection. A process that is just being started has handles on all connections there
/// are until it has become another program: closing one's own ends none of them.
pub(crate) enum Handle {
    Unix(OwnedFd),
    Tcp(OwnedFd),
}

impl Handle {
    /// Breaks the connection off at once: one of TCP is reset. One that has ended already can't be, nor need be.
    pub(crate) fn break_off(self) {
        match self {
            Self::Unix(socket) => drop(SockRef::from(&socket).shutdown(Shutdown::Both)),
            Self::Tcp(socket) => drop(connect_unspec(&socket)),
        }
    }
}

/// What listens at a port of this address, and which port that is.
pub(crate) fn listener(at: Ipv4Addr) -> io::Result<(u16, net::TcpListener)> {
    loop {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_recv_buffer_size(RECEIVED)?;
        socket.bind(&SocketAddrV4::new(at, 0).into())?;
        socket.listen(WAITING)?;
        socket.set_nonblocking(true)?;
        let listener = net::TcpListener::from(socket);
        let port = listener.local_addr()?.port();
        if !LIBVIRTS.contains(&port) {
            return Ok((port, listener));
        }
    }
}

impl TryFrom<UnixStream> for Halves {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        let handle = Handle::Unix(stream.as_fd().try_clone_to_owned()?);
        let (from, to) = stream.into_split();
        Ok(Self {
            from: Box::new(from),
            to: Box::new(to),
            handle,
        })
    }
}

impl TryFrom<TcpStream> for Halves {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        // What comes is passed on at once, as it came.
        stream.set_nodelay(true)?;
        let handle = Handle::Tcp(stream.as_fd().try_clone_to_owned()?);
        // Halves of TCP's own would end the stream in good order when they are dropped.
        let (from, to) = tokio::io::split(stream);
        Ok(Self {
            from: Box::new(from),
            to: Box::new(to),
            handle,
        })
    }
}

impl Front {
    pub(crate) async fn accept(&self) -> io::Result<Halves> {
        match self {
            Self::Unix(listener) => listener.accept().await?.0.try_into(),
            Self::Tcp(listener) => listener.accept().await?.0.try_into(),
        }
    }
}

impl Back {
    pub(crate) async fn connect(&self) -> io::Result<Halves> {
        match self {
            Self::Unix(path) => UnixStream::connect(path).await?.try_into(),
            Self::Tcp(place) => TcpStream::connect(place).await?.try_into(),
        }
    }
}
