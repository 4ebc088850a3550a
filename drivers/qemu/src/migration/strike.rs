//! What strikes a migration that is under way from outside.

use std::{
    io,
    time::{Duration, Instant},
};

use migratrix_contract::Recorder;
use migratrix_history::{Deed, Observation, Side};
use migratrix_matrix::Blow;
use migratrix_qmp::Deadline;
use nix::sys::signal::Signal;

use super::carriers::{handles, linger};
use crate::{QemuDriver, error::StepError};

/// For how long nothing may be sent until a source is taken to be held up: with bounds on its bandwidth it
/// rests, but for less than that (`BUFFER_DELAY` of 100 ms in migration/migration.c).
const STILL: Duration = Duration::from_millis(300);

/// How long the kernel may take to close what a killed QEMU had open.
const CLOSES: Duration = Duration::from_secs(10);

impl QemuDriver {
    /// Strikes, and records it. One that is held still goes on again once that has held the source up.
    pub(crate) async fn strike(
        &mut self,
        blow: Blow,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if blow == Blow::Lose {
            self.await_connections(record).await?;
        }
        let began = Instant::now();
        let (side, deed) = match blow {
            Blow::Lose => (None, self.cut().await?),
            Blow::Kill => (Some(Side::Destination), self.kill_destination().await?),
            Blow::Hold => (Some(Side::Destination), self.hold_destination()?),
        };
        record.saw(Observation::Struck {
            strike: blow.word().to_owned(),
            side,
            began_us: record.at_us(began),
            deed,
        });
        if blow == Blow::Hold {
            self.await_standstill(record).await?;
            self.signal(Side::Destination, Signal::SIGCONT)?;
        }
        Ok(())
    }

    /// Waits until the relay passes on as many connections as there are to be, or there will be no more.
    async fn await_connections(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let due = self.subject.raw.connections();
        loop {
            let relay = self.relay()?;
            let are_there = relay.heard().len() >= due && relay.passed() > 0;
            if are_there || self.source.trail.end().is_some() {
                return Ok(());
            }
            self.source.learn_state(record).await?;
            self.pause().await;
        }
    }

    /// Breaks off what the relay passes on.
    async fn cut(&self) -> Result<Deed, StepError> {
        let relay = self.relay()?;
        let deed = Deed::Cut {
            connections: u32::try_from(relay.heard().len()).unwrap_or(u32::MAX),
            passed: relay.passed(),
        };
        relay.cut().await;
        Ok(deed)
    }

    /// Kills the destination's QEMU, and waits until the source's connections to it are closed: what the source
    /// sends before is taken by nobody, and it may be all that was left.
    async fn kill_destination(&mut self) -> Result<Deed, StepError> {
        let (pid, source) = (self.destination.process()?, self.source.process()?);
        let open = handles(pid);
        self.kill(Side::Destination).await?;
        let closes = Deadline::after(CLOSES);
        while linger(&open, source) {
            if closes.is_past() {
                let late = StepError::system("see the sockets of a killed QEMU closed");
                return Err(late(io::Error::from(io::ErrorKind::TimedOut)));
            }
            self.pause().await;
        }
        if let Ok(relay) = self.relay() {
            // It stands between them, and is to do as the kernel does.
            relay.cut().await;
        }
        let process = "qemu".to_owned();
        Ok(Deed::Killed { process, pid })
    }

    fn hold_destination(&mut self) -> Result<Deed, StepError> {
        let pid = self.destination.process()?;
        self.signal(Side::Destination, Signal::SIGSTOP)?;
        let process = "qemu".to_owned();
        Ok(Deed::Stopped { process, pid })
    }

    /// Waits until the source has sent nothing for longer than it rests of its own.
    async fn await_standstill(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let mut last = (
            self.source.learn_state(record).await?.transferred(),
            Instant::now(),
        );
        while last.1.elapsed() < STILL {
            self.pause().await;
            let progress = self.source.learn_state(record).await?;
            if progress.transferred() != last.0 {
                last = (progress.transferred(), Instant::now());
            }
            if self.source.trail.end().is_some() {
                return Ok(());
            }
        }
        Ok(())
    }
}
