//! Addresses: of files beside the page, and of choices of cases on it.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What of a path an address gives a meaning of its own, and is written as its bytes.
const PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b'@');

/// What of a value of a choice is written as it is.
const VALUE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The address of a file.
pub fn address(way: &str) -> String {
    utf8_percent_encode(way, &PATH).to_string()
}

/// A link to a file.
pub fn link(way: &str, shows: &str) -> Markup {
    html! { a href=(address(way)) { (shows) } }
}

/// The address of a choice of cases: what the page's script reads, and writes.
pub fn query(choice: &[(&str, &str)]) -> String {
    let value = |value| utf8_percent_encode(value, &VALUE);
    let parts = choice
        .iter()
        .map(|(axis, one)| format!("{}={}", value(axis), value(one)));
    format!("#{}", parts.collect::<Vec<_>>().join("&"))
}
