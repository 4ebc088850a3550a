//! The words of filters: which predicates there are, and how each reads its values.

use std::cmp::Ordering;

use itertools::Itertools;
use wildmatch::WildMatch;

use crate::{
    AxisInfo, BadVersion, BadWord, Fault, FlagSet, ReleaseName, Role, Version, point::axes,
};

use super::predicate::{Bound, Comparison, Predicate, Program};

/// Reads one value of a predicate, or says what is wrong with it.
pub(super) type Read = fn(&str) -> Result<Predicate, String>;

/// What stands between a predicate's parentheses.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// Nothing.
    None(Ordering),
    /// All of it is one value.
    One(Read),
    /// Values with commas between them.
    Several(Read),
    /// Words of the axes of this predicate, with commas between them.
    Words(&'static str),
    /// Releases with commas between them, each by its name or by a range of its version.
    Releases(Role),
}

/// The predicates that are not just the words of axes.
const PREDICATES: [(&str, Values); 10] = [
    ("flag", Values::Several(flag)),
    ("flags", Values::Several(flags)),
    ("fault", Values::Several(fault)),
    ("client", Values::Releases(Role::Client)),
    ("source", Values::Releases(Role::Source)),
    ("destination", Values::Releases(Role::Destination)),
    ("forward", Values::None(Ordering::Less)),
    ("same", Values::None(Ordering::Equal)),
    ("backward", Values::None(Ordering::Greater)),
    ("name", Values::One(name)),
];

/// A word of one of the axes that the predicate asks for, or a glob for several. Words of before are
/// taken too.
pub(super) fn words(predicate: &str, value: &str) -> Result<Predicate, String> {
    let asked = || axes().filter(|axis| axis.predicate == predicate);
    let glob = glob(value);
    let matches = |word: &str| glob.as_ref().is_some_and(|glob| glob.matches(word));
    let fits = |word: &str| word == value || matches(word);
    let found = |axis: &'static AxisInfo| {
        let now = axis.words.iter().map(|(word, _)| (*word, *word));
        let all = now.chain(axis.former.iter().copied());
        let found = all.filter(|(word, _)| fits(word));
        found.map(|(_, now)| (axis.name, now))
    };
    let found: Vec<_> = asked().flat_map(found).unique().collect();
    if !found.is_empty() {
        Ok(Predicate::Is(found))
    } else if glob.is_some() {
        Err(unmatched(predicate, value))
    } else {
        Err(unknown(asked(), value).to_string())
    }
}

/// The glob that a value is, where it is one.
fn glob(value: &str) -> Option<WildMatch> {
    value.contains(['*', '?']).then(|| WildMatch::new(value))
}

/// That a glob stands for nothing.
fn unmatched(predicate: &str, glob: &str) -> String {
    format!("`{glob}` matches no value of `{predicate}`")
}

/// That a word is none of those of `axes`, which share a predicate.
fn unknown(axes: impl Iterator<Item = &'static AxisInfo>, word: &str) -> BadWord {
    let mut kind = "value";
    let mut known = Vec::new();
    for axis in axes {
        kind = axis.kind;
        known.extend(axis.words.iter().map(|(word, _)| (*word).to_owned()));
    }
    BadWord {
        kind,
        word: word.to_owned(),
        known,
    }
}

/// Signs of comparisons, those first that others begin with.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// What the predicate called `word` takes.
pub(super) fn values_of(word: &str) -> Result<Values, BadWord> {
    let own = PREDICATES.iter().find(|(name, _)| *name == word);
    let of_axes = || axes().map(|axis| axis.predicate).unique();
    let found = own.map(|(_, values)| *values);
    let found = found.or_else(|| of_axes().find(|name| *name == word).map(Values::Words));
    found.ok_or_else(|| BadWord {
        kind: "predicate",
        word: word.to_owned(),
        known: of_axes()
            .chain(PREDICATES.iter().map(|(name, _)| *name))
            .unique()
            .map(str::to_owned)
            .collect(),
    })
}

fn flag(value: &str) -> Result<Predicate, String> {
    if value == "none" {
        return Ok(Predicate::Flags(FlagSet::NONE));
    }
    let of_flag = || axes().filter(|axis| axis.predicate == "flag");
    words("flag", value).map_err(|_| or_none(unknown(of_flag(), value)))
}

fn flags(value: &str) -> Result<Predicate, String> {
    let flags = value.parse().map_err(|error: BadWord| error.to_string());
    flags.map(Predicate::Flags)
}

fn fault(value: &str) -> Result<Predicate, String> {
    if value == "none" {
        return Ok(Predicate::NoFault);
    }
    if let Some(glob) = glob(value) {
        let mut found = Fault::ALL.to_vec();
        found.retain(|fault| glob.matches(fault.word()));
        return match found.as_slice() {
            [] => Err(unmatched("fault", value)),
            [_, ..] => Ok(Predicate::Faults(found)),
        };
    }
    let fault = value.parse().map_err(or_none);
    fault.map(|fault| Predicate::Faults(vec![fault]))
}

/// What is said of a word where `none` would be right as well.
fn or_none(mut error: BadWord) -> String {
    error.known.push("none".to_owned());
    error.to_string()
}

fn name(value: &str) -> Result<Predicate, String> {
    if value.is_empty() {
        return Err("expected a glob for the names of cases, as `*/p2p/*`".to_owned());
    }
    Ok(Predicate::Name(value.to_owned()))
}

/// A release, a glob, or a version, which has a sign of comparison.
pub(super) fn release(place: Role, value: &str) -> Result<Predicate, String> {
    if let Some(bound) = bound(value)? {
        return Ok(Predicate::Version(place, bound));
    }
    let plain = value.replace(['*', '?'], "x");
    let name = ReleaseName::new(&plain).map_err(|_| {
        format!("expected a release, a glob as `book*` or a version as `<9.0`, found `{value}`")
    })?;
    Ok(if plain == value {
        Predicate::Release(place, name)
    } else {
        Predicate::Releases(place, value.to_owned())
    })
}

/// One more bound of a version, which `before` has bounds of already: it is of the same program where it
/// names none.
pub(super) fn further(before: &Predicate, place: Role, value: &str) -> Result<Predicate, String> {
    let Predicate::Version(_, first) = before else {
        return Err("only a version has two bounds, as in `>=9.0 & <9.5`".to_owned());
    };
    let Some(mut bound) = bound(value)? else {
        return Err(format!(
            "expected another bound of the version, as `<9.5`, found `{value}`"
        ));
    };
    bound.program = bound.program.or(first.program);
    Ok(Predicate::Version(place, bound))
}

/// Reads `[libvirt|qemu]COMPARISON VERSION`; `None` where there is no comparison.
fn bound(value: &str) -> Result<Option<Bound>, String> {
    let Some(start) = value.find(['<', '>', '=']) else {
        return Ok(None);
    };
    let (program, rest) = value.split_at(start);
    let program = match program.trim() {
        "" => None,
        "libvirt" => Some(Program::Libvirt),
        "qemu" => Some(Program::Qemu),
        other => return Err(format!("expected `libvirt` or `qemu`, found `{other}`")),
    };
    let signs = COMPARISONS.iter();
    let mut read = signs.filter_map(|(sign, is)| Some((rest.strip_prefix(sign)?, *is)));
    let (version, comparison) = read.next().expect("the rest starts with `<`, `>` or `=`");
    Ok(Some(Bound {
        program,
        comparison,
        numbers: numbers(version.trim()).map_err(|error| error.to_string())?,
    }))
}

/// The numbers of a version, as far as they are written.
fn numbers(text: &str) -> Result<Vec<u32>, BadVersion> {
    let version: Version = text.parse()?;
    let mut numbers = vec![version.major, version.minor, version.micro];
    numbers.truncate(text.split('.').count());
    Ok(numbers)
}
