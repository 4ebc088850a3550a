//! The guest's beat: its lap counter, read while it runs.

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use migratrix_client::wire::{Op, Said};
use migratrix_contract::{GuestMemory, Subject};
use migratrix_guest::Parameters;
use migratrix_history::{Observation, Side, When};
use tokio::sync::Notify;

use crate::{Client, Error, ticks::Ticks};

/// How often a lap or the guest's console is read while a lap is waited for, or the guest is followed. Where the
/// guest's memory is not ours a read goes through the client, the daemon and QEMU's monitor, and takes each some
/// processor time.
const EVERY: Duration = Duration::from_millis(20);

/// How often a guest is followed that must be still meanwhile: what counts is how long it was sampled.
const STILL_EVERY: Duration = Duration::from_millis(50);

/// How often one is followed that was paused before the call, so that there is time.
const PAUSED_EVERY: Duration = Duration::from_millis(100);

/// What the guest writes to its console at the end of each lap.
const LAP: u8 = b'B';

/// How many paces of the guest must pass without a lap before it is called still.
const STILL_PACES: u32 = 5;

/// The least time that must pass without a lap before a guest that should be still is called so.
const STILL_MIN: Duration = Duration::from_millis(50);

/// How long a guest that is said to run may go without a lap: a busy machine may keep its processor
/// from it for a while.
const RUNNING_PATIENCE: Duration = Duration::from_secs(5);

/// The heartbeat of one guest on one host.
pub struct Heartbeat {
    client: Arc<Client>,
    side: Side,
    domain: String,
    guest: Parameters,
    memory: Option<Arc<GuestMemory>>,
}

/// When the guest's laps begin to count for what it does while its memory is copied.
pub enum Cue<'a> {
    /// At once: it is paused, and stays so.
    Now,
    /// When the source has paused it, to copy its memory then.
    Suspended(&'a Notify),
    /// When memory is being copied.
    Copying,
}

/// Two readings of a lap counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laps {
    first: u32,
    last: u32,
    began: Instant,
    ended: Instant,
}

impl Heartbeat {
    /// Samples the heartbeat of `subject` on the host that `client` knows as `side`: in its `memory`, where
    /// that is ours to look into.
    pub fn new(
        client: Arc<Client>,
        side: Side,
        subject: &Subject,
        memory: Option<Arc<GuestMemory>>,
    ) -> Self {
        Self {
            client,
            side,
            domain: subject.domain.clone(),
            guest: subject.guest,
            memory,
        }
    }

    /// Waits until the guest has lapped twice. The caller sets the deadline.
    pub async fn until_lapped(&self) -> Result<(), Error> {
        let mut first = None;
        let mut tick = Ticks::in_step(EVERY);
        loop {
            tick.tick().await;
            let lap = self.read().await?;
            match (first, lap) {
                (Some(first), Some(lap)) if laps_between(first, lap) >= 2 => return Ok(()),
                (None, Some(_)) => first = lap,
                (Some(_), Some(_)) | (_, None) => {}
            }
        }
    }

    /// Waits until the guest has lapped so often. The caller sets the deadline.
    pub async fn laps(&self, count: u32) -> Result<Laps, Error> {
        let mut tick = Ticks::in_step(EVERY);
        tick.tick().await;
        let mut laps = Laps::at(self.read().await?);
        while laps_between(laps.first, laps.last) < count {
            tick.tick().await;
            laps.add(self.read().await?);
        }
        Ok(laps)
    }

    /// Reads the lap, then again until it has gone on, or for as long as no guest that beats takes:
    /// longer if it is `said_to_run`.
    pub async fn sample(&self, said_to_run: bool) -> Result<Laps, Error> {
        let least = if said_to_run {
            RUNNING_PATIENCE
        } else {
            STILL_MIN
        };
        let window = least.max(self.pace() * STILL_PACES);
        // Of a guest that should be still, two readings tell as much as many.
        let mut tick = if said_to_run {
            Ticks::in_step(EVERY)
        } else {
            Ticks::every(window)
        };
        tick.tick().await;
        let mut laps = Laps::at(self.read().await?);
        while !laps.beat() && laps.window() < window {
            tick.tick().await;
            laps.add(self.read().await?);
        }
        Ok(laps)
    }

    /// Waits for `cue`, then reads the lap over and over into `laps`, until it can't be read any more.
    pub async fn follow(&self, cue: Cue<'_>, laps: &mut Option<Laps>) {
        let every = match cue {
            Cue::Now => PAUSED_EVERY,
            Cue::Suspended(suspended) => {
                suspended.notified().await;
                STILL_EVERY
            }
            Cue::Copying => {
                if self.copying().await.is_err() {
                    return;
                }
                EVERY
            }
        };
        let mut tick = Ticks::in_step(every);
        loop {
            tick.tick().await;
            let lap = match &self.memory {
                Some(memory) => memory.lap().ok(),
                None => self.lap().await.ok(),
            };
            let Some(lap) = lap else { return };
            laps.get_or_insert_with(|| Laps::at(lap)).add(lap);
        }
    }

    /// Waits until the job under way has copied memory.
    ///
    /// The event of a pass does not tell: QEMU 11.1 sends the first one when the first pass is over.
    async fn copying(&self) -> Result<(), Error> {
        let mut tick = Ticks::in_step(EVERY);
        loop {
            tick.tick().await;
            match self.copied().await {
                Ok(0) | Err(Error::Refused(_)) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// How many bytes of memory the job under way has copied.
    async fn copied(&self) -> Result<u64, Error> {
        let op = Op::Progress {
            side: self.side,
            domain: self.domain.clone(),
        };
        let Said::Job(job) = self.client.ask(op).await? else {
            return Err(Error::Malformed("progress"));
        };
        Ok(job.memory_processed.unwrap_or(0))
    }

    /// The guest's lap, as it lies in memory.
    pub async fn read(&self) -> Result<Option<u32>, Error> {
        match self.memory.as_ref().map(|memory| memory.lap()) {
            Some(Ok(lap)) => Ok(lap),
            // The host says what has become of it.
            Some(Err(_)) | None => self.lap().await,
        }
    }

    /// The guest's lap by the host's word; `None` where it has laid out nothing yet.
    pub async fn lap(&self) -> Result<Option<u32>, Error> {
        let op = Op::Lap {
            side: self.side,
            domain: self.domain.clone(),
            guest: self.guest,
        };
        let Said::Lap(lap) = self.client.ask(op).await? else {
            return Err(Error::Malformed("lap"));
        };
        Ok(lap)
    }

    fn pace(&self) -> Duration {
        Duration::from_micros(self.guest.pace_us.into())
    }
}

impl Laps {
    /// A first reading; a guest that has laid out nothing has done no lap.
    fn at(lap: Option<u32>) -> Self {
        let now = Instant::now();
        Self {
            first: lap.unwrap_or(0),
            last: lap.unwrap_or(0),
            began: now,
            ended: now,
        }
    }

    fn add(&mut self, lap: Option<u32>) {
        self.last = lap.unwrap_or(0);
        self.ended = Instant::now();
    }

    fn beat(&self) -> bool {
        self.first != self.last
    }

    fn window(&self) -> Duration {
        self.ended.saturating_duration_since(self.began)
    }

    /// What is recorded of it.
    pub fn observation(&self, side: Side, when: When) -> Observation {
        Observation::Beat {
            side,
            when,
            first: self.first,
            last: self.last,
            window_us: u64::try_from(self.window().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// Waits until the guest has told its console, a file here, of two laps. The caller sets the deadline.
///
/// A file that is not there yet has none; one that is there stays open, and only what is new in it is read.
pub async fn until_told(console: &Path) {
    let (mut file, mut laps) = (None, 0);
    let mut tick = Ticks::in_step(EVERY);
    loop {
        file = file.or_else(|| File::open(console).ok());
        let mut said = Vec::new();
        if let Some(Ok(1..)) = file.as_mut().map(|file| file.read_to_end(&mut said)) {
            laps += said.into_iter().filter(|byte| *byte == LAP).count();
        }
        if laps >= 2 {
            return;
        }
        tick.tick().await;
    }
}

/// Laps wrap at 2³².
const fn laps_between(first: u32, last: u32) -> u32 {
    last.wrapping_sub(first)
}
