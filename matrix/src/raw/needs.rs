//! What a raw migration needs of the two QEMUs: its gates.

use std::fmt;

use super::{
    Raw,
    axes::{
        Accelerator, Address, Devices, Feature, Incident, MachineChoice, Method, Multifd, Tls,
        Transport,
    },
    settings::Setting,
};
use crate::{Place, Version};

/// One thing that a case needs of one side or of the machine that it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    /// Which side; [`Place::Client`] stands for what lies on neither: the machine that both run on,
    /// and what they share.
    pub side: Place,
    /// What.
    pub ability: Ability,
}

/// One thing that a QEMU, or a machine, has or hasn't got. All but the last two are probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// A capability of the migration.
    Capability(&'static str),
    /// A parameter of the migration.
    Parameter(&'static str),
    /// A value of a parameter: the parameter, the value.
    ParameterValue(&'static str, &'static str),
    /// An argument of a command, or a way into it: `migrate`, `channels.addr.transport`.
    Argument(&'static str, &'static str),
    /// A transport of migration's addresses.
    AddressType(&'static str),
    /// A device type.
    Device(&'static str),
    /// A machine type of this family that both have: `pc-q35`, `pc-i440fx`.
    Machine(&'static str),
    /// KVM, on hardware that virtualizes.
    Kvm,
    /// A file system that takes direct I/O.
    DirectIo,
    /// `userfaultfd` for the user that QEMU runs as.
    Userfaultfd,
    /// At least this version; why, and where it is written.
    Since(Version, &'static str),
    /// A version before this one; why, and where it is written.
    Until(Version, &'static str),
    /// Both sides before this version, or neither; why, and where it is written.
    Alike(Version, &'static str),
}

/// What can't be probed: which points, on which sides, and what is asked of the version.
pub(crate) struct Row<P> {
    pub of: fn(&P) -> bool,
    pub sides: &'static [Place],
    pub ability: Ability,
}

pub(crate) const BOTH: &[Place] = &[Place::Source, Place::Destination];

const VERSIONS: [Row<Raw>; 8] = [
    Row {
        of: |raw| raw.can_postcopy() && raw.multifd != Multifd::Off,
        sides: BOTH,
        ability: Ability::Since(
            Version::new(10, 1, 0),
            "postcopy-ram and multifd don't work together before it, though the oldest releases \
             take both (migrate_caps_check in migration/options.c)",
        ),
    },
    Row {
        of: |raw| raw.guest.sleeps(),
        sides: BOTH,
        ability: Ability::Since(
            Version::new(9, 0, 0),
            "a guest that sleeps is not stopped and woken as it was before it: no STOP is sent, \
             and the suspended state is lost (vm-was-suspended in migration/global_state.c)",
        ),
    },
    Row {
        of: |raw| raw.transport == Transport::FdFile,
        sides: BOTH,
        ability: Ability::Until(
            Version::new(11, 0, 0),
            "`fd:` is refused for a plain file from it on (docs/about/removed-features.rst)",
        ),
    },
    Row {
        of: |raw| raw.incident == Incident::FailHandshake,
        sides: &[Place::Destination],
        ability: Ability::Since(
            Version::new(9, 1, 0),
            "migrate-pause is refused while it recovers before it (qapi/migration.json)",
        ),
    },
    Row {
        of: |raw| {
            matches!(
                raw.incident,
                Incident::FailHandshake | Incident::FailReconnect
            )
        },
        sides: &[Place::Source],
        ability: Ability::Since(
            Version::new(9, 1, 0),
            "a recovery that fails early is not seen before it: the state \
             postcopy-recover-setup is new (MigrationStatus in qapi/migration.json)",
        ),
    },
    Row {
        of: |raw| {
            let of_passes = [Feature::AutoConverge, Feature::Xbzrle];
            raw.accelerator == Accelerator::TcgUnflushed
                && of_passes.into_iter().any(|one| raw.features.has(one))
        },
        sides: &[Place::Source],
        ability: Ability::Since(
            Version::new(9, 0, 0),
            "under TCG what the guest writes is not seen any more after the second pass before it, \
             so that there is nothing to throttle or to encode (tlb_reset_dirty_range_all in \
             include/exec/ram_addr.h)",
        ),
    },
    Row {
        of: |raw| raw.accelerator == Accelerator::KvmDirtyRing,
        sides: BOTH,
        ability: Ability::Since(
            Version::new(6, 1, 0),
            "the accelerator's property dirty-ring-size is new (-accel in qemu-options.hx)",
        ),
    },
    Row {
        of: |raw| raw.devices == Devices::Nvme,
        sides: BOTH,
        ability: Ability::Since(
            Version::new(11, 1, 0),
            "up to 10.0 the device blocks every migration (vmstate_nvme in hw/nvme/ctrl.c)",
        ),
    },
];

impl Raw {
    /// What it needs, the most telling first. What every QEMU from 5.2 on has is not among it.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let mut all = Vec::new();
        let on_both = self
            .settings_needed()
            .into_iter()
            .chain(self.forms_needed());
        on_both.for_each(|ability| on(BOTH, ability, &mut all));
        self.sided(&mut all);
        of_versions(&VERSIONS, self, &mut all);
        for device in self.devices.types() {
            on(BOTH, Ability::Device(device), &mut all);
        }
        for ability in self.shared() {
            on(&[Place::Client], ability, &mut all);
        }
        all
    }

    /// Whether the capability of postcopy is on, asked for or not.
    #[must_use]
    pub fn can_postcopy(&self) -> bool {
        self.method == Method::Postcopy || self.features.has(Feature::PostcopyReady)
    }

    fn settings_needed(&self) -> Vec<Ability> {
        let capabilities = self.capabilities().into_iter().map(Ability::Capability);
        let parameters = self
            .parameters()
            .into_iter()
            .map(|(name, value)| match value {
                Setting::Text(value) => Ability::ParameterValue(name, value),
                Setting::Number(_) | Setting::Switch(_) => Ability::Parameter(name),
            });
        capabilities.chain(parameters).collect()
    }

    fn forms_needed(&self) -> Option<Ability> {
        let file = self.transport.is_named_file() && self.incident != Incident::BadOffset;
        file.then_some(Ability::AddressType("file"))
    }

    /// What one side needs, and the other one does not.
    fn sided(&self, all: &mut Vec<Need>) {
        use Place::{Destination, Source};
        if self.incident == Incident::BadOffset {
            on(&[Source], Ability::AddressType("file"), all);
        }
        if matches!(self.address, Address::Channels | Address::Both) {
            on(&[Source], Ability::Argument("migrate", "channels"), all);
        }
        if self.address == Address::Channels {
            let listen = Ability::Argument("migrate-incoming", "channels");
            on(&[Destination], listen, all);
        }
        if self.method == Method::CprExec {
            on(&[Source], Ability::Parameter("cpr-exec-command"), all);
        }
        if matches!(self.tls, Tls::X509FriendlyClient | Tls::X509HostileClient) {
            on(&[Destination], Ability::Parameter("tls-authz"), all);
        }
    }

    /// What lies on neither side.
    fn shared(&self) -> Vec<Ability> {
        let mut all = vec![Ability::Machine(self.machine.family())];
        all.extend(self.accelerator.need());
        if self.features.has(Feature::DirectIo) {
            all.push(Ability::DirectIo);
        }
        if self.can_postcopy() {
            all.push(Ability::Userfaultfd);
        }
        all
    }
}

/// Adds what the rows ask of the versions for `point`.
pub(crate) fn of_versions<P>(rows: &[Row<P>], point: &P, all: &mut Vec<Need>) {
    for row in rows.iter().filter(|row| (row.of)(point)) {
        on(row.sides, row.ability.clone(), all);
    }
}

impl Accelerator {
    /// What it needs of the machine.
    pub(crate) const fn need(self) -> Option<Ability> {
        match self {
            Self::Tcg | Self::TcgUnflushed => None,
            Self::Kvm | Self::KvmDirtyRing => Some(Ability::Kvm),
        }
    }
}

/// Adds the same need of each of `sides`.
pub(crate) fn on(sides: &[Place], ability: Ability, all: &mut Vec<Need>) {
    all.extend(sides.iter().map(|side| Need {
        side: *side,
        ability: ability.clone(),
    }));
}

impl Ability {
    /// Whether a QEMU of `version` has it; `None` where a version doesn't tell.
    #[must_use]
    pub fn is_in(&self, version: Version) -> Option<bool> {
        match self {
            Self::Since(first, _) => Some(version >= *first),
            Self::Until(end, _) => Some(version < *end),
            Self::Capability(_)
            | Self::Parameter(_)
            | Self::ParameterValue(..)
            | Self::Argument(..)
            | Self::AddressType(_)
            | Self::Device(_)
            | Self::Machine(_)
            | Self::Kvm
            | Self::DirectIo
            | Self::Userfaultfd
            | Self::Alike(..) => None,
        }
    }

    /// Whether a pair of these versions has it; `None` where two versions don't tell.
    #[must_use]
    pub fn is_in_both(&self, [one, other]: [Version; 2]) -> Option<bool> {
        match self {
            Self::Alike(border, _) => Some((one < *border) == (other < *border)),
            Self::Since(..)
            | Self::Until(..)
            | Self::Capability(_)
            | Self::Parameter(_)
            | Self::ParameterValue(..)
            | Self::Argument(..)
            | Self::AddressType(_)
            | Self::Device(_)
            | Self::Machine(_)
            | Self::Kvm
            | Self::DirectIo
            | Self::Userfaultfd => Some(self.is_in(one)? && self.is_in(other)?),
        }
    }
}

impl MachineChoice {
    /// The family of machine types that it is taken from.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::Q35 | Self::Q35Oldest => "pc-q35",
            Self::Pc | Self::PcOldest => "pc-i440fx",
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(name) => write!(f, "the capability {name}"),
            Self::Parameter(name) => write!(f, "the parameter {name}"),
            Self::ParameterValue(name, value) => write!(f, "{name} = {value}"),
            Self::Argument(command, argument) => write!(f, "the argument {argument} of {command}"),
            Self::AddressType(name) => write!(f, "the transport {name}"),
            Self::Device(name) => write!(f, "the device {name}"),
            Self::Machine(family) => write!(f, "a {family} machine that both QEMUs have"),
            Self::Kvm => f.write_str("KVM on hardware that virtualizes"),
            Self::DirectIo => f.write_str("a file system that takes direct I/O"),
            Self::Userfaultfd => f.write_str("userfaultfd for the user that QEMU runs as"),
            Self::Since(version, why) => write!(f, "QEMU {version} or later: {why}"),
            Self::Until(version, why) => write!(f, "QEMU before {version}: {why}"),
            Self::Alike(version, why) => {
                write!(f, "two QEMUs before {version}, or none: {why}")
            }
        }
    }
}
