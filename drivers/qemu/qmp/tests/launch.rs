//! Starting what is no QEMU: a shell that stands in for it.

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use migratrix_qmp::{Binary, Launch, QemuCapsCache, QemuError};

const LONG: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Launch {
    let mut binary = Binary::at("/bin/sh");
    binary.words.extend(["-c", script, "sh"].map(Into::into));
    Launch::new(binary)
}

#[tokio::test]
async fn what_ends_before_it_speaks_is_told_at_once_with_its_last_words() {
    let began = Instant::now();
    let error = shell("echo no such machine >&2; exit 3")
        .start(LONG)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "awaited QEMU's greeting, but QEMU ended with exit status: 3: no such machine"
    );
    assert!(began.elapsed() < LONG / 2);
}

#[tokio::test]
async fn only_the_end_of_what_it_said_is_kept() {
    let script = "yes long | head -c 1000000 >&2; echo the end >&2; exit 1";
    let error = shell(script).start(LONG).await.unwrap_err().to_string();
    assert!(
        error.ends_with("the end") && error.len() < 20_000,
        "{}",
        error.len()
    );
}

#[tokio::test]
async fn what_says_nothing_is_an_error_at_the_deadline() {
    let error = shell("exec sleep 60")
        .start(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error.awaited(), Some("QEMU's greeting"));
    assert!(matches!(error, QemuError::TimedOut { .. }));
}

/// What a QEMU that speaks QMP and nothing else says and does, in bash; it notes its number in a file.
const QEMU: &str = r#"
for word; do case $word in socket,*fd=*) fd=${word##*fd=};; esac; done
echo '{"QMP": {"version": {"qemu": {"major": 9, "minor": 0, "micro": 0}, "package": ""}, "capabilities": []}}' >&$fd
read -r -u $fd asked
[[ $asked =~ \"id\":\ *([0-9]+) ]]
echo "{\"return\": {}, \"id\": ${BASH_REMATCH[1]}}" >&$fd
echo $$ > NOTE.new
mv NOTE.new NOTE
exec sleep 600
"#;

/// A QEMU by a wrapper that has it as a child.
fn wrapped(note: &Path) -> Launch {
    speaking(note, "")
}

/// A QEMU by a shell that starts it with the word `how`.
fn speaking(note: &Path, how: &str) -> Launch {
    let script = note.with_extension("sh");
    let qemu = QEMU.replace("NOTE", note.to_str().unwrap());
    fs::write(&script, qemu).unwrap();
    shell(&format!("{how} bash {} \"$@\"; exit 1", script.display()))
}

async fn number_in(note: &Path) -> String {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let deadline = Instant::now() + LONG;
    loop {
        tick.tick().await;
        match fs::read_to_string(note) {
            Ok(number) => return number.trim().to_owned(),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

fn runs(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.contains("State:") && !status.contains("State:\tZ")
}

async fn ended(pid: &str) {
    let deadline = Instant::now() + LONG;
    while runs(pid) {
        assert!(Instant::now() < deadline, "it is left");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wrapper_is_killed_with_its_qemu() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("killed");
    let mut qemu = wrapped(&note).start(LONG).await.unwrap();
    let child = number_in(&note).await;
    assert!(runs(&child) && qemu.pid().unwrap().to_string() != child);
    qemu.kill().await.unwrap();
    assert!(!runs(&child));
    let note = folder.path().join("dropped");
    let qemu = wrapped(&note).start(LONG).await.unwrap();
    let child = number_in(&note).await;
    drop(qemu);
    ended(&child).await;
}

#[tokio::test]
async fn what_is_not_there_is_an_error_that_names_it() {
    let launch = Launch::new(Binary::at("/nowhere/qemu"));
    let error = launch.start(LONG).await.unwrap_err().to_string();
    assert!(error.contains("`/nowhere/qemu`"), "{error}");
}

#[tokio::test]
async fn a_cache_of_a_binary_that_is_not_there_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let cache = QemuCapsCache::new(folder.path());
    let error = cache
        .abilities(&Binary::at("/nowhere/qemu"), LONG)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(error, "can't read /nowhere/qemu");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The name of the test below, and what tells it that it is the one who is killed: the file for its QEMU's number.
const KILLED: (&str, &str) = (
    "a_qemu_dies_with_the_process_that_started_it",
    "MIGRATRIX_TEST_NOTE",
);

#[tokio::test]
async fn a_qemu_dies_with_the_process_that_started_it() {
    if let Some(note) = env::var_os(KILLED.1) {
        let note = Path::new(&note);
        let _qemu = speaking(note, "exec").start(LONG).await.unwrap();
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", KILLED.0])
        .env(KILLED.1, &note)
        .spawn()
        .unwrap();
    let qemu = number_in(&note).await;
    assert!(runs(&qemu));
    process.kill().unwrap();
    process.wait().unwrap();
    ended(&qemu).await;
}
