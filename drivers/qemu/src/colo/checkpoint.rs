//! Checkpoints: waiting for them, and holding both guests still at one.
//!
//! A guest is held by a byte of its code ([`migratrix_guest::Hold`]): it then halts at the end of a
//! lap, and is deaf to the tick. The byte is written to the primary alone; the secondary gets it,
//! like all else, by a checkpoint, and halts because its processor is halted. So both are held with
//! the same memory, and nobody else has touched the secondary. (A loop in place of the halt would
//! not do: under TCG the secondary of 11.1 goes on with its translation of code that a checkpoint
//! has changed.)

use std::time::Instant;

use migratrix_contract::Recorder;
use migratrix_guest::{Hold, PAGE};
use migratrix_history::{Observation, Side, When};
use migratrix_matrix::Accelerator;
use migratrix_qmp::QemuError;
use serde_json::json;

use crate::{QemuDriver, error::StepError, party::Party};

/// A delay after which no checkpoint comes by itself, in milliseconds: an hour.
const NEVER: u64 = 3_600_000;

/// The event by which a side says that a checkpoint is over.
const RESUMED: &str = "RESUME";

/// Where the BIOS keeps what it writes: under KVM a few of its bytes differ between two sides, and
/// none of them is the guest's.
const BIOS: std::ops::Range<u64> = 0xc_0000..0x10_0000;

const BOTH: [Side; 2] = [Side::Source, Side::Destination];

impl Party {
    /// How many events of this name have come.
    pub(super) fn count_events(&mut self, name: &str) -> Result<usize, StepError> {
        let events = self.qemu()?.qmp().all_events().drain();
        Ok(events.iter().filter(|event| event.name == name).count())
    }

    /// Whether the guest's processor is halted and deaf to interrupts.
    async fn is_held(&mut self) -> Result<bool, StepError> {
        let line = json!({ "command-line": "info registers" });
        let response = self.ask("human-monitor-command", line).await?;
        Ok(is_deaf(response.as_str().unwrap_or_default()))
    }
}

/// The flag that lets interrupts come.
const INTERRUPTS: u32 = 0x200;

/// Whether what `info registers` says is of a processor that is halted with interrupts off.
fn is_deaf(registers: &str) -> bool {
    let after = |name: &str| Some(registers.split_once(name)?.1);
    let flags = after("EFL=").and_then(|rest| u32::from_str_radix(rest.get(..8)?, 16).ok());
    let halted = after("HLT=").is_some_and(|rest| rest.starts_with('1'));
    halted && flags.is_some_and(|flags| flags & INTERRUPTS == 0)
}

impl QemuDriver {
    /// Waits until both sides have been through a further checkpoint, and records the heartbeat of both
    /// guests.
    pub(super) async fn await_checkpoint(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let before = self.checkpoints()?;
        self.beyond(before, record).await?;
        for side in BOTH {
            self.sample_between_checkpoints(side, record).await?;
        }
        Ok(())
    }

    /// How many times each side has gone on after a checkpoint.
    fn checkpoints(&mut self) -> Result<[usize; 2], StepError> {
        Ok([
            self.source.count_events(RESUMED)?,
            self.destination.count_events(RESUMED)?,
        ])
    }

    async fn beyond(&mut self, before: [usize; 2], record: &mut Recorder) -> Result<(), StepError> {
        loop {
            self.note_events(record);
            let now = self.checkpoints()?;
            if now[0] > before[0] && now[1] > before[1] {
                return Ok(());
            }
            for side in BOTH {
                self.still_there(side).await?;
            }
            self.pause().await;
        }
    }

    /// Fails with a side's end, if it has ended.
    async fn still_there(&mut self, side: Side) -> Result<(), StepError> {
        let party = self.party(side);
        if !party.lives() {
            party.run_state().await?;
        }
        Ok(())
    }

    /// Records two readings of the lap between which there was no checkpoint: the guest's own heartbeat,
    /// and not what a checkpoint brought.
    async fn sample_between_checkpoints(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let mut before = self.party(side).count_events(RESUMED)?;
        let (mut began, mut first) = (Instant::now(), self.lap(side).await?);
        loop {
            self.pause().await;
            let last = self.lap(side).await?;
            let read = Instant::now();
            let runs = self.party(side).run_state().await?.running;
            let now = self.party(side).count_events(RESUMED)?;
            if now != before || !runs {
                before = now;
                (began, first) = (Instant::now(), self.lap(side).await?);
            } else if last != first {
                let window = read.duration_since(began).as_micros();
                let observed = Observation::Beat {
                    side,
                    when: When::During,
                    first,
                    last,
                    window_us: u64::try_from(window).unwrap_or(u64::MAX),
                };
                record.saw_at(read, observed);
                return Ok(());
            }
        }
    }

    /// Asks for a checkpoint now, and for no other one after it: a new delay takes effect at once.
    pub(super) async fn ask_for_checkpoint(
        source: &mut Party,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let delay = json!({ "x-checkpoint-delay": NEVER });
        source
            .command("migrate-set-parameters", delay, record)
            .await?;
        Ok(())
    }

    async fn have_checkpoint(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let before = self.checkpoints()?;
        Self::ask_for_checkpoint(&mut self.source, record).await?;
        self.beyond(before, record).await
    }

    fn holding(&self) -> Result<Hold, StepError> {
        let hold = self.subject.guest.hold()?;
        hold.ok_or(StepError::NotApplicable("the guest never waits"))
    }

    /// Holds both guests still at the same lap.
    pub(super) async fn hold(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let hold = self.holding()?;
        self.have_checkpoint(record).await?;
        self.source
            .write_memory(hold.address.into(), &[hold.holding])
            .await?;
        while !self.source.is_held().await? {
            self.pause().await;
        }
        loop {
            self.have_checkpoint(record).await?;
            if self.destination.is_held().await? {
                return Ok(());
            }
        }
    }

    /// Records which pages of the memory of both sides differ.
    pub(super) async fn mirror(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let lap = self.lap(Side::Source).await?;
        let [one, other] = [
            self.dump(Side::Source).await?,
            self.dump(Side::Destination).await?,
        ];
        let beyond = match self.subject.raw.accelerator {
            Accelerator::Tcg | Accelerator::TcgUnflushed => 0..0,
            Accelerator::Kvm | Accelerator::KvmDirtyRing => BIOS,
        };
        let size = PAGE as usize;
        let pages = one.chunks(size).zip(other.chunks(size));
        let addresses = (0_u64..).step_by(size);
        let compared: Vec<_> = addresses
            .zip(pages)
            .filter(|(address, _)| !beyond.contains(address))
            .collect();
        let differing = compared.iter().filter(|(_, (one, other))| one != other);
        record.saw(Observation::Mirror {
            lap,
            pages: compared.len() as u64,
            differing: differing.map(|(address, _)| *address).collect(),
        });
        Ok(())
    }

    /// All of a side's memory.
    async fn dump(&mut self, side: Side) -> Result<Vec<u8>, StepError> {
        let path = self.scratch.path("dump");
        let size = u64::from(self.subject.memory_mib) << 20;
        let file = json!({ "val": 0, "size": size, "filename": path });
        self.party(side).ask("pmemsave", file).await?;
        let bytes = std::fs::read(&path).map_err(QemuError::file("read", &path))?;
        std::fs::remove_file(&path).map_err(QemuError::file("remove", &path))?;
        Ok(bytes)
    }

    /// Lets both guests go on, and waits until they do.
    pub(super) async fn release(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let hold = self.holding()?;
        self.source
            .write_memory(hold.address.into(), &[hold.own])
            .await?;
        self.source.command("inject-nmi", json!({}), record).await?;
        self.have_checkpoint(record).await?;
        for side in BOTH {
            self.await_heartbeat(side).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(flags: &str, halted: char) -> String {
        format!("EAX=00000042\nEIP=00007ca8 EFL={flags} [---Z-P-] CPL=0 II=0 SMM=0 HLT={halted}\n")
    }

    #[test]
    fn only_a_halted_processor_that_no_tick_wakes_is_held() {
        assert!(is_deaf(&registers("00000046", '1')));
        assert!(!is_deaf(&registers("00000246", '1')));
        assert!(!is_deaf(&registers("00000046", '0')));
        assert!(!is_deaf(""));
    }
}
