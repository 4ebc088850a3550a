//! Words: how the values of an axis are read and written, and what is said of a wrong one.

use std::fmt;

use itertools::Itertools;
use thiserror::Error;

/// A word that is none of those that stand for a value of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct BadWord {
    /// What it should have named, as `control method`.
    pub kind: &'static str,
    /// The word.
    pub word: String,
    /// The words that would have been right.
    pub known: Vec<String>,
}

impl BadWord {
    /// The right word that is written most like the wrong one, if any is like it at all.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        let likeness = |known: &str| strsim::jaro_winkler(known, &self.word);
        // A short word is like nothing that is far longer, but for what it begins.
        let most = 2 * self.word.chars().count() + 2;
        let is_near = |known: &&String| known.len() <= most || known.starts_with(&self.word);
        let near = self.known.iter().filter(is_near);
        let near = near.map(|known| (likeness(known), known));
        let (likeness, known) = near.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (likeness > 0.7).then_some(known)
    }
}

impl fmt::Display for BadWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`: ", self.kind, self.word)?;
        if let Some(nearest) = self.nearest() {
            write!(f, "did you mean `{nearest}`? ")?;
        }
        write!(f, "expected {}", one_of(&self.known))
    }
}

/// `a, b or c`.
pub(crate) fn one_of(words: &[impl fmt::Display]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] => format!("{} or {last}", first.iter().format(", ")),
    }
}

/// The value of `all` that is written as `text`.
pub(crate) fn find<T: fmt::Display>(
    kind: &'static str,
    text: &str,
    all: impl IntoIterator<Item = T, IntoIter: Clone>,
) -> Result<T, BadWord> {
    let all = all.into_iter();
    let found = all.clone().find(|value| value.to_string() == text);
    found.ok_or_else(|| BadWord {
        kind,
        word: text.to_owned(),
        known: all.map(|value| value.to_string()).collect(),
    })
}

/// Reads and writes a type as its text, wherever serde does.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}

/// Reads and writes an enum of words, which has `ALL` and `word`, by them. What is read goes through
/// `current` first, where there is one.
macro_rules! words {
    ($type:ty, $kind:expr $(, $($current:tt)+)?) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::BadWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $(let text = $($current)+(text);)?
                $crate::word::find($kind, text, Self::ALL)
            }
        }

        $crate::word::serde_as_text!($type);
    };
}

pub(crate) use {serde_as_text, words};

#[cfg(test)]
mod tests {
    use crate::{Condition, Control, Fault, Flag, Profile};

    #[test]
    fn a_wrong_word_is_answered_with_the_nearest_and_all_right_ones() {
        let error = "p3p".parse::<Control>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown control method `p3p`: did you mean `p2p`? expected normal, p2p or tunnelled"
        );
    }

    #[test]
    fn a_word_like_no_other_gets_no_guess() {
        let error = "0".parse::<Flag>().unwrap_err();
        assert_eq!(error.nearest(), None);
    }

    #[test]
    fn a_short_word_is_like_no_long_one_but_for_what_it_begins() {
        let bad = |word: &str| crate::BadWord {
            kind: "axis",
            word: word.to_owned(),
            known: vec!["feature(postcopy-preempt)".to_owned()],
        };
        assert_eq!(bad("foo").nearest(), None);
        assert_eq!(bad("fea").nearest(), Some("feature(postcopy-preempt)"));
    }

    #[test]
    fn every_word_is_read_as_what_it_was_written_from() {
        for fault in Fault::ALL {
            assert_eq!(fault.word().parse(), Ok(fault));
        }
        for condition in Condition::ALL {
            assert_eq!(condition.word().parse(), Ok(condition));
        }
        for profile in Profile::ALL {
            assert_eq!(profile.word().parse(), Ok(profile));
        }
    }

    #[test]
    fn serde_writes_the_word() {
        assert_eq!(
            serde_json::to_string(&Flag::UndefineSource).unwrap(),
            r#""undefine""#
        );
        assert!(serde_json::from_str::<Control>(r#""p3p""#).is_err());
    }
}
