//! A migration that is struck on its way.
//!
//! ```text
//!   caller process ──── the migration ────▶ both daemons ◀──── main process: what strikes, heals and looks
//!        │ (may be killed)                   ▲       ▲ ◀────── watcher process: looks, all the time
//!        └─ relays: data, management ────────┘       │
//!   second monitor of each QEMU ◀── how far it is, and how fast it may go
//! ```

mod again;
mod beside;
mod call;
mod certificates;
mod guest;
mod heal;
mod hold;
mod inspect;
mod monitor;
mod obstacle;
mod routes;
mod strike;
#[cfg(test)]
mod tests;
mod unknown;
mod watch;

use std::{io, path::Path, sync::Arc, time::Duration};

use migratrix_contract::{Host, HostControl, MONITORS, Recorder, RecoveryStep, Subject};
use migratrix_history::{Observation, Side};
use migratrix_matrix::{Family, Point, Recovery, RecoveryMoment};
use tokio::time::Instant;

use crate::{Error, LibvirtDriver, slot::Role};
use beside::Gathered;
use call::{Asked, Call};
use hold::Lifter;
use monitor::Monitors;
use obstacle::Obstacle;
use routes::Routes;
use watch::Watch;

/// How often what is awaited is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a struck migration has under way.
pub(crate) struct Ordeal {
    monitors: Arc<Monitors>,
    routes: Routes,
    call: Option<Call>,
    /// What was asked for as a fault, and is not answered yet.
    asked: Option<Asked>,
    watch: Option<Watch>,
    /// The side whose daemon is held still, so that the migration stands, and since when.
    held: Option<(Side, Instant)>,
    /// What lifts the bandwidth as soon as that holds.
    lifter: Option<Lifter>,
    /// What was put in the way of the migration.
    obstacle: Option<Obstacle>,
    /// The guests that migrate beside the case's own.
    gathered: Gathered,
    /// Whether no other case is on its hosts.
    pub(crate) alone: bool,
    /// The last pass over memory that the source has told of.
    pub(crate) pass: i32,
}

impl Ordeal {
    /// That of a case on these hosts.
    pub(crate) fn of(source: &Arc<dyn Host>, destination: &Arc<dyn Host>, domain: &str) -> Self {
        Self {
            monitors: Arc::new(Monitors::of(source, destination, domain)),
            routes: Routes::default(),
            call: None,
            asked: None,
            watch: None,
            held: None,
            lifter: None,
            obstacle: None,
            gathered: Gathered::default(),
            alone: false,
            pass: 0,
        }
    }
}

/// Where the QEMU of a domain has a second monitor, by the path that its host knows it by.
pub(crate) fn monitor_path(domain: &str) -> String {
    format!("{MONITORS}/{domain}")
}

/// Gives the subject a boot image of its own, where the usual one is not as it is to be: what the guest stamps
/// is written in it, and one that is to be missing is nobody else's.
pub(crate) fn own_image(subject: &mut Subject) {
    let Point::Recovery(point) = subject.point else {
        return;
    };
    let own = match (point.strike, point.moment) {
        (strike, _) if strike.is_of_disk() => subject.domain.clone(),
        (_, RecoveryMoment::PostcopyMiddle) => "long".to_owned(),
        (_, _) => return,
    };
    let image = Path::new(&subject.boot_image).with_extension("");
    subject.boot_image = format!("{}-{own}.img", image.display());
}

/// What may be done to a host itself.
fn control(host: &Arc<dyn Host>) -> Result<&dyn HostControl, Error> {
    let ours = || Error::NotOurs(host.release().to_string());
    host.control().ok_or_else(ours)
}

/// Records what was broken on purpose beside the fault that the case is about.
fn broken_beside(step: RecoveryStep, record: &mut Recorder) {
    record.saw(Observation::Fault {
        fault: step.to_string(),
    });
}

impl LibvirtDriver<'_> {
    /// Does a step of a migration that is struck on its way.
    pub(crate) async fn recover(
        &mut self,
        step: RecoveryStep,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match step {
            RecoveryStep::Watch => self.begin_watch(),
            RecoveryStep::Unwatch => self.end_watch(record),
            RecoveryStep::Gather => self.gather().await,
            RecoveryStep::Dismiss => self.dismiss().await,
            RecoveryStep::Hold(moment) => self.hold(moment),
            RecoveryStep::Begin => self.begin().await,
            RecoveryStep::StartPostcopy => self.start_postcopy(record).await,
            RecoveryStep::AwaitMoment(moment) => self.await_moment(moment, record).await,
            RecoveryStep::Strike(strike) => self.strike(strike, record).await,
            RecoveryStep::Release => self.release(record).await,
            RecoveryStep::Linger(limit) => self.linger(limit, record).await,
            RecoveryStep::Undo(strike) => self.undo(strike, record).await,
            RecoveryStep::End(limit) => self.end_call(limit, record).await,
            RecoveryStep::Settle => self.settle(record).await,
            RecoveryStep::Daemon(side, when) => self.look_at_daemon(side, when, record).await,
            RecoveryStep::Pending(side, when) => self.look_for_job(side, when, record).await,
            RecoveryStep::Stock(side, when) => self.take_stock(side, when, record).await,
            RecoveryStep::Examine(side) => self.examine(side, record).await,
            RecoveryStep::Heal => self.heal(record).await,
            RecoveryStep::Retry => self.retry().await,
            RecoveryStep::Restore => self.restore(record).await,
            RecoveryStep::TakePort(side) => {
                self.leave_listener(side)?;
                broken_beside(step, record);
                Ok(())
            }
            RecoveryStep::ReplaceDaemon(side) => {
                self.kill_daemon(side).await?;
                self.start_daemon(side).await?;
                broken_beside(step, record);
                Ok(())
            }
        }
    }

    /// The case's point.
    fn struck(&self) -> Result<Recovery, Error> {
        match self.subject.point {
            Point::Recovery(point) => Ok(point),
            Point::Tck(_)
            | Point::Qemu(_)
            | Point::Colo(_)
            | Point::Backup(_)
            | Point::Chained(_) => Err(Error::NotBegun),
        }
    }

    /// Whether the case is one of this suite.
    pub(crate) fn is_struck(&self) -> bool {
        self.struck().is_ok()
    }

    /// Whether the case is one of postcopy: the memory of its guest may not be read while some is missing.
    pub(crate) fn is_postcopy(&self) -> bool {
        self.struck()
            .is_ok_and(|point| point.family() == Family::Postcopy)
    }

    /// Has both hosts as they were, and lets go of all that the case had under way.
    async fn restore(&mut self, record: &mut Recorder) -> Result<(), Error> {
        self.end_watch(record)?;
        self.remove_obstacle().await?;
        self.ordeal.routes = Routes::default();
        self.ordeal.monitors.close().await;
        self.ordeal.asked = None;
        self.ordeal.lifter = None;
        if self
            .ordeal
            .call
            .take()
            .is_some_and(|call| !call.is_answered())
        {
            self.slot.give_up_for(Role::Caller).await;
        }
        for side in Side::BOTH {
            let host = Arc::clone(self.host(side));
            let domain = self.subject.domain.clone();
            if self.is_postcopy() {
                // One that misses memory takes ten seconds to hear that it is to end.
                self.end_stuck_qemu(side).await?;
            }
            // What others share is none of the case's business.
            let restored = match self.ordeal.alone {
                true => control(&host)?.restore(&domain).await,
                false => control(&host)?.forget(&domain),
            };
            self.broken(side, "can't restore what was", restored)?;
            self.remove_own_files(side)?;
        }
        Ok(())
    }

    /// Kills a QEMU of the domain that has not all of its guest's memory.
    async fn end_stuck_qemu(&mut self, side: Side) -> Result<(), Error> {
        if self.is_incomplete(side).await? {
            let killed = self.host(side).kill_qemu(&self.subject.domain);
            match killed {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                killed => self.broken(side, "can't kill QEMU", killed)?,
            }
        }
        Ok(())
    }

    /// Removes the files that are the case's own: what a killed QEMU leaves of its monitor, and an image.
    fn remove_own_files(&self, side: Side) -> Result<(), Error> {
        let sockets = [
            monitor_path(&self.subject.domain),
            self.subject.qtest_socket(),
        ];
        let mut files = Vec::from(sockets);
        if self.struck()?.strike.is_of_disk() {
            files.push(self.subject.boot_image.clone());
        }
        files
            .iter()
            .try_for_each(|file| self.remove_file(side, file))
    }

    /// Removes a file of a host, if it is there.
    fn remove_file(&self, side: Side, file: &str) -> Result<(), Error> {
        let path = self.path(side, file)?;
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::File { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
