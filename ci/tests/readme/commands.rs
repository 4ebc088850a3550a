//! The commands of the pages are known to the program, and select something.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::pages::{Page, page, pages, root};

/// The commands of the shell blocks of a page, word by word.
fn commands(page: &Page) -> Vec<Vec<String>> {
    let script = page.block("sh").replace("\\\n", " ");
    let lines = script.lines().flat_map(|line| {
        let inner = line
            .split_once("$(")
            .map(|(_, rest)| rest.split(')').next().unwrap_or_default());
        let own = if inner.is_some() { "" } else { line };
        [own, inner.unwrap_or_default()]
    });
    let words =
        lines.map(|line| shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", page.name())));
    words.flat_map(|words| split(&words)).collect()
}

/// The commands of a line: at `;`, `|` and `&`, with no redirection and no variable before them.
fn split(words: &[String]) -> Vec<Vec<String>> {
    let is_end = |word: &String| [";", "|", "||", "&", "&&"].contains(&word.as_str());
    let parts = words.split(is_end).map(|part| {
        let part = part
            .iter()
            .skip_while(|word| word.contains('=') && !word.starts_with('-'));
        let part = part.take_while(|word| !word.starts_with(['<', '>']));
        part.cloned().collect::<Vec<_>>()
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// All calls of the program in the pages: of the blocks, and of pieces of code in the text.
fn calls() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for page in pages() {
        let inline = page.between("`", "`").into_iter();
        let inline = inline.filter_map(|code| shlex::split(code.strip_prefix("migratrix ")?));
        let own = commands(&page).into_iter();
        let own = own
            .filter(|words| words[0] == "migratrix")
            .map(|words| words[1..].to_vec());
        all.extend(own.chain(inline).map(|words| (page.name(), words)));
    }
    all
}

/// How a call ended, and what it said on standard error.
pub struct Said {
    pub code: Option<i32>,
    pub err: String,
}

/// Calls the program in `dir`, with a cache of its own there.
pub fn call(dir: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_migratrix"))
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .output()
        .expect("the program is built");
    Said {
        code: output.status.code(),
        err: String::from_utf8(output.stderr).expect("it prints text"),
    }
}

pub fn fresh() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Calls the program with `--help` as a last option: what comes before it must be known.
fn explained(words: &[String]) -> Said {
    let end = words
        .iter()
        .position(|word| word == "--")
        .unwrap_or(words.len());
    let mut words: Vec<&str> = words[..end].iter().map(String::as_str).collect();
    words.push("--help");
    call(fresh().path(), &words)
}

#[test]
fn every_command_of_the_pages_is_known_with_its_options() {
    let calls = calls();
    assert!(calls.len() > 30, "{} calls were found", calls.len());
    for (page, words) in calls {
        let said = explained(&words);
        assert_eq!(
            said.code,
            Some(0),
            "{page}: migratrix {}: {}",
            words.join(" "),
            said.err
        );
    }
}

#[test]
fn every_script_that_the_pages_call_can_be_called() {
    use std::os::unix::fs::PermissionsExt;
    for page in pages() {
        for words in commands(&page)
            .into_iter()
            .filter(|words| words[0].starts_with("ci/"))
        {
            let file = fs::metadata(root().join(&words[0]));
            let file =
                file.unwrap_or_else(|error| panic!("{}: {}: {error}", page.name(), words[0]));
            assert!(file.permissions().mode() & 0o111 != 0, "{}", words[0]);
        }
    }
}

/// The options that select cases, each with a value.
const SELECTING: [&str; 14] = [
    "--suite",
    "--profile",
    "--backend",
    "--client",
    "--source",
    "--destination",
    "--boundary",
    "--expression",
    "-E",
    "--case",
    "--cover",
    "--with",
    "--cover-seed",
    "--shard",
];

/// The releases that commands of the pages add, or name as a build.
fn own_releases() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, words) in calls() {
        let builds = words.windows(2).filter(|pair| pair[0] == "--qemu");
        names.extend(builds.filter_map(|pair| Some(pair[1].split_once('=')?.0.to_owned())));
        if let [first, second, name, ..] = &words[..] {
            names.extend((first == "releases" && second == "add").then(|| name.clone()));
        }
    }
    names.retain(|name| name.chars().all(|c| c.is_ascii_lowercase()));
    names
}

#[test]
fn every_selection_of_the_pages_selects_something() {
    let dir = fresh();
    let settings = page("docs/configuration.md").block("toml");
    // Releases of one's own are machines here: which cases there are is the same.
    let own = own_releases().into_iter().map(|name| {
        format!(
            "[hosts.{name}]\nuri = \"qemu:///system\"\nboot_image = \"/a\"\nmachines = [\"pc-q35-7.2\"]\n"
        )
    });
    let settings = settings + &own.collect::<String>();
    fs::write(dir.path().join("migratrix.toml"), settings).expect("it can be written");
    for (page, words) in calls() {
        let selects = ["run", "list"].contains(&words[0].as_str());
        if !selects
            || words
                .iter()
                .any(|word| word == "--resume" || word == "--help" || word.contains("NAME"))
        {
            continue;
        }
        let pairs = words
            .windows(2)
            .filter(|pair| SELECTING.contains(&pair[0].as_str()));
        let selection: Vec<&str> = pairs.flatten().map(String::as_str).collect();
        let said = call(dir.path(), &[&["list", "--count"], &selection[..]].concat());
        // A release that is not built has no version to compare.
        let by_version = said.err.contains("which is not known: filter by its name");
        assert!(
            said.code == Some(0) || by_version,
            "{page}: {}: {}",
            words.join(" "),
            said.err
        );
    }
}
