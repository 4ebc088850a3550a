//! The TOML of a list of known failures, as people write it: each value with its place in the text.

use std::{collections::BTreeSet, ops::Range};

use jiff::civil::Date;
use migratrix_matrix::{BadFilter, Condition, Filter};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{entry::Entry, spot::Spot};
use crate::ReportError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    known: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    cases: Spanned<String>,
    #[serde(default)]
    conditions: Listed<Condition>,
    #[serde(default)]
    unseen: Listed<Condition>,
    #[serde(default)]
    follows: Listed<Condition>,
    #[serde(default)]
    says: Listed<Spanned<String>>,
    reason: Spanned<String>,
    #[serde(default)]
    sometimes: bool,
    #[serde(default)]
    versions: Option<Spanned<String>>,
    #[serde(default)]
    link: Option<Spanned<String>>,
    #[serde(default)]
    expires: Option<Spanned<Value>>,
}

/// What a key lists, with its place in the text; nothing where the key is left out.
type Listed<T> = Option<Spanned<Vec<T>>>;

/// What a key lists.
fn listed<T>(all: &Listed<T>) -> &[T] {
    all.as_ref().map_or(&[], |all| all.get_ref())
}

/// The same, alone.
fn all<T>(all: Listed<T>) -> Vec<T> {
    all.map(Spanned::into_inner).unwrap_or_default()
}

/// The entries of a list, in their order.
///
/// # Errors
/// Returns what is wrong, and where.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, ReportError> {
    let list: List = toml::from_str(text).map_err(|error| {
        let mut message = error.message().trim_end().to_owned();
        message.push_str(mend(text, &message));
        ReportError::KnownList(match error.span() {
            Some(span) => format!("{}: {message}", Spot::of(text, &span)),
            None => message,
        })
    })?;
    let entries = list.known.into_iter().enumerate();
    let read = |(place, written): (usize, Written)| written.read(place + 1, text);
    entries.map(read).collect()
}

/// What is to be written where the value should have been a list.
fn mend(text: &str, message: &str) -> &'static str {
    let is_list = |list: &toml::Table| list.get("known").is_none_or(Value::is_array);
    if !message.ends_with("expected a sequence") {
        ""
    } else if toml::from_str(text).is_ok_and(|list| !is_list(&list)) {
        ": begin each entry by `[[known]]`, in two brackets"
    } else {
        ": write a list, as in conditions = [\"memory\"]"
    }
}

impl Written {
    fn read(self, place: usize, text: &str) -> Result<Entry, ReportError> {
        let spot = Spot::of(text, &self.cases.span());
        let wrong = |span: Range<usize>, why: String| ReportError::KnownEntry {
            at: Spot::of(text, &span),
            place,
            cases: self.cases.get_ref().clone(),
            why,
        };
        let cases: Filter = self.cases.get_ref().parse().map_err(|why: BadFilter| {
            let cases = self.cases.get_ref().clone();
            let (at, why) = (spot, why.to_string());
            ReportError::KnownCases {
                at,
                place,
                cases,
                why,
            }
        })?;
        if self.reason.get_ref().trim().is_empty() {
            let why = "has an empty reason: say what is wrong, and whose it is";
            return Err(wrong(self.reason.span(), why.to_owned()));
        }
        if listed(&self.conditions).is_empty() && listed(&self.unseen).is_empty() {
            let why = "names no conditions: say what fails in `conditions`, or what can't be seen \
                       in `unseen`";
            return Err(wrong(self.cases.span(), why.to_owned()));
        }
        if let Some((key, span)) = self.empty() {
            let why = format!("has an empty `{key}`, which says nothing: fill it, or leave it out");
            return Err(wrong(span, why));
        }
        if let Some(why) = self.idle() {
            return Err(wrong(self.cases.span(), why));
        }
        let mut says = listed(&self.says).iter();
        if let Some(empty) = says.find(|one| one.get_ref().trim().is_empty()) {
            let why = "says nothing in `says`: quote what each such failure says, or leave it out";
            return Err(wrong(empty.span(), why.to_owned()));
        }
        let read =
            |text: &Spanned<String>| range(text.get_ref()).map_err(|why| wrong(text.span(), why));
        let versions = self.versions.as_ref().map(read).transpose()?;
        if let Some(link) = &self.link {
            if let Some(why) = bad_link(link.get_ref()) {
                return Err(wrong(link.span(), why));
            }
        }
        let last =
            |value: &Spanned<Value>| day(value.get_ref()).map_err(|why| wrong(value.span(), why));
        let expires = self.expires.as_ref().map(last).transpose()?;
        Ok(Entry {
            place,
            spot,
            origin: super::Origin::default(),
            cases,
            versions,
            conditions: all(self.conditions),
            unseen: all(self.unseen),
            follows: all(self.follows),
            says: all(self.says)
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            reason: self.reason.into_inner(),
            sometimes: self.sometimes,
            link: self.link.map(Spanned::into_inner),
            expires,
            days_left: None,
        })
    }
}

impl Written {
    /// A key whose list is empty, and where it stands.
    fn empty(&self) -> Option<(&'static str, Range<usize>)> {
        let conditions = [
            ("conditions", &self.conditions),
            ("unseen", &self.unseen),
            ("follows", &self.follows),
        ];
        let conditions = conditions.into_iter().filter_map(|(key, list)| {
            let list = list.as_ref()?;
            Some((key, list.span(), list.get_ref().is_empty()))
        });
        let says = self.says.as_ref();
        let says = says.map(|list| ("says", list.span(), list.get_ref().is_empty()));
        let mut all = conditions.chain(says);
        all.find_map(|(key, span, is_empty)| is_empty.then_some((key, span)))
    }

    /// What in it can never tell anything, and what would.
    fn idle(&self) -> Option<String> {
        let lists = [&self.conditions, &self.unseen, &self.follows].map(listed);
        let mut seen = BTreeSet::new();
        let twice = lists.iter().find_map(|list| {
            let mut own = BTreeSet::new();
            // Where chance has a part in it, it may fail or not be seen.
            let again =
                |one: &&Condition| !own.insert(**one) || (!seen.insert(**one) && !self.sometimes);
            list.iter().find(again)
        });
        if let Some(twice) = twice {
            return Some(format!(
                "names the condition `{twice}` twice: name it once, in `conditions`, `unseen` or `follows`"
            ));
        }
        let [conditions, _, follows] = lists;
        let is_idle = conditions.is_empty() && !follows.is_empty();
        is_idle.then(|| {
            "has `follows`, which goes by what fails, and no `conditions`: say what fails there, or leave `follows` out"
                .to_owned()
        })
    }
}

/// The range of versions that `text` is.
fn range(text: &str) -> Result<Filter, String> {
    let wrong = |why: &str| {
        format!(
            "has the versions `{text}`, which are no range that can be checked ({why}): write them as in \
             versions = \"source(qemu>=10.0.11 & <10.0.14)\", and what is for people into `reason`"
        )
    };
    let range: Filter = text.parse().map_err(|BadFilter { problem, .. }| {
        // Few of the predicates that are told then are of versions.
        let short = problem.split_once(": ").map(|(short, _)| short);
        let short = short.filter(|short| short.starts_with("unknown predicate"));
        wrong(short.unwrap_or(&problem))
    })?;
    if range.is_void() {
        Err(wrong("no version lies in it"))
    } else if range.is_range() {
        Ok(range)
    } else if range.is_of_releases() {
        Err(format!(
            "has the versions `{text}`, which some migrations are in whatever their versions are, so that no fixed \
             version ends it: give bounds, as in versions = \"destination(qemu<10.0.14)\", and write releases and \
             directions into `cases`"
        ))
    } else {
        Err(wrong(
            "they are versions of `source`, `destination` or `client`; what else a case has is for `cases`",
        ))
    }
}

/// Why a link can't be one: reports make it one that is clicked on.
fn bad_link(link: &str) -> Option<String> {
    let lower = link.to_ascii_lowercase();
    let schemes = ["http://", "https://"].into_iter();
    let mut rest = schemes.filter_map(|scheme| lower.strip_prefix(scheme));
    let is_foreign = |c: char| c.is_whitespace() || c.is_control() || r#""<>\^`{|}"#.contains(c);
    let is_one = rest.any(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        && !link.contains(is_foreign);
    (!is_one).then(|| {
        format!(
            "has the link `{link}`, which is none to a page: write it as in \
             link = \"https://example.org/issue/1\""
        )
    })
}

/// The day that is written, as a text or as a date of TOML.
fn day(value: &Value) -> Result<Date, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Datetime(day) => day.to_string(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Array(_)
        | Value::Table(_) => value.to_string(),
    };
    let day = Date::strptime("%Y-%m-%d", &text).ok();
    // Nothing was known before there were machines to migrate.
    day.filter(|day| text.len() == "2027-01-31".len() && day.year() >= 2000)
        .ok_or_else(|| {
            format!("expires on `{text}`, which is no day: write it as in expires = \"2027-01-31\"")
        })
}
