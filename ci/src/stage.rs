//! Gives a case what it needs, on the back end that it names, and has its script run: one attempt.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    path::Path,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use migratrix_contract::{Deadlines, Driver, Recorder, Script, Subject, run};
use migratrix_fake::FakeDriver;
use migratrix_guest::Parameters;
use migratrix_history::{History, Observation, Outcome, Side, Verb};
use migratrix_libvirt::{LibvirtDriver, Slot};
use migratrix_matrix::{
    Axis, Backend, Case, Flag, HostSetup, Point, Raw, ReleaseName, Releases, Tuple, Writer,
    newest_common_machine,
};
use migratrix_qemu::{QemuDriver, RawHost, lacking, machine};
use migratrix_reports::{Judgement, judge};
use tokio::{sync::OnceCell, time::timeout};

use crate::{
    config::BoundConfig,
    evidence::{Kind, Material},
    hosts::{Hosts, Lost},
    ledger::Trace,
    qemus::Qemus,
    rundir::RunDir,
    runner::Job,
};

/// What cases are run on.
pub struct Stage {
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
    pub besides: Besides,
    /// A number of 16 bits that tells this run's domains from those of other runs.
    pub run: u32,
}

/// Judgements of raw cases, each there when its case has been run.
pub type Besides = RefCell<HashMap<Case, Rc<OnceCell<Judgement>>>>;

/// What a worker keeps from case to case: a client process of each release.
#[derive(Default)]
pub struct Worker {
    clients: HashMap<ReleaseName, Slot>,
}

/// What came of one attempt.
pub struct Attempt {
    /// Its judgement, before known failures are marked.
    pub judgement: Judgement,
    /// Whether others that were on its hosts may have disturbed it.
    pub disturbed: bool,
    /// What could be kept of it.
    pub material: Material,
}

/// The machine of cases that no real QEMU runs.
const FAKE_MACHINE: &str = "pc-q35-5.2";
/// The memory of the domain, in MiB.
const MEMORY_MIB: u32 = 16;
/// Where the boot image is on hosts of the lab.
const BOOT_IMAGE: &str = "/var/lib/migratrix/a-b.img";
/// Where the one of a guest is that writes to a disk.
const WRITER_IMAGE: &str = "/var/lib/migratrix/a-b-writer.img";

impl Stage {
    /// Runs one attempt at a case, and judges it.
    ///
    /// # Errors
    /// Fails where the history can't be written.
    pub async fn attempt(&self, worker: &mut Worker, job: &Job, dir: &RunDir) -> Result<Attempt> {
        match job.case.backend {
            Backend::Libvirt => match (&self.hosts, self.machine(&job.case)) {
                (Some(hosts), Some(machine)) => {
                    self.on_hosts(hosts, worker, job, machine, dir).await
                }
                (Some(_), None) => Ok(Attempt::skipped(
                    &job.case,
                    "a machine type that both QEMUs have",
                )),
                (None, _) => Ok(Attempt::skipped(&job.case, "a host")),
            },
            Backend::Qemu => match &self.qemus {
                Some(qemus) => self.on_qemus(qemus, job, dir).await,
                None => Ok(Attempt::skipped(&job.case, "a QEMU")),
            },
            Backend::Fake => {
                let script = self.script(job, FAKE_MACHINE.to_owned(), BOOT_IMAGE);
                let mut driver = FakeDriver::new(&script.subject);
                let mut scene = Scene::open(script, job, dir)?;
                scene.play(&mut driver, &self.deadlines).await;
                scene.close(dir, job, false, Material::new())
            }
        }
    }

    /// Asks the real machines of the cases whether they answer; says which don't, and why.
    pub async fn ask_hosts(&self, tuples: &BTreeSet<Tuple>) -> Vec<(ReleaseName, String)> {
        match &self.hosts {
            Some(hosts) => hosts.ask(tuples.iter(), self.deadlines.step).await,
            None => Vec::new(),
        }
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
            Backend::Libvirt => self.hosts.as_ref().is_some_and(|hosts| hosts.lack(tuple)),
            Backend::Qemu => self.qemus.as_ref().is_some_and(|qemus| {
                let mut names = [&tuple.source, &tuple.destination].into_iter();
                names.any(|name| qemus.lack(name))
            }),
            Backend::Fake => false,
        }
    }

    /// Whether QEMU alone carries the guest of a case that failed on libvirt: the judgement of the
    /// raw case beside it, where there can be one.
    ///
    /// # Errors
    /// Fails where the history can't be written.
    pub async fn beside(&self, job: &Job, dir: &RunDir) -> Result<Option<Judgement>> {
        let (Some(qemus), Some(case)) = (&self.qemus, job.case.beside()) else {
            return Ok(None);
        };
        let cell = Rc::clone(self.besides.borrow_mut().entry(case.clone()).or_default());
        let run = async || {
            // A run that goes on has it from before.
            let there = Trace::History(dir.name_within(&dir.history_path(&case, 1)));
            match there.judged(&case, dir) {
                Ok(judgement) if judgement.cut.is_none() => return Ok(judgement),
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
            let mut attempt = self.on_qemus(qemus, &job, dir).await?;
            attempt.material.keep(&mut attempt.judgement, dir);
            anyhow::Ok(attempt.judgement)
        };
        let judgement = cell.get_or_try_init(run).await?;
        Ok(Some(judgement.clone()))
    }

    async fn on_qemus(&self, qemus: &Qemus, job: &Job, dir: &RunDir) -> Result<Attempt> {
        let (
            Tuple {
                source,
                destination,
                ..
            },
            point,
        ) = (&job.case.tuple, &job.case.point);
        let pair = (qemus.host(source).await, qemus.host(destination).await);
        let (source, destination) = match pair {
            (Ok(source), Ok(destination)) => (source, destination),
            (Err(why), _) | (_, Err(why)) => {
                return self.no_hosts(job, String::new(), why, dir);
            }
        };
        let (from, to) = (&source.abilities, &destination.abilities);
        let folder = qemus.folder(&self.domain(job));
        if let Some(ability) = lacking(&point.needs(), &source, &destination, &folder) {
            return Ok(Attempt::skipped(&job.case, &ability));
        }
        if let Some(tool) = missing_tool(point, &[&source, &destination]) {
            return Ok(Attempt::skipped(&job.case, &tool));
        }
        let Some(machine) = machine(point.machine(), from, to) else {
            return Ok(Attempt::skipped(
                &job.case,
                "a machine type that both QEMUs have",
            ));
        };
        let image = folder.join("a-b.img");
        let script = self.script(job, machine, &image.to_string_lossy());
        let driver = QemuDriver::new(source, destination, script.subject.clone(), folder);
        let mut driver = driver.with_patience(self.deadlines.clear);
        let mut scene = Scene::open(script, job, dir)?;
        scene.play(&mut driver, &self.deadlines).await;
        let mut material = Material::new();
        for side in [Side::Source, Side::Destination] {
            if let Some(account) = driver.account(side).await {
                material.take(side, Kind::Qemu, account);
            }
        }
        scene.close(dir, job, false, material)
    }

    async fn on_hosts(
        &self,
        hosts: &Hosts,
        worker: &mut Worker,
        job: &Job,
        machine: String,
        dir: &RunDir,
    ) -> Result<Attempt> {
        let tuple = &job.case.tuple;
        let pair = match hosts.pair(tuple, job.setup, job.alone).await {
            Ok(pair) => pair,
            Err(why) => return self.no_hosts(job, machine, why, dir),
        };
        let writes = job.case.point.is(Writer::NAME, Writer::Guest.word());
        let usual = if writes { WRITER_IMAGE } else { BOOT_IMAGE };
        let image = pair.source.boot_image.as_deref();
        let image = image.unwrap_or(Path::new(usual));
        let script = self.script(job, machine, &image.to_string_lossy());
        let slot = worker.slot(hosts, &tuple.client)?;
        let (source, destination) = (pair.source.host.clone(), pair.destination.host.clone());
        let driver = LibvirtDriver::new(slot, source, destination, script.subject.clone());
        let mut driver = driver.with_patience(self.deadlines.clear);
        // A host that does not answer is the case's own to tell of.
        let lacks = timeout(self.deadlines.step, driver.lacks()).await;
        if let Ok(Some(ability)) = lacks {
            return Ok(Attempt::skipped(&job.case, &ability));
        }
        let mut scene = Scene::open(script, job, dir)?;
        let mut material = pair.material(&scene.script.subject.domain);
        scene.play(&mut driver, &self.deadlines).await;
        for (side, when, xml) in driver.descriptions() {
            material.describe(side, when, xml);
        }
        material.explain_missing(scene.record.so_far());
        material.end();
        if scene.is_in_doubt() {
            hosts.mend(&pair).await;
        }
        // What another case found is told as well: this one was on it.
        let lost = hosts.lost(&pair);
        let disturbed = !lost.is_empty();
        for Lost {
            side,
            why,
            generation,
        } in lost
        {
            scene.record.saw(Observation::HostLost {
                side,
                why,
                instance: format!("{:04x}.{generation}", self.run),
            });
        }
        scene.close(dir, job, disturbed, material)
    }

    /// An attempt that ends before it begins: its hosts are not there.
    fn no_hosts(&self, job: &Job, machine: String, why: String, dir: &RunDir) -> Result<Attempt> {
        let mut scene = Scene::open(self.script(job, machine, BOOT_IMAGE), job, dir)?;
        scene.record.saw(Observation::Ended {
            verb: Verb::Connect,
            step: "connect".to_owned(),
            outcome: Outcome::Unknown { why },
        });
        scene.close(dir, job, false, Material::new())
    }

    fn script(&self, job: &Job, machine: String, boot_image: &str) -> Script {
        let (run, place, attempt) = (self.run, job.place, job.attempt);
        let uuid = |kind| format!("6d780000-{kind:04x}-4{attempt:03x}-8000-{run:04x}{place:08x}");
        let subject = Subject {
            domain: self.domain(job),
            uuid: uuid(1),
            foreign_uuid: uuid(2),
            machine,
            memory_mib: MEMORY_MIB,
            guest: Parameters::SMALL,
            boot_image: boot_image.to_owned(),
            qtest: false,
            point: Point::Qemu(Raw::USUAL),
            raw: Raw::USUAL,
        };
        let live = is_live(&job.case);
        let bound = if live {
            self.bounds.live_downtime_ms
        } else {
            self.bounds.downtime_ms
        };
        let mut script = Script::of(&job.case, subject, bound);
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

    fn machine(&self, case: &Case) -> Option<String> {
        let source = self.releases.find(&case.tuple.source).ok()?;
        let destination = self.releases.find(&case.tuple.destination).ok()?;
        newest_common_machine(source, destination, case.point.machine().family())
    }
}

/// The tool that a chain of backups needs and a release has not got beside its QEMU.
fn missing_tool(point: &Point, hosts: &[&RawHost]) -> Option<String> {
    let tools: &[&str] = match point {
        Point::Tck(_) | Point::Chained(_) | Point::Qemu(_) | Point::Colo(_) => &[],
        Point::Backup(_) => &["qemu-img", "qemu-io"],
    };
    let lacks = |tool: &&str| hosts.iter().find(|host| host.binary.tool(tool).is_err());
    tools.iter().find_map(|tool| {
        let host = lacks(tool)?;
        Some(format!("{tool} beside the QEMU of {}", host.name))
    })
}

/// Whether the guest runs while its memory is copied: it is down for a moment only.
fn is_live(case: &Case) -> bool {
    match &case.point {
        Point::Tck(scenario) => scenario.flags.has(Flag::Live),
        Point::Chained(chained) => chained.scenario.flags.has(Flag::Live),
        Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) => true,
    }
}

impl Worker {
    /// The client process of a release: started when it is first needed, and kept.
    fn slot(&mut self, hosts: &Hosts, release: &ReleaseName) -> Result<&mut Slot> {
        if !self.clients.contains_key(release) {
            let slot = Slot::new(hosts.client_command(release)?, hosts.listener(release)?);
            self.clients.insert(release.clone(), slot);
        }
        Ok(self
            .clients
            .get_mut(release)
            .expect("it was just put there"))
    }
}

/// A script that is run, and the pen that records it.
struct Scene {
    script: Script,
    record: Recorder,
    file: crate::rundir::HistoryFile,
}

impl Scene {
    fn open(script: Script, job: &Job, dir: &RunDir) -> Result<Self> {
        let header = script.header(job.attempt, now_unix());
        let (file, pen) = dir.history(&job.case, job.attempt)?;
        let record = Recorder::new(header, Some(Box::new(pen)));
        Ok(Self {
            script,
            record,
            file,
        })
    }

    async fn play<D: Driver>(&mut self, driver: &mut D, deadlines: &Deadlines) {
        run(&self.script, driver, &mut self.record, deadlines).await;
    }

    /// Whether a step ended in a way that may be a host's fault.
    fn is_in_doubt(&self) -> bool {
        self.record
            .so_far()
            .entries
            .iter()
            .any(|entry| is_in_doubt(&entry.saw))
    }

    fn close(
        self,
        dir: &RunDir,
        job: &Job,
        disturbed: bool,
        material: Material,
    ) -> Result<Attempt> {
        let finished = self.record.finish();
        let history: History = finished.with_context(|| self.file.trouble())?;
        let path = self.file.done()?;
        let log = path
            .strip_prefix(dir.path())
            .unwrap_or(&path)
            .display()
            .to_string();
        let judgement = judge(&history).with_log(log);
        debug_assert_eq!(judgement.case, job.case);
        Ok(Attempt {
            judgement,
            disturbed,
            material,
        })
    }
}

/// Whether it tells of a step that ended in a way that may be a host's fault.
fn is_in_doubt(saw: &Observation) -> bool {
    let Observation::Ended { verb, outcome, .. } = saw else {
        return false;
    };
    match outcome {
        Outcome::Done => false,
        Outcome::Refused(_) => *verb == Verb::Migrate || *verb == Verb::Clear,
        Outcome::Unknown { .. } => true,
    }
}

impl Attempt {
    fn skipped(case: &Case, ability: &str) -> Self {
        Self {
            judgement: Judgement::skipped(case.clone(), ability, now_unix()),
            disturbed: false,
            material: Material::new(),
        }
    }
}

fn now_unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
