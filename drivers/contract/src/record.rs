//! The pen that a driver writes a history with.

use std::{
    io::{self, BufWriter, Write},
    time::{Duration, Instant},
};

use migratrix_history::{Document, Entry, Header, History, Lines, Observation, Seal, Side, When};

/// For how long what was recorded may wait to be written when more is recorded.
const WAITS: Duration = Duration::from_millis(100);

/// Keeps the entries of one attempt, and writes them to its file: all that was before a step is there when
/// that begins, and all of it when the recorder is dropped.
pub struct Recorder {
    began: Instant,
    history: History,
    file: Option<BufWriter<Box<dyn Write + Send>>>,
    /// What was written comes to this.
    seal: Seal,
    /// When all that was recorded until then was written.
    written: Instant,
    broken: Option<io::Error>,
    /// The lines of documents that were told.
    lines: Lines,
}

impl Recorder {
    /// A recorder that begins now, and writes to `file` if there is one.
    #[must_use]
    pub fn new(header: Header, file: Option<Box<dyn Write + Send>>) -> Self {
        let now = Instant::now();
        let mut recorder = Self {
            began: now,
            history: History {
                header,
                entries: Vec::new(),
            },
            file: file.map(BufWriter::new),
            seal: Seal::default(),
            written: now,
            broken: None,
            lines: Lines::default(),
        };
        let line = recorder.history.header.to_line();
        recorder.write(&line);
        recorder.flush();
        recorder
    }

    /// Records what was seen just now.
    pub fn saw(&mut self, saw: Observation) {
        self.saw_at(Instant::now(), saw);
    }

    /// Records what was seen at `instant`. Entries are kept in the order in which they are told.
    pub fn saw_at(&mut self, instant: Instant, saw: Observation) {
        let at_us = self.at_us(instant);
        let entry = Entry { at_us, saw };
        let line = entry.to_line();
        self.write(&line);
        let begins = matches!(entry.saw, Observation::Began { .. });
        if begins || self.written.elapsed() >= WAITS {
            self.flush();
        }
        self.history.entries.push(entry);
    }

    /// Records a document that a host has just given of the domain.
    pub fn describe(&mut self, side: Side, when: When, of: Document, text: &str) {
        let text = self.lines.tell(text);
        self.saw(Observation::Description {
            side,
            when,
            of,
            text,
        });
    }

    /// Lets time pass in no time, for a back end whose guests are no more than a model of one.
    pub fn pass(&mut self, time: Duration) {
        self.began = self.began.checked_sub(time).unwrap_or(self.began);
    }

    /// Microseconds from when the case began until `instant`: the time that an entry of then has.
    #[must_use]
    pub fn at_us(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn so_far(&self) -> &History {
        &self.history
    }

    /// Closes the file and gives the history.
    ///
    /// # Errors
    /// Returns the first error of writing the file.
    pub fn finish(mut self) -> io::Result<History> {
        let end = self.seal.end_line();
        self.write(&end);
        self.flush();
        self.broken.map_or(Ok(self.history), Err)
    }

    fn write(&mut self, line: &str) {
        if let (Some(file), None) = (&mut self.file, &self.broken) {
            self.seal.add(line);
            let written = file.write_all(line.as_bytes());
            self.broken = written.and_then(|()| file.write_all(b"\n")).err();
        }
    }

    fn flush(&mut self) {
        self.written = Instant::now();
        if let (Some(file), None) = (&mut self.file, &self.broken) {
            self.broken = file.flush().err();
        }
    }
}
