//! Losing one side of a pair.

use std::time::{Duration, Instant};

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side};
use migratrix_matrix::{ColoMoment, Loss};
use migratrix_qmp::QemuError;
use serde_json::json;

use crate::{QemuDriver, error::StepError};

/// How much of a checkpoint has gone when a side is lost in the middle of it, in bytes. A checkpoint
/// of the guest has its whole range, a MiB, and more.
const MIDDLE: u64 = 200_000;

/// How long a monitor is given for an answer.
const ANSWER: Duration = Duration::from_millis(500);

impl QemuDriver {
    /// Loses a side in the moment and the way that the case names.
    pub(super) async fn lose_side(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let pair = self.colo_case()?;
        match pair.moment {
            ColoMoment::Idle => {}
            ColoMoment::Checkpoint => self.stop_in_the_middle(record).await?,
        }
        match pair.loss {
            // The survivor does it. What it is in the middle of does not go on meanwhile.
            Loss::Yank => return Ok(()),
            Loss::Cut => {
                self.relay()?.shut();
                return Ok(());
            }
            Loss::Kill => self.kill(side).await?,
            Loss::Stop => self.stop_qemu(side)?,
        }
        self.relay()?.open();
        Ok(())
    }

    /// Has a checkpoint begin, and its bytes stop in the middle.
    async fn stop_in_the_middle(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let stopped = self.relay()?.shut_after(MIDDLE);
        tokio::pin!(stopped);
        let asked = Self::ask_for_checkpoint(&mut self.source, record);
        // The primary may be in the middle before it has answered, and can't answer then.
        tokio::select! {
            () = &mut stopped => return Ok(()),
            asked = asked => asked?,
        }
        stopped.await;
        Ok(())
    }

    /// Records whether a side's monitor answers, and how soon.
    pub(super) async fn ask_monitor(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let asked = Instant::now();
        let qmp = self.party(side).qemu()?.qmp();
        let answered = match qmp.execute("query-status", json!({}), ANSWER).await {
            Ok(_) => true,
            Err(QemuError::TimedOut { .. }) => false,
            Err(error) => return Err(self.party(side).qemu()?.explain(error).await.into()),
        };
        let within_us = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        record.saw(Observation::Monitor {
            side,
            answered,
            within_us,
        });
        Ok(())
    }

    /// Yanks the migration's connection, out of band. An older release has no `yank`, and
    /// `x-colo-lost-heartbeat` shuts the connection by itself.
    pub(super) async fn yank(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let loss = self.colo_case()?.loss;
        let party = self.party(side);
        if party.host.abilities.has_command("yank") {
            let instances = json!({ "instances": [{ "type": "migration" }] });
            party.command_out_of_band("yank", instances, record).await?;
        }
        if loss == Loss::Yank {
            self.relay()?.open();
        }
        Ok(())
    }

    /// Kills the lost side, unless it has ended.
    pub(super) async fn fence(&mut self, side: Side) -> Result<(), StepError> {
        if self.party(side).lives() {
            self.kill(side).await?;
        }
        Ok(())
    }
}
