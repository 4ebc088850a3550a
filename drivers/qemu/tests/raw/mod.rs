//! The QEMUs of real releases, and raw cases on them.

use std::{env, path::Path, sync::Arc, time::Duration};

use migratrix_contract::{Deadlines, DomainSpec, Recorder, Script, run};
use migratrix_guest::Parameters;
use migratrix_history::History;
use migratrix_matrix::Case;
use migratrix_qemu::{Binary, QemuCaps, QemuDriver, RawHost, machine};

/// How long a QEMU may take to say what it can do.
const PROBING: Duration = Duration::from_secs(20);

/// The QEMUs of the roots that `MIGRATRIX_TEST_ROOTS=dir1:dir2` names.
pub async fn hosts() -> Vec<RawHost> {
    let roots = env::var_os("MIGRATRIX_TEST_ROOTS").expect("MIGRATRIX_TEST_ROOTS=dir1:dir2 is set");
    let mut hosts = Vec::new();
    for root in env::split_paths(&roots) {
        let binary = Binary::of_root(&root).expect("the root has a QEMU");
        let abilities = QemuCaps::probe(&binary, PROBING).await;
        hosts.push(RawHost {
            name: format!("r{}", hosts.len()),
            binary,
            abilities: Arc::new(abilities.expect("it answers")),
        });
    }
    hosts
}

/// The script of a point between two QEMUs.
pub fn script(point: &str, [source, destination]: [&RawHost; 2]) -> Script {
    let name = format!("qemu/qemu/{},{}/{point}", source.name, destination.name);
    let case: Case = name.parse().expect("it is a case");
    let raw = *case.raw().expect("it is a raw one");
    let machine = machine(raw.machine, &source.abilities, &destination.abilities);
    Script::of(&case, spec(machine.expect("both have one")), 5_000)
}

fn spec(machine: String) -> DomainSpec {
    DomainSpec {
        domain: "cases".to_owned(),
        uuid: "11111111-2222-4333-8444-555555555555".to_owned(),
        foreign_uuid: "11111111-2222-4333-8444-666666666666".to_owned(),
        machine,
        memory_mib: 16,
        guest: Parameters::SMALL,
        boot_image: String::new(),
    }
}

/// Runs a script, with its files in `folder`.
pub async fn play(
    script: &Script,
    [source, destination]: [&RawHost; 2],
    folder: &Path,
    deadlines: &Deadlines,
) -> History {
    let mut record = Recorder::new(script.header(1, 0), None);
    let subject = script.subject.clone();
    let folder = folder.to_owned();
    let mut driver = QemuDriver::new(source.clone(), destination.clone(), subject, folder);
    run(script, &mut driver, &mut record, deadlines).await;
    record.finish().expect("there is no file")
}
