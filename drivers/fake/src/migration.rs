//! A migration: first worked out as data, then enacted. A defect alters the data in between.

use std::time::{Duration, Instant};

use migratrix_contract::{Migrate, Recorder, Subject};
use migratrix_history::{JobStats, Observation, Refusal, Side, Traffic, When};
use migratrix_matrix::{Activity, Flag};

use crate::{
    guest::{Guest, Heartbeat},
    host::{Active, Host},
    refusal, traffic,
};

/// The bandwidth where none is given, in MiB/s.
const UNBOUND_MIB: u32 = 1024;
/// The downtime of a live migration, in milliseconds.
const LIVE_DOWNTIME_MS: u64 = 20;
/// How much longer a guest is usually seen to stand than its job tells, at most, in milliseconds: within it
/// the statistics are the same each time.
const USUAL_MS: u64 = 200;
const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;
/// What a page costs on the wire besides its bytes.
const PAGE_HEAD: u64 = 9;

/// All that a migration does.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    /// Whether the guest ran when it was asked for.
    pub ran: bool,
    /// Whether the source had a configuration.
    pub was_defined: bool,
    /// What is done and told on the way.
    pub acts: Vec<PassageEvent>,
    /// Whether the domain stays active on the source.
    pub source_stays: bool,
    /// Whether the source has a configuration afterwards.
    pub source_config: bool,
    /// Whether the destination has a configuration afterwards.
    pub destination_config: bool,
    /// The titles of both configurations afterwards, the source's first.
    pub titles: [Option<&'static str>; 2],
    /// The domain as it arrives; its guest is put in when it has crossed.
    pub arrives: Active,
    /// What happens to the guest on its way.
    pub mishap: fn(&mut Guest),
    /// Whether the guest goes on beating on the source, with no domain there.
    pub ghost: bool,
    /// Whether the source tells that its job has ended.
    pub ended: bool,
    /// How many channels of multifd it has.
    pub channels: u32,
    /// What the network carries of it.
    pub traffic: Traffic,
    /// The statistics of the job.
    pub job: JobStats,
    /// What stays behind on the source.
    pub litter: Option<String>,
}

/// One thing on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassageEvent {
    /// The source pauses the guest, and tells it.
    Pause,
    /// A pass over the memory begins.
    Pass(i32),
    /// The guest's beat is sampled on the source.
    Sample,
    /// A life-cycle event is sent.
    Tell(Side, &'static str, &'static str),
}

impl Passage {
    /// What libvirt's documentation says of such a migration.
    pub fn honest(
        subject: &Subject,
        how: Migrate,
        source: &mut Host,
        destination: &Host,
    ) -> Result<Self, Refusal> {
        let defined = source.config.is_some();
        let active = source.must_be_active()?;
        destination.must_be_free_for(&subject.uuid)?;
        if destination.active.is_some() {
            return Err(refusal::invalid(
                "domain is already active on the destination",
            ));
        }
        let ran = active.runs();
        let undefines = defined && how.scenario.flags.has(Flag::UndefineSource);
        let mut arrives = active.clone();
        (arrives.activity, arrives.reason) = if ran && !how.scenario.flags.has(Flag::Paused) {
            (Activity::Running, "migrated")
        } else {
            (Activity::Paused, "user")
        };
        let job = job(subject, how, ran);
        Ok(Self {
            ran,
            was_defined: defined,
            acts: acts(how, ran, arrives.runs(), undefines, destination),
            source_stays: false,
            source_config: defined && !undefines,
            destination_config: destination.config.is_some()
                || how.scenario.flags.has(Flag::PersistDest),
            titles: [source.title, destination.title],
            arrives,
            mishap: |_| {},
            ghost: false,
            ended: true,
            channels: how.call().channels(),
            traffic: traffic::honest(&how, job.memory_processed.unwrap_or(0)),
            job,
            litter: None,
        })
    }

    /// Does it all.
    pub fn enact(mut self, source: &mut Host, destination: &mut Host, record: &mut Recorder) {
        let Some(mut moved) = source.active.take() else {
            return;
        };
        let mut stopped_us = None;
        for act in std::mem::take(&mut self.acts) {
            perform(act, &mut moved, record);
            let now_us = record.at_us(Instant::now());
            match (act, stopped_us) {
                (PassageEvent::Pause, None) => stopped_us = Some(now_us),
                (PassageEvent::Tell(Side::Destination, "resumed", _), Some(stopped_us)) => {
                    stood(&mut self.job, now_us - stopped_us);
                }
                (PassageEvent::Pause | PassageEvent::Tell(..), _)
                | (PassageEvent::Pass(_) | PassageEvent::Sample, _) => {}
            }
        }
        if let Some(job) = self.ended.then(|| self.job.clone()) {
            let side = Side::Source;
            record.saw(Observation::JobEnded { side, job });
        }
        record.saw(Observation::Channels {
            side: Side::Destination,
            count: self.channels,
        });
        self.leave(source, moved.clone());
        self.arrive(destination, moved.guest);
    }

    fn leave(&self, source: &mut Host, mut moved: Active) {
        if self.ran {
            moved.turn(Activity::Running, "unpaused");
        }
        source.stopped_by = "migrated";
        source.config = self.source_config.then(|| moved.uuid.clone());
        source.title = self.titles[0];
        source.litter.extend(self.litter.clone());
        source.ghost = self.ghost.then(|| moved.guest.clone());
        source.active = self.source_stays.then_some(moved);
    }

    fn arrive(self, destination: &mut Host, guest: Guest) {
        let mut arrives = Active {
            guest,
            ..self.arrives
        };
        (self.mishap)(&mut arrives.guest);
        destination.config = self.destination_config.then(|| arrives.uuid.clone());
        destination.title = self.titles[1];
        destination.active = Some(arrives);
        destination.job = Some(self.job);
    }
}

fn is_live(how: Migrate, ran: bool) -> bool {
    ran && how.scenario.flags.has(Flag::Live)
}

/// In the order of libvirt's phases: prepare on the destination, perform on the source, finish on
/// the destination, confirm on the source.
fn acts(
    how: Migrate,
    ran: bool,
    runs: bool,
    undefines: bool,
    destination: &Host,
) -> Vec<PassageEvent> {
    use Side::{Destination, Source};
    let updates = destination.config.is_some();
    let mut acts = vec![PassageEvent::Tell(Destination, "started", "migrated")];
    if is_live(how, ran) {
        acts.extend([
            PassageEvent::Pass(1),
            PassageEvent::Sample,
            PassageEvent::Pass(2),
            PassageEvent::Pause,
        ]);
    } else {
        acts.extend(ran.then_some(PassageEvent::Pause));
        acts.extend([PassageEvent::Pass(1), PassageEvent::Sample]);
    }
    if how.scenario.flags.has(Flag::PersistDest) {
        let detail = if updates { "updated" } else { "added" };
        acts.push(PassageEvent::Tell(Destination, "defined", detail));
    }
    acts.push(if runs {
        PassageEvent::Tell(Destination, "resumed", "migrated")
    } else {
        PassageEvent::Tell(Destination, "suspended", "paused")
    });
    acts.push(PassageEvent::Tell(Source, "stopped", "migrated"));
    acts.extend(undefines.then_some(PassageEvent::Tell(Source, "undefined", "removed")));
    acts
}

fn perform(act: PassageEvent, moved: &mut Active, record: &mut Recorder) {
    tick(record);
    match act {
        PassageEvent::Pause => {
            moved.turn(Activity::Paused, "migration");
            record.saw(lifecycle(Side::Source, "suspended", "migrated"));
        }
        PassageEvent::Pass(iteration) => record.saw(Observation::Iteration {
            side: Side::Source,
            iteration,
        }),
        PassageEvent::Sample => {
            let heartbeat = moved.heartbeat();
            sampled(Side::Source, When::During, heartbeat, record);
        }
        PassageEvent::Tell(side, event, detail) => record.saw(lifecycle(side, event, detail)),
    }
}

/// Lets the clock of the history move on, so that the order of things is that of their times.
pub(crate) fn tick(record: &mut Recorder) {
    record.pass(Duration::from_micros(1));
}

fn lifecycle(side: Side, event: &str, detail: &str) -> Observation {
    Observation::Lifecycle {
        side,
        event: event.to_owned(),
        detail: detail.to_owned(),
    }
}

/// Records a heartbeat, and that its window has passed.
pub(crate) fn sampled(side: Side, when: When, heartbeat: Heartbeat, record: &mut Recorder) {
    let Heartbeat {
        first,
        last,
        window_us,
    } = heartbeat;
    record.pass(Duration::from_micros(window_us));
    record.saw(Observation::Beat {
        side,
        when,
        first,
        last,
        window_us,
    });
}

/// The guest stood for so long: the job tells no less, also on a machine that was busy with something else.
fn stood(job: &mut JobStats, time_us: u64) {
    let least_ms = time_us.div_ceil(1_000);
    let more_ms = least_ms.saturating_sub(job.downtime_ms.unwrap_or(least_ms));
    if more_ms <= USUAL_MS {
        return;
    }
    for time in [&mut job.downtime_ms, &mut job.elapsed_ms] {
        *time = time.map(|ms| ms + more_ms);
    }
}

/// The statistics: the stamped range is sent once, and what a live guest dirties once more.
fn job(subject: &Subject, how: Migrate, ran: bool) -> JobStats {
    let live = is_live(how, ran);
    let total = u64::from(subject.memory_mib) * MIB;
    let stamped = u64::from(subject.guest.bytes());
    let passes = if live { 2 } else { 1 };
    let sent = stamped * passes;
    let bandwidth = u64::from(how.bandwidth_mib.unwrap_or(UNBOUND_MIB)) * MIB;
    let constant = total.saturating_sub(stamped) / PAGE;
    let copying_ms = (sent * 1_000).div_ceil(bandwidth);
    let downtime_ms = if live { LIVE_DOWNTIME_MS } else { copying_ms };
    JobStats {
        kind: "completed".to_owned(),
        elapsed_ms: Some(copying_ms + LIVE_DOWNTIME_MS),
        downtime_ms: Some(downtime_ms),
        memory_total: Some(total),
        memory_processed: Some(sent + (sent / PAGE + constant) * PAGE_HEAD),
        memory_remaining: Some(0),
        memory_normal_bytes: Some(sent),
        memory_constant: Some(constant),
        memory_iteration: Some(passes),
        ..JobStats::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_downtime_of_a_job_is_no_shorter_than_the_guest_stood_and_no_longer_than_the_job() {
        let told = |downtime_ms, time_us| {
            let mut job = JobStats {
                elapsed_ms: Some(25),
                downtime_ms,
                ..JobStats::default()
            };
            stood(&mut job, time_us);
            (job.downtime_ms, job.elapsed_ms)
        };
        assert_eq!(told(Some(1), 346_001), (Some(347), Some(371)));
        assert_eq!(told(Some(1), 201_000), (Some(1), Some(25)));
        assert_eq!(told(None, 346_001), (None, Some(25)));
    }
}
