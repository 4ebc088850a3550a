//! What a COLO pair needs of the two QEMUs: its gates.
//!
//! Up to 10.0 COLO works where the documents of those releases put it: on `pc`, with KVM
//! (`docs/COLO-FT.txt`). What keeps it from working elsewhere was found in the source, and each row
//! below says where. The first release known without it is 11.1.

use super::{
    axes::ColoChannel,
    point::{Colo, REWORKED},
};
use crate::{
    Ability, Accelerator, Holder, MachineChoice, Requirement,
    need::{self, BOTH, DESTINATION, Row, SOURCE},
};

const VERSIONS: [Row<Colo>; 4] = [
    Row {
        of: |_| true,
        holders: &[Holder::Machine],
        ability: Ability::Alike(
            REWORKED,
            "the newer ones don't send the command ENABLE_COLO, without which an older secondary \
             takes the stream for a plain migration, and refuse it (MIG_CMD 0x8 deprecated) where \
             an older primary sends it",
        ),
    },
    Row {
        of: |colo| {
            matches!(
                colo.accelerator,
                Accelerator::Tcg | Accelerator::TcgUnflushed
            )
        },
        holders: &[SOURCE],
        ability: Ability::Since(
            REWORKED,
            "before it the primary locks itself out under TCG in one of its first checkpoints: the \
             last pass over memory is made without the big lock, the sync of the dirty log \
             (tcg_log_global_after_sync in softmmu/physmem.c) comes back with it, and the COLO \
             thread takes it again (colo_do_checkpoint_transaction in migration/colo.c)",
        ),
    },
    Row {
        of: |colo| matches!(colo.machine, MachineChoice::Q35 | MachineChoice::Q35Oldest),
        holders: &[DESTINATION],
        ability: Ability::Since(
            REWORKED,
            "before it the secondary aborts on q35 in its first checkpoint: state is loaded into a \
             live machine, whose RCBA region is added a second time (ich9_lpc_post_load in \
             hw/isa/lpc_ich9.c, Assertion `!subregion->container')",
        ),
    },
    Row {
        of: |colo| matches!(colo.channel, ColoChannel::Multifd),
        holders: BOTH,
        ability: Ability::Since(
            REWORKED,
            "before it the pages that come by multifd bypass the secondary's RAM cache, and it fails \
             to load the first checkpoint (Failed to load device state: -1; migration/multifd.c)",
        ),
    },
];

impl Colo {
    /// What it needs, the most telling first.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let mut all = Vec::new();
        need::on(BOTH, Ability::Capability("x-colo"), &mut all);
        let delay = Ability::Parameter("x-checkpoint-delay");
        need::on(&[SOURCE], delay, &mut all);
        need::of_versions(&VERSIONS, self, &mut all);
        let machine = Ability::Machine(self.machine.family());
        need::on(&[Holder::Machine], machine, &mut all);
        if let Some(ability) = self.accelerator.need() {
            need::on(&[Holder::Machine], ability, &mut all);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    const OLD: [Version; 3] = [
        Version::new(5, 2, 0),
        Version::new(7, 2, 0),
        Version::new(10, 0, 0),
    ];

    fn unmet(colo: &Colo, pair: [Version; 2]) -> bool {
        let needs = colo.needs();
        needs.iter().any(|need| need.is_ruled_out(pair.map(Some)))
    }

    #[test]
    fn the_usual_pair_is_for_the_newest_release_alone() {
        let point = Colo::default();
        assert!(!unmet(&point, [REWORKED; 2]));
        for old in OLD {
            assert!(unmet(&point, [old, old]), "{old}");
            assert!(unmet(&point, [old, REWORKED]), "{old}");
            assert!(unmet(&point, [REWORKED, old]), "{old}");
        }
    }

    #[test]
    fn with_kvm_on_pc_the_older_releases_pair_with_each_other() {
        let point = Colo {
            machine: MachineChoice::Pc,
            accelerator: Accelerator::Kvm,
            ..Colo::default()
        };
        for (one, other) in itertools::iproduct!(OLD, OLD) {
            assert!(!unmet(&point, [one, other]), "{one} {other}");
        }
        assert!(unmet(&point, [OLD[2], REWORKED]));
        assert!(unmet(&point, [REWORKED, OLD[2]]));
        assert!(!unmet(&point, [REWORKED, REWORKED]));
    }
}
