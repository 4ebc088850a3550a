//! The task that reads and writes a QMP connection, and what it has seen.
//!
//! Messages are taken as soon as they come, whether somebody waits or not: so an event's time of
//! arrival is true, and QEMU never waits for us to read.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{frame::Framer, message::Message};
use crate::{Answer, Deadline, Ending, Event, Greeting, QemuError, error::excerpt};

/// How many events are kept. A guest that is migrated causes some hundreds.
const MOST_EVENTS: usize = 1 << 16;

/// How many bytes are read at a time.
const PIECE: usize = 1 << 16;

/// What a connection has seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) greeting: Option<Greeting>,
    pub(crate) events: Vec<Event>,
    /// By the command's id.
    questions: BTreeMap<u64, Question>,
    last_id: u64,
    ending: Option<Ending>,
}

/// A command that was sent.
#[derive(Debug)]
struct Question {
    command: String,
    sent: tokio::time::Instant,
    /// `None` until it is there.
    answer: Option<Answer>,
}

/// What was seen, and the news that there is more of it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    seen: Mutex<Seen>,
    more: Notify,
}

/// A connection that is read and written by a task of its own, until this is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    log: Arc<Log>,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to read `stream`.
    pub(crate) fn new<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S) -> Self {
        let log = Arc::<Log>::default();
        let (outbox, letters) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(stream, Arc::clone(&log), letters));
        Self { log, outbox, task }
    }

    /// What has been seen.
    pub(crate) const fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Sends the command of this name that `compose` makes with a new id.
    pub(crate) fn send(&self, command: &str, compose: impl FnOnce(u64) -> Vec<u8>) -> u64 {
        let mut seen = self.log.lock();
        seen.last_id += 1;
        let id = seen.last_id;
        let question = Question {
            command: command.to_owned(),
            sent: tokio::time::Instant::now(),
            answer: None,
        };
        seen.questions.insert(id, question);
        // Where the task has ended, whoever awaits the answer hears why.
        drop(self.outbox.send(compose(id)));
        id
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
        self.log.end(Ending::Dropped);
    }
}

impl Seen {
    /// The answer to the command `id`, once.
    pub(crate) fn take_answer(&mut self, id: u64) -> Option<Answer> {
        let answer = self.questions.get_mut(&id)?.answer.take()?;
        self.questions.remove(&id);
        Some(answer)
    }

    /// The command that has waited longest for its answer, whether somebody still awaits it or not, and for
    /// how long.
    pub(crate) fn unanswered(&self) -> Option<(String, Duration)> {
        let all = self.questions.values();
        let first = all
            .filter(|one| one.answer.is_none())
            .map(|one| (one.sent, &one.command));
        let (sent, command) = first.min()?;
        Some((command.clone(), sent.elapsed()))
    }

    fn take(&mut self, message: Message, bytes: &[u8]) -> Result<(), Ending> {
        match message {
            Message::Greeting(greeting) if self.greeting.is_none() => {
                self.greeting = Some(greeting);
            }
            Message::Greeting(_) => return Err(unasked(bytes)),
            Message::Event(_) if self.events.len() == MOST_EVENTS => {
                return Err(Ending::Flood(MOST_EVENTS));
            }
            Message::Event(event) => self.events.push(event),
            Message::Answer(id, answer) => match self.questions.get_mut(&id) {
                Some(question) if question.answer.is_none() => question.answer = Some(answer),
                Some(_) | None => return Err(unasked(bytes)),
            },
        }
        Ok(())
    }
}

impl Log {
    /// Waits until `look` finds what it looks for.
    pub(crate) async fn find<T>(
        &self,
        awaited: impl Fn() -> String,
        deadline: Deadline,
        mut look: impl FnMut(&mut Seen) -> Option<T>,
    ) -> Result<T, QemuError> {
        let found = async {
            loop {
                // Made before the look, so that nothing that comes after it is missed.
                let more = self.more.notified();
                if let Some(found) = self.look(&mut look) {
                    return found;
                }
                more.await;
            }
        };
        match tokio::time::timeout_at(deadline.at(), found).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(ending)) => Err(QemuError::Disconnected {
                awaited: awaited(),
                ending,
            }),
            Err(_) => Err(QemuError::TimedOut {
                awaited: awaited(),
                deadline,
            }),
        }
    }

    /// What `look` finds now; what came before the end is found after it too.
    fn look<T>(&self, look: impl FnOnce(&mut Seen) -> Option<T>) -> Option<Result<T, Ending>> {
        let mut seen = self.lock();
        match look(&mut seen) {
            Some(found) => Some(Ok(found)),
            None => seen.ending.clone().map(Err),
        }
    }

    /// What has been seen.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.more.notify_waiters();
    }
}

async fn serve<S: AsyncRead + AsyncWrite>(
    stream: S,
    log: Arc<Log>,
    letters: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    let (reader, writer) = tokio::io::split(stream);
    let ending = tokio::select! {
        ending = listen(reader, &log) => ending,
        never = speak(writer, letters) => match never {},
    };
    log.end(ending);
}

async fn listen<S: AsyncRead>(mut reader: ReadHalf<S>, log: &Log) -> Ending {
    let mut framer = Framer::default();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece).await {
            Ok(0) => return framer.ending(),
            Ok(length) => {
                framer.push(&piece[..length]);
                if let Err(ending) = take_all(&mut framer, log) {
                    return ending;
                }
            }
            Err(error) => return Ending::Failed(error.to_string()),
        }
    }
}

fn take_all(framer: &mut Framer, log: &Log) -> Result<(), Ending> {
    let arrived = Instant::now();
    while let Some(bytes) = framer.next()? {
        let message = Message::read(bytes, arrived)?;
        log.lock().take(message, bytes)?;
        log.more.notify_waiters();
    }
    Ok(())
}

/// Writes what is to be sent. Where that fails, what QEMU said last is still to be read, and then
/// its end: so the reader ends the connection and never the writer.
async fn speak<S: AsyncWrite>(
    mut writer: WriteHalf<S>,
    mut letters: mpsc::UnboundedReceiver<Vec<u8>>,
) -> Infallible {
    while let Some(letter) = letters.recv().await {
        if writer.write_all(&letter).await.is_err() || writer.flush().await.is_err() {
            break;
        }
    }
    std::future::pending().await
}

fn unasked(bytes: &[u8]) -> Ending {
    Ending::Unsolicited(excerpt(bytes))
}
