//! The migration: the call, and what is seen while it is under way.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use migratrix_client::wire::{Event, Migration, Op, What};
use migratrix_contract::{Migrate, Recorder};
use migratrix_history::{Side, When};
use migratrix_matrix::Flag;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    Client, Error, LibvirtDriver,
    beat::{Cue, Laps, Pulse},
    driver::{done, observed},
};

/// How long the last events may come after the call has returned.
const EVENTS_PATIENCE: Duration = Duration::from_secs(1);

/// Records the events of a migration, and knows how far it has come by them.
struct Watch<'a> {
    client: &'a Client,
    record: &'a mut Recorder,
    suspended: &'a Notify,
    source_closed: bool,
    destination_closed: bool,
}

impl LibvirtDriver<'_> {
    /// Migrates. While its memory is copied, the guest's pulse is felt on the source.
    pub(crate) async fn migrate(
        &mut self,
        how: Migrate,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.on(Side::Destination).await?;
        let client = self.on(Side::Source).await?;
        let pulse = self.pulse(Side::Source).await?;
        let suspended = Notify::new();
        let cue = match (self.runs(Side::Source).await?, how.flags.has(Flag::Live)) {
            (false, _) => Cue::Now,
            (true, false) => Cue::Suspended(&suspended),
            (true, true) => Cue::Copying,
        };
        let mut laps = None;
        let mut watch = Watch {
            client: &client,
            record,
            suspended: &suspended,
            source_closed: false,
            destination_closed: false,
        };
        let called = watch
            .during(async {
                tokio::select! {
                    called = done(Arc::clone(&client), Op::Migrate(self.migration(how))) => called,
                    never = follow(pulse, cue, &mut laps) => match never {},
                }
            })
            .await;
        if let Some(laps) = laps {
            let during = laps.observation(Side::Source, When::During);
            watch.record.saw(during);
        }
        called?;
        watch.close().await;
        Ok(())
    }

    fn migration(&self, how: Migrate) -> Migration {
        Migration {
            domain: self.subject.domain.clone(),
            control: how.control,
            flags: how.flags.iter().collect(),
            bandwidth_mib: how.bandwidth_mib,
            peer_uri: self.destination.peer_uri(),
            disks: self.disks(),
        }
    }
}

impl Watch<'_> {
    /// Watches until `call` returns.
    async fn during<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        loop {
            tokio::select! {
                biased;
                (at, event) = self.client.event() => self.note(at, event),
                called = &mut call => return called,
            }
        }
    }

    /// Watches until the events that close a migration have come, or can't be expected any more.
    async fn close(&mut self) {
        let deadline = Instant::now() + EVENTS_PATIENCE;
        while !(self.source_closed && self.destination_closed) {
            match timeout_at(deadline, self.client.event()).await {
                Ok((at, event)) => self.note(at, event),
                Err(_) => return,
            }
        }
    }

    /// The source closes when its domain stops, the destination when the guest goes on there, or is
    /// held for good.
    fn note(&mut self, at: std::time::Instant, event: Event) {
        match (event.side, &event.what) {
            (Side::Source, What::Lifecycle(name, _)) => {
                self.source_closed |= name == "stopped";
                if name == "suspended" {
                    self.suspended.notify_one();
                }
            }
            (Side::Destination, What::Lifecycle(name, _)) => {
                self.destination_closed |= name == "resumed" || name == "suspended";
            }
            (Side::Source | Side::Destination, What::Iteration(_) | What::JobEnded(_)) => {}
        }
        self.record.saw_at(at, observed(event.side, event.what));
    }
}

/// Follows the guest's laps while its memory is copied. Never ends: the call does.
async fn follow(pulse: Pulse, cue: Cue<'_>, laps: &mut Option<Laps>) -> Infallible {
    let _until_refused = pulse.follow(cue, laps).await;
    std::future::pending().await
}
