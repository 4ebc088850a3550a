//! The second monitor of each side's QEMU: it answers whatever the daemon does, and tells how far the
//! migration is.

use std::{path::PathBuf, sync::Arc, time::Duration};

use migratrix_contract::Host;
use migratrix_history::Side;
use migratrix_qmp::{Events, QemuError, Qmp};
use serde_json::{Value, json};
use tokio::{net::UnixStream, sync::Mutex, time::timeout};

use super::monitor_path;

/// The word of `RunState` for a machine that waits for its memory.
pub(super) const INCOMING: &str = "inmigrate";

/// How long a QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The monitors of one domain, each connected when it is first asked, and anew where another QEMU has come.
pub(crate) struct Monitors {
    hosts: [(Side, Arc<dyn Host>); 2],
    path: String,
    source: Mutex<Option<Arc<Qmp>>>,
    destination: Mutex<Option<Arc<Qmp>>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mute {
    /// There is no QEMU.
    Absent,
    /// It is there, and is silent.
    Silent,
    /// It said no.
    Refused(String),
}

/// How a migration stands, as the source's QEMU says (`query-migrate`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The word of `MigrationStatus`; empty where none was asked for.
    pub(crate) status: String,
    /// How much memory was sent, in bytes.
    pub(crate) transferred: u64,
    /// How much remains to be sent, in bytes.
    pub(crate) remaining: u64,
}

impl Monitors {
    /// Those of a domain on these hosts.
    pub(crate) fn of(source: &Arc<dyn Host>, destination: &Arc<dyn Host>, domain: &str) -> Self {
        Self {
            hosts: [
                (Side::Source, Arc::clone(source)),
                (Side::Destination, Arc::clone(destination)),
            ],
            path: monitor_path(domain),
            source: Mutex::default(),
            destination: Mutex::default(),
        }
    }

    /// What the QEMU of a side answers.
    pub(crate) async fn ask(
        &self,
        side: Side,
        command: &str,
        arguments: Value,
    ) -> Result<Value, Mute> {
        let qmp = self.connected(side).await?;
        match qmp.execute(command, arguments, PATIENCE).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => Err(Mute::Refused(refusal.to_string())),
            Err(QemuError::TimedOut { .. }) => Err(Mute::Silent),
            Err(_) => {
                *self.open(side).lock().await = None;
                Err(Mute::Absent)
            }
        }
    }

    /// The events of the QEMU of a side, from now on.
    pub(crate) async fn events(&self, side: Side) -> Result<Events, Mute> {
        Ok(self.connected(side).await?.events())
    }

    /// The state of a side's machine, as the word of `RunState`.
    pub(crate) async fn run_state(&self, side: Side) -> Result<String, Mute> {
        let said = self.ask(side, "query-status", json!({})).await?;
        let state = said.get("status").and_then(Value::as_str);
        Ok(state.unwrap_or_default().to_owned())
    }

    /// How the migration stands.
    pub(crate) async fn standing(&self) -> Result<Standing, Mute> {
        let said = self.ask(Side::Source, "query-migrate", json!({})).await?;
        let number = |of: &str| said.pointer(of).and_then(Value::as_u64).unwrap_or(0);
        let status = said.get("status").and_then(Value::as_str);
        Ok(Standing {
            status: status.unwrap_or_default().to_owned(),
            transferred: number("/ram/transferred"),
            remaining: number("/ram/remaining"),
        })
    }

    /// Lets go of both.
    pub(crate) async fn close(&self) {
        for side in Side::BOTH {
            *self.open(side).lock().await = None;
        }
    }

    async fn connected(&self, side: Side) -> Result<Arc<Qmp>, Mute> {
        let mut open = self.open(side).lock().await;
        if let Some(qmp) = &*open {
            return Ok(Arc::clone(qmp));
        }
        let path = self.socket(side).ok_or(Mute::Absent)?;
        let stream = match timeout(PATIENCE, UnixStream::connect(path)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return Err(Mute::Absent),
            Err(_) => return Err(Mute::Silent),
        };
        let qmp = match Qmp::connect(stream, PATIENCE).await {
            Ok(qmp) => Arc::new(qmp),
            Err(QemuError::TimedOut { .. }) => return Err(Mute::Silent),
            Err(_) => return Err(Mute::Absent),
        };
        *open = Some(Arc::clone(&qmp));
        Ok(qmp)
    }

    const fn open(&self, side: Side) -> &Mutex<Option<Arc<Qmp>>> {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    fn socket(&self, side: Side) -> Option<PathBuf> {
        let mut hosts = self.hosts.iter();
        let (_, host) = hosts.find(|(of, _)| *of == side)?;
        host.path(&self.path)
    }
}
