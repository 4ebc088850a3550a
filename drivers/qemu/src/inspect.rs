//! The steps that only inspect: the machine, the migration, the memory, what is left over.

mod heartbeat;
mod machine;

use std::{collections::BTreeMap, io, path::PathBuf};

use migratrix_contract::{GuestMemory, REGISTERS, Recorder, registers};
use migratrix_guest::{Accelerated, Registers, Survey};
use migratrix_history::{DomainInfo, DomainState, Identity, JobStats, Observation, Side, When};
use migratrix_matrix::Accelerator;
use migratrix_qmp::{Deadline, MigrationStatus, RunState};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    QemuDriver,
    error::{StepError, unless_gone},
    party::{EVERY, PATIENCE, Party},
};

/// What `query-status` says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct VmStatus {
    pub(crate) running: bool,
    status: RunState,
}

#[derive(Deserialize)]
struct Uuid {
    #[serde(rename = "UUID")]
    uuid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MemorySize {
    base_memory: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Processor {
    qom_path: String,
}

#[derive(Deserialize)]
struct Bus {
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    bus: u32,
    slot: u32,
    function: u32,
    qdev_id: String,
    id: DeviceId,
    pci_bridge: Option<Bus>,
}

#[derive(Deserialize)]
struct DeviceId {
    vendor: u32,
    device: u32,
}

impl VmStatus {
    /// Whether the guest is here: not yet to come, and not gone.
    fn is_here(&self) -> bool {
        ![
            RunState::InMigrate,
            RunState::PostMigrate,
            RunState::Shutdown,
        ]
        .contains(&self.status)
    }

    /// Whether the guest is yet to come.
    pub(crate) fn is_to_come(&self) -> bool {
        self.status == RunState::InMigrate
    }

    /// The word of `virDomainState` that comes nearest.
    fn word(&self) -> &'static str {
        match self.status {
            RunState::Running => "running",
            RunState::Suspended => "pmsuspended",
            RunState::Shutdown => "shutoff",
            RunState::InternalError | RunState::GuestPanicked => "crashed",
            RunState::Debug
            | RunState::FinishMigrate
            | RunState::InMigrate
            | RunState::IoError
            | RunState::Paused
            | RunState::PostMigrate
            | RunState::Prelaunch
            | RunState::RestoreVm
            | RunState::SaveVm
            | RunState::Watchdog
            | RunState::Colo
            | RunState::Preconfig
            | RunState::Other(_) => "paused",
        }
    }
}

impl Party {
    /// What `query-status` says.
    pub(crate) async fn run_state(&mut self) -> Result<VmStatus, StepError> {
        self.query("query-status").await
    }

    /// What a query says.
    pub(crate) async fn query<T: DeserializeOwned>(
        &mut self,
        command: &'static str,
    ) -> Result<T, StepError> {
        let response = self.ask(command, json!({})).await?;
        T::deserialize(&response).map_err(|error| StepError::Malformed {
            command,
            what: error.to_string(),
        })
    }

    /// Where the guest's processor stands.
    async fn registers(&mut self) -> Result<Registers, StepError> {
        let command = "human-monitor-command";
        let line = json!({ "command-line": REGISTERS });
        let told = self.ask(command, line).await?;
        let what = told.as_str().unwrap_or_default();
        registers(what).ok_or_else(|| StepError::Malformed {
            command,
            what: what.to_owned(),
        })
    }

    /// Its description, once it is through with a migration that has completed: QEMU tells of that
    /// a moment before its run state follows.
    async fn settled(&mut self) -> Result<DomainInfo, StepError> {
        let patience = Deadline::after(PATIENCE);
        loop {
            let described = self.described().await?;
            let is_passing = described.reason == RunState::FinishMigrate.as_str()
                && self.trail.is_at(&MigrationStatus::Completed);
            if !is_passing || patience.is_past() {
                return Ok(described);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn described(&mut self) -> Result<DomainInfo, StepError> {
        let state = self.run_state().await?;
        let Uuid { uuid } = self.query("query-uuid").await?;
        Ok(DomainInfo {
            uuid,
            active: state.is_here(),
            persistent: false,
            state: state.word().to_owned(),
            identity: Some(self.identity().await?),
            reason: state.status.to_string(),
        })
    }

    /// The type of the object at `path`.
    async fn type_at(&mut self, path: &str) -> Result<Option<String>, StepError> {
        let kind = json!({ "path": path, "property": "type" });
        let kind = self.ask("qom-get", kind).await?;
        Ok(kind.as_str().map(str::to_owned))
    }

    async fn identity(&mut self) -> Result<Identity, StepError> {
        let machine = self.type_at("/machine").await?.unwrap_or_default();
        let memory: MemorySize = self.query("query-memory-size-summary").await?;
        let processors: Vec<Processor> = self.query("query-cpus-fast").await?;
        let processor = match processors.first() {
            Some(first) => self.type_at(&first.qom_path).await?,
            None => None,
        };
        let mut devices = BTreeMap::new();
        for bus in self.query::<Vec<Bus>>("query-pci").await? {
            add(&mut devices, bus);
        }
        Ok(Identity {
            machine: machine.trim_end_matches("-machine").to_owned(),
            memory_kib: memory.base_memory >> 10,
            vcpus: u32::try_from(processors.len()).unwrap_or(u32::MAX),
            processor,
            devices,
        })
    }
}

const fn accelerated(by: Accelerator) -> Accelerated {
    match by {
        Accelerator::Tcg | Accelerator::TcgUnflushed => Accelerated::Tcg,
        Accelerator::Kvm | Accelerator::KvmDirtyRing => Accelerated::Kvm,
    }
}

/// Adds the devices of a bus, and of those behind it.
fn add(devices: &mut BTreeMap<String, String>, bus: Bus) {
    for device in bus.devices {
        let Device {
            bus,
            slot,
            function,
            id,
            ..
        } = device;
        let address = format!("{bus:02x}:{slot:02x}.{function}");
        let key = match device.qdev_id.as_str() {
            "" => format!("pci/{address}"),
            name => format!("pci/{name}"),
        };
        let DeviceId {
            vendor,
            device: kind,
        } = id;
        devices.insert(key, format!("pci {address} {vendor:04x}:{kind:04x}"));
        if let Some(behind) = device.pci_bridge {
            add(devices, behind);
        }
    }
}

/// The error, and what QEMU wrote to its standard error.
fn with_words(error: Option<String>, words: Option<String>) -> Option<String> {
    let words = words.filter(|words| !words.is_empty());
    let both: Vec<String> = error.into_iter().chain(words).collect();
    (!both.is_empty()).then(|| both.join("; "))
}

impl QemuDriver {
    /// Records what QEMU says of the machine.
    pub(crate) async fn inspect_domain(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let described = unless_gone(self.party(side).settled().await)?;
        let active = described.as_ref().is_some_and(|domain| domain.active);
        let look = described.map_or(DomainState::Absent, DomainState::Present);
        record.saw(Observation::Domain { side, when, look });
        if active {
            unless_gone(self.party(side).ask_machine(when, record).await)?;
        }
        Ok(())
    }

    /// Records what QEMU says of the migration.
    pub(crate) async fn inspect_migration(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let party = self.party(side);
        let progress = unless_gone(party.progress().await)?;
        let mut job = progress.map_or_else(
            || JobStats {
                kind: MigrationStatus::None.to_string(),
                error: party.end().map(str::to_owned),
                ..JobStats::default()
            },
            crate::migration::progress::Progress::look,
        );
        // QEMU tells the reason there, and not always in its answer.
        if job.kind != MigrationStatus::Completed.as_str() {
            job.error = with_words(job.error, party.stderr());
        }
        record.saw(Observation::Job { side, job });
        Ok(())
    }

    /// Holds the guest still, and records its stamped memory.
    pub(crate) async fn survey(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if self.party(side).run_state().await?.running {
            self.stop(side, record).await?;
        }
        let guest = self.subject.guest;
        let (address, size) = (guest.start.into(), guest.bytes().into());
        let bytes = self.party(side).read_memory(address, size).await?;
        let survey = Survey::read(&guest, &bytes)?;
        let registers = Some(self.party(side).registers().await?);
        record.saw(Observation::Memory {
            side,
            survey,
            registers,
        });
        Ok(())
    }

    /// Records what is in each page of the machine's memory. A QEMU that is gone has none.
    pub(crate) async fn read_ram(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let pid = self.party(side).process()?;
        let (guest, mib) = (self.subject.guest, self.subject.memory_mib);
        let accelerated = accelerated(self.subject.raw.accelerator);
        let process = PathBuf::from(format!("/proc/{pid}"));
        let read = tokio::task::spawn_blocking(move || {
            GuestMemory::find(&process, &guest, mib)?.ram(accelerated)
        });
        let ram = read.await.map_err(io::Error::other).and_then(|read| read);
        let ram = ram.map_err(|why| StepError::Unreadable { side, why })?;
        record.saw(Observation::Ram { side, when, ram });
        Ok(())
    }

    /// Stops the guest.
    pub(crate) async fn stop(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.party(side).command("stop", json!({}), record).await?;
        Ok(())
    }

    /// Has the guest go on.
    pub(crate) async fn go_on(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.party(side).command("cont", json!({}), record).await?;
        Ok(())
    }

    /// Records what is left of the case, once no process is or all have had their time. A file that no
    /// process has does not go by itself.
    pub(crate) async fn inspect_leftovers(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let processes = self.scratch.processes_left(self.patience).await;
        let mut left = self.scratch.left();
        left.extend(processes);
        record.saw(Observation::Leftovers { side, left });
        Ok(())
    }
}
