//! What a chain of backups needs of the two QEMUs: its gates.

use super::{
    axes::{BackupForm, Carrier, Journey, Writer},
    point::Backup,
};
use crate::{
    Ability, Holder, MachineChoice, Need,
    need::{self, BOTH, DESTINATION, SOURCE},
};

impl Backup {
    /// What it needs, the most telling first. What every QEMU from 5.2 on has is not among it.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let mut all = Vec::new();
        let mut on = |sides, ability| need::on(sides, ability, &mut all);
        let sides: &[Holder] = if self.jumps() { BOTH } else { &[SOURCE] };
        on(sides, self.command());
        match self.carrier {
            Carrier::Stream | Carrier::Image if !self.jumps() => {}
            Carrier::Stream => on(sides, Ability::Capability("dirty-bitmaps")),
            Carrier::Mapping => {
                on(sides, Ability::Capability("dirty-bitmaps"));
                on(sides, Ability::Parameter("block-bitmap-mapping"));
            }
            Carrier::Image => {}
        }
        if self.journey == Journey::Copied {
            on(&[DESTINATION], Ability::Argument("block-export-add", "id"));
        }
        if self.jumps() {
            on(sides, self.disk());
            let machine = Ability::Machine(MachineChoice::Q35.family());
            on(&[Holder::Machine], machine);
        }
        all
    }

    const fn command(&self) -> Ability {
        match self.form {
            BackupForm::Blockdev => Ability::Argument("blockdev-backup", "bitmap"),
            BackupForm::Drive => Ability::Argument("drive-backup", "bitmap"),
        }
    }

    const fn disk(&self) -> Ability {
        match self.writer {
            Writer::QemuIo => Ability::Device("virtio-blk-pci"),
            Writer::Guest => Ability::Device("isa-ide"),
        }
    }
}
