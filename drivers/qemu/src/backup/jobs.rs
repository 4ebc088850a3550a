//! Backup jobs: asked for alone or in a transaction, and waited for until QEMU has forgotten them.

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{
    Backup, BackupForm, Clusters, DirtyBitmap, Drive, Link, OnError, Target, Together,
};
use migratrix_qmp::{Event, Events, JobStatus};
use serde_json::{Value, json};

use super::{
    images::{Shape, format, plain},
    request::{Job, SLOW, SyncMode, action, command, is_at, is_gone, is_stop},
};
use crate::{QemuDriver, error::StepError, party::PATIENCE};

impl QemuDriver {
    /// A full backup, alone or with the drive's bitmaps.
    pub(super) async fn full(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        with: Together,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let makes_itself = case.form == BackupForm::Drive && case.clusters == Clusters::Equal;
        let job = Job {
            id: drive.full_job(),
            drive,
            target: drive.full(),
            sync: if makes_itself {
                SyncMode::FullToNewTarget
            } else {
                SyncMode::Full
            },
            on_error: OnError::Report,
            speed: None,
        };
        if !makes_itself {
            let size = self.party(side).size(drive).await?;
            let shape = Shape {
                clusters: case.clusters,
                ..plain(format(case), size)
            };
            self.make_image(side, &job.target, &shape).await?;
        }
        let bitmaps = self.bitmaps_to(with, case, side, drive).await?;
        let actions = bitmaps.into_iter();
        let actions = actions.filter_map(|bitmap| action(case, drive, bitmap, with));
        let actions = actions.collect();
        self.run_jobs(case, side, actions, &[job], record).await
    }

    /// The bitmaps that are cleared or added: those that are there, or that the case has.
    async fn bitmaps_to(
        &mut self,
        with: Together,
        case: &Backup,
        side: Side,
        drive: Drive,
    ) -> Result<Vec<DirtyBitmap>, StepError> {
        match with {
            Together::Alone => Ok(Vec::new()),
            Together::Add => Ok(case.bitmaps_of_a_drive().to_vec()),
            Together::Clear => {
                let nodes = self.party(side).nodes().await?;
                let own = nodes
                    .into_iter()
                    .filter(|node| node.node_name == drive.name());
                let there: Vec<_> = own.flat_map(|node| node.bitmaps(drive.name())).collect();
                let is_there = |one: &DirtyBitmap| there.iter().any(|look| look.name == one.name());
                let all = [DirtyBitmap::First, DirtyBitmap::Second].into_iter();
                Ok(all.filter(is_there).collect())
            }
        }
    }

    /// An incremental, until its job has ended or has stopped.
    pub(super) async fn increment(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        on_error: OnError,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.make_link(case, side, link).await?;
        let job = Job {
            on_error,
            ..Job::of(case, link)
        };
        self.run_jobs(case, side, Vec::new(), &[job], record)
            .await?;
        match on_error {
            OnError::Report | OnError::Ignore => self.finish_link(case, side, link).await,
            OnError::Stop => Ok(()),
        }
    }

    /// The target of a link. Where its clusters are larger than the disk's it gets what it lies on
    /// only when it is whole.
    async fn make_link(&mut self, case: &Backup, side: Side, link: Link) -> Result<(), StepError> {
        if case.target == Target::Raw {
            return Ok(());
        }
        let base = link.base();
        let size = self.party(side).size(link.drive).await?;
        let shape = Shape {
            format: "qcow2",
            size,
            clusters: case.clusters,
            onto: (case.clusters == Clusters::Equal).then_some(&base),
        };
        self.make_image(side, &link.file(), &shape).await
    }

    async fn finish_link(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
    ) -> Result<(), StepError> {
        match (case.target, case.clusters) {
            (Target::Qcow2, Clusters::Larger) => {
                self.lay_onto(side, &link.file(), &link.base()).await
            }
            (Target::Qcow2, Clusters::Equal) | (Target::Raw, _) => Ok(()),
        }
    }

    /// An incremental that must be refused.
    pub(super) async fn increment_by(
        &mut self,
        case: &Backup,
        side: Side,
        drive: Drive,
        bitmap: Option<&'static str>,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let target = format!("{drive}-refused");
        let shape = plain(format(case), Drive::SIZE);
        self.make_image(side, &target, &shape).await?;
        let job = Job {
            id: format!("backup-{drive}"),
            drive,
            target,
            sync: SyncMode::Bitmap(bitmap),
            on_error: OnError::Report,
            speed: None,
        };
        self.run_jobs(case, side, Vec::new(), &[job], record).await
    }

    /// Both drives' incrementals in one transaction, all or nothing.
    pub(super) async fn pair(
        &mut self,
        case: &Backup,
        side: Side,
        links: [Link; 2],
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        for link in links {
            self.make_link(case, side, link).await?;
        }
        let jobs = links.map(|link| Job::of(case, link));
        self.run_jobs(case, side, Vec::new(), &jobs, record).await
    }

    /// A full backup to compare a link with.
    pub(super) async fn reference(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.make_reference(case, side, link).await?;
        let job = Job::reference(link);
        self.run_jobs(case, side, Vec::new(), &[job], record).await
    }

    async fn make_reference(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
    ) -> Result<(), StepError> {
        let size = self.party(side).size(link.drive).await?;
        let shape = plain(format(case), size);
        self.make_image(side, &link.reference(), &shape).await
    }

    /// A link and its reference, of one moment.
    pub(super) async fn twin(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.make_link(case, side, link).await?;
        self.make_reference(case, side, link).await?;
        let jobs = [Job::of(case, link), Job::reference(link)];
        self.run_jobs(case, side, Vec::new(), &jobs, record).await?;
        self.finish_link(case, side, link).await
    }

    /// A slow incremental, cancelled while it runs.
    pub(super) async fn cancel_increment(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        self.make_link(case, side, link).await?;
        let job = Job {
            speed: Some(SLOW),
            ..Job::of(case, link)
        };
        let mut events = self
            .begin(case, side, Vec::new(), std::slice::from_ref(&job), record)
            .await?;
        let cancel = json!({ "device": job.id });
        let party = self.party(side);
        party.command("block-job-cancel", cancel, record).await?;
        self.await_job(case, side, &job, &mut events[0], record)
            .await
    }

    /// Lets a job that stopped go on to its end.
    pub(super) async fn resume_increment(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let job = Job::of(case, link);
        let mut events = self.party(side).qemu()?.qmp().events();
        let resume = json!({ "id": job.id });
        self.party(side)
            .command("job-resume", resume, record)
            .await?;
        self.await_job(case, side, &job, &mut events, record)
            .await?;
        self.finish_link(case, side, link).await
    }

    /// Asks for jobs, in one transaction with `actions` where there are some, and waits for all.
    async fn run_jobs(
        &mut self,
        case: &Backup,
        side: Side,
        actions: Vec<Value>,
        jobs: &[Job],
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let mut events = self.begin(case, side, actions, jobs, record).await?;
        for (job, events) in jobs.iter().zip(&mut events) {
            self.await_job(case, side, job, events, record).await?;
        }
        Ok(())
    }

    /// Asks for jobs; gives the events since then, for each of them.
    async fn begin(
        &mut self,
        case: &Backup,
        side: Side,
        mut actions: Vec<Value>,
        jobs: &[Job],
        record: &mut Recorder,
    ) -> Result<Vec<Events>, StepError> {
        for job in jobs {
            self.add_target(case, side, job, record).await?;
        }
        let events = jobs
            .iter()
            .map(|_| Ok(self.party(side).qemu()?.qmp().events()));
        let events = events.collect::<Result<Vec<Events>, StepError>>()?;
        let name = command(case.form);
        let mut asked = Vec::new();
        for job in jobs {
            asked.push(job.arguments(case, &self.scratch.text(&job.target)));
        }
        if actions.is_empty() && asked.len() == 1 {
            let arguments = asked.remove(0);
            self.party(side).command(name, arguments, record).await?;
            return Ok(events);
        }
        let mut properties = json!({});
        if asked.len() > 1 {
            properties = json!({ "completion-mode": "grouped" });
        }
        let asked = asked.into_iter();
        actions.extend(asked.map(|data| json!({ "type": name, "data": data })));
        let transaction = json!({ "actions": actions, "properties": properties });
        let party = self.party(side);
        party.command("transaction", transaction, record).await?;
        Ok(events)
    }

    /// Gives QEMU the target, where the command does not open it itself.
    async fn add_target(
        &mut self,
        case: &Backup,
        side: Side,
        job: &Job,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if case.form == BackupForm::Drive {
            return Ok(());
        }
        let path = self.scratch.text(&job.target);
        let node = json!({
            "node-name": job.node(),
            "driver": format(case),
            "file": { "driver": "file", "filename": path },
        });
        self.party(side)
            .command("blockdev-add", node, record)
            .await?;
        Ok(())
    }

    /// Waits until QEMU has forgotten the job, or the job has stopped; in the first case the target
    /// is taken back.
    async fn await_job(
        &mut self,
        case: &Backup,
        side: Side,
        job: &Job,
        events: &mut Events,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let id = job.id.as_str();
        let over = |event: &Event| is_gone(event, id) || is_stop(event, id);
        let came = events.wait("that the job is over", PATIENCE, over).await;
        let came = self.party(side).explained(came).await?;
        if is_stop(&came, id) {
            let paused = |event: &Event| is_at(event, id, &JobStatus::Paused);
            let came = events
                .wait("that the job is paused", PATIENCE, paused)
                .await;
            self.party(side).explained(came).await?;
            return Ok(());
        }
        match case.form {
            BackupForm::Blockdev => {
                let node = json!({ "node-name": job.node() });
                self.party(side)
                    .command("blockdev-del", node, record)
                    .await?;
                Ok(())
            }
            BackupForm::Drive => self.await_release(side, &job.target).await,
        }
    }

    /// Waits until QEMU has let go of a target that it opened itself: a little after it has
    /// forgotten the job.
    async fn await_release(&mut self, side: Side, target: &str) -> Result<(), StepError> {
        let path = self.scratch.text(target);
        while self.party(side).has_file(&path).await? {
            self.pause().await;
        }
        Ok(())
    }
}
