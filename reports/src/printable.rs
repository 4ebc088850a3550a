//! Texts of others, made safe to print: a hypervisor's error can hold anything.

/// The text, where it has more than so many characters cut and marked as such.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The text with what neither a terminal should get nor XML 1.0 can hold written out, as `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        if plain || matches!(c, '\t' | '\n') {
            printable.push(c);
        } else {
            printable.extend(c.escape_unicode());
        }
    }
    printable
}
