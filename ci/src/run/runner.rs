//! Runs cases side by side, judges each as soon as it is done, and writes down what came of it.
//!
//! Cases share hosts. Where a host is lost, the cases that were on it are run again, each alone on
//! its hosts: so a case is blamed for nothing that another one did. So is a case of which something
//! could not be seen. What came of every attempt is kept.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, VecDeque},
    rc::Rc,
};

use anyhow::{Context, Result};
use migratrix_matrix::{ReleaseName, Tuple};
use migratrix_reports::{Judgement, KnownFailures, Route, Rules, Standing, to_line};
use tokio::{
    task::{LocalSet, spawn_local, yield_now},
    time::interval,
};
use tracing::info;

use crate::{
    run::{
        end::{End, fails_run},
        executor::{AttemptResult, Executor, Worker},
        job::Job,
        ledger::Concluded,
        processor::ProcessorTime,
        progress::{Progress, TICK},
        rundir::{Pen, RunDir},
        sessions::Event,
    },
    say::{Shown, count},
};

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many side by side.
    pub jobs: usize,
    /// How often a case that is not as expected is run again.
    pub retries: u32,
    /// How many cases the run has, those among them that are concluded already.
    pub cases: usize,
    /// What fails the run, where no case is to begin after the first one that does.
    pub fail_fast: Option<Rules>,
}

/// What came of a run.
pub struct Outcome {
    /// The run's directory.
    pub dir: RunDir,
    /// How it ended.
    pub end: End,
    /// What it took.
    pub time: Option<ProcessorTime>,
}

/// Runs cases.
pub struct Runner {
    executor: Executor,
    dir: RunDir,
    known: KnownFailures,
    settings: Settings,
    queue: RefCell<VecDeque<Job>>,
    progress: RefCell<Progress>,
    ledger: RefCell<Pen>,
    verdicts: RefCell<Pen>,
    sessions: RefCell<Pen>,
    stopped: Cell<bool>,
    /// The cases that were left when one failed, by `--fail-fast`.
    left: Cell<Option<usize>>,
    /// The real machines that don't answer: that was said, and is not said again of each case.
    silent: RefCell<BTreeSet<ReleaseName>>,
}

impl Runner {
    /// A runner of `jobs`, which writes to `dir`.
    ///
    /// # Errors
    /// Fails where the verdicts can't be written.
    pub fn new(
        executor: Executor,
        dir: RunDir,
        known: KnownFailures,
        settings: Settings,
        jobs: Vec<Job>,
    ) -> Result<Self> {
        let progress = Progress::new(jobs.len(), settings.jobs);
        progress.say(&opening(&jobs, settings, &dir));
        let mut sessions = dir.sessions_pen()?;
        sessions.add(&Event::begun_now().to_line())?;
        Ok(Self {
            sessions: RefCell::new(sessions),
            progress: RefCell::new(progress),
            ledger: RefCell::new(dir.ledger_pen()?),
            verdicts: RefCell::new(dir.verdicts_pen()?),
            queue: RefCell::new(jobs.into()),
            stopped: Cell::new(false),
            left: Cell::new(None),
            silent: RefCell::default(),
            executor,
            dir,
            known,
            settings,
        })
    }

    /// Runs all cases, or until `stop` comes; then the running ones are given up, and count as not
    /// run.
    ///
    /// # Errors
    /// Fails where results can't be written.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Outcome> {
        let runner = Rc::new(self);
        let workers = LocalSet::new();
        let all_done = workers.run_until(async {
            runner.ask_hosts().await;
            let worker = |_| spawn_local(Rc::clone(&runner).work());
            let running: Vec<_> = (0..runner.settings.jobs).map(worker).collect();
            for worker in running {
                worker.await.context("a worker broke down")??;
            }
            anyhow::Ok(())
        });
        tokio::select! {
            // First of all it is heard when a stop is asked for.
            biased;
            () = stop => runner.stopped.set(true),
            () = runner.tell() => {}
            result = all_done => result?,
        }
        // Where the run was stopped, some hosts have cases on them still: these are left out.
        runner.executor.look_at_idle_hosts().await;
        runner.tell_idle_losses()?;
        drop(workers);
        let Ok(runner) = Rc::try_unwrap(runner) else {
            unreachable!("all workers are gone");
        };
        runner.progress.into_inner().close();
        let time = ProcessorTime::so_far();
        if let Some(hosts) = runner.executor.hosts {
            hosts.close().await?;
        }
        Ok(Outcome {
            end: match runner.left.get() {
                _ if runner.stopped.get() => End::Stopped,
                Some(left) => End::FailedFast { left },
                None => End::Whole,
            },
            dir: runner.dir,
            time,
        })
    }

    /// Says which real machines don't answer, before any case is run: their cases are unknown.
    async fn ask_hosts(&self) {
        let queue: Vec<_> = self
            .queue
            .borrow()
            .iter()
            .map(|job| job.case.tuple.clone())
            .collect();
        for (name, why) in self
            .executor
            .ask_hosts(&queue.iter().cloned().collect())
            .await
        {
            let of = |tuple: &&Tuple| tuple.source == name || tuple.destination == name;
            let cases = queue.iter().filter(of).count();
            let (need, are) = if cases == 1 {
                ("needs", "is")
            } else {
                ("need", "are")
            };
            let cases = count(cases, "case");
            let line = format!("{why}\n  {cases} {need} it, and {are} unknown");
            self.progress.borrow().say(&line);
            self.silent.borrow_mut().insert(name);
        }
    }

    /// Tells how far the run is, time after time.
    async fn tell(&self) {
        let mut ticks = interval(TICK);
        loop {
            ticks.tick().await;
            let coming = self.executor.coming();
            self.progress.borrow_mut().tick(&coming);
        }
    }

    /// Writes down the hosts that were found lost while no case was on them, and says so.
    fn tell_idle_losses(&self) -> Result<()> {
        for loss in self.executor.idle_losses() {
            let death = loss.death();
            let line = format!("{}; {}", death.told(), death.on_it());
            self.progress.borrow().say(&line);
            let event = Event::HostLost(loss);
            self.sessions.borrow_mut().add(&event.to_line())?;
        }
        Ok(())
    }

    /// One worker: case after case, until none waits.
    async fn work(self: Rc<Self>) -> Result<()> {
        let mut worker = Worker::default();
        loop {
            let Some(job) = self.queue.borrow_mut().pop_front() else {
                return Ok(());
            };
            let ticket = self.progress.borrow_mut().begin(&job.case);
            // Cases that wait for nothing let a request to stop come through as well, and let it be told what is at
            // work.
            yield_now().await;
            self.turn(&mut worker, job).await?;
            self.progress.borrow_mut().leave(ticket);
        }
    }

    /// One attempt at a case: run, judge, and write down or try again.
    async fn turn(&self, worker: &mut Worker, mut job: Job) -> Result<()> {
        info!("begins {}, attempt {}", job.case, job.attempt);
        let attempt = self.executor.attempt(worker, &job, &self.dir).await;
        self.progress.borrow_mut().end();
        self.tell_idle_losses()?;
        let AttemptResult {
            mut judgement,
            disturbed,
            material,
        } = attempt?;
        self.known.mark(&mut judgement, &self.executor.releases)?;
        material.keep(&mut judgement, &self.dir);
        // What a QEMU said of its end, now that it is kept, tells a known failure from another one.
        self.known.mark(&mut judgement, &self.executor.releases)?;
        info!("ends {}, {}", job.case, came_of(&judgement));
        // Another release stays one, however often it is looked at.
        let settled = judgement.misplaced.is_some();
        if settled || !self.again(&job, disturbed, judgement.standing()) {
            let beside = self.control_case(&job, &judgement).await?;
            let judgement = match &beside {
                Some(raw) => judgement.attributed(raw),
                None => judgement,
            };
            return self.conclude(&job.earlier, &judgement, beside.as_ref());
        }
        job.attempt += 1;
        job.alone = true;
        job.earlier.push(judgement);
        let mut queue = self.queue.borrow_mut();
        match self.settings.fail_fast {
            // Whether it fails the run is to be known before others begin.
            Some(_) => queue.push_front(job),
            None => queue.push_back(job),
        }
        Ok(())
    }

    /// Of a failure on libvirt, whether QEMU alone fails as well.
    async fn control_case(&self, job: &Job, judgement: &Judgement) -> Result<Option<Judgement>> {
        if judgement.standing() != Standing::Failed {
            return Ok(None);
        }
        let beside = self.executor.control_case(job, &self.dir).await?;
        if let Some(beside) = &beside {
            info!("with QEMU alone {}: {}", beside.case, came_of(beside));
        }
        Ok(beside)
    }

    /// Whether there is reason for another attempt: others may have disturbed this one, or it was
    /// too busy here to see all of it, or retries are asked for.
    fn again(&self, job: &Job, disturbed: bool, standing: Standing) -> bool {
        let unseen = standing == Standing::Unknown && job.earlier.is_empty();
        let look_again = unseen || (disturbed && !job.alone);
        let retry = job.attempt <= self.settings.retries;
        let hopeless = self.executor.lacks(&job.case);
        !standing.is_as_expected() && !hopeless && (look_again || retry)
    }

    /// Lets no case begin any more. What is at work runs to its end.
    fn begin_no_more(&self) {
        let left = self.queue.borrow_mut().drain(..).len();
        if left > 0 {
            self.left.set(Some(left + self.left.get().unwrap_or(0)));
        }
    }

    /// Writes down what came of all attempts at a case, at once: a run that is cut short has all
    /// of them or none.
    fn conclude(
        &self,
        earlier: &[Judgement],
        judgement: &Judgement,
        beside: Option<&Judgement>,
    ) -> Result<()> {
        let concluded = Concluded::of(earlier, judgement, beside);
        let attempts = earlier.iter().chain([judgement]);
        let lines: String = attempts.map(|one| to_line(one) + "\n").collect();
        self.ledger.borrow_mut().add(&concluded.to_line())?;
        self.verdicts.borrow_mut().add(&lines)?;
        let rules = self.settings.fail_fast;
        if rules.is_some_and(|rules| fails_run(earlier, judgement, rules)) {
            self.begin_no_more();
        }
        let mut progress = self.progress.borrow_mut();
        let tuple = &judgement.case.tuple;
        let silent = self.silent.borrow();
        match trouble(judgement) {
            None => progress.done(),
            Some(_) if silent.contains(&tuple.source) || silent.contains(&tuple.destination) => {
                progress.done_badly();
            }
            Some(why) => {
                progress.say(&format!("{}: {why}", judgement.case));
                progress.done_badly();
            }
        }
        Ok(())
    }
}

/// What came of an attempt.
fn came_of(judgement: &Judgement) -> String {
    let standing = judgement.standing();
    if standing.is_as_expected() {
        standing.word().to_owned()
    } else {
        format!("{}: {}", standing.word(), judgement.overall().why())
    }
}

/// How many ways of guests are named where a run begins.
const ROUTES: usize = 3;

/// What a run begins with: how many cases there are, and between which releases.
fn opening(jobs: &[Job], settings: Settings, dir: &RunDir) -> String {
    let place = dir.path().shown();
    if jobs.is_empty() {
        return format!("no case is left to run, in {place}");
    }
    let mut routes: Vec<_> = Vec::new();
    for route in jobs.iter().map(|job| Route::of(&job.case)) {
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    let told = |route: &Route<'_>| {
        let client = route
            .client
            .map(|client| format!(" by the client of {client}"));
        format!("{}{}", route.of_nobody(), client.unwrap_or_default())
    };
    let named: Vec<_> = routes.iter().take(ROUTES).map(told).collect();
    let more = routes.len().checked_sub(ROUTES).filter(|more| *more > 0);
    let more = more.map_or(String::new(), |more| format!(" and {more} more"));
    let left = match (jobs.len(), count(settings.cases, "case")) {
        (left, all) if left == settings.cases => all,
        (left, all) => format!("{left} of {all}"),
    };
    let (side_by_side, routes) = (settings.jobs, named.join(", "));
    format!("{left}, {side_by_side} side by side, in {place}: {routes}{more}")
}

/// What there is to tell of a case.
fn trouble(judgement: &Judgement) -> Option<String> {
    match judgement.standing() {
        Standing::Passed | Standing::KnownFailure | Standing::Skipped => None,
        Standing::UnexpectedPass => Some(Standing::UnexpectedPass.word().to_owned()),
        Standing::Unknown | Standing::FailedAtFirst | Standing::Failed => {
            Some(judgement.overall().why().to_owned())
        }
    }
}
