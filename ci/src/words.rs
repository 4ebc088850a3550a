//! Reads the words of an axis from the command line, and lists them in `--help`.

use std::{ffi::OsStr, str::FromStr};

use clap::{
    Arg, Command,
    builder::{PossibleValue, TypedValueParser},
    error::{Error, ErrorKind},
};
use migratrix_matrix::{Axis, BadWord, Profile};

/// The words of an axis, and what `--help` says of each value.
#[derive(Clone, Copy)]
pub struct Words<A> {
    help: fn(A) -> String,
}

/// The words of any axis, each with what it means.
pub const fn words<A: Axis>() -> Words<A> {
    Words { help: sentence }
}

/// The profiles, each with the suite that it is a part of.
pub const fn profiles() -> Words<Profile> {
    Words {
        help: |profile| format!("{}: {}", profile.suite(), sentence(profile)),
    }
}

/// What the value means.
fn sentence<A: Axis>(value: A) -> String {
    let mut words = A::INFO.words.iter();
    let found = words.find(|(word, _)| *word == value.word());
    found.map_or_else(String::new, |(_, sentence)| (*sentence).to_owned())
}

impl<A> TypedValueParser for Words<A>
where
    A: Axis + FromStr<Err = BadWord> + Send + Sync,
{
    type Value = A;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, typed: &OsStr) -> Result<A, Error> {
        let Some(text) = typed.to_str() else {
            return Err(Error::new(ErrorKind::InvalidUtf8).with_cmd(command));
        };
        let told = |bad: BadWord| Error::raw(ErrorKind::InvalidValue, format!("{bad}\n"));
        text.parse().map_err(told)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = A::ALL.iter().copied();
        Some(Box::new(all.map(|value| {
            PossibleValue::new(value.word()).help((self.help)(value))
        })))
    }
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::{Backend, Suite};

    use super::*;

    #[test]
    fn help_lists_every_value_of_an_axis_with_what_it_means() {
        let parser = words::<Suite>();
        let listed: Vec<_> = parser.possible_values().unwrap().collect();
        let names: Vec<_> = listed.iter().map(PossibleValue::get_name).collect();
        assert_eq!(names, Suite::ALL.map(Suite::word));
        assert!(listed.iter().all(|value| value.get_help().is_some()));
        let profiles: Vec<_> = profiles().possible_values().unwrap().collect();
        let help = profiles[0].get_help().unwrap().to_string();
        assert!(help.starts_with("tck: The 96 scenarios"), "{help}");
    }

    #[test]
    fn a_wrong_word_is_answered_as_everywhere() {
        let parse = |word: &str| {
            let command = Command::new("migratrix");
            words::<Backend>().parse_ref(&command, None, OsStr::new(word))
        };
        assert_eq!(parse("fake").unwrap(), Backend::Fake);
        let error = parse("fak").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let said = error.to_string();
        let told =
            "error: unknown back end `fak`: did you mean `fake`? expected libvirt, qemu or fake";
        assert_eq!(said.trim_end(), told);
    }
}
