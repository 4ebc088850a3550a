//! What an axis is: an enum of words, whose first value is the usual one.

pub(crate) mod text;

pub(crate) use text::axes_point;

/// One axis: its name in filters, its values, and the word of each.
pub trait Axis: Copy + Eq + Sized + 'static {
    /// What filters call it.
    const NAME: &'static str;
    /// All values; the first is meant where a name says nothing.
    const ALL: &'static [Self];

    /// The word that stands for the value in names and filters.
    fn word(self) -> &'static str;
}

/// Makes an enum an axis.
macro_rules! axis {
    (
        $(#[$doc:meta])*
        $type:ident, $name:literal {
            $(#[$first_doc:meta])* $first:ident = $first_word:literal,
            $($(#[$value_doc:meta])* $value:ident = $word:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $(#[$first_doc])*
            #[default]
            $first,
            $($(#[$value_doc])* $value,)*
        }

        impl $crate::Axis for $type {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[Self::$first, $(Self::$value),*];

            fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$value => $word,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::Axis::word(*self))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::BadWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let all = <Self as $crate::Axis>::ALL;
                $crate::word::find($name, text, all.iter().copied())
            }
        }
    };
}

pub(crate) use axis;
