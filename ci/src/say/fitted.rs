//! Texts as wide as a reader has it.

use std::io::{IsTerminal, stdout};

use rustix::termios::tcgetwinsize;

/// A text for the standard output: on a terminal its lines are as wide as that at most, and as can be read; a pipe gets
/// them as they are.
#[must_use]
pub fn fitted(text: &str) -> String {
    if !stdout().is_terminal() {
        return text.to_owned();
    }
    // A terminal that does not say how wide it is may be as wide as any.
    wrapped(text, columns().unwrap_or(READABLE).min(READABLE))
}

/// How wide the terminal is that the standard output is, in columns; nothing where it is none, or does not say.
#[must_use]
pub fn columns() -> Option<usize> {
    let size = tcgetwinsize(stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// How wide a line is at most that is read with ease.
const READABLE: usize = 100;

/// The text with its lines broken at spaces, where they are wider. What follows stands two farther to the right. A
/// command stays whole, so that it can be copied.
fn wrapped(text: &str, width: usize) -> String {
    let mut all = String::new();
    for line in text.lines() {
        let is_fit = line.chars().count() <= width || line.contains("migratrix run ");
        if is_fit {
            all.push_str(line);
        } else {
            wrap(&mut all, line, width);
        }
        all.push('\n');
    }
    all
}

fn wrap(all: &mut String, line: &str, width: usize) {
    let bare = line.trim_start();
    let indent = line.chars().count() - bare.chars().count();
    all.push_str(&" ".repeat(indent));
    let mut place = indent;
    for (number, word) in bare.split(' ').enumerate() {
        let long = word.chars().count();
        if number > 0 && place + 1 + long > width {
            all.push('\n');
            all.push_str(&" ".repeat(indent + 2));
            place = indent + 2;
        } else if number > 0 {
            all.push(' ');
            place += 1;
        }
        all.push_str(word);
        place += long;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_no_word_is_lost() {
        let text = "head\n   says migrated: the ring of the device is too long\n   a wordthatisfartoolongforit\n   \
                    migratrix run --case one/of/a/long/name\n";
        let told = "head\n   says migrated:\n     the ring of the\n     device is too\n     long\n   a\n     \
                    wordthatisfartoolongforit\n   migratrix run --case one/of/a/long/name\n";
        assert_eq!(wrapped(text, 20), told);
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(told), words(text));
        assert_eq!(wrapped(text, 100), text);
    }
}
