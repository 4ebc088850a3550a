//! Real hosts: the examples are run as a person would run them. Needs releases in the store (or
//! roots named by
//! `MIGRATRIX_TEST_ROOTS`, a folder with one root each) and the right to make namespaces.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use migratrix_lab::{Store, cache_folder};

/// How long processes may take to vanish.
const GONE: Duration = Duration::from_secs(10);

/// A release to try, in a store of the test's own.
struct Trial {
    dir: tempfile::TempDir,
    release: String,
}

impl Trial {
    /// `None`, with the reason printed, where there is no release.
    fn new() -> Option<Self> {
        let Some(root) = any_root() else {
            eprintln!(
                "skipped: no release in {} and no MIGRATRIX_TEST_ROOTS",
                cache_folder().display()
            );
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let mut add = Command::new(program("lab"));
        add.env("MIGRATRIX_CACHE", dir.path())
            .args(["add", "trial"]);
        let added = add.arg(root).output().unwrap();
        if !added.status.success() {
            eprintln!("skipped: {}", String::from_utf8_lossy(&added.stderr));
            return None;
        }
        Some(Self {
            dir,
            release: "trial".to_owned(),
        })
    }

    fn lab(&self) -> Command {
        self.command("lab")
    }

    fn command(&self, example: &str) -> Command {
        let mut command = Command::new(program(example));
        command
            .env("MIGRATRIX_CACHE", self.dir.path())
            .env("LAB_DIR", self.dir.path().join("run"));
        command
    }

    /// A lab with two hosts that are up.
    fn up(&self) -> Child {
        let mut child = self
            .lab()
            .arg(&self.release)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("trial-s "));
        assert!(lines.next().unwrap().unwrap().starts_with("trial-d "));
        child
    }

    /// That an example, which is called with the release, prints these lines.
    #[track_caller]
    fn tells(&self, example: &str, lines: &[&str]) {
        let mut example = self.command(example);
        let output = example.arg(&self.release).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        for line in lines {
            assert!(said.contains(line), "no `{line}` in:\n{said}{error}");
        }
    }

    /// Neither mounts nor interfaces are to be seen outside the sandbox, before and after.
    fn assert_nothing_outside(&self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(
            !mounts.contains(self.dir.path().to_str().unwrap()),
            "{mounts}"
        );
        assert!(!Path::new("/sys/class/net/migratrix0").exists());
    }
}

fn await_end_of(pids: &[String]) {
    let deadline = Instant::now() + GONE;
    while let Some(pid) = pids.iter().find(|pid| is_alive(pid)) {
        assert!(Instant::now() < deadline, "process {pid} is left");
        std::thread::yield_now();
    }
}

/// Whether a process still runs. One that only waits to be reaped doesn't.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn any_root() -> Option<PathBuf> {
    let named = env::var_os("MIGRATRIX_TEST_ROOTS").map(PathBuf::from);
    let roots = named.into_iter().flat_map(fs::read_dir).flatten().flatten();
    let stored = || {
        Store::open(&cache_folder())
            .ok()?
            .list()
            .ok()?
            .whole
            .first()
            .map(|release| release.root())
    };
    roots
        .map(|root| root.path())
        .find(|path| path.is_dir())
        .or_else(stored)
}

/// An example, which is built beside the tests.
fn program(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors()
        .nth(2)
        .map(|folder| folder.join("examples").join(example))
        .unwrap()
}

fn children(pid: &str) -> Vec<String> {
    let threads = Path::new("/proc")
        .join(pid)
        .join("task")
        .join(pid)
        .join("children");
    let text = fs::read_to_string(threads).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn descendants(pid: &str) -> Vec<String> {
    children(pid)
        .into_iter()
        .flat_map(|child| [descendants(&child), vec![child]].concat())
        .collect()
}

fn signal(name: &str, pid: &str) {
    assert!(
        Command::new("kill")
            .args([name, pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_daemon_answers_inside_its_host_and_the_exit_code_comes_out() {
    let Some(trial) = Trial::new() else { return };
    let run = |words: &[&str]| {
        trial
            .lab()
            .args([&trial.release, "--"])
            .args(words)
            .output()
            .unwrap()
    };
    let version = run(&["virsh", "version"]);
    let said = String::from_utf8_lossy(&version.stdout);
    assert!(said.contains("Running hypervisor: QEMU"), "{said}");
    assert_eq!(run(&["sh", "-c", "exit 7"]).status.code(), Some(7));
}

#[test]
fn a_polite_request_lets_the_command_end_by_itself() {
    let Some(trial) = Trial::new() else { return };
    let mut lab = trial.up();
    let all = descendants(&lab.id().to_string());
    signal("-TERM", &lab.id().to_string());
    assert_eq!(lab.wait().unwrap().code(), Some(0));
    await_end_of(&all);
}

#[test]
fn whichever_process_of_the_sandbox_is_killed_nothing_is_left() {
    let Some(trial) = Trial::new() else { return };
    for depth in 0..4 {
        let mut lab = trial.up();
        let outer = lab.id().to_string();
        let all = descendants(&outer);
        assert!(all.len() > 8, "two hosts with a daemon each: {all:?}");
        trial.assert_nothing_outside();
        // The outer process, unshare, init, the runner.
        let victim = (0..depth).fold(outer, |pid, _| children(&pid)[0].clone());
        signal("-KILL", &victim);
        assert!(!lab.wait().unwrap().success());
        await_end_of(&all);
        trial.assert_nothing_outside();
    }
}

#[test]
fn a_host_knows_what_is_left_of_a_guest_and_comes_up_clean_when_replaced() {
    let Some(trial) = Trial::new() else { return };
    trial.tells(
        "faults",
        &[
            "one host for two wishes: true\n",
            "alive: true process, true file, ",
            "killed: false process, false file, 0 in all\n",
            "a link on the host leads to the host's file: true\n",
            "again: Err(NotFound)\n",
            "health: Up\n",
            "stopped: Down(\"its daemon is stopped\")\n",
            "replaced: Up, run 2\n",
            "other guest: Some([])\n",
            "closed: Err(NotConnected)\n",
        ],
    );
}

#[test]
fn what_is_done_to_a_host_itself_is_taken_back_and_its_guests_go_on() {
    let Some(trial) = Trial::new() else { return };
    trial.tells(
        "control",
        &[
            "a plain host has a control: false\n",
            "killed: None\n",
            "another one: true\n",
            "knows its guest: running\n",
            "goes on: running\n",
            "is there again: running\n",
            "reached without a link: false\n",
            "reached with one: true\n",
            "/run/libvirt/qemu: full true, hidden false\n",
            "/var/lib/libvirt/qemu: full true, hidden false\n",
            "/var/log/libvirt/qemu: full true, hidden false\n",
            "refused: true\n",
            "held: true\n",
            "went on: true\n",
            "starts without memory: false\n",
            "starts with it: true\n",
            "calls that are noted: []\n",
            "left: Leftovers { own: [], unowned: [], others: 0 }\n",
            "health: Up\n",
        ],
    );
}
