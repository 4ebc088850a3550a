//! Gates: what a case needs that one of its QEMUs, or the machine, has not got.

use std::{
    fs::OpenOptions,
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::Path,
};

use migratrix_matrix::{Ability, Holder, MachineChoice, Requirement, Side};
use migratrix_qmp::{QapiEnum, Root};
use nix::{fcntl::OFlag, libc};

use crate::{RawHost, machine};

/// The first of `needs` that is not met, in words: `the capability mapped-ram, which QEMU 7.2.22 has
/// not`. `folder` is where the case's files will be.
#[must_use]
pub fn unmet(
    needs: &[Requirement],
    source: &RawHost,
    destination: &RawHost,
    folder: &Path,
) -> Option<String> {
    needs.iter().find_map(|need| {
        let host = match need.holder {
            Holder::Side(Side::Source) => source,
            Holder::Side(Side::Destination) => destination,
            Holder::Machine => return on_the_machine(need, source, destination, folder),
        };
        let lacks = !has(host, &need.ability);
        lacks.then(|| {
            format!(
                "{}, which QEMU {} has not",
                need.ability, host.abilities.version
            )
        })
    })
}

/// Whether a release's QEMU has it.
fn has(host: &RawHost, ability: &Ability) -> bool {
    let abilities = &host.abilities;
    match ability {
        Ability::Capability(name) => abilities.has_capability(name),
        Ability::Parameter(name) => abilities.has_parameter(name),
        Ability::ParameterValue(name, value) => {
            let root = Root::Arguments("migrate-set-parameters");
            abilities.schema.words_at(root, name).contains(value)
        }
        Ability::Argument(command, argument) => abilities.command_takes(command, argument),
        Ability::AddressType(name) => abilities.enum_has(QapiEnum::MigrationAddressType, name),
        Ability::Device(name) => abilities.has_device(name),
        Ability::Since(version, _) => abilities.version >= *version,
        Ability::Until(version, _) => abilities.version < *version,
        // Of both sides, or of the machine.
        Ability::Machine(_)
        | Ability::Kvm
        | Ability::DirectIo
        | Ability::Userfaultfd
        | Ability::Alike(..) => true,
    }
}

fn on_the_machine(
    need: &Requirement,
    source: &RawHost,
    destination: &RawHost,
    folder: &Path,
) -> Option<String> {
    let (one, other) = (&source.abilities, &destination.abilities);
    match &need.ability {
        Ability::Machine(family) => {
            let mut choices = MachineChoice::ALL.into_iter();
            let choice = choices.find(|choice| choice.family() == *family);
            let none = choice.and_then(|choice| machine::machine(choice, one, other));
            let none = none.is_none();
            none.then(|| {
                format!(
                    "{}: QEMU {} and {}",
                    need.ability, one.version, other.version
                )
            })
        }
        Ability::Alike(..) => {
            let lacks = need.ability.is_in_both([one.version, other.version]) == Some(false);
            lacks.then(|| {
                format!(
                    "{}: they are {} and {}",
                    need.ability, one.version, other.version
                )
            })
        }
        Ability::Kvm => (!has_kvm()).then(|| need.ability.to_string()),
        Ability::DirectIo => (!takes_direct_io(folder)).then(|| need.ability.to_string()),
        Ability::Userfaultfd => (!has_userfaultfd()).then(|| need.ability.to_string()),
        ability @ (Ability::Capability(_)
        | Ability::Parameter(_)
        | Ability::ParameterValue(..)
        | Ability::Argument(..)
        | Ability::AddressType(_)
        | Ability::Device(_)
        | Ability::Since(..)
        | Ability::Until(..)) => {
            let lacks = [source, destination]
                .into_iter()
                .find(|host| !has(host, ability));
            lacks.map(|host| format!("{ability}, which QEMU {} has not", host.abilities.version))
        }
    }
}

/// Whether KVM is here, on a processor that virtualizes: a nested one without that is slower than
/// TCG by far.
fn has_kvm() -> bool {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let virtualizes = processor
        .split_whitespace()
        .any(|word| ["vmx", "svm"].contains(&word));
    let opens = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok();
    virtualizes && opens
}

/// Whether a process of ours may handle page faults, those within system calls as well.
fn has_userfaultfd() -> bool {
    // SAFETY: it takes a number, and touches no memory of ours.
    let made = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC) };
    let file = i32::try_from(made).ok().filter(|file| *file >= 0);
    // SAFETY: it was made just now, and nobody else has it.
    let file = file.map(|file| unsafe { OwnedFd::from_raw_fd(file) });
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/userfaultfd");
    file.is_some() || device.is_ok()
}

/// Whether files that are made in `folder`, or where it will be, take direct I/O.
fn takes_direct_io(folder: &Path) -> bool {
    let Some(place) = folder.ancestors().find(|place| place.is_dir()) else {
        return false;
    };
    let probe = place.join(format!(".direct-io-{}", std::process::id()));
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(OFlag::O_DIRECT.bits())
        .open(&probe);
    // What can't be removed was not made.
    drop(std::fs::remove_file(&probe));
    opened.is_ok()
}
