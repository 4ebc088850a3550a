//! Points that are a value of each of some axes: how they are read and written.

/// What a point has of options: its axes of which only the unusual words are written, with `+` between
/// them. A set among them has each of its words there; they come first.
macro_rules! axes_options {
    ($type:ident, [$($option:ident: $option_type:ty),* $(,)?] $(, set: $set:ident: $element:ty)?) => {
        impl $type {
            /// What it has of each option but the set.
            fn option_values(&self) -> impl Iterator<Item = $crate::axis::Value> {
                [$($crate::axis::Value::of(self.$option)),*].into_iter()
            }

            /// The words of what is not usual.
            fn option_words(&self) -> Vec<&'static str> {
                let mut words = Vec::new();
                $(words.extend(self.$set.iter().map(<$element>::word));)?
                $(if self.$option != <$option_type>::default() {
                    words.push(self.$option.word());
                })*
                words
            }

            /// Sets the options whose words these are.
            fn put_all(&mut self, words: &str) -> Result<(), $crate::BadWord> {
                words.split('+').try_for_each(|word| self.put(word))
            }

            /// Sets the option that `word` is a value of.
            fn put(&mut self, word: &str) -> Result<(), $crate::BadWord> {
                let mut known = Vec::new();
                $(
                    let now = <$element as $crate::Axis>::INFO.current(word);
                    let found = <$element>::ALL.into_iter().find(|value| value.word() == now);
                    if let Some(value) = found.filter(|value| !self.$set.has(*value)) {
                        self.$set = self.$set.with(value);
                        return Ok(());
                    }
                    known.extend(<$element>::ALL.map(|value| value.word().to_owned()));
                )?
                $(
                    let unusual = <$option_type>::ALL.into_iter().skip(1);
                    let now = <$option_type as $crate::Axis>::INFO.current(word);
                    let found = unusual.clone().find(|value| value.word() == now);
                    if let Some(value) = found.filter(|_| self.$option == <$option_type>::default()) {
                        self.$option = value;
                        return Ok(());
                    }
                    known.extend(unusual.map(|value| value.word().to_owned()));
                )*
                Err($crate::BadWord {
                    kind: "option, or one that is there already,",
                    word: word.to_owned(),
                    known,
                })
            }
        }
    };
}

/// Makes a struct of axes a point: its text is the words of its heads and, as a last part, those of
/// its options that are not the usual ones, or `plain`. A set among the options has each of its words
/// there; they come first.
macro_rules! axes_point {
    (
        $type:ident, $shape:literal,
        heads: [$($head:ident: $head_type:ty),*],
        options: [$($option:ident: $option_type:ty),* $(,)?]
        $(, set: $set:ident: $element:ty)?
    ) => {
        impl $type {
            /// Its axes.
            pub const AXES: &'static [&'static $crate::AxisInfo] = &[
                $(&<$head_type as $crate::Axis>::INFO,)*
                $(&<$option_type as $crate::Axis>::INFO,)*
                $(&<$element as $crate::Axis>::INFO,)?
            ];

            /// What it has of each.
            pub(crate) fn values(&self) -> Vec<$crate::axis::Value> {
                let mut all = vec![$($crate::axis::Value::of(self.$head)),*];
                all.extend(self.option_values());
                $(all.extend($crate::axis::Value::set(|one: $element| self.$set.has(one)));)?
                all
            }
        }

        $crate::axis::axes_options!($type, [$($option: $option_type),*] $(, set: $set: $element)?);

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $(write!(f, "{}/", self.$head.word())?;)*
                let words = self.option_words();
                f.write_str(&if words.is_empty() { "plain".to_owned() } else { words.join("+") })
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::BadWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let shape = || $crate::BadWord {
                    kind: "point",
                    word: text.to_owned(),
                    known: vec![$shape.to_owned()],
                };
                let mut parts = text.split('/');
                let mut point = Self::default();
                $(point.$head = parts.next().ok_or_else(shape)?.parse()?;)*
                let options = parts.next().ok_or_else(shape)?;
                if parts.next().is_some() {
                    return Err(shape());
                }
                if options != "plain" {
                    point.put_all(options)?;
                }
                Ok(point)
            }
        }

        $crate::word::serde_as_text!($type);
    };
}

pub(crate) use {axes_options, axes_point};
