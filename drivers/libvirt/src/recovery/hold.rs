//! Standing at a moment of the migration's way, without a sleep.
//!
//! | moment | held by | known by |
//! |---|---|---|
//! | prepare, launched, confirm | a gate in the hook script of a host | the script's note |
//! | first and later pass | the bandwidth; with a paused guest a relay of the data, but in a tunnel | what was sent, and the passes that the source tells of |
//! | switchover | the source's daemon, held still, when the bandwidth is lifted | `pre-switchover` |
//! | finish | the destination's daemon, the same | `completed`, the destination's QEMU waits for nothing more, and a relay has passed the call of Finish |
//! | reply | a relay that passes nothing back | the destination's QEMU runs |
//! | postcopy | a relay of the data | the destination's guest was started, and what remains |

use std::{sync::Arc, time::Duration};

use migratrix_client::wire::DomainAction;
use migratrix_contract::{Gate, HookPoint, Recorder, Signalled};
use migratrix_history::{Observation, Proof, Side};
use migratrix_matrix::{Family, Lasting, Recovery, RecoveryMoment, Strike};
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval_at},
};

use super::{
    LOOK_EVERY, control,
    monitor::{INCOMING, Monitors, Standing},
    routes::Routes,
};
use crate::{Error, LibvirtDriver, ticks::Ticks};

/// A bandwidth that is no bound, in bytes per second.
const UNBOUND: u64 = 1 << 33;

/// A pace at which a pass lasts, in bytes per second. As a bandwidth it is more in truth: QEMU sends by some 128 KiB, and
/// at least once in a tenth of a second, so that a pass over little memory ends within two seconds.
const CRAWL: u64 = 16 << 10;

/// How long a fault has to be felt before the bandwidth is lifted: it must not be overtaken by the end of the
/// migration.
const FELT: Duration = Duration::from_millis(700);

/// How often it is looked whether the bandwidth is to be lifted.
const LIFT_EVERY: Duration = Duration::from_millis(50);

/// How a call of `REMOTE_PROC_DOMAIN_MIGRATE_FINISH3_PARAMS` begins, behind its length: libvirt's program and its
/// version, the procedure, and that it is a call (`src/remote/remote_protocol.x`, `src/rpc/virnetprotocol.x`).
const FINISH: [u8; 16] = [
    0x20, 0x00, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0x01, 0x32, 0, 0, 0, 0,
];

/// For how long a daemon of a resilient host is held still, at the least, where a peer takes it for lost: that is so four
/// seconds after its last word (see `HostSetup::Resilient`), which comes each second.
const GIVEN_UP: Duration = Duration::from_secs(3);

/// The word of `MigrationStatus` for postcopy.
pub(super) const POSTCOPY: &str = "postcopy-active";

/// At which pace a relay lets a postcopy through before it is held, in bytes per second.
const POSTCOPY_PACE: u64 = 1 << 20;

/// The gate that holds a migration at a moment.
const fn gate(moment: RecoveryMoment) -> Option<(Side, HookPoint)> {
    match moment {
        RecoveryMoment::Prepare => Some((Side::Destination, HookPoint::MigrateBegin)),
        RecoveryMoment::Launched => Some((Side::Destination, HookPoint::StartedBegin)),
        RecoveryMoment::Confirm => Some((Side::Source, HookPoint::StoppedEnd)),
        RecoveryMoment::Call
        | RecoveryMoment::FirstPass
        | RecoveryMoment::LaterPass
        | RecoveryMoment::Switchover
        | RecoveryMoment::Finish
        | RecoveryMoment::Reply
        | RecoveryMoment::PostcopyMiddle
        | RecoveryMoment::PostcopyEnd => None,
    }
}

/// Lifts the bandwidth whenever the source's QEMU sends memory: libvirt sets the bound of the call only then,
/// which may be after the migration was let go.
pub(super) struct Lifter(JoinHandle<()>);

impl Lifter {
    fn begin(monitors: Arc<Monitors>) -> Self {
        Self(tokio::spawn(async move {
            let mut tick = interval_at(Instant::now() + FELT, LIFT_EVERY);
            loop {
                tick.tick().await;
                let standing = monitors.standing().await;
                if standing.is_ok_and(|it| it.status == "active" && it.transferred > 0) {
                    set_bandwidth(&monitors, UNBOUND).await;
                }
            }
        }))
    }
}

impl Drop for Lifter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Bounds the bandwidth, where there is a QEMU that migrates.
async fn set_bandwidth(monitors: &Monitors, bound: u64) {
    let bound = json!({ "max-bandwidth": bound });
    let set = "migrate-set-parameters";
    // Where there is none, or it does not hear, it is not held by the bandwidth.
    let _unheard = monitors.ask(Side::Source, set, bound).await;
}

/// The side whose daemon a fault wants to be still, or gone.
pub(super) const fn silenced(strike: Strike) -> Option<Side> {
    if matches!(strike, Strike::SourceDaemonSilent) {
        return Some(Side::Source);
    }
    if matches!(strike, Strike::DestinationDaemonSilent) {
        return Some(Side::Destination);
    }
    None
}

impl LibvirtDriver<'_> {
    /// Makes ready what holds the migration, and the ways that it goes.
    pub(super) fn hold(&mut self, moment: RecoveryMoment) -> Result<(), Error> {
        let point = self.struck()?;
        if let Some((side, at)) = gate(moment) {
            let host = Arc::clone(self.host(side));
            let set = control(&host)?.set_gate(&self.subject.domain, at, Gate::Holds);
            self.broken(side, "can't set a gate", set)?;
        }
        let host = Arc::clone(&self.destination);
        let laid = Routes::lay(&point, &*host, control(&host)?, self.subject.guest);
        let laid = self.broken(Side::Destination, "can't lay a relay", laid)?;
        if let Some(data) = &laid.data {
            if moment.family() == Family::Postcopy {
                data.relay.pace(POSTCOPY_PACE);
            } else if laid.holds_pass {
                data.relay.pace(CRAWL);
            }
        }
        if let (RecoveryMoment::Reply, Some(management)) = (moment, &laid.management) {
            management.relay.shut_back_at(&FINISH);
        }
        if let (RecoveryMoment::Finish, Some(management)) = (moment, &laid.management) {
            management.relay.wait_for(&FINISH);
        }
        self.ordeal.routes = laid;
        Ok(())
    }

    /// Waits until the migration stands at the moment, and records by what that is known.
    pub(super) async fn await_moment(
        &mut self,
        moment: RecoveryMoment,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let point = self.struck()?;
        let proof = match moment {
            RecoveryMoment::Call => Proof::NotCalled,
            RecoveryMoment::Prepare | RecoveryMoment::Launched => self.at_gate(moment).await?,
            RecoveryMoment::Confirm => {
                self.flows(moment).await?;
                self.lift_bandwidth().await;
                self.at_gate(moment).await?
            }
            RecoveryMoment::FirstPass => {
                let bytes = self.flows(moment).await?.transferred;
                self.crawl(&point).await;
                Proof::Processed { bytes }
            }
            RecoveryMoment::LaterPass => {
                self.pass(2, record).await?;
                self.crawl(&point).await;
                let iteration = self.ordeal.pass;
                Proof::Iteration { iteration }
            }
            RecoveryMoment::Switchover => self.stands(Side::Source, moment).await?,
            RecoveryMoment::Finish => {
                let proof = self.stands(Side::Destination, moment).await?;
                self.has_all(moment).await?;
                self.calls_finish(moment).await?;
                proof
            }
            RecoveryMoment::Reply => self.withholds_reply().await?,
            RecoveryMoment::PostcopyMiddle | RecoveryMoment::PostcopyEnd => {
                self.in_postcopy(moment).await?
            }
        };
        record.saw(Observation::Stood {
            moment: moment.word().to_owned(),
            proof,
        });
        Ok(())
    }

    /// Waits until the hook script has noted the call that its gate holds.
    async fn at_gate(&mut self, moment: RecoveryMoment) -> Result<Proof, Error> {
        let (side, at) = gate(moment).ok_or(Error::NotBegun)?;
        let host = Arc::clone(self.host(side));
        let (control, call) = (control(&host)?, at.to_string());
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            let calls = control.hook_calls(&self.subject.domain);
            let calls = self.broken(side, "can't read the notes of the hook script", calls)?;
            if calls.contains(&call) {
                break;
            }
            self.must_go_on(moment)?;
        }
        let [operation, stage] = at.words().map(str::to_owned);
        Ok(Proof::Hook {
            side,
            operation,
            stage,
        })
    }

    /// Waits until the migration, as the source's QEMU tells of it, `is` as it is wanted.
    async fn until(
        &self,
        moment: RecoveryMoment,
        is: impl Fn(&Standing) -> bool,
    ) -> Result<Standing, Error> {
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            match self.ordeal.monitors.standing().await {
                Ok(standing) if is(&standing) => return Ok(standing),
                Ok(_) | Err(_) => self.must_go_on(moment)?,
            }
        }
    }

    /// Waits until memory is sent, and goes by where there is a relay on its way.
    pub(super) async fn flows(&self, moment: RecoveryMoment) -> Result<Standing, Error> {
        let routes = &self.ordeal.routes;
        let is_sent =
            |it: &Standing| it.status == "active" && it.transferred > 0 && routes.has_passed_data();
        self.until(moment, is_sent).await
    }

    /// Waits until the source has told of this pass over memory.
    pub(super) async fn pass(&mut self, pass: i32, record: &mut Recorder) -> Result<(), Error> {
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            self.record_events(record)?;
            if self.ordeal.pass >= pass {
                return Ok(());
            }
            self.must_go_on(RecoveryMoment::LaterPass)?;
        }
    }

    /// Has the migration run into a daemon that is held still.
    async fn stands(&mut self, held: Side, moment: RecoveryMoment) -> Result<Proof, Error> {
        let status = match held {
            Side::Source => "pre-switchover",
            Side::Destination => "completed",
        };
        self.flows(moment).await?;
        self.signal_its_daemon(held, Signalled::Stopped).await?;
        self.ordeal.held = Some((held, Instant::now()));
        self.lift_bandwidth().await;
        let standing = self.until(moment, |it| it.status == status).await?;
        Ok(Proof::Status {
            side: Side::Source,
            status: standing.status,
        })
    }

    /// Waits until the destination's QEMU has all that was sent. A source that asks for no way back has completed as soon
    /// as its kernel has taken the last byte (`return-path` in QEMU's migration.json, which libvirt 7.0 leaves out).
    pub(super) async fn has_all(&self, moment: RecoveryMoment) -> Result<(), Error> {
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            match self.ordeal.monitors.run_state(Side::Destination).await {
                Ok(state) if state != INCOMING => return Ok(()),
                Ok(_) | Err(_) => self.must_go_on(moment)?,
            }
        }
    }

    /// Waits until the destination's daemon is called to finish: until then the source's has not told that its part
    /// is done.
    async fn calls_finish(&self, moment: RecoveryMoment) -> Result<(), Error> {
        let management = self.ordeal.routes.management.as_ref();
        let mut tick = Ticks::every(LOOK_EVERY);
        while management.is_some_and(|route| route.relay.is_waiting()) {
            tick.tick().await;
            self.must_go_on(moment)?;
        }
        Ok(())
    }

    /// Has the destination start the guest while nothing that its daemon says comes back.
    async fn withholds_reply(&mut self) -> Result<Proof, Error> {
        let moment = RecoveryMoment::Reply;
        self.flows(moment).await?;
        self.lift_bandwidth().await;
        if self.struck()?.runs() {
            self.runs_there(moment).await?;
        } else {
            let is_paused = |state: &str, reason: &str| state == "paused" && reason != "migration";
            self.is_known_there(moment, is_paused).await?;
        }
        let side = Side::Destination;
        Ok(Proof::Runs { side })
    }

    /// Waits until the destination's daemon says so of the guest: its state, and the reason for it.
    async fn is_known_there(
        &mut self,
        moment: RecoveryMoment,
        is: impl Fn(&str, &str) -> bool,
    ) -> Result<(), Error> {
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            let said = self.state(Side::Destination).await;
            if said.is_ok_and(|said| said.is_some_and(|(state, reason)| is(&state, &reason))) {
                return Ok(());
            }
            self.must_go_on(moment)?;
        }
    }

    /// Holds the data in postcopy, and waits until it stands.
    async fn in_postcopy(&mut self, moment: RecoveryMoment) -> Result<Proof, Error> {
        let is_end = moment == RecoveryMoment::PostcopyEnd;
        self.runs_there(moment).await?;
        // Its daemon hears that from its QEMU a moment later: one that is killed before knows of no postcopy
        // when it is back.
        self.is_known_there(moment, |state, _| state == "running")
            .await?;
        if let Some(route) = &self.ordeal.routes.data {
            if is_end {
                // All may be sent that there is, and the last of it does not come.
                route.relay.keep();
            } else {
                route.relay.shut();
            }
        }
        let is_there = |it: &Standing| it.status == POSTCOPY && (it.remaining == 0) == is_end;
        let standing = self.until(moment, is_there).await?;
        Ok(Proof::Postcopy {
            status: standing.status,
            remaining: standing.remaining,
        })
    }

    /// Waits until the destination's guest has been started.
    async fn runs_there(&mut self, moment: RecoveryMoment) -> Result<(), Error> {
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            let state = self.ordeal.monitors.run_state(Side::Destination).await;
            if state.as_deref() == Ok("running") {
                return Ok(());
            }
            self.must_go_on(moment)?;
        }
    }

    /// Has the migration switch over to postcopy, once memory is sent.
    pub(super) async fn start_postcopy(&mut self, record: &mut Recorder) -> Result<(), Error> {
        let moment = self.struck()?.moment;
        self.flows(moment).await?;
        self.record_events(record)?;
        self.act(Side::Source, DomainAction::StartPostcopy).await
    }

    /// Lifts the bound on the bandwidth.
    pub(super) async fn lift_bandwidth(&self) {
        set_bandwidth(&self.ordeal.monitors, UNBOUND).await;
    }

    /// Has the pass not end that is under way, but where its end is what is waited for.
    async fn crawl(&self, point: &Recovery) {
        if point.strike != Strike::NeverConverges {
            set_bandwidth(&self.ordeal.monitors, CRAWL).await;
        }
    }

    /// Lets the passes end.
    pub(super) fn hurry(&mut self) {
        let monitors = Arc::clone(&self.ordeal.monitors);
        self.ordeal
            .lifter
            .get_or_insert_with(|| Lifter::begin(monitors));
        if self.ordeal.routes.holds_pass {
            self.open_relays();
        }
    }

    fn open_relays(&self) {
        for route in self.ordeal.routes.all() {
            route.relay.open();
        }
    }

    /// Lets go of the migration where it is held.
    pub(super) async fn release(&mut self, record: &mut Recorder) -> Result<(), Error> {
        let strike = self.struck()?.strike;
        for side in Side::BOTH {
            let host = Arc::clone(self.host(side));
            let opened = control(&host)?.open_gates(&self.subject.domain);
            self.broken(side, "can't open a gate", opened)?;
        }
        let held = self
            .ordeal
            .held
            .take_if(|(held, _)| silenced(strike) != Some(*held));
        if let Some((side, _)) = held {
            self.continue_daemon(side).await?;
        }
        if strike != Strike::DataStalled && !self.ordeal.routes.holds_pass {
            self.open_relays();
        }
        // What lasts is to be felt at the moment that it struck at.
        match strike.lasting() {
            Lasting::Instant | Lasting::Standing => self.hurry(),
            Lasting::Undone | Lasting::Outlasting => {}
        }
        self.hear_asked(LOOK_EVERY, record).await?;
        let too_long = held.map(|(side, since)| (side, since.elapsed()));
        match too_long.filter(|(_, held)| *held >= GIVEN_UP) {
            Some((side, held)) => {
                let (held, given_up) = (held.as_millis(), GIVEN_UP.as_millis());
                Err(Error::HeldTooLong(side, held, given_up))
            }
            None => Ok(()),
        }
    }

    /// Lets a daemon go on that was held still, if it is still there.
    pub(super) async fn continue_daemon(&mut self, side: Side) -> Result<(), Error> {
        let host = Arc::clone(self.host(side));
        if self.found(side, control(&host)?.daemon())?.is_some() {
            self.signal_its_daemon(side, Signalled::Continued).await?;
        }
        Ok(())
    }

    /// The destination's QEMU ends only by the daemon that is started again, and what is left of a pass may be sent
    /// meanwhile: then it was not the pass that was struck.
    pub(super) async fn must_not_be_done(&self) -> Result<(), Error> {
        let moment = self.struck()?.moment;
        if !moment.is_pass() {
            return Ok(());
        }
        let standing = self.ordeal.monitors.standing().await;
        match standing.is_ok_and(|it| it.status == "completed") {
            true => Err(Error::Missed(moment.word())),
            false => Ok(()),
        }
    }

    /// What is over can't be held any more.
    fn must_go_on(&self, moment: RecoveryMoment) -> Result<(), Error> {
        if self.is_over() {
            return Err(Error::Missed(moment.word()));
        }
        Ok(())
    }
}
