//! `migratrix lab env` while a lab is coming up: this process holds its name, as `lab up` does.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use migratrix_lab::{LabName, Labs};

#[test]
fn a_lab_that_is_coming_up_is_waited_for_and_said_to_be_coming() {
    let cache = tempfile::tempdir().expect("there is room");
    let labs = Labs::open(cache.path()).expect("there is room");
    let held = labs.hold(&LabName::new("default").expect("a name"));
    let held = held.expect("nobody has it");
    for asked in [&["env"][..], &["exec", "trixie-s", "--", "true"]] {
        let mut call = Command::new(env!("CARGO_BIN_EXE_migratrix"));
        let call = call.arg("lab").args(asked);
        let call = call.env("MIGRATRIX_CACHE", cache.path());
        let mut call = call.stderr(Stdio::piped()).spawn().expect("it is built");
        let mut said = BufReader::new(call.stderr.take().expect("it is a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it is text");
        assert_eq!(
            line,
            "the lab `default` is still coming up: waiting for its hosts\n"
        );
        assert!(call.try_wait().expect("it is ours").is_none());
        call.kill().expect("it is ours");
        call.wait().expect("it is ours");
    }
    let mut call = Command::new(env!("CARGO_BIN_EXE_migratrix"));
    let call = call.args(["lab", "env"]);
    let call = call.env("MIGRATRIX_CACHE", cache.path());
    let mut call = call.stderr(Stdio::piped()).spawn().expect("it is built");
    let mut said = BufReader::new(call.stderr.take().expect("it is a pipe"));
    said.read_line(&mut String::new()).expect("it is text");
    drop(held);
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it is text");
    assert!(rest.contains("no lab `default` is up"), "{rest}");
    assert_eq!(call.wait().expect("it is ours").code(), Some(2));
}
