//! Gives a case what it needs, on the back end that it names, and has its script run: one attempt.

mod attempt;
mod fake;
mod libvirt;
mod qemu;

use std::collections::BTreeSet;

use anyhow::Result;
use migratrix_contract::{Deadlines, DomainSpec, Script};
use migratrix_guest::Parameters;
use migratrix_history::{Observation, Outcome, Verb};
use migratrix_matrix::{Backend, Case, ReleaseName, Releases, Tuple};
use migratrix_reports::IdleLoss;

use crate::{
    config::BoundConfig,
    run::{evidence::Material, hosts::Hosts, job::Job, qemus::Qemus, rundir::RunDir},
};
use attempt::Attempt;
pub use attempt::AttemptResult;
pub use libvirt::Worker;
pub use qemu::ControlCases;

/// What cases are run on.
pub struct Executor {
    /// The hosts, where a case needs some.
    pub hosts: Option<Hosts>,
    /// The QEMUs of cases without libvirt, inside the sandbox.
    pub qemus: Option<Qemus>,
    /// What is known of the releases.
    pub releases: Releases,
    /// How long steps may take.
    pub deadlines: Deadlines,
    /// What conditions are held to.
    pub bounds: BoundConfig,
    /// What came of the raw cases beside those that failed: each is run once.
    pub control_cases: ControlCases,
    /// A number of 16 bits that tells this run's domains from those of other runs.
    pub run: u32,
}

/// The memory of the domain, in MiB.
pub const MEMORY_MIB: u32 = 16;
/// Where the boot image is on hosts of the lab.
const BOOT_IMAGE: &str = "/var/lib/migratrix/a-b.img";
/// What a case lacks that has no machine type to run on.
pub const COMMON_MACHINE: &str = "a machine type that both QEMUs have";

impl Executor {
    /// Runs one attempt at a case, and judges it.
    ///
    /// # Errors
    /// Fails where the history can't be written.
    pub async fn attempt(
        &self,
        worker: &mut Worker,
        job: &Job,
        dir: &RunDir,
    ) -> Result<AttemptResult> {
        let attempt = match job.case.backend {
            Backend::Libvirt => self.on_libvirt(worker, job, dir).await,
            Backend::Qemu => self.on_qemu(job, dir).await,
            Backend::Fake => self.on_fake(job, dir).await,
        };
        Ok(attempt?.held_to(&self.releases))
    }

    /// Asks the real machines of the cases whether they answer; says which don't, and why.
    pub async fn ask_hosts(&self, tuples: &BTreeSet<Tuple>) -> Vec<(ReleaseName, String)> {
        match &self.hosts {
            Some(hosts) => hosts.ask(tuples.iter(), self.deadlines.step).await,
            None => Vec::new(),
        }
    }

    /// Looks at the hosts that no case is on.
    pub async fn look_at_idle_hosts(&self) {
        if let Some(hosts) = &self.hosts {
            hosts.look_at_idle().await;
        }
    }

    /// The hosts that were found lost while no case was on them, each told once.
    #[must_use]
    pub fn idle_losses(&self) -> Vec<IdleLoss> {
        self.hosts
            .as_ref()
            .map(Hosts::idle_losses)
            .unwrap_or_default()
    }

    /// The hosts that are being brought up just now.
    #[must_use]
    pub fn coming(&self) -> Vec<String> {
        self.hosts.as_ref().map(Hosts::coming).unwrap_or_default()
    }

    /// Whether what the case needs is known not to be there: there is no use in trying again.
    #[must_use]
    pub fn lacks(&self, case: &Case) -> bool {
        let tuple = &case.tuple;
        match case.backend {
            Backend::Libvirt => {
                let lack = self.hosts.as_ref().and_then(|hosts| hosts.lack(tuple));
                lack.is_some()
            }
            Backend::Qemu => self.qemus.as_ref().is_some_and(|qemus| {
                let mut names = [&tuple.source, &tuple.destination].into_iter();
                names.any(|name| qemus.lack(name))
            }),
            Backend::Fake => false,
        }
    }

    /// An attempt that ends before it begins: its hosts are not there.
    fn no_hosts(
        &self,
        job: &Job,
        machine: String,
        why: String,
        dir: &RunDir,
    ) -> Result<AttemptResult> {
        let mut running = Attempt::open(self.script(job, machine, BOOT_IMAGE), job, dir)?;
        running.record.saw(Observation::Ended {
            verb: Verb::Connect,
            step: "connect".to_owned(),
            outcome: Outcome::Unknown { why },
        });
        running.close(dir, job, false, Material::new())
    }

    fn script(&self, job: &Job, machine: String, boot_image: &str) -> Script {
        let (run, place, attempt) = (self.run, job.place, job.attempt);
        let uuid = |kind| format!("6d780000-{kind:04x}-4{attempt:03x}-8000-{run:04x}{place:08x}");
        let spec = DomainSpec {
            domain: self.domain(job),
            uuid: uuid(1),
            foreign_uuid: uuid(2),
            machine,
            memory_mib: MEMORY_MIB,
            guest: Parameters::SMALL,
            boot_image: boot_image.to_owned(),
        };
        let bound = if job.case.point.is_live() {
            self.bounds.live_downtime_ms
        } else {
            self.bounds.downtime_ms
        };
        let mut script = Script::of(&job.case, spec, bound);
        script.setup = job.setup;
        script
    }

    /// What the case's domain is called: no other case of this run, or of another one, has the name.
    fn domain(&self, job: &Job) -> String {
        let letter = if job.case.backend == Backend::Qemu {
            'q'
        } else {
            'x'
        };
        format!("m{letter}{:04x}-{:06}-{}", self.run, job.place, job.attempt)
    }
}
