//! What an axis is: an enum of words. All that reads, writes, asks for or lists its values comes from
//! one place, the enum's own.

pub(crate) mod text;

pub(crate) use text::{axes_options, axes_point};

/// One axis: its name in filters, its values, and the word of each.
pub trait Axis: Copy + Eq + Sized + 'static {
    /// What is known of it where its type is not.
    const INFO: AxisInfo;
    /// What it is called.
    const NAME: &'static str = Self::INFO.name;
    /// All values; the first is meant where a name says nothing.
    const ALL: &'static [Self];

    /// The word that stands for the value in names and filters.
    fn word(self) -> &'static str;

    /// The word that stood for it first: what was written with it is still read.
    fn first_word(self) -> &'static str {
        let now = self.word();
        let mut former = Self::INFO.former.iter();
        former
            .find(|(_, of)| *of == now)
            .map_or(now, |(word, _)| word)
    }
}

/// What filters, lists and help know of an axis.
#[derive(Debug, PartialEq, Eq)]
pub struct AxisInfo {
    /// What it is called.
    pub name: &'static str,
    /// The filter's predicate that takes its words: its name, but for axes that share one.
    pub predicate: &'static str,
    /// What the predicate says that a wrong word should have been.
    pub kind: &'static str,
    /// The word of each value, and what it means in a sentence.
    pub words: &'static [(&'static str, &'static str)],
    /// Words that values once had, the oldest first, and the one that each has now.
    pub former: &'static [(&'static str, &'static str)],
}

impl AxisInfo {
    /// The word of today for one of today or of before; any other stays as it is.
    #[must_use]
    pub fn current<'w>(&self, word: &'w str) -> &'w str {
        let mut former = self.former.iter();
        former
            .find(|(old, _)| *old == word)
            .map_or(word, |(_, now)| now)
    }
}

/// What a point has of an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    /// A value.
    Is(&'static AxisInfo, &'static str),
    /// Whether a word of it is in the point's set of them.
    Has(&'static AxisInfo, &'static str, bool),
}

impl Value {
    /// The point's value of an axis.
    pub fn of<A: Axis>(value: A) -> Self {
        Self::Is(&A::INFO, value.word())
    }

    /// For each value of an axis, whether it is in the point's set of them.
    pub fn set<A: Axis>(has: impl Fn(A) -> bool) -> impl Iterator<Item = Self> {
        let all = A::ALL.iter();
        all.map(move |value| Self::Has(&A::INFO, value.word(), has(*value)))
    }

    /// Whether it is that the axis of this name has this word.
    pub fn is(&self, axis: &str, word: &str) -> bool {
        match self {
            Self::Is(info, own) | Self::Has(info, own, true) => (info.name, *own) == (axis, word),
            Self::Has(_, _, false) => false,
        }
    }
}

/// Makes an enum an axis. The first value is the usual one. `kind` is what a wrong word should have
/// been, where that is not the axis's name; `of` names the predicate that it shares with other axes,
/// and what a wrong word of that should have been. A value whose word has changed names the words that
/// it `once` had, the oldest first: they are read like the new one, wherever words are, and never
/// written.
macro_rules! axis {
    (
        $(#[doc = $doc:literal])*
        $type:ident, $name:literal
        $(, kind $kind:literal)?
        $(, of $predicate:literal as $part:literal)? {
            $($(#[doc = $value_doc:literal])* $value:ident = $word:literal $(once $former:literal)*,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[doc = $value_doc])* $value,)*
        }

        impl $type {
            /// All values; the first is the usual one.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$value),*];

            const KIND: &'static str = [$($kind,)? $name][0];

            /// The word that stands for it in names and filters.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }

            /// What it means, in a sentence or more.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$value => concat!($($value_doc),*).trim_ascii_start(),)*
                }
            }
        }

        impl $crate::Axis for $type {
            const INFO: $crate::AxisInfo = $crate::AxisInfo {
                name: $name,
                predicate: [$($predicate,)? $name][0],
                kind: [$($part,)? Self::KIND][0],
                words: &[$(($word, Self::$value.sentence())),*],
                former: &[$($(($former, $word),)*)*],
            };
            const ALL: &'static [Self] = &Self::ALL;

            fn word(self) -> &'static str {
                Self::word(self)
            }
        }

        impl Default for $type {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        $crate::word::words!($type, Self::KIND, <Self as $crate::Axis>::INFO.current);
    };
}

pub(crate) use axis;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BackupForm, Condition, Control, Persistence, Profile, Transport};

    /// An axis that was made for this test knows all of itself.
    #[test]
    fn an_axis_is_told_once_and_knows_its_words_its_sentences_and_its_errors() {
        axis! {
            /// The colour of a bike shed.
            Colour, "colour", kind "colour of a shed" {
                /// As the sky
                /// is.
                Blue = "blue",
                /// As grass is.
                Green = "green" once "verdant" once "lime",
            }
        }
        assert_eq!(Colour::ALL.map(Colour::word), ["blue", "green"]);
        assert_eq!(Colour::default(), Colour::Blue);
        assert_eq!("green".parse(), Ok(Colour::Green));
        assert_eq!(Colour::Blue.sentence(), "As the sky is.");
        let wrong = "greem".parse::<Colour>().unwrap_err().to_string();
        assert_eq!(
            wrong,
            "unknown colour of a shed `greem`: did you mean `green`? expected blue or green"
        );
        assert_eq!(serde_json::to_string(&Colour::Blue).unwrap(), r#""blue""#);
        let words = [("blue", "As the sky is."), ("green", "As grass is.")];
        assert_eq!(Colour::INFO.words, words);
        assert_eq!(Colour::INFO.predicate, "colour");
        for word in ["lime", "verdant"] {
            assert_eq!(
                word.parse(),
                Ok(Colour::Green),
                "what was once written is read"
            );
            let quoted = format!(r#""{word}""#);
            assert_eq!(
                serde_json::from_str::<Colour>(&quoted).unwrap(),
                Colour::Green
            );
        }
        assert_eq!(Colour::Green.to_string(), "green", "and is not written");
        assert_eq!(Axis::first_word(Colour::Green), "verdant");
        assert_eq!(Axis::first_word(Colour::Blue), "blue");
    }

    #[test]
    fn no_word_of_before_is_one_of_today() {
        for info in crate::axes().chain([&Condition::INFO, &Profile::INFO]) {
            for (old, _) in info.former {
                assert!(info.words.iter().all(|(word, _)| word != old), "{old}");
            }
        }
    }

    #[test]
    fn every_axis_has_a_sentence_for_each_of_its_words() {
        let infos = [
            &Control::INFO,
            &Persistence::INFO,
            &Transport::INFO,
            &BackupForm::INFO,
            &Condition::INFO,
            &Profile::INFO,
        ];
        for info in infos {
            for (word, sentence) in info.words {
                assert!(sentence.ends_with('.'), "{}: {word}: {sentence}", info.name);
            }
        }
    }

    #[test]
    fn axes_of_one_predicate_say_so() {
        assert_eq!(Persistence::INFO.predicate, "state");
        assert_eq!(Persistence::INFO.kind, "part of a state");
        let wrong = "lasting".parse::<Persistence>().unwrap_err();
        assert_eq!(wrong.kind, "persistence");
    }
}
