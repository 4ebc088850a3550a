//! A comparison in Markdown, for a merge request or the summary of a job.

use super::{
    Class, Comparison,
    text::{groups, moves, sign, telling, troubles},
};
use crate::{
    markdown::{REASON, code, plain},
    printable::shortened,
    terminal::{cases, count},
};

/// How many cases of a group are named.
const EXAMPLES: usize = 10;
/// How many groups of a class are told: a merge request takes no more than so much.
const GROUPS: usize = 20;

/// The whole comparison: the verdict, what moved, the counts, and what is of each class.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut lines = vec![format!("## {}", comparison.verdict()), String::new()];
    for line in moves(comparison).into_iter().chain(troubles(comparison)) {
        lines.push(format!("- {}", plain(&line)));
    }
    let sides = [("OLD", &comparison.old), ("NEW", &comparison.new)];
    for (name, side) in sides {
        let (runs, cases) = (plain(&side.runs.join(", ")), cases(side.cases));
        lines.push(format!("- {name}: {runs} ({cases})"));
    }
    let times = comparison.times.as_ref();
    lines.extend(times.map(|times| format!("- {}", plain(&times.told()))));
    lines.extend(table(comparison));
    // The worst stands first: what is below it may be folded away.
    for class in Class::ALL {
        lines.extend(told(comparison, class));
    }
    lines.join("\n") + "\n"
}

fn table(comparison: &Comparison) -> Vec<String> {
    let counts = comparison.counts.iter();
    let rows =
        counts.map(|(class, count)| format!("| {} {} | {count} |", sign(*class), class.words()));
    let head = ["", "| | cases |", "|---|---:|"].map(str::to_owned);
    head.into_iter().chain(rows).collect()
}

fn told(comparison: &Comparison, class: Class) -> Vec<String> {
    let groups = groups(comparison, class);
    if groups.is_empty() {
        return Vec::new();
    }
    let is_open = matches!(class, Class::Broke | Class::Unseen);
    let all: usize = groups.iter().map(Vec::len).sum();
    let open = if is_open { " open" } else { "" };
    let mut lines = vec![
        String::new(),
        format!(
            "<details{open}><summary>{} {}: {}</summary>",
            sign(class),
            class.words(),
            cases(all)
        ),
        String::new(),
    ];
    for group in groups.iter().take(GROUPS) {
        let why = group.first().and_then(|one| telling(one));
        let condition = why.and_then(|one| one.condition);
        let condition = condition.map_or(String::new(), |one| format!("`{one}`: "));
        let why = why.map_or(String::new(), |one| plain(&shortened(&one.why, REASON)));
        let number = cases(group.len());
        lines.push(format!("- {number}: {condition}{why}"));
        let named = group.iter().take(EXAMPLES);
        lines.extend(named.map(|change| format!("  - {}", code(&change.case))));
        let more = group.len().saturating_sub(EXAMPLES);
        if more > 0 {
            lines.push(format!("  - and {} more", cases(more)));
        }
    }
    let more = groups.len().saturating_sub(GROUPS);
    if more > 0 {
        lines.push(format!("- and {}", count(more, "more reason")));
    }
    lines.extend([String::new(), "</details>".to_owned()]);
    lines
}
