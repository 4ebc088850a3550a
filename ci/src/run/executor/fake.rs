//! Cases that the hypervisor in memory runs: they test the tester.

use anyhow::Result;
use migratrix_fake::FakeDriver;

use super::{Attempt, AttemptResult, BOOT_IMAGE, Executor};
use crate::run::{evidence::Material, job::Job, rundir::RunDir};

/// The machine of cases that no real QEMU runs.
const FAKE_MACHINE: &str = "pc-q35-5.2";

impl Executor {
    pub(super) async fn on_fake(&self, job: &Job, dir: &RunDir) -> Result<AttemptResult> {
        let script = self.script(job, FAKE_MACHINE.to_owned(), BOOT_IMAGE);
        let mut driver = FakeDriver::new(&script.subject);
        let mut running = Attempt::open(script, job, dir)?;
        running.execute(&mut driver, &self.deadlines).await;
        running.close(dir, job, false, Material::new())
    }
}
