//! One case between two QEMUs: steps become commands.

use std::{path::PathBuf, time::Duration};

use migratrix_contract::{
    BackupStep, Deadlines, Driver, Litter, RawStep, Recorder, Step, Subject, Waits,
};
use migratrix_history::{Observation, Outcome, Side};
use migratrix_matrix::Version;
use migratrix_qmp::QemuError;

use crate::{
    devices::virtio::Driven,
    error::StepError,
    party::{EVERY, Party, RawHost},
    scratch::Scratch,
    transport::Route,
};

/// Drives one case. Its QEMUs die with it.
#[derive(Debug)]
pub struct QemuDriver {
    pub(crate) source: Party,
    pub(crate) destination: Party,
    pub(crate) subject: Subject,
    pub(crate) scratch: Scratch,
    pub(crate) route: Route,
    /// The case's device, once we drive it.
    pub(crate) driven: Option<Driven>,
    /// How long an ended QEMU may take to be gone, with all that it started.
    pub(crate) patience: Duration,
    /// The destination that was started together with the source.
    pub(crate) early: Option<Result<migratrix_qmp::Qemu, QemuError>>,
    /// What waits for a processor since the migration was let go.
    pub(crate) waits: Option<Waits>,
    /// The QEMU that was left on purpose. It is killed when this is dropped.
    pub(crate) litter: Option<migratrix_qmp::Qemu>,
}

impl QemuDriver {
    /// A driver for one case. It makes `folder` for what the case needs of files, and removes it when
    /// both sides are cleared.
    #[must_use]
    pub fn new(source: RawHost, destination: RawHost, subject: Subject, folder: PathBuf) -> Self {
        Self {
            source: Party::new(Side::Source, source),
            destination: Party::new(Side::Destination, destination),
            subject,
            scratch: Scratch::new(folder),
            route: Route::default(),
            driven: None,
            patience: Deadlines::default().clear,
            early: None,
            waits: None,
            litter: None,
        }
    }

    /// The same driver, whose QEMUs may take so long to be gone once they were ended.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What is kept of the QEMUs of a side: their command lines, what they wrote to their standard
    /// error, and how they ended. `None` where none was started.
    pub async fn account(&self, side: Side) -> Option<String> {
        match side {
            Side::Source => self.source.account.text().await,
            Side::Destination => self.destination.account.text().await,
        }
    }

    pub(crate) const fn party(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    /// The version of the side's QEMU.
    pub(crate) fn version(&self, side: Side) -> Version {
        let party = match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        };
        party.host.abilities.version
    }

    /// Waits until either side has sent an event, or it is time to ask.
    pub(crate) async fn pause(&self) {
        tokio::select! {
            () = news(&self.source) => {}
            () = news(&self.destination) => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }

    pub(crate) fn note_events(&mut self, record: &mut Recorder) {
        self.source.note_events(record);
        self.destination.note_events(record);
    }

    async fn step(&mut self, step: &Step, record: &mut Recorder) -> Result<(), StepError> {
        match *step {
            Step::AwaitBeat(side) => self.await_heartbeat(side).await,
            Step::Suspend(side) => self.stop(side, record).await,
            Step::Resume(side) => self.go_on(side, record).await,
            Step::Inspect(side, when) => self.inspect_domain(side, when, record).await,
            Step::Beat(side, when) => self.sample_heartbeat(side, when, record).await,
            Step::Job(side) => self.inspect_migration(side, record).await,
            Step::Survey(side) => self.survey(side, record).await,
            Step::ReadRam(side, when) => self.read_ram(side, when, record).await,
            Step::Clear(side) => self.clear(side, record).await,
            Step::Leftovers(side) => self.inspect_leftovers(side, record).await,
            Step::PokeByte(side) => self.poke_byte(side).await,
            Step::PokeRest(side) => self.poke_rest(side).await,
            Step::AgePage(side) => self.age_page(side).await,
            Step::HaltGuest(side) => self.halt_guest(side).await,
            Step::LeaveFile(side) => self.leave_file(side),
            Step::Leave(side, Litter::Listener) => self.leave_listener(side).await,
            Step::KillQemu(side) => self.kill(side).await,
            Step::Raw(step) => self.migration(step, record).await,
            Step::Colo(step) => self.colo(step, record).await,
            Step::Backup(step) => self.backup(step, record).await,
            Step::Connect
            | Step::Define(..)
            | Step::Rename(_)
            | Step::Plug(_)
            | Step::Undefine(_)
            | Step::Start(..)
            | Step::Destroy(_)
            | Step::Migrate(_)
            | Step::StopDaemon(_)
            | Step::Approach(_)
            | Step::Leave(_, Litter::UuidFile | Litter::Copy)
            | Step::Recovery(_)
            | Step::KillClient => Err(StepError::OtherBackEnd(*step)),
        }
    }
}

/// Waits for an event. An end is none, and nothing more comes of it: it is learned by asking.
async fn news(party: &Party) {
    if party.more().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whether the step breaks something on purpose, which is recorded.
const fn is_fault(step: &Step) -> bool {
    matches!(
        step,
        Step::PokeByte(_)
            | Step::PokeRest(_)
            | Step::AgePage(_)
            | Step::HaltGuest(_)
            | Step::LeaveFile(_)
            | Step::Leave(..)
            | Step::KillQemu(_)
            | Step::Raw(
                RawStep::SwitchOn(_)
                    | RawStep::PlugDevice(_)
                    | RawStep::SetClock(_)
                    | RawStep::DisturbDevice(_)
                    | RawStep::CutStream
                    | RawStep::StopQemu(_)
                    | RawStep::Garble(_)
            )
            | Step::Backup(
                BackupStep::ClearBitmap(..)
                    | BackupStep::Overwrite(_)
                    | BackupStep::UndoWrite(..)
                    | BackupStep::Rewrite(..)
                    | BackupStep::RemoveFull(_)
            )
    )
}

impl Driver for QemuDriver {
    async fn perform(&mut self, step: &Step, record: &mut Recorder) -> Outcome {
        self.note_events(record);
        let done = self.step(step, record).await;
        self.note_events(record);
        if done.is_ok() && is_fault(step) {
            record.saw(Observation::Fault {
                fault: step.to_string(),
            });
        }
        done.map_or_else(Outcome::from, |()| Outcome::Done)
    }

    async fn abandon(&mut self, record: &mut Recorder) {
        self.note_events(record);
        for side in [Side::Source, Side::Destination] {
            let party = self.party(side);
            if let Some(text) = party.silence() {
                record.saw(Observation::Note { text });
            }
            let words = party.stderr().filter(|words| !words.is_empty());
            if let Some(words) = words {
                let text = format!("the {}'s QEMU said: {words}", crate::error::word(side));
                record.saw(Observation::Note { text });
            }
            // Its end is awaited when it is cleared.
            drop(party.qemu().map(migratrix_qmp::Qemu::start_kill));
        }
        if let Some(Ok(qemu)) = &mut self.early {
            drop(qemu.start_kill());
        }
    }
}
