//! Arguments that are no text where text is wanted. The name of a file may be any bytes, and is not blamed.

use std::{
    any::TypeId,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use clap::{Arg, Command};

use crate::say::Shown;

/// Which of these arguments are no text and should be, each with the option that it is of.
pub fn told(cli: &Command, arguments: &[OsString]) -> String {
    let command = named(cli, arguments);
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    let bad = pairs.filter(|(_, argument)| argument.to_str().is_none());
    let all: Vec<_> = bad
        .map(|(before, argument)| Odd::of(&command, before, argument))
        .collect();
    let named = all.iter().filter(|one| one.takes != Takes::Path);
    let named: Vec<_> = named.map(|one| one.told.as_str()).collect();
    // What every option takes is known; of what is not one, all are named.
    let named = match named.as_slice() {
        [] => all.iter().map(|one| one.told.as_str()).collect(),
        [_, ..] => named,
    };
    format!(
        "not UTF-8: {}: give it in letters that are, or rename what it names",
        named.join(", ")
    )
}

/// What an argument takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Path,
}

/// An argument that is no text.
struct Odd {
    told: String,
    takes: Takes,
}

impl Odd {
    fn of(command: &Command, before: &OsStr, argument: &OsStr) -> Self {
        let shown = Path::new(argument).shown();
        // `--option=value` is one argument.
        let (own, value) = match shown.split_once('=') {
            Some((own, value)) if own.starts_with("--") => (Some(own), value),
            Some(_) | None => (before.to_str(), shown.as_str()),
        };
        let option = own.and_then(|own| Some((own, option(command, own)?)));
        match option {
            Some((own, option)) => Self {
                told: format!("`{value}` of {own}"),
                takes: takes(option),
            },
            None => Self {
                told: format!("`{shown}`"),
                takes: of_positionals(command),
            },
        }
    }
}

/// The command that is called, with all that stands above it.
fn named(cli: &Command, arguments: &[OsString]) -> Command {
    let mut cli = cli.clone();
    cli.build();
    let mut command = &cli;
    for word in arguments.iter().filter_map(|one| one.to_str()) {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    command.clone()
}

/// The option of this name that has a value.
fn option<'c>(command: &'c Command, named: &str) -> Option<&'c Arg> {
    let is_it = |one: &&Arg| {
        let long = one.get_long().map(|long| format!("--{long}"));
        let short = one.get_short().map(|short| format!("-{short}"));
        [long, short].contains(&Some(named.to_owned()))
    };
    let mut all = command.get_opts();
    all.find(is_it)
}

fn takes(argument: &Arg) -> Takes {
    if argument.get_value_parser().type_id() == TypeId::of::<PathBuf>() {
        Takes::Path
    } else {
        Takes::Text
    }
}

/// What the arguments that are no options take, where they take the same.
fn of_positionals(command: &Command) -> Takes {
    let all: Vec<_> = command.get_positionals().map(takes).collect();
    if !all.is_empty() && all.iter().all(|one| *one == Takes::Path) {
        Takes::Path
    } else {
        Takes::Text
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn what_is_no_text_is_told_by_its_bytes_and_the_name_of_a_file_is_not_blamed() {
        for (typed, expected) in [
            (
                &["jump", "x\u{ff}", "--ladder", "y\u{ff}"][..],
                "`y\\xff` of --ladder",
            ),
            (
                &["run", "--known", "x\u{ff}", "-E", "y\u{ff}"],
                "`y\\xff` of -E",
            ),
            (
                &["run", "--known=x\u{ff}", "--case=y\u{ff}"],
                "`y\\xff` of --case",
            ),
            (&["reproduce", "y\u{ff}", "--run", "x\u{ff}"], "`y\\xff`"),
            (&["releases", "build", "y\u{ff}"], "`y\\xff`"),
        ] {
            // Each such character is one byte that is no text.
            let bytes = |word: &str| word.chars().map(|c| c as u8).collect::<Vec<_>>();
            let typed = typed.iter().map(|word| OsString::from_vec(bytes(word)));
            let typed: Vec<_> = ["migratrix".into()].into_iter().chain(typed).collect();
            let told = told(&Cli::command(), &typed);
            assert!(
                told.starts_with(&format!("not UTF-8: {expected}: ")),
                "{told}"
            );
        }
    }
}
