//! Steering a migration that is under way: postcopy and its recovery, cancelling, going on.

use std::{
    io::Write,
    os::unix::net::{UnixListener, UnixStream},
};

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::GuestState;
use migratrix_qmp::{
    MigrationStatus::{
        Active, PostcopyActive, PostcopyRecover, PostcopyRecoverSetup, PreSwitchover,
    },
    QapiEnum,
};
use serde_json::{Value, json};

use crate::{QemuDriver, error::StepError, party::PATIENCE, transport::address::Place};

const CANCEL: &str = "migrate_cancel";

/// The start of a command (8) of a stream, a ping (2), that breaks off within its length: it has the
/// destination begin its recovery, and wait for more. QEMU 11.1 looks at four bytes before it does.
const CUT_COMMAND: [u8; 4] = [8, 0, 2, 0];

/// How many bytes of the destination's pass freely once postcopy begins: what its devices ask for until the
/// guest runs, and the handshake of a channel that is late.
const FREE_REQUESTS: u64 = 4096;

impl QemuDriver {
    /// Switches over to postcopy. Where the connection is to be lost, the guest's requests for pages are held
    /// up from now on: it would have all of them before that, now and then.
    pub(crate) async fn start_postcopy(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        if self.subject.raw.incident.is_recovery() {
            self.route.slow_back_after(FREE_REQUESTS);
        }
        let command = "migrate-start-postcopy";
        self.source.command(command, json!({}), record).await?;
        Ok(())
    }

    /// Asks to migrate, and cancels before there can be an answer: `setup` may be over by then.
    pub(crate) async fn migrate_and_cancel(
        &mut self,
        arguments: Value,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.route.is_cancelled = true;
        self.at_once([("migrate", arguments), (CANCEL, json!({}))], record)
            .await
    }

    /// Cancels, unless that was done together with the command to migrate.
    pub(crate) async fn cancel(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        if std::mem::take(&mut self.route.is_cancelled) {
            return Ok(());
        }
        self.source.command(CANCEL, json!({}), record).await?;
        Ok(())
    }

    /// Cancels twice at once, while the source rests: it learns of the first only when it goes on, and
    /// the second is there until then.
    pub(crate) async fn cancel_twice(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.await_rest(record).await?;
        let cancel = |_| (CANCEL, json!({}));
        self.at_once([1, 2].map(cancel), record).await
    }

    /// Waits until the source has just sent what the bandwidth lets it send in one piece (100 ms), and
    /// rests for what is left of the time.
    async fn await_rest(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let first = self.source.learn_state(record).await?.transferred();
        let mut last = first;
        loop {
            let progress = self.source.learn_state(record).await?;
            let now = progress.transferred();
            let rests = now == last && now > first;
            if rests || progress.status != Active {
                return Ok(());
            }
            last = now;
            self.pause().await;
        }
    }

    /// Sends two commands together, and waits for both answers.
    async fn at_once(
        &mut self,
        commands: [(&str, Value); 2],
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        for (command, arguments) in &commands {
            self.source.note_command(command, arguments, record);
        }
        let qmp = self.source.qemu()?.qmp();
        let [first, second] =
            commands.map(|(command, arguments)| qmp.execute(command, arguments, PATIENCE));
        let (first, second) = tokio::join!(first, second);
        for answer in [first, second] {
            let answer = self.source.explained(answer).await?;
            answer.map_err(StepError::Refused)?;
        }
        Ok(())
    }

    /// Goes on from before the switchover.
    pub(crate) async fn proceed(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let state = json!({ "state": PreSwitchover.as_str() });
        let command = "migrate-continue";
        self.source.command(command, state, record).await?;
        Ok(())
    }

    /// Loses the connection, once the guest is on the destination: the source breaks it off, and the
    /// destination notices.
    pub(crate) async fn lose(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.await_status(Side::Destination, &PostcopyActive, record)
            .await?;
        if self.subject.raw.guest == GuestState::Running {
            let mut events = self.destination.qemu()?.qmp().all_events();
            events.wait_for("RESUME", PATIENCE).await?;
        }
        self.pause_migration(Side::Source, record).await
    }

    /// Waits until the guest has asked for a page, if it runs and postcopy is under way.
    pub(crate) async fn await_request(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        if self.subject.raw.guest != GuestState::Running {
            return Ok(());
        }
        loop {
            let progress = self.source.learn_state(record).await?;
            if progress.status != PostcopyActive || progress.requests() > 0 {
                return Ok(());
            }
            self.pause().await;
        }
    }

    async fn pause_migration(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let party = self.party(side);
        party
            .command_out_of_band("migrate-pause", json!({}), record)
            .await?;
        Ok(())
    }

    /// Recovers on a new address.
    pub(crate) async fn recover(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.turn();
        let place = Place::Unix(self.socket());
        self.recover_destination(&place, record).await?;
        let place = match self.route.laid.is_empty() {
            true => place,
            false => self.lay_relay()?,
        };
        self.resume(&place, record).await
    }

    /// Recovers with peers that say nothing more once the recovery has begun. They are ours: a QEMU
    /// whose guest waits for a page may hold its main loop up, and takes no descriptors then.
    pub(crate) async fn recover_in_vain(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.turn();
        let (theirs, ours) = (self.socket(), self.scratch.text("mute"));
        self.recover_destination(&Place::Unix(theirs.clone()), record)
            .await?;
        let mut peer = UnixStream::connect(theirs).map_err(StepError::system("connect to QEMU"))?;
        peer.write_all(&CUT_COMMAND)
            .map_err(StepError::system("write to QEMU"))?;
        let _listens_meanwhile =
            UnixListener::bind(&ours).map_err(StepError::system("listen for QEMU"))?;
        self.resume(&Place::Unix(ours), record).await?;
        for side in [Side::Source, Side::Destination] {
            self.await_status(side, &PostcopyRecover, record).await?;
        }
        for side in [Side::Source, Side::Destination] {
            self.pause_migration(side, record).await?;
        }
        Ok(())
    }

    /// Recovers where nobody listens.
    pub(crate) async fn recover_nowhere(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.turn();
        let place = Place::Unix(self.socket());
        let abilities = &self.source.host.abilities;
        let tells = abilities.enum_has(QapiEnum::MigrationStatus, PostcopyRecoverSetup.as_str());
        self.resume_with(&place, record).await?;
        if tells {
            self.await_status(Side::Source, &PostcopyRecoverSetup, record)
                .await?;
        }
        Ok(())
    }

    async fn recover_destination(
        &mut self,
        place: &Place,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let uri = json!({ "uri": place.uri() });
        self.destination.trail.begin();
        self.destination
            .command_out_of_band("migrate-recover", uri, record)
            .await?;
        Ok(())
    }

    async fn resume(&mut self, place: &Place, record: &mut Recorder) -> Result<(), StepError> {
        self.source.trail.begin();
        self.resume_with(place, record).await
    }

    async fn resume_with(&mut self, place: &Place, record: &mut Recorder) -> Result<(), StepError> {
        let arguments = json!({ "uri": place.uri(), "resume": true });
        self.source.command("migrate", arguments, record).await?;
        Ok(())
    }
}
