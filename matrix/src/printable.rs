//! Texts of others, made safe to print: a hypervisor's error or the name of a file can hold anything.

use std::path::Path;

/// The text with what neither a terminal should get nor XML 1.0 can hold written out, as `\u{1b}`; and
/// what turns the order of the characters around it, so that one reads another text than there is.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = !c.is_control() && !turns(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
        if plain || matches!(c, '\t' | '\n') {
            printable.push(c);
        } else {
            printable.extend(c.escape_unicode());
        }
    }
    printable
}

/// The text as [`printable`] has it, within its line: an end of a line in it, or a tab, is told as `\n` or
/// `\t`. For names of files, which may have both.
#[must_use]
pub fn within_line(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Whether a character is not seen, and changes the order or the lines in which others are: the marks,
/// embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9), and its separators of
/// lines and paragraphs.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How a path is told: a name may hold what a terminal would obey, or what would end a line.
pub trait Shown {
    /// The path as text within a line; bytes that are no text are told as `\xff`.
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        let chunks = self.as_os_str().as_encoded_bytes().utf8_chunks();
        let chunk = |chunk: std::str::Utf8Chunk<'_>| {
            let odd = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            within_line(chunk.valid()) + &odd.collect::<String>()
        };
        chunks.map(chunk).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn a_byte_of_a_path_that_is_no_text_is_told_by_its_number() {
        let path = Path::new(OsStr::from_bytes(b"a\xffb\n\xc3\xa4\xc3"));
        assert_eq!(path.shown(), "a\\xffb\\nä\\xc3");
    }

    #[test]
    fn what_turns_or_breaks_a_text_unseen_is_written_out_and_letters_of_all_scripts_stay() {
        let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
        let turns = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        for c in marks.into_iter().chain(turns) {
            let told = printable(&format!("a{c}b"));
            assert_eq!(told, format!("a\\u{{{:x}}}b", u32::from(c)));
        }
        let plain = "a\tb\n→ … שלום مرحبا 日本 \u{a0}\u{2019}";
        assert_eq!(printable(plain), plain);
    }
}
