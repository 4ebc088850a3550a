//! The migration: the call, and what is seen while it is under way.

use std::{convert::Infallible, pin::pin, time::Duration};

use migratrix_client::wire::{Disks, EventKind, Migration, Op};
use migratrix_contract::{Migrate, Recorder};
use migratrix_history::{Side, When};
use migratrix_matrix::{Call, Control, Flag, Parallel};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    Error, LibvirtDriver,
    beat::{Cue, Heartbeat, Laps},
    channels::Channels,
    client::done,
    listener::Events,
    listener::observed,
};

/// How long the last events may come after the call has returned.
const EVENTS_PATIENCE: Duration = Duration::from_secs(1);

/// Records the events of a migration, and knows how far it has come by them.
struct Watch<'a> {
    events: &'a mut Events,
    record: &'a mut Recorder,
    suspended: &'a Notify,
    source_closed: bool,
    destination_closed: bool,
}

impl LibvirtDriver<'_> {
    /// Migrates. While its memory is copied, the guest's heartbeat is sampled on the source.
    pub(crate) async fn migrate(
        &mut self,
        how: Migrate,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.on(Side::Destination).await?;
        let client = self.on(Side::Source).await?;
        let heartbeat = self.heartbeat(Side::Source).await?;
        let suspended = Notify::new();
        let cue = match (
            self.runs(Side::Source).await?,
            how.scenario.flags.has(Flag::Live),
        ) {
            (false, _) => Cue::Now,
            (true, false) => Cue::Suspended(&suspended),
            (true, true) => Cue::Copying,
        };
        let migration = Op::Migrate(self.plainly(how.scenario.control, how.call()));
        let mut laps = None;
        let channels = self.channels();
        let mut watch = Watch {
            events: &mut self.events,
            record,
            suspended: &suspended,
            source_closed: false,
            destination_closed: false,
        };
        let called = watch
            .during(async {
                tokio::select! {
                    called = done(client, migration) => called,
                    never = follow(heartbeat, cue, &mut laps) => match never {},
                }
            })
            .await;
        if let Some(laps) = laps {
            let during = laps.observation(Side::Source, When::During);
            watch.record.saw(during);
        }
        let channels = channels.and_then(Channels::observation);
        channels.into_iter().for_each(|seen| watch.record.saw(seen));
        called??;
        watch.close().await
    }

    /// Counts the channels of a case that has more than one, where we may look into the destination,
    /// and no disk is copied beside them.
    fn channels(&self) -> Option<Channels> {
        let scenario = self.subject.point.scenario();
        scenario.filter(|scenario| scenario.parallel != Parallel::Off)?;
        let processes = match self.disks() {
            Disks::None | Disks::Shared => self.destination.path("/proc"),
            Disks::Copied => None,
        };
        let domain = self.subject.domain.clone();
        processes.map(|processes| Channels::begin(processes, domain))
    }

    /// A migration that is asked for in this way, straight to the other host.
    pub(crate) fn plainly(&self, control: Control, asking: Call) -> Migration {
        let parameters = asking.parameters.into_iter();
        let parameters = parameters.map(|(name, number)| (name.to_owned(), number));
        Migration {
            domain: self.subject.domain.clone(),
            control,
            flags: asking.flags.into_iter().map(str::to_owned).collect(),
            parameters: parameters.collect(),
            peer_uri: self.destination.peer_uri(),
            uri: None,
            disks: self.disks(),
        }
    }
}

impl Watch<'_> {
    /// Watches until `call` returns.
    async fn during<T>(&mut self, call: impl Future<Output = T>) -> Result<T, Error> {
        let mut call = pin!(call);
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => self.note(event?),
                called = &mut call => return Ok(called),
            }
        }
    }

    /// Watches until the events that close a migration have come, or can't be expected any more.
    async fn close(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + EVENTS_PATIENCE;
        while !(self.source_closed && self.destination_closed) {
            match timeout_at(deadline, self.events.next()).await {
                Ok(event) => self.note(event?),
                Err(_) => return self.settle().await,
            }
        }
        Ok(())
    }

    /// What has not come may be late only: once the hosts have settled it is there, or will not come.
    async fn settle(&mut self) -> Result<(), Error> {
        for side in [Side::Source, Side::Destination] {
            self.events.settle(side).await?;
        }
        while let Some(event) = self.events.arrived()? {
            self.note(event);
        }
        Ok(())
    }

    /// The source closes when its domain stops, the destination when the guest goes on there, or is
    /// held for good.
    fn note(&mut self, (at, side, what): (std::time::Instant, Side, EventKind)) {
        match (side, &what) {
            (Side::Source, EventKind::Lifecycle(name, _)) => {
                self.source_closed |= name == "stopped";
                if name == "suspended" {
                    self.suspended.notify_one();
                }
            }
            (Side::Destination, EventKind::Lifecycle(name, _)) => {
                self.destination_closed |= name == "resumed" || name == "suspended";
            }
            (
                Side::Source | Side::Destination,
                EventKind::Iteration(_) | EventKind::JobEnded(_),
            ) => {}
        }
        self.record.saw_at(at, observed(side, what));
    }
}

/// Follows the guest's laps while its memory is copied. Never ends: the call does.
async fn follow(heartbeat: Heartbeat, cue: Cue<'_>, laps: &mut Option<Laps>) -> Infallible {
    heartbeat.follow(cue, laps).await;
    std::future::pending().await
}
