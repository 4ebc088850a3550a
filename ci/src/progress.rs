//! How far a run is: a bar on a terminal, plain lines elsewhere; both go on by time.

use std::{
    collections::BTreeMap,
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
    count: Count,
    /// What runs now, the first begun first.
    running: BTreeMap<u64, String>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// The cases that are to be run.
    total: usize,
    /// Those that have their verdict.
    done: usize,
    /// Those that are not as expected.
    bad: usize,
    /// The attempts that were begun.
    attempts: u64,
}

/// An attempt that runs, as long as its end is not told.
#[derive(Debug)]
pub struct Ticket(u64);

/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether there is something to show.
pub const TICK: Duration = Duration::from_millis(500);
/// The narrowest terminal that has room for the whole bar, in columns.
const WIDE: u16 = 80;

/// The bar, and what of it fits on a narrow terminal. What follows them is cut to the width.
const BAR: &str = "{bar:20} {pos}/{len} {elapsed} gone, {eta} left {wide_msg}";
const NARROW: &str = "{pos}/{len} {wide_msg}";

impl Progress {
    /// Begins: `total` cases are to be run.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let terminal = stderr().is_terminal();
        let began = Instant::now();
        Self {
            bar: terminal.then(|| bar(total)),
            began,
            spoke: began,
            count: Count {
                total,
                ..Count::default()
            },
            running: BTreeMap::new(),
        }
    }

    /// An attempt at a case begins.
    pub fn begin(&mut self, case: &Case) -> Ticket {
        self.count.attempts += 1;
        let ticket = Ticket(self.count.attempts);
        self.running.insert(ticket.0, case.to_string());
        ticket
    }

    /// An attempt has ended.
    pub fn end(&mut self, ticket: Ticket) {
        self.running.remove(&ticket.0);
    }

    /// A case has got its verdict.
    pub fn done(&mut self) {
        self.count.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A case has got its verdict, and is not as expected.
    pub fn done_badly(&mut self) {
        self.count.bad += 1;
        self.done();
    }

    /// Shows where things stand: `coming` are the hosts that are being brought up.
    pub fn tick(&mut self, coming: &[String]) {
        let now = now(coming, &self.running);
        match &self.bar {
            Some(bar) => {
                bar.set_message(format!("{} {now}", self.count.beside_the_cases()));
                bar.tick();
            }
            None if self.spoke.elapsed() >= PLAIN_EVERY => {
                self.spoke = Instant::now();
                eprintln!("{}; {now}", self.count.plain(self.began.elapsed()));
            }
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
    pub fn close(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let (_, columns) = console::Term::stderr().size();
    let template = if columns < WIDE { NARROW } else { BAR };
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    ProgressBar::new(total as u64).with_style(style)
}

/// What is brought up, or else what runs: the case that was begun first, and how many beside it.
fn now(coming: &[String], running: &BTreeMap<u64, String>) -> String {
    if !coming.is_empty() {
        return format!("bringing up {}", coming.join(", "));
    }
    match (running.values().next(), running.len()) {
        (None, _) => "nothing runs".to_owned(),
        (Some(first), 1) => format!("now {first}"),
        (Some(first), all) => format!("now {first} and {} more", all - 1),
    }
}

impl Count {
    /// What a bar doesn't say.
    fn beside_the_cases(self) -> String {
        let Self { bad, attempts, .. } = self;
        format!("{attempts} attempts, {bad} not as expected;")
    }

    fn plain(self, gone: Duration) -> String {
        let Self {
            total,
            done,
            bad,
            attempts,
        } = self;
        let gone = gone.as_secs();
        let left = match done {
            0 => "the time left is not known yet".to_owned(),
            _ => format!(
                "about {} s left",
                gone * (total - done) as u64 / done as u64
            ),
        };
        format!(
            "{done}/{total} cases, {attempts} attempts, {bad} not as expected, {gone} s gone, {left}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_brought_up_goes_before_what_runs() {
        let running = BTreeMap::from([(2, "b".to_owned()), (1, "a".to_owned())]);
        let coming = ["trixie (source)".to_owned()];
        assert_eq!(now(&coming, &running), "bringing up trixie (source)");
        assert_eq!(now(&[], &running), "now a and 1 more");
        assert_eq!(now(&[], &BTreeMap::new()), "nothing runs");
    }

    #[test]
    fn a_plain_line_counts_attempts_and_gives_no_time_that_it_does_not_know() {
        let mut count = Count {
            total: 96,
            attempts: 4,
            ..Count::default()
        };
        assert_eq!(
            count.plain(Duration::from_secs(10)),
            "0/96 cases, 4 attempts, 0 not as expected, 10 s gone, the time left is not known yet"
        );
        count.done = 32;
        let line = count.plain(Duration::from_secs(10));
        assert!(line.ends_with("10 s gone, about 20 s left"), "{line}");
    }
}
