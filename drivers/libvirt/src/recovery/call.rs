//! The migration's call: begun, waited for, answered; and the plain one that is tried in the end.

use std::{sync::Arc, time::Duration};

use migratrix_client::wire::{DomainAction, Migration, Op, Said};
use migratrix_contract::Recorder;
use migratrix_history::{Deed, Observation, Outcome, Pending, Side, Silence};
use migratrix_matrix::{Call as Asking, Control, Scenario, Strike, Way};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{hold::POSTCOPY, inspect::NO_JOB, strike::Daemon};
use crate::{Client, Error, LibvirtDriver, slot::Role, ticks::Ticks};

/// After how many seconds a silent host is asked by the client, and how often: as the hosts themselves do.
const INTERVAL_S: u16 = 1;
const COUNT: u16 = 3;

/// How long what was asked for as a fault is waited for beside the call.
const LATE: Duration = Duration::from_secs(5);

/// How often it is looked whether nothing moves any more, how often in a row nothing may, and how long that
/// is waited for.
const SETTLES_EVERY: Duration = Duration::from_millis(60);
const SETTLED: u32 = 5;
const SETTLES: Duration = Duration::from_secs(10);

/// How long a silent host is missed by all its peers: they ask it once a second, and give it up after three
/// questions.
const MISSED: Duration = Duration::from_secs(6);

/// How long the plain migration may take.
const RETRIED: Duration = Duration::from_secs(30);

/// How long a postcopy that is broken off is looked at: its job stays.
const BROKEN_OFF: Duration = Duration::from_secs(2);

/// A request that was sent, and what came of it.
pub(super) struct Sent {
    began: Instant,
    task: JoinHandle<Result<Said, Error>>,
    answer: Option<(Duration, Result<(), Error>)>,
}

/// The call of a migration.
pub(crate) struct Call(pub(super) Sent);

/// What was asked for as a fault.
pub(crate) struct Asked {
    pub(super) sent: Sent,
    /// The word of the fault.
    pub(super) strike: &'static str,
    /// The word of the call.
    pub(super) call: &'static str,
    pub(super) side: Side,
}

impl Sent {
    pub(super) fn new(asks: impl Future<Output = Result<Said, Error>> + Send + 'static) -> Self {
        Self {
            began: Instant::now(),
            task: tokio::spawn(asks),
            answer: None,
        }
    }

    /// Waits for the answer, and no longer than this; says whether it is there.
    pub(super) async fn wait(&mut self, limit: Duration) -> bool {
        if self.answer.is_none() {
            if let Ok(ended) = timeout(limit, &mut self.task).await {
                let ended = ended.unwrap_or(Err(Error::NotBegun)).map(drop);
                self.answer = Some((self.began.elapsed(), ended));
            }
        }
        self.answer.is_some()
    }

    /// What came of it within this time.
    pub(super) async fn ended(&mut self, limit: Duration) -> Result<(), Error> {
        self.wait(limit).await;
        let (_, ended) = self.answer.take().ok_or_else(|| Error::Silent {
            asked: "migrate".to_owned(),
            patience: limit,
        })?;
        ended
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Call {
    /// Whether it was answered, as far as that was waited for.
    pub(super) const fn is_answered(&self) -> bool {
        self.0.answer.is_some()
    }
}

/// What libvirt answered, be it over a connection that is lost by now; an error where it did not.
pub(super) fn answered(ended: Result<(), Error>) -> Result<Outcome, Error> {
    match ended {
        Ok(()) => Ok(Outcome::Done),
        Err(Error::Refused(refusal) | Error::Lost(refusal)) => Ok(Outcome::Refused(refusal)),
        Err(error) => Err(error),
    }
}

/// Opens what a migration needs, and asks for it. What can't be opened is its answer.
async fn ask(
    client: Arc<Client>,
    uris: Vec<(Side, String)>,
    migration: Migration,
) -> Result<Said, Error> {
    for (side, uri) in uris {
        open(&client, side, uri).await?;
    }
    client.ask(Op::Migrate(migration)).await
}

/// Opens a connection to a host, which is missed when it is silent.
pub(super) async fn open(client: &Client, side: Side, uri: String) -> Result<(), Error> {
    client.ask(Op::Open { side, uri }).await?;
    let (interval_s, count) = (INTERVAL_S, COUNT);
    let keep_alive = Op::KeepAlive {
        side,
        interval_s,
        count,
    };
    client.ask(keep_alive).await.map(drop)
}

impl LibvirtDriver<'_> {
    /// Asks for the migration, by a client that does nothing else.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        let point = self.struck()?;
        self.ordeal.pass = 0;
        let migration = self.asking(point.control(), point.call());
        let relayed = self.ordeal.routes.management.as_ref();
        let destination = if point.strike == Strike::SameHost {
            Some(self.source.uri())
        } else {
            relayed.map(|route| route.uri.clone())
        };
        let sent = self.send(destination, migration)?;
        self.ordeal.call = Some(Call(sent));
        Ok(())
    }

    /// Sends a migration to a client of its own.
    pub(super) fn send(
        &mut self,
        destination: Option<String>,
        migration: Migration,
    ) -> Result<Sent, Error> {
        let client = self.slot.client_for(Role::Caller)?;
        let mut uris = vec![(Side::Source, self.source.uri())];
        match migration.control {
            Control::Normal => {
                let uri = destination.unwrap_or_else(|| self.destination.uri());
                uris.push((Side::Destination, uri));
            }
            Control::P2p | Control::Tunnelled => {}
        }
        Ok(Sent::new(ask(client, uris, migration)))
    }

    /// A migration that is asked for in this way, on the ways of the case.
    pub(super) fn asking(&self, control: Control, asking: Asking) -> Migration {
        let routes = &self.ordeal.routes;
        let peer = routes.management.as_ref().map(|route| route.uri.clone());
        let is_home = self
            .struck()
            .is_ok_and(|point| point.strike == Strike::SameHost);
        let straight = if is_home {
            &self.source
        } else {
            &self.destination
        };
        Migration {
            peer_uri: peer.unwrap_or_else(|| straight.peer_uri()),
            uri: match control {
                Control::Normal | Control::P2p => routes.data_uri(),
                Control::Tunnelled => None,
            },
            ..self.plainly(control, asking)
        }
    }

    /// Waits for the answer, and no longer than this.
    pub(super) async fn linger(
        &mut self,
        limit: Duration,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let is_silent = self.struck()?.strike.is_silence();
        let call = self.ordeal.call.as_mut().ok_or(Error::NotBegun)?;
        if is_silent {
            // Whoever misses the silent one first, the others are to miss it too.
            sleep_until(Instant::now() + MISSED.min(limit)).await;
            call.0.wait(Duration::ZERO).await;
        } else {
            call.0.wait(limit).await;
        }
        self.hear_asked(Duration::ZERO, record).await
    }

    /// Waits for the answer, and records it.
    pub(super) async fn end_call(
        &mut self,
        limit: Duration,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        self.hurry();
        let call = self.ordeal.call.as_mut().ok_or(Error::NotBegun)?;
        call.0.wait(limit).await;
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let unanswered = |within: Duration, because| Observation::Unanswered {
            within_us: us(within),
            because,
        };
        let saw = match call.0.answer.take() {
            None => unanswered(call.0.began.elapsed(), Silence::Deadline),
            Some((within, Err(Error::Ended(_)))) => {
                self.slot.give_up_for(Role::Caller).await;
                unanswered(within, Silence::CallerGone)
            }
            Some((within, ended)) => Observation::Answered {
                within_us: us(within),
                outcome: answered(ended)?,
            },
        };
        let is_over = !matches!(
            saw,
            Observation::Unanswered {
                because: Silence::Deadline,
                ..
            }
        );
        record.saw(saw);
        if is_over {
            self.ordeal.call = None;
        }
        self.hear_asked(LATE, record).await
    }

    /// Whether the call has been answered already.
    pub(super) fn is_over(&self) -> bool {
        let call = self.ordeal.call.as_ref();
        call.is_none_or(|call| call.is_answered() || call.0.task.is_finished())
    }

    /// Records what came of what was asked for as a fault, if it comes within this time.
    pub(super) async fn hear_asked(
        &mut self,
        limit: Duration,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let Some(asked) = self.ordeal.asked.as_mut() else {
            return Ok(());
        };
        if !asked.sent.wait(limit).await {
            return Ok(());
        }
        if let Some(mut asked) = self.ordeal.asked.take() {
            let (_, ended) = asked.sent.answer.take().ok_or(Error::NotBegun)?;
            record.saw(Observation::Struck {
                strike: asked.strike.to_owned(),
                side: Some(asked.side),
                began_us: record.at_us(asked.sent.began.into_std()),
                deed: Deed::Asked {
                    call: asked.call.to_owned(),
                    outcome: answered(ended)?,
                },
            });
        }
        Ok(())
    }

    /// Waits until nothing moves any more, or that has had its time.
    pub(super) async fn settle(&mut self, record: &mut Recorder) -> Result<(), Error> {
        self.hear_asked(LATE, record).await?;
        for side in Side::BOTH {
            self.revive(side, record).await?;
        }
        let patience = if self.is_postcopy() && !self.is_sending().await {
            BROKEN_OFF
        } else {
            SETTLES
        };
        // What never settles is told by the looks that follow.
        self.until_settled(Instant::now() + patience, record)
            .await?;
        self.ordeal.asked = None;
        self.ordeal.lifter = None;
        Ok(())
    }

    /// Waits until nothing moves. A daemon that dies by what was struck takes its time to be gone: it is looked for
    /// whenever it does not answer.
    async fn until_settled(
        &mut self,
        deadline: Instant,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let mut tick = Ticks::every(SETTLES_EVERY);
        let (mut before, mut alike) = (None, 0);
        while alike < SETTLED && Instant::now() < deadline {
            tick.tick().await;
            let both = async {
                let sides = [
                    self.rests(Side::Source).await,
                    self.rests(Side::Destination).await,
                ];
                (sides, self.is_sending().await)
            };
            let Ok((now, sends)) = timeout_at(deadline, both).await else {
                return Ok(());
            };
            let silent = Side::BOTH.into_iter().zip(&now);
            for (side, _) in silent.filter(|(_, rests)| rests.is_none()) {
                if self.revive(side, record).await? == Daemon::Gone {
                    return Ok(());
                }
            }
            let rests = now.iter().all(|side| matches!(side, Some((true, _))));
            let same = before.as_ref() == Some(&now);
            alike = if rests && same && !sends {
                alike + 1
            } else {
                0
            };
            before = Some(now);
        }
        Ok(())
    }

    /// Whether the source's QEMU is still sending a postcopy that was let go. Its daemon may have no job of that any more
    /// (qemuMigrationAnyPostcopyFailed).
    async fn is_sending(&self) -> bool {
        let point = self.struck();
        let is_let_go = point.is_ok_and(|point| point.way == Way::Documented);
        if !(is_let_go && self.is_postcopy()) {
            return false;
        }
        let standing = self.ordeal.monitors.standing().await;
        standing.is_ok_and(|it| it.status == POSTCOPY)
    }

    /// Whether no job of the domain is under way on a side, and its state; `None` where that is not answered.
    async fn rests(&mut self, side: Side) -> Option<(bool, Option<(String, String)>)> {
        let state = self.state(side).await.ok()?;
        if state.is_none() {
            return Some((true, None));
        }
        let job = self.job_of(side).await;
        let is_active = state.as_ref().is_some_and(|(state, _)| is_active(state));
        let comes_in = side == Side::Destination
            && state
                .as_ref()
                .is_some_and(|(state, reason)| comes_in(state, reason));
        let rests = match job {
            _ if comes_in || state.as_ref().is_some_and(|(state, _)| is_ending(state)) => false,
            Ok(Pending::Job { kind }) => kind == NO_JOB,
            // A domain that comes in is not asked for that, and one that does not run has no job.
            Ok(Pending::Refused { .. } | Pending::Absent) => !is_active,
            Err(_) => return None,
        };
        Some((rests, state))
    }

    /// Migrates once more, by a plain call.
    pub(super) async fn retry(&mut self) -> Result<(), Error> {
        if self.ordeal.call.take().is_some() {
            self.slot.give_up_for(Role::Caller).await;
        }
        let retry: Scenario = self.struck()?.retry();
        let migration = self.plainly(retry.control, retry.call(None));
        let mut sent = self.send(None, migration)?;
        match answered(sent.ended(RETRIED).await)? {
            Outcome::Done => Ok(()),
            Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
            Outcome::Unknown { why } => Err(Error::Bad(why)),
        }
    }

    /// Has something done to the domain on a side, and does not wait for it.
    pub(super) async fn send_act(&mut self, side: Side, act: DomainAction) -> Result<Sent, Error> {
        let client = self.on(side).await?;
        let domain = self.subject.domain.clone();
        Ok(Sent::new(async move {
            client.ask(Op::Domain { side, domain, act }).await
        }))
    }
}

/// Whether a state on a destination is that of a domain that is on its way there.
fn comes_in(state: &str, reason: &str) -> bool {
    state == "paused" && matches!(reason, "starting-up" | "migration")
}

/// Whether a state is that of a domain which is being shut down (`VIR_DOMAIN_SHUTDOWN`): its QEMU has gone, or is about
/// to, and its daemon, which sees to one such domain after the other, is still to stop it.
fn is_ending(state: &str) -> bool {
    state == "shutdown"
}

/// Whether a state is one of a domain that has a QEMU.
pub(super) fn is_active(state: &str) -> bool {
    !matches!(state, "shutoff" | "crashed")
}
