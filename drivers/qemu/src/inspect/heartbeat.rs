//! The guest's heartbeat: its lap, read through qtest while it runs.

use std::time::{Duration, Instant};

use migratrix_contract::Recorder;
use migratrix_guest::Parameters;
use migratrix_history::{Observation, Side, When};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    QemuDriver,
    error::{StepError, unless_gone},
    party::PATIENCE,
};

/// How often a lap is read: each time costs QEMU and us a turn, and a guest makes one in no less than this.
const EVERY: Duration = Duration::from_millis(10);

/// How many paces of the guest must pass without a lap before it is called stopped.
const STOPPED_PACES: u32 = 5;

/// The least time that must pass without a lap before a guest that should be stopped is called so.
const STOPPED: Duration = Duration::from_millis(30);

/// How long a guest that is said to run may go without a lap: a busy machine may keep its processor
/// from it for a while.
const RUNNING: Duration = Duration::from_secs(5);

impl QemuDriver {
    /// Waits until the guest has lapped twice.
    pub(crate) async fn await_heartbeat(&mut self, side: Side) -> Result<(), StepError> {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut first = None;
        loop {
            tick.tick().await;
            let lap = self.lap_or_none(side).await?;
            match (first, lap) {
                // Laps wrap at 2³².
                (Some(first), Some(lap)) if u32::wrapping_sub(lap, first) >= 2 => return Ok(()),
                (None, Some(_)) => first = lap,
                (Some(_), Some(_)) | (_, None) => {}
            }
        }
    }

    /// Records two readings of the guest's lap: until its heartbeat has advanced, or for as long as
    /// none takes that advances. A QEMU that is gone has no guest.
    pub(crate) async fn sample_heartbeat(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let laps = unless_gone(self.sample_laps(side).await)?;
        let (first, last, window) = laps.unwrap_or_default();
        record.saw(Observation::Beat {
            side,
            when,
            first,
            last,
            window_us: u64::try_from(window.as_micros()).unwrap_or(u64::MAX),
        });
        Ok(())
    }

    async fn sample_laps(&mut self, side: Side) -> Result<(u32, u32, Duration), StepError> {
        let runs = self.party(side).run_state().await?.running;
        let pace = Duration::from_micros(self.subject.guest.pace_us.into());
        let patience = if runs { RUNNING } else { STOPPED }.max(pace * STOPPED_PACES);
        let began = Instant::now();
        let first = self.lap(side).await?;
        let mut tick = interval(EVERY);
        tick.tick().await;
        loop {
            tick.tick().await;
            let last = self.lap(side).await?;
            if last != first || began.elapsed() >= patience {
                return Ok((first, last, began.elapsed()));
            }
        }
    }

    /// The guest's lap; 0 where it has laid out nothing yet.
    pub(crate) async fn lap(&mut self, side: Side) -> Result<u32, StepError> {
        Ok(self.lap_or_none(side).await?.unwrap_or(0))
    }

    async fn lap_or_none(&mut self, side: Side) -> Result<Option<u32>, StepError> {
        let guest = self.subject.guest;
        let (address, size) = (guest.lap_address().into(), Parameters::LAP_BYTES as u64);
        let bytes = self.party(side).read_memory(address, size).await?;
        Ok(guest.read_lap(&bytes))
    }
}

impl crate::party::Party {
    /// Reads the guest's memory.
    pub(crate) async fn read_memory(
        &mut self,
        address: u64,
        size: u64,
    ) -> Result<Vec<u8>, StepError> {
        let qtest = self.qtest()?;
        let read = qtest.read_memory(address, size, PATIENCE).await;
        self.explained(read).await
    }

    /// Writes the guest's memory.
    pub(crate) async fn write_memory(
        &mut self,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), StepError> {
        let qtest = self.qtest()?;
        let written = qtest.write_memory(address, bytes, PATIENCE).await;
        self.explained(written).await
    }
}
