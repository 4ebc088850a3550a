//! A request to stop is answered with a word and the code for it, also before a command listens to it.

use std::{
    io::Read,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;
#[path = "common/under_way.rs"]
#[expect(dead_code, reason = "these tests need few of the helpers")]
mod under_way;

use common::{Said, fresh};
use under_way::signal;

#[test]
fn a_command_that_is_asked_to_stop_while_it_listens_to_nothing_says_so() {
    for request in ["-INT", "-TERM"] {
        let dir = fresh();
        // Its output is more than a pipe takes, and nobody reads the rest.
        let mut running = Command::new("env")
            .args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_migratrix")])
            .args([
                "list",
                "--suite",
                "qemu",
                "--profile",
                "families",
                "--format",
                "json",
            ])
            .current_dir(dir.path())
            .env("MIGRATRIX_CACHE", dir.path().join("cache"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program is built");
        let mut first = [0];
        let out = running.stdout.as_mut().expect("it is piped");
        out.read_exact(&mut first).expect("it has begun");
        signal(&running, request);
        let mut out = running.stdout.take().expect("it is piped");
        let ended = running.wait_with_output().expect("it ends");
        out.read_to_end(&mut Vec::new()).expect("it is closed");
        assert_eq!(ended.status.signal(), None, "{request}");
        let said = Said::of(&ended);
        assert_eq!(
            (said.code, said.err.as_str()),
            (130, "migratrix: stopped by a signal\n"),
            "{request}"
        );
    }
}
