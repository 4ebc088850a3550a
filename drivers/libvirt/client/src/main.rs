//! The process that holds the libvirt client library of one release, so that a crash or a hang of
//! that library is one case's observation. It reads requests on stdin and answers on stdout, in the
//! words of [`migratrix_client::wire`], and ends when stdin does.

mod calls;
mod copies;
mod crew;
mod event_loop;
mod failure;
mod hosts;
mod looks;
mod migration;
mod ops;
mod outlet;
mod words;

use std::{
    env,
    io::{self, BufRead},
    sync::Arc,
};

use calls::Copied;
use crew::Crew;
use hosts::Hosts;
use migratrix_client::{
    ORIGINAL, protocol,
    wire::{Reply, Request},
};
use serde_json::Value;

fn main() {
    // It is read from the program's file: see there.
    std::hint::black_box(&protocol::MARK);
    calls::die_with_parent();
    if env::args_os().nth(1).is_some_and(|word| word == ORIGINAL) {
        match copies::make() {
            Ok(Copied::Copy) => calls::die_with_parent(),
            // Who asks for copies is told by the end of it, and does without.
            Ok(Copied::Original(_)) | Err(_) => return,
        }
    }
    virt::error::clear_error_callback();
    if let Err(error) = event_loop::start() {
        return outlet::answer(None, Reply::Bad(format!("no event loop: {error}")));
    }
    let crew = Crew::new(Arc::new(Hosts::default()));
    for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        match read(&line) {
            Ok(request) => crew.serve(request),
            Err((id, why)) => outlet::answer(id, Reply::Bad(why)),
        }
    }
    // Threads that hang in the library must not keep the process.
    std::process::exit(0);
}

/// Reads a request, or says what is wrong with it, by its id if it has one.
fn read(line: &[u8]) -> Result<Request, (Option<u64>, String)> {
    serde_json::from_slice(line).map_err(|error| {
        let value: Value = serde_json::from_slice(line).unwrap_or_default();
        let id = value.get("id").and_then(Value::as_u64);
        (id, format!("not a request: {error}"))
    })
}
