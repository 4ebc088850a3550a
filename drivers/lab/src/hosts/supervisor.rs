//! The lab's end of a host: starts its supervisor, tells it what to make, and ends it.

use std::{
    fs::{self, File, OpenOptions},
    net::Ipv4Addr,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use migratrix_contract::told;
use migratrix_matrix::Shown;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep_until, timeout_at},
};
use tracing::{debug, info, warn};

use crate::{
    LabError,
    hosts::{
        hosted, net, ports, processes,
        request::Request,
        spec::{PORT, Run, Spec},
    },
    init, process,
    releases::probe::LIBVIRTD,
};

/// How long a host may take to come up.
const UP: Duration = Duration::from_secs(60);
/// How often a host that comes up is tried.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// A running supervisor. A host ends with it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    lifeline: ChildStdin,
    first: i32,
    cable: String,
    hostname: String,
}

impl Supervisor {
    /// Starts a host, and waits until its daemon answers.
    pub(crate) async fn start(spec: &Spec, cable: String) -> Result<Self, LabError> {
        let (hostname, address, root) = (&spec.hostname, spec.address, spec.root.shown());
        info!(
            "host {hostname} starts at {address}, on {root}, set up {}",
            spec.setup
        );
        let began = Instant::now();
        let started = Self::made(spec, cable).await;
        match &started {
            Ok(_) => info!(
                "host {hostname} is up after {} ms",
                began.elapsed().as_millis()
            ),
            Err(error) => warn!("host {hostname} is not up: {}", told(error)),
        }
        started
    }

    async fn made(spec: &Spec, cable: String) -> Result<Self, LabError> {
        let mut line = serde_json::to_vec(spec).map_err(LabError::NotText)?;
        line.push(b'\n');
        let mut supervisor = Self::spawn(spec, cable).await?;
        net::plug(&supervisor.cable, spec.address, supervisor.first)?;
        let told = supervisor.lifeline.write_all(&line).await;
        told.map_err(LabError::system("tell the supervisor what to make"))?;
        supervisor.until_up(spec).await?;
        Ok(supervisor)
    }

    async fn spawn(spec: &Spec, cable: String) -> Result<Self, LabError> {
        let mut child = Command::new("/proc/self/exe")
            .args([hosted::COMMAND, &spec.hostname])
            .arg(&spec.logs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log(&spec.logs)?)
            .spawn()
            .map_err(LabError::system("start a host's supervisor"))?;
        let lifeline = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line).await;
        read.map_err(LabError::system("hear from a host's supervisor"))?;
        let Ok(first) = line.trim().parse::<i32>() else {
            let status = child
                .wait()
                .await
                .map_err(LabError::system("wait for a host's supervisor"))?;
            return Err(ended(spec, status));
        };
        let supervisor = Self {
            child,
            lifeline,
            first,
            cable,
            hostname: spec.hostname.clone(),
        };
        supervisor.tell();
        Ok(supervisor)
    }

    /// Tells what the host consists of.
    fn tell(&self) {
        let namespaces = ["mnt", "net", "pid", "uts", "ipc"].map(|kind| {
            let link = fs::read_link(format!("/proc/{}/ns/{kind}", self.first));
            link.map_or_else(|_| format!("{kind}: gone"), |link| link.shown())
        });
        let (hostname, first) = (&self.hostname, self.first);
        let namespaces = namespaces.join(" ");
        debug!(
            "host {hostname}: its first process is {first}, in {namespaces}; it runs `{LIBVIRTD} --listen`"
        );
    }

    async fn until_up(&mut self, spec: &Spec) -> Result<(), LabError> {
        let deadline = Instant::now() + UP;
        tokio::select! {
            status = self.child.wait() => {
                Err(ended(spec, status.map_err(LabError::system("wait for a host's supervisor"))?))
            }
            answered = answers(spec, self.first, deadline) => answered,
        }
    }

    /// This run of the host, counted as `generation`.
    pub(crate) fn run(&self, generation: u32) -> Result<Run, LabError> {
        let run = Run::of(generation, self.first, self.cable.clone());
        run.map_err(LabError::system("get a handle of a host's first process"))
    }

    /// Has the host's first process do something; whether it did is to be seen on the host.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<(), LabError> {
        let told = self.lifeline.write_all(&request.line()).await;
        told.map_err(LabError::system("ask the host's first process"))
    }

    /// How the host's daemon ended, and the host with it, if it has within `time`.
    pub(crate) async fn ended_within(&mut self, time: Duration) -> Option<String> {
        match timeout_at(Instant::now() + time, self.child.wait()).await {
            Ok(Ok(status)) => Some(init::told(status)),
            Ok(Err(error)) => Some(format!("its end can't be told: {error}")),
            Err(_) => None,
        }
    }

    /// Ends the host, and waits until all of it is gone.
    pub(crate) async fn end(self) -> Result<(), LabError> {
        let Self {
            mut child,
            lifeline,
            cable,
            hostname,
            ..
        } = self;
        drop(lifeline);
        let ended = child.wait().await;
        let status = ended.map_err(LabError::system("wait for a host's end"))?;
        info!("host {hostname} is ended: {}", init::told(status));
        net::unplug(&cable);
        Ok(())
    }
}

/// Waits until the daemon listens, and accepts a connection. It isn't tried before it listens: the
/// first packet to a host without a network would cost a second.
async fn answers(spec: &Spec, first: i32, deadline: Instant) -> Result<(), LabError> {
    let answered = accepts(first, spec.address, deadline).await;
    answered.map_err(|what| silent(spec, &what))
}

/// Waits until a daemon of the host listens, and accepts a connection; says what was missing.
pub(crate) async fn accepts(
    first: i32,
    address: Ipv4Addr,
    deadline: Instant,
) -> Result<(), String> {
    let mut next = Instant::now();
    while !listens(first) {
        next += TRY_EVERY;
        if next >= deadline {
            return Err("nothing listens".to_owned());
        }
        sleep_until(next).await;
    }
    match timeout_at(deadline, TcpStream::connect((address, PORT))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no connection".to_owned()),
    }
}

fn listens(first: i32) -> bool {
    let processes = processes::of_host(first).unwrap_or_default();
    let mut ports = processes.iter().flat_map(|it| ports::of_process(it.pid));
    ports.any(|ports| ports.contains(&PORT))
}

fn log(logs: &Path) -> Result<File, LabError> {
    let path = logs.join("host.log");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(LabError::file("write", path))
}

fn ended(spec: &Spec, status: ExitStatus) -> LabError {
    failed(spec, format!("its first process ended with {status}"))
}

fn silent(spec: &Spec, what: &str) -> LabError {
    failed(
        spec,
        format!("{what} on port {PORT} within {} s", UP.as_secs()),
    )
}

fn failed(spec: &Spec, why: String) -> LabError {
    let read = |name| fs::read_to_string(spec.logs.join(name)).unwrap_or_default();
    let logs = read("host.log") + &read("libvirtd.log");
    LabError::Host {
        host: spec.hostname.clone(),
        why,
        tail: process::tail(&logs).to_owned(),
    }
}
