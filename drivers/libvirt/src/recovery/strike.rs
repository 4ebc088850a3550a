//! The fault that a case is about: committed, and undone.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is none of a process, a connection or a link stands in the way"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use migratrix_client::wire::DomainAction;
use migratrix_contract::{Link, ProcessIdentity, Recorder, Signalled};
use migratrix_history::{Deed, Observation, Side};
use migratrix_matrix::Strike;
use tokio::time::timeout;

use super::{LOOK_EVERY, call::Asked, control, routes::Route};
use crate::{Error, LibvirtDriver, slot::Role, ticks::Ticks};
use Side::{Destination, Source};

/// How long what is asked for as a fault is waited for, before the migration is let go.
const SOON: Duration = Duration::from_millis(300);

/// How long the cancel of a migration whose data don't flow is waited for.
const CANCELS: Duration = Duration::from_secs(5);

/// How long a host that was away may take to be connected to.
const GREETS: Duration = Duration::from_secs(5);

/// How many further passes are waited for until a migration is taken never to converge.
const PASSES: i32 = 3;

/// How a daemon is, when it was looked whether it has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Daemon {
    /// It runs, or does again.
    Runs,
    /// It is gone, and is not the case's to start.
    Gone,
}

impl LibvirtDriver<'_> {
    /// Commits the fault, and records it.
    pub(super) async fn strike(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        if let Some(act) = asked(strike) {
            if strike == Strike::NeverConverges {
                self.pass(self.ordeal.pass + PASSES, record).await?;
            }
            return self.asks(strike, act, record).await;
        }
        match strike {
            Strike::SecondMigration => return self.migrates_again(strike, record).await,
            Strike::DeviceAttached => return self.attaches(strike, record).await,
            Strike::Crossing | Strike::Crowd => return self.migrate_beside(strike, record).await,
            _ => {}
        }
        let began = Instant::now();
        let (side, deed) = match strike {
            Strike::GuestPoweredOff | Strike::GuestRebooted | Strike::GuestCrashed => {
                (Some(Source), self.by_guest(strike, record).await?)
            }
            Strike::ClientKilled => (None, self.kill_caller().await?),
            Strike::SourceQemuKilled => (Some(Source), self.kill_its_qemu(Source).await?),
            Strike::DestinationQemuKilled => {
                (Some(Destination), self.kill_its_qemu(Destination).await?)
            }
            Strike::SourceQemuStopped => (Some(Source), self.stop_its_qemu(Source)?),
            Strike::DestinationQemuStopped => (Some(Destination), self.stop_its_qemu(Destination)?),
            Strike::SourceDaemonKilled => (Some(Source), self.kill_daemon(Source).await?),
            Strike::SourceDaemonKilledTwice => (
                Some(Source),
                self.kill_daemon_twice(Source, strike, record).await?,
            ),
            Strike::DestinationDaemonKilledTwice => {
                let deed = self.kill_daemon_twice(Destination, strike, record).await?;
                (Some(Destination), deed)
            }
            Strike::DestinationDaemonKilled | Strike::DaemonDead => {
                (Some(Destination), self.kill_daemon(Destination).await?)
            }
            Strike::SourceDaemonSilent => (Some(Source), self.silence_daemon(Source).await?),
            Strike::DestinationDaemonSilent => {
                (Some(Destination), self.silence_daemon(Destination).await?)
            }
            Strike::DataReset => (None, cut(self.ordeal.routes.data.as_ref()).await?),
            Strike::ManagementReset | Strike::ReplyLost => {
                (None, cut(self.ordeal.routes.management.as_ref()).await?)
            }
            Strike::DataStalled => (None, stall(self.ordeal.routes.data.as_ref())?),
            Strike::LinkDown => (Some(Destination), self.set_link(Destination, Link::Down)?),
            Strike::Undisturbed => (None, Deed::Nothing),
            _ => (Some(Destination), self.put_in_the_way(strike).await?),
        };
        record.saw(Observation::Struck {
            strike: strike.word().to_owned(),
            side,
            began_us: record.at_us(began),
            deed,
        });
        Ok(())
    }

    /// Asks libvirt for what strikes. It may be answered only when the migration is let go.
    async fn asks(
        &mut self,
        strike: Strike,
        act: DomainAction,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let side = match strike == Strike::DestinationDestroyed {
            true => Destination,
            false => Source,
        };
        let sent = self.send_act(side, act).await?;
        let asked = Asked {
            sent,
            strike: strike.word(),
            call: call(act),
            side,
        };
        self.has_asked(asked, record).await?;
        if let (Strike::PostcopyPaused, Some(data)) = (strike, &self.ordeal.routes.data) {
            // The source has ended its connection, and that is to reach the destination.
            data.relay.open();
        }
        Ok(())
    }

    /// Keeps what was asked for, and hears what is answered at once.
    pub(super) async fn has_asked(
        &mut self,
        asked: Asked,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.ordeal.asked = Some(asked);
        self.hear_asked(SOON, record).await
    }

    async fn kill_caller(&mut self) -> Result<Deed, Error> {
        let pid = self.slot.client_for(Role::Caller)?.pid();
        self.slot.give_up_for(Role::Caller).await;
        Ok(killed("client", pid))
    }

    async fn kill_its_qemu(&mut self, side: Side) -> Result<Deed, Error> {
        let pid = self.signal_its_qemu(side, Signalled::Killed)?;
        let host = Arc::clone(self.host(side));
        let control = control(&host)?;
        let mut tick = Ticks::every(LOOK_EVERY);
        while let Some(qemu) = self.found(side, control.qemu(&self.subject.domain))? {
            if number(&qemu) != pid {
                break;
            }
            tick.tick().await;
        }
        Ok(killed("qemu", pid))
    }

    fn stop_its_qemu(&mut self, side: Side) -> Result<Deed, Error> {
        let pid = self.signal_its_qemu(side, Signalled::Stopped)?;
        let process = "qemu".to_owned();
        Ok(Deed::Stopped { process, pid })
    }

    /// Signals the domain's QEMU, and says which process that is.
    fn signal_its_qemu(&self, side: Side, how: Signalled) -> Result<u32, Error> {
        let host = Arc::clone(self.host(side));
        let control = control(&host)?;
        let domain = &self.subject.domain;
        let qemu = self.found(side, control.qemu(domain))?;
        let signalled = control.signal_qemu(domain, how);
        self.broken(side, "can't signal QEMU", signalled)?;
        Ok(qemu.map_or(0, |qemu| number(&qemu)))
    }

    /// Signals the daemon of a side, and says which process that is.
    pub(super) async fn signal_its_daemon(&self, side: Side, how: Signalled) -> Result<u32, Error> {
        let host = Arc::clone(self.host(side));
        let control = control(&host)?;
        let daemon = self.found(side, control.daemon())?;
        let signalled = control.signal_daemon(how).await;
        self.broken(side, "can't signal the daemon", signalled)?;
        Ok(daemon.map_or(0, |daemon| number(&daemon)))
    }

    /// Kills the daemon of a side. Who was connected to it is to connect anew.
    pub(super) async fn kill_daemon(&mut self, side: Side) -> Result<Deed, Error> {
        let pid = self.signal_its_daemon(side, Signalled::Killed).await?;
        self.forget(side);
        self.ordeal.held.take_if(|(held, _)| *held == side);
        Ok(killed("daemon", pid))
    }

    /// Starts the daemon of a side again, and listens to it.
    pub(super) async fn start_daemon(&mut self, side: Side) -> Result<(), Error> {
        let host = Arc::clone(self.host(side));
        let started = control(&host)?.start_daemon().await;
        self.broken(side, "can't start the daemon", started)?;
        self.greet(side).await;
        Ok(())
    }

    /// Connects anew to a host that was away. Whether it answers is looked at later.
    async fn greet(&mut self, side: Side) {
        self.forget(side);
        let _silent = timeout(GREETS, self.on(side)).await;
    }

    /// Starts a daemon again that has ended by itself, as a service manager does: where nobody else is on its
    /// host, who would have that host lost.
    pub(super) async fn revive(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<Daemon, Error> {
        let host = Arc::clone(self.host(side));
        let daemon = self.found(side, control(&host)?.daemon())?;
        match (daemon, self.ordeal.alone) {
            (Some(_), _) => Ok(Daemon::Runs),
            (None, false) => Ok(Daemon::Gone),
            (None, true) => {
                let release = host.release();
                let text =
                    format!("the daemon of {release} has ended by itself, and is started again");
                record.saw(Observation::Note { text });
                self.start_daemon(side).await?;
                Ok(Daemon::Runs)
            }
        }
    }

    async fn silence_daemon(&self, side: Side) -> Result<Deed, Error> {
        let pid = self.signal_its_daemon(side, Signalled::Stopped).await?;
        let process = "daemon".to_owned();
        Ok(Deed::Stopped { process, pid })
    }

    fn set_link(&self, side: Side, link: Link) -> Result<Deed, Error> {
        let host = Arc::clone(self.host(side));
        let done = control(&host)?.set_link(link);
        self.broken(side, "can't set the link", done)?;
        let what = "the link is down".to_owned();
        Ok(Deed::Made { what })
    }

    pub(super) fn found(
        &self,
        side: Side,
        looked: std::io::Result<Option<ProcessIdentity>>,
    ) -> Result<Option<ProcessIdentity>, Error> {
        self.broken(side, "can't look at the processes", looked)
    }

    /// Undoes what lasts of the fault.
    pub(super) async fn undo(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match strike {
            Strike::SourceQemuStopped => self.let_qemu_go(Source)?,
            Strike::DestinationQemuStopped => self.let_qemu_go(Destination)?,
            Strike::SourceDaemonKilled | Strike::SourceDaemonKilledTwice => {
                self.start_daemon(Source).await?;
            }
            Strike::DestinationDaemonKilled
            | Strike::DestinationDaemonKilledTwice
            | Strike::DaemonDead => {
                self.start_daemon(Destination).await?;
                self.must_not_be_done().await?;
            }
            Strike::SourceDaemonSilent => self.hear_daemon(Source).await?,
            Strike::DestinationDaemonSilent => self.hear_daemon(Destination).await?,
            Strike::DataStalled => self.cancel_stalled(record).await?,
            Strike::LinkDown => {
                self.set_link(Destination, Link::Up)?;
                self.greet(Destination).await;
            }
            Strike::Crossing | Strike::Crowd => {
                self.look_beside(record).await?;
                self.dismiss().await?;
            }
            // Nothing lasts of the others, or it stands in the way.
            _ => self.remove_obstacle().await?,
        }
        Ok(())
    }

    fn let_qemu_go(&self, side: Side) -> Result<(), Error> {
        let host = Arc::clone(self.host(side));
        let goes_on = control(&host)?.signal_qemu(&self.subject.domain, Signalled::Continued);
        match goes_on {
            // It was ended meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            goes_on => self.broken(side, "can't let QEMU go on", goes_on),
        }
    }

    /// Lets a daemon go on that was silent, and listens to it.
    async fn hear_daemon(&mut self, side: Side) -> Result<(), Error> {
        self.ordeal.held.take_if(|(held, _)| *held == side);
        self.continue_daemon(side).await?;
        self.greet(side).await;
        Ok(())
    }

    /// Cancels a migration whose data don't flow any more.
    async fn cancel_stalled(&mut self, record: &mut Recorder) -> Result<(), Error> {
        let mut sent = self.send_act(Source, DomainAction::AbortJob).await?;
        let text = match sent.ended(CANCELS).await {
            Ok(()) => "the stalled migration is cancelled".to_owned(),
            Err(Error::Silent { .. }) => {
                "the cancel of the stalled migration is not answered".to_owned()
            }
            Err(Error::Refused(refusal) | Error::Lost(refusal)) => {
                format!(
                    "the stalled migration can't be cancelled: {}",
                    refusal.message
                )
            }
            Err(error) => return Err(error),
        };
        record.saw(Observation::Note { text });
        Ok(())
    }
}

/// What libvirt is asked for as the fault.
const fn asked(strike: Strike) -> Option<DomainAction> {
    match strike {
        Strike::Cancelled | Strike::NeverConverges => Some(DomainAction::AbortJob),
        Strike::SourceDestroyed | Strike::DestinationDestroyed => Some(DomainAction::Destroy),
        Strike::Suspended => Some(DomainAction::Suspend),
        Strike::Resumed => Some(DomainAction::Resume),
        Strike::PostcopyPaused => Some(DomainAction::AbortPostcopy),
        _ => None,
    }
}

async fn cut(route: Option<&Route>) -> Result<Deed, Error> {
    let route = route.ok_or(Error::NotBegun)?;
    let deed = carried(route);
    route.relay.cut().await;
    Ok(deed)
}

fn stall(route: Option<&Route>) -> Result<Deed, Error> {
    let route = route.ok_or(Error::NotBegun)?;
    route.relay.shut();
    Ok(carried(route))
}

/// What a route has carried until it carries no more.
fn carried(route: &Route) -> Deed {
    Deed::Cut {
        connections: u32::try_from(route.relay.heard().len()).unwrap_or(u32::MAX),
        passed: route.relay.passed(),
    }
}

fn killed(process: &str, pid: u32) -> Deed {
    let process = process.to_owned();
    Deed::Killed { process, pid }
}

const fn number(process: &ProcessIdentity) -> u32 {
    process.pid.unsigned_abs()
}

/// The word of a call, as it is recorded.
pub(super) const fn call(act: DomainAction) -> &'static str {
    match act {
        DomainAction::AbortJob => "abort-job",
        DomainAction::AbortPostcopy => "abort-job-postcopy",
        DomainAction::Create | DomainAction::CreatePaused => "create",
        DomainAction::Destroy => "destroy",
        DomainAction::Resume => "resume",
        DomainAction::StartPostcopy => "start-postcopy",
        DomainAction::Suspend => "suspend",
        DomainAction::Undefine => "undefine",
    }
}
