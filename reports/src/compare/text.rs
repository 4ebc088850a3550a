//! A comparison for a terminal or a log.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use super::{Change, Class, Comparison, Outcome, Side, State, versions};
use crate::{
    Colour,
    printable::{printable, within_line},
    terminal::{cases, count},
};

/// How many cases of a group are named.
const EXAMPLES: usize = 3;

/// The whole comparison: what moved, what is of each class, the counts, and whether it is slower.
#[must_use]
pub fn comparison_text(comparison: &Comparison, colour: Colour) -> String {
    let mut lines = head(comparison);
    // The worst is the last that is read.
    for class in Class::ALL.into_iter().rev() {
        for group in groups(comparison, class) {
            lines.push(String::new());
            lines.extend(explained(class, &group, colour));
        }
    }
    lines.push(String::new());
    if comparison.is_hollow() || comparison.number(Class::Gone) > 0 {
        lines.push(comparison.verdict());
    }
    lines.push(counts(comparison, colour));
    lines.extend(comparison.times.as_ref().map(super::Times::told));
    lines.join("\n") + "\n"
}

fn head(comparison: &Comparison) -> Vec<String> {
    let Comparison { old, new, .. } = comparison;
    let mut lines = vec![side("OLD", old), side("NEW", new)];
    lines.extend(troubles(comparison));
    lines.extend(moves(comparison));
    lines
}

/// What moved, or that nothing did.
pub(crate) fn moves(comparison: &Comparison) -> Vec<String> {
    let lines = versions::lines(&comparison.versions);
    if lines.is_empty() {
        return vec!["the versions of libvirt and QEMU are the same on both sides".to_owned()];
    }
    lines
}

fn side(name: &str, side: &Side) -> String {
    let (runs, cases) = (within_line(&side.runs.join(", ")), cases(side.cases));
    format!("{name}: {runs} ({cases})")
}

/// What of either side can't be believed, or is not there.
pub(crate) fn troubles(comparison: &Comparison) -> Vec<String> {
    let sides = [("OLD", &comparison.old), ("NEW", &comparison.new)];
    let of = |(name, side): (&str, &Side)| {
        let shards = side.missing_shards.iter();
        let shards = shards.map(|one| format!("{name}: the shard {one} is missing"));
        let more = side.damaged.len().saturating_sub(EXAMPLES);
        let more = (more > 0).then(|| format!("{name}: and {}", count(more, "more trouble")));
        let damaged = side.damaged.iter().take(EXAMPLES);
        let damaged = damaged.map(|one| format!("{name}: {}", within_line(one)));
        shards.chain(damaged).chain(more).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(of).collect()
}

/// Cases of one class for one reason, the largest first.
pub(crate) fn groups(comparison: &Comparison, class: Class) -> Vec<Vec<&Change>> {
    let mut all: BTreeMap<_, Vec<&Change>> = BTreeMap::new();
    for change in comparison.of(class) {
        let key = telling(change).map(|one| (one.state, one.condition, &one.gist));
        all.entry(key).or_default().push(change);
    }
    let mut groups: Vec<_> = all.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

/// The side that says why a case is where it is.
pub(crate) fn telling(change: &Change) -> Option<&Outcome> {
    let (old, new) = (change.old.as_ref(), change.new.as_ref());
    match change.class {
        Class::Mended | Class::Gone => old,
        // What one side has seen of it is all that is told.
        Class::Flaky => [new, old]
            .into_iter()
            .flatten()
            .find(|one| one.state == State::Flaky),
        Class::Broke
        | Class::Unseen
        | Class::StillFailing
        | Class::Known
        | Class::New
        | Class::Passing
        | Class::NotSeen => new,
    }
}

fn explained(class: Class, group: &[&Change], colour: Colour) -> Vec<String> {
    let telling = group.first().and_then(|one| telling(one));
    let mut lines = vec![title(class, group.len(), telling, colour)];
    let why = telling.map(|one| &one.why).filter(|why| !why.is_empty());
    lines.extend(why.map(|why| format!("  {}", printable(why))));
    for change in group.iter().take(EXAMPLES) {
        lines.push(format!("  {}", change.case));
        lines.extend(beside(change));
    }
    let more = group.len().saturating_sub(EXAMPLES);
    if more > 0 {
        lines.push(format!("  and {} more", cases(more)));
    }
    lines
}

fn title(class: Class, number: usize, telling: Option<&Outcome>, colour: Colour) -> String {
    let condition = telling.and_then(|one| one.condition);
    let condition = condition.map_or(String::new(), |one| format!("{one}, "));
    let (sign, words) = (sign(class), class.words());
    let state = match (class, telling) {
        (Class::New, Some(one)) => format!(" and {}", state_words(one.state)),
        _ => String::new(),
    };
    let title = format!("{sign} {words}{state}: {condition}{}", cases(number));
    paint(&title, class, colour)
}

/// What a case was before, and how it is run again, where that is asked for.
fn beside(change: &Change) -> Vec<String> {
    let is_asked = matches!(change.class, Class::Broke | Class::Unseen | Class::Flaky);
    let Some(new) = change.new.as_ref().filter(|_| is_asked) else {
        return Vec::new();
    };
    let old = change.old.as_ref();
    let was = old.map(|old| format!("    before: {}", state_words(old.state)));
    let again = Some(format!("    {}", new.again));
    let history = new.history.as_ref();
    let history = history.map(|file| format!("    history: {}", within_line(file)));
    [was, again, history].into_iter().flatten().collect()
}

/// The words for what came of a case.
pub(crate) const fn state_words(state: State) -> &'static str {
    match state {
        State::Passed => "passing",
        State::Known => "failing as is known",
        State::Failed => "failing",
        State::Flaky => "flaky",
        State::Unseen => "not seen",
    }
}

pub(crate) const fn sign(class: Class) -> &'static str {
    match class {
        Class::Broke => "✗",
        Class::Unseen | Class::NotSeen => "?",
        Class::Flaky => "±",
        Class::StillFailing => "=",
        Class::Known => "~",
        Class::New => "+",
        Class::Gone => "-",
        Class::Mended | Class::Passing => "✓",
    }
}

fn counts(comparison: &Comparison, colour: Colour) -> String {
    let all: usize = comparison.counts.values().sum();
    let told = comparison
        .counts
        .iter()
        .map(|(class, count)| paint(&format!("{count} {}", class.words()), *class, colour));
    let told: Vec<_> = told.collect();
    format!("{}: {}", cases(all), told.join(", "))
}

fn paint(text: &str, class: Class, colour: Colour) -> String {
    let hue = match class {
        Class::Broke | Class::StillFailing => AnsiColor::Red,
        Class::Unseen | Class::Flaky => AnsiColor::Yellow,
        Class::Known | Class::New => AnsiColor::Blue,
        Class::Gone | Class::NotSeen => AnsiColor::Cyan,
        Class::Mended | Class::Passing => AnsiColor::Green,
    };
    let style = match colour {
        Colour::Ansi => hue.on_default(),
        Colour::Plain => Style::new(),
    };
    format!("{style}{text}{style:#}")
}
