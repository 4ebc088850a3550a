//! What the page tells of a case that is not as expected: its reasons, its timeline, its domain and its
//! QEMU on both sides with what differs, and its logs around the failure.
//!
//! Of very many such cases the page would become too large to open: then those that come first in their
//! groups have all of it, others their reasons, and the rest stand in the list of all cases only.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};
use migratrix_history::{History, Observation, Outcome};
use migratrix_matrix::Case;

use super::{
    Files, class,
    difference::difference,
    excerpt::excerpt,
    files::{history, text},
    link::link,
    timeline::timeline,
};
use crate::{Evidence, Flaw, Group, Judgement, Known, Run, Standing, terminal::sign};

/// How many bytes of the page all that is told of cases may take, and when no more than reasons are told.
const ROOM: usize = 6 << 20;
const ROOM_FOR_ALL: usize = 5 << 20;

/// Files that should be alike, and what they show.
const ALIKE: [(&str, &str, &str); 5] = [
    (
        "source-before.xml",
        "destination-after.xml",
        "the domain: on the source before, and on the destination after",
    ),
    (
        "source-before.xml",
        "source-after.xml",
        "the domain on the source: before, and after",
    ),
    (
        "source-domain.xml",
        "destination-domain.xml",
        "the domain: on the source, and on the destination",
    ),
    (
        "source-domain.xml",
        "source-after-domain.xml",
        "the domain on the source: before, and after",
    ),
    (
        "source-qemu.args",
        "destination-qemu.args",
        "QEMU's command line: on the source, and on the destination",
    ),
];

/// The cases that are told of, by their numbers from 1.
pub struct Articles<'r> {
    /// The number of each, and what is told.
    all: HashMap<&'r Case, (usize, Markup)>,
    /// The number of each case's group, of those as well that nothing is told of.
    groups: HashMap<&'r Case, usize>,
}

impl<'r> Articles<'r> {
    /// What is told of the cases of these groups.
    pub fn of(run: &Run, groups: &[Group<'r>], files: &impl Files) -> Self {
        let numbers = (1..).zip(groups);
        let of_group = |(number, group): (usize, &Group<'r>)| {
            let cases = group.cases.iter();
            cases
                .map(move |one| (&one.case, number))
                .collect::<Vec<_>>()
        };
        let mut articles = Self {
            all: HashMap::new(),
            groups: numbers.flat_map(of_group).collect(),
        };
        let longest = groups
            .iter()
            .map(|group| group.cases.len())
            .max()
            .unwrap_or(0);
        let mut room = 0;
        for place in 0..longest {
            for group in groups {
                let Some(judgement) = group.cases.get(place).filter(|_| room < ROOM) else {
                    continue;
                };
                let markup = if room < ROOM_FOR_ALL {
                    whole(run, judgement, files)
                } else {
                    short(run, judgement, files)
                };
                room += markup.0.len();
                let next = articles.all.len() + 1;
                articles.all.insert(&judgement.case, (next, markup));
            }
        }
        articles
    }

    /// The number of a case's group, and of what is told of it; 0 where there is none.
    pub fn place(&self, case: &Case) -> (usize, usize) {
        let group = self.groups.get(case).copied().unwrap_or(0);
        let article = self.all.get(case).map_or(0, |(number, _)| *number);
        (group, article)
    }

    /// What is told of a case, to be opened.
    pub fn shown(&self, judgement: &Judgement) -> Option<Markup> {
        let (number, markup) = self.all.get(&judgement.case)?;
        let standing = judgement.standing();
        Some(html! {
            details.case id=(format!("case-{number}")) {
                summary {
                    b.(class(standing)) { (sign(standing)) } " " code { (judgement.case) }
                }
                div.body { (markup) }
            }
        })
    }
}

/// Everything.
fn whole(run: &Run, judgement: &Judgement, files: &impl Files) -> Markup {
    let history = history(files, judgement);
    let texts = Texts::of(judgement, files);
    let words = words(judgement, history.as_ref());
    html! {
        (short(run, judgement, files))
        @if let Some(history) = &history { h4 { "Timeline" } (timeline(history)) }
        (texts.differences())
        (texts.logs(&words))
    }
}

/// The reasons, and where everything else is.
fn short(run: &Run, judgement: &Judgement, files: &impl Files) -> Markup {
    let way = |file: &str| files.way(judgement, file);
    html! {
        (reasons(judgement))
        @if let Some(said) = judgement.said() { p.said { (said) } }
        @for why in known(judgement) { p { b.known { (sign(Standing::KnownFailure)) } " known: " (why) } }
        p { "Run it again: " code.again { (run.again(&judgement.case)) } }
        @if let Some(one) = &judgement.attribution {
            p { (one) @if let Some(log) = &one.log { " (" (link(&way(log), "history")) ")" } }
        }
        ul.files {
            @if let Some(log) = &judgement.log { li { (link(&way(log), "history")) } }
            @for one in &judgement.evidence { li { (link(&way(&one.file), &one.shows)) } }
        }
    }
}

fn reasons(judgement: &Judgement) -> Markup {
    html! {
        @if !judgement.flaws.is_empty() {
            ul.flaws {
                @for Flaw { attempt, condition, why } in &judgement.flaws {
                    li {
                        "attempt " (attempt) ": "
                        @if let Some(condition) = condition { code { (condition) } " " }
                        (why)
                    }
                }
            }
        }
        ul.reasons {
            @for (condition, verdict) in judgement.troubles() {
                @let standing = judgement.own_standing_of(condition);
                li {
                    b.(class(standing)) { (sign(standing)) } " " code { (condition) } " "
                    (verdict.kind().word()) ": " (verdict.why())
                    @if standing == Standing::KnownFailure { " (known)" }
                }
            }
        }
    }
}

/// What is known of the failures that came, each once.
fn known(judgement: &Judgement) -> BTreeSet<&str> {
    let came = |one: &&Known| judgement.own_standing_of(one.condition) == Standing::KnownFailure;
    let known = judgement
        .known
        .iter()
        .filter(|one| !one.expired)
        .filter(came);
    known.map(|one| one.reason.as_str()).collect()
}

/// What was said where the attempt went wrong: by it the place in a log is found.
fn words(judgement: &Judgement, history: Option<&History>) -> Vec<String> {
    let refused = history.iter().flat_map(|history| &history.entries);
    let refused = refused.filter_map(|entry| {
        let Observation::Ended {
            outcome: Outcome::Refused(refusal),
            ..
        } = &entry.saw
        else {
            return None;
        };
        Some(refusal.message.clone())
    });
    let said = judgement.evidence.iter().filter_map(|one| one.said.clone());
    said.chain(refused.take(1))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The files of evidence that can be looked into.
struct Texts<'j>(Vec<(&'j Evidence, String)>);

impl<'j> Texts<'j> {
    fn of(judgement: &'j Judgement, files: &impl Files) -> Self {
        let is_shown = |one: &&Evidence| {
            let name = name(one);
            let is_compared = ALIKE
                .iter()
                .any(|(old, new, _)| [*old, *new].contains(&name));
            is_compared || name.ends_with(".log")
        };
        let all = judgement.evidence.iter().filter(is_shown);
        Self(
            all.filter_map(|one| Some((one, text(files, judgement, &one.file)?)))
                .collect(),
        )
    }

    /// The first file of that name: that of the case itself, and not of QEMU alone.
    fn find(&self, name: &str) -> Option<&(&'j Evidence, String)> {
        self.0.iter().find(|(one, _)| self::name(one) == name)
    }

    /// What should be alike, with what differs; a text without its counterpart as it is.
    fn differences(&self) -> Markup {
        html! {
            @for (old, new, shows) in ALIKE {
                @if let (Some((_, old)), Some((_, new))) = (self.find(old), self.find(new)) {
                    details.part {
                        summary { (shows) }
                        @match difference(old, new) {
                            Some(differs) => (differs),
                            None => p.mute { "no difference" },
                        }
                    }
                }
            }
            @for (one, text) in &self.0 {
                @if self.is_alone(name(one)) {
                    details.part { summary { (one.shows) } pre tabindex="0" { (text) } }
                }
            }
        }
    }

    /// Whether it is one of what should be alike, and is compared with nothing.
    fn is_alone(&self, name: &str) -> bool {
        let mut pairs = ALIKE
            .iter()
            .filter(|(old, new, _)| [old, new].contains(&&name))
            .peekable();
        let is_one = pairs.peek().is_some();
        is_one && pairs.all(|(old, new, _)| self.find(old).is_none() || self.find(new).is_none())
    }

    fn logs(&self, words: &[String]) -> Markup {
        let logs = self.0.iter().filter(|(one, _)| one.file.ends_with(".log"));
        html! {
            @for (one, text) in logs {
                details.part { summary { (one.shows) } (excerpt(text, words)) }
            }
        }
    }
}

fn name(evidence: &Evidence) -> &str {
    evidence.file.rsplit('/').next().unwrap_or(&evidence.file)
}
