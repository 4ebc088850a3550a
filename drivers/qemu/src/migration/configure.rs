//! Capabilities and parameters: set, and asked back.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use migratrix_contract::{Recorder, Waits};
use migratrix_history::{Observation, Side};
use migratrix_matrix::{GuestState, Incident, Method, Raw, Setting, Tls, Version};
use nix::sys::signal::Signal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    QemuDriver,
    error::{StepError, unless_gone},
    party::{PATIENCE, Party},
    transport::credentials,
};

/// The bandwidth while a guest runs, in bytes/s. In the 100 ms by which QEMU measures it, less goes
/// through than the guest dirties, so that no pass begins and ends in one of them: it can't converge
/// because the guest did not run for a moment. The first pass takes two of them, and no more.
const RUNNING_BANDWIDTH: u64 = 8 << 20;

/// The same where memory is compressed, and what is left of it is measured.
const COMPRESSED_BANDWIDTH: u64 = 160 << 10;

/// The first release, of those that were measured, that counts what is left of compressed memory
/// against the bandwidth; 7.2 counts what there was.
const COUNTS_COMPRESSED: Version = Version::new(10, 0, 0);

/// The bandwidth while a guest is still, in bytes/s: its memory would take eight seconds, whoever is
/// late meanwhile. It is lifted once all was seen.
const STILL_BANDWIDTH: u64 = 128 << 10;

/// What has a source wait before the switchover.
const PAUSE: &str = "pause-before-switchover";

/// The bandwidth of pages that nobody asked for in postcopy, in bytes/s: slow enough that the guest
/// has to ask for some.
const POSTCOPY_BANDWIDTH: u64 = 256 << 10;

/// The same where the connection is to be lost meanwhile.
const LOSING_BANDWIDTH: u64 = 4096;

/// A bandwidth that is no bound, in bytes/s.
const UNBOUND: u64 = 100_000_000_000;

/// How long a guest is down that converges slowly.
const LONG_DOWNTIME: Duration = Duration::from_millis(200);

/// A downtime limit that holds nothing up, in milliseconds.
const ANY_DOWNTIME: u64 = 30_000;

#[derive(Deserialize)]
struct Switch {
    capability: String,
    state: bool,
}

impl QemuDriver {
    /// Sets the case's capabilities and parameters on a side, and records what it says is set.
    pub(crate) async fn configure(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let raw = self.subject.raw;
        if side == Side::Destination
            && raw.method == Method::CprTransfer
            && !self.party(side).lives()
        {
            // It answers only when the source has handed its state over.
            return Ok(());
        }
        let version = self.party(side).host.abilities.version;
        let mut parameters = parameters(&raw, version, side);
        if side == Side::Source {
            let command = self.replacement()?;
            parameters.extend(command.map(|words| ("cpr-exec-command".to_owned(), words)));
        }
        if raw.tls != Tls::None {
            let party = match side {
                Side::Source => &mut self.source,
                Side::Destination => &mut self.destination,
            };
            let given = credentials::provide(&raw, party, &self.scratch, record).await?;
            parameters.extend(given);
        }
        let party = self.party(side);
        let held = side == Side::Source && raw.waits_to_be_counted();
        let capabilities: Vec<Value> = raw
            .capabilities()
            .into_iter()
            .chain(held.then_some(PAUSE))
            .map(|name| json!({ "capability": name, "state": true }))
            .collect();
        let capabilities = json!({ "capabilities": capabilities });
        party
            .command("migrate-set-capabilities", capabilities, record)
            .await?;
        if !parameters.is_empty() {
            party
                .command("migrate-set-parameters", Value::Object(parameters), record)
                .await?;
        }
        settings(party, record).await
    }

    /// Records once more what a side says is set, if it is there.
    pub(crate) async fn ask_settings(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        unless_gone(settings(self.party(side), record).await).map(|_| ())
    }

    /// Lifts the bounds on bandwidth and downtime.
    pub(crate) async fn converge(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        if self.subject.raw.method == Method::CprExec {
            // It needs no help, and is another program as soon as it is through.
            return Ok(());
        }
        let mut bounds = json!({ "max-bandwidth": UNBOUND, "downtime-limit": ANY_DOWNTIME });
        if self.subject.raw.method == Method::Postcopy {
            self.await_request(record).await?;
            bounds["max-postcopy-bandwidth"] = json!(0);
        }
        self.waits = Some(Waits::default());
        self.look_who_waits();
        self.set_on_source(bounds, record).await
    }

    /// Lifts the bound on downtime alone, with a destination that takes nothing for a while: the guest
    /// is stopped before more is sent, and then QEMU itself heeds no bandwidth.
    pub(crate) async fn converge_slowly(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let mut events = self.source.qemu()?.qmp().events();
        self.signal(Side::Destination, Signal::SIGSTOP)?;
        let bounds = json!({ "downtime-limit": ANY_DOWNTIME });
        self.set_on_source(bounds, record).await?;
        events.wait_for("STOP", PATIENCE).await?;
        tokio::time::sleep(LONG_DOWNTIME).await;
        self.signal(Side::Destination, Signal::SIGCONT)
    }

    /// Sets parameters of a migration that is under way, unless it has left the source behind.
    async fn set_on_source(
        &mut self,
        parameters: Value,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let command = "migrate-set-parameters";
        self.source.command(command, parameters, record).await?;
        Ok(())
    }
}

/// The parameters that are set on a side, besides those of the encryption.
fn parameters(raw: &Raw, version: Version, side: Side) -> Map<String, Value> {
    let own = raw.parameters().into_iter();
    let own = own.filter(|(name, _)| side == Side::Source || !is_sources_alone(raw, name));
    let mut all: Map<_, _> = own
        .map(|(name, value)| (name.to_owned(), written(value)))
        .collect();
    if side == Side::Source {
        all.extend(pace(raw, version).map(|(name, value)| (name.to_owned(), json!(value))));
    }
    all
}

/// The mode `cpr-transfer` is told to the source alone (`docs/devel/migration/CPR.rst`).
fn is_sources_alone(raw: &Raw, name: &str) -> bool {
    name == "mode" && raw.method == Method::CprTransfer
}

/// The bounds that keep the migration from its end until it is let go.
fn pace(raw: &Raw, version: Version) -> impl Iterator<Item = (&'static str, u64)> {
    let is_compressed = raw.sends_compressed() && version >= COUNTS_COMPRESSED;
    let bandwidth = match raw.guest {
        _ if is_compressed => COMPRESSED_BANDWIDTH,
        GuestState::Running => RUNNING_BANDWIDTH,
        GuestState::Stopped | GuestState::Suspended | GuestState::SuspendedStopped => {
            STILL_BANDWIDTH
        }
    };
    let postcopy = match (raw.method, raw.incident) {
        (
            Method::Postcopy,
            Incident::Recover | Incident::FailHandshake | Incident::FailReconnect,
        ) => Some(LOSING_BANDWIDTH),
        (Method::Postcopy, _) => Some(POSTCOPY_BANDWIDTH),
        (Method::Precopy | Method::CprReboot | Method::CprTransfer | Method::CprExec, _) => None,
    };
    let postcopy = postcopy.map(|bound| ("max-postcopy-bandwidth", bound));
    let precopy = [("max-bandwidth", bandwidth), ("downtime-limit", 1)];
    precopy.into_iter().chain(postcopy)
}

fn written(value: Setting) -> Value {
    match value {
        Setting::Text(text) => json!(text),
        Setting::Number(number) => json!(number),
        Setting::Switch(on) => json!(on),
    }
}

/// Records what a side says is set.
pub(crate) async fn settings(party: &mut Party, record: &mut Recorder) -> Result<(), StepError> {
    let response = party.ask("query-migrate-capabilities", json!({})).await?;
    let switches = Vec::<Switch>::deserialize(&response).map_err(|error| StepError::Malformed {
        command: "query-migrate-capabilities",
        what: error.to_string(),
    })?;
    let on = switches.into_iter().filter(|switch| switch.state);
    let capabilities: BTreeSet<String> = on.map(|switch| switch.capability).collect();
    let response = party.ask("query-migrate-parameters", json!({})).await?;
    let parameters = BTreeMap::deserialize(&response).map_err(|error| StepError::Malformed {
        command: "query-migrate-parameters",
        what: error.to_string(),
    })?;
    record.saw(Observation::Settings {
        side: party.side,
        capabilities,
        parameters,
    });
    Ok(())
}
