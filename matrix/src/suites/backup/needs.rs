//! What a chain of backups needs of the two QEMUs: its gates.

use super::{
    axes::{BackupForm, BitmapTransfer, StorageMigration, Writer},
    point::Backup,
};
use crate::{
    Ability, Holder, MachineChoice, Requirement,
    need::{self, BOTH, DESTINATION, SOURCE},
};

impl Backup {
    /// What it needs, the most telling first. What every QEMU from 5.2 on has is not among it.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let mut all = Vec::new();
        let mut on = |sides, ability| need::on(sides, ability, &mut all);
        let sides: &[Holder] = if self.jumps() { BOTH } else { &[SOURCE] };
        on(sides, self.command());
        match self.carrier {
            BitmapTransfer::Stream | BitmapTransfer::Image if !self.jumps() => {}
            BitmapTransfer::Stream => on(sides, Ability::Capability("dirty-bitmaps")),
            BitmapTransfer::Mapping => {
                on(sides, Ability::Capability("dirty-bitmaps"));
                on(sides, Ability::Parameter("block-bitmap-mapping"));
            }
            BitmapTransfer::Image => {}
        }
        if self.journey == StorageMigration::Copied {
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
