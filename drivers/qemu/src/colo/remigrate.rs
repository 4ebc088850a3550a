//! The survivor is migrated once more, by plain precopy.

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::Address;
use migratrix_qmp::MigrationStatus;
use serde_json::{Value, json};

use super::switched;
use crate::{QemuDriver, error::StepError, party::PATIENCE, transport::address::Place};

const SOCKET: &str = "socket-onward";

impl QemuDriver {
    /// Starts another QEMU on the lost side's place, which waits for a stream.
    pub(super) async fn refill(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.end(side, record).await?;
        self.route.laid.clear();
        let launch = self.launch_of(side)?;
        let launch = match side {
            Side::Source => launch.arguments(Self::INCOMING),
            Side::Destination => launch,
        };
        let started = launch.start(PATIENCE).await?;
        self.greet(side, started, record);
        Ok(())
    }

    /// Turns off all that the pair's migration had on.
    pub(super) async fn leave_colo(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let pair = self.colo_case()?;
        let party = self.party(side);
        let mut on = pair.capabilities(party.host.abilities.version);
        on.retain(|name| *name != "events");
        let off = switched(&on, false);
        party
            .command("migrate-set-capabilities", off, record)
            .await?;
        Ok(())
    }

    /// Migrates the guest from `from` to the other side, until it has ended on both.
    pub(super) async fn remigrate(
        &mut self,
        from: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let to = from.other();
        let arguments = Place::Unix(self.scratch.text(SOCKET)).arguments(Address::Uri);
        let party = self.party(to);
        let mut incoming = arguments.clone();
        let abilities = &party.host.abilities;
        if abilities.command_takes("migrate-incoming", "exit-on-error") {
            incoming.insert("exit-on-error".to_owned(), json!(false));
        }
        let events = switched(&["events"], true);
        party
            .command("migrate-set-capabilities", events, record)
            .await?;
        party
            .command("migrate-incoming", Value::Object(incoming), record)
            .await?;
        let party = self.party(from);
        party.trail.begin();
        party
            .command("migrate", Value::Object(arguments), record)
            .await?;
        self.plainly_completed(from, record).await?;
        self.await_status(to, &MigrationStatus::Completed, record)
            .await
    }

    /// Waits until a side's migration is completed, or has become anything but a plain one.
    async fn plainly_completed(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        loop {
            self.note_events(record);
            let progress = self.party(side).learn_state(record).await?;
            let trail = &mut self.party(side).trail;
            if trail.take(&MigrationStatus::Completed) {
                return Ok(());
            }
            if trail.is_at(&MigrationStatus::Colo) || trail.end().is_some() {
                return Err(StepError::UnexpectedStatus {
                    side,
                    status: progress.status,
                    why: progress
                        .error_desc
                        .unwrap_or_else(|| "no reason is given".to_owned()),
                });
            }
            self.pause().await;
        }
    }
}
