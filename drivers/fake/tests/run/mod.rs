//! Runs a case on the fake and judges it.
#![allow(dead_code, reason = "each test has its own use of it")]

use migratrix_contract::{Deadlines, DomainSpec, Recorder, Script, run};
use migratrix_fake::{Defect, FakeDriver};
use migratrix_guest::{PAGE, Parameters};
use migratrix_history::History;
use migratrix_matrix::{Backend, Case, Fault, Point, ReleaseName, Tuple};

pub fn case(point: Point, fault: Option<Fault>) -> Case {
    let fake = ReleaseName::new("fake").unwrap();
    Case {
        backend: Backend::Fake,
        tuple: Tuple {
            client: fake.clone(),
            source: fake.clone(),
            destination: fake,
        },
        point,
        fault,
    }
}

pub fn play(case: &Case, defect: Option<Defect>) -> History {
    play_with(case, |driver| match defect {
        Some(defect) => driver.committing(defect),
        None => driver,
    })
}

/// The same, on a driver that is changed before.
pub fn play_with(case: &Case, change: impl FnOnce(FakeDriver) -> FakeDriver) -> History {
    let script = Script::of(case, spec(case), 2_000);
    let mut driver = change(FakeDriver::new(&script.subject));
    let mut record = Recorder::new(script.header(1, 0), None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run(
        &script,
        &mut driver,
        &mut record,
        &Deadlines::default(),
    ));
    record.finish().unwrap()
}

/// A throttled migration needs a whole MiB to be slow; all others are as true on 16 pages.
fn spec(case: &Case) -> DomainSpec {
    let mut guest = Parameters::SMALL;
    if case.fault.is_none() {
        guest.end = guest.start + 16 * PAGE;
    }
    DomainSpec {
        domain: "mx-1".to_owned(),
        uuid: "4dea22b3-1d52-d8f3-2516-782e98ab3fa0".to_owned(),
        foreign_uuid: "00000000-1d52-d8f3-2516-782e98ab3fa0".to_owned(),
        machine: "pc-q35-5.2".to_owned(),
        memory_mib: 16,
        guest,
        boot_image: "/boot.img".to_owned(),
    }
}
