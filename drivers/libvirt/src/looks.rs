//! The steps that only look: at the domain, at its guest, at what is left of both.

use std::{sync::Arc, time::Duration};

use migratrix_client::wire::{Act, Op, Said, Seen};
use migratrix_contract::Recorder;
use migratrix_history::{DomainLook, Look, Observation, Side, When};
use tokio::time::{Instant, interval};

use crate::{Error, LibvirtDriver, identity};

/// How long the host may take to be rid of a domain that was cleared away.
const RESIDUE_PATIENCE: Duration = Duration::from_secs(2);

/// How often it is looked at meanwhile.
const RESIDUE_EVERY: Duration = Duration::from_millis(20);

impl LibvirtDriver<'_> {
    /// Records what the host says of the domain.
    pub(crate) async fn look(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let look = match self.seen(side).await? {
            None => Look::Absent,
            Some(seen) => {
                let xml = seen.xml.iter().cloned();
                self.described.extend(xml.map(|xml| (side, when, xml)));
                Look::Present(described(seen)?)
            }
        };
        record.saw(Observation::Domain { side, when, look });
        Ok(())
    }

    /// What the host says of the domain; `None` where there is none.
    pub(crate) async fn seen(&mut self, side: Side) -> Result<Option<Seen>, Error> {
        let domain = self.subject.domain.clone();
        let said = self.on(side).await?.ask(Op::Look { side, domain }).await?;
        if let Said::Present(seen) = said {
            return Ok(Some(seen));
        }
        let absent = said == Said::Absent;
        absent.then_some(None).ok_or(Error::Astray("look"))
    }

    /// Records two readings of the guest's lap counter.
    pub(crate) async fn beat(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let runs = self.runs(side).await?;
        let laps = self.pulse(side).await?.feel(runs).await?;
        record.saw(laps.observation(side, when));
        Ok(())
    }

    /// Whether the host says that the guest runs.
    pub(crate) async fn runs(&mut self, side: Side) -> Result<bool, Error> {
        let seen = self.seen(side).await?;
        Ok(seen.is_some_and(|seen| seen.state == "running"))
    }

    /// Records the statistics of the last finished job.
    pub(crate) async fn job(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let domain = self.subject.domain.clone();
        let job = Op::Job { side, domain };
        let Said::Job(job) = self.on(side).await?.ask(job).await? else {
            return Err(Error::Astray("job"));
        };
        record.saw(Observation::Job { side, job });
        Ok(())
    }

    /// Records the guest's stamped memory, read while it is held still.
    pub(crate) async fn survey(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        if self.runs(side).await? {
            self.act(side, Act::Suspend).await?;
        }
        let survey = Op::Survey {
            side,
            domain: self.subject.domain.clone(),
            guest: self.subject.guest,
        };
        let Said::Survey(survey) = self.on(side).await?.ask(survey).await? else {
            return Err(Error::Astray("survey"));
        };
        record.saw(Observation::Memory { side, survey });
        Ok(())
    }

    /// Records what is left on the host, once nothing is or the host has had its time.
    pub(crate) async fn residue(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let deadline = Instant::now() + RESIDUE_PATIENCE;
        let mut tick = interval(RESIDUE_EVERY);
        loop {
            tick.tick().await;
            let host = Arc::clone(self.host(side));
            let left = host
                .residue(&self.subject.domain)
                .map_err(|source| Error::Host {
                    what: "can't look for residue",
                    host: host.release().to_string(),
                    source,
                })?;
            let Some(left) = left else { return Ok(()) };
            if left.is_empty() || Instant::now() >= deadline {
                record.saw(Observation::Residue { side, left });
                return Ok(());
            }
        }
    }
}

fn described(seen: Seen) -> Result<DomainLook, Error> {
    let running = seen.xml.as_deref().filter(|_| seen.active);
    Ok(DomainLook {
        uuid: seen.uuid,
        active: seen.active,
        persistent: seen.persistent,
        state: seen.state,
        reason: seen.reason,
        identity: running.map(identity::read).transpose()?,
    })
}
