//! The survivor leaves COLO.

use std::time::{Duration, Instant};

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side};
use serde::Deserialize;
use serde_json::json;

use crate::{QemuDriver, error::StepError, party::Party};

/// How long a survivor may take to leave COLO, and to run.
const EXIT: Duration = Duration::from_secs(5);

/// What `query-colo-status` says.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ColoStatus {
    mode: String,
    last_mode: String,
    reason: String,
}

impl Party {
    /// What it says of COLO, and whether it has left it and its guest runs.
    async fn colo_status(&mut self) -> Result<(ColoStatus, bool), StepError> {
        let status: ColoStatus = self.query("query-colo-status").await?;
        let runs = self.run_state().await?.running;
        let has_left = status.mode == "none" && self.count_events("COLO_EXIT")? > 0;
        Ok((status, runs && has_left))
    }
}

impl QemuDriver {
    /// Tells the survivor that the other is lost.
    pub(super) async fn lost_heartbeat(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let command = "x-colo-lost-heartbeat";
        self.party(side).command(command, json!({}), record).await?;
        Ok(())
    }

    /// Waits until the survivor has left COLO and runs, for as long as that may take; records what
    /// it says.
    pub(super) async fn await_exit(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let began = Instant::now();
        loop {
            self.note_events(record);
            let (status, has_left) = self.party(side).colo_status().await?;
            if has_left || began.elapsed() >= EXIT {
                self.note_events(record);
                record.saw(Observation::Colo {
                    side,
                    mode: status.mode,
                    last_mode: status.last_mode,
                    reason: status.reason,
                });
                return Ok(());
            }
            self.pause().await;
        }
    }
}
