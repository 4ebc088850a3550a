//! One of the two QEMUs of a case, and what is known of its migration.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side};
use migratrix_qmp::{
    Account, Answer, Binary, Event, Events, MigrationStatus, Qemu, QemuCaps, QemuError, Qtest,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use crate::{
    error::StepError,
    migration::{
        carriers::{self, Handle},
        progress::Progress,
        trail::Trail,
    },
};

/// The QEMU of one release.
#[derive(Clone, Debug)]
pub struct RawHost {
    /// The release's name.
    pub name: String,
    /// Its QEMU.
    pub binary: Binary,
    /// What that can do.
    pub abilities: Arc<QemuCaps>,
}

/// How long one answer may take. The step's own deadline is shorter, and ends the wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to answer before it is said that it does not.
const SILENT: Duration = Duration::from_secs(2);

/// How often QEMU is asked for what it sends no event of.
pub(crate) const EVERY: Duration = Duration::from_millis(5);

/// One side.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) side: Side,
    pub(crate) host: RawHost,
    qemu: Option<Qemu>,
    events: Option<Events>,
    pub(crate) trail: Trail,
    /// All QEMUs that it has had.
    pub(crate) account: Account,
    /// How its QEMU ended, once that was seen.
    end: Option<String>,
    /// What its QEMU had open before it was asked to migrate.
    pub(crate) before: BTreeSet<Handle>,
}

impl Party {
    pub(crate) fn new(side: Side, host: RawHost) -> Self {
        Self {
            side,
            host,
            qemu: None,
            events: None,
            trail: Trail::default(),
            account: Account::default(),
            end: None,
            before: BTreeSet::new(),
        }
    }

    /// Begins a migration: what is open until now is none of its.
    pub(crate) fn begin(&mut self) {
        self.before = self.pid().map(carriers::handles).unwrap_or_default();
    }

    /// Takes a QEMU that was started.
    pub(crate) fn seat(&mut self, qemu: Qemu) {
        self.events = Some(qemu.qmp().all_events());
        self.qemu = Some(qemu);
        self.trail = Trail::default();
        self.end = None;
    }

    /// Gives its QEMU up.
    pub(crate) fn unseat(&mut self) -> Option<Qemu> {
        self.qemu.take()
    }

    pub(crate) fn qemu(&mut self) -> Result<&mut Qemu, StepError> {
        let gone = StepError::NoQemu(self.side, self.end.clone());
        self.qemu.as_mut().ok_or(gone)
    }

    /// Whether it has a QEMU that has not ended.
    pub(crate) fn lives(&mut self) -> bool {
        let qemu = self.qemu.as_mut();
        qemu.is_some_and(|qemu| qemu.has_ended().is_none())
    }

    /// That its QEMU answers no more, where a command has waited too long for its answer. A command may be on its
    /// way whenever a step is given up: that alone is no silence.
    pub(crate) fn silence(&mut self) -> Option<String> {
        if !self.lives() {
            return None;
        }
        let side = crate::error::word(self.side);
        let (command, silent) = self.qemu().ok()?.qmp().unanswered()?;
        (silent >= SILENT).then(|| {
            let seconds = silent.as_secs();
            format!("the {side}'s QEMU did not answer for {seconds} s (`{command}`)")
        })
    }

    /// How its QEMU ended, if that was seen.
    pub(crate) fn end(&self) -> Option<&str> {
        self.end.as_deref()
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.qemu.as_ref().and_then(Qemu::pid)
    }

    /// The number of its QEMU's process.
    pub(crate) fn process(&self) -> Result<u32, StepError> {
        let gone = || StepError::NoQemu(self.side, self.end.clone());
        self.pid().ok_or_else(gone)
    }

    pub(crate) fn stderr(&self) -> Option<String> {
        self.qemu.as_ref().map(Qemu::stderr)
    }

    /// Sends a command and waits for the answer.
    pub(crate) async fn execute(
        &mut self,
        command: &str,
        arguments: Value,
    ) -> Result<Answer, StepError> {
        let qmp = self.qemu()?.qmp();
        let answer = qmp.execute(command, arguments, PATIENCE).await;
        self.explained(answer).await
    }

    /// What came of asking; where QEMU has ended, the error says how.
    pub(crate) async fn explained<T>(
        &mut self,
        asked: Result<T, QemuError>,
    ) -> Result<T, StepError> {
        let error = match asked {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let error = self.qemu()?.explain(error).await;
        if let QemuError::Exited { status, stderr, .. } = &error {
            self.end = Some(format!("{status}: {stderr}"));
        }
        Err(error.into())
    }

    pub(crate) fn qtest(&mut self) -> Result<&mut Qtest<UnixStream>, StepError> {
        let qemu = self.qemu()?;
        qemu.qtest()
            .ok_or(StepError::NotApplicable("it has no qtest"))
    }

    /// Sends a command that isn't recorded in the history.
    pub(crate) async fn ask(
        &mut self,
        command: &str,
        arguments: Value,
    ) -> Result<Value, StepError> {
        self.execute(command, arguments)
            .await?
            .map_err(StepError::Refused)
    }

    /// Sends a command, and records that.
    pub(crate) async fn command(
        &mut self,
        command: &str,
        arguments: Value,
        record: &mut Recorder,
    ) -> Result<Value, StepError> {
        self.note_command(command, &arguments, record);
        self.ask(command, arguments).await
    }

    /// Sends a command out of band, and records that.
    pub(crate) async fn command_out_of_band(
        &mut self,
        command: &str,
        arguments: Value,
        record: &mut Recorder,
    ) -> Result<Value, StepError> {
        self.note_command(command, &arguments, record);
        let qmp = self.qemu()?.qmp();
        let answer = qmp.execute_out_of_band(command, arguments, PATIENCE).await;
        answer?.map_err(StepError::Refused)
    }

    /// Records a command.
    pub(crate) fn note_command(&self, command: &str, arguments: &Value, record: &mut Recorder) {
        record.saw(Observation::Command {
            side: self.side,
            command: command.to_owned(),
            arguments: arguments.clone(),
        });
    }

    /// What `query-migrate` says.
    pub(crate) async fn progress(&mut self) -> Result<Progress, StepError> {
        let response = self.ask("query-migrate", json!({})).await?;
        read_progress(&response)
    }

    /// Asks for the migration's state, and records it if no event brought it.
    pub(crate) async fn learn_state(
        &mut self,
        record: &mut Recorder,
    ) -> Result<Progress, StepError> {
        let known = self.trail.count();
        let progress = self.progress().await?;
        self.learn(&progress, known, record);
        Ok(progress)
    }

    /// As [`Party::learn_state`], but gives the answer up if an event comes before it: a guest that
    /// waits for a page may keep its QEMU from answering.
    pub(crate) async fn learn_state_or_event(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.qemu()?;
        let known = self.trail.count();
        let (Some(qemu), Some(events)) = (&self.qemu, &self.events) else {
            return Ok(());
        };
        let answer = tokio::select! {
            biased;
            answer = qemu.qmp().ask("query-migrate", json!({}), PATIENCE) => answer,
            Ok(()) = events.ready(PATIENCE) => return Ok(()),
        };
        let response = self.explained(answer).await?;
        self.learn(&read_progress(&response)?, known, record);
        Ok(())
    }

    /// Takes the answer's state, unless events have brought states since the question, when `known`
    /// of them were there: one of those may be newer than the answer.
    fn learn(&mut self, progress: &Progress, known: usize, record: &mut Recorder) {
        self.note_events(record);
        if self.trail.count() == known && self.trail.learn(&progress.status) {
            self.note_status(&progress.status, record);
        }
    }

    /// Records the events that came.
    pub(crate) fn note_events(&mut self, record: &mut Recorder) {
        let events = self.events.as_mut().map(Events::drain).unwrap_or_default();
        for event in events {
            let at = event.arrived;
            let observed = self.observed(event);
            record.saw_at(at, observed);
        }
    }

    /// Waits until an event has come that was not recorded yet.
    pub(crate) async fn more(&self) -> Result<(), QemuError> {
        match &self.events {
            Some(events) => events.ready(PATIENCE).await,
            None => std::future::pending().await,
        }
    }

    fn note_status(&self, status: &MigrationStatus, record: &mut Recorder) {
        record.saw(Observation::Status {
            side: self.side,
            status: status.to_string(),
        });
    }

    fn observed(&mut self, event: Event) -> Observation {
        let side = self.side;
        let state = event.data.get("status").and_then(Value::as_str);
        let pass = event.data.get("pass").and_then(Value::as_u64);
        match (event.name.as_str(), state, pass) {
            ("MIGRATION", Some(state), _) => {
                self.trail.push(state.into());
                let status = state.to_owned();
                Observation::Status { side, status }
            }
            ("MIGRATION_PASS", _, Some(pass)) => {
                self.trail.pass(pass);
                let iteration = i32::try_from(pass).unwrap_or(i32::MAX);
                Observation::Iteration { side, iteration }
            }
            _ => Observation::Event {
                side,
                late_us: event
                    .late()
                    .and_then(|late| late.as_micros().try_into().ok()),
                event: event.name,
                data: event.data,
            },
        }
    }
}

fn read_progress(response: &Value) -> Result<Progress, StepError> {
    Progress::deserialize(response).map_err(|error| StepError::Malformed {
        command: "query-migrate",
        what: format!("{response}, {error}"),
    })
}
