//! A relay between the two sides of a pair, which can stop in the middle of what it passes on.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// A relay. It and all that goes through it end when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    valve: Valve,
    task: JoinHandle<()>,
}

/// What lets bytes through, in both directions, or does not.
#[derive(Clone, Debug)]
struct Valve {
    open: watch::Sender<bool>,
    /// How many bytes may go forward until it shuts by itself.
    left: Arc<AtomicU64>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// How many bytes are read at a time.
const CHUNK: usize = 4096;

impl Relay {
    /// Listens at `front`, and passes all that comes on to `back`.
    pub(crate) fn lay(
        front: impl AsRef<Path>,
        back: impl Into<PathBuf>,
    ) -> Result<Self, io::Error> {
        let listener = UnixListener::bind(front)?;
        let valve = Valve {
            open: watch::Sender::new(true),
            left: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let task = tokio::spawn(serve(listener, back.into(), valve.clone()));
        Ok(Self { valve, task })
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

async fn serve(listener: UnixListener, back: PathBuf, valve: Valve) {
    let mut streams = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = UnixStream::connect(&back).await else {
            continue;
        };
        let (near, far) = (near.into_split(), far.into_split());
        streams.spawn(pass(near.0, far.1, Way::Forward, valve.clone()));
        streams.spawn(pass(far.0, near.1, Way::Back, valve.clone()));
    }
}

/// Passes on what comes, until its end or until nobody takes it.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, valve: Valve) {
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
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
    valve.wait(true).await;
    // The other end is gone as well then.
    drop(to.shutdown().await);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    async fn laid() -> (tempfile::TempDir, Relay, UnixStream, UnixStream) {
        let folder = tempfile::tempdir().unwrap();
        let (front, back) = (folder.path().join("front"), folder.path().join("back"));
        let listener = UnixListener::bind(&back).unwrap();
        let relay = Relay::lay(&front, back).unwrap();
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
}
