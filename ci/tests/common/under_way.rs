//! A call that is under way.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

/// Waits until the run in `dir/out` has concluded a case.
#[track_caller]
pub fn until_concluded(dir: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    let concluded = dir.join("out/concluded.jsonl");
    while fs::read_to_string(&concluded)
        .unwrap_or_default()
        .is_empty()
    {
        assert!(Instant::now() < deadline, "no case is concluded");
        std::thread::yield_now();
    }
}

/// Sends a signal, as `-INT`, to a call that is under way.
#[track_caller]
pub fn signal(running: &Child, signal: &str) {
    let kill = Command::new("kill")
        .args([signal, &running.id().to_string()])
        .status();
    assert!(kill.expect("kill starts").success());
}
