//! All that the program prints goes through here: `println!`, `eprintln!` and their like of this
//! crate are the ones below, which know what the usual ones don't:
//!
//! - A reader that has closed its end wants no more: the program goes on quietly, and exits as it
//!   would have. What else can't be printed ends in an error, told where [`end`] is called.
//! - A hint to call this program names it as it was called, so that it can be copied and typed.
//! - A value of thousands of characters, given back in an error, is shortened.

mod fitted;

use std::{
    env,
    io::{self, ErrorKind, IsTerminal, Write, stderr, stdout},
    sync::{Mutex, OnceLock, PoisonError},
};

pub use fitted::{columns, fitted};
use migratrix_lab::sandbox;
pub use migratrix_matrix::{Shown, typed_word};

macro_rules! print {
    ($($text:tt)*) => { $crate::say::out(&format!($($text)*)) };
}

macro_rules! println {
    ($($text:tt)*) => { $crate::say::out(&(format!($($text)*) + "\n")) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::say::error(&format!($($text)*)) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::say::error(&(format!($($text)*) + "\n")) };
}

/// What the program is called in the texts.
pub const NAME: &str = "migratrix";
/// Its commands, by which a hint to call it is told from its name.
pub const COMMANDS: [&str; 14] = [
    "doctor",
    "releases",
    "list",
    "run",
    "judge",
    "report",
    "compare",
    "reproduce",
    "explain",
    "jump",
    "schema",
    "lab",
    "completions",
    "man",
];
/// The longest word or quoted value that is told whole, in characters.
const LONG: usize = 300;
/// How much of a longer one is told, from its beginning and from its end.
const BEGINNING: usize = 60;
const END: usize = 20;

/// Why the standard output can't be written any more.
static TROUBLE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a text to the standard output.
pub fn out(text: &str) {
    as_it_is(named(text, called()).as_bytes());
}

/// Prints what is for a program to read: no name in it is that by which this one was called.
pub fn as_it_is(text: &[u8]) {
    let mut trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if trouble.is_none() {
        *trouble = stdout().write_all(text).err();
    }
}

/// Prints a text to the standard error. Where that can't be written, there is nobody to tell.
pub fn error(text: &str) {
    let text = named(&shortened(text), called());
    let _untold = stderr().write_all(text.as_bytes());
}

/// Ends the printing.
///
/// # Errors
/// Fails where something could not be printed, and not because its reader wanted no more.
pub fn end() -> io::Result<()> {
    let mut trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
    match trouble.take().map_or_else(|| stdout().flush(), Err) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

/// So many of something, in words that are right for one as well.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

/// Whether what is written there is coloured.
#[must_use]
pub fn is_coloured(to: &impl IsTerminal) -> bool {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    to.is_terminal() && env::var_os("NO_COLOR").is_none() && !is_dumb
}

/// How this program was called, as a shell has to be given it.
#[must_use]
pub fn called() -> &'static str {
    static CALLED: OnceLock<String> = OnceLock::new();
    CALLED.get_or_init(|| {
        let typed = sandbox::called_as().or_else(|| env::args_os().next());
        let typed = typed.unwrap_or_else(|| NAME.into());
        typed_word(&typed.to_string_lossy())
    })
}

/// The text, whose hints to call this program name it as `called`.
fn named(text: &str, called: &str) -> String {
    let mut parts = text.split(NAME);
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_hint = named.chars().next_back().is_none_or(begins_hint) && is_call(part);
        named += if is_hint { called } else { NAME };
        named += part;
    }
    named
}

/// Whether a call may stand behind this character.
fn begins_hint(before: char) -> bool {
    before.is_whitespace() || "`'\"(".contains(before)
}

/// Whether what follows the program's name makes a call of it.
fn is_call(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(' ') else {
        return false;
    };
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next();
    word.is_some_and(|word| COMMANDS.contains(&word))
}

/// The text, in which what was typed with a line's end or a tab in it, as the name of a directory may
/// have, is told within its line.
#[must_use]
pub fn typed_in_lines(text: &str) -> String {
    let typed = env::args_os().map(|word| word.to_string_lossy().into_owned());
    in_lines(text, typed)
}

fn in_lines(text: &str, typed: impl Iterator<Item = String>) -> String {
    let is_told = |c: char| matches!(c, '\n' | '\t');
    let mut text = text.to_owned();
    for word in typed.filter(|word| word.contains(is_told)) {
        let value = word.split_once('=').map_or("", |(_, value)| value);
        for part in [word.as_str(), value] {
            let part = part.trim_matches(is_told);
            let escaped = part.replace('\n', "\\n").replace('\t', "\\t");
            if escaped != part {
                text = text.replace(part, &escaped);
            }
        }
    }
    text
}

/// The text, of which no word and no quoted value is longer than a person reads.
#[must_use]
pub fn shortened(text: &str) -> String {
    let quoted: Vec<_> = text.split('`').map(shortened_words).collect();
    let last = quoted.len() - 1;
    let parts = (0..).zip(quoted).map(|(place, part)| {
        let is_value = place % 2 == 1 && place < last;
        if is_value { cut(&part) } else { part }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn shortened_words(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let body = word.trim_end();
            cut(body) + &word[body.len()..]
        })
        .collect()
}

/// The value; of a long one its beginning, its end, and how long it is.
fn cut(value: &str) -> String {
    let length = value.chars().count();
    if length <= LONG {
        return value.to_owned();
    }
    let beginning: String = value.chars().take(BEGINNING).collect();
    let end: String = value.chars().skip(length - END).collect();
    format!("{beginning}…{end} ({length} characters)")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_hint_names_the_program_as_it_was_called() {
        let hint = "sid is not built: migratrix releases build sid";
        assert_eq!(
            named(hint, "target/release/migratrix"),
            "sid is not built: target/release/migratrix releases build sid"
        );
        assert_eq!(named("`migratrix run`", "./m"), "`./m run`");
    }

    #[test]
    fn a_path_is_told_within_a_line_and_a_shell_reads_the_word_for_it() {
        let name = "a\nb\t'c\\\u{1b}[31m\u{202e}";
        assert_eq!(Path::new(name).shown(), "a\\nb\\t'c\\\\u{1b}[31m\\u{202e}");
        let word = typed_word(name);
        assert!(!word.contains(char::is_control), "{word}");
        let mut shell = std::process::Command::new("bash");
        let read = shell.arg("-c").arg(format!("printf %s {word}")).output();
        assert_eq!(read.expect("there is a bash").stdout, name.as_bytes());
        assert_eq!(typed_word("a b"), "'a b'");
    }

    /// The files of a folder, and those of the folders in it.
    fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let files = paths.map(|path| {
            if path.is_dir() {
                files_in(&path)
            } else {
                vec![path]
            }
        });
        files.collect::<Vec<_>>().concat()
    }

    #[test]
    fn no_path_is_told_as_it_is() {
        let display = [".dis", "play()"].concat();
        for file in files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains(&display), "{}: take shown()", file.shown());
        }
    }

    #[test]
    fn what_is_no_hint_stays_as_it_is() {
        for text in [
            "migratrix: no such run",
            "/root/.cache/migratrix run",
            "my-migratrix run",
            "migratrix.toml",
            "migratrix runs",
        ] {
            assert_eq!(named(text, "./m"), text);
        }
    }

    #[test]
    fn what_was_typed_with_a_lines_end_is_told_within_its_line() {
        let typed = || {
            ["judge", "a\nb", "--out=c\td"]
                .map(str::to_owned)
                .into_iter()
        };
        for (text, told) in [
            ("a\nb is not a run", "a\\nb is not a run"),
            ("a\nb/x\nc\td", "a\\nb/x\nc\\td"),
            ("the filter\n  a b", "the filter\n  a b"),
        ] {
            assert_eq!(in_lines(text, typed()), told);
        }
    }

    #[test]
    fn a_value_of_thousands_of_characters_is_shortened_and_its_length_told() {
        let long = "a".repeat(5_000);
        let told = shortened(&format!("unknown suite `{long}`: expected tck\nhere"));
        assert!(told.starts_with("unknown suite `aaa"), "{told}");
        assert!(
            told.ends_with("a (5000 characters)`: expected tck\nhere"),
            "{told}"
        );
        assert!(told.chars().count() < 200, "{told}");
        let spaced = shortened(&format!("the filter `{}` is bad", "a ".repeat(2_500)));
        assert!(spaced.contains("(5000 characters)` is bad"), "{spaced}");
    }

    #[test]
    fn a_usual_message_stays_as_it_is() {
        let usual = "`buster` is not a known release:  expected bookworm\n  or trixie` ";
        assert_eq!(shortened(usual), usual);
    }
}
