//! What is left on a side, beside the guest: its daemon, a job, and what the host has of the domain; and the
//! guest's memory, without a change to how it stands.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use migratrix_client::wire::{DomainAction, Op, Said};
use migratrix_contract::{Host, Leftovers, Recorder, waited_for_processor};
use migratrix_history::{Observation, Pending, Refusal, Side, When};
use tokio::time::timeout;

use super::{control, monitor::INCOMING};
use crate::{Client, Error, LibvirtDriver, looks::left_in_the_end, ticks::Ticks};

/// What a daemon answers within at once; one that takes longer is asked again.
const PROMPT: Duration = Duration::from_millis(500);

/// How long a daemon may take to answer.
const ANSWERS: Duration = Duration::from_secs(5);

/// How often a timer of ours is to come while an answer is awaited.
const TICK: Duration = Duration::from_millis(5);

/// The kind of a job that keeps its host from telling of it.
const UNANSWERED: &str = "unanswered";

/// The kind of a job where there is none (`VIR_DOMAIN_JOB_NONE`).
pub(super) const NO_JOB: &str = "none";

/// Why a guest is not held still.
const IN_THE_WAY: &str = "a job of the domain is in the way";

/// How long a guest may take to be held still, or to go on: longer only where a job is in its way.
const STANDS: Duration = Duration::from_secs(5);

/// Where a host has the configurations that it keeps, as it is told when it is searched.
const CONFIGURATION: &str = "file /etc/libvirt/qemu";

/// `VIR_ERR_NO_DOMAIN`.
const NO_DOMAIN: i32 = 42;

impl LibvirtDriver<'_> {
    /// Asks a side; a connection that is lost is opened anew first.
    pub(super) async fn ask_anew(&mut self, side: Side, op: Op) -> Result<Said, Error> {
        let client: Arc<Client> = self.on(side).await?;
        match client.ask(op.clone()).await {
            Err(Error::Lost(_)) => {
                let uri = self.host(side).uri();
                client.ask(Op::Open { side, uri }).await?;
                client.ask(op).await
            }
            said => said,
        }
    }

    /// The state of the domain on a side and the reason for it; `None` where there is none.
    pub(super) async fn state(&mut self, side: Side) -> Result<Option<(String, String)>, Error> {
        self.state_of(side, self.subject.domain.clone()).await
    }

    /// The same of another domain.
    pub(super) async fn state_of(
        &mut self,
        side: Side,
        domain: String,
    ) -> Result<Option<(String, String)>, Error> {
        let said = self.ask_anew(side, Op::State { side, domain }).await?;
        if said == Said::Absent {
            return Ok(None);
        }
        let Said::State(state, reason) = said else {
            return Err(Error::Malformed("state"));
        };
        Ok(Some((state, reason)))
    }

    /// Whether memory of the guest is missing on a side, so that it may not be read.
    pub(crate) async fn is_incomplete(&mut self, side: Side) -> Result<bool, Error> {
        if !self.is_struck() || side == Side::Source {
            return Ok(false);
        }
        if self.comes_in(side).await {
            return Ok(true);
        }
        let state = self.state(side).await?;
        Ok(state.is_some_and(|(_, reason)| lacks_memory(&reason)))
    }

    /// Whether the domain's QEMU on a side says that it waits for its memory.
    async fn comes_in(&self, side: Side) -> bool {
        self.ordeal.monitors.run_state(side).await.as_deref() == Ok(INCOMING)
    }

    /// What is to be known of a job of the domain on a side.
    pub(super) async fn job_of(&mut self, side: Side) -> Result<Pending, Error> {
        let domain = self.subject.domain.clone();
        let asked = timeout(ANSWERS, self.ask_anew(side, Op::Progress { side, domain })).await;
        match asked {
            // Its daemon answers other questions: what holds the domain is a job.
            Err(_) => Ok(Pending::Job {
                kind: UNANSWERED.to_owned(),
            }),
            Ok(Ok(Said::Job(job))) => Ok(Pending::Job { kind: job.kind }),
            Ok(Ok(_)) => Err(Error::Malformed("progress")),
            Ok(Err(Error::Refused(Refusal { code, .. }))) if code == NO_DOMAIN => {
                Ok(Pending::Absent)
            }
            Ok(Err(Error::Refused(Refusal { code, domain, .. }))) => {
                Ok(Pending::Refused { code, domain })
            }
            Ok(Err(error)) => Err(error),
        }
    }

    /// Whether a job of the domain is under way on a side, or whether that is not answered.
    pub(crate) async fn is_busy(&mut self, side: Side) -> bool {
        !matches!(self.job_of(side).await, Ok(Pending::Job { kind }) if kind == NO_JOB)
    }

    pub(super) async fn look_at_daemon(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.revive(side, record).await?;
        let host = Arc::clone(self.host(side));
        let daemon = control(&host)?.daemon();
        let daemon = daemon.and_then(|daemon| daemon.ok_or(std::io::ErrorKind::NotFound.into()));
        let daemon = self.broken(side, "can't find the daemon", daemon)?;
        let pid = daemon.pid.unsigned_abs();
        let mut answer = self.answer(side, pid).await?;
        // What it does once, as asking its QEMU what that can do, is no silence.
        if answer.is_some_and(|(took, _)| took > PROMPT) {
            answer = self.answer(side, pid).await?;
        }
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        record.saw(Observation::Daemon {
            side,
            when,
            pid,
            started: daemon.started,
            answered_us: answer.map(|(took, _)| micros(took)),
            waited_us: answer.map(|(_, waited)| micros(waited)),
        });
        Ok(())
    }

    /// How long the daemon takes to answer, and how long it, the client and we wait for a processor meanwhile; `None`
    /// where it does not answer.
    async fn answer(
        &mut self,
        side: Side,
        daemon: u32,
    ) -> Result<Option<(Duration, Duration)>, Error> {
        let client = self.slot.client()?.pid();
        let waited = || waited_for_processor(daemon) + waited_for_processor(client);
        let (began, waited_before) = (Instant::now(), waited());
        let (answered, late) = with_lateness(timeout(ANSWERS, self.hears(side))).await;
        let answered = answered.is_ok_and(|answered| answered.is_ok());
        let waited = late + waited().saturating_sub(waited_before);
        Ok(answered.then_some((began.elapsed(), waited)))
    }

    /// Asks the daemon for its version.
    async fn hears(&mut self, side: Side) -> Result<(), Error> {
        let uri = self.host(side).uri();
        let client = self.on(side).await?;
        client.ask(Op::Open { side, uri }).await.map(drop)
    }

    pub(super) async fn look_for_job(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let pending = self.job_of(side).await?;
        record.saw(Observation::Pending {
            side,
            when,
            pending,
        });
        Ok(())
    }

    /// Records what the host has of the domain, once no helper of its daemon is under way.
    pub(super) async fn take_stock(
        &self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let host: &Arc<dyn Host> = self.host(side);
        let domain = &self.subject.domain;
        let helped = |left: &Leftovers| left.own.iter().any(|found| is_helper(found, domain));
        let left = left_in_the_end(&**host, domain, self.patience, helped).await;
        let left = self.broken(side, "can't look for what is there", left)?;
        let ours = left.ok_or_else(|| Error::NotOurs(host.release().to_string()))?;
        // What is kept of it is told of by the looks at the domain itself.
        let kept = format!("{CONFIGURATION}/{}.xml", self.subject.domain);
        let found = ours.own.into_iter().filter(|found| *found != kept);
        let found = found.collect();
        record.saw(Observation::Stock { side, when, found });
        Ok(())
    }

    /// Records the guest's memory, and has it go on as it was. Nothing is asked for that a job would hold up: it
    /// would be done when that is over, to whatever guest is there then.
    pub(super) async fn examine(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let state = self.state(side).await?;
        let Some((state, reason)) = state.filter(|(state, _)| super::call::is_active(state)) else {
            return Err(refused("the domain is not active"));
        };
        if side == Side::Destination && (lacks_memory(&reason) || self.comes_in(side).await) {
            return Err(Error::incomplete());
        }
        if self.is_busy(side).await {
            return Err(refused(IN_THE_WAY));
        }
        if state != "running" {
            return self.record_survey(side, record).await;
        }
        self.stand(side, DomainAction::Suspend).await?;
        let surveyed = self.record_survey(side, record).await;
        self.stand(side, DomainAction::Resume).await?;
        surveyed
    }

    /// Suspends or resumes the guest.
    async fn stand(&mut self, side: Side, act: DomainAction) -> Result<(), Error> {
        let stands = timeout(STANDS, self.act(side, act)).await;
        stands.unwrap_or_else(|_| Err(refused(IN_THE_WAY)))
    }
}

/// Whether this is a process that does not carry the domain's name: a daemon that has just begun asks others what
/// its host has, as `mdevctl`, and these end by themselves.
fn is_helper(found: &str, domain: &str) -> bool {
    found.starts_with("process ") && !found.contains(domain)
}

/// Whether a domain that is there for this reason waits for memory, or will never get it.
fn lacks_memory(reason: &str) -> bool {
    reason.starts_with("postcopy")
}

impl Error {
    /// Nothing is asked of a guest that waits for its memory.
    pub(crate) fn incomplete() -> Self {
        refused("memory of the guest is missing")
    }
}

/// A refusal of our own, which no code of libvirt's stands for.
fn refused(why: &str) -> Error {
    Error::Refused(Refusal {
        code: 0,
        domain: 0,
        message: why.to_owned(),
    })
}

/// What comes of some work, and how long this thread had other things to do meanwhile, or no processor: by so much its
/// timers came late.
async fn with_lateness<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let (since, late) = (Cell::new(Instant::now()), Cell::new(Duration::ZERO));
    let count = || {
        let beyond = since
            .replace(Instant::now())
            .elapsed()
            .saturating_sub(2 * TICK);
        late.set(late.get() + beyond);
    };
    let ticks = async {
        let mut ticks = Ticks::every(TICK);
        loop {
            ticks.tick().await;
            count();
        }
    };
    tokio::select! {
        done = work => {
            count();
            (done, late.get())
        }
        never = ticks => never,
    }
}
