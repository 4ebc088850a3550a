//! Cases that QEMU runs with no libvirt between.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use anyhow::Result;
use migratrix_history::Side;
use migratrix_matrix::{Case, HostSetup, Point, Tuple};
use migratrix_qemu::{QemuDriver, RawHost, machine, unmet};
use migratrix_reports::Judgement;
use tokio::sync::OnceCell;

use super::{Attempt, AttemptResult, COMMON_MACHINE, Executor};
use crate::run::{
    evidence::{Kind, Material},
    job::Job,
    ledger::Trace,
    qemus::Qemus,
    rundir::RunDir,
};

/// Judgements of raw cases, each there when its case has been run.
pub type ControlCases = RefCell<HashMap<Case, Rc<OnceCell<Judgement>>>>;

impl Executor {
    pub(super) async fn on_qemu(&self, job: &Job, dir: &RunDir) -> Result<AttemptResult> {
        match &self.qemus {
            Some(qemus) => self.on_qemus(qemus, job, dir).await,
            None => Ok(AttemptResult::skipped(&job.case, "a QEMU")),
        }
    }

    async fn on_qemus(&self, qemus: &Qemus, job: &Job, dir: &RunDir) -> Result<AttemptResult> {
        let Tuple {
            source,
            destination,
            ..
        } = &job.case.tuple;
        let pair = (qemus.host(source).await, qemus.host(destination).await);
        let (source, destination) = match pair {
            (Ok(source), Ok(destination)) => (source, destination),
            (Err(why), _) | (_, Err(why)) => {
                return self.no_hosts(job, String::new(), why, dir);
            }
        };
        let point = &job.case.point;
        let folder = qemus.folder(&self.domain(job));
        let ability = unmet(&point.needs(), &source, &destination, &folder)
            .or_else(|| missing_tool(point, &[&source, &destination]));
        if let Some(ability) = ability {
            return Ok(AttemptResult::skipped(&job.case, &ability));
        }
        let machine = machine(point.machine(), &source.abilities, &destination.abilities);
        let Some(machine) = machine else {
            return Ok(AttemptResult::skipped(&job.case, COMMON_MACHINE));
        };
        let image = folder.join("a-b.img");
        let script = self.script(job, machine, &image.to_string_lossy());
        let driver = QemuDriver::new(source, destination, script.subject.clone(), folder);
        let mut driver = driver.with_patience(self.deadlines.clear);
        let mut running = Attempt::open(script, job, dir)?;
        running.execute(&mut driver, &self.deadlines).await;
        let mut material = Material::new();
        for side in [Side::Source, Side::Destination] {
            if let Some(account) = driver.account(side).await {
                material.take(side, Kind::Qemu, account);
            }
        }
        running.close(dir, job, false, material)
    }

    /// Whether QEMU alone carries the guest of a case that failed on libvirt: the judgement of the
    /// raw case beside it, where there can be one.
    ///
    /// # Errors
    /// Fails where the history can't be written.
    pub async fn control_case(&self, job: &Job, dir: &RunDir) -> Result<Option<Judgement>> {
        let (Some(qemus), Some(case)) = (&self.qemus, job.case.control_case()) else {
            return Ok(None);
        };
        let cell = Rc::clone(
            self.control_cases
                .borrow_mut()
                .entry(case.clone())
                .or_default(),
        );
        let run = async || {
            // A run that goes on has it from before.
            let there = Trace::History(dir.name_within(&dir.history_path(&case, 1)));
            match there.judged(&case, 1, dir) {
                Ok(judgement) if judgement.cut.is_none() => {
                    return Ok(judgement.held_to(&self.releases));
                }
                Ok(_) | Err(_) => {}
            }
            let job = Job {
                place: job.place,
                case,
                attempt: 1,
                setup: HostSetup::default(),
                alone: false,
                earlier: Vec::new(),
            };
            let attempt = self.on_qemus(qemus, &job, dir).await?;
            let mut attempt = attempt.held_to(&self.releases);
            attempt.material.keep(&mut attempt.judgement, dir);
            anyhow::Ok(attempt.judgement)
        };
        let judgement = cell.get_or_try_init(run).await?;
        Ok(Some(judgement.clone()))
    }
}

/// The tool that a case needs and a release has not got beside its QEMU.
fn missing_tool(point: &Point, hosts: &[&RawHost]) -> Option<String> {
    let lacks = |tool: &&str| hosts.iter().find(|host| host.binary.tool(tool).is_err());
    point.tools().iter().find_map(|tool| {
        let host = lacks(tool)?;
        Some(format!("{tool} beside the QEMU of {}", host.name))
    })
}
