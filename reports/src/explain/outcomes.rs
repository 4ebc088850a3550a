//! What came of each case, on hosts that are set up in a way, by all the runs that have it. Where they say several things of it, what came last
//! counts, by the time at which it was tried; of those of one second that of the run that is named last. Where all failures are asked for, the worst
//! counts.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Case, HostSetup};
use serde::Serialize;

use super::{Possible, Trial};
use crate::{Judgement, KnownAre, Run, Standing};

/// How many cases came out in which way. One that was tried on hosts of two setups is two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tried {
    /// How many were tried and came out as failed or passed: known failures that are excused pass.
    pub tried: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many known failures are among those that pass.
    pub excused: usize,
    /// How many failed at first, and not when tried again: they count for nothing.
    pub flaky: usize,
    /// How many of these could not be seen when they were tried again.
    pub unseen_again: usize,
    /// How many could not be seen: they count for nothing.
    pub unknown: usize,
    /// How many were skipped, since a release or the machine lacks what they need: nothing was tried.
    pub skipped: usize,
}

/// Which failures are to be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Those that each run counts as such.
    ByTheRules,
    /// Known ones as well, and those of cases that passed in another run.
    All,
    /// Known ones alone: the others tell of nothing.
    Known,
}

/// What came of a case, as far as that tells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Passed,
    Excused,
    Failed,
}

/// Whether several cases came out otherwise in another run, and each of them fails in the same runs.
pub(super) fn with_the_run(runs: &[&Run], changed: &BTreeSet<&Trial>) -> bool {
    if changed.len() < 2 {
        return false;
    }
    let mut failing: BTreeMap<Trial, BTreeSet<usize>> = BTreeMap::new();
    for (place, run) in runs.iter().enumerate() {
        for judgement in run.judgements() {
            let trial = Trial::of(judgement);
            let standing = judgement.own_standing();
            let fails = [Standing::Failed, Standing::KnownFailure].contains(&standing);
            if fails && changed.contains(&trial) {
                failing.entry(trial).or_default().insert(place);
            }
        }
    }
    let ways: BTreeSet<_> = failing.values().collect();
    ways.len() == 1
}

/// What came of all cases.
pub(super) struct Outcomes<'r>(BTreeMap<Trial, Outcome<'r>>);

/// What came of a case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome<'r> {
    last: Option<(Told, &'r Judgement)>,
    /// How often that came of it.
    times: u32,
    /// How often something else did.
    otherwise: u32,
    flaky: u32,
    unseen_again: u32,
    unknown: u32,
}

impl<'r> Outcomes<'r> {
    /// What came of the cases of some runs.
    pub fn of(runs: &[&'r Run], asked: Asked) -> Self {
        let mut all: BTreeMap<Trial, Outcome<'_>> = BTreeMap::new();
        for run in runs {
            let known = run.rules().known;
            for judgement in run.judgements() {
                let own = all.entry(Trial::of(judgement)).or_default();
                own.take(asked, known, judgement);
            }
        }
        if asked == Asked::All {
            all.values_mut().for_each(Outcome::doubt);
        }
        Self(all)
    }

    /// All cases that a run has a verdict of, skipped ones among them.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.0.keys().map(|one| &one.case)
    }

    pub fn find(&self, trial: &Trial) -> Outcome<'r> {
        self.0.get(trial).copied().unwrap_or_default()
    }

    /// Those that were tried at all.
    pub fn tried(&self) -> impl Iterator<Item = &Trial> {
        let tried = self.0.iter().filter(|(_, one)| one.was_tried());
        tried.map(|(trial, _)| trial)
    }

    /// Those that came out otherwise in another run.
    pub fn changed(&self) -> impl Iterator<Item = &Trial> {
        let changed = self.0.iter().filter(|(_, one)| one.otherwise > 0);
        changed.map(|(trial, _)| trial)
    }

    /// How a case could be tried that no run has. One that failed could be tried on hosts of another setup:
    /// what comes of that tells whether it fails by the setup.
    pub fn others(&self, possible: &Possible) -> Vec<Trial> {
        let all = HostSetup::ALL.map(|setup| Trial {
            case: possible.case.clone(),
            setup,
        });
        let known: Vec<_> = all.iter().filter_map(|one| self.0.get(one)).collect();
        if known.is_empty() {
            possible.usually().into_iter().collect()
        } else if known.iter().any(|one| one.is(Told::Failed)) {
            let trials = possible.trials();
            trials.filter(|one| !self.0.contains_key(one)).collect()
        } else {
            Vec::new()
        }
    }

    pub fn tally(&self) -> Tried {
        let count = |is: fn(&Outcome<'_>) -> bool| self.0.values().filter(|one| is(one)).count();
        Tried {
            tried: count(|one| one.last.is_some()),
            failed: count(|one| one.is(Told::Failed)),
            excused: count(|one| one.is(Told::Excused)),
            flaky: count(|one| one.last.is_none() && one.flaky > 0),
            unseen_again: count(|one| one.last.is_none() && one.unseen_again > 0),
            unknown: count(|one| one.last.is_none() && one.flaky == 0 && one.unknown > 0),
            skipped: self.skipped(),
        }
    }

    /// How many cases were skipped, and not tried on hosts of another setup.
    fn skipped(&self) -> usize {
        let tried: BTreeSet<_> = self.tried().map(|one| &one.case).collect();
        let all: BTreeSet<_> = self.cases().collect();
        all.difference(&tried).count()
    }
}

impl<'r> Outcome<'r> {
    fn take(&mut self, asked: Asked, known: KnownAre, judgement: &'r Judgement) {
        match judgement.standing() {
            Standing::Passed | Standing::UnexpectedPass => {
                self.tell(asked, Told::Passed, judgement)
            }
            Standing::KnownFailure => match (asked, known) {
                (Asked::ByTheRules, KnownAre::Excused) => {
                    self.tell(asked, Told::Excused, judgement)
                }
                (Asked::ByTheRules, KnownAre::Failed) | (Asked::All | Asked::Known, _) => {
                    self.tell(asked, Told::Failed, judgement);
                }
            },
            Standing::Failed if asked == Asked::Known => self.unknown += 1,
            Standing::Failed => self.tell(asked, Told::Failed, judgement),
            Standing::FailedAtFirst => {
                self.flaky += 1;
                let is_unseen = judgement.own_standing() == Standing::Unknown;
                self.unseen_again += u32::from(is_unseen);
            }
            Standing::Unknown => self.unknown += 1,
            Standing::Skipped => {}
        }
    }

    fn tell(&mut self, asked: Asked, told: Told, judgement: &'r Judgement) {
        let failed = |told: Told| told == Told::Failed;
        let Some((before, last)) = self.last else {
            (self.last, self.times) = (Some((told, judgement)), 1);
            return;
        };
        let is_same = failed(before) == failed(told);
        let counts = match asked {
            Asked::All if !is_same => failed(told),
            Asked::All | Asked::ByTheRules | Asked::Known => {
                last.began_unix <= judgement.began_unix
            }
        };
        if is_same {
            self.times += 1;
        } else if counts {
            (self.otherwise, self.times) = (self.otherwise + self.times, 1);
        } else {
            self.otherwise += 1;
        }
        if counts {
            self.last = Some((told, judgement));
        }
    }

    /// Takes in that a pass tells nothing beside a failure that was none when it was tried again.
    fn doubt(&mut self) {
        if self.flaky > 0 && !self.is(Told::Failed) {
            self.otherwise += std::mem::take(&mut self.times);
            self.last = None;
        }
    }

    fn is(&self, told: Told) -> bool {
        self.last.is_some_and(|(last, _)| last == told)
    }

    fn was_tried(&self) -> bool {
        self.last.is_some() || self.flaky + self.unknown > 0
    }

    /// How often it failed, passed, and came out so that it tells nothing.
    pub fn counts(&self) -> [u32; 3] {
        let untold = self.flaky + self.unknown + self.otherwise;
        match self.last {
            Some((Told::Failed, _)) => [self.times, 0, untold],
            Some((Told::Passed | Told::Excused, _)) => [0, self.times, untold],
            None => [0, 0, untold],
        }
    }

    /// What shows the failure, where it is one.
    pub fn failure(&self) -> Option<&'r Judgement> {
        let failed = self.last.filter(|(told, _)| *told == Told::Failed);
        failed.map(|(_, judgement)| judgement)
    }
}
