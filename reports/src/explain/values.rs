//! Some values of an axis as one filter: a list, a family, or all but some.

use std::collections::BTreeMap;

use migratrix_explain::{Literal, Shape, Table, Values};
use migratrix_matrix::axes;

/// The filter that a literal of this axis is, of which a column has these filters as values. It is true of no other value
/// of the axis: what these runs have no case of, nothing tells of.
pub(super) fn facet_text(table: &Table, literal: &Literal, axis: &str, texts: &[String]) -> String {
    let (own, shape) = (literal.values, literal.shape(table));
    let all: Values = (0..=u8::MAX).take(texts.len()).collect();
    let first = own
        .iter()
        .next()
        .map_or("", |value| texts[usize::from(value)].as_str());
    let head = first.split('(').next().unwrap_or_default();
    let count = own.count();
    let mut others = words(texts, all.without(own));
    others.extend(unseen(axis, texts));
    let own = words(texts, own);
    match shape {
        Shape::One | Shape::Half | Shape::Range if count == 1 => first.to_owned(),
        Shape::AllBut if !lacks(table, literal.column) && others.len() <= own.len() => {
            listed(&others, &own).told("!", head, "")
        }
        Shape::One
        | Shape::Half
        | Shape::Range
        | Shape::Family
        | Shape::Several
        | Shape::AllBut => listed(&own, &others).told("", head, "!"),
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

/// The value that a filter of one asks for.
fn word(text: &str) -> &str {
    let text = text.split_once('(');
    text.map_or("", |(_, rest)| rest.trim_end_matches(')'))
}

fn words(texts: &[String], values: Values) -> Vec<&str> {
    let words = values.iter().map(|value| word(&texts[usize::from(value)]));
    words.collect()
}

/// The values of an axis that none of these filters asks for.
fn unseen(axis: &str, texts: &[String]) -> Vec<&'static str> {
    let info = axes().find(|one| one.name == axis);
    let words = info.into_iter().flat_map(|one| one.words);
    let words = words.map(|(word, _)| *word);
    let unseen = words.filter(|one| !texts.iter().any(|text| word(text) == *one));
    unseen.collect()
}

/// The values, by their families where they are all of one, or nearly.
fn listed(own: &[&str], others: &[&str]) -> Listed {
    let mut families: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for word in own {
        families.entry(family(word)).or_default().0.push(word);
    }
    for word in others {
        if let Some((_, missing)) = families.get_mut(family(word)) {
            missing.push(word);
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
