//! A relay between two sides, which can stop in the middle of what it passes on, pass it on slowly or break
//! it off, and tells what went by.

mod ends;
mod pass;
mod tape;
mod valve;

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    os::unix::net as unix,
    path::{Path, PathBuf},
    thread,
};

use migratrix_guest::Parameters;
use migratrix_history::Wire;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    runtime,
    sync::oneshot,
    task::JoinSet,
};

use ends::{Back, Front, Halves};
use pass::{couple, serve};
use tape::Tape;
use valve::{AtCue, Valve};

/// A relay. It and all that goes through it end when it is dropped.
#[derive(Debug)]
pub struct Relay {
    valve: Valve,
    tape: Tape,
    /// The thread ends when this is dropped.
    _wanted: oneshot::Sender<()>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From whoever has connected to the relay.
    Forward,
    /// To it.
    Back,
}

impl Relay {
    /// Listens at `front`, and passes all that comes on to `back`. Of what goes by it is told whether memory
    /// of this guest is in it.
    ///
    /// # Errors
    /// Returns an error where it can't listen there.
    pub fn lay(
        front: impl AsRef<Path>,
        back: impl Into<PathBuf>,
        guest: Parameters,
    ) -> io::Result<Self> {
        let (front, back) = (unix::UnixListener::bind(front)?, back.into());
        front.set_nonblocking(true)?;
        Self::begin(guest, async move |tape, valve| {
            let front = Front::Unix(UnixListener::from_std(front)?);
            serve(front, Back::Unix(back), tape, valve).await
        })
    }

    /// The same between a port of the loopback interface that is chosen now, and told, and another one.
    ///
    /// # Errors
    /// Returns an error where it can't listen.
    pub fn lay_ports(back: u16, guest: Parameters) -> io::Result<(u16, Self)> {
        let back = SocketAddrV4::new(Ipv4Addr::LOCALHOST, back);
        Self::lay_tcp(Ipv4Addr::LOCALHOST, back, guest)
    }

    /// The same between a port of this address that is chosen now, and told, and a place beyond; port 0
    /// there is the one that is chosen here. It takes in no more than it passes on: what was sent to it, and
    /// is held, is with whoever has sent it.
    ///
    /// # Errors
    /// Returns an error where it can't listen.
    pub fn lay_tcp(
        front: Ipv4Addr,
        back: SocketAddrV4,
        guest: Parameters,
    ) -> io::Result<(u16, Self)> {
        let (port, front) = ends::listener(front)?;
        let beyond = match back.port() {
            0 => SocketAddrV4::new(*back.ip(), port),
            _ => back,
        };
        let relay = Self::begin(guest, async move |tape, valve| {
            let front = Front::Tcp(TcpListener::from_std(front)?);
            serve(front, Back::Tcp(beyond), tape, valve).await
        })?;
        Ok((port, relay))
    }

    /// The same between two connections that are there already.
    ///
    /// # Errors
    /// Returns an error where they can't be relayed.
    pub fn between(
        near: unix::UnixStream,
        far: unix::UnixStream,
        guest: Parameters,
    ) -> io::Result<Self> {
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        Self::begin(guest, async move |tape, valve| {
            let stream = |stream| UnixStream::from_std(stream).and_then(Halves::try_from);
            let mut streams = JoinSet::new();
            couple(stream(near)?, stream(far)?, &tape, &valve, &mut streams);
            streams.join_all().await;
            Ok(())
        })
    }

    /// Begins to relay on a thread of its own: the two sides are not to wait for whatever else is done here.
    fn begin<T>(
        guest: Parameters,
        task: impl FnOnce(Tape, Valve) -> T + Send + 'static,
    ) -> io::Result<Self>
    where
        T: Future<Output = io::Result<()>>,
    {
        let (valve, tape) = (Valve::default(), Tape::of(guest));
        let (wanted, unwanted) = oneshot::channel::<()>();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (its_tape, its_valve) = (tape.clone(), valve.clone());
        thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = unwanted => {}
                        // What can't be passed on is seen to break off by both sides.
                        _ = task(its_tape, its_valve) => {}
                    }
                });
            })?;
        Ok(Self {
            valve,
            tape,
            _wanted: wanted,
        })
    }

    /// What went by until now, connection by connection.
    #[must_use]
    pub fn heard(&self) -> Vec<Wire> {
        self.tape.heard()
    }

    /// How many bytes went forward until now.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.valve.passed()
    }

    /// Once so many bytes more came back, passes back only a little at a time: a page that the destination
    /// asks for is asked for of nobody, until its turn comes.
    pub fn slow_back_after(&self, bytes: u64) {
        self.valve.slow_back_after(bytes);
    }

    /// Passes no more forward than so many bytes in a second, from now on.
    pub fn pace(&self, bytes: u64) {
        self.valve.pace(bytes);
    }

    /// Passes nothing on any more, in neither direction.
    pub fn shut(&self) {
        self.shut_way(Way::Forward);
        self.shut_way(Way::Back);
    }

    /// Passes nothing on in this direction any more.
    pub fn shut_way(&self, way: Way) {
        self.valve.set(way, valve::State::Shut);
    }

    /// Takes in all that goes forward, and keeps it: whoever sends it has nothing left to send, and nothing of it
    /// has come.
    pub fn keep(&self) {
        self.valve.set(Way::Forward, valve::State::Kept);
    }

    /// Passes nothing back any more once these bytes go forward, which are not empty.
    pub fn shut_back_at(&self, bytes: &[u8]) {
        self.valve.wait_for(bytes, AtCue::ShutsBack);
    }

    /// Waits for these bytes, which are not empty, to go forward: [`is_waiting`](Self::is_waiting) says whether they have.
    pub fn wait_for(&self, bytes: &[u8]) {
        self.valve.wait_for(bytes, AtCue::Nothing);
    }

    /// Whether what is waited for has not gone forward yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.valve.is_waiting()
    }

    /// Passes all on, with what was held back, as fast as it comes.
    pub fn open(&self) {
        self.valve.open();
    }

    /// Shuts itself once so many bytes more went forward; the wait ends then.
    pub fn shut_after(&self, bytes: u64) -> impl Future<Output = ()> + use<> {
        self.valve.shut_after(bytes)
    }

    /// Breaks off all connections that there are, for both sides: those of TCP are reset. What was held is
    /// lost, and those that are made later go through. The wait ends when they are closed.
    pub fn cut(&self) -> impl Future<Output = ()> + use<> {
        self.valve.cut()
    }
}

#[cfg(test)]
mod tests;
