//! What a client process and its driver say to each other. Links nothing but `serde`.

pub mod protocol;
pub mod wire;

/// The argument of a client that is an original. It gets a socket of sequenced packets as its standard input.
/// Each packet asks for a copy, and carries the three pipes that are to be the copy's standard input, output
/// and errors; it is answered by the copy's number, an `i32`. Copies are children of the original's parent.
pub const ORIGINAL: &str = "original";
