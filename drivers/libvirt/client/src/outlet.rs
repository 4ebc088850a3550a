//! The way out: lines on stdout, each written whole.

use std::{
    io::{self, Write},
    process,
};

use migratrix_client::wire::{Answer, Reply};
use serde::Serialize;

/// Writes `line`; whoever can't be told anything has nothing left to do.
pub fn say(line: &impl Serialize) {
    let mut text = serde_json::to_vec(line).expect("the words of the wire are all JSON");
    text.push(b'\n');
    let mut out = io::stdout().lock();
    if out.write_all(&text).and_then(|()| out.flush()).is_err() {
        process::exit(0);
    }
}

/// Writes the answer to the request `id`.
pub fn answer(id: Option<u64>, reply: Reply) {
    say(&Answer { id, reply });
}
