//! A migration that is struck on its way, in memory: it ends as the table of the suite says.

mod beside;
mod defect;
mod flight;
mod healing;
mod watch;

use std::time::Instant;

use migratrix_contract::{Recorder, RecoveryStep};
use migratrix_history::{Observation, Pending, Side, Silence, When};
use migratrix_matrix::{Ending, Libvirts, Persistence, Point, Recovery, Strike, Version};

pub use defect::RecoveryDefect;

use crate::{
    driver::{Done, FakeDriver},
    traffic,
};

/// The libvirt that it stands for: one that can go on with a postcopy that was lost.
pub(crate) const LIBVIRT: Version = Version::new(9, 0, 0);

/// What the three places of the case are.
const LIBVIRTS: Libvirts = Libvirts {
    client: Some(LIBVIRT),
    source: Some(LIBVIRT),
    destination: Some(LIBVIRT),
};

/// What is remembered of a migration that is under way.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// Which of its endings it is to have.
    pub ending: usize,
    /// What is betrayed.
    pub defect: Option<RecoveryDefect>,
    /// When it was asked for, in microseconds.
    begun_us: u64,
    /// Whether a QEMU is held still.
    is_still: bool,
    /// Whether the destination has told that the guest started, and that it runs.
    told_started: bool,
    told_resumed: bool,
    /// How often each side's daemon was started anew.
    restarts: [u32; 2],
    /// What was seen of both sides, since they are watched.
    watch: Option<watch::Watch>,
}

const fn place(side: Side) -> usize {
    match side {
        Side::Source => 0,
        Side::Destination => 1,
    }
}

impl FakeDriver {
    /// The same, but a migration that is struck ends in another of the endings that may be.
    #[must_use]
    pub fn ending_in(mut self, ending: usize) -> Self {
        self.flight.ending = ending;
        self
    }

    /// The same, but it has a defect of those that only a struck migration shows.
    #[must_use]
    pub fn betraying(mut self, defect: RecoveryDefect) -> Self {
        self.flight.defect = Some(defect);
        self
    }

    pub(crate) fn betrays(&self, defect: RecoveryDefect) -> bool {
        self.flight.defect == Some(defect)
    }

    /// The point of a case that is struck.
    fn struck_point(&self) -> Recovery {
        match self.subject.point {
            Point::Recovery(point) => point,
            Point::Tck(_)
            | Point::Qemu(_)
            | Point::Colo(_)
            | Point::Backup(_)
            | Point::Chained(_) => Recovery::USUAL,
        }
    }

    /// How the case is to end.
    fn ending(&self) -> Option<Ending> {
        let endings = self.struck_point().endings(&LIBVIRTS);
        let last = endings.len().checked_sub(1)?;
        endings.get(self.flight.ending.min(last)).copied()
    }

    pub(crate) fn recover(&mut self, step: RecoveryStep, record: &mut Recorder) -> Done {
        match step {
            RecoveryStep::Watch => self.flight.watch = Some(watch::Watch::default()),
            RecoveryStep::Unwatch => self.unwatch(record),
            RecoveryStep::Begin => self.begin(record),
            RecoveryStep::StartPostcopy => self.start_postcopy(record)?,
            RecoveryStep::AwaitMoment(moment) => self.stand(moment, record)?,
            RecoveryStep::Strike(strike) => self.strike(strike, record),
            RecoveryStep::Undo(strike) => {
                self.undo(strike);
                self.tell_beside(strike, record);
            }
            RecoveryStep::End(limit) => self.end(limit, record)?,
            RecoveryStep::Daemon(side, when) => self.tell_daemon(side, when, record),
            RecoveryStep::Pending(side, when) => {
                let pending = self.pending(side);
                record.saw(Observation::Pending {
                    side,
                    when,
                    pending,
                });
            }
            RecoveryStep::Stock(side, when) => {
                let found = self.stock(side);
                record.saw(Observation::Stock { side, when, found });
            }
            RecoveryStep::Examine(side) => self.examine(side, record)?,
            RecoveryStep::Heal => self.heal(record)?,
            RecoveryStep::Retry => self.retry(record)?,
            RecoveryStep::TakePort(side) => self.host(side).litter.push(PORT.to_owned()),
            RecoveryStep::ReplaceDaemon(side) => self.flight.restarts[place(side)] += 1,
            RecoveryStep::Gather
            | RecoveryStep::Dismiss
            | RecoveryStep::Hold(_)
            | RecoveryStep::Release
            | RecoveryStep::Linger(_)
            | RecoveryStep::Settle
            | RecoveryStep::Restore => {}
        }
        self.glimpse(record);
        Ok(())
    }

    /// The destination is asked to prepare, which the network carries.
    fn begin(&mut self, record: &Recorder) {
        self.flight.begun_us = record.at_us(Instant::now());
        let asked = traffic::prepares(&self.struck_point().call());
        self.traffic.calls.push(asked);
    }

    fn undo(&mut self, strike: Strike) {
        self.flight.is_still = false;
        if let Some(side) = strike.ends_daemon_of() {
            self.flight.restarts[place(side)] += 1;
        }
    }

    fn tell_daemon(&mut self, side: Side, when: When, record: &mut Recorder) {
        let replaced = when == When::After && self.betrays(RecoveryDefect::DaemonReplaced);
        let restarts = self.flight.restarts[place(side)] + u32::from(replaced);
        record.saw(Observation::Daemon {
            side,
            when,
            pid: 100 + restarts,
            started: 1,
            answered_us: Some(1),
            waited_us: None,
        });
    }

    fn pending(&mut self, side: Side) -> Pending {
        let stays = self.betrays(RecoveryDefect::JobStays);
        let host = self.host(side);
        match (&host.active, &host.config) {
            (Some(active), _) => {
                let waits = active.reason.starts_with("postcopy");
                let kind = if stays || waits { "unbounded" } else { "none" };
                Pending::Job {
                    kind: kind.to_owned(),
                }
            }
            (None, Some(_)) => Pending::Refused {
                code: 55,
                domain: 10,
            },
            (None, None) => Pending::Absent,
        }
    }

    fn stock(&mut self, side: Side) -> Vec<String> {
        let domain = self.subject.domain.clone();
        let host = self.host(side);
        let mut found = host.litter.clone();
        found.extend(host.active.as_ref().map(|_| format!("process of {domain}")));
        found
    }

    /// What is never answered is waited for until its time is over.
    fn end(&mut self, limit: std::time::Duration, record: &mut Recorder) -> Done {
        let within_us = record.at_us(Instant::now()) - self.flight.begun_us;
        if self.flight.is_still || self.betrays(RecoveryDefect::NeverAnswers) {
            record.pass(limit);
            record.saw(Observation::Unanswered {
                within_us: u64::try_from(limit.as_micros()).unwrap_or(u64::MAX),
                because: Silence::Deadline,
            });
            return Ok(());
        }
        if let Some(ending) = self.ending() {
            self.enact(&ending, record);
            record.saw(self.answer(&ending, within_us));
        }
        self.betray(record);
        Ok(())
    }

    /// Whether the case's domain has a configuration.
    fn persistence(&self) -> Persistence {
        self.struck_point().scenario.state.persistence
    }
}

/// What listens where a migration was to come.
const PORT: &str = "port 49152";
