//! What an operator does who has seen how the domain stands on both sides.

use std::time::Duration;

use migratrix_client::wire::{DomainAction, Op};
use migratrix_contract::{Recorder, Variant};
use migratrix_history::{HealingCall, Observation, Outcome, Side};
use migratrix_matrix::{Activity, Persistence, Remedy, Way};

use super::{
    call::{answered, is_active},
    routes::Routes,
    strike,
};
use crate::{Error, LibvirtDriver, client::done, domain_xml};
use Side::{Destination, Source};

/// How long a postcopy may take that is gone on with.
const RESUMED: Duration = Duration::from_secs(20);

impl LibvirtDriver<'_> {
    /// Does what heals, and records it.
    pub(super) async fn heal(&mut self, record: &mut Recorder) -> Result<(), Error> {
        let source = self.active(Source).await?;
        let destination = self.active(Destination).await?;
        let way = self.struck()?.way;
        let remedy = Remedy::of(
            seen(source.as_ref()),
            seen(destination.as_ref()),
            way,
            &self.libvirts,
        );
        let calls = match remedy {
            Remedy::Nothing => Vec::new(),
            Remedy::Resume => vec![self.healing(Source, DomainAction::Resume).await?],
            Remedy::DestroySource => vec![self.healing(Source, DomainAction::Destroy).await?],
            Remedy::DestroyDestination => {
                let mut calls = vec![self.healing(Destination, DomainAction::Destroy).await?];
                if Remedy::is_paused_by_migration(seen(source.as_ref())) {
                    calls.push(self.healing(Source, DomainAction::Resume).await?);
                }
                calls
            }
            Remedy::PostcopyResume => vec![self.go_on_with_postcopy().await?],
            Remedy::StartAnew => {
                let there = [
                    (Destination, destination.is_some()),
                    (Source, source.is_some()),
                ];
                self.start_anew(there).await?
            }
        };
        if way == Way::Documented {
            self.ordeal.routes = Routes::default();
        }
        record.saw(Observation::Healed {
            remedy: remedy.word().to_owned(),
            calls,
        });
        for side in Side::BOTH {
            self.revive(side, record).await?;
        }
        Ok(())
    }

    /// How the domain stands on a side where it is active.
    async fn active(&mut self, side: Side) -> Result<Option<(String, String)>, Error> {
        let state = self.state(side).await?;
        Ok(state.filter(|(state, _)| is_active(state)))
    }

    async fn healing(&mut self, side: Side, act: DomainAction) -> Result<HealingCall, Error> {
        let ended = self.act(side, act).await;
        healing(strike::call(act), side, ended)
    }

    /// Asks for the migration as it was asked for, to be gone on with: straight to the other host.
    async fn go_on_with_postcopy(&mut self) -> Result<HealingCall, Error> {
        let point = self.struck()?;
        self.ordeal.routes = Routes::default();
        let migration = self.plainly(point.control(), point.resume_call());
        let mut sent = self.send(None, migration)?;
        let ended = sent.ended(RESUMED).await;
        healing("migrate", Source, ended)
    }

    /// Destroys what is left on both sides, and starts the guest as it was in the beginning.
    async fn start_anew(&mut self, there: [(Side, bool); 2]) -> Result<Vec<HealingCall>, Error> {
        let mut calls = Vec::new();
        for (side, _) in there.into_iter().filter(|(_, is_there)| *is_there) {
            calls.push(self.healing(side, DomainAction::Destroy).await?);
        }
        let state = self.struck()?.scenario.state;
        let xml = domain_xml(&self.subject, &self.subject.uuid, Variant::Plain);
        let (side, client) = (Source, self.on(Source).await?);
        match state.persistence {
            Persistence::Persistent => {
                let defined = done(client, Op::Define { side, xml }).await;
                calls.push(healing("define", side, defined)?);
                calls.push(self.healing(side, DomainAction::Create).await?);
            }
            Persistence::Transient => {
                let paused = false;
                let created = done(client, Op::CreateXml { side, xml, paused }).await;
                calls.push(healing("create", side, created)?);
            }
        }
        let is_started = calls
            .last()
            .is_some_and(|call| call.outcome == Outcome::Done);
        if is_started {
            self.heartbeat(Source).await?.until_lapped().await?;
        }
        if is_started && state.activity == Activity::Paused {
            calls.push(self.healing(Source, DomainAction::Suspend).await?);
        }
        Ok(calls)
    }
}

fn healing(call: &str, side: Side, ended: Result<(), Error>) -> Result<HealingCall, Error> {
    Ok(HealingCall {
        call: call.to_owned(),
        side,
        outcome: answered(ended)?,
    })
}

fn seen(state: Option<&(String, String)>) -> Option<(&str, &str)> {
    state.map(|(state, reason)| (state.as_str(), reason.as_str()))
}
