//! Texts of others, made fit to print: a hypervisor's error can hold anything, and be of any length.

pub use migratrix_matrix::{printable, within_line};

/// The text, where it has more than so many characters cut and marked as such.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
