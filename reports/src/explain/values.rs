//! Some values of an axis as one filter: a list, a family, or all but some.

use std::collections::BTreeMap;

use migratrix_explain::{Literal, Shape, Table, Values};

/// The filter that a literal of a column with these filters as values is.
pub(super) fn facet_text(
    table: &Table,
    literal: &Literal,
    shape: Shape,
    texts: &[String],
) -> String {
    let own = literal.values;
    let all: Values = (0..=u8::MAX).take(texts.len()).collect();
    let first = own
        .iter()
        .next()
        .map_or("", |value| texts[usize::from(value)].as_str());
    let head = first.split('(').next().unwrap_or_default();
    match shape {
        Shape::One | Shape::Half | Shape::Range if own.count() == 1 => first.to_owned(),
        Shape::AllBut if !lacks(table, literal.column) => {
            listed(texts, all.without(own), own).told("!", head, "")
        }
        Shape::One
        | Shape::Half
        | Shape::Range
        | Shape::Family
        | Shape::Several
        | Shape::AllBut => listed(texts, own, all.without(own)).told("", head, "!"),
    }
}

/// Values in words: some, and families of which some are not meant.
#[derive(Default)]
struct Listed {
    any: Vec<String>,
    but: Vec<String>,
}

impl Listed {
    /// The filter; `is` stands before it, and `not` before what is not meant.
    fn told(&self, is: &str, head: &str, not: &str) -> String {
        let any = self.any.join(",");
        match (self.but.join(","), not) {
            (but, _) if but.is_empty() => format!("{is}{head}({any})"),
            (but, "") => format!("(!{head}({any}) | {head}({but}))"),
            (but, _) => format!("{head}({any}) & {not}{head}({but})"),
        }
    }
}

/// The values, by their families where they are all of one, or nearly.
fn listed(texts: &[String], own: Values, others: Values) -> Listed {
    let word = |value: u8| {
        let text = texts[usize::from(value)].split_once('(');
        text.map_or("", |(_, rest)| rest.trim_end_matches(')'))
    };
    let mut families: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for value in own.iter() {
        families
            .entry(family(word(value)))
            .or_default()
            .0
            .push(word(value));
    }
    for value in others.iter() {
        if let Some((_, missing)) = families.get_mut(family(word(value))) {
            missing.push(word(value));
        }
    }
    let mut listed = Listed::default();
    for (family, (members, missing)) in families {
        let nearly = missing.len() <= 2 && members.len() >= 3 * missing.len();
        if members.len() > 1 && nearly {
            listed.any.push(format!("{family}*"));
            listed.but.extend(missing.into_iter().map(str::to_owned));
        } else {
            listed.any.extend(members.into_iter().map(str::to_owned));
        }
    }
    listed
}

/// Whether a row has no value in a column.
fn lacks(table: &Table, column: usize) -> bool {
    table.rows().iter().any(|row| row.values[column].is_none())
}

/// What a word begins with that others may begin with as well: up to its first `-`.
fn family(word: &str) -> &str {
    word.find('-').map_or(word, |end| &word[..=end])
}

/// The families of several values.
pub(super) fn families(texts: &[String]) -> Vec<Values> {
    let mut all: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (text, value) in texts.iter().zip(0..=u8::MAX) {
        if let Some((_, word)) = text
            .split_once('(')
            .filter(|(head, word)| !head.starts_with('!') && word.contains('-'))
        {
            all.entry(family(word)).or_default().push(value);
        }
    }
    let several = all.into_values().filter(|values| values.len() > 1);
    several.map(|values| values.into_iter().collect()).collect()
}
