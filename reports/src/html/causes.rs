//! What accounts for the failures: each cause as a button that shows its cases in the list, where the list
//! can be filtered by it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use migratrix_matrix::{Filter, Releases};

use super::{data::Words, query};
use crate::{
    Account, Blame, Judgement, KnownAre, Run, Standing, Study, Trial,
    terminal::{cases, count, sign},
};

/// How many causes are told.
const TOLD: usize = 12;

/// What accounts for a run's failures, and for its known failures where the others are told without them.
pub struct Causes {
    failures: Option<Account>,
    known: Option<Account>,
}

impl Causes {
    /// Those of a run.
    pub fn of(run: &Run) -> Self {
        let known = is_excusing(run).then(|| Study::of_known(run));
        Self {
            failures: Study::of(&[run], &[]).map(|study| study.account()).ok(),
            known: known.and_then(Result::ok).map(|study| study.account()),
        }
    }

    fn accounts(&self) -> impl Iterator<Item = (&Account, Standing)> {
        let failures = self.failures.iter().map(|one| (one, Standing::Failed));
        let known = self.known.iter().map(|one| (one, Standing::KnownFailure));
        failures.chain(known)
    }

    /// Each, with whether it is of failures or of known ones.
    pub fn all(&self) -> impl Iterator<Item = (&Blame, Standing)> {
        self.accounts().flat_map(|(account, standing)| {
            let causes = account.telling().iter();
            causes.map(move |cause| (cause, standing))
        })
    }

    /// The causes of the run's failures and, behind their sign, those of its known failures; nothing where there
    /// is nothing to tell.
    pub fn told(&self, run: &Run) -> Markup {
        let of = match self.all().next() {
            None => return html! {},
            Some((_, Standing::KnownFailure)) => "known failures",
            Some(_) => "failures",
        };
        let releases = Releases::new(run.planned_releases().to_vec()).unwrap_or_default();
        html! {
            section.causes aria-labelledby="why" {
                h2 #why { "What accounts for the " (of) }
                @for (account, standing) in self.accounts() {
                    (list(run, &releases, account, standing))
                }
            }
        }
    }
}

/// Whether known failures are as expected, and there are some.
fn is_excusing(run: &Run) -> bool {
    let known = |one: &Judgement| one.standing() == Standing::KnownFailure;
    run.rules().known == KnownAre::Excused && run.judgements().any(known)
}

fn list(run: &Run, releases: &Releases, account: &Account, standing: Standing) -> Markup {
    let causes = account.telling();
    let told = causes.len().min(TOLD);
    let (more, left) = (causes.len() - told, account.left_over.len());
    let (fail_known, of) = match standing {
        Standing::KnownFailure => (" --fail-known", "known failures"),
        Standing::Failed
        | Standing::FailedAtFirst
        | Standing::UnexpectedPass
        | Standing::Unknown
        | Standing::Passed
        | Standing::Skipped => match run.rules().known {
            KnownAre::Failed => (" --fail-known", "failures"),
            KnownAre::Excused => ("", "failures"),
        },
    };
    html! {
        @if !causes.is_empty() {
            ol { @for cause in &causes[..told] { li {
                @if standing == Standing::KnownFailure { b.known { (sign(standing)) } " " }
                (one(run, releases, cause))
            } } }
            @if more > 0 {
                p.mute { (count(more, "more cause")) ", which migratrix explain" (fail_known) " tells" }
            }
            @if left > 0 { p.mute { (cases(left)) " of the " (of) " in no cause" } }
        }
    }
}

fn one(run: &Run, releases: &Releases, cause: &Blame) -> Markup {
    html! {
        @match choice(run, releases, cause) {
            Some(choice) => a href=(choice) { code { (cause.told()) } },
            None => code { (cause.told()) },
        }
        " " small { (cause.how_many()) }
        @if let Some(reason) = &cause.reason { br; small { (reason) } }
        @if !cause.in_other_words.is_empty() {
            br; small { "the same in other words: " (cause.in_other_words.join(", ")) }
        }
    }
}

/// What a case is: its value of each axis.
type Told = Vec<(String, String)>;

/// The values that are chosen of each axis.
type Choice<'c> = BTreeMap<&'c str, BTreeSet<String>>;

/// The choice of cases that a cause is, for the script; none where no choice is true of the same cases.
fn choice(run: &Run, releases: &Releases, cause: &Blame) -> Option<String> {
    let filter: Filter = cause.filter.parse().ok()?;
    let words = Words::of(run);
    let all: Vec<&Judgement> = run.judgements().collect();
    let is_own = |one: &&Judgement| {
        let setup = Trial::of(one).setup;
        let is_there = cause.setups.is_empty() || cause.setups.contains(&setup);
        let matches = filter.matches(&one.case, releases);
        matches.map(|matches| matches && is_there)
    };
    let own: Vec<bool> = all.iter().map(is_own).collect::<Result<_, _>>().ok()?;
    let of = |one: &&Judgement| words.of_judgement(one);
    let told: Vec<_> = all.iter().map(of).collect();
    let having = told.iter().zip(&own).filter(|(_, own)| **own);
    let chosen = values(cause, having.map(|(words, _)| words));
    let mut cases = told.iter().zip(&own);
    if !cases.all(|(words, own)| is_chosen(&chosen, words) == *own) {
        return None;
    }
    let parts = chosen.iter().map(|(axis, values)| {
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        (*axis, values.join(","))
    });
    let parts: Vec<_> = parts.collect();
    let parts: Vec<_> = parts.iter().map(|(axis, one)| (*axis, &one[..])).collect();
    Some(query(&parts))
}

/// The values that the cases of a cause have, of each axis that it names.
fn values<'c>(cause: &'c Blame, cases: impl Iterator<Item = &'c Told>) -> Choice<'c> {
    let axes = cause.beside.iter().map(|one| one.axis.as_str());
    let mut chosen: Choice<'_> = axes.map(|axis| (axis, BTreeSet::new())).collect();
    for (axis, word) in cases.flatten() {
        if let Some(values) = chosen.get_mut(axis.as_str()) {
            values.insert(word.clone());
        }
    }
    chosen
}

/// Whether a case has one of the values of each axis.
fn is_chosen(chosen: &Choice<'_>, words: &Told) -> bool {
    let among = words.iter().filter(|(axis, word)| {
        let values = chosen.get(axis.as_str());
        values.is_some_and(|values| values.contains(word))
    });
    among.count() == chosen.len()
}
