//! The lines of a qtest connection: a command, its answer, and interrupts between them.
//!
//! One command is under way at a time. A command that was given up leaves its answer behind: the
//! connection is of no use then, and says so.

use std::{borrow::Cow, ops::Range, str};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Ending, error::excerpt};

/// The longest line that is taken, in bytes: well above what a chunk of memory takes.
const LONGEST: usize = 4 << 20;

/// How many interrupts are kept until they are taken.
const MOST_IRQS: usize = 1 << 16;

/// A connection.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    stream: S,
    bytes: Vec<u8>,
    /// How many of the bytes are of lines that were told already.
    told: usize,
    pub(crate) irqs: Vec<Irq>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Ready,
    UnderWay,
    Over(Ending),
}

/// A change of an interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irq {
    /// The line's number.
    pub line: u32,
    /// What it went to.
    pub level: Level,
}

/// The level of an interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `IRQ raise`.
    Raised,
    /// `IRQ lower`.
    Lowered,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    /// A connection over `stream`.
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            told: 0,
            irqs: Vec::new(),
            state: State::Ready,
        }
    }

    /// Sends a command, and gives the answer, or the refusal.
    pub(crate) async fn exchange(
        &mut self,
        command: &str,
    ) -> Result<Result<Cow<'_, str>, String>, Ending> {
        match std::mem::replace(&mut self.state, State::UnderWay) {
            State::Ready => {}
            State::UnderWay => self.state = State::Over(Ending::Dropped),
            State::Over(ending) => self.state = State::Over(ending),
        }
        if let State::Over(ending) = &self.state {
            return Err(ending.clone());
        }
        let answer = self.converse(command).await;
        self.state = answer
            .as_ref()
            .err()
            .map_or(State::Ready, |ending| State::Over(ending.clone()));
        // An answer may be long: it is not copied.
        Ok(match answer? {
            Ok(answer) => Ok(text(&self.bytes[answer])),
            Err(refusal) => Err(text(&self.bytes[refusal]).into_owned()),
        })
    }

    /// Where the answer is in the bytes, or the refusal.
    async fn converse(
        &mut self,
        command: &str,
    ) -> Result<Result<Range<usize>, Range<usize>>, Ending> {
        let failed = |error: std::io::Error| Ending::Failed(error.to_string());
        self.stream
            .write_all(format!("{command}\n").as_bytes())
            .await
            .map_err(failed)?;
        self.stream.flush().await.map_err(failed)?;
        loop {
            let end = self.line().await?;
            let line = &self.bytes[..end];
            let word = memchr::memchr(b' ', line).unwrap_or(end);
            let rest = (word + 1).min(end)..end;
            match &line[..word] {
                b"OK" => return Ok(Ok(rest)),
                b"FAIL" | b"ERR" => return Ok(Err(rest)),
                b"IRQ" => {
                    let irq = read_irq(&text(&line[rest]));
                    self.irqs.push(irq.ok_or_else(|| garbage(line))?);
                }
                _ => return Err(garbage(line)),
            }
            if self.irqs.len() > MOST_IRQS {
                return Err(Ending::Flood(MOST_IRQS));
            }
        }
    }

    /// Where the next line ends; it begins with the first byte.
    async fn line(&mut self) -> Result<usize, Ending> {
        self.bytes.drain(..std::mem::take(&mut self.told));
        let mut looked = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.bytes[looked..]) {
                self.told = looked + end + 1;
                return Ok(self.bytes[..looked + end].trim_ascii_end().len());
            }
            looked = self.bytes.len();
            if looked > LONGEST {
                return Err(Ending::TooLong(LONGEST));
            }
            let read = self.stream.read_buf(&mut self.bytes).await;
            match read {
                Ok(0) if self.bytes.is_empty() => return Err(Ending::Closed),
                Ok(0) => return Err(Ending::Truncated(excerpt(&self.bytes))),
                Ok(_) => {}
                Err(error) => return Err(Ending::Failed(error.to_string())),
            }
        }
    }
}

/// The bytes as text. Nearly all are ASCII, which is seen at once; what is not is looked at one by one.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn garbage(line: &[u8]) -> Ending {
    Ending::Malformed {
        received: excerpt(line),
        why: "it is no answer of qtest".to_owned(),
    }
}

fn read_irq(rest: &str) -> Option<Irq> {
    let (level, line) = rest.split_once(' ')?;
    let level = match level {
        "raise" => Level::Raised,
        "lower" => Level::Lowered,
        _ => return None,
    };
    Some(Irq {
        line: line.parse().ok()?,
        level,
    })
}
