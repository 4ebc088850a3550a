//! Two guests in lock-step: what the pair is asked for, and how one of them is lost.

mod checkpoint;
mod leave;
mod loss;
mod remigrate;

use migratrix_contract::{ColoStep, Recorder, Subject};
use migratrix_history::Side;
use migratrix_matrix::{Colo, ColoDisk, Point};
use serde_json::{Value, json};

use crate::{QemuDriver, error::StepError, migration::configure, scratch::Scratch, words::words};

/// A bandwidth and a downtime that are no bounds, in bytes/s and ms: nothing is held up here.
const BANDWIDTH: u64 = 100_000_000_000;
const DOWNTIME: u64 = 30_000;

const DISK: &str = "colo-disk";

/// The size of the disk, in bytes.
const DISK_BYTES: usize = 1 << 20;

/// The pair of a subject, if it is one.
const fn pair(subject: &Subject) -> Option<Colo> {
    if let Point::Colo(colo) = subject.point {
        Some(colo)
    } else {
        None
    }
}

/// The arguments that a side of a pair has beyond those of its machine.
pub(crate) fn arguments(subject: &Subject, scratch: &Scratch) -> Result<Vec<String>, StepError> {
    match pair(subject).unwrap_or_default().disk {
        ColoDisk::None => Ok(Vec::new()),
        ColoDisk::Snapshot => {
            scratch.write(DISK, &vec![0; DISK_BYTES])?;
            let file = scratch.text(DISK);
            let mut all = words("-device virtio-blk-pci,drive=disk,id=disk,addr=0x11 -drive");
            all.push(format!(
                "file={file},format=raw,if=none,id=disk,snapshot=on"
            ));
            Ok(all)
        }
    }
}

impl QemuDriver {
    pub(crate) async fn colo(
        &mut self,
        step: ColoStep,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        match step {
            ColoStep::Configure(side) => self.configure_colo(side, record).await,
            ColoStep::Relay => self.lay_relay().map(drop),
            ColoStep::AwaitCheckpoint => self.await_checkpoint(record).await,
            ColoStep::Hold => self.hold(record).await,
            ColoStep::Mirror => self.mirror(record).await,
            ColoStep::Release => self.release(record).await,
            ColoStep::Lose(side) => self.lose_side(side, record).await,
            ColoStep::AskMonitor(side) => self.ask_monitor(side, record).await,
            ColoStep::Yank(side) => self.yank(side, record).await,
            ColoStep::Fence(side) => self.fence(side).await,
            ColoStep::LostHeartbeat(side) => self.lost_heartbeat(side, record).await,
            ColoStep::AwaitExit(side) => self.await_exit(side, record).await,
            ColoStep::Refill(side) => self.refill(side, record).await,
            ColoStep::LeaveColo(side) => self.leave_colo(side, record).await,
            ColoStep::Onward(side) => self.remigrate(side, record).await,
        }
    }

    fn colo_case(&self) -> Result<Colo, StepError> {
        pair(&self.subject).ok_or(StepError::NotApplicable("it is no pair of COLO's"))
    }

    /// Sets the pair's capabilities and parameters on a side, and records what it says is set.
    async fn configure_colo(&mut self, side: Side, record: &mut Recorder) -> Result<(), StepError> {
        let pair = self.colo_case()?;
        let party = self.party(side);
        let capabilities = pair.capabilities(party.host.abilities.version);
        let capabilities = switched(&capabilities, true);
        let command = "migrate-set-capabilities";
        party.command(command, capabilities, record).await?;
        let parameters = json!({
            "x-checkpoint-delay": pair.delay.ms(),
            "max-bandwidth": BANDWIDTH,
            "downtime-limit": DOWNTIME,
        });
        let command = "migrate-set-parameters";
        party.command(command, parameters, record).await?;
        configure::settings(party, record).await
    }
}

/// The argument by which capabilities are turned on or off.
fn switched(capabilities: &[&str], state: bool) -> Value {
    let all = capabilities.iter();
    let all: Vec<_> = all
        .map(|name| json!({ "capability": name, "state": state }))
        .collect();
    json!({ "capabilities": all })
}
