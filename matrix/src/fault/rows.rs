//! The faults of a suite, as one table: what each is called, when it is committed, on
//! which point, and which condition must see it, and how.

/// Makes the enum of such faults, and its rows of the fault table. They stand in the order of the
/// conditions that detect them.
macro_rules! faults {
    (
        $(#[$type_doc:meta])*
        $type:ident: $suite:ident;

        $($(#[$doc:meta])* $fault:ident = $word:literal: $moment:ident, $point:expr, $detected_by:ident, $how:ident;)*
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$doc])* $fault,)*
        }

        impl $type {
            /// All values, in the order of the conditions that detect them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$fault),*];

            /// The word that stands for it in names and filters.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$fault => $word,)*
                }
            }

            pub(crate) const fn row(self) -> $crate::fault::Row {
                match self {
                    $(Self::$fault => $crate::fault::Row {
                        moment: $crate::Moment::$moment,
                        point: $crate::Point::$suite($point),
                        detected_by: $crate::Condition::$detected_by,
                        how: $crate::Detection::$how,
                    },)*
                }
            }
        }
    };
}

pub(crate) use faults;
