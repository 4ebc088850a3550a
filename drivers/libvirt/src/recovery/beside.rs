//! Other guests that migrate while the case's own is held.

use std::{
    iter::zip,
    sync::Arc,
    time::{Duration, Instant},
};

use migratrix_client::wire::{DomainAction, Migration, Op, Said};
use migratrix_contract::{Recorder, Subject, Variant, other_name};
use migratrix_history::{CallBeside, Deed, Glimpse, Observation, Outcome, Side};
use migratrix_matrix::{Companion, Control, Fate, HELD_BANDWIDTH_MIB, Strike};
use tokio::{
    task::JoinSet,
    time::{Instant as Deadline, timeout_at},
};

use super::{
    LOOK_EVERY,
    call::{answered, open},
};
use crate::{
    Client, Error, LibvirtDriver, beat::until_told, client::done, domain_xml, slot::Role,
    ticks::Ticks, xml::console,
};

/// How long all of them may take together.
const MIGRATE: Duration = Duration::from_secs(20);

/// How many of them one client asks for: fewer than a daemon hears from one connection at a time
/// (`max_client_requests`, 5 as libvirt is packaged), so that it still hears its keepalive.
const EACH_CLIENT: usize = 3;

/// `VIR_ERR_NO_DOMAIN` and `VIR_ERR_OPERATION_INVALID`: there is no such domain, or it does not run.
const GONE: [i32; 2] = [42, 55];

/// Those of one case.
#[derive(Default)]
pub(crate) struct Gathered {
    guests: Vec<Guest>,
    clients: Vec<Arc<Client>>,
}

/// One of them.
struct Guest {
    companion: Companion,
    subject: Subject,
}

impl Gathered {
    /// The client that asks for the migration of this guest; an error where they did not all start.
    fn client_of(&self, number: usize) -> Result<&Arc<Client>, Error> {
        self.clients
            .get(number / EACH_CLIENT)
            .ok_or(Error::NotBegun)
    }
}

/// Which of them was asked to migrate, when that was answered, and what.
type Answered = (usize, Instant, Result<Said, Error>);

impl LibvirtDriver<'_> {
    /// Starts them, and waits until they run; and opens the connections that they are migrated over. They are paused until
    /// they are wanted, so that the case's own guest has the cores until its moment is seen.
    pub(super) async fn gather(&mut self) -> Result<(), Error> {
        let point = self.struck()?;
        let companions = point.strike.companions();
        for (number, companion) in zip(0.., companions) {
            let subject = self.beside(number);
            let (side, paused) = (companion.from, false);
            let xml = domain_xml(&subject, &subject.uuid, Variant::Plain);
            let console = self.path(side, &console(&subject))?;
            let domain = subject.domain.clone();
            self.ordeal.gathered.guests.push(Guest {
                companion: *companion,
                subject,
            });
            done(self.on(side).await?, Op::CreateXml { side, xml, paused }).await?;
            until_told(&console).await;
            self.act_on(side, domain, DomainAction::Suspend).await?;
        }
        for (number, each) in companions.chunks(EACH_CLIENT).enumerate() {
            let client = self.slot.client_for(Role::Beside(number))?;
            for side in Side::BOTH {
                // Each client has guests of one host, which is the source to it.
                let from = each.iter().any(|one| one.from == Side::Source);
                let host = self.host(if from { side } else { side.other() });
                let (uri, is_asked) = (host.uri(), side == Side::Source);
                if is_asked || point.control() == Control::Normal {
                    open(&client, side, uri).await?;
                }
            }
            self.ordeal.gathered.clients.push(client);
        }
        Ok(())
    }

    /// A plain domain that is like the case's own, under a name and a UUID of its own.
    fn beside(&self, number: u8) -> Subject {
        let name = format!("{}-{number}", other_name(&self.subject.domain));
        let mut subject = self.other(&name);
        // The last digits tell the cases of a run apart, and these are the same in all.
        let foreign = self.subject.foreign_uuid.chars();
        let own = format!("{:02x}", number + 1);
        let (start, end) = (foreign.clone().take(6), foreign.skip(8));
        subject.uuid = start.chain(own.chars()).chain(end).collect();
        subject
    }

    /// How one of them is migrated: with no bound, or so slowly that it can be cancelled.
    fn migration_beside(&self, guest: &Guest) -> Result<Migration, Error> {
        let point = self.struck()?;
        let bound = match guest.companion.fate {
            Fate::Arrives => None,
            Fate::Cancelled => Some(HELD_BANDWIDTH_MIB),
        };
        let to = self.host(guest.companion.from.other());
        Ok(Migration {
            domain: guest.subject.domain.clone(),
            peer_uri: to.peer_uri(),
            ..self.plainly(point.control(), point.retry().call(bound))
        })
    }

    /// Has all of them run.
    async fn wake(&mut self) -> Result<(), Error> {
        let guests = self.ordeal.gathered.guests.iter();
        let asleep: Vec<(Side, String)> = guests
            .map(|guest| (guest.companion.from, guest.subject.domain.clone()))
            .collect();
        for (side, domain) in asleep {
            self.act_on(side, domain, DomainAction::Resume).await?;
        }
        Ok(())
    }

    /// Asks for the migration of all of them at once, cancels some, and waits until they have ended.
    pub(super) async fn migrate_beside(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let deadline = Deadline::now() + MIGRATE;
        let began_us = record.at_us(Instant::now());
        self.wake().await?;
        let (mut calls, mut cancels) = (JoinSet::new(), JoinSet::new());
        for number in 0..self.ordeal.gathered.guests.len() {
            let guest = &self.ordeal.gathered.guests[number];
            let migration = self.migration_beside(guest)?;
            let client = Arc::clone(self.ordeal.gathered.client_of(number)?);
            calls.spawn(async move {
                let said = client.ask(Op::Migrate(migration)).await;
                (number, Instant::now(), said)
            });
            let (companion, domain) = (guest.companion, guest.subject.domain.clone());
            if companion.fate == Fate::Cancelled {
                let client = self.on(companion.from).await?;
                cancels.spawn(cancel(client, companion.from, domain));
            }
        }
        let mut guests = self.calls_beside(began_us);
        while let Ok(Some(Ok(told))) = timeout_at(deadline, calls.join_next()).await {
            heard(&mut guests, told, record)?;
        }
        while let Some(Ok(refused)) = cancels.try_join_next() {
            if let Err(error) = refused {
                let text = format!("a guest beside it could not be cancelled: {error}");
                record.saw(Observation::Note { text });
            }
        }
        record.saw(Observation::Struck {
            strike: strike.word().to_owned(),
            side: None,
            began_us,
            deed: Deed::Beside { guests },
        });
        Ok(())
    }

    /// The calls of all of them, which are not answered yet.
    fn calls_beside(&self, began_us: u64) -> Vec<CallBeside> {
        let guests = self.ordeal.gathered.guests.iter();
        let calls = guests.map(|guest| CallBeside {
            from: guest.companion.from,
            began_us,
            ended_us: None,
            outcome: Outcome::Unknown {
                why: format!("not answered within {} s", MIGRATE.as_secs()),
            },
        });
        calls.collect()
    }

    /// Records how each of them stands on both sides.
    pub(super) async fn look_beside(&mut self, record: &mut Recorder) -> Result<(), Error> {
        let domains = self.ordeal.gathered.guests.iter();
        let domains: Vec<String> = domains.map(|guest| guest.subject.domain.clone()).collect();
        for (guest, domain) in zip(0.., domains) {
            let source = self.glimpse(Side::Source, &domain).await?;
            let destination = self.glimpse(Side::Destination, &domain).await?;
            record.saw(Observation::Beside {
                guest,
                source,
                destination,
            });
        }
        Ok(())
    }

    async fn glimpse(&mut self, side: Side, domain: &str) -> Result<Glimpse, Error> {
        let said = self.state_of(side, domain.to_owned()).await?;
        let state = |(state, reason)| Glimpse::State { state, reason };
        Ok(said.map_or(Glimpse::Absent, state))
    }

    /// Has nothing of them left on either side.
    pub(super) async fn dismiss(&mut self) -> Result<(), Error> {
        let clients = self.ordeal.gathered.clients.drain(..).len();
        for number in 0..clients {
            self.slot.give_up_for(Role::Beside(number)).await;
        }
        let guests = self.ordeal.gathered.guests.iter();
        let subjects: Vec<Subject> = guests.map(|guest| guest.subject.clone()).collect();
        while self.destroy(&subjects).await? {}
        for (side, subject) in on_both(&subjects) {
            self.remove_file(side, &console(subject))?;
        }
        self.ordeal.gathered.guests.clear();
        Ok(())
    }

    /// Destroys what is there of these on either side, all at once: a QEMU that stamps memory takes a while to end. Says
    /// whether anything was.
    async fn destroy(&mut self, subjects: &[Subject]) -> Result<bool, Error> {
        let mut destroyed = JoinSet::new();
        for (side, subject) in on_both(subjects) {
            let domain = subject.domain.clone();
            if self.glimpse(side, &domain).await? != Glimpse::Absent {
                let (client, act) = (self.on(side).await?, DomainAction::Destroy);
                destroyed
                    .spawn(async move { done(client, Op::Domain { side, domain, act }).await });
            }
        }
        let were_there = !destroyed.is_empty();
        let answers = destroyed.join_all().await;
        answers.into_iter().try_for_each(gone_meanwhile)?;
        Ok(were_there)
    }
}

/// That one is not destroyed which has ended, or went to the other side, is nothing: the next look tells.
fn gone_meanwhile(answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(Error::Refused(refusal)) if GONE.contains(&refusal.code) => Ok(()),
        other => other,
    }
}

/// Each of them, on both sides.
fn on_both(subjects: &[Subject]) -> impl Iterator<Item = (Side, &Subject)> {
    let both = subjects
        .iter()
        .map(|one| Side::BOTH.map(|side| (side, one)));
    both.flatten()
}

/// Takes down an answer.
fn heard(
    guests: &mut [CallBeside],
    (number, at, said): Answered,
    record: &Recorder,
) -> Result<(), Error> {
    let Some(call) = guests.get_mut(number) else {
        return Ok(());
    };
    call.ended_us = Some(record.at_us(at));
    call.outcome = answered(said.map(drop))?;
    Ok(())
}

/// Cancels a migration once it sends memory: before, libvirt may have no job of it.
async fn cancel(client: Arc<Client>, side: Side, domain: String) -> Result<(), Error> {
    let mut tick = Ticks::every(LOOK_EVERY);
    loop {
        tick.tick().await;
        let domain = domain.clone();
        let said = client.ask(Op::Progress { side, domain }).await?;
        if matches!(said, Said::Job(job) if job.memory_processed.is_some_and(|bytes| bytes > 0)) {
            break;
        }
    }
    let act = DomainAction::AbortJob;
    done(client, Op::Domain { side, domain, act }).await
}
