//! A relay between the two sides of a pair, which can stop in the middle of what it passes on or pass it on
//! slowly, and tells what went by.

use std::{
    io,
    net::{self, Ipv4Addr, SocketAddrV4},
    os::unix::net as unix,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use migratrix_guest::Parameters;
use migratrix_history::Wire;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    runtime,
    sync::{oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// A relay. It and all that goes through it end when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    valve: Valve,
    tape: Tape,
    /// The thread ends when this is dropped.
    _wanted: oneshot::Sender<()>,
}

/// What lets bytes through, in both directions, or does not.
#[derive(Clone, Debug)]
struct Valve {
    open: watch::Sender<bool>,
    /// How many bytes may go forward until it shuts by itself.
    left: Arc<AtomicU64>,
    /// How many bytes may come back freely, before they come slowly.
    free: Arc<AtomicU64>,
}

/// Keeps what went by, connection by connection.
#[derive(Clone, Debug)]
struct Tape {
    guest: Parameters,
    connections: Arc<Mutex<Vec<Heard>>>,
}

/// What went by on one connection.
#[derive(Clone, Debug, Default)]
struct Heard {
    sent: Vec<u8>,
    received: Vec<u8>,
    stamped: bool,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// How many bytes are read at a time.
const CHUNK: usize = 4096;

/// How many, and how often at most, where they come slowly. A request for a page has 16 bytes at least.
const PIECE: usize = 32;
const EACH: Duration = Duration::from_millis(50);

impl Relay {
    /// Listens at `front`, and passes all that comes on to `back`. Of what goes by it is told whether memory
    /// of this guest is in it.
    pub(crate) fn lay(
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
    pub(crate) fn lay_ports(back: u16, guest: Parameters) -> io::Result<(u16, Self)> {
        let front = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = front.local_addr()?.port();
        front.set_nonblocking(true)?;
        let relay = Self::begin(guest, async move |tape, valve| {
            let front = Front::Tcp(TcpListener::from_std(front)?);
            serve(front, Back::Tcp(back), tape, valve).await
        })?;
        Ok((port, relay))
    }

    /// The same between two connections that are there already.
    pub(crate) fn between(
        near: unix::UnixStream,
        far: unix::UnixStream,
        guest: Parameters,
    ) -> io::Result<Self> {
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        Self::begin(guest, async move |tape, valve| {
            let stream = |stream| UnixStream::from_std(stream).map(Halves::from);
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
        let valve = Valve {
            open: watch::Sender::new(true),
            left: Arc::new(AtomicU64::new(u64::MAX)),
            free: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let tape = Tape {
            guest,
            connections: Arc::default(),
        };
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
    pub(crate) fn heard(&self) -> Vec<Wire> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let connections = self.tape.connections();
        let told = connections.iter().map(|one| Wire {
            sent: hex(&one.sent),
            received: hex(&one.received),
            stamped: one.stamped,
        });
        told.collect()
    }

    /// Once so many bytes more came back, passes back only a little at a time: a page that the destination
    /// asks for is asked for of nobody, until its turn comes.
    pub(crate) fn slow_back_after(&self, bytes: u64) {
        self.valve.free.store(bytes, Ordering::SeqCst);
    }

    /// Passes nothing on any more, in neither direction.
    pub(crate) fn shut(&self) {
        self.valve.open.send_replace(false);
    }

    /// Passes all on, with what was held back.
    pub(crate) fn open(&self) {
        self.valve.left.store(u64::MAX, Ordering::SeqCst);
        self.valve.open.send_replace(true);
    }

    /// Shuts itself once so many bytes more went forward; the wait ends then.
    pub(crate) fn shut_after(&self, bytes: u64) -> impl Future<Output = ()> + use<> {
        self.valve.left.store(bytes, Ordering::SeqCst);
        let valve = self.valve.clone();
        async move { valve.wait(false).await }
    }
}

impl Tape {
    fn connections(&self) -> MutexGuard<'_, Vec<Heard>> {
        let connections = self.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with one more connection, and says which it is.
    fn begin(&self) -> usize {
        let mut connections = self.connections();
        connections.push(Heard::default());
        connections.len() - 1
    }

    fn hear(&self, connection: usize, way: Way, bytes: &[u8]) {
        let mut connections = self.connections();
        let Some(heard) = connections.get_mut(connection) else {
            return;
        };
        let kept = match way {
            Way::Forward => {
                heard.stamped = heard.stamped || self.guest.lies_in(bytes);
                &mut heard.sent
            }
            Way::Back => &mut heard.received,
        };
        let room = Wire::KEPT.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }
}

impl Valve {
    async fn wait(&self, open: bool) {
        let mut state = self.open.subscribe();
        // It holds a sender itself, so that there always is one.
        drop(state.wait_for(|now| *now == open).await);
    }

    /// Writes bytes, those that come back in pieces while they are to come slowly.
    async fn write(
        &self,
        to: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
        way: Way,
    ) -> io::Result<()> {
        let mut left = bytes;
        while way == Way::Back && !left.is_empty() && self.is_slow(left.len()) {
            let (piece, rest) = left.split_at(left.len().min(PIECE));
            sleep_until(Instant::now() + EACH).await;
            to.write_all(piece).await?;
            left = rest;
        }
        to.write_all(left).await
    }

    /// Whether so many bytes may not come back freely; they are counted where they may.
    fn is_slow(&self, bytes: usize) -> bool {
        let counted =
            self.free
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| match free {
                    u64::MAX => Some(free),
                    _ => free.checked_sub(bytes as u64),
                });
        counted.is_err()
    }

    /// Counts bytes that are about to go; shuts the valve with the last that may.
    fn count(&self, bytes: u64) {
        let left = &self.left;
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left != u64::MAX).then(|| left.saturating_sub(bytes))
        });
        if before.is_ok_and(|before| before > 0 && before <= bytes) {
            self.open.send_replace(false);
        }
    }
}

/// Where the source comes to.
enum Front {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Where the destination listens.
enum Back {
    Unix(PathBuf),
    Tcp(u16),
}

/// A connection, of which each direction is somebody else's.
struct Halves {
    from: Box<dyn AsyncRead + Send + Unpin>,
    to: Box<dyn AsyncWrite + Send + Unpin>,
}

impl From<UnixStream> for Halves {
    fn from(stream: UnixStream) -> Self {
        let (from, to) = stream.into_split();
        Self {
            from: Box::new(from),
            to: Box::new(to),
        }
    }
}

impl TryFrom<TcpStream> for Halves {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        // What comes is passed on at once, as it came.
        stream.set_nodelay(true)?;
        let (from, to) = stream.into_split();
        Ok(Self {
            from: Box::new(from),
            to: Box::new(to),
        })
    }
}

impl Front {
    async fn accept(&self) -> io::Result<Halves> {
        match self {
            Self::Unix(listener) => Ok(listener.accept().await?.0.into()),
            Self::Tcp(listener) => listener.accept().await?.0.try_into(),
        }
    }
}

impl Back {
    async fn connect(&self) -> io::Result<Halves> {
        match self {
            Self::Unix(path) => Ok(UnixStream::connect(path).await?.into()),
            Self::Tcp(port) => {
                let place = SocketAddrV4::new(Ipv4Addr::LOCALHOST, *port);
                TcpStream::connect(place).await?.try_into()
            }
        }
    }
}

async fn serve(front: Front, back: Back, tape: Tape, valve: Valve) -> io::Result<()> {
    let mut streams = JoinSet::new();
    loop {
        let near = front.accept().await?;
        let Ok(far) = back.connect().await else {
            continue;
        };
        couple(near, far, &tape, &valve, &mut streams);
    }
}

/// Passes on between two connections what comes from either.
fn couple(near: Halves, far: Halves, tape: &Tape, valve: &Valve, streams: &mut JoinSet<()>) {
    let connection = tape.begin();
    for (way, from, to) in [
        (Way::Forward, near.from, far.to),
        (Way::Back, far.from, near.to),
    ] {
        let tape = tape.clone();
        let hear = move |bytes: &[u8]| tape.hear(connection, way, bytes);
        streams.spawn(pass(from, to, way, hear, valve.clone()));
    }
}

/// Passes on what comes, until its end or until nobody takes it.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    hear: impl Fn(&[u8]),
    valve: Valve,
) {
    let mut chunk = [0; CHUNK];
    loop {
        valve.wait(true).await;
        let Ok(read @ 1..) = from.read(&mut chunk).await else {
            break;
        };
        hear(&chunk[..read]);
        if way == Way::Forward {
            valve.count(read as u64);
        }
        valve.wait(true).await;
        if valve.write(&mut to, &chunk[..read], way).await.is_err() {
            return;
        }
    }
    valve.wait(true).await;
    // The other end is gone as well then.
    drop(to.shutdown().await);
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    async fn laid() -> (tempfile::TempDir, Relay, UnixStream, UnixStream) {
        let folder = tempfile::tempdir().unwrap();
        let (front, back) = (folder.path().join("front"), folder.path().join("back"));
        let listener = UnixListener::bind(&back).unwrap();
        let relay = Relay::lay(&front, back, Parameters::SMALL).unwrap();
        let near = UnixStream::connect(front).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (folder, relay, near, far)
    }

    async fn comes(stream: &mut UnixStream) -> Option<u8> {
        timeout(SOON, stream.read_u8()).await.ok()?.ok()
    }

    #[tokio::test]
    async fn bytes_go_both_ways_until_it_is_shut_and_again_when_it_is_open() {
        let (_folder, relay, mut near, mut far) = laid().await;
        near.write_u8(1).await.unwrap();
        far.write_u8(2).await.unwrap();
        assert_eq!(
            (comes(&mut far).await, comes(&mut near).await),
            (Some(1), Some(2))
        );
        relay.shut();
        near.write_u8(3).await.unwrap();
        assert_eq!(comes(&mut far).await, None);
        relay.open();
        assert_eq!(comes(&mut far).await, Some(3));
    }

    #[tokio::test]
    async fn it_shuts_in_the_middle_of_what_goes_forward() {
        let (_folder, relay, mut near, mut far) = laid().await;
        let shut = relay.shut_after(2);
        far.write_all(&[9; 8]).await.unwrap();
        near.write_u8(1).await.unwrap();
        assert_eq!(comes(&mut far).await, Some(1));
        near.write_u8(2).await.unwrap();
        timeout(SOON, shut).await.unwrap();
        assert_eq!(comes(&mut far).await, None);
        relay.open();
        assert_eq!(comes(&mut far).await, Some(2));
    }

    #[tokio::test]
    async fn what_goes_by_is_told_connection_by_connection() {
        let (_folder, relay, mut near, mut far) = laid().await;
        near.write_all(b"QEVM").await.unwrap();
        far.write_all(&[0x16; 2 * Wire::KEPT]).await.unwrap();
        let mut bytes = [0; 2 * Wire::KEPT];
        far.read_exact(&mut bytes[..4]).await.unwrap();
        near.read_exact(&mut bytes).await.unwrap();
        let received = "16".repeat(Wire::KEPT);
        let heard = |stamped| Wire {
            sent: "5145564d".to_owned(),
            received: received.clone(),
            stamped,
        };
        assert_eq!(relay.heard(), [heard(false)]);
        let mark = Parameters::SMALL.start ^ u32::from_le_bytes(*b"a-b!");
        near.write_all(&mark.to_le_bytes().repeat(128))
            .await
            .unwrap();
        far.read_exact(&mut [0; 512]).await.unwrap();
        assert!(relay.heard()[0].stamped);
    }

    #[tokio::test]
    async fn ports_and_pairs_are_relayed_as_sockets_are() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let back = listener.local_addr().unwrap().port();
        let (front, relay) = Relay::lay_ports(back, Parameters::SMALL).unwrap();
        let mut near = TcpStream::connect(("127.0.0.1", front)).await.unwrap();
        near.write_u8(7).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), 7);
        assert_eq!(relay.heard().len(), 1);
        let (one, near) = unix::UnixStream::pair().unwrap();
        let (far, other) = unix::UnixStream::pair().unwrap();
        let relay = Relay::between(near, far, Parameters::SMALL).unwrap();
        let stream = |one: unix::UnixStream| {
            one.set_nonblocking(true).unwrap();
            UnixStream::from_std(one).unwrap()
        };
        let (mut one, mut other) = (stream(one), stream(other));
        one.write_u8(8).await.unwrap();
        assert_eq!(other.read_u8().await.unwrap(), 8);
        assert_eq!(relay.heard()[0].sent, "08");
    }

    #[tokio::test]
    async fn what_comes_back_can_be_slow_and_what_goes_forward_is_not() {
        let (_folder, relay, mut near, mut far) = laid().await;
        relay.slow_back_after(PIECE as u64);
        far.write_all(&[1; PIECE]).await.unwrap();
        near.read_exact(&mut [0; PIECE]).await.unwrap();
        let began = Instant::now();
        far.write_all(&[1; 5 * PIECE]).await.unwrap();
        near.write_all(&[2; CHUNK]).await.unwrap();
        far.read_exact(&mut [0; CHUNK]).await.unwrap();
        let forward = began.elapsed();
        near.read_exact(&mut [0; 5 * PIECE]).await.unwrap();
        assert!(began.elapsed() >= EACH * 5, "{:?}", began.elapsed());
        assert!(forward < EACH * 5, "{forward:?}");
    }

    #[tokio::test]
    async fn an_end_is_passed_on() {
        let (_folder, _relay, near, mut far) = laid().await;
        drop(near);
        let end = timeout(Duration::from_secs(5), far.read(&mut [0; 1])).await;
        assert_eq!(end.unwrap().unwrap(), 0);
    }
}
