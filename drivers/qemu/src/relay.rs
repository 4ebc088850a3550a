//! A relay between the two sides of a pair, which can stop in the middle of what it passes on, or pass it
//! on slowly.

use std::{
    io, net,
    os::unix::net as unix,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

/// Where a relay listens, or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Unix(PathBuf),
    /// A port of the loopback interface.
    Tcp(u16),
}

/// A relay. It and all that goes through it end when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    front: Place,
    valve: Valve,
    task: JoinHandle<()>,
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
    /// Listens at `front`, and passes all that comes on to `back`.
    pub(crate) fn lay(front: &Place, back: Place) -> Result<Self, io::Error> {
        let (listener, front) = Listener::bind(front)?;
        let valve = Valve {
            open: watch::Sender::new(true),
            left: Arc::new(AtomicU64::new(u64::MAX)),
            free: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let task = tokio::spawn(serve(listener, back, valve.clone()));
        Ok(Self { front, valve, task })
    }

    /// Where it listens: at the port that it was given, where it was to have any.
    pub(crate) const fn front(&self) -> &Place {
        &self.front
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

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Valve {
    async fn wait(&self, open: bool) {
        let mut state = self.open.subscribe();
        // It holds a sender itself, so that there always is one.
        drop(state.wait_for(|now| *now == open).await);
    }

    /// Writes bytes, those that come back in pieces while they are to come slowly.
    async fn write(&self, to: &mut To, bytes: &[u8], way: Way) -> io::Result<()> {
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
        let free = &self.free;
        let counted = free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| match free {
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

/// A connection of any kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a relay listens.
enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    fn bind(at: &Place) -> io::Result<(Self, Place)> {
        match at {
            Place::Unix(path) => {
                let listener = unix::UnixListener::bind(path)?;
                listener.set_nonblocking(true)?;
                Ok((Self::Unix(UnixListener::from_std(listener)?), at.clone()))
            }
            Place::Tcp(port) => {
                let listener = net::TcpListener::bind((net::Ipv4Addr::LOCALHOST, *port))?;
                listener.set_nonblocking(true)?;
                let front = Place::Tcp(listener.local_addr()?.port());
                Ok((Self::Tcp(TcpListener::from_std(listener)?), front))
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

async fn connect(to: &Place) -> io::Result<Box<dyn Stream>> {
    Ok(match to {
        Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Place::Tcp(port) => Box::new(TcpStream::connect((net::Ipv4Addr::LOCALHOST, *port)).await?),
    })
}

async fn serve(listener: Listener, back: Place, valve: Valve) {
    let mut streams = JoinSet::new();
    while let Ok(near) = listener.accept().await {
        let Ok(far) = connect(&back).await else {
            continue;
        };
        let (near, far) = (split(near), split(far));
        streams.spawn(pass(near.0, far.1, Way::Forward, valve.clone()));
        streams.spawn(pass(far.0, near.1, Way::Back, valve.clone()));
    }
}

type From = ReadHalf<Box<dyn Stream>>;
type To = WriteHalf<Box<dyn Stream>>;

/// Passes on what comes, until its end or until nobody takes it.
async fn pass(mut from: From, mut to: To, way: Way, valve: Valve) {
    let mut chunk = [0; CHUNK];
    loop {
        valve.wait(true).await;
        let Ok(read @ 1..) = from.read(&mut chunk).await else {
            break;
        };
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
        let relay = Relay::lay(&Place::Unix(front.clone()), Place::Unix(back)).unwrap();
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
    async fn an_end_is_passed_on() {
        let (_folder, _relay, near, mut far) = laid().await;
        drop(near);
        let end = timeout(Duration::from_secs(5), far.read(&mut [0; 1])).await;
        assert_eq!(end.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn what_comes_back_can_be_slow_and_what_goes_forward_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let back = Place::Tcp(listener.local_addr().unwrap().port());
        let relay = Relay::lay(&Place::Tcp(0), back).unwrap();
        let Place::Tcp(port) = *relay.front() else {
            panic!("{:?}", relay.front());
        };
        let mut near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
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
}
