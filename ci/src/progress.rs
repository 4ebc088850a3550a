//! How far a run is: a bar on a terminal, plain lines elsewhere; both go on by time.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use migratrix_matrix::Case;

use crate::{log, say::count};

/// Says how far a run is.
pub struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    spoke: Instant,
    count: Count,
    /// What runs now, the first begun first.
    running: BTreeMap<u64, String>,
    /// The attempts that were begun.
    begun: u64,
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
    /// The attempts that have ended.
    attempts: usize,
    /// How many cases run side by side.
    side_by_side: usize,
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
const BAR: &str = "{bar:20} {pos}/{len} {elapsed} gone, {wide_msg}";
const NARROW: &str = "{pos}/{len} {wide_msg}";

impl Progress {
    /// Begins: `total` cases are to be run, so many side by side.
    #[must_use]
    pub fn new(total: usize, side_by_side: usize) -> Self {
        let terminal = stderr().is_terminal();
        let began = Instant::now();
        Self {
            bar: terminal.then(|| bar(total)).inspect(log::beside),
            began,
            spoke: began,
            count: Count {
                total,
                side_by_side,
                ..Count::default()
            },
            running: BTreeMap::new(),
            begun: 0,
        }
    }

    /// An attempt at a case begins.
    pub fn begin(&mut self, case: &Case) -> Ticket {
        self.begun += 1;
        let ticket = Ticket(self.begun);
        self.running.insert(ticket.0, case.to_string());
        ticket
    }

    /// An attempt has ended.
    pub fn end(&mut self, ticket: Ticket) {
        self.running.remove(&ticket.0);
        self.count.attempts += 1;
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
                let told = self.count.beside_the_cases(self.began.elapsed());
                bar.set_message(format!("{told} {now}"));
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
    fn beside_the_cases(self, gone: Duration) -> String {
        let left = self.left(gone).map(|left| format!(", {left}"));
        let attempts = count(self.attempts, "attempt");
        let bad = self.bad;
        format!(
            "{attempts}, {bad} not as expected{};",
            left.unwrap_or_default()
        )
    }

    /// About how much time is left: nobody knows before as many cases are done as run side by side,
    /// since the first of them wait for their hosts.
    fn left(self, gone: Duration) -> Option<String> {
        let Self { total, done, .. } = self;
        let is_known = (self.side_by_side.max(1)..total).contains(&done);
        let left = gone.as_secs_f64() * (total - done) as f64 / done as f64;
        (is_known && left >= 1.0).then(|| format!("about {} left", seconds(left)))
    }

    fn plain(self, gone: Duration) -> String {
        let Self {
            total,
            done,
            bad,
            attempts,
            ..
        } = self;
        let left = self.left(gone).map(|left| format!(", {left}"));
        format!(
            "{done}/{}, {}, {bad} not as expected, {} gone{}",
            count(total, "case"),
            count(attempts, "attempt"),
            seconds(gone.as_secs_f64()),
            left.unwrap_or_default()
        )
    }
}

/// A time for people, in whole seconds.
fn seconds(seconds: f64) -> String {
    match seconds.round() as u64 {
        whole @ 0..=99 => format!("{whole} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
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
    fn no_time_left_is_told_before_as_many_cases_are_done_as_run_side_by_side() {
        let mut count = Count {
            total: 96,
            attempts: 4,
            side_by_side: 8,
            ..Count::default()
        };
        let ten = Duration::from_secs(10);
        for done in [0, 7] {
            count.done = done;
            assert_eq!(
                count.plain(ten),
                format!("{done}/96 cases, 4 attempts, 0 not as expected, 10 s gone")
            );
        }
        assert_eq!(
            count.beside_the_cases(ten),
            "4 attempts, 0 not as expected;"
        );
        count.done = 32;
        let line = count.plain(ten);
        assert!(line.ends_with("10 s gone, about 20 s left"), "{line}");
        let bar = count.beside_the_cases(ten);
        assert_eq!(bar, "4 attempts, 0 not as expected, about 20 s left;");
        count.done = 8;
        let line = count.plain(ten * 10);
        assert!(
            line.ends_with("1 min 40 s gone, about 18 min 20 s left"),
            "{line}"
        );
    }

    #[test]
    fn of_a_single_case_there_is_no_time_left_and_one_is_no_plural() {
        let mut count = Count {
            total: 1,
            side_by_side: 1,
            ..Count::default()
        };
        for (done, attempts, told) in [(0, 0, "0 attempts"), (1, 1, "1 attempt")] {
            (count.done, count.attempts) = (done, attempts);
            assert_eq!(
                count.plain(Duration::from_secs(10)),
                format!("{done}/1 case, {told}, 0 not as expected, 10 s gone")
            );
        }
    }

    #[test]
    fn an_attempt_counts_when_it_has_ended() {
        let mut progress = Progress::new(2, 2);
        let case = "tck/fake/trixie,trixie,trixie/p2p/persistent-running-undefined/none";
        let case: Case = case.parse().expect("it is a case");
        let tickets = [progress.begin(&case), progress.begin(&case)];
        assert_eq!(progress.count.attempts, 0);
        for (ended, ticket) in (1..).zip(tickets) {
            progress.end(ticket);
            assert_eq!(progress.count.attempts, ended);
        }
    }
}
