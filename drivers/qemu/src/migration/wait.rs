//! Waiting for what a migration comes to.

use std::time::{Duration, Instant};

use migratrix_contract::{Recorder, Waits};
use migratrix_history::{Observation, Side, When};
use migratrix_matrix::{Feature, Multifd};
use migratrix_qmp::{
    Deadline,
    MigrationStatus::{self, Active, Completed, Failed, PreSwitchover},
    QemuError,
};
use serde_json::json;

use super::{
    carriers::{self, Opened},
    channels,
    progress::Progress,
};
use crate::{
    QemuDriver,
    error::StepError,
    party::{PATIENCE, Party},
};

/// How long the threads of channels, or the connections, may take to be there.
const CHANNELS: Duration = Duration::from_secs(2);

impl QemuDriver {
    /// Waits until the side's migration has come to `awaited`, or to an end that is another one.
    pub(crate) async fn await_status(
        &mut self,
        side: Side,
        awaited: &MigrationStatus,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        // What waits to be counted may have sent all before it notices that nobody takes it.
        let mut waits =
            side == Side::Source && *awaited == Failed && self.subject.raw.waits_to_be_counted();
        loop {
            self.note_events(record);
            if waits && self.source.trail.is_at(&PreSwitchover) {
                waits = false;
                self.proceed(record).await?;
            }
            if self.waits.as_ref().is_some_and(Waits::are_old) {
                self.look_who_waits();
            }
            let party = self.party(side);
            if party.trail.take(awaited) {
                self.note_waits(awaited, record);
                return Ok(());
            }
            if let Some(end) = party.trail.end().cloned() {
                return self.unexpected_status(side, end, record).await;
            }
            self.is_to_come(side, awaited, record).await?;
            match self.party(side).learn_state_or_event(record).await {
                Err(StepError::Qemu(QemuError::Exited { status, stderr, .. }))
                    if side == Side::Destination && status.code() == Some(1) =>
                {
                    return gave_up(self.party(side), awaited, &stderr, record);
                }
                learned => learned?,
            };
            let party = self.party(side);
            if party.trail.take(awaited) {
                self.note_waits(awaited, record);
                return Ok(());
            }
            if party.trail.end().is_none() {
                self.pause().await;
            }
        }
    }

    /// Looks at what waits for a processor.
    pub(crate) fn look_who_waits(&mut self) {
        let qemus = [self.source.pid(), self.destination.pid()];
        let pids = qemus.into_iter().flatten().chain([std::process::id()]);
        if let Some(waits) = &mut self.waits {
            waits.look(pids);
        }
    }

    /// Records what has waited for a processor, where the migration has come to its end.
    fn note_waits(&mut self, came_to: &MigrationStatus, record: &mut Recorder) {
        if *came_to != Completed || self.waits.is_none() {
            return;
        }
        self.look_who_waits();
        let waited = self.waits.iter().map(Waits::total).sum::<Duration>();
        record.saw(Observation::Waited {
            us: u64::try_from(waited.as_micros()).unwrap_or(u64::MAX),
        });
    }

    /// Whether the destination can still come to `awaited`: not where the source has failed.
    async fn is_to_come(
        &mut self,
        side: Side,
        awaited: &MigrationStatus,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let end = self.source.trail.end().cloned();
        match (side, end) {
            (Side::Destination, Some(end)) if end != Completed && *awaited != Failed => {
                self.unexpected_status(Side::Source, end, record).await
            }
            (Side::Source | Side::Destination, _) => Ok(()),
        }
    }

    /// Says that a migration ended in another state than the awaited one, and why.
    async fn unexpected_status(
        &mut self,
        side: Side,
        status: MigrationStatus,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let progress = self.party(side).learn_state(record).await?;
        Err(StepError::UnexpectedStatus {
            side,
            status,
            why: progress
                .error_desc
                .unwrap_or_else(|| "no reason is given".to_owned()),
        })
    }

    /// Waits until the guest has lapped and a further pass has begun, and whatever else shows
    /// only while memory is copied; records the guest's heartbeat.
    pub(crate) async fn await_pass(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let began = Instant::now();
        let first = self.lap(Side::Source).await?;
        loop {
            self.note_events(record);
            let progress = self.source.learn_state(record).await?;
            let last = self.lap(Side::Source).await?;
            let has_passed = self.source.trail.passes() >= 2 && last != first;
            let is_over = !self.source.trail.is_at(&Active);
            if has_passed && (self.has_shown(&progress) || is_over) {
                let window = began.elapsed();
                record.saw(Observation::Beat {
                    side: Side::Source,
                    when: When::During,
                    first,
                    last,
                    window_us: u64::try_from(window.as_micros()).unwrap_or(u64::MAX),
                });
                self.note_throttle(progress, record);
                return Ok(());
            }
            if is_over {
                let status = progress.status;
                return self.unexpected_status(Side::Source, status, record).await;
            }
            self.pause().await;
        }
    }

    /// Whether the effects that a migration has only while it lasts are there.
    fn has_shown(&self, progress: &Progress) -> bool {
        let features = self.subject.raw.features;
        let differs = !features.has(Feature::Xbzrle) || progress.differences() > 0;
        let throttles = !features.has(Feature::AutoConverge)
            || progress
                .cpu_throttle_percentage
                .is_some_and(|percent| percent > 0);
        let limits = !features.has(Feature::DirtyLimit)
            || progress
                .dirty_limit_throttle_time_per_round
                .is_some_and(|time| time > 0);
        differs && throttles && limits
    }

    /// Records how the guest is throttled: QEMU does not tell it once the migration is over.
    fn note_throttle(&self, progress: Progress, record: &mut Recorder) {
        let features = self.subject.raw.features;
        if features.has(Feature::AutoConverge) || features.has(Feature::DirtyLimit) {
            let side = Side::Source;
            let job = progress.look();
            record.saw(Observation::Job { side, job });
        }
    }

    /// Waits until both sides have all channels, but not for long; records how many there are. What
    /// was counted when the migration ended meanwhile tells nothing.
    pub(crate) async fn count_channels(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let due = u32::from(self.subject.raw.channels.count());
        // A file is read when it is whole: there is nobody yet at its other end.
        let sides = match self.subject.raw.transport.is_file() {
            true => vec![Side::Source],
            false => vec![Side::Source, Side::Destination],
        };
        if self.subject.raw.multifd == Multifd::Off {
            return Err(StepError::NotApplicable("it has no multifd"));
        }
        let patience = Deadline::after(CHANNELS);
        let mut counts = vec![0; sides.len()];
        loop {
            self.note_events(record);
            for (side, count) in sides.iter().zip(&mut counts) {
                *count = self
                    .party(*side)
                    .pid()
                    .map_or(0, channels::count)
                    .max(*count);
            }
            let ended = self.has_ended();
            let has_all = counts.iter().all(|count| *count == due);
            if ended && !has_all {
                return Ok(());
            }
            if has_all || patience.is_past() {
                break;
            }
            self.source.learn_state(record).await?;
            self.pause().await;
        }
        for (side, count) in sides.into_iter().zip(counts) {
            record.saw(Observation::Channels { side, count });
        }
        Ok(())
    }

    /// Waits until both sides have open what the migration needs, but not for long; records it. What was
    /// looked at when the migration ended meanwhile tells nothing.
    pub(crate) async fn inspect_carriers(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let raw = self.subject.raw;
        let due = if raw.transport.is_file() {
            1
        } else {
            raw.connections()
        };
        let seen = self.await_carriers(due, record).await;
        self.let_stream_go();
        seen
    }

    /// As [`QemuDriver::inspect_carriers`], of a migration that is in postcopy; and records how many page
    /// faults' descriptors the destination has.
    pub(crate) async fn inspect_postcopy(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let due = self.subject.raw.connections_in_postcopy();
        let patience = Deadline::after(CHANNELS);
        let count = loop {
            self.note_events(record);
            if self.has_ended() {
                return Ok(());
            }
            let pid = self.destination.pid();
            let count = pid.map_or(0, carriers::userfaults);
            if count > 0 || patience.is_past() {
                break count;
            }
            self.pause().await;
        };
        let side = Side::Destination;
        record.saw(Observation::Userfaults { side, count });
        self.await_carriers(due, record).await
    }

    fn has_ended(&self) -> bool {
        self.source.trail.end().is_some() || self.destination.trail.end().is_some()
    }

    /// Waits until both sides have so many things open for the migration, but not for long; records them.
    async fn await_carriers(&mut self, due: usize, record: &mut Recorder) -> Result<(), StepError> {
        // A file is read when it is whole: there is nobody yet at its other end.
        let sides = match self.subject.raw.transport.is_file() {
            true => vec![Side::Source],
            false => vec![Side::Source, Side::Destination],
        };
        let patience = Deadline::after(CHANNELS);
        loop {
            self.note_events(record);
            if self.has_ended() {
                return Ok(());
            }
            let opened: Vec<_> = sides.iter().map(|side| self.opened(*side)).collect();
            let is_last = patience.is_past();
            // Only what both have opened can be what they migrate by.
            if is_last || !opened.iter().any(Opened::is_empty) {
                let seen = carriers::carriers(&opened);
                if is_last || seen.iter().all(|carriers| carriers.len() >= due) {
                    for (side, carriers) in sides.into_iter().zip(seen) {
                        record.saw(Observation::Carriers { side, carriers });
                    }
                    return Ok(());
                }
            }
            self.source.learn_state(record).await?;
            self.pause().await;
        }
    }

    fn opened(&mut self, side: Side) -> Opened {
        let party = self.party(side);
        let pid = party.pid();
        pid.map(|pid| Opened::since(&party.before, pid))
            .unwrap_or_default()
    }

    /// Lets the guest go, which was held until now, and waits until it sleeps.
    pub(crate) async fn await_sleep(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.go_on(side, record).await?;
        let mut events = self.party(side).qemu()?.qmp().all_events();
        events.wait_for("SUSPEND", PATIENCE).await?;
        self.note_events(record);
        Ok(())
    }

    /// Wakes the guest.
    pub(crate) async fn wake(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let party = self.party(side);
        party.command("system_wakeup", json!({}), record).await?;
        Ok(())
    }
}

/// A destination of an older release ends where its migration fails: it says so by its exit status.
fn gave_up(
    party: &mut Party,
    awaited: &MigrationStatus,
    words: &str,
    record: &mut Recorder,
) -> Result<(), StepError> {
    if party.trail.learn(&Failed) {
        record.saw(Observation::Status {
            side: party.side,
            status: Failed.to_string(),
        });
    }
    if *awaited == Failed {
        return Ok(());
    }
    Err(StepError::UnexpectedStatus {
        side: party.side,
        status: Failed,
        why: words.to_owned(),
    })
}
