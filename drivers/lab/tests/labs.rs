//! Labs are told by who holds their names. Needs neither a release nor any right.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use migratrix_lab::{LabError, LabName, Labs};

fn name(name: &str) -> LabName {
    LabName::new(name).unwrap()
}

/// A process that holds the name of a lab. It ends with this.
struct Holder(Child);

impl Holder {
    fn of(cache: &Path, name: &str) -> Self {
        let test = env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("examples/hold");
        let mut child = Command::new(program)
            .arg(cache)
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn up(labs: &Labs) -> Vec<String> {
    let up = labs.up().unwrap();
    up.iter()
        .map(|lab| lab.name().as_str().to_owned())
        .collect()
}

#[test]
fn each_lab_is_ended_alone_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let labs = Labs::open(dir.path()).unwrap();
    let mut first = Holder::of(dir.path(), "first");
    let mut second = Holder::of(dir.path(), "second");
    assert_eq!(up(&labs), ["first", "second"]);
    labs.get(&name("second")).unwrap().end().unwrap();
    assert!(!second.is_alive() && first.is_alive());
    assert_eq!(up(&labs), ["first"]);
    let error = labs.get(&name("second")).unwrap_err();
    assert_eq!(error.to_string(), "no lab `second` is up; up: first");
}

#[test]
fn a_name_is_given_once_and_free_again_when_its_holder_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let labs = Labs::open(dir.path()).unwrap();
    let mut holder = Holder::of(dir.path(), "one");
    assert!(matches!(labs.hold(&name("one")), Err(LabError::LabUp(_))));
    holder.0.kill().unwrap();
    holder.0.wait().unwrap();
    assert!(up(&labs).is_empty());
    labs.hold(&name("one")).unwrap();
}

#[test]
fn what_stands_in_a_lab_s_file_is_nobody_s_number() {
    let dir = tempfile::tempdir().unwrap();
    let labs = Labs::open(dir.path()).unwrap();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(dir.path().join("labs/one.lock"), stranger.id().to_string()).unwrap();
    assert!(matches!(labs.get(&name("one")), Err(LabError::NoLab(..))));
    let mut holder = Holder::of(dir.path(), "one");
    labs.get(&name("one")).unwrap().end().unwrap();
    assert!(!holder.is_alive());
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
