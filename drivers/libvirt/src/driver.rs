//! One case on libvirt: steps become requests.

use std::{collections::HashMap, ffi::OsString, sync::Arc, time::Duration};

use migratrix_client::wire::{Detail, DomainAction, EventKind, HostFacts, Op, Said, Seen};
use migratrix_contract::{
    Deadlines, Driver, GuestMemory, Host, Owner, Recorder, Step, Subject, Uuid, Variant,
};
use migratrix_history::{Observation, Outcome, Side, Versions, When};
use migratrix_matrix::{Libvirts, Persistence, Version};

use crate::{
    Client, Error, Slot,
    beat::{Heartbeat, until_told},
    client::done,
    domain_xml, image,
    listener::{Events, observed},
    recovery::{Ordeal, own_image},
    xml::console,
};

/// Drives one case. See [`Slot`] for what outlives it.
pub struct LibvirtDriver<'a> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) source: Arc<dyn Host>,
    pub(crate) destination: Arc<dyn Host>,
    pub(crate) subject: Subject,
    /// What describes the checkpoints of a chain of backups.
    pub(crate) kept: Vec<String>,
    /// How the hosts described the domain, in the order in which they were asked.
    pub(crate) described: Vec<(Side, When, String)>,
    /// How long the hosts may take to be rid of a domain that was cleared away.
    pub(crate) patience: Duration,
    /// What the hosts tell of the domain.
    pub(crate) events: Events,
    /// The number of the process that was the domain's QEMU when it was looked for last.
    pub(crate) qemus: HashMap<Side, OsString>,
    /// The memory of the domain's guest, where it was found last.
    pub(crate) memories: HashMap<Side, Arc<GuestMemory>>,
    /// What the last look saw of the domain, since which nothing was done to it.
    pub(crate) last_looks: HashMap<Side, LastLook>,
    /// What a migration that is struck has under way.
    pub(crate) ordeal: Ordeal,
    /// The versions of libvirt that take part, once it is connected.
    pub(crate) libvirts: Libvirts,
    opened: HashMap<Side, HostFacts>,
}

/// What a look saw of a domain.
#[derive(Clone, Copy)]
pub(crate) struct LastLook {
    pub(crate) active: bool,
    pub(crate) runs: bool,
}

impl<'a> LibvirtDriver<'a> {
    /// A driver for one case, whose client process is that of `slot`.
    #[must_use]
    pub fn new(
        slot: &'a mut Slot,
        source: Arc<dyn Host>,
        destination: Arc<dyn Host>,
        mut subject: Subject,
    ) -> Self {
        slot.reap();
        own_image(&mut subject);
        Self {
            ordeal: Ordeal::of(&source, &destination, &subject.domain),
            libvirts: Libvirts::default(),
            events: slot.listener.events(&subject.domain),
            slot,
            source,
            destination,
            subject,
            kept: Vec::new(),
            described: Vec::new(),
            patience: Deadlines::default().clear,
            qemus: HashMap::new(),
            memories: HashMap::new(),
            last_looks: HashMap::new(),
            opened: HashMap::new(),
        }
    }

    /// The same driver, whose hosts may take so long to be rid of a domain that was cleared away.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same driver, whose hosts no other case is on.
    #[must_use]
    pub const fn alone_on_its_hosts(mut self) -> Self {
        self.ordeal.alone = true;
        self
    }

    /// The XML of the domain, as each host gave it and at which moment of the case.
    pub fn descriptions(&mut self) -> impl Iterator<Item = (Side, When, String)> {
        std::mem::take(&mut self.described).into_iter()
    }

    async fn step(&mut self, step: &Step, record: &mut Recorder) -> Result<(), Error> {
        match *step {
            Step::Connect => self.connect(record).await,
            Step::Define(side, uuid) => self.define(side, uuid).await,
            Step::Rename(side) => {
                let xml = domain_xml(&self.subject, &self.subject.uuid, Variant::Titled);
                done(self.on(side).await?, Op::Define { side, xml }).await
            }
            Step::Undefine(side) => self.act(side, DomainAction::Undefine).await,
            Step::Start(side, persistence, variant) => self.start(side, persistence, variant).await,
            Step::AwaitBeat(side) => {
                if let Some(console) = self.host(side).path(&console(&self.subject)) {
                    until_told(&console).await;
                    return Ok(());
                }
                self.heartbeat(side).await?.until_lapped().await
            }
            Step::Suspend(side) => self.act(side, DomainAction::Suspend).await,
            Step::Resume(side) => self.act(side, DomainAction::Resume).await,
            Step::Destroy(side) => self.act(side, DomainAction::Destroy).await,
            Step::Inspect(side, when) => self.look(side, when, record).await,
            Step::Beat(side, when) => self.beat(side, when, record).await,
            Step::Migrate(how) => self.migrate(how, record).await,
            Step::Job(side) => self.job(side, record).await,
            Step::Survey(side) => self.survey(side, record).await,
            Step::ReadRam(side, when) => self.read_ram(side, when, record).await,
            Step::Clear(side) => self.clear(side).await,
            Step::Leftovers(side) => self.leftovers(side, record).await,
            Step::PokeByte(_)
            | Step::PokeRest(_)
            | Step::AgePage(_)
            | Step::HaltGuest(_)
            | Step::LeaveFile(_)
            | Step::Leave(..)
            | Step::Plug(_)
            | Step::Approach(_)
            | Step::StopDaemon(_)
            | Step::KillQemu(_)
            | Step::KillClient => self.break_on_purpose(step, record).await,
            Step::Backup(step) => self.chain(step, record).await,
            Step::Recovery(step) => self.recover(step, record).await,
            Step::Raw(_) | Step::Colo(_) => Err(Error::Foreign(step.to_string())),
        }
    }

    /// The client, with the host of `side` open in it.
    pub(crate) async fn on(&mut self, side: Side) -> Result<Arc<Client>, Error> {
        let client = self.slot.client()?;
        if !self.opened.contains_key(&side) {
            let uri = self.host(side).uri();
            self.events.listen(side, &uri).await?;
            let open = Op::Open { side, uri };
            let Said::Host(facts) = client.ask(open).await? else {
                return Err(Error::Malformed("open"));
            };
            self.opened.insert(side, facts);
        }
        Ok(client)
    }

    /// Has the connection to a side be opened anew when it is wanted next: its host was away.
    pub(crate) fn forget(&mut self, side: Side) {
        self.opened.remove(&side);
        self.last_looks.remove(&side);
    }

    pub(crate) fn host(&self, side: Side) -> &Arc<dyn Host> {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    fn owner(&self) -> Owner {
        let Subject {
            domain,
            uuid,
            foreign_uuid,
            ..
        } = &self.subject;
        Owner {
            domain: domain.clone(),
            uuids: [uuid.clone(), foreign_uuid.clone()],
        }
    }

    async fn connect(&mut self, record: &mut Recorder) -> Result<(), Error> {
        for side in [Side::Source, Side::Destination] {
            self.host(side).enter(&self.owner());
            image::provide(&**self.host(side), &self.subject)?;
            self.provide_disk(side).await?;
            self.on(side).await?;
            self.host(side).settle(&self.owner());
        }
        let own = self.slot.version().await?;
        let of = |side, number: fn(&HostFacts) -> u64| {
            let facts = self.opened.get(&side);
            facts.map(|facts| Version::from_libvirt(number(facts)))
        };
        let versions = Versions {
            client: Some(Version::from_libvirt(own)),
            source_libvirt: of(Side::Source, |facts| facts.libvirt),
            source_qemu: of(Side::Source, |facts| facts.hypervisor),
            destination_libvirt: of(Side::Destination, |facts| facts.libvirt),
            destination_qemu: of(Side::Destination, |facts| facts.hypervisor),
        };
        self.libvirts = Libvirts {
            client: versions.client,
            source: versions.source_libvirt,
            destination: versions.destination_libvirt,
        };
        record.saw(Observation::Versions(versions));
        Ok(())
    }

    async fn define(&mut self, side: Side, uuid: Uuid) -> Result<(), Error> {
        let uuid = match uuid {
            Uuid::Own => &self.subject.uuid,
            Uuid::Foreign => &self.subject.foreign_uuid,
        };
        let xml = domain_xml(&self.subject_on(side), uuid, Variant::Plain);
        done(self.on(side).await?, Op::Define { side, xml }).await
    }

    async fn start(
        &mut self,
        side: Side,
        persistence: Persistence,
        variant: Variant,
    ) -> Result<(), Error> {
        let xml = domain_xml(&self.subject, &self.subject.uuid, variant);
        let client = self.on(side).await?;
        match persistence {
            Persistence::Persistent => {
                done(client, Op::Define { side, xml }).await?;
                self.act(side, DomainAction::Create).await
            }
            Persistence::Transient => {
                let paused = false;
                done(client, Op::CreateXml { side, xml, paused }).await
            }
        }
    }

    pub(crate) async fn act(&mut self, side: Side, act: DomainAction) -> Result<(), Error> {
        let domain = self.subject.domain.clone();
        self.act_on(side, domain, act).await
    }

    /// Has something done to a domain that need not be the case's own.
    pub(crate) async fn act_on(
        &mut self,
        side: Side,
        domain: String,
        act: DomainAction,
    ) -> Result<(), Error> {
        done(self.on(side).await?, Op::Domain { side, domain, act }).await
    }

    pub(crate) async fn heartbeat(&mut self, side: Side) -> Result<Heartbeat, Error> {
        let client = self.on(side).await?;
        // Where it is not known to be active the host is asked, which says so.
        let is_active = self.last_looks.get(&side).is_some_and(|look| look.active);
        let memory = is_active.then(|| self.memory(side).ok()).flatten();
        Ok(Heartbeat::new(client, side, &self.subject, memory))
    }

    /// Destroys and undefines what is there.
    async fn clear(&mut self, side: Side) -> Result<(), Error> {
        if let Some(seen) = self.seen(side, Detail::State).await? {
            if seen.active {
                self.rid_of(side, DomainAction::Destroy, |seen| seen.active)
                    .await?;
            }
            if seen.persistent {
                self.rid_of(side, DomainAction::Undefine, |seen| seen.persistent)
                    .await?;
            }
        }
        self.remove_disks(side)
    }

    /// Does `act`, so that the domain `is` no longer so. What has come to that by itself meanwhile,
    /// or has vanished, is as we want it.
    async fn rid_of(
        &mut self,
        side: Side,
        act: DomainAction,
        is: fn(&Seen) -> bool,
    ) -> Result<(), Error> {
        let Err(refused) = self.act(side, act).await else {
            return Ok(());
        };
        let left = self.seen(side, Detail::State).await?;
        left.is_none_or(|seen| !is(&seen))
            .then_some(())
            .ok_or(refused)
    }

    /// Records the events that have come. Where no more will, what is done is not seen as a whole.
    pub(crate) fn record_events(&mut self, record: &mut Recorder) -> Result<(), Error> {
        while let Some((at, side, what)) = self.events.arrived()? {
            if let (Side::Source, EventKind::Iteration(pass)) = (side, &what) {
                self.ordeal.pass = *pass;
            }
            record.saw_at(at, observed(side, what));
        }
        Ok(())
    }
}

/// Whether a step leaves the guest as it was.
const fn only_looks(step: &Step) -> bool {
    matches!(
        step,
        Step::Inspect(..) | Step::Beat(..) | Step::ReadRam(..) | Step::Job(_)
    )
}

impl Drop for LibvirtDriver<'_> {
    fn drop(&mut self) {
        for side in Side::BOTH {
            self.host(side).leave(&self.subject.domain);
        }
    }
}

impl Driver for LibvirtDriver<'_> {
    async fn perform(&mut self, step: &Step, record: &mut Recorder) -> Outcome {
        let before = self.record_events(record);
        let done = self.step(step, record).await;
        if !only_looks(step) {
            self.last_looks.clear();
        }
        let after = self.record_events(record);
        done.and(before)
            .and(after)
            .map_or_else(Outcome::from, |()| Outcome::Done)
    }

    async fn abandon(&mut self, record: &mut Recorder) {
        let _unseen = self.record_events(record);
        self.opened.clear();
        self.last_looks.clear();
        self.slot.give_up().await;
    }
}
