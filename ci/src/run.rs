//! `migratrix run`: from a selection to reports.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use migratrix_lab::sandbox;
use migratrix_matrix::{Backend, Case, Fault, Plan, Releases, Tuple};
use migratrix_reports::Exit;

use crate::{
    cli::RunArgs,
    config::Config,
    hosts::Hosts,
    meaning,
    qemus::{OwnBuild, Qemus},
    report,
    rundir::RunDir,
    runner::{Job, Outcome, Runner, Settings},
    stage::{Besides, Stage},
};

/// What `run` will do: worked out before anything is started.
pub struct Order {
    plan: Plan,
    releases: Releases,
    own: Vec<OwnBuild>,
    resumed: bool,
    path: PathBuf,
}

impl Order {
    /// Works out what is to be run.
    ///
    /// # Errors
    /// Fails where the selection makes no sense or is empty, or the run to go on with can't be read.
    pub fn of(typed: &RunArgs, config: &Config) -> Result<Self> {
        let own = typed.selection.own_builds()?;
        if let Some(path) = &typed.resume {
            let (_, plan) = RunDir::open(path)?;
            let releases = Releases::new(plan.releases.clone())?;
            meaning::check_known(&typed.known.meaning()?, config, &plan)?;
            return Ok(Self {
                plan,
                releases,
                own,
                resumed: true,
                path: path.clone(),
            });
        }
        let known = meaning::known_releases(&meaning::store()?, config, &own)?;
        let list = typed.known.meaning()?;
        let plan = Plan {
            known: Some(list.digest()),
            ..Plan::new(typed.selection.meaning()?, &known)?
        };
        meaning::check_known(&list, config, &plan)?;
        let path = typed
            .out
            .clone()
            .unwrap_or_else(|| Path::new("runs").join(date_time()));
        let releases = Releases::new(plan.releases.clone())?;
        Ok(Self {
            plan,
            releases,
            own,
            resumed: false,
            path,
        })
    }

    /// Whether a case needs the sandbox: a QEMU of ours, or a host that is no real machine.
    #[must_use]
    pub fn needs_sandbox(&self, config: &Config) -> bool {
        let ours = |name| !config.hosts.contains_key(name);
        self.plan.cases.iter().any(|case| match case.backend {
            Backend::Libvirt => ours(&case.tuple.source) || ours(&case.tuple.destination),
            Backend::Qemu => true,
            Backend::Fake => false,
        })
    }

    /// Runs it, and writes the reports.
    ///
    /// # Errors
    /// Fails where the lab can't be made or results can't be written.
    pub fn carry_out(self, typed: &RunArgs, config: &Config) -> Result<Exit> {
        let known = typed.known.meaning()?;
        let dir = if self.resumed {
            RunDir::open(&self.path)?.0
        } else {
            RunDir::create(&self.path, &self.plan)?
        };
        let jobs = self.jobs(&dir)?;
        let settings = Settings {
            jobs: typed
                .jobs
                .unwrap_or_else(default_jobs)
                .clamp(1, jobs.len().max(1)),
            retries: typed.retries,
        };
        let stage = Stage {
            hosts: self.hosts(config, &dir)?,
            qemus: self.qemus()?,
            releases: self.releases,
            deadlines: config.deadlines(),
            bounds: config.bounds,
            besides: Besides::default(),
            run: (std::process::id() ^ seconds()) & 0xffff,
        };
        let runner = Runner::new(stage, dir, known.clone(), settings, jobs)?;
        let Outcome { dir, stopped, time } = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(runner.run(stop()))?;
        if stopped {
            eprintln!(
                "stopped: go on with migratrix run --resume {}",
                dir.path().display()
            );
        }
        let exit = report::conclude(
            &dir,
            &report::run_of(&dir, &self.plan, &known)?.by(typed.known.rules()),
            &typed.junit,
        )?;
        if let Some(time) = time {
            println!("{time}");
        }
        Ok(exit)
    }

    /// The cases that have no verdict yet.
    fn jobs(&self, dir: &RunDir) -> Result<Vec<Job>> {
        let done: BTreeSet<Case> = dir
            .verdicts()?
            .into_iter()
            .map(|judgement| judgement.case)
            .collect();
        let waiting = self
            .plan
            .cases
            .iter()
            .enumerate()
            .filter(|(_, case)| !done.contains(case));
        Ok(waiting
            .map(|(place, case)| Job {
                place,
                case: case.clone(),
                attempt: 1,
                alone: case.fault == Some(Fault::DaemonStopped),
                earlier: Vec::new(),
            })
            .collect())
    }

    /// The QEMUs of the cases without libvirt, and of those that tell whether a case of libvirt fails
    /// by QEMU.
    fn qemus(&self) -> Result<Option<Qemus>> {
        if !sandbox::is_inside() {
            return Ok(None);
        }
        let tuples = self.plan.cases.iter().map(|case| &case.tuple);
        let names: BTreeSet<_> = tuples
            .flat_map(|tuple| [&tuple.source, &tuple.destination])
            .collect();
        let scratch = sandbox::scratch()?;
        let qemus = Qemus::new(names.into_iter(), &self.own, &meaning::store()?, scratch)?;
        let raw = self
            .plan
            .cases
            .iter()
            .filter(|case| case.backend == Backend::Qemu);
        for Tuple {
            source,
            destination,
            ..
        } in raw.map(|case| &case.tuple)
        {
            qemus.find(source)?;
            qemus.find(destination)?;
        }
        Ok(Some(qemus))
    }

    fn hosts(&self, config: &Config, dir: &RunDir) -> Result<Option<Hosts>> {
        let real = self
            .plan
            .cases
            .iter()
            .filter(|case| case.backend == Backend::Libvirt);
        let tuples: BTreeSet<_> = real.map(|case| &case.tuple).collect();
        if tuples.is_empty() {
            return Ok(None);
        }
        let logs = dir.path().join("hosts");
        let (store, client) = (meaning::store()?, meaning::client_binary()?);
        Hosts::new(tuples.into_iter(), &store, &config.hosts, client, &logs).map(Some)
    }
}

/// Waits until the person asks the run to stop.
async fn stop() {
    let asked = if sandbox::is_inside() {
        sandbox::stop_requested().await
    } else {
        tokio::signal::ctrl_c().await
    };
    if asked.is_err() {
        std::future::pending().await
    }
}

/// How many cases run side by side: more than there are processors, since a case waits a good deal.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) * 2
}

fn seconds() -> u32 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u32::try_from(since.as_secs() & 0xffff_ffff).unwrap_or(0)
}

/// The date and time in UTC, as a folder's name.
fn date_time() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y%m%d-%H%M%S").to_string()
}
