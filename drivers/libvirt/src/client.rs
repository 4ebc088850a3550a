//! A client process, seen from here: requests go in, answers and events come out.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use migratrix_client::wire::{Answer, Event, Line, Op, Reply, Request, Said};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::unix::pipe,
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{Error, Program, metered::Metered, program::Started};

/// The longest line that a client may send, in bytes; a survey of torn pages is the longest.
const LINE_MAX: u64 = 16 << 20;

/// How much of a client's stderr is kept, in bytes: its end.
const STDERR_KEPT: usize = 4096;

/// How long a client may take for a request, which its caller usually bounds tighter.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take for a migration.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(3600);

/// How long a process that closed its output, or was killed, may take to be gone.
const GRACE: Duration = Duration::from_secs(1);

/// A running client process. It dies when this is dropped.
pub struct Client {
    pid: u32,
    shared: Arc<Shared>,
    requests: mpsc::UnboundedSender<Vec<u8>>,
    attendant: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    events: Mutex<VecDeque<(Instant, Event)>>,
    news: Notify,
    kill: Notify,
}

#[derive(Default)]
struct Waiting {
    last_id: u64,
    answers: HashMap<u64, oneshot::Sender<Reply>>,
    ended: Option<String>,
}

impl Client {
    /// Starts a process of `program`. Needs a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if there is no such program, or it can't be run.
    pub fn start(program: &Program) -> Result<Self, Error> {
        let Started {
            process,
            stdin,
            stdout,
            stderr,
        } = program.start()?;
        let pid = process.number();
        let (requests, lines) = mpsc::unbounded_channel();
        tokio::spawn(write(stdin, lines));
        let shared = Arc::new(Shared::default());
        let attendant = tokio::spawn(attend(process, (stdout, stderr), Arc::clone(&shared)));
        Ok(Self {
            pid,
            shared,
            requests,
            attendant,
        })
    }

    /// Asks for `op` and waits for what comes of it. Requests run at the same time; the answer to
    /// one that nobody waits for any more is dropped.
    ///
    /// # Errors
    /// Returns the hypervisor's refusal, or why there is no answer.
    pub async fn ask(&self, op: Op) -> Result<Said, Error> {
        let (asked, patience) = bound(&op);
        match timeout(patience, self.send(op)?).await {
            Ok(Ok(Reply::Ok(said))) => Ok(said),
            Ok(Ok(Reply::Refused(refusal))) => Err(Error::Refused(refusal)),
            Ok(Ok(Reply::Lost(why))) => Err(Error::Lost(why)),
            Ok(Ok(Reply::Bad(why))) => Err(Error::Bad(why)),
            Ok(Err(_)) => Err(self.end()),
            Err(_) => Err(Error::Silent {
                asked: asked.to_owned(),
                patience,
            }),
        }
    }

    /// Waits for an event; `None` where the process is gone, and no more will come.
    pub async fn event(&self) -> Option<(Instant, Event)> {
        loop {
            let news = self.shared.news.notified();
            let event = lock(&self.shared.events).pop_front();
            if event.is_some() || self.is_gone() {
                return event;
            }
            news.await;
        }
    }

    /// The number of the process.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process is known to be gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        lock(&self.shared.waiting).ended.is_some()
    }

    /// Kills the process and waits until it is gone.
    pub async fn kill(&self) {
        self.shared.kill.notify_one();
        loop {
            let news = self.shared.news.notified();
            if self.is_gone() {
                return;
            }
            news.await;
        }
    }

    fn send(&self, op: Op) -> Result<oneshot::Receiver<Reply>, Error> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.shared.waiting);
        if let Some(why) = &waiting.ended {
            return Err(Error::Ended(why.clone()));
        }
        waiting.last_id += 1;
        let id = waiting.last_id;
        waiting.answers.insert(id, sender);
        let request = Request { id, op };
        let mut line = serde_json::to_vec(&request).expect("the words of the wire are all JSON");
        line.push(b'\n');
        // Where nobody writes it any more, the end of the process is about to be told.
        let _unsent = self.requests.send(line);
        Ok(receiver)
    }

    fn end(&self) -> Error {
        let ended = lock(&self.shared.waiting).ended.clone();
        Error::Ended(ended.unwrap_or_else(|| "is gone".to_owned()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

impl Shared {
    /// Hands a line to whoever waits for it.
    fn hear(&self, line: Line) {
        match line {
            Line::Answer(Answer { id, reply }) => {
                let sender = id.and_then(|id| lock(&self.waiting).answers.remove(&id));
                if let Some(sender) = sender {
                    let _dropped = sender.send(reply);
                }
            }
            Line::Event { event } => {
                lock(&self.events).push_back((Instant::now(), event));
                self.news.notify_waiters();
            }
        }
    }

    /// Tells all who wait, now or later, that there will be no more answers.
    fn end(&self, why: String) {
        let mut waiting = lock(&self.waiting);
        waiting.ended = Some(why);
        waiting.answers.clear();
        drop(waiting);
        self.news.notify_waiters();
    }
}

/// Reads what `process` says until its end, and tells that.
async fn attend(
    mut process: Metered,
    (stdout, stderr): (pipe::Receiver, pipe::Receiver),
    shared: Arc<Shared>,
) {
    let stderr = tokio::spawn(tail(stderr));
    let (why, grace) = tokio::select! {
        why = read(BufReader::new(stdout), &shared) => (why, GRACE),
        () = shared.kill.notified() => ("was killed".to_owned(), Duration::ZERO),
    };
    let status = end(&mut process, grace).await;
    let said = timeout(GRACE, stderr).await;
    let said = said.ok().and_then(Result::ok).unwrap_or_default();
    shared.end(format!("{why} ({status}); its stderr: {:?}", said.trim()));
}

/// Lets `process` end within `grace`, then kills it: one that can't be talked to is of no use.
async fn end(process: &mut Metered, grace: Duration) -> String {
    if timeout(grace, process.ended()).await.is_err() {
        process.kill();
    }
    match timeout(GRACE, process.wait()).await {
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not go".to_owned(),
    }
}

/// Reads lines until there is none that makes sense, and says why.
async fn read(mut stdout: impl AsyncBufRead + Unpin, shared: &Shared) -> String {
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut stdout)
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .await
        {
            Err(error) => return format!("can't be read from: {error}"),
            Ok(0) => return "closed its output".to_owned(),
            Ok(_) if !line.ends_with(b"\n") && line.len() as u64 == LINE_MAX => {
                return format!(
                    "sent a line of more than {LINE_MAX} bytes: {}",
                    excerpt(&line)
                );
            }
            Ok(_) => match serde_json::from_slice(&line) {
                Ok(heard) => shared.hear(heard),
                Err(_) => return format!("sent a line that makes no sense: {}", excerpt(&line)),
            },
        }
    }
}

async fn write(mut stdin: pipe::Sender, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Reads all of `stderr` and gives its end.
async fn tail(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    while matches!(stderr.read_buf(&mut kept).await, Ok(1..)) {
        let surplus = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(80)]);
    format!("`{}`", text.trim_end())
}

/// The word of what is asked for, and how long it may take.
const fn bound(op: &Op) -> (&'static str, Duration) {
    match op {
        Op::Migrate(_) => ("migrate", MIGRATION_PATIENCE),
        Op::Version => ("version", PATIENCE),
        Op::Open { .. } => ("open", PATIENCE),
        Op::KeepAlive { .. } => ("keep-alive", PATIENCE),
        Op::State { .. } => ("state", PATIENCE),
        Op::Listen { .. } => ("listen", PATIENCE),
        Op::Settle { .. } => ("settle", PATIENCE),
        Op::Define { .. } => ("define", PATIENCE),
        Op::CreateXml { .. } => ("create-xml", PATIENCE),
        Op::Domain { .. } => ("domain", PATIENCE),
        Op::Attach { .. } => ("attach", PATIENCE),
        Op::Look { .. } => ("look", PATIENCE),
        Op::Runs { .. } => ("runs", PATIENCE),
        Op::Lap { .. } => ("lap", PATIENCE),
        Op::Survey { .. } => ("survey", PATIENCE),
        Op::Capabilities { .. } => ("capabilities", PATIENCE),
        Op::Monitor { .. } => ("monitor", PATIENCE),
        Op::Ask { .. } => ("ask", PATIENCE),
        Op::Backup { .. } => ("backup", PATIENCE),
        Op::Checkpoints { .. } => ("checkpoints", PATIENCE),
        Op::Redefine { .. } => ("redefine", PATIENCE),
        Op::Progress { .. } => ("progress", PATIENCE),
        Op::Job { .. } => ("job", PATIENCE),
    }
}

/// Asks for what is answered by nothing but that it was done.
pub(crate) async fn done(client: Arc<Client>, op: Op) -> Result<(), Error> {
    match client.ask(op).await? == Said::Done {
        true => Ok(()),
        false => Err(Error::Malformed("something to be done")),
    }
}

#[cfg(test)]
mod tests;
