//! Starting the two QEMUs, and ending them.

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side, Versions};
use migratrix_matrix::Method;
use migratrix_qmp::{Binary, Launch, Qemu, QemuError};

use crate::{QemuDriver, colo, error::StepError, machine, migration::cpr, party::PATIENCE};

impl QemuDriver {
    /// What has a QEMU wait for a migration.
    pub(crate) const INCOMING: [&str; 2] = ["-incoming", "defer"];

    /// Starts the side's QEMU. Both start at the same time, when the source's is asked for.
    pub(crate) async fn launch(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let started = match (side, self.early.take()) {
            (Side::Destination, Some(started)) => started,
            (Side::Source, _) => self.launch_both().await?,
            (Side::Destination, None) => match self.subject.raw.method {
                Method::CprExec => return Ok(()),
                Method::CprTransfer => return self.begin_launch().await,
                Method::Precopy | Method::Postcopy | Method::CprReboot => {
                    self.launch_of(side)?.start(PATIENCE).await
                }
            },
        };
        self.greet(side, started?, record);
        Ok(())
    }

    async fn launch_both(&mut self) -> Result<Result<Qemu, QemuError>, StepError> {
        self.scratch.make()?;
        let source = self.launch_of(Side::Source)?;
        let source = source.arguments(machine::held(&self.subject.raw));
        if cpr::hands_over(self.subject.raw.method) {
            return Ok(source.start(PATIENCE).await);
        }
        let destination = self.launch_of(Side::Destination)?;
        let (source, destination) =
            tokio::join!(source.start(PATIENCE), destination.start(PATIENCE));
        self.early = Some(destination);
        Ok(source)
    }

    /// How the side's QEMU is started.
    pub(crate) fn launch_of(&mut self, side: Side) -> Result<Launch, StepError> {
        let mut arguments =
            machine::arguments(&self.subject, side, self.version(side), &self.scratch)?;
        arguments.extend(colo::arguments(&self.subject, &self.scratch)?);
        if side == Side::Destination {
            arguments.extend(Self::INCOMING.map(str::to_owned));
        }
        let launch = Launch::new(self.binary(side)).kept_in(&self.party(side).account);
        Ok(launch.arguments(arguments).with_qtest())
    }

    /// The side's QEMU, with the case's mark in its environment.
    pub(crate) fn binary(&mut self, side: Side) -> Binary {
        let mut binary = self.party(side).host.binary.clone();
        binary.environment.push(self.scratch.mark());
        binary
    }

    /// Takes a QEMU that has started, and records its version.
    pub(crate) fn greet(&mut self, side: Side, qemu: Qemu, record: &mut Recorder) {
        let version = Some(qemu.qmp().greeting().version);
        record.saw(Observation::Versions(match side {
            Side::Source => Versions {
                source_qemu: version,
                ..Versions::default()
            },
            Side::Destination => Versions {
                destination_qemu: version,
                ..Versions::default()
            },
        }));
        self.party(side).seat(qemu);
    }

    /// Ends the side's QEMU, and removes the case's files once both have ended.
    pub(crate) async fn clear(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if side == Side::Destination {
            if let Some(Ok(qemu)) = self.early.take() {
                self.destination.seat(qemu);
            }
            self.route.launch = None;
        }
        let ended = self.end(side, record).await;
        if !self.source.lives() && !self.destination.lives() {
            self.route.clear();
            self.scratch.remove();
        }
        ended
    }

    /// Ends the side's QEMU, by force if it must be.
    pub(crate) async fn end(&mut self, side: Side, record: &mut Recorder) -> Result<(), StepError> {
        let party = self.party(side);
        party.note_events(record);
        let Ok(qemu) = party.qemu() else {
            return Ok(());
        };
        // It holds nothing that a polite end would save, and a stopped one can't be polite.
        qemu.start_kill().or_else(|error| match qemu.pid() {
            Some(_) => Err(error),
            None => Ok(()),
        })?;
        // Until the step's own deadline; until then it is not forgotten.
        qemu.ended(PATIENCE).await?;
        party.unseat();
        Ok(())
    }

    /// Ends the destination, and starts another one in its place, configured as the first.
    pub(crate) async fn replace(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.end(Side::Destination, record).await?;
        let started = self.launch_of(Side::Destination)?.start(PATIENCE).await?;
        self.greet(Side::Destination, started, record);
        self.configure(Side::Destination, record).await
    }
}
