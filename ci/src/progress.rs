//! How far a run is: a bar with the time left on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use migratrix_matrix::Case;

/// Says how far a run is.
pub struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    spoke: Instant,
    total: usize,
    done: usize,
    failed: usize,
}

/// How often a plain line is written at the most.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

impl Progress {
    /// Begins: `total` cases are to be run.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{bar:30} {pos}/{len} {elapsed} gone, {eta} left {msg}",
            )
            .expect("the template is valid");
            ProgressBar::new(total as u64).with_style(style)
        });
        let began = Instant::now();
        Self {
            bar,
            began,
            spoke: began,
            total,
            done: 0,
            failed: 0,
        }
    }

    /// A case has got its verdict; `trouble` says what is wrong, if anything is.
    pub fn done(&mut self, case: &Case, trouble: Option<&str>) {
        self.done += 1;
        if let Some(trouble) = trouble {
            self.failed += 1;
            self.say(&format!("{case}: {trouble}"));
        }
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(format!("{} not as expected", self.failed));
            }
            None if self.spoke.elapsed() >= PLAIN_EVERY => self.plain(),
            None => {}
        }
    }

    /// Writes a line above the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Ends: takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn plain(&mut self) {
        self.spoke = Instant::now();
        let gone = self.began.elapsed().as_secs();
        let left = gone * (self.total - self.done) as u64 / self.done.max(1) as u64;
        eprintln!(
            "{}/{} cases, {} not as expected, {gone} s gone, about {left} s left",
            self.done, self.total, self.failed
        );
    }
}
