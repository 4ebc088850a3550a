//! Two descriptions of a domain, compared as trees: in what they differ, by the path in the XML.
//!
//! ```text
//! /domain/on_crash                                  was `destroy`, is `restart`
//! /domain/devices/disk[vda]/source/@file            was `/a.img`, is `/b.img`
//! /domain/devices/rng                               is new: <rng model='virtio'>…
//! ```
//!
//! Elements of one kind are told apart by what names them, as a disk by its target, so that one more does not
//! make the others look changed; where nothing names them, by their order.

mod listed;

use std::{collections::BTreeMap, fmt};

use migratrix_history::Versions;
use roxmltree::{Document, Node};

pub(super) use listed::Compared;

/// In what two descriptions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where, as a path of elements; an attribute begins with `@`.
    pub path: String,
    /// What the first one has there.
    pub from: Option<String>,
    /// What the second one has there.
    pub to: Option<String>,
}

/// How much is told of a value, in characters.
const TOLD: usize = 120;

/// How many differences are told.
const SHOWN: usize = 6;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, from, to } = self;
        match (from, to) {
            (Some(from), Some(to)) => write!(f, "{path} was `{from}`, is `{to}`"),
            (Some(from), None) => write!(f, "{path} is gone: `{from}`"),
            (None, Some(to)) => write!(f, "{path} is new: `{to}`"),
            (None, None) => f.write_str(path),
        }
    }
}

/// Differences in one line, the first ones of many.
pub(super) fn told(differences: &[Difference]) -> String {
    let shown: Vec<_> = differences
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let more = differences.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("; and {more} more"));
    shown.join("; ") + &more.unwrap_or_default()
}

/// What the domain of a description is called.
pub(super) fn domain_name(text: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let mut parts = document.root_element().children();
    let name = parts.find(|part| part.has_tag_name("name"))?;
    name.text().map(str::to_owned)
}

/// The differences between two descriptions that no documentation explains.
///
/// # Errors
/// Says which of them is no XML.
pub(super) fn unexplained(
    from: &str,
    to: &str,
    compared: Compared,
    versions: &Versions,
) -> Result<Vec<Difference>, String> {
    let mut all = differences(from, to)?;
    all.retain(|one| !listed::explains(one, compared, versions));
    Ok(all)
}

/// All differences between two descriptions.
fn differences(from: &str, to: &str) -> Result<Vec<Difference>, String> {
    let read = |text, which: &str| {
        Document::parse(text).map_err(|error| format!("the {which} description is no XML: {error}"))
    };
    let (from, to) = (read(from, "first")?, read(to, "second")?);
    let (from, to) = (from.root_element(), to.root_element());
    let mut all = Vec::new();
    let path = format!("/{}", from.tag_name().name());
    compare(from, to, &path, &mut all);
    Ok(all)
}

fn compare(from: Node<'_, '_>, to: Node<'_, '_>, path: &str, all: &mut Vec<Difference>) {
    // Most elements are as they were, to the letter.
    if as_written(from) == as_written(to) {
        return;
    }
    let mut add = |path: String, from: Option<String>, to: Option<String>| {
        if from != to {
            all.push(Difference { path, from, to });
        }
    };
    let (before, after) = (attributes(from), attributes(to));
    for name in names(&before, &after) {
        let value = |of: &BTreeMap<String, String>| of.get(&name).cloned();
        add(format!("{path}/@{name}"), value(&before), value(&after));
    }
    let text = |node| Some(own_text(node)).filter(|text: &String| !text.is_empty());
    add(path.to_owned(), text(from), text(to));
    let (before, after) = (children(from), children(to));
    for name in names(&before, &after) {
        let path = format!("{path}/{name}");
        match (before.get(&name), after.get(&name)) {
            (Some(from), Some(to)) => compare(*from, *to, &path, all),
            (from, to) => all.push(Difference {
                path,
                from: from.map(|node| whole(*node)),
                to: to.map(|node| whole(*node)),
            }),
        }
    }
}

/// The names that either has, each once.
fn names<T>(one: &BTreeMap<String, T>, other: &BTreeMap<String, T>) -> Vec<String> {
    let mut names: Vec<_> = one.keys().chain(other.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names
}

fn attributes(node: Node<'_, '_>) -> BTreeMap<String, String> {
    node.attributes()
        .map(|one| (one.name().to_owned(), one.value().to_owned()))
        .collect()
}

/// The text of the element itself, without that of the elements in it.
fn own_text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text);
    let texts: Vec<_> = texts.filter_map(|text| text.text()).collect();
    texts.concat().trim().to_owned()
}

fn children<'a, 'input>(node: Node<'a, 'input>) -> BTreeMap<String, Node<'a, 'input>> {
    let mut found = BTreeMap::new();
    for child in node.children().filter(Node::is_element) {
        let name = name(child);
        let twins = (2..).map(|number| format!("{name}#{number}"));
        let mut names = std::iter::once(name.clone()).chain(twins);
        let name = names.find(|name| !found.contains_key(name));
        found.insert(name.unwrap_or_default(), child);
    }
    found
}

/// What an element is called among its like: `disk[vda]`.
fn name(node: Node<'_, '_>) -> String {
    let tag = node.tag_name().name();
    let own = |name| node.attribute(name);
    let of = |child: &str, name| {
        let child = node.children().find(|one| one.has_tag_name(child))?;
        child.attribute(name)
    };
    let parts = match tag {
        "controller" => vec![own("type"), own("index")],
        "disk" | "filesystem" => vec![of("target", "dev").or_else(|| of("target", "dir"))],
        "serial" | "parallel" | "console" => vec![of("target", "port")],
        "channel" => vec![of("target", "name").or_else(|| of("target", "port"))],
        "interface" => vec![of("mac", "address")],
        "input" => vec![own("type"), own("bus")],
        "feature" | "timer" | "entry" => vec![own("name")],
        "seclabel" | "rng" | "watchdog" | "memballoon" | "panic" => vec![own("model")],
        "graphics" => vec![own("type")],
        "audio" | "cell" | "iothread" | "vcpu" => vec![own("id")],
        _ => Vec::new(),
    };
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        tag.to_owned()
    } else {
        // A path has no other strokes than those between its elements.
        format!("{tag}[{}]", parts.join(":").replace('/', ":"))
    }
}

/// An element as it stands in its description.
fn as_written<'input>(node: Node<'_, 'input>) -> &'input str {
    &node.document().input_text()[node.range()]
}

/// The same in one line.
fn whole(node: Node<'_, '_>) -> String {
    let mut line: String = as_written(node).lines().map(str::trim).collect();
    if let Some((cut, _)) = line.char_indices().nth(TOLD) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
