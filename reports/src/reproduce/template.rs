//! Filling templates of scripts, and writing words so that a shell takes them as they are.

use base64::{Engine, engine::general_purpose::STANDARD};
use migratrix_matrix::shell_word;

/// The template with each `{{NAME}}` as it is among the values. What is filled in is not looked at again.
pub(super) fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        let value = values.iter().find(|(its, _)| *its == name);
        text += value.map_or("", |(_, value)| value);
        text += rest;
    }
    text
}

/// The word that ends a document in a script: no line of the document is that.
pub(super) fn end_of(document: &str, wanted: &str) -> String {
    let mut end = wanted.to_owned();
    while document.lines().any(|line| line == end) {
        end.push('_');
    }
    end
}

/// The image as lines of text, up to its last byte that is not zero.
pub(super) fn image_text(image: &[u8]) -> (String, usize) {
    let used = image
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    let text = STANDARD.encode(&image[..used]);
    let lines: Vec<_> = text.as_bytes().chunks(76).collect();
    let lines = lines.into_iter().map(String::from_utf8_lossy);
    (lines.collect::<Vec<_>>().join("\n"), used)
}

/// The arguments as a shell has to be given them, an option a line; `folder` becomes the script's own.
pub(super) fn arguments(words: &[String], folder: &str) -> String {
    let mut text = String::new();
    for word in words {
        let before = if word.starts_with('-') {
            " \\\n    "
        } else {
            " "
        };
        text += before;
        text += &in_folder(word, folder);
    }
    text.trim_start_matches(' ').to_owned()
}

/// A word, with the script's folder for `folder`.
fn in_folder(word: &str, folder: &str) -> String {
    let parts: Vec<_> = word.split(folder).map(quoted_part).collect();
    match parts.len() {
        1 => shell_word(word),
        _ => parts.join("\"$DIR\""),
    }
}

fn quoted_part(part: &str) -> String {
    if part.is_empty() {
        String::new()
    } else {
        shell_word(part)
    }
}

/// Each line of the text as a comment of a shell.
pub(super) fn comment(text: &str) -> String {
    let text = crate::printable(text);
    let lines = text.lines().map(|line| format!("# {line}"));
    lines
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let values = [("A", "{{B}}".to_owned()), ("B", "no".to_owned())];
        assert_eq!(filled("x {{A}}, {{B}}\n", &values), "x {{B}}, no\n");
    }

    #[test]
    fn no_line_of_a_document_ends_it() {
        assert_eq!(end_of("a\nEND\nEND_", "END"), "END__");
        assert_eq!(end_of("a END", "END"), "END");
    }

    #[test]
    fn arguments_are_quoted_and_have_the_scripts_folder() {
        let words = ["-S", "-name", "it's $(x)", "-drive", "file=/a b/boot,x=1"];
        let words = words.map(str::to_owned);
        let name = shell_word("it's $(x)");
        assert_eq!(
            arguments(&words, "/a b"),
            format!("\\\n    -S \\\n    -name {name} \\\n    -drive file=\"$DIR\"/boot,x=1")
        );
    }

    #[test]
    fn a_comment_stays_one_whatever_is_said_in_it() {
        assert_eq!(
            comment("a\nrm -rf /\r\n\nb"),
            "# a\n# rm -rf /\\u{d}\n#\n# b\n"
        );
    }
}
