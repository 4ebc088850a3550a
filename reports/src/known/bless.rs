//! Entries of a list of known failures for what failed and is not known: one for each group of failures
//! with one reason. All that stands in the list stays as it is, and in its order.

use std::collections::BTreeSet;

use migratrix_matrix::Condition;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::{KnownFailures, line_ends::LineEnds, series};
use crate::{Group, Judgement, Kind, ReportError, Run, Standing, gist::telling, groups, printable};

/// A list with entries for the failures of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blessing {
    /// The whole list.
    pub text: String,
    /// How many entries were added.
    pub entries: usize,
    /// How many cases they are of.
    pub cases: usize,
    /// How many cases are not as expected and got no entry: what passes unexpectedly, what is unknown,
    /// what failed at first only, and cases with a fault.
    pub left: usize,
}

impl Blessing {
    /// The list of `text` with entries for what failed in `run` and is not known.
    ///
    /// # Errors
    /// Returns what is wrong with the list, where it is none.
    pub fn of(run: &Run, text: &str) -> Result<Self, ReportError> {
        KnownFailures::parse(text)?;
        let ends = LineEnds::of(text);
        let mut list: DocumentMut = ends
            .plain()
            .parse()
            .map_err(|error: toml_edit::TomlError| ReportError::KnownList(error.to_string()))?;
        let groups = groups(run, &[Standing::Failed]);
        let entries: Vec<_> = groups.iter().filter_map(entry).collect();
        let blessed = groups.iter().filter(|group| is_blessed(group));
        let cases = blessed.map(|group| group.cases.len()).sum();
        let troubles = [
            Standing::Failed,
            Standing::FailedAtFirst,
            Standing::UnexpectedPass,
            Standing::Unknown,
        ];
        let wrong = run.judgements().map(Judgement::standing);
        let wrong = wrong.filter(|one| troubles.contains(one)).count();
        let added = entries.len();
        add(&mut list, entries);
        let text = ends.given_to(&list.to_string());
        KnownFailures::parse(&text)?;
        Ok(Self {
            text,
            entries: added,
            cases,
            left: wrong - cases,
        })
    }
}

/// Whether a group gets an entry: what fails on purpose has no known failures.
fn is_blessed(group: &Group<'_>) -> bool {
    group.condition.is_some() && group.cases.iter().all(|one| one.case.fault.is_none())
}

fn entry(group: &Group<'_>) -> Option<Table> {
    let condition = group.condition.filter(|_| is_blessed(group))?;
    let mut table = Table::new();
    table["cases"] = value(which(group));
    if let Some(range) = series::range(&group.cases) {
        table["versions"] = value(range);
    }
    table["conditions"] = value(words([condition]));
    let follows = follows(group, condition);
    if !follows.is_empty() {
        table["follows"] = value(words(follows));
    }
    if let Some(says) = says(group, condition) {
        let says: Array = [says].into_iter().collect();
        table["says"] = value(says);
    }
    let seen = group.cases.first()?.of(condition)?.why();
    let seen = printable(seen);
    table["reason"] = value(format!("TODO: say whose fault it is. First seen: {seen}"));
    Some(table)
}

/// Which cases an entry is of: by what they have in common where no other case of the run has it, else
/// by their names.
fn which(group: &Group<'_>) -> String {
    let is_exact = group.sharing == group.cases.len() && group.cases.len() > 1;
    if is_exact && !group.shared.is_empty() {
        let backends = group.cases.iter().map(|one| one.case.backend.to_string());
        let backends: BTreeSet<_> = backends.collect();
        let backends: Vec<_> = backends.into_iter().collect();
        return format!("backend({}) & {}", backends.join(","), group.shared);
    }
    let names = group.cases.iter().map(|one| format!("name({})", one.case));
    names.collect::<Vec<_>>().join(" | ")
}

/// The other conditions that are not as they should be in any of its cases, and are not known.
fn follows(group: &Group<'_>, own: Condition) -> BTreeSet<Condition> {
    let mut all: BTreeSet<_> = BTreeSet::new();
    for case in &group.cases {
        let troubles = case.troubles().map(|(condition, _)| condition);
        let is_known = |one: &Condition| case.own_standing_of(*one) == Standing::KnownFailure;
        all.extend(troubles.filter(|one| !is_known(one)));
    }
    all.remove(&own);
    all
}

fn words(conditions: impl IntoIterator<Item = Condition>) -> Array {
    let words = conditions.into_iter().map(Condition::word);
    words.collect()
}

/// What says of a failure what went wrong, as far as all of the group say it: no versions, flags, names or numbers,
/// which the next run or the next case has others of.
fn says(group: &Group<'_>, condition: Condition) -> Option<String> {
    let whys = group
        .cases
        .iter()
        .filter_map(|one| Some((*one, one.of(condition)?)));
    let failed = whys.filter(|(_, verdict)| verdict.kind() == Kind::Fail);
    let failed: Vec<(&Judgement, &str)> =
        failed.map(|(one, verdict)| (one, verdict.why())).collect();
    let (first, why) = failed.first()?;
    let in_all = |text: &&str| failed.iter().all(|(_, why)| why.contains(text));
    let telling = telling(first, why).into_iter().find(in_all);
    telling.map(str::to_owned)
}

/// Adds entries at the end of a list, in the form in which its own are.
fn add(list: &mut DocumentMut, entries: Vec<Table>) {
    if entries.is_empty() {
        return;
    }
    // What stands behind the last entry stays before what is added.
    let behind = list.trailing().as_str().unwrap_or_default().to_owned();
    match list.get_mut("known") {
        Some(Item::Value(Value::Array(array))) => {
            line_up(array, entries);
        }
        Some(Item::ArrayOfTables(all)) => {
            list_up(all, entries, behind);
            list.set_trailing("");
        }
        Some(_) | None => {
            let mut all = ArrayOfTables::new();
            list_up(&mut all, entries, behind);
            list.insert("known", Item::ArrayOfTables(all));
            list.set_trailing("");
        }
    }
}

/// What stands behind the last entry stays there.
fn line_up(array: &mut Array, entries: Vec<Table>) {
    let behind = array.trailing().as_str().unwrap_or_default();
    let mut before = format!("{}\n  ", behind.trim_end());
    for entry in entries {
        let entry = Value::InlineTable(entry.into_inline_table());
        array
            .push_formatted(entry.decorated(std::mem::replace(&mut before, "\n  ".to_owned()), ""));
    }
    array.set_trailing("\n");
}

fn list_up(all: &mut ArrayOfTables, entries: Vec<Table>, mut behind: String) {
    for mut entry in entries {
        let mut before = std::mem::take(&mut behind);
        if !before.is_empty() && !before.ends_with('\n') {
            before.push('\n');
        }
        before.push('\n');
        entry.decor_mut().set_prefix(before);
        all.push(entry);
    }
}
