//! The driver: each step, done to the hosts in memory.

use std::future;

use migratrix_contract::{Driver, Migrate, Recorder, Step, Subject};
use migratrix_history::{Observation, Outcome, Refusal, Side, Verb, Versions, When};
use migratrix_matrix::{Persistence, Version};

use crate::{
    Crime,
    corrupt::no_job,
    host::{Host, uuid_of},
    migration::{Passage, beat, tick},
    refusal,
};

/// The version that the fake gives for all that it stands for.
const VERSION: Option<Version> = Some(Version::new(1, 0, 0));

const CLIENT_DIED: &str = "the client process has died";

/// Two hosts in memory and a client, for one case.
#[derive(Debug)]
pub struct FakeDriver {
    subject: Subject,
    crime: Option<Crime>,
    source: Host,
    destination: Host,
    client_lives: bool,
}

/// How a step goes in memory.
type Done = Result<(), Ending>;

/// How a step ends that is not done.
enum Ending {
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
            crime: None,
            source: Host::new(Side::Source),
            destination: Host::new(Side::Destination),
            client_lives: true,
        }
    }

    /// The same, but it commits a crime.
    #[must_use]
    pub fn committing(self, crime: Crime) -> Self {
        let crime = Some(crime);
        Self { crime, ..self }
    }

    fn commits(&self, crime: Crime) -> bool {
        self.crime == Some(crime)
    }

    fn host(&mut self, side: Side) -> &mut Host {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    /// Whether the client lives and the daemons answer that the step asks. What is done behind the
    /// daemon's back needs neither.
    fn reaches(&mut self, step: &Step) -> Done {
        if matches!(step.verb(), Verb::Break | Verb::Residue) {
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
            Step::Connect => record.saw(Observation::Versions(versions())),
            Step::Define(_, _) if self.commits(Crime::DefinesNothing) => {}
            Step::Define(side, uuid) => {
                let uuid = uuid_of(&self.subject, uuid).to_owned();
                self.host(side).define(&uuid, record)?;
            }
            Step::Undefine(side) => self.host(side).undefine(record)?,
            Step::Start(side, persistence, variant) => {
                let subject = self.subject.clone();
                self.host(side)
                    .start(&subject, persistence, variant, record)?;
                self.forget_config(side, persistence);
            }
            Step::AwaitBeat(side) => self.await_beat(side)?,
            Step::Suspend(_) if self.commits(Crime::SuspendsInName) => {}
            Step::Suspend(side) => self.host(side).suspend(record)?,
            Step::Resume(side) => self.host(side).resume(record)?,
            Step::Destroy(side) => self.host(side).destroy(record)?,
            Step::Look(side, when) => self.look(side, when, record),
            Step::Beat(side, when) => {
                let pulse = self.host(side).pulse()?;
                record.saw(beat(side, when, pulse));
            }
            Step::Migrate(how) => self.migrate(how, record)?,
            Step::Job(side) => self.job(side, record)?,
            Step::Survey(side) => {
                let survey = self.host(side).survey(record)?;
                record.saw(Observation::Memory { side, survey });
            }
            Step::Clear(side) => self.host(side).clear(record),
            Step::Residue(side) => self.residue(side, record),
            Step::PokeByte(side) => self.host(side).must_be_active()?.guest.spoil(poke),
            Step::HaltGuest(side) => self.host(side).must_be_active()?.guest.halt(),
            Step::LeaveFile(side) => self.leave_file(side),
            Step::StopDaemon(side) => self.host(side).answers = false,
            Step::KillQemu(side) => self.host(side).crash(record)?,
            Step::KillClient => self.client_lives = false,
            Step::Raw(_) | Step::Colo(_) | Step::Backup(_) => {
                return Err(Ending::Unknown("the hypervisor in memory has no QEMU"));
            }
        }
        Ok(())
    }

    fn forget_config(&mut self, side: Side, persistence: Persistence) {
        if self.commits(Crime::ForgetsConfig) && persistence == Persistence::Persistent {
            self.host(side).config = None;
        }
    }

    /// A guest that does not beat is awaited for ever.
    fn await_beat(&mut self, side: Side) -> Done {
        let pulse = self.host(side).pulse()?;
        if pulse.last > pulse.first {
            Ok(())
        } else {
            Err(Ending::Never)
        }
    }

    fn look(&mut self, side: Side, when: When, record: &mut Recorder) {
        let look = self.host(side).look();
        record.saw(Observation::Domain { side, when, look });
    }

    fn migrate(&mut self, how: Migrate, record: &mut Recorder) -> Done {
        let (from, to) = (&mut self.source, &mut self.destination);
        let mut passage = Passage::honest(&self.subject, how, from, to)?;
        if let Some(crime) = self.crime {
            if let Some(ending) = instead(crime) {
                return ending;
            }
            passage.corrupt(crime);
        }
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

    fn residue(&mut self, side: Side, record: &mut Recorder) {
        let domain = self.subject.domain.clone();
        let left = self.host(side).residue(&domain);
        record.saw(Observation::Residue { side, left });
    }

    fn leave_file(&mut self, side: Side) {
        let file = format!("file /var/lib/libvirt/qemu/{}", self.subject.domain);
        self.host(side).litter.push(file);
    }
}

impl Driver for FakeDriver {
    async fn perform(&mut self, step: &Step, record: &mut Recorder) -> Outcome {
        tick();
        let ending = self.obey(step, record);
        tick();
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

/// How the crimes end that are committed instead of a migration.
fn instead(crime: Crime) -> Option<Done> {
    const ENDINGS: [(Crime, fn() -> Done); 4] = [
        (Crime::SaysDoneWithoutMigrating, || Ok(())),
        (Crime::RefusesWithoutReason, || {
            Err(refusal::unreasoned().into())
        }),
        (Crime::HangsInMigrate, || Err(Ending::Never)),
        (Crime::CrashesClient, || Err(Ending::Unknown(CLIENT_DIED))),
    ];
    let found = ENDINGS.iter().find(|(one, _)| *one == crime);
    found.map(|(_, ending)| ending())
}

/// Changes one byte of a mark.
fn poke(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(5) {
        *byte ^= 0xff;
    }
}

const fn versions() -> Versions {
    Versions {
        client: VERSION,
        source_libvirt: VERSION,
        source_qemu: VERSION,
        destination_libvirt: VERSION,
        destination_qemu: VERSION,
    }
}
