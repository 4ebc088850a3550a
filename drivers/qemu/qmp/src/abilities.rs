//! What a QEMU can do, asked of the binary itself.
//!
//! Things are removed from QEMU as well as added, and builders leave things out: so neither is
//! concluded from a version. One start of a QEMU without a machine answers all of it.

pub(crate) mod cache;
pub(crate) mod entity;
pub(crate) mod schema;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::Version;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Binary, Deadline, Launch, QemuError, Qmp, Root, Schema, error::excerpt};

/// What a QEMU can do: plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QemuCaps {
    /// Its version.
    pub version: Version,
    /// The package that it comes from.
    pub package: String,
    /// Its commands and events (`query-qmp-schema`).
    pub schema: Schema,
    /// The migration's capabilities, and whether each is on by default (`query-migrate-capabilities`).
    pub capabilities: BTreeMap<String, bool>,
    /// The migration's parameters that have a default, which is the value (`query-migrate-parameters`).
    pub parameters: BTreeMap<String, Value>,
    /// The machine types, by their names (`query-machines`).
    pub machines: BTreeMap<String, Machine>,
    /// The options of the command line, each with its members (`query-command-line-options`).
    pub options: BTreeMap<String, BTreeSet<String>>,
    /// The types of devices (`qom-list-types`).
    pub devices: BTreeSet<String>,
}

/// A machine type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// Another name for it: `q35` is another machine in each release.
    #[serde(default)]
    pub alias: Option<String>,
    /// Whether it is the machine of a QEMU that is told none.
    #[serde(default)]
    pub is_default: bool,
    /// Whether it is to be removed.
    #[serde(default)]
    pub deprecated: bool,
    /// The most processors that it can have.
    pub cpu_max: u32,
}

/// Enumerations of QAPI that matter to migration. Their names are masked in the schema, so each is
/// known by a member that has it as its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QapiEnum {
    /// What `migrate-set-capabilities` can turn on.
    MigrationCapability,
    /// The states of a migration.
    MigrationStatus,
    /// The values of the parameter `mode`.
    MigMode,
    /// The values of the parameter `multifd-compression`.
    MultiFdCompression,
    /// The values of the parameter `zero-page-detection`.
    ZeroPageDetection,
    /// The kinds of channels of `migrate`.
    MigrationChannelType,
    /// The transports of those channels.
    MigrationAddressType,
    /// The drivers of block devices.
    BlockdevDriver,
    /// The types of objects of `object-add`; empty where the schema does not list them (QEMU 5.2).
    ObjectType,
    /// The states of a machine.
    RunState,
    /// The states of a block job.
    JobStatus,
}

#[derive(Deserialize)]
struct Switch {
    capability: String,
    state: bool,
}

#[derive(Deserialize)]
struct NamedMachine {
    name: String,
    #[serde(flatten)]
    machine: Machine,
}

#[derive(Deserialize)]
struct CommandLineOption {
    option: String,
    parameters: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl QapiEnum {
    const fn place(self) -> (Root<'static>, &'static str) {
        use Root::{Arguments, Event, Returned};
        const PARAMETERS: Root<'static> = Arguments("migrate-set-parameters");
        match self {
            Self::MigrationCapability => (
                Arguments("migrate-set-capabilities"),
                "capabilities.capability",
            ),
            Self::MigrationStatus => (Event("MIGRATION"), "status"),
            Self::MigMode => (PARAMETERS, "mode"),
            Self::MultiFdCompression => (PARAMETERS, "multifd-compression"),
            Self::ZeroPageDetection => (PARAMETERS, "zero-page-detection"),
            Self::MigrationChannelType => (Arguments("migrate"), "channels.channel-type"),
            Self::MigrationAddressType => (Arguments("migrate"), "channels.addr.transport"),
            Self::BlockdevDriver => (Arguments("blockdev-add"), "driver"),
            Self::ObjectType => (Arguments("object-add"), "qom-type"),
            Self::RunState => (Returned("query-status"), "status"),
            Self::JobStatus => (Event("JOB_STATUS_CHANGE"), "status"),
        }
    }
}

impl QemuCaps {
    /// Starts `binary` once, without a machine, and asks it.
    ///
    /// # Errors
    /// Returns an error where it doesn't start, or does not answer all questions by the deadline.
    pub async fn probe(binary: &Binary, deadline: impl Into<Deadline>) -> Result<Self, QemuError> {
        let deadline = deadline.into();
        let arguments = ["-machine", "none", "-S", "-nodefaults", "-display", "none"];
        let mut qemu = Launch::new(binary.clone())
            .arguments(arguments)
            .start(deadline)
            .await?;
        let abilities = match Self::of(qemu.qmp(), deadline).await {
            Ok(abilities) => abilities,
            Err(error) => return Err(qemu.explain(error).await),
        };
        // It holds nothing, so that there is nothing to be gained by its polite end.
        qemu.kill().await?;
        Ok(abilities)
    }

    /// Asks the QEMU at the other end of `qmp`.
    ///
    /// # Errors
    /// Returns an error where it does not answer all questions by the deadline.
    pub async fn of(qmp: &Qmp, deadline: impl Into<Deadline>) -> Result<Self, QemuError> {
        let ask = Question {
            qmp,
            deadline: deadline.into(),
        };
        let switches: Vec<Switch> = ask.plain("query-migrate-capabilities").await?;
        let machines: Vec<NamedMachine> = ask.plain("query-machines").await?;
        let options: Vec<CommandLineOption> = ask.plain("query-command-line-options").await?;
        let only_devices = json!({ "implements": "device", "abstract": false });
        let devices: Vec<Named> = ask.with("qom-list-types", only_devices).await?;
        Ok(Self {
            version: qmp.greeting().version,
            package: qmp.greeting().package.clone(),
            schema: ask.plain("query-qmp-schema").await?,
            capabilities: switches
                .into_iter()
                .map(|switch| (switch.capability, switch.state))
                .collect(),
            parameters: ask.plain("query-migrate-parameters").await?,
            machines: machines
                .into_iter()
                .map(|machine| (machine.name, machine.machine))
                .collect(),
            options: options
                .into_iter()
                .map(|option| (option.option, names(option.parameters)))
                .collect(),
            devices: names(devices),
        })
    }

    /// Whether it has the command.
    #[must_use]
    pub fn has_command(&self, command: &str) -> bool {
        self.schema.has_command(command)
    }

    /// Whether the command takes the argument, which may be a way into it: `channels.addr.transport`.
    #[must_use]
    pub fn command_takes(&self, command: &str, argument: &str) -> bool {
        self.schema.has_member(Root::Arguments(command), argument)
    }

    /// Whether the command's answer can have the member, which may be a way into it.
    #[must_use]
    pub fn command_returns(&self, command: &str, member: &str) -> bool {
        self.schema.has_member(Root::Returned(command), member)
    }

    /// Whether it sends the event.
    #[must_use]
    pub fn has_event(&self, event: &str) -> bool {
        self.schema.has_event(event)
    }

    /// The words of the enumeration; none where it hasn't got it.
    #[must_use]
    pub fn words(&self, of: QapiEnum) -> BTreeSet<&str> {
        let (root, path) = of.place();
        self.schema.words_at(root, path)
    }

    /// Whether the enumeration has the word.
    #[must_use]
    pub fn enum_has(&self, of: QapiEnum, word: &str) -> bool {
        self.words(of).contains(word)
    }

    /// Whether the migration has the capability.
    #[must_use]
    pub fn has_capability(&self, capability: &str) -> bool {
        self.capabilities.contains_key(capability)
    }

    /// Whether the migration has the parameter. Some have no default, and are in the schema only.
    #[must_use]
    pub fn has_parameter(&self, parameter: &str) -> bool {
        self.parameters.contains_key(parameter)
            || self.command_takes("migrate-set-parameters", parameter)
    }

    /// The names of the machine types, without their aliases.
    pub fn machines(&self) -> impl Iterator<Item = &str> {
        self.machines.keys().map(String::as_str)
    }

    /// Whether it has the device type.
    #[must_use]
    pub fn has_device(&self, device: &str) -> bool {
        self.devices.contains(device)
    }

    /// Whether its command line has the option (without a dash), with the member.
    #[must_use]
    pub fn option_takes(&self, option: &str, member: &str) -> bool {
        self.options
            .get(option)
            .is_some_and(|members| members.contains(member))
    }
}

struct Question<'a> {
    qmp: &'a Qmp,
    deadline: Deadline,
}

impl Question<'_> {
    async fn plain<T: DeserializeOwned>(&self, command: &str) -> Result<T, QemuError> {
        self.with(command, json!({})).await
    }

    async fn with<T: DeserializeOwned>(
        &self,
        command: &str,
        arguments: Value,
    ) -> Result<T, QemuError> {
        let answer = self.qmp.ask(command, arguments, self.deadline).await?;
        T::deserialize(&answer).map_err(|error| QemuError::Malformed {
            command: command.to_owned(),
            response: excerpt(answer.to_string().as_bytes()),
            why: error.to_string(),
        })
    }
}

fn names(named: Vec<Named>) -> BTreeSet<String> {
    named.into_iter().map(|one| one.name).collect()
}
