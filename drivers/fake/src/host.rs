//! One host in memory: what it knows of the one domain, by libvirt's documented semantics.
//!
//! The words of states, reasons and events are those of `virDomainState`, its reasons, and
//! `virDomainEventType`.

use std::collections::BTreeMap;

use migratrix_contract::{Recorder, Subject, Uuid, Variant};
use migratrix_guest::{Registers, Survey};
use migratrix_history::{
    Document, DomainInfo, DomainState, Identity, JobStats, Observation, Refusal, Side,
};
use migratrix_matrix::{Activity, Arch, Persistence};

use crate::{
    document::{self, Told},
    guest::{Guest, Heartbeat},
    refusal,
};

/// A host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub side: Side,
    /// The UUID of the domain's persistent configuration, if it has one.
    pub config: Option<String>,
    /// The title that the configuration has got.
    pub title: Option<&'static str>,
    /// The running domain, if there is one.
    pub active: Option<Active>,
    /// The statistics of the last job.
    pub job: Option<JobStats>,
    /// What nobody will clear away.
    pub litter: Vec<String>,
    /// A guest that runs though no domain says so.
    pub ghost: Option<Guest>,
    /// Why the domain last stopped.
    pub stopped_by: &'static str,
    /// Whether the daemon answers.
    pub answers: bool,
}

/// A running domain.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    pub uuid: String,
    pub activity: Activity,
    pub reason: &'static str,
    pub hardware: Identity,
    pub told: Told,
    pub guest: Guest,
}

impl Active {
    pub fn runs(&self) -> bool {
        self.activity == Activity::Running
    }

    /// Lets its guest run, if it runs, and reads the lap counter before and after.
    pub fn heartbeat(&mut self) -> Heartbeat {
        let runs = self.runs();
        self.guest.heartbeat(runs)
    }

    pub fn turn(&mut self, activity: Activity, reason: &'static str) {
        self.activity = activity;
        self.reason = reason;
    }
}

impl Host {
    pub fn new(side: Side) -> Self {
        Self {
            side,
            config: None,
            title: None,
            active: None,
            job: None,
            litter: Vec::new(),
            ghost: None,
            stopped_by: "unknown",
            answers: true,
        }
    }

    /// Sends a life-cycle event.
    pub fn tell(&self, record: &mut Recorder, event: &str, detail: &str) {
        record.saw(Observation::Lifecycle {
            side: self.side,
            event: event.to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// `virDomainDefineXML`.
    pub fn define(&mut self, uuid: &str, record: &mut Recorder) -> Result<(), Refusal> {
        self.must_be_free_for(uuid)?;
        let detail = if self.config.is_some() {
            "updated"
        } else {
            "added"
        };
        self.config = Some(uuid.to_owned());
        self.title = None;
        self.tell(record, "defined", detail);
        Ok(())
    }

    /// `virDomainDefineXML`, of what is there with another title.
    pub fn rename(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        let uuid = self.config.clone().ok_or_else(refusal::no_domain)?;
        self.define(&uuid, record)?;
        self.title = Some("another");
        Ok(())
    }

    /// `virDomainUndefine`.
    pub fn undefine(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        match (self.config.take(), &self.active) {
            (Some(_), _) => {
                self.tell(record, "undefined", "removed");
                Ok(())
            }
            (None, Some(_)) => Err(refusal::invalid("cannot undefine transient domain")),
            (None, None) => Err(refusal::no_domain()),
        }
    }

    /// `virDomainCreateXML`, after `virDomainDefineXML` where it is to be persistent.
    pub fn start(
        &mut self,
        subject: &Subject,
        persistence: Persistence,
        variant: Variant,
        record: &mut Recorder,
    ) -> Result<(), Refusal> {
        if persistence == Persistence::Persistent {
            self.define(&subject.uuid, record)?;
        }
        self.must_be_free_for(&subject.uuid)?;
        if self.active.is_some() {
            return Err(refusal::invalid("domain is already active"));
        }
        self.active = Some(Active {
            uuid: subject.uuid.clone(),
            activity: Activity::Running,
            reason: "booted",
            hardware: hardware(subject, variant),
            told: Told::default(),
            guest: Guest::new(subject.guest),
        });
        self.tell(record, "started", "booted");
        Ok(())
    }

    /// `virDomainSuspend`: of a domain that is paused it is no news.
    pub fn suspend(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        let active = self.must_be_active()?;
        if active.runs() {
            active.turn(Activity::Paused, "user");
            self.tell(record, "suspended", "paused");
        }
        Ok(())
    }

    /// `virDomainResume`.
    pub fn resume(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        let active = self.must_be_active()?;
        if active.runs() {
            return Err(refusal::invalid("domain is already running"));
        }
        active.turn(Activity::Running, "unpaused");
        self.tell(record, "resumed", "unpaused");
        Ok(())
    }

    /// `virDomainDestroy`.
    pub fn destroy(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        self.must_be_active()?;
        self.stop("destroyed", "destroyed", record);
        Ok(())
    }

    /// The domain's QEMU dies.
    pub fn crash(&mut self, record: &mut Recorder) -> Result<(), Refusal> {
        self.must_be_active()?;
        self.stop("failed", "crashed", record);
        Ok(())
    }

    /// Destroys and undefines whatever is there; what stays behind all the same is litter.
    pub fn clear(&mut self, record: &mut Recorder) {
        if self.active.is_some() {
            self.stop("destroyed", "destroyed", record);
        }
        if self.config.take().is_some() {
            self.tell(record, "undefined", "removed");
        }
    }

    /// What it says of the domain's name.
    pub fn look(&self) -> DomainState {
        let persistent = self.config.is_some();
        match (&self.active, &self.config) {
            (Some(active), _) => DomainState::Present(DomainInfo {
                uuid: active.uuid.clone(),
                active: true,
                persistent,
                state: active.activity.word().to_owned(),
                reason: active.reason.to_owned(),
                identity: Some(active.hardware.clone()),
            }),
            (None, Some(uuid)) => DomainState::Present(DomainInfo {
                uuid: uuid.clone(),
                active: false,
                persistent,
                state: "shutoff".to_owned(),
                reason: self.stopped_by.to_owned(),
                identity: None,
            }),
            (None, None) => DomainState::Absent,
        }
    }

    /// What it gives of the domain.
    pub fn documents(&self) -> Vec<(Document, String)> {
        let kept = |uuid: &str| {
            let title = self.config.as_ref().and(self.title);
            (Document::Kept, document::kept(uuid, title))
        };
        match (&self.active, &self.config) {
            (Some(active), _) => {
                let Active {
                    uuid,
                    hardware,
                    told,
                    ..
                } = active;
                vec![
                    (Document::Live, document::live(uuid, hardware, *told)),
                    kept(uuid),
                    (Document::Machine, document::machine(hardware, *told)),
                ]
            }
            (None, Some(uuid)) => vec![kept(uuid)],
            (None, None) => Vec::new(),
        }
    }

    /// Samples the heartbeat of the domain's guest, or of one that should not be there.
    pub fn heartbeat(&mut self) -> Result<Heartbeat, Refusal> {
        match &mut self.ghost {
            Some(ghost) => Ok(ghost.heartbeat(true)),
            None => Ok(self.must_be_active()?.heartbeat()),
        }
    }

    /// The memory of its guest, which is held still for it, and where its processor stands.
    pub fn survey(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(Survey, Option<Registers>), Refusal> {
        self.suspend(record)?;
        let guest = &self.must_be_active()?.guest;
        Ok((guest.survey(), guest.registers()))
    }

    /// All that carries the domain's name.
    pub fn leftovers(&self, domain: &str) -> Vec<String> {
        let mut left = self.litter.clone();
        if self.active.is_some() {
            let emulator = Arch::default().emulator();
            left.push(format!("process {emulator} -name {domain}"));
        }
        if self.config.is_some() {
            left.push(format!("file /etc/libvirt/qemu/{domain}.xml"));
        }
        left
    }

    pub fn must_be_active(&mut self) -> Result<&mut Active, Refusal> {
        match (&mut self.active, &self.config) {
            (Some(active), _) => Ok(active),
            (None, Some(_)) => Err(refusal::invalid("domain is not running")),
            (None, None) => Err(refusal::no_domain()),
        }
    }

    /// A name belongs to one UUID.
    pub fn must_be_free_for(&self, uuid: &str) -> Result<(), Refusal> {
        let active = self.active.as_ref().map(|active| &active.uuid);
        let other = active
            .or(self.config.as_ref())
            .filter(|owner| *owner != uuid);
        other.map_or(Ok(()), |owner| Err(refusal::taken(owner)))
    }

    fn stop(&mut self, detail: &str, reason: &'static str, record: &mut Recorder) {
        self.active = None;
        self.stopped_by = reason;
        self.tell(record, "stopped", detail);
    }
}

/// The UUID that a configuration is to get.
pub(crate) fn uuid_of(subject: &Subject, uuid: Uuid) -> &str {
    match uuid {
        Uuid::Own => &subject.uuid,
        Uuid::Foreign => &subject.foreign_uuid,
    }
}

fn hardware(subject: &Subject, variant: Variant) -> Identity {
    let plain = [
        ("controller/pci/0", "pcie-root"),
        ("controller/virtio-serial/0", "0000:00:02.0"),
        ("disk/vda", "0000:00:03.0"),
        ("serial/0", "isa"),
    ];
    let extra = match variant {
        Variant::Plain | Variant::Titled => None,
        Variant::ExtraDevice => Some(("rng/0", "0000:00:04.0")),
    };
    let owned = |(key, address): (&str, &str)| (key.to_owned(), address.to_owned());
    let devices: BTreeMap<_, _> = plain.into_iter().chain(extra).map(owned).collect();
    Identity {
        machine: subject.machine.clone(),
        memory_kib: u64::from(subject.memory_mib) * 1024,
        vcpus: 1,
        processor: None,
        devices,
    }
}
