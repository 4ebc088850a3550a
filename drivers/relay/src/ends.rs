//! The two ends of a relay, and the connections that come to them.

use std::{
    io,
    net::{self, Ipv4Addr, SocketAddrV4},
    ops::RangeInclusive,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    time::Duration,
};

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
    /// A handle of its own on the connection, where it can be reset.
    handle: Option<OwnedFd>,
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

impl Halves {
    /// Has the connection be reset when it is closed.
    pub(crate) fn reset(handle: Option<OwnedFd>) {
        if let Some(handle) = handle {
            // One that is closed already can't be, nor need be.
            let _closed = SockRef::from(&handle).set_linger(Some(Duration::ZERO));
        }
    }

    /// The handle by which it is reset.
    pub(crate) const fn take_handle(&mut self) -> Option<OwnedFd> {
        self.handle.take()
    }
}

impl From<UnixStream> for Halves {
    fn from(stream: UnixStream) -> Self {
        let (from, to) = stream.into_split();
        Self {
            from: Box::new(from),
            to: Box::new(to),
            handle: None,
        }
    }
}

impl TryFrom<TcpStream> for Halves {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        // What comes is passed on at once, as it came.
        stream.set_nodelay(true)?;
        let handle = Some(stream.as_fd().try_clone_to_owned()?);
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
            Self::Unix(listener) => Ok(listener.accept().await?.0.into()),
            Self::Tcp(listener) => listener.accept().await?.0.try_into(),
        }
    }
}

impl Back {
    pub(crate) async fn connect(&self) -> io::Result<Halves> {
        match self {
            Self::Unix(path) => Ok(UnixStream::connect(path).await?.into()),
            Self::Tcp(place) => TcpStream::connect(place).await?.try_into(),
        }
    }
}
