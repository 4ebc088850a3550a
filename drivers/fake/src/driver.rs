//! The driver: each step, done to the hosts in memory.

use std::future;

use migratrix_contract::{Driver, Litter, Migrate, Recorder, Step, Subject};
use migratrix_history::{
    Observation, Outcome, Refusal, Side, Stranger, Traffic, Verb, Versions, When,
};
use migratrix_matrix::{Activity, Persistence, Point};

use crate::{
    Defect, RecoveryDefect,
    corrupt::{age, last_page, no_job},
    document::{PLUGGED, VERSION},
    guest::CODE,
    host::{Host, uuid_of},
    migration::{Passage, sampled, tick},
    recovery::{Flight, LIBVIRT},
    refusal, traffic,
};

const CLIENT_DIED: &str = "the client process has died";

/// Two hosts in memory and a client, for one case.
#[derive(Debug)]
pub struct FakeDriver {
    pub(crate) subject: Subject,
    defect: Option<Defect>,
    pub(crate) source: Host,
    pub(crate) destination: Host,
    /// A migration that is struck on its way.
    pub(crate) flight: Flight,
    client_lives: bool,
    /// What the network has carried.
    pub(crate) traffic: Traffic,
    /// Connections that were made behind everybody's back, before the migration.
    strangers: Vec<Stranger>,
}

/// How a step goes in memory.
pub(crate) type Done = Result<(), Ending>;

/// How a step ends that is not done.
pub(crate) enum Ending {
    Refused(Refusal),
    Unknown(&'static str),
    Never,
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl FakeDriver {
    /// An honest one for a case, with nothing on its hosts.
    #[must_use]
    pub fn new(subject: &Subject) -> Self {
        Self {
            subject: subject.clone(),
            defect: None,
            source: Host::new(Side::Source),
            destination: Host::new(Side::Destination),
            flight: Flight::default(),
            client_lives: true,
            traffic: Traffic::default(),
            strangers: Vec::new(),
        }
    }

    /// The same, but it has a defect.
    #[must_use]
    pub fn committing(self, defect: Defect) -> Self {
        let defect = Some(defect);
        Self { defect, ..self }
    }

    fn commits(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub(crate) fn host(&mut self, side: Side) -> &mut Host {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    /// Whether the client lives and the daemons answer that the step asks. What is done behind the
    /// daemon's back needs neither.
    fn reaches(&mut self, step: &Step) -> Done {
        if matches!(step.verb(), Verb::Break | Verb::Leftovers) {
            return Ok(());
        }
        if !self.client_lives {
            return Err(Ending::Unknown(CLIENT_DIED));
        }
        let answers = match step.side() {
            Some(side) => self.host(side).answers,
            None => self.source.answers && self.destination.answers,
        };
        if answers { Ok(()) } else { Err(Ending::Never) }
    }

    fn obey(&mut self, step: &Step, record: &mut Recorder) -> Done {
        self.reaches(step)?;
        match *step {
            Step::Connect => record.saw(Observation::Versions(versions(&self.subject.point))),
            Step::Define(_, _) if self.commits(Defect::DefinesNothing) => {}
            Step::Define(side, uuid) => {
                let uuid = uuid_of(&self.subject, uuid).to_owned();
                self.host(side).define(&uuid, record)?;
            }
            Step::Rename(side) => self.host(side).rename(record)?,
            Step::Plug(side) => {
                self.host(side).must_be_active()?.told.plugged = Some(PLUGGED);
            }
            Step::Undefine(side) => self.host(side).undefine(record)?,
            Step::Start(side, persistence, variant) => {
                let subject = self.subject.clone();
                self.host(side)
                    .start(&subject, persistence, variant, record)?;
                self.forget_config(side, persistence);
            }
            Step::AwaitBeat(side) => self.await_beat(side)?,
            Step::Suspend(_) if self.commits(Defect::SuspendsInName) => {}
            Step::Suspend(side) => self.host(side).suspend(record)?,
            Step::Resume(side) => self.host(side).resume(record)?,
            Step::Destroy(side) => self.host(side).destroy(record)?,
            Step::Inspect(side, when) => self.look(side, when, record),
            Step::Beat(side, when) => {
                let heartbeat = self.host(side).heartbeat()?;
                sampled(side, when, heartbeat, record);
            }
            Step::Migrate(how) => self.migrate(how, record)?,
            Step::Job(side) => self.job(side, record)?,
            Step::Survey(side) => {
                let (survey, registers) = self.host(side).survey(record)?;
                record.saw(Observation::Memory {
                    side,
                    survey,
                    registers,
                });
            }
            Step::ReadRam(side, when) => {
                let ram = self.host(side).must_be_active()?.guest.rest();
                record.saw(Observation::Ram { side, when, ram });
            }
            Step::Clear(side) => self.host(side).clear(record),
            Step::Leftovers(side) => self.leftovers(side, record),
            Step::PokeByte(side) => self.host(side).must_be_active()?.guest.spoil(poke),
            Step::PokeRest(side) => {
                let guest = &mut self.host(side).must_be_active()?.guest;
                guest.change_rest(CODE + 1, Some(1));
            }
            Step::AgePage(side) => {
                let guest = &mut self.host(side).must_be_active()?.guest;
                guest.spoil(|bytes| age(last_page(bytes), 1));
            }
            Step::HaltGuest(side) => self.host(side).must_be_active()?.guest.halt(),
            Step::LeaveFile(side) => self.leave_file(side),
            Step::Leave(side, litter) => self.host(side).litter.push(told(litter)),
            Step::Approach(side) => self.strangers.push(traffic::stranger(side)),
            Step::StopDaemon(side) => self.host(side).answers = false,
            Step::KillQemu(side) => self.host(side).crash(record)?,
            Step::KillClient => self.client_lives = false,
            Step::Recovery(step) => self.recover(step, record)?,
            Step::Raw(_) | Step::Colo(_) | Step::Backup(_) => {
                return Err(Ending::Unknown("the hypervisor in memory has no QEMU"));
            }
        }
        Ok(())
    }

    fn forget_config(&mut self, side: Side, persistence: Persistence) {
        if self.commits(Defect::ForgetsConfig) && persistence == Persistence::Persistent {
            self.host(side).config = None;
        }
    }

    /// A guest that does not beat is awaited for ever.
    fn await_beat(&mut self, side: Side) -> Done {
        let heartbeat = self.host(side).heartbeat()?;
        if heartbeat.last > heartbeat.first {
            Ok(())
        } else {
            Err(Ending::Never)
        }
    }

    fn look(&mut self, side: Side, when: When, record: &mut Recorder) {
        if (side, when) == (Side::Source, When::Before)
            && self.betrays(RecoveryDefect::OtherStart)
            && let Some(active) = &mut self.source.active
        {
            active.turn(Activity::Paused, "user");
        }
        let look = self.host(side).look();
        record.saw(Observation::Domain { side, when, look });
        for (of, text) in self.host(side).documents() {
            record.describe(side, when, of, &text);
        }
    }

    fn migrate(&mut self, how: Migrate, record: &mut Recorder) -> Done {
        let (from, to) = (&mut self.source, &mut self.destination);
        let mut passage = Passage::honest(&self.subject, how, from, to)?;
        if let Some(defect) = self.defect {
            if let Some(ending) = instead(defect) {
                return ending;
            }
            passage.corrupt(defect);
        }
        self.traffic = passage.traffic.clone();
        self.traffic.strangers.append(&mut self.strangers);
        passage.enact(from, to, record);
        Ok(())
    }

    fn job(&mut self, side: Side, record: &mut Recorder) -> Result<(), Refusal> {
        let host = self.host(side);
        if host.active.is_none() && host.config.is_none() {
            return Err(refusal::no_domain());
        }
        let job = host.job.clone().unwrap_or_else(no_job);
        record.saw(Observation::Job { side, job });
        Ok(())
    }

    fn leftovers(&mut self, side: Side, record: &mut Recorder) {
        let domain = self.subject.domain.clone();
        let left = self.host(side).leftovers(&domain);
        record.saw(Observation::Leftovers { side, left });
        if side == Side::Destination {
            record.saw(Observation::Traffic(self.traffic.clone()));
        }
    }

    fn leave_file(&mut self, side: Side) {
        let file = format!("file /var/lib/libvirt/qemu/{}", self.subject.domain);
        self.host(side).litter.push(file);
    }
}

impl Driver for FakeDriver {
    async fn perform(&mut self, step: &Step, record: &mut Recorder) -> Outcome {
        tick(record);
        let ending = self.obey(step, record);
        tick(record);
        match ending {
            Ok(()) => Outcome::Done,
            Err(Ending::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Ending::Unknown(why)) => Outcome::Unknown {
                why: why.to_owned(),
            },
            Err(Ending::Never) => future::pending().await,
        }
    }

    /// A new client is there for the next step, and a new host for each whose daemon is silent.
    async fn abandon(&mut self, record: &mut Recorder) {
        self.client_lives = true;
        for side in [Side::Source, Side::Destination] {
            if !self.host(side).answers {
                *self.host(side) = Host::new(side);
                record.saw(Observation::HostLost {
                    side,
                    why: "its daemon does not answer".to_owned(),
                    instance: String::new(),
                });
            }
        }
    }
}

/// How the defects end that are committed instead of a migration.
fn instead(defect: Defect) -> Option<Done> {
    const ENDINGS: [(Defect, fn() -> Done); 4] = [
        (Defect::SaysDoneWithoutMigrating, || Ok(())),
        (Defect::RefusesWithoutReason, || {
            Err(refusal::unreasoned().into())
        }),
        (Defect::HangsInMigrate, || Err(Ending::Never)),
        (Defect::CrashesClient, || Err(Ending::Unknown(CLIENT_DIED))),
    ];
    let found = ENDINGS.iter().find(|(one, _)| *one == defect);
    found.map(|(_, ending)| ending())
}

/// What is left, in the words of an inventory.
fn told(litter: Litter) -> String {
    match litter {
        Litter::UuidFile => "file /var/lib/libvirt/qemu/6d780000".to_owned(),
        Litter::Listener => "port 49215 of process 7".to_owned(),
        Litter::Copy => "process 7: qemu -name guest=other".to_owned(),
    }
}

/// Changes one byte of a mark.
fn poke(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(5) {
        *byte ^= 0xff;
    }
}

/// What a struck migration comes to is told by the version of libvirt.
const fn versions(point: &Point) -> Versions {
    let libvirt = match point {
        Point::Recovery(_) => LIBVIRT,
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
            VERSION
        }
    };
    Versions {
        client: Some(libvirt),
        source_libvirt: Some(libvirt),
        source_qemu: Some(VERSION),
        destination_libvirt: Some(libvirt),
        destination_qemu: Some(VERSION),
    }
}
