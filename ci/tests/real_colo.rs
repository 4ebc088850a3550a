//! COLO on a real release. These tests are run with `--ignored`; `MIGRATRIX` names the program.

use std::{fs, path::Path, process::Command};

/// Runs a selection on two QEMUs of `sid`, and gives what the program says.
fn run(name: &str, selection: &[&str]) -> String {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room for a directory");
    let program = std::env::var_os("MIGRATRIX").expect("MIGRATRIX names the program");
    let output = Command::new(program)
        .args(["run", "--source", "sid", "--destination", "sid"])
        .args(selection)
        .args(["--out", "out"])
        .current_dir(&place)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    said
}

#[test]
#[ignore = "needs the release sid, see migratrix releases"]
fn qemus_own_eight_cases_pass() {
    let said = run("colo", &["--suite", "colo", "--profile", "qemu-colo"]);
    assert!(said.contains("8 passed"), "{said}");
}

/// `failover` holds only where the monitor was silent until the out-of-band yank, and answered after
/// it; `no-leftovers` where nothing of the stopped process stays.
#[test]
#[ignore = "needs the release sid, see migratrix releases"]
fn a_stopped_peer_that_blocks_the_monitor_is_ended_by_the_yank() {
    let selection = "failover(primary) & colo-moment(checkpoint) & loss(stopped-process)";
    let suite = ["--suite", "colo", "--profile", "colo-full"];
    let said = run("colo-stopped", &[&suite[..], &["-E", selection]].concat());
    assert!(said.contains("8 passed"), "{said}");
}
