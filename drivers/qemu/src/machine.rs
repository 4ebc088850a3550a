//! The machine of a case, as QEMU's arguments, and which machine type it is.

use migratrix_contract::Subject;
use migratrix_history::Side;
use migratrix_matrix::{Feature, MachineChoice, Method, Raw, Uuids, Version};
use migratrix_qmp::QemuCaps;

use crate::{arch, devices, error::StepError, scratch::Scratch, words::words};

/// The machine type of both sides: the newest or the oldest that both have of its family. `None`
/// where there is none.
#[must_use]
pub fn machine(choice: MachineChoice, source: &QemuCaps, destination: &QemuCaps) -> Option<String> {
    let other_offers = |name: &str| destination.machines.contains_key(name);
    let chosen = choice.among_names(source.machines(), other_offers);
    chosen.map(str::to_owned)
}

/// The arguments of the side's QEMU of this version, but for what it has to wait for.
pub(crate) fn arguments(
    subject: &Subject,
    side: Side,
    qemu: Version,
    scratch: &Scratch,
) -> Result<Vec<String>, StepError> {
    let raw = &subject.raw;
    let image = scratch.boot_image(&subject.guest)?;
    let mut all = words(&format!(
        "-nodefaults -no-user-config -display none -name {},debug-threads=on -m {}M",
        subject.domain, subject.memory_mib
    ));
    all.extend(raw.arguments().into_iter().map(str::to_owned));
    all.extend(memory(subject, scratch));
    if let Some(uuid) = uuid(subject, side) {
        all.extend(["-uuid".to_owned(), uuid.to_owned()]);
    }
    all.extend(arch::boot(raw.machine.arch(), &image, qemu));
    all.extend(devices::arguments(raw.devices, scratch)?);
    Ok(all)
}

/// What has the source's guest wait until it is let go, where it falls asleep by itself: QEMU tells
/// no events before it was asked for its capabilities, and a guest may be that fast.
pub(crate) fn held(raw: &Raw) -> Option<&'static str> {
    raw.guest.sleeps().then_some("-S")
}

/// The machine type, and memory that another process can have as well where the case asks for it.
fn memory(subject: &Subject, scratch: &Scratch) -> Vec<String> {
    let (machine, size) = (&subject.machine, subject.memory_mib);
    let id = arch::memory(subject.raw.machine.arch());
    let backed = format!("-machine {machine},memory-backend={id}");
    let shared = format!("id={id},size={size}M,share=on");
    match sharing(&subject.raw) {
        Sharing::None => words(&format!("-machine {machine}")),
        Sharing::File => {
            let file = scratch.text("memory");
            let mut all = words(&backed);
            let object = format!("memory-backend-file,{shared},mem-path={file}");
            all.extend(["-object".to_owned(), object]);
            all
        }
        Sharing::Descriptor => words(&format!(
            "{backed},aux-ram-share=on -object memory-backend-memfd,{shared}"
        )),
    }
}

/// How the guest's memory is shared between the two sides.
enum Sharing {
    None,
    /// Both map the same file.
    File,
    /// The descriptor is handed over.
    Descriptor,
}

fn sharing(raw: &Raw) -> Sharing {
    match raw.method {
        Method::CprTransfer | Method::CprExec => Sharing::Descriptor,
        Method::Precopy | Method::Postcopy | Method::CprReboot => {
            match raw.features.has(Feature::IgnoreShared) {
                true => Sharing::File,
                false => Sharing::None,
            }
        }
    }
}

fn uuid(subject: &Subject, side: Side) -> Option<&str> {
    let own = Some(subject.uuid.as_str());
    match (subject.raw.uuids, side) {
        (Uuids::Mismatch, Side::Destination) => Some(&subject.foreign_uuid),
        (Uuids::SourceUnset, Side::Source) | (Uuids::DestinationUnset, Side::Destination) => None,
        (
            Uuids::Same | Uuids::Mismatch | Uuids::SourceUnset | Uuids::DestinationUnset,
            Side::Source | Side::Destination,
        ) => own,
    }
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::Case;

    use super::*;

    #[test]
    fn a_guest_that_falls_asleep_by_itself_does_not_begin_before_somebody_listens() {
        let held = |guest: &str| {
            let name = format!("qemu/qemu/a,b/precopy/unix/{guest}/plain");
            let case: Case = name.parse().unwrap();
            held(case.raw().unwrap())
        };
        assert_eq!(held("suspended"), Some("-S"));
        assert_eq!(held("suspended-stopped"), Some("-S"));
        assert_eq!(held("running"), None);
        assert_eq!(held("stopped"), None);
    }
}
