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
    running: BTreeMap<u64, Case>,
    /// How much time is left, and when that was reckoned.
    left: Option<Left>,
    /// The hosts that were being brought up when that was last told.
    coming: Vec<String>,
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

/// How much time was left at a moment of the run. It grows less by itself: nothing is reckoned anew
/// before another case is done.
#[derive(Clone, Copy, Debug)]
struct Left {
    seconds: f64,
    at: Duration,
}

/// An attempt that runs, and what follows of it: its judgement, and the case beside it.
#[derive(Debug)]
pub struct Ticket(u64);

/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether there is something to show.
pub const TICK: Duration = Duration::from_millis(500);
/// The narrowest terminal that has room for the whole bar, in columns.
const WIDE: u16 = 80;

/// The bar, and what of it fits on a narrow terminal. What follows them is cut to the width.
const BAR: &str = "{bar:8} {pos}/{len} {wide_msg}";
const BAR_ITSELF: usize = 9;
const NARROW: &str = "{pos}/{len} {wide_msg}";
/// What stands beside the bar before anything is known.
const BEGINS: &str = "nothing runs yet";

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
            left: None,
            coming: Vec::new(),
            begun: 0,
        }
    }

    /// An attempt at a case begins.
    pub fn begin(&mut self, case: &Case) -> Ticket {
        self.begun += 1;
        let ticket = Ticket(self.begun);
        self.running.insert(ticket.0, case.clone());
        self.show();
        ticket
    }

    /// An attempt has ended. Its case is what is at work until that is left.
    pub fn end(&mut self) {
        self.count.attempts += 1;
    }

    /// All that follows of an attempt is done.
    pub fn leave(&mut self, ticket: Ticket) {
        self.running.remove(&ticket.0);
    }

    /// A case has got its verdict.
    pub fn done(&mut self) {
        self.count.done += 1;
        self.left = self.count.left(self.began.elapsed());
        self.show();
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
        self.coming = coming.to_vec();
        self.show();
        match &self.bar {
            Some(bar) => bar.tick(),
            None if self.spoke.elapsed() >= PLAIN_EVERY => {
                self.spoke = Instant::now();
                let now = now(coming, &self.running, &Case::to_string);
                let (gone, left) = self.time();
                eprintln!("{}; {now}", self.count.plain(gone, left));
            }
            None => {}
        }
    }

    /// Puts beside the bar what is known now.
    fn show(&self) {
        if let Some(bar) = &self.bar {
            let (_, columns) = console::Term::stderr().size();
            let (gone, left) = self.time();
            let left = left.map(|left| left.replace("about ", "~"));
            bar.set_message(self.message(self.count.room(columns), gone, left));
        }
    }

    /// What fits beside the bar: a case's name is shortened first, then what is unusual is left out, which was
    /// said in a line of its own, and then the time that is left.
    fn message(&self, room: usize, gone: Duration, left: Option<String>) -> String {
        let calm = Count {
            bad: 0,
            ..self.count
        };
        let told = |letters, count: Count, left: &Option<String>| {
            let name = |case: &Case| short(case, letters);
            let now = now(&self.coming, &self.running, &name);
            count.beside_the_cases(gone, left.clone(), &now)
        };
        let forms = [(self.count, &left), (calm, &left), (calm, &None)];
        let letters = || (LEAST..=SHORT).rev();
        let mut all = forms
            .into_iter()
            .flat_map(|(count, left)| letters().map(move |letters| (letters, count, left)))
            .map(|(letters, count, left)| told(letters, count, left));
        let found = all.find(|told| told.chars().count() <= room);
        found.unwrap_or_else(|| told(LEAST, calm, &None))
    }

    /// How much time is gone, and about how much is left.
    fn time(&self) -> (Duration, Option<String>) {
        let gone = self.began.elapsed();
        (gone, self.left.and_then(|left| left.told(gone)))
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
    // The first frame is drawn before anything runs.
    let bar = ProgressBar::new(total as u64).with_message(BEGINS);
    bar.with_style(style)
}

/// What is brought up, or else what runs: the case that was begun first, as `name` calls it, and how many
/// beside it.
fn now(coming: &[String], running: &BTreeMap<u64, Case>, name: &dyn Fn(&Case) -> String) -> String {
    if !coming.is_empty() {
        return format!("bringing up {}", coming.join(", "));
    }
    match (running.values().next(), running.len()) {
        (None, _) => "nothing runs".to_owned(),
        (Some(first), 1) => format!("now {}", name(first)),
        (Some(first), all) => format!("now {} +{}", name(first), all - 1),
    }
}

/// The longest form in which a case is named beside a bar, in characters, and the shortest.
const SHORT: usize = 24;
const LEAST: usize = 8;

/// A case's name without its suite, back end and releases, which most cases of a run share; its middle is
/// left out where it has more than so many letters.
fn short(case: &Case, most: usize) -> String {
    let name = case.to_string();
    let point = name.splitn(4, '/').last().unwrap_or_default();
    let letters: Vec<char> = point.chars().collect();
    let Some(more) = letters.len().checked_sub(most).filter(|more| *more > 0) else {
        return point.to_owned();
    };
    let (start, end) = (most / 2, most / 2 + more + 1);
    let part = |part: &[char]| part.iter().collect::<String>();
    format!("{}…{}", part(&letters[..start]), part(&letters[end..]))
}

impl Left {
    /// About how much is left when so much time is gone; nothing where it should be over.
    fn told(self, gone: Duration) -> Option<String> {
        let since = gone.saturating_sub(self.at).as_secs_f64();
        let left = self.seconds - since;
        (left >= 1.0).then(|| format!("about {} left", seconds(left)))
    }
}

impl Count {
    /// How much room there is beside the bar on a terminal of so many columns.
    fn room(self, columns: u16) -> usize {
        let bar = if columns < WIDE { 0 } else { BAR_ITSELF };
        let digits = self.total.to_string().len();
        let before = bar + 2 * digits + "/ ".len();
        usize::from(columns).saturating_sub(before)
    }

    /// What a bar doesn't say, `now` among it.
    fn beside_the_cases(self, gone: Duration, left: Option<String>, now: &str) -> String {
        let gone = seconds(gone.as_secs_f64());
        let left = left.map_or(String::new(), |left| format!(", {left}"));
        let bad = match self.bad {
            0 => String::new(),
            bad => format!("; {bad} not as expected"),
        };
        let attempts = count(self.attempts, "attempt");
        format!("{attempts}, {gone}{left}; {now}{bad}")
    }

    /// About how much time is left: nobody knows before as many cases are done as run side by side,
    /// since the first of them wait for their hosts.
    fn left(self, gone: Duration) -> Option<Left> {
        let Self { total, done, .. } = self;
        let is_known = (self.side_by_side.max(1)..total).contains(&done);
        is_known.then(|| Left {
            seconds: gone.as_secs_f64() * (total - done) as f64 / done as f64,
            at: gone,
        })
    }

    fn plain(self, gone: Duration, left: Option<String>) -> String {
        let Self {
            total,
            done,
            bad,
            attempts,
            ..
        } = self;
        let left = left.map(|left| format!(", {left}"));
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

    const LONG: &str = "tck/libvirt/bookworm,bookworm,trixie/p2p/persistent-running-undefined/live";

    fn case(name: &str) -> Case {
        name.parse().expect("it is a case")
    }

    #[test]
    fn what_is_brought_up_goes_before_what_runs() {
        let one = case("tck/fake/a,a,b/normal/persistent-paused-defined/none");
        let running = BTreeMap::from([(2, case(LONG)), (1, one)]);
        let coming = ["trixie (source)".to_owned()];
        let told = |coming: &[String], running| now(coming, running, &|case| short(case, SHORT));
        assert_eq!(told(&coming, &running), "bringing up trixie (source)");
        let line = told(&[], &running);
        assert_eq!(line, "now normal/persi…efined/none +1");
        assert_eq!(told(&[], &BTreeMap::new()), "nothing runs");
    }

    #[test]
    fn a_case_is_named_by_the_beginning_and_the_end_of_its_point() {
        for letters in [LEAST, SHORT] {
            assert_eq!(short(&case(LONG), letters).chars().count(), letters);
        }
        let short = short(&case(LONG), SHORT);
        assert!(short.starts_with("p2p/persiste…"), "{short}");
        assert!(short.ends_with("…efined/live"), "{short}");
    }

    #[test]
    fn what_stands_beside_the_bar_fits_and_no_word_of_it_is_cut() {
        let minute = Duration::from_secs(80);
        let message = |(done, bad, attempts), columns: u16| {
            let mut progress = Progress::new(1264, 8);
            progress.running = (0..8).map(|number| (number, case(LONG))).collect();
            progress.count = Count {
                done,
                bad,
                attempts,
                ..progress.count
            };
            let left = Some("~10 min 20 s left".to_owned());
            let room = progress.count.room(columns);
            let told = progress.message(room, minute, left);
            assert!(told.chars().count() <= room, "{told}");
            told
        };
        assert_eq!(
            message((120, 0, 121), 80),
            "121 attempts, 80 s, ~10 min 20 s left; now p2p/per…ed/live +7"
        );
        let told = message((1120, 0, 1121), WIDE);
        assert!(told.ends_with("/live +7"), "{told}");
        let told = message((120, 1, 121), WIDE);
        assert!(told.ends_with(" +7"), "{told}");
        let told = message((120, 1, 121), 120);
        assert!(told.ends_with("/live +7; 1 not as expected"), "{told}");
        let told = message((120, 0, 121), 50);
        assert_eq!(told, "121 attempts, 80 s; now p2p/pe…d/live +7");
    }

    fn told(count: Count, gone: Duration) -> String {
        let left = count.left(gone).and_then(|left| left.told(gone));
        count.plain(gone, left)
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
                told(count, ten),
                format!("{done}/96 cases, 4 attempts, 0 not as expected, 10 s gone")
            );
        }
        count.done = 32;
        let line = told(count, ten);
        assert!(line.ends_with("10 s gone, about 20 s left"), "{line}");
        count.done = 8;
        let line = told(count, ten * 10);
        assert!(
            line.ends_with("1 min 40 s gone, about 18 min 20 s left"),
            "{line}"
        );
    }

    #[test]
    fn the_time_left_grows_less_while_no_case_is_done() {
        let count = Count {
            total: 96,
            done: 48,
            side_by_side: 8,
            ..Count::default()
        };
        let left = count.left(Duration::from_secs(30)).expect("it is known");
        let at = |seconds| left.told(Duration::from_secs(seconds));
        assert_eq!(at(30).as_deref(), Some("about 30 s left"));
        assert_eq!(at(50).as_deref(), Some("about 10 s left"));
        assert_eq!(at(61), None, "nobody knows");
    }

    #[test]
    fn of_a_single_case_there_is_no_time_left_and_one_is_no_plural() {
        let mut count = Count {
            total: 1,
            side_by_side: 1,
            ..Count::default()
        };
        for (done, attempts, words) in [(0, 0, "0 attempts"), (1, 1, "1 attempt")] {
            (count.done, count.attempts) = (done, attempts);
            assert_eq!(
                told(count, Duration::from_secs(10)),
                format!("{done}/1 case, {words}, 0 not as expected, 10 s gone")
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
            progress.end();
            assert_eq!(progress.count.attempts, ended);
            progress.leave(ticket);
        }
        assert!(progress.running.is_empty());
    }

    #[test]
    fn a_case_is_at_work_until_all_that_follows_of_it_is_done() {
        let mut progress = Progress::new(2, 1);
        let ticket = progress.begin(&case(LONG));
        let told = |progress: &Progress| progress.message(80, Duration::ZERO, None);
        progress.end();
        assert!(told(&progress).contains("1 attempt, 0 s; now p2p/"));
        progress.done();
        assert!(
            told(&progress).contains("; now p2p/"),
            "{}",
            told(&progress)
        );
        progress.leave(ticket);
        assert!(told(&progress).contains("; nothing runs"));
    }
}
