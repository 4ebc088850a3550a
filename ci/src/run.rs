//! `migratrix run`: from a selection to reports.

pub mod client;
pub mod copies;
mod end;
pub mod evidence;
pub mod executor;
mod hosts;
mod job;
pub mod last_failed;
pub mod ledger;
pub mod newest;
pub mod outputs;
mod processor;
mod progress;
pub mod qemus;
pub mod rundir;
mod runner;
pub mod sessions;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use migratrix_contract::now_unix;
use migratrix_lab::{InUse, sandbox};
use migratrix_matrix::{
    Backend, Case, Fault, HostSetup, Plan, Point, RecoveryFault, Release, ReleaseName, Releases,
    RunOptions, TckFault, Tuple, Version,
};
use migratrix_reports::{Exit, Judgement, KnownFailures, Rules};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::runtime::Runtime;
use tracing::{error, info};

pub use self::end::Ended;
use self::{
    end::{End, go_on, gone_or, is_begun, kept},
    executor::{ControlCases, Executor},
    hosts::Hosts,
    job::Job,
    last_failed::LastFailed,
    ledger::{Ledger, Manner},
    newest::RUNS,
    processor::Since,
    qemus::{OwnAgain, OwnBuild, Qemus},
    rundir::{Claim, RunDir},
    runner::{Outcome, Runner, Settings},
};
use crate::{
    cli::{KnownArgs, RunArgs},
    config::Config,
    formats::JunitArgs,
    known::check_known,
    log, meaning,
    possible::{Named, possible},
    report,
    say::count,
};

/// What `run` will do: worked out before anything is started.
pub struct Order {
    plan: Plan,
    begin: Begin,
    releases: Releases,
    own: Vec<OwnBuild>,
    /// The releases of the store that it uses.
    built: Vec<ReleaseName>,
    /// The right to them.
    held: Vec<InUse>,
    config: Config,
    known: KnownFailures,
    rules: Rules,
    /// Whether no case is to begin after the first one that fails the run.
    fail_fast: bool,
    junit: JunitArgs,
    /// The list that entries for what fails are written into.
    blessed: Option<PathBuf>,
}

/// How a run begins.
enum Begin {
    /// In this directory.
    New(PathBuf),
    /// In a directory of its own, of this name or the next one that is free.
    Unnamed(PathBuf),
    /// In the one that was made for it.
    Claimed(Claim),
    /// Where another one was left.
    Again { dir: RunDir, manner: Manner },
}

impl Begin {
    /// The run's directory.
    fn path(&self) -> &Path {
        match self {
            Self::New(path) | Self::Unnamed(path) => path,
            Self::Claimed(claim) => claim.path(),
            Self::Again { dir, .. } => dir.path(),
        }
    }
}

impl Order {
    /// Works out what is to be run. `config` is the settings' file, where one is named.
    ///
    /// # Errors
    /// Fails where the selection makes no sense or is empty, or the run to go on with can't be read.
    pub fn of(typed: &RunArgs, config: Option<&Path>) -> Result<Self> {
        let mut order = match &typed.resume {
            Some(path) => Self::again(typed, config, path),
            None => Self::new(typed, config),
        }?;
        order.fail_fast = typed.fail_fast;
        order.blessed = typed.known.blessed(&order.plan.options.known)?;
        check_known(&order.known, &order.config, &order.plan)?;
        // As it was typed, or else as the run was begun with it.
        let asked = typed.junit.output().or_else(|| order.junit.output());
        let asked: Vec<_> = asked.into_iter().collect();
        outputs::check(&asked, &[order.begin.path().to_owned()])?;
        let store = meaning::store()?;
        let built = meaning::built(&order.plan.cases, &store, &order.config, &order.own)?;
        for release in &built {
            order.held.push(store.hold(release.name())?);
            meaning::check_planned(&release.release(), &order.plan.releases)?;
        }
        order.built = built.iter().map(|one| one.name().clone()).collect();
        Ok(order)
    }

    fn new(typed: &RunArgs, config: Option<&Path>) -> Result<Self> {
        let earlier = typed.last_failed.as_ref();
        let earlier = earlier.map(|dir| LastFailed::of(dir.as_deref(), &typed.known));
        let LastFailed { cases, options } = earlier.transpose()?.unwrap_or_default();
        let given = typed.options(config)?.or(options);
        let kept = given.config.as_ref().map(PathBuf::from);
        let file = Config::file(config.or(kept.as_deref()));
        let config = Config::read(file.as_deref())?;
        // What was typed is blamed as it was.
        let own = match &typed.selection.qemus[..] {
            [] => meaning::own_builds(&given.qemus)?,
            typed => meaning::own_builds(typed)?,
        };
        let known = meaning::known_releases(&meaning::store()?, &config, &own)?;
        // Inside the sandbox it is the directory that was made outside.
        let named = typed
            .out
            .clone()
            .or_else(|| sandbox::note().map(PathBuf::from));
        let begin = named.map_or_else(
            || Begin::Unnamed(Path::new(RUNS).join(date_time())),
            Begin::New,
        );
        match &begin {
            Begin::New(path) => RunDir::must_be_free(path)?,
            Begin::Unnamed(path) => RunDir::must_have_a_place(path)?,
            Begin::Claimed(_) | Begin::Again { .. } => {}
        }
        let plan = Plan {
            options: RunOptions {
                config: file.as_deref().map(meaning::absolute).transpose()?,
                ..given
            },
            ..Plan::new(typed.selection.meaning(&cases)?, &known)?
        };
        let list = typed.known.or_kept(&plan)?;
        let mut order = Self::by(plan, begin, config, list, own)?;
        order.plan.known = Some(order.known.digest());
        Ok(order)
    }

    fn again(typed: &RunArgs, config: Option<&Path>, path: &Path) -> Result<Self> {
        let (dir, mut plan) = RunDir::open(path)?;
        // What can't be used is said before anything is started.
        Ledger::read(&dir, &plan)?;
        let kept = plan.options.clone();
        let known = typed.known.or_kept(&plan)?;
        let given = typed.options(config)?;
        let own = OwnAgain::of(&given.qemus, &kept.qemus, &plan.releases)?;
        let options = RunOptions {
            qemus: own.typed,
            ..given.or(kept.clone())
        };
        let file = options.config.as_ref().map(PathBuf::from);
        let read = Config::read(file.or_else(|| Config::file(None)).as_deref());
        let config = match config {
            None if kept.config.is_some() => {
                read.context("the run was begun with these settings: give others by --config")?
            }
            Some(_) | None => read?,
        };
        let manner = if plan.options == options {
            Manner::AsBefore
        } else {
            Manner::Otherwise
        };
        plan.options = options;
        Self::by(
            plan,
            Begin::Again { dir, manner },
            config,
            known,
            own.builds,
        )
    }

    fn by(
        plan: Plan,
        begin: Begin,
        config: Config,
        known: KnownFailures,
        own: Vec<OwnBuild>,
    ) -> Result<Self> {
        let given = KnownArgs::default();
        let junit = JunitArgs {
            junit_per_pair: plan.options.junit_per_pair.as_ref().map(PathBuf::from),
            ..JunitArgs::default()
        };
        Ok(Self {
            releases: Releases::new(plan.releases.clone())?,
            known,
            rules: given.rules(&plan.options),
            fail_fast: false,
            junit: junit.or_kept(&plan.options)?,
            plan,
            begin,
            own,
            built: Vec::new(),
            held: Vec::new(),
            config,
            blessed: None,
        })
    }

    /// Sees to it that there is a client program that understands this one, where a case needs it.
    ///
    /// # Errors
    /// Fails where there is none.
    pub fn demand_client(&self) -> Result<()> {
        let mut cases = self.plan.cases.iter();
        if cases.any(|case| case.backend == Backend::Libvirt) {
            meaning::client_programs()?;
        }
        Ok(())
    }

    /// Sees to it that the run may open the files that its cases have open at once.
    ///
    /// # Errors
    /// Fails where it may not.
    pub fn demand_files(&self) -> Result<()> {
        let jobs = self.plan.options.jobs.unwrap_or_else(default_jobs);
        let jobs = jobs.min(self.plan.cases.len());
        let needed = FILES + FILES_A_JOB * u64::try_from(jobs)?;
        let (now, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        ensure!(
            most >= needed,
            "{} side by side may have {needed} files open, and {most} are allowed here: allow more by \
             `ulimit -n {needed}`, or run fewer by --jobs",
            count(jobs, "case")
        );
        Ok(setrlimit(Resource::RLIMIT_NOFILE, now.max(needed), most)?)
    }

    /// Whether a case needs the sandbox: a QEMU of ours, or a host that is no real machine.
    #[must_use]
    pub fn needs_sandbox(&self) -> bool {
        let ours = |name| !self.config.hosts.contains_key(name);
        self.plan.cases.iter().any(|case| match case.backend {
            Backend::Libvirt => ours(&case.tuple.source) || ours(&case.tuple.destination),
            Backend::Qemu => true,
            Backend::Fake => false,
        })
    }

    /// Makes the directory of a run that has none by name, so that no other takes it.
    ///
    /// # Errors
    /// Fails where it can't be made.
    pub fn claim(&mut self) -> Result<()> {
        if let Begin::Unnamed(wished) = &self.begin {
            self.begin = Begin::Claimed(rundir::claim(wished)?);
        }
        Ok(())
    }

    /// Enters the sandbox, where the run has this directory.
    ///
    /// # Errors
    /// Fails where it can't be made, or nobody in it lived to say how it ended; says what is left then.
    pub fn enter(&self) -> Result<sandbox::Entered> {
        let dir = self.begin.path();
        let entered = sandbox::enter_with(sandbox::Terminal::Outer, dir.as_os_str());
        entered.map_err(|error| {
            let left = match &self.begin {
                Begin::New(_) | Begin::Unnamed(_) | Begin::Claimed(_) if !is_begun(dir) => {
                    "nothing had begun".to_owned()
                }
                Begin::New(_) | Begin::Unnamed(_) | Begin::Claimed(_) | Begin::Again { .. } => {
                    kept(dir)
                }
            };
            Ended::of(error, left)
        })
    }

    /// Runs it, and writes the reports.
    ///
    /// # Errors
    /// Fails where the lab can't be made or results can't be written.
    pub fn carry_out(self) -> Result<Exit> {
        let runtime = runtime()?;
        // From here on: what is made is left as it is meant to be, however early the request comes.
        let mut stop = {
            let _within = runtime.enter();
            sandbox::Stop::listen()?
        };
        let since = match &self.begin {
            Begin::New(_) | Begin::Unnamed(_) | Begin::Claimed(_) => Since::Begin,
            Begin::Again { .. } => Since::Resume,
        };
        let Outcome { dir, end, time } = self
            .run_until(&runtime, stop.asked())
            .inspect_err(|error| error!("the run ended early: {error:#}"))?;
        let reported = self.report(&dir);
        let exit = reported.map_err(|error| gone_or(error, dir.path()))?;
        if let Some(time) = time {
            println!("{}", time.told(since));
        }
        let how = match end {
            End::Whole => "is over",
            End::Stopped => "was stopped",
            End::FailedFast { .. } => "was ended by a failure",
        };
        info!("the run {how}, with exit code {}", crate::exit(exit));
        match end {
            End::Whole => {}
            End::Stopped => eprintln!("stopped: go on with {}", go_on(dir.path())),
            End::FailedFast { left } => {
                let (cases, go_on) = (count(left, "case"), go_on(dir.path()));
                eprintln!("ended by a failure, {cases} not run: go on with {go_on}");
            }
        }
        Ok(exit)
    }

    /// Writes the reports of what is concluded.
    fn report(&self, dir: &RunDir) -> Result<Exit> {
        let run = report::run_of(dir, &self.plan, &self.known)?.by(self.rules);
        let run = run.with_possible(possible(&self.plan, &self.config, Named::TheirLike)?);
        // What was typed is kept in the plan, and is found there.
        let (typed, blessed) = (KnownArgs::default(), self.blessed.as_deref());
        report::conclude(dir, run, &self.junit, (&typed, blessed))
    }

    /// Runs the cases that are not concluded, until `stop` comes.
    fn run_until(&self, runtime: &Runtime, stop: impl Future<Output = ()>) -> Result<Outcome> {
        let store = meaning::store()?;
        for release in &self.built {
            store.demand_unchanged(release)?;
        }
        let dir = self.directory()?;
        log::to(dir.log()?);
        let jobs = self.jobs(&dir)?;
        self.tell(jobs.len());
        let options = &self.plan.options;
        let side_by_side = options.jobs.unwrap_or_else(default_jobs);
        let settings = Settings {
            jobs: side_by_side.clamp(1, jobs.len().max(1)),
            retries: options.retries.unwrap_or(0),
            cases: self.plan.cases.len(),
            fail_fast: self.fail_fast.then_some(self.rules),
        };
        let executor = Executor {
            hosts: runtime.block_on(self.hosts(&dir))?,
            qemus: self.qemus()?,
            releases: self.releases.clone(),
            deadlines: self.config.deadlines(),
            bounds: self.config.bounds,
            control_cases: ControlCases::default(),
            run: number(std::process::id()),
        };
        let path = dir.path().to_owned();
        let runner = Runner::new(executor, dir, self.known.clone(), settings, jobs)?;
        let ended = runtime.block_on(runner.run(stop));
        ended.map_err(|error| {
            let error = gone_or(error, &path);
            if is_begun(&path) {
                return anyhow!("{error:#}\n{}", kept(&path));
            }
            error
        })
    }

    /// Tells what is run, and on what.
    fn tell(&self, left: usize) {
        let version = env!("CARGO_PKG_VERSION");
        let goes = match &self.begin {
            Begin::New(_) | Begin::Unnamed(_) | Begin::Claimed(_) => "begins",
            Begin::Again { .. } => "goes on",
        };
        let all = count(self.plan.cases.len(), "case");
        info!("the run {goes}, by migratrix {version}: {left} of {all} to run");
        for Release {
            name,
            libvirt,
            qemu,
            ..
        } in &self.plan.releases
        {
            let known = |version: &Option<Version>| {
                version.map_or_else(|| "unknown".to_owned(), |version| version.to_string())
            };
            let (libvirt, qemu) = (known(libvirt), known(qemu));
            info!("release {name}: libvirt {libvirt}, QEMU {qemu}");
        }
    }

    /// The run's directory, whose files agree.
    fn directory(&self) -> Result<RunDir> {
        match &self.begin {
            Begin::New(path) | Begin::Unnamed(path) => RunDir::create(path, &self.plan),
            Begin::Claimed(claim) => RunDir::create(claim.path(), &self.plan),
            Begin::Again { dir, manner } => {
                let dir = dir.again()?;
                if let Some(ledger) = Ledger::read(&dir, &self.plan)? {
                    ledger.settle(&dir, &self.plan, &self.known, *manner)?;
                }
                if *manner == Manner::Otherwise {
                    dir.write("plan.json", &self.plan.to_json())?;
                }
                Ok(dir)
            }
        }
    }

    /// The cases that are not concluded yet.
    fn jobs(&self, dir: &RunDir) -> Result<Vec<Job>> {
        let ledger = Ledger::read(dir, &self.plan)?;
        let concluded = ledger.iter().flat_map(|ledger| &ledger.cases);
        let done: BTreeSet<_> = concluded.map(|one| &one.case).collect();
        let setups = self.plan.setups();
        let waiting = self
            .plan
            .cases
            .iter()
            .enumerate()
            .filter(|(_, case)| !done.contains(case));
        waiting
            .map(|(place, case)| {
                let earlier = self.earlier(case, dir)?;
                Ok(Job {
                    place,
                    case: case.clone(),
                    attempt: earlier.last().map_or(1, |last| last.attempt + 1),
                    setup: self.setup(case, setups[place]),
                    alone: is_of_the_whole_host(case) || !earlier.is_empty(),
                    earlier,
                })
            })
            .collect()
    }

    /// The attempts at a case that were made, and not concluded before the run was stopped: what they
    /// showed to be wrong is not forgotten. One that was as expected is made again.
    fn earlier(&self, case: &Case, dir: &RunDir) -> Result<Vec<Judgement>> {
        let mut earlier = Vec::new();
        for attempt in 1.. {
            let Some(mut judgement) = ledger::left_behind(case, attempt, dir) else {
                break;
            };
            self.known.mark(&mut judgement, &self.releases)?;
            if judgement.standing().is_as_expected() {
                break;
            }
            earlier.push(judgement);
        }
        Ok(earlier)
    }

    /// How the hosts of a case are set up: real machines are as they are.
    fn setup(&self, case: &Case, planned: HostSetup) -> HostSetup {
        let real = |name| self.config.hosts.contains_key(name);
        if real(&case.tuple.source) || real(&case.tuple.destination) {
            HostSetup::AsShipped
        } else {
            planned
        }
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

    async fn hosts(&self, dir: &RunDir) -> Result<Option<Hosts>> {
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
        let (store, programs) = (meaning::store()?, meaning::client_programs()?);
        let hosts = Hosts::new(&tuples, &store, &self.config.hosts, &programs, &logs);
        hosts.await.map(Some)
    }
}

/// What runs the tasks of a run.
fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

/// How many files a run has open, beside those of its cases.
const FILES: u64 = 64;

/// How many files a case has open at most: its processes' ends, sockets, events and history.
const FILES_A_JOB: u64 = 16;

/// How many cases run side by side: more than there are processors, since a case waits a good deal.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) * 4
}

/// A number of 16 bits that two runs hardly share.
fn number(process: u32) -> u32 {
    let mixed = u64::from(process) ^ now_unix();
    u32::try_from(mixed & 0xffff).unwrap_or(0)
}

/// The date and time in UTC, as a folder's name.
fn date_time() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y%m%d-%H%M%S").to_string()
}

/// Whether what is done in a case, or broken in it, is of a host and not of its domain alone: a daemon that all
/// cases need, or what only one who is alone there can be told to have left.
fn is_of_the_whole_host(case: &Case) -> bool {
    let broken = case.fault.is_some_and(|fault| {
        matches!(
            fault,
            Fault::Tck(TckFault::DaemonStopped | TckFault::ListenerLeft | TckFault::CopyLeft)
                | Fault::Recovery(RecoveryFault::PortLeft | RecoveryFault::DaemonReplaced)
        )
    });
    broken || matches!(&case.point, Point::Recovery(point) if point.needs_hosts_alone())
}

#[cfg(test)]
mod tests;
