//! What a raw migration needs of the two QEMUs: its gates.

use super::{
    axes::{Accelerator, Address, Devices, Feature, Incident, Method, Multifd, Tls, Transport},
    point::Raw,
    settings::Setting,
};
use crate::{
    Ability, Holder, Requirement, Version,
    need::{BOTH, DESTINATION, Row, SOURCE, of_versions, on},
};

const VERSIONS: [Row<Raw>; 8] = [
    Row {
        of: |raw| raw.can_postcopy() && raw.multifd != Multifd::Off,
        holders: BOTH,
        ability: Ability::Since(
            Version::new(10, 1, 0),
            "postcopy-ram and multifd don't work together before it, though the oldest releases \
             take both (migrate_caps_check in migration/options.c)",
        ),
    },
    Row {
        of: |raw| raw.guest.sleeps(),
        holders: BOTH,
        ability: Ability::Since(
            Version::new(9, 0, 0),
            "a guest that sleeps is not stopped and woken as it was before it: no STOP is sent, \
             and the suspended state is lost (vm-was-suspended in migration/global_state.c)",
        ),
    },
    Row {
        of: |raw| raw.transport == Transport::FdFile,
        holders: BOTH,
        ability: Ability::Until(
            Version::new(11, 0, 0),
            "`fd:` is refused for a plain file from it on (docs/about/removed-features.rst)",
        ),
    },
    Row {
        of: |raw| raw.incident == Incident::FailHandshake,
        holders: &[DESTINATION],
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
        holders: &[SOURCE],
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
        holders: &[SOURCE],
        ability: Ability::Since(
            Version::new(9, 0, 0),
            "under TCG what the guest writes is not seen any more after the second pass before it, \
             so that there is nothing to throttle or to encode (tlb_reset_dirty_range_all in \
             include/exec/ram_addr.h)",
        ),
    },
    Row {
        of: |raw| raw.accelerator == Accelerator::KvmDirtyRing,
        holders: BOTH,
        ability: Ability::Since(
            Version::new(6, 1, 0),
            "the accelerator's property dirty-ring-size is new (-accel in qemu-options.hx)",
        ),
    },
    Row {
        of: |raw| raw.devices == Devices::Nvme,
        holders: BOTH,
        ability: Ability::Since(
            Version::new(11, 1, 0),
            "up to 10.0 the device blocks every migration (vmstate_nvme in hw/nvme/ctrl.c)",
        ),
    },
];

impl Raw {
    /// What it needs, the most telling first. What every QEMU from 5.2 on has is not among it.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let mut all = Vec::new();
        let on_both = self
            .settings_needed()
            .into_iter()
            .chain(self.forms_needed());
        on_both.for_each(|ability| on(BOTH, ability, &mut all));
        self.sided(&mut all);
        of_versions(&VERSIONS, self, &mut all);
        for device in self.types() {
            on(BOTH, Ability::Device(device), &mut all);
        }
        for ability in self.shared() {
            on(&[Holder::Machine], ability, &mut all);
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
    fn sided(&self, all: &mut Vec<Requirement>) {
        if self.incident == Incident::BadOffset {
            on(&[SOURCE], Ability::AddressType("file"), all);
        }
        if matches!(self.address, Address::Channels | Address::Both) {
            on(&[SOURCE], Ability::Argument("migrate", "channels"), all);
        }
        if self.address == Address::Channels {
            let listen = Ability::Argument("migrate-incoming", "channels");
            on(&[DESTINATION], listen, all);
        }
        if self.method == Method::CprExec {
            on(&[SOURCE], Ability::Parameter("cpr-exec-command"), all);
        }
        if matches!(self.tls, Tls::X509FriendlyClient | Tls::X509HostileClient) {
            on(&[DESTINATION], Ability::Parameter("tls-authz"), all);
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

impl Accelerator {
    /// What it needs of the machine.
    pub(crate) const fn need(self) -> Option<Ability> {
        match self {
            Self::Tcg | Self::TcgUnflushed => None,
            Self::Kvm | Self::KvmDirtyRing => Some(Ability::Kvm),
        }
    }
}
