//! `migratrix man`: the command line, for `man` to show.

use std::{fs, io, path::Path};

use anyhow::{Context, Result};
use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;

use crate::{cli::Cli, say::Shown};

/// Writes a page for each command into the folder, which is made where it is not there.
///
/// # Errors
/// Fails where a page can't be written.
pub fn pages(folder: &Path) -> Result<()> {
    let cannot = || format!("can't write the manual pages into {}", folder.shown());
    fs::create_dir_all(folder).with_context(cannot)?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    write(command, folder).with_context(cannot)
}

/// Writes the page of a command, and those of the commands in it.
fn write(command: Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write(below.clone(), folder)?;
    }
    let has_commands = command.has_subcommands();
    let has_version = command.get_version().is_some();
    let notes = command.get_after_help().map(ToString::to_string);
    let values = values(&command);
    let page = Man::new(command);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    let mut synopsis = Vec::new();
    page.render_synopsis_section(&mut synopsis)?;
    let synopsis = String::from_utf8_lossy(&synopsis).into_owned();
    let named = values
        .iter()
        .fold(synopsis, |text, (bare, named)| text.replace(bare, named));
    text.extend(named.into_bytes());
    page.render_description_section(&mut text)?;
    let mut options = Vec::new();
    page.render_options_section(&mut options)?;
    text.extend(listed(&String::from_utf8_lossy(&options)).into_bytes());
    if has_commands {
        page.render_subcommands_section(&mut text)?;
    }
    text.extend(sections(&notes.unwrap_or_default()).into_bytes());
    if has_version {
        page.render_version_section(&mut text)?;
    }
    fs::write(folder.join(page.get_filename()), text)
}

/// What the synopsis says of each option with a value and of what may be there several times, and what it
/// is to say: the values are not named in it.
fn values(command: &Command) -> Vec<(String, String)> {
    let options = command.get_opts().filter_map(|one| {
        let long = escaped_word(one.get_long()?);
        let takes = one.get_num_args().unwrap_or_default();
        let name = format!("\\fI{}\\fR", escaped_word(&value_of(one)?));
        let name = if takes.min_values() == 0 {
            format!("[{name}]")
        } else {
            name
        };
        let bare = format!("\\fB\\-\\-{long}\\fR]");
        Some((
            bare.clone(),
            format!("{} {name}]", bare.trim_end_matches(']')),
        ))
    });
    let several = command
        .get_positionals()
        .filter(|one| one.get_num_args().unwrap_or_default().max_values() > 1);
    let several = several.filter_map(|one| {
        let bare = format!("\\fI{}\\fR>", value_of(one)?);
        Some((bare.clone(), format!("{bare}...")))
    });
    options.chain(several).collect()
}

/// The name of an argument's value, as its help has it.
fn value_of(argument: &Arg) -> Option<String> {
    if !argument.get_num_args().unwrap_or_default().takes_values() {
        return None;
    }
    let own = argument.get_value_names().map(|names| names.join(" "));
    Some(own.unwrap_or_else(|| argument.get_id().as_str().to_uppercase()))
}

/// A word as roff has to be given it.
fn escaped_word(word: &str) -> String {
    escaped(word).trim_end().to_owned()
}

/// The options, in which each value that one can have stands by itself, with what it means below.
fn listed(options: &str) -> String {
    const ITEM: &str = ".IP \\(bu 2";
    let (mut text, mut is_value) = (String::new(), false);
    for line in options.lines() {
        match line.split_once(": ").filter(|_| is_value) {
            Some((value, help)) => text += &format!("\\fB{value}\\fR\n{help}\n"),
            None if line == ITEM => text += ".TP 4\n",
            // Its depth is that of the option's text.
            None if line == ".RS 14" => text += ".RS 7\n",
            None => text += &format!("{line}\n"),
        }
        is_value = line == ITEM;
    }
    text
}

/// What stands behind a command's help, as sections: lines below a heading stay lines, and prose is prose.
fn sections(notes: &str) -> String {
    let mut text = String::new();
    for part in notes.split("\n\n").filter(|part| !part.is_empty()) {
        let (first, rest) = part.split_once('\n').unwrap_or((part, ""));
        let heading = HEADINGS.iter().find(|(word, _)| first.starts_with(word));
        text += &match heading {
            Some((_, name)) => format!(".SH {name}\n.nf\n{}.fi\n", escaped(rest)),
            None => format!(".SH NOTES\n{}", escaped(part)),
        };
    }
    text
}

/// How a part of the notes begins, and which section of a page it is.
const HEADINGS: [(&str, &str); 2] = [("Exit codes", "EXIT STATUS"), ("Example", "EXAMPLES")];

/// Lines as roff has to be given them: see groff(7).
fn escaped(lines: &str) -> String {
    let line = |line: &str| {
        let line = line
            .replace('\\', "\\e")
            .replace('-', "\\-")
            .replace('\'', "\\(aq");
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        format!("{guard}{line}\n")
    };
    lines.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the pages of a command and of those below it, and what each must speak of.
    fn expected(command: &Command, above: &str) -> Vec<(String, Vec<String>)> {
        let name = [above, command.get_name()].join("-");
        let name = name.trim_start_matches('-').to_owned();
        let options = command.get_opts().filter_map(|one| one.get_long());
        let options = options.map(|long| format!("\\-\\-{}", long.replace('-', "\\-")));
        let own = (format!("{name}.1"), options.collect());
        let below = command.get_subcommands();
        let below = below.flat_map(|command| expected(command, &name));
        [own].into_iter().chain(below).collect()
    }

    #[test]
    fn there_is_a_page_for_each_command_and_it_tells_each_option() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("share/man1");
        pages(&folder).unwrap();
        let expected = expected(&Cli::command(), "");
        assert!(expected.len() > 12);
        let there = fs::read_dir(&folder).unwrap().count();
        assert_eq!(there, expected.len());
        for (name, options) in expected {
            let text = fs::read_to_string(folder.join(&name)).unwrap();
            assert!(text.contains(".SH SYNOPSIS"), "{name}: {text}");
            for option in options {
                assert!(text.contains(&option), "{option} is not in {name}: {text}");
            }
        }
    }

    #[test]
    fn the_synopsis_names_the_value_of_each_option_that_has_one() {
        let dir = tempfile::tempdir().unwrap();
        pages(dir.path()).unwrap();
        let synopsis = |name: &str| {
            let page = fs::read_to_string(dir.path().join(name)).unwrap();
            let (_, rest) = page.split_once(".SH SYNOPSIS").unwrap();
            rest.split_once(".SH").unwrap().0.to_owned()
        };
        let run = synopsis("migratrix-run.1");
        for part in [
            "[\\fB\\-\\-config\\fR \\fIFILE\\fR]",
            "[\\fB\\-E\\fR|\\fB\\-\\-expression\\fR \\fIEXPRESSION\\fR]",
            "[\\fB\\-\\-last\\-failed\\fR [\\fIDIR\\fR]]",
            "[\\fB\\-\\-fail\\-fast\\fR]",
            "[\\fB\\-\\-suite\\fR \\fISUITE\\fR]",
        ] {
            assert!(run.contains(part), "{part} is missing: {run}");
        }
        let compare = synopsis("migratrix-compare.1");
        assert!(compare.contains("<\\fIDIRS\\fR>..."), "{compare}");
    }

    #[test]
    fn examples_and_exit_codes_are_sections_and_each_value_stands_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        pages(dir.path()).unwrap();
        let page = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let jump = page("migratrix-jump.1");
        assert!(jump.contains(".SH NOTES\nKnown failures count"), "{jump}");
        assert!(jump.contains(".SH EXIT STATUS\n.nf\n  0  all"), "{jump}");
        let run = page("migratrix-run.1");
        assert!(
            run.contains(".SH EXAMPLES\n.nf\n  migratrix run \\-\\-source"),
            "{run}"
        );
        assert!(run.contains(".TP 4\n\\fBqemu\\fR\nTransport"), "{run}");
        let whole = page("migratrix.1");
        assert!(whole.contains(".SH EXAMPLES\n.nf\n"), "{whole}");
        for page in [jump, run, whole] {
            assert!(!page.contains(".SH EXTRA"), "{page}");
        }
    }
}
