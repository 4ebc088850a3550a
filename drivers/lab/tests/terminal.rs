//! The sandbox on a terminal: nothing below the runner has it, and its keys still reach the outer
//! process. Needs the right to make namespaces, and no release.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use rexpect::session::{PtySession, spawn_command};

/// How long the program may take for a line, in milliseconds.
const PATIENCE: u64 = 20_000;

/// The example, which is built beside the tests.
fn example(word: &str) -> Command {
    let test = env::current_exe().unwrap();
    let built: PathBuf = test.ancestors().nth(2).unwrap().join("examples/terminal");
    let mut command = Command::new(built);
    command.arg(word);
    command
}

#[track_caller]
fn ends_with(terminal: &PtySession, code: i32) {
    let ended = format!("{:?}", terminal.process().wait().unwrap());
    assert!(ended.starts_with("Exited"), "{ended}");
    assert!(ended.ends_with(&format!(", {code})")), "{ended}");
}

#[test]
fn a_child_of_the_runner_has_no_terminal_to_read_from_or_to_be_stopped_by() {
    let mut terminal = spawn_command(example("outer"), Some(PATIENCE)).unwrap();
    for line in [
        "input is a terminal: false",
        "errors go to a terminal: true",
        "read: 0 bytes",
        "the terminal can be opened: false",
        "settings changed: false",
        "child: exit status: 0",
    ] {
        terminal.exp_string(line).unwrap();
    }
    terminal.exp_eof().unwrap();
    ends_with(&terminal, 0);
}

#[test]
fn an_interrupt_from_the_keyboard_is_passed_on_as_a_request_to_stop() {
    let mut terminal = spawn_command(example("wait"), Some(PATIENCE)).unwrap();
    terminal.exp_string("waiting").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string("asked to stop").unwrap();
    terminal.exp_eof().unwrap();
    ends_with(&terminal, 7);
}

#[test]
fn a_command_that_another_runs_is_asked_once_and_the_other_outlives_it() {
    let mut terminal = spawn_command(example("over"), Some(PATIENCE)).unwrap();
    terminal.exp_string("waiting").unwrap();
    terminal.send_control('c').unwrap();
    for line in ["asked to stop", "it ended with exit status: 7, asked: true"] {
        terminal.exp_string(line).unwrap();
    }
    terminal.exp_eof().unwrap();
    ends_with(&terminal, 0);
}

/// The only child of a process.
fn child(pid: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.trim().parse().unwrap()
}

#[test]
fn whoever_kills_the_runner_or_the_first_process_gets_no_result_but_a_word() {
    for (name, generations) in [("its first process", 2), ("the runner", 3)] {
        let mut command = example("wait");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut outer = command.spawn().unwrap();
        let mut lines = BufReader::new(outer.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "waiting");
        let mut pid = outer.id();
        for _ in 0..generations {
            pid = child(pid);
        }
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(killed.unwrap().success());
        let ended = outer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("{name} in the sandbox was killed")),
            "{said}"
        );
    }
}

#[test]
fn a_request_to_stop_that_comes_before_anybody_listens_is_told_as_one_and_a_second_ends_all_at_once()
 {
    for (part, keys, word) in [
        ("deaf", 1, "stopped by a signal"),
        ("stubborn", 2, "stopped at once by a second signal"),
    ] {
        let mut terminal = spawn_command(example(part), Some(PATIENCE)).unwrap();
        terminal.exp_string("waiting").unwrap();
        for key in 0..keys {
            terminal.send_control('c').unwrap();
            if key + 1 < keys {
                terminal.exp_string("asked to stop").unwrap();
            }
        }
        terminal.exp_string(word).unwrap();
        terminal.exp_eof().unwrap();
        ends_with(&terminal, 1);
    }
}
