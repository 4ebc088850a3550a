//! Whether to go on: what a reader of any report is to know first.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::Backend;

use crate::{Exit, HostTrouble, KnownAre, Route, Run, Standing, terminal::count};

/// Whether to go on. It is that of the run's exit code, but for what was never tried: the exit code
/// takes what was skipped as expected, and nobody can go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// All is as expected.
    Go,
    /// All is as expected, known failures among it.
    GoButKnown,
    /// Something failed.
    NoGo,
    /// Something was not seen.
    Open,
    /// Of a part of what was asked for nothing was tried.
    Untried,
}

impl Sign {
    pub fn of(run: &Run) -> Self {
        let known = run.cases().contains_key(&Standing::KnownFailure);
        match (run.exit(), run.rules().known) {
            (Exit::Failed, _) => Self::NoGo,
            (Exit::Unknown, _) => Self::Open,
            (Exit::AsExpected, _) if Reach::of(run).is_some() => Self::Untried,
            (Exit::AsExpected, KnownAre::Excused) if known => Self::GoButKnown,
            (Exit::AsExpected, KnownAre::Excused | KnownAre::Failed) => Self::Go,
        }
    }

    /// The sign, the words, and what they go by: nobody can go by cases that tell nothing of migrations.
    pub const fn words(self, tells: Tells) -> [&'static str; 3] {
        let (go, no_go) = match tells {
            Tells::Migrations => ("Go", "No go"),
            Tells::ReleasesAlone | Tells::Tester | Tells::NoRelease => {
                ("As expected", "Not as expected")
            }
        };
        match self {
            Self::Go => ["✓", go, tells.all_good()],
            Self::GoButKnown => ["~", go, "but for what is known to fail"],
            Self::NoGo => ["✗", no_go, "not all is as expected"],
            Self::Open => ["?", "Open", "something was not seen"],
            Self::Untried => ["?", "Open", "not all was tried"],
        }
    }
}

/// What the cases of a run can tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Whether guests go from releases to others.
    Migrations,
    /// What works on a release alone: nothing migrates.
    ReleasesAlone,
    /// Whether that is seen which was broken on purpose.
    Tester,
    /// Of no release: the hypervisor in memory ran cases.
    NoRelease,
}

impl Tells {
    pub fn of(run: &Run) -> Self {
        if run.all_cases().any(|case| case.backend == Backend::Fake) {
            return Self::NoRelease;
        }
        let mut faults = run.all_cases().map(|case| case.fault.is_some());
        if run.judgements().len() > 0 && faults.all(|one| one) {
            Self::Tester
        } else if run.pairs().is_empty() && !run.alone().is_empty() {
            Self::ReleasesAlone
        } else {
            Self::Migrations
        }
    }

    const fn all_good(self) -> &'static str {
        match self {
            Self::Migrations => "all as expected",
            Self::ReleasesAlone => "nothing migrates",
            Self::Tester => "what was broken was seen",
            Self::NoRelease => "no QEMU ran",
        }
    }
}

impl Run {
    /// What the figures of a run can't tell by what its cases are, in words; nothing where all of them migrate
    /// guests between real QEMUs.
    #[must_use]
    pub fn caveat(&self) -> Option<String> {
        match Tells::of(self) {
            Tells::NoRelease => Some("in memory: no QEMU ran".to_owned()),
            Tells::ReleasesAlone => Some("nothing migrates".to_owned()),
            Tells::Migrations | Tells::Tester => {
                let judged = self.judgements();
                let stay = judged.filter(|one| !one.case.migrates()).count();
                (stay > 0).then(|| format!("nothing migrates in {stay} of them"))
            }
        }
    }
}

/// What a run's verdict goes by beside how its cases stand, each in words: who reads the first sentence of a report
/// is to know why it is what it is.
pub(crate) fn beside_cases(run: &Run) -> Vec<String> {
    let mut all = of_hosts(run);
    if run.rules().known == KnownAre::Failed && run.cases().contains_key(&Standing::KnownFailure) {
        all.push("known failures count as failures".to_owned());
    }
    let told = |number: usize, what: &str, how: &str| {
        (number > 0).then(|| format!("{} {how}", count(number, what)))
    };
    all.extend(told(
        run.missing().count(),
        "planned case",
        "without a verdict",
    ));
    all.extend(told(run.missing_shards().len(), "shard", "missing"));
    all.extend(told(
        run.damage_beside_cases().count(),
        "trouble",
        "with its files",
    ));
    all.extend(
        run.is_under_way()
            .then(|| "it is still under way".to_owned()),
    );
    all
}

/// What happened to hosts: that one died, or keeps what no case can be told to have left.
pub(crate) fn of_hosts(run: &Run) -> Vec<String> {
    let deaths = run.deaths();
    let of = |trouble| deaths.iter().filter(|one| one.trouble == trouble).count();
    let (died, left) = (of(HostTrouble::Died), of(HostTrouble::LeftOver));
    let died = (died > 0).then(|| format!("{} died during the run", count(died, "host")));
    let left = (left > 0).then(|| {
        let left = count(left, "thing");
        format!("{left} left on hosts, and by no case that can be told")
    });
    died.into_iter().chain(left).collect()
}

/// How much of what was asked for was tried, where that is not all of it.
pub(crate) struct Reach {
    tried: usize,
    /// Of how many of the others all cases were skipped.
    skipped: usize,
    all: usize,
    of: &'static str,
}

impl Reach {
    /// Of the pairs of releases, or else of the clients with their pairs: `None` where each of them has
    /// a case that was tried.
    pub fn of(run: &Run) -> Option<Self> {
        let mut routes: BTreeMap<Route<'_>, bool> = BTreeMap::new();
        for case in run.planned() {
            routes.entry(Route::of(case)).or_default();
        }
        for one in run.judgements() {
            let tried = routes.entry(Route::of(&one.case)).or_default();
            *tried |= one.standing() != Standing::Skipped;
        }
        let tried = routes.iter().filter(|(_, tried)| **tried);
        let tried: BTreeSet<_> = tried.map(|(route, _)| pair(route)).collect();
        let judged: BTreeSet<_> = run.judgements().map(|one| Route::of(&one.case)).collect();
        let skipped: BTreeSet<_> = judged.iter().map(pair).collect();
        let all: BTreeSet<_> = routes.keys().map(pair).collect();
        let by_pair = Self {
            tried: tried.len(),
            skipped: skipped.difference(&tried).count(),
            all: all.len(),
            of: kind(&all),
        };
        let by_client = Self {
            tried: routes.values().filter(|tried| **tried).count(),
            skipped: judged.iter().filter(|route| !routes[route]).count(),
            all: routes.len(),
            of: "client's pair",
        };
        let mut both = [by_pair, by_client].into_iter();
        both.find(|one| one.tried < one.all)
    }

    /// It in words: `1 of 16 pairs tried, 15 skipped`.
    pub fn told(&self) -> String {
        let tried = format!("{} of {} tried", self.tried, count(self.all, self.of));
        match self.skipped {
            0 => tried,
            skipped => format!("{tried}, {skipped} skipped"),
        }
    }
}

fn pair<'r>(route: &Route<'r>) -> Route<'r> {
    route.of_nobody()
}

/// What these are: where nothing migrates, no pairs.
fn kind(all: &BTreeSet<Route<'_>>) -> &'static str {
    let migrate = |route: &Route<'_>| route.destination.is_some();
    if all.iter().all(migrate) {
        "pair"
    } else if all.iter().any(migrate) {
        "route"
    } else {
        "release"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, Judgement, Rules, Verdict, judge, markdown, story, terminal};

    const GOOD: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/live";

    fn run(skipped: &[&str], good: &[&str]) -> Run {
        let skip = |name: &&str| Judgement::skipped(name.parse().expect("a case"), "a disk", 0);
        let good = good.iter().map(|name| judge(&story::good(name)));
        Run::new(Vec::new(), skipped.iter().map(skip).chain(good))
    }

    fn passed(name: &str) -> Judgement {
        let mut one = Judgement::skipped(name.parse().expect("a case"), "", 0);
        let conditions = one.conditions.iter_mut();
        conditions.for_each(|(_, verdict)| *verdict = Verdict::Pass);
        one
    }

    const STAYS: &str = "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain";

    #[test]
    fn where_nothing_migrates_there_is_no_go_for_a_pair() {
        let other = STAYS.replace("incremental-simple", "incremental-cancel");
        let run = Run::new(Vec::new(), [passed(STAYS), passed(&other)]);
        assert_eq!(run.exit(), Exit::AsExpected);
        let (_, [text, title]) = told(&run);
        assert!(text.starts_with("2 cases (nothing migrates) in "), "{text}");
        let begin = "## ✓ As expected: 2 cases \\(nothing migrates\\) in ";
        assert!(title.starts_with(begin), "{title}");
        for text in [terminal(&run, Colour::Plain), markdown(&run)] {
            assert!(text.contains("bookworm alone"), "{text}");
            assert!(!text.contains("trixie") && !text.contains("Go"), "{text}");
        }
    }

    #[test]
    fn cases_in_which_nothing_migrates_are_counted_by_themselves_beside_a_pair() {
        let moves = STAYS.replace("stay", "copied-storage");
        let run = Run::new(Vec::new(), [passed(STAYS), passed(&moves)]);
        let (sign, [text, title]) = told(&run);
        assert_eq!(sign, Sign::Go);
        assert!(
            text.starts_with("2 cases (nothing migrates in 1 of them) in "),
            "{text}"
        );
        assert!(title.starts_with("## ✓ Go: 2 cases "), "{title}");
        let text = terminal(&run, Colour::Plain);
        for line in ["bookworm alone", "bookworm → trixie"] {
            let row = text.lines().find(|row| row.starts_with(line));
            assert!(row.is_some_and(|row| row.ends_with("✓ 1/1")), "{text}");
        }
    }

    #[test]
    fn a_release_on_which_all_was_skipped_is_told_as_one_and_not_as_a_pair() {
        let skipped = STAYS.replace("bookworm,trixie", "sid,trixie");
        let skipped = Judgement::skipped(skipped.parse().expect("a case"), "a disk", 0);
        is_open(
            &Run::new(Vec::new(), [passed(STAYS), skipped]),
            "Open: 1 of 2 releases tried, 1 skipped",
        );
    }

    #[test]
    fn in_memory_nothing_is_a_go_ahead_and_faults_are_none_of_a_pair() {
        let memory = GOOD.replace("libvirt", "fake");
        let fault = format!("{}/memory-byte", GOOD.replace("tck", "faults"));
        for (name, caveat) in [(memory, " \\(in memory: no QEMU ran\\)"), (fault, "")] {
            let run = Run::new(Vec::new(), [passed(&name)]);
            let (sign, [_, title]) = told(&run);
            let [_, word, _] = sign.words(Tells::of(&run));
            assert!(["As expected", "Not as expected"].contains(&word), "{word}");
            assert!(
                title.contains(&format!("{word}: 1 case{caveat} in ")),
                "{title}"
            );
        }
    }

    /// The sign, and what page, terminal and Markdown say in their first sentences.
    fn told(run: &Run) -> (Sign, [String; 2]) {
        let text = terminal(run, Colour::Plain);
        let counts = text
            .lines()
            .find(|line| line.contains(" in 0.0 s") || line.contains(" s: "));
        let title = markdown(run).lines().next().map(str::to_owned);
        let all = [counts.map(str::to_owned), title];
        (Sign::of(run), all.map(|one| one.expect("it is there")))
    }

    /// Nothing can be gone by, and all that is said of the run says so.
    fn is_open(run: &Run, said: &str) {
        let (sign, all) = told(run);
        assert_eq!(sign, Sign::Untried);
        for one in all {
            assert!(one.contains(said), "{one}");
        }
    }

    #[test]
    fn a_pair_of_which_all_was_skipped_is_no_go_ahead() {
        let other = GOOD.replace("bookworm,trixie", "trixie,bookworm");
        is_open(
            &run(&[&other], &[GOOD]),
            "Open: 1 of 2 pairs tried, 1 skipped",
        );
    }

    #[test]
    fn a_client_of_which_all_was_skipped_is_no_go_ahead_though_its_pair_was_tried() {
        let other = GOOD.replace("trixie,bookworm", "bookworm,bookworm");
        is_open(
            &run(&[&other], &[GOOD]),
            "Open: 1 of 2 client's pairs tried, 1 skipped",
        );
    }

    #[test]
    fn a_run_of_which_all_was_skipped_is_no_go_ahead_and_its_exit_code_is_as_documented() {
        let run = run(&[GOOD], &[]);
        assert_eq!(run.exit(), Exit::AsExpected);
        is_open(&run, "Open: 0 of 1 pair tried, 1 skipped");
    }

    #[test]
    fn where_each_pair_was_tried_a_case_that_was_skipped_is_as_expected() {
        let other = GOOD.replace("p2p", "normal");
        let (sign, all) = told(&run(&[&other], &[GOOD]));
        assert_eq!(sign, Sign::Go);
        assert!(all[1].starts_with("## ✓ Go: 2 cases"), "{all:?}");
    }

    #[test]
    fn what_was_planned_of_a_pair_and_never_judged_was_not_tried() {
        let planned = vec![GOOD.replace("bookworm", "sid").parse().expect("a case")];
        let run = Run::new(planned, [judge(&story::good(GOOD))]);
        let reach = Reach::of(&run).expect("a pair is left");
        assert_eq!(reach.told(), "1 of 2 pairs tried");
        assert_eq!(Sign::of(&run), Sign::Open);
    }

    #[test]
    fn the_rules_of_a_run_say_where_a_known_failure_stands() {
        let failed = Rules {
            known: KnownAre::Failed,
            ..Rules::default()
        };
        assert_eq!(failed.of_known(), Standing::Failed);
        assert_eq!(Rules::default().of_known(), Standing::KnownFailure);
    }
}
