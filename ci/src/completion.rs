//! What a shell offers where the Tab key is struck: it asks this program, which knows the releases that are
//! built.

use clap::CommandFactory;
use clap_complete::{
    CompleteEnv, CompletionCandidate, Shell,
    env::{EnvCompleter, Shells},
};

use crate::{cli::Cli, meaning, say};

/// The variable of the environment by which a shell asks: its value is the shell's name.
const ASKED_BY: &str = "MIGRATRIX_COMPLETE";

/// Answers where a shell asks, and ends the program then.
pub fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(ASKED_BY)
        .complete();
}

/// Prints the script by which this shell asks.
///
/// # Errors
/// Fails where the shell is not known, or the script can't be made.
pub fn script(shell: Shell) -> anyhow::Result<()> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let asks: &dyn EnvCompleter = shells
        .completer(&name)
        .ok_or_else(|| anyhow::anyhow!("there are no completions for {name}"))?;
    let mut script = Vec::new();
    asks.write_registration(ASKED_BY, say::NAME, say::NAME, say::NAME, &mut script)?;
    say::as_it_is(&script);
    Ok(())
}

/// The releases that are built; none where the store can't be read.
pub fn releases() -> Vec<CompletionCandidate> {
    let stock = meaning::store().ok().and_then(|store| store.list().ok());
    let all = stock.map(|stock| stock.whole).unwrap_or_default();
    let names = all.iter().map(|one| one.name().to_string());
    names.map(CompletionCandidate::new).collect()
}
