//! `migratrix completions` and `migratrix man`: the command line, for a shell to complete and for `man` to
//! show.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{cli::Cli, say};

/// Prints what the shell completes the command line by.
pub fn completions(shell: Shell) {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), say::NAME, &mut script);
    say::as_it_is(&script);
}

/// Writes a page for each command into the folder, which is made where it is not there.
///
/// # Errors
/// Fails where a page can't be written.
pub fn pages(folder: &Path) -> Result<()> {
    let cannot = || format!("can't write the manual pages into {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use clap::Command;

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
}
