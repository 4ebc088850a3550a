//! The lab's network, captured: which connections there were, how many bytes went over each, and what
//! libvirt's daemons were asked to do for a migration.
//!
//! ```text
//!   every packet of the lab ─▶ filter, in the kernel ─▶ SYN, FIN, RST; calls of a migration ─▶ Book
//! ```
//!
//! Nothing is polled, so that nothing is seen by luck: a connection of a millisecond has its packets too.
//! The sequence numbers of its first and last ones tell how many bytes it carried.

mod book;
mod filter;
mod packet;
mod rpc;

use std::{
    io::{self, Read},
    net::Ipv4Addr,
    os::fd::{AsFd, AsRawFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
};

use migratrix_history::Traffic;
use nix::{
    net::if_::if_nametoindex,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use socket2::{Domain, Protocol, Socket, Type};

use book::Book;
pub(crate) use book::Ends;

/// How much may wait to be read, in bytes, where the machine lets us have it.
const ROOM: usize = 8 << 20;

/// The longest packet that a machine hands on: larger ones are segments of more than IP can carry.
const LONGEST: usize = 1 << 16;

/// How often it is looked whether anybody still wants the capture, in milliseconds.
const LOOK_EVERY_MS: u16 = 1_000;

/// For how long packets gather before they are taken, in milliseconds, unless they are asked for: to wake for
/// each costs more than to take it. There is room for thousands.
const GATHER_MS: u16 = 10;

/// A capture that is under way.
#[derive(Debug)]
pub(crate) struct Capture {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    socket: Socket,
    buffer: Vec<u8>,
    book: Book,
    dropped: u64,
}

impl Capture {
    /// Begins to capture the network that the interface of this name bridges, in the network namespace
    /// that we are in.
    pub(crate) fn begin(bridge: &str) -> io::Result<Arc<Self>> {
        let bridge = if_nametoindex(bridge)?;
        let all = i32::from((libc::ETH_P_ALL as u16).to_be());
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(all)))?;
        socket.attach_filter(&filter::program(bridge))?;
        socket.set_nonblocking(true)?;
        // As much as we may have.
        drop(socket.set_recv_buffer_size(ROOM));
        let state = State {
            socket,
            buffer: vec![0; LONGEST],
            book: Book::default(),
            dropped: 0,
        };
        let capture = Arc::new(Self {
            state: Mutex::new(state),
        });
        let descriptor = capture.state().socket.try_clone()?;
        let weak = Arc::downgrade(&capture);
        thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || attend(&descriptor, &weak))?;
        Ok(capture)
    }

    /// Keeps what is captured of the domain from now on, which is expected on the host at `address`.
    pub(crate) fn expect(&self, domain: &str, address: Ipv4Addr) {
        let mut state = self.state();
        let dropped = state.drain();
        state.book.expect(domain, address, dropped);
    }

    /// Forgets what was captured of the domain.
    pub(crate) fn forget(&self, domain: &str) {
        self.state().book.forget(domain);
    }

    /// What was captured of the domain until now; `None` where nobody expected it.
    pub(crate) fn traffic(&self, domain: &str, ends: &Ends) -> Option<Traffic> {
        let mut state = self.state();
        let dropped = state.drain();
        state.book.traffic(domain, ends, dropped)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes all that has come, and says how many packets were lost so far.
    fn drain(&mut self) -> u64 {
        while let Ok(length) = self.socket.read(&mut self.buffer) {
            if let Some(packet) = packet::parse(&self.buffer[..length]) {
                self.book.note(&packet);
            }
        }
        self.dropped += lost(&self.socket);
        self.dropped
    }
}

/// Takes what comes, until nobody wants it any more.
fn attend(socket: &Socket, capture: &Weak<Capture>) {
    loop {
        let mut waiting = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let came = poll(&mut waiting, PollTimeout::from(LOOK_EVERY_MS));
        if came != Ok(0) {
            // Nothing is waited for but the time.
            let _over = poll(&mut [], PollTimeout::from(GATHER_MS));
        }
        let Some(capture) = capture.upgrade() else {
            return;
        };
        if came != Ok(0) {
            capture.state().drain();
        }
    }
}

/// How many packets the kernel could not keep since it was asked last.
fn lost(socket: &Socket) -> u64 {
    let mut told = libc::tpacket_stats {
        tp_packets: 0,
        tp_drops: 0,
    };
    let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: the socket is open, and `told` has room for `length` bytes.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut told).cast(),
            &raw mut length,
        )
    };
    if done == 0 { told.tp_drops.into() } else { 0 }
}

/// An end of a connection.
type End = (Ipv4Addr, u16);
