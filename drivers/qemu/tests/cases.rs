//! Raw cases on the QEMUs of real releases, one of each family, over all pairs of them.
//!
//! Those over TCP use the loopback interface: run them in a network namespace of their own.

mod raw;

use std::{path::Path, time::Instant};

use migratrix_contract::{Deadlines, Recorder, run};
use migratrix_history::{Entry, History, Observation, Outcome, Side};
use migratrix_qemu::{QemuDriver, RawHost, unmet};

/// Cases that end in the guest's being on the destination.
const COMPLETE: &[&str] = &[
    "precopy/unix/running/plain",
    "precopy/unix/stopped/plain",
    "precopy/unix/suspended/plain",
    "precopy/fd/running/plain",
    "precopy/file-offset/running/mapped-ram",
    "precopy/exec/running/plain",
    "precopy/unix/running/multifd-zlib+4-channels",
    "precopy/unix/running/pause-before-switchover",
    "precopy/unix/running/ignore-shared",
    "precopy/unix/running/x509-override-host",
    "precopy/unix/running/virtio-blk-in-use",
    "precopy/unix/running/virtio-scsi-in-use",
    "precopy/unix/running/all-virtio",
    "precopy/unix/running/multifd+cancel-retry",
    "postcopy/unix/running/plain",
    "postcopy/unix/running/postcopy-preempt+recover",
    "cpr-transfer/unix/running/channels",
    "cpr-exec/file/running/plain",
];

/// Cases that end in the guest's being on the source, and the state that the migration comes to.
const STAY: &[(&str, &str)] = &[
    ("precopy/unix/running/cancel-setup", "cancelled"),
    ("precopy/unix/running/cancel-active", "cancelled"),
    ("precopy/unix/running/psk-mismatch", "failed"),
    ("precopy/unix/running/bad-destination", "failed"),
    ("precopy/unix/running/validate-uuid+uuid-mismatch", "failed"),
];

/// Whether the pair is known to fail: the queues of QEMU 10.0.13's virtio devices have 1024 entries,
/// whatever the device, and QEMU 11.1 takes none that is longer than its own. What QEMU 11.1 hands
/// over by `cpr-transfer` has a part that QEMU 10.0 doesn't know.
fn is_known(point: &str, [source, destination]: [&RawHost; 2]) -> bool {
    let majors = [source, destination].map(|host| host.abilities.version.major);
    let has_long_queues = point.contains("virtio") && majors[0] == 10 && majors[1] > 10;
    let goes_back = point.starts_with("cpr-transfer") && majors[0] > majors[1];
    has_long_queues || goes_back
}

/// Runs a case; `None` where one of its QEMUs lacks something.
async fn history(point: &str, pair: [&RawHost; 2]) -> Option<History> {
    let [source, destination] = pair;
    let script = raw::script(point, pair);
    let name = script.case.to_string();
    let folder = tempfile::tempdir().unwrap().keep();
    let needs = script.subject.raw.needs();
    if let Some(lack) = unmet(&needs, source, destination, &folder) {
        println!("skip {name}: {lack}");
        return None;
    }
    let began = Instant::now();
    let history = raw::play(&script, pair, &folder, &Deadlines::default()).await;
    println!("{name}: {:.0?}", began.elapsed());
    assert!(!folder.exists(), "{name}");
    Some(history)
}

fn assert_done(history: &History) {
    for entry in &history.entries {
        if let Observation::Ended { step, outcome, .. } = &entry.saw {
            assert_eq!(*outcome, Outcome::Done, "{step} of {}", history.header.case);
        }
        if let Observation::Leftovers { left, .. } = &entry.saw {
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn assert_law(history: &History) {
    let mut laws = Vec::new();
    for entry in &history.entries {
        if let Observation::Memory {
            survey, registers, ..
        } = &entry.saw
        {
            let guest = &history.header.guest;
            let place = guest.place(&registers.expect("QEMU tells them")).unwrap();
            laws.push(survey.law_at(guest, place));
        }
    }
    assert!(matches!(*laws, [Ok(_)]), "{laws:?}");
    let mut rams = Vec::new();
    for Entry { saw, .. } in &history.entries {
        if let Observation::Ram { ram, .. } = saw {
            rams.push(ram.clone());
        }
    }
    let [before, after] = &rams[..] else {
        panic!("{} readings of all of the memory", rams.len());
    };
    assert_eq!(before.difference(after), None, "{}", history.header.case);
}

fn states(history: &History, of: Side) -> Vec<&str> {
    let mut states = Vec::new();
    for entry in &history.entries {
        if let Observation::Status { side, status } = &entry.saw {
            states.extend((*side == of).then_some(status.as_str()));
        }
    }
    states
}

fn assert_same_devices(history: &History) {
    let mut all = Vec::new();
    for entry in &history.entries {
        if let Observation::Device { did, .. } = &entry.saw {
            all.push(did);
        }
    }
    let is_same = all.windows(2).all(|pair| pair[0] == pair[1]);
    assert!(is_same, "{}: {all:#?}", history.header.case);
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn a_guest_arrives_by_each_way_between_all_pairs_of_releases() {
    let hosts = raw::hosts().await;
    for source in &hosts {
        for destination in &hosts {
            for point in COMPLETE {
                if is_known(point, [source, destination]) {
                    continue;
                }
                let Some(history) = history(point, [source, destination]).await else {
                    continue;
                };
                assert_done(&history);
                assert_law(&history);
                assert_same_devices(&history);
                assert!(
                    states(&history, Side::Destination).contains(&"completed"),
                    "{point}"
                );
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn a_guest_stays_where_it_is_when_its_migration_does_not_complete() {
    let hosts = raw::hosts().await;
    for source in &hosts {
        for destination in &hosts {
            for (point, end) in STAY {
                let Some(history) = history(point, [source, destination]).await else {
                    continue;
                };
                assert_done(&history);
                assert_law(&history);
                assert_eq!(states(&history, Side::Source).last(), Some(end), "{point}");
            }
        }
    }
}

fn empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn a_driver_that_is_dropped_leaves_nothing_behind() {
    let hosts = raw::hosts().await;
    let parent = tempfile::tempdir().unwrap();
    let mut script = raw::script("precopy/unix/running/plain", [&hosts[0], &hosts[0]]);
    script.steps.truncate(4);
    let mut record = Recorder::new(script.header(1, 0), None);
    let folder = parent.path().join("case");
    let subject = script.subject.clone();
    let mut driver = QemuDriver::new(hosts[0].clone(), hosts[0].clone(), subject, folder);
    run(&script, &mut driver, &mut record, &Deadlines::default()).await;
    assert!(!empty(parent.path()));
    drop(driver);
    assert!(empty(parent.path()));
}
