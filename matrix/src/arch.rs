//! Architectures: the processors and machines that a guest can have, in QEMU's names. Whoever needs
//! such a name has it from here.

use crate::{CpuModel, MachineChoice, axis::axis};

axis! {
    /// Which processors a guest has.
    Arch, "arch", kind "architecture" {
        /// Those of a 64-bit PC.
        X86_64 = "x86_64",
    }
}

impl Arch {
    /// The program that emulates it.
    #[must_use]
    pub const fn emulator(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86_64",
        }
    }
}

impl MachineChoice {
    /// Whose machines they are.
    #[must_use]
    pub const fn arch(self) -> Arch {
        match self {
            Self::Q35 | Self::Q35Oldest | Self::Pc | Self::PcOldest => Arch::X86_64,
        }
    }

    /// The family of machine types that it is taken from.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::Q35 | Self::Q35Oldest => "pc-q35",
            Self::Pc | Self::PcOldest => "pc-i440fx",
        }
    }

    /// What each QEMU calls the newest machine type that it has of the family.
    #[must_use]
    pub const fn newest(self) -> &'static str {
        match self {
            Self::Q35 | Self::Q35Oldest => "q35",
            Self::Pc | Self::PcOldest => "pc",
        }
    }
}

impl CpuModel {
    /// The type of its processors in QEMU's words (`qom-get`). What all PCs have by themselves is
    /// `qemu64`.
    #[must_use]
    pub const fn qom_type(self, arch: Arch) -> &'static str {
        match (arch, self) {
            (Arch::X86_64, Self::Default) => "qemu64-x86_64-cpu",
            (Arch::X86_64, Self::Max) => "max-x86_64-cpu",
            (Arch::X86_64, Self::Nehalem) => "Nehalem-x86_64-cpu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_has_machines_and_an_emulator_that_names_it() {
        for arch in Arch::ALL {
            let mut machines = MachineChoice::ALL.into_iter();
            assert!(machines.any(|choice| choice.arch() == arch), "{arch}");
            assert!(arch.emulator().ends_with(arch.word()), "{arch}");
        }
    }

    #[test]
    fn the_machine_that_is_usual_is_one_of_the_usual_architecture() {
        assert_eq!(MachineChoice::default().arch(), Arch::default());
    }
}
