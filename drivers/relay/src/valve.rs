//! What lets bytes through, or does not.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::Way;

/// How many bytes go back, and how often at most, where they come slowly. A request for a page has 16 bytes
/// at least.
pub(crate) const PIECE: usize = 32;
pub(crate) const EACH: Duration = Duration::from_millis(50);

/// Lets bytes through, or does not, in each direction.
#[derive(Clone, Debug)]
pub(crate) struct Valve {
    forward: watch::Sender<State>,
    back: watch::Sender<State>,
    /// How often all connections were broken off.
    cuts: watch::Sender<u32>,
    /// What those have that were made since then, and that ends with the last of them.
    alive: Arc<Mutex<Alive>>,
    /// What is waited for that has not gone forward yet, and what comes of it then.
    cue: Arc<Mutex<Option<Cue>>>,
    counts: Arc<Counts>,
}

/// Whether bytes go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// They do.
    Open,
    /// They are taken in, and kept.
    Kept,
    /// They are not taken in.
    Shut,
}

/// Bytes that are waited for.
#[derive(Debug)]
struct Cue {
    wanted: Vec<u8>,
    then: AtCue,
}

/// What comes of bytes that were waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtCue {
    /// Nothing: it is asked whether they went by.
    Nothing,
    /// The way back is shut.
    ShutsBack,
}

/// What ends when nobody has it any more.
#[derive(Debug)]
struct Alive {
    held: mpsc::Sender<()>,
    all: mpsc::Receiver<()>,
}

impl Default for Alive {
    fn default() -> Self {
        let (held, all) = mpsc::channel(1);
        Self { held, all }
    }
}

#[derive(Debug)]
struct Counts {
    /// How many bytes went forward.
    passed: AtomicU64,
    /// How many bytes may go forward until it shuts by itself.
    left: AtomicU64,
    /// How many bytes may come back freely, before they come slowly.
    free: AtomicU64,
    /// How many bytes may go forward in a second.
    pace: AtomicU64,
}

impl Default for Valve {
    fn default() -> Self {
        Self {
            forward: watch::Sender::new(State::Open),
            back: watch::Sender::new(State::Open),
            cuts: watch::Sender::new(0),
            alive: Arc::default(),
            cue: Arc::default(),
            counts: Arc::new(Counts {
                passed: AtomicU64::new(0),
                left: AtomicU64::new(u64::MAX),
                free: AtomicU64::new(u64::MAX),
                pace: AtomicU64::new(u64::MAX),
            }),
        }
    }
}

impl Valve {
    pub(crate) fn passed(&self) -> u64 {
        self.counts.passed.load(Ordering::SeqCst)
    }

    pub(crate) fn slow_back_after(&self, bytes: u64) {
        self.counts.free.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn pace(&self, bytes: u64) {
        self.counts.pace.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn set(&self, way: Way, state: State) {
        self.of(way).send_replace(state);
    }

    pub(crate) fn open(&self) {
        self.counts.left.store(u64::MAX, Ordering::SeqCst);
        self.counts.pace.store(u64::MAX, Ordering::SeqCst);
        self.set(Way::Forward, State::Open);
        self.set(Way::Back, State::Open);
    }

    pub(crate) fn shut_after(&self, bytes: u64) -> impl Future<Output = ()> + use<> {
        self.counts.left.store(bytes, Ordering::SeqCst);
        let valve = self.clone();
        async move { valve.wait(Way::Forward, State::Shut).await }
    }

    pub(crate) fn wait_for(&self, bytes: &[u8], then: AtCue) {
        let wanted = bytes.to_vec();
        *self.cue() = Some(Cue { wanted, then });
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.cue().is_some()
    }

    /// Looks for what is waited for in bytes that are about to go forward, right after these.
    pub(crate) fn watch_for_cue(&self, before: &mut Vec<u8>, bytes: &[u8]) {
        let mut cue = self.cue();
        let Some(Cue { wanted, then }) = cue.as_ref() else {
            return;
        };
        let kept = wanted.len().saturating_sub(1);
        before.extend(bytes);
        let is_there = before
            .windows(wanted.len())
            .any(|some| some == wanted.as_slice());
        before.drain(..before.len().saturating_sub(kept));
        if is_there {
            if *then == AtCue::ShutsBack {
                self.set(Way::Back, State::Shut);
            }
            *cue = None;
        }
    }

    fn cue(&self) -> MutexGuard<'_, Option<Cue>> {
        self.cue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks off all connections that there are; the wait ends when they are closed.
    pub(crate) fn cut(&self) -> impl Future<Output = ()> + use<> {
        let Alive { held, mut all } = std::mem::take(&mut *self.alive());
        self.cuts.send_modify(|cuts| *cuts += 1);
        drop(held);
        async move { while all.recv().await.is_some() {} }
    }

    /// What a connection has for as long as it is there.
    pub(crate) fn hold(&self) -> mpsc::Sender<()> {
        self.alive().held.clone()
    }

    fn alive(&self) -> MutexGuard<'_, Alive> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells that the connections which there are now were broken off.
    pub(crate) fn cuts(&self) -> watch::Receiver<u32> {
        self.cuts.subscribe()
    }

    pub(crate) async fn wait(&self, way: Way, state: State) {
        let mut now = self.of(way).subscribe();
        // It holds a sender itself, so that there always is one.
        drop(now.wait_for(|now| *now == state).await);
    }

    pub(crate) fn is(&self, way: Way, state: State) -> bool {
        *self.of(way).borrow() == state
    }

    /// Waits until bytes are taken in.
    pub(crate) async fn until_taken(&self, way: Way) {
        let mut now = self.of(way).subscribe();
        drop(now.wait_for(|now| *now != State::Shut).await);
    }

    /// Writes bytes, those that come back in pieces while they are to come slowly.
    pub(crate) async fn write(
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
        to.write_all(left).await?;
        if way == Way::Forward {
            self.rest_after(bytes.len() as u64).await;
        }
        Ok(())
    }

    /// Waits for as long as so many bytes take at the pace.
    async fn rest_after(&self, bytes: u64) {
        let pace = self.counts.pace.load(Ordering::SeqCst);
        let micros = bytes.saturating_mul(1_000_000) / pace.max(1);
        if micros > 0 {
            sleep_until(Instant::now() + Duration::from_micros(micros)).await;
        }
    }

    /// Whether so many bytes may not come back freely; they are counted where they may.
    fn is_slow(&self, bytes: usize) -> bool {
        let free = &self.counts.free;
        let counted = free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| match free {
            u64::MAX => Some(free),
            _ => free.checked_sub(bytes as u64),
        });
        counted.is_err()
    }

    /// Counts bytes that are about to go forward; shuts both ways with the last that may.
    pub(crate) fn count(&self, bytes: u64) {
        self.counts.passed.fetch_add(bytes, Ordering::SeqCst);
        let left = &self.counts.left;
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left != u64::MAX).then(|| left.saturating_sub(bytes))
        });
        if before.is_ok_and(|before| before > 0 && before <= bytes) {
            self.set(Way::Back, State::Shut);
            self.set(Way::Forward, State::Shut);
        }
    }

    const fn of(&self, way: Way) -> &watch::Sender<State> {
        match way {
            Way::Forward => &self.forward,
            Way::Back => &self.back,
        }
    }
}
