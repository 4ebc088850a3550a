//! Cases that the hypervisor in memory runs: they test the tester.

use anyhow::Result;
use migratrix_fake::FakeDriver;

use super::{Attempt, BOOT_IMAGE, Scene, Stage};
use crate::{evidence::Material, rundir::RunDir, runner::Job};

/// The machine of cases that no real QEMU runs.
const FAKE_MACHINE: &str = "pc-q35-5.2";

impl Stage {
    pub(super) async fn on_fake(&self, job: &Job, dir: &RunDir) -> Result<Attempt> {
        let script = self.script(job, FAKE_MACHINE.to_owned(), BOOT_IMAGE);
        let mut driver = FakeDriver::new(&script.subject);
        let mut scene = Scene::open(script, job, dir)?;
        scene.play(&mut driver, &self.deadlines).await;
        scene.close(dir, job, false, Material::new())
    }
}
