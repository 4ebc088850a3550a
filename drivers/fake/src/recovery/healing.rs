//! What heals, in memory, and the migration that is then tried once more.

use migratrix_contract::{Recorder, Variant};
use migratrix_history::{HealingCall, Observation, Outcome, Refusal, Side};
use migratrix_matrix::{Activity, Remedy, Seen};

use super::{LIBVIRTS, RecoveryDefect, flight::error};
use crate::{
    driver::{Done, FakeDriver},
    host::Host,
    migration::tick,
    refusal,
};

/// What became of a call that heals.
fn call(call: &str, side: Side, done: Result<(), Refusal>) -> HealingCall {
    HealingCall {
        call: call.to_owned(),
        side,
        outcome: done.map_or_else(Outcome::Refused, |()| Outcome::Done),
    }
}

/// How a domain stands, as far as it tells what heals.
fn seen(host: &Host) -> Seen<'_> {
    let active = host.active.as_ref()?;
    Some((active.activity.word(), active.reason))
}

impl FakeDriver {
    /// Holds the guest still, reads its memory, and lets it go on as it was. Who waits for pages is not read.
    pub(super) fn examine(&mut self, side: Side, record: &mut Recorder) -> Done {
        let active = self.host(side).must_be_active()?;
        if active.reason.starts_with("postcopy") {
            return Err(refusal::invalid("memory is missing").into());
        }
        let (runs, reason) = (active.runs(), active.reason);
        let (survey, registers) = self.host(side).survey(record)?;
        record.saw(Observation::Memory {
            side,
            survey,
            registers,
        });
        tick(record);
        if runs {
            self.host(side).resume(record)?;
        } else {
            self.host(side).must_be_active()?.reason = reason;
        }
        Ok(())
    }

    /// Does what heals, by how the domain stands on both sides.
    pub(super) fn heal(&mut self, record: &mut Recorder) -> Done {
        let way = self.struck_point().way;
        let remedy = Remedy::of(seen(&self.source), seen(&self.destination), way, &LIBVIRTS);
        let calls = match remedy {
            Remedy::Nothing => Vec::new(),
            Remedy::Resume => vec![call("resume", Side::Source, self.source.resume(record))],
            Remedy::DestroySource => {
                vec![call("destroy", Side::Source, self.source.destroy(record))]
            }
            Remedy::DestroyDestination => {
                let paused = Remedy::is_paused_by_migration(seen(&self.source));
                let destroyed = self.destination.destroy(record);
                let mut calls = vec![call("destroy", Side::Destination, destroyed)];
                if paused {
                    calls.push(call("resume", Side::Source, self.source.resume(record)));
                }
                calls
            }
            Remedy::PostcopyResume => {
                let done = self.go_on(record);
                vec![call("migrate", Side::Source, done)]
            }
            Remedy::StartAnew => self.start_anew(record),
        };
        if let (true, Some(owner)) = (
            self.betrays(RecoveryDefect::StaleMemory),
            &mut self.source.active,
        ) {
            owner.guest.rewind();
        }
        record.saw(Observation::Healed {
            remedy: remedy.word().to_owned(),
            calls,
        });
        Ok(())
    }

    /// The postcopy that was lost ends well.
    fn go_on(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        self.source.destroy(record)?;
        self.source.stopped_by = "migrated";
        let arrived = self.destination.must_be_active()?;
        arrived.turn(Activity::Running, "migrated");
        Ok(())
    }

    fn start_anew(&mut self, record: &mut Recorder) -> Vec<HealingCall> {
        let mut calls = Vec::new();
        for side in [Side::Destination, Side::Source] {
            if self.host(side).active.is_some() {
                let done = self.host(side).destroy(record);
                calls.push(call("destroy", side, done));
            }
        }
        let (subject, persistence) = (self.subject.clone(), self.persistence());
        let started = self
            .source
            .start(&subject, persistence, Variant::Plain, record);
        calls.push(call("create", Side::Source, started));
        if !self.struck_point().runs() {
            calls.push(call("suspend", Side::Source, self.source.suspend(record)));
        }
        calls
    }

    /// A plain migration to the same host.
    pub(super) fn retry(&mut self, record: &mut Recorder) -> Done {
        let mut moved = self.source.must_be_active()?.clone();
        self.destination.must_be_free_for(&moved.uuid)?;
        if self.destination.active.is_some() {
            return Err(refusal::invalid("domain is already active on the destination").into());
        }
        if self.betrays(RecoveryDefect::RetryRefused) {
            return Err(refusal::unreasoned().into());
        }
        if let (true, Some(ending)) = (self.struck_point().strike.is_of_guest(), self.ending()) {
            return Err(error(&ending).into());
        }
        if moved.runs() {
            moved.reason = "migrated";
        }
        if self.betrays(RecoveryDefect::RetryStale) {
            moved.guest.rewind();
        }
        if self.betrays(RecoveryDefect::RetryOtherMachine) {
            moved.hardware.machine = "pc-q35-2.4".to_owned();
        }
        self.source.destroy(record)?;
        self.source.stopped_by = "migrated";
        self.destination.active = Some(moved);
        self.destination.tell(record, "started", "migrated");
        Ok(())
    }
}
