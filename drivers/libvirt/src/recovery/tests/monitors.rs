//! What the second monitors of QEMUs that are made up tell, and how long that is waited for.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use super::*;
use crate::recovery::call::{Call, Sent};

/// A postcopy that is let go, and one that stays held until it is given up.
const LET_GO: &str =
    "recovery/libvirt/a,a,b/management-reset/postcopy-middle/p2p/persistent-running-undefined/live";
const HELD: &str = "recovery/libvirt/a,a,b/management-reset/postcopy-middle+give-up/p2p/persistent-running-undefined/live";

/// How often a QEMU says that it is not there yet: for longer than a postcopy that is broken off is looked at.
const NOT_YET: u32 = 50;

/// A QEMU that is asked for its status, says the first word this often, and then the second.
struct Qemu {
    socket: PathBuf,
    asked: Arc<AtomicU32>,
}

impl Qemu {
    fn saying(dir: &Path, [first, then]: [&'static str; 2]) -> Self {
        let (socket, asked) = (dir.join("monitor"), Arc::default());
        let listener = UnixListener::bind(&socket).unwrap();
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            answer(stream, [first, then], &count).await;
        });
        Self { socket, asked }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer(stream: UnixStream, [first, then]: [&str; 2], asked: &AtomicU32) {
    let mut stream = BufReader::new(stream);
    let version = json!({ "qemu": { "micro": 0, "minor": 2, "major": 5 }, "package": "" });
    let mut said = json!({ "QMP": { "version": version, "capabilities": ["oob"] } });
    loop {
        let bytes = format!("{said}\r\n");
        stream.get_mut().write_all(bytes.as_bytes()).await.unwrap();
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return;
        }
        let command: Value = serde_json::from_str(&line).unwrap();
        let answer = if command["execute"] == "qmp_capabilities" {
            json!({})
        } else {
            let before = asked.fetch_add(1, Ordering::Relaxed);
            json!({ "status": if before < NOT_YET { first } else { then } })
        };
        said = json!({ "return": answer, "id": command["id"] });
    }
}

/// A host whose daemon runs, and whose QEMU is this one.
fn host(release: &str, dir: &Path, qemu: Option<&Qemu>) -> Arc<dyn Host> {
    let own = Made::new(release, dir.join("started"));
    let monitor = qemu.map(|qemu| qemu.socket.clone());
    Arc::new(Made { monitor, ..own })
}

/// How often the source's QEMU was asked until nothing moved any more.
async fn asked_until_settled(case: &str) -> u32 {
    let dir = tempfile::tempdir().unwrap();
    let qemu = Qemu::saying(dir.path(), ["postcopy-active", "completed"]);
    let program = client(&dir.path().join("started"));
    fs::write(dir.path().join("started"), "").unwrap();
    let listener = Listener::of_silent_hosts(Arc::clone(&program));
    let mut slot = Slot::new(program, listener);
    let source = host("a", dir.path(), Some(&qemu));
    let destination = host("b", dir.path(), None);
    let script = script(case);
    let mut driver = LibvirtDriver::new(&mut slot, source, destination, script.subject.clone());
    let mut record = Recorder::new(script.header(1, 0), None);
    driver.settle(&mut record).await.unwrap();
    qemu.asked()
}

#[tokio::test]
async fn a_postcopy_that_was_let_go_has_not_settled_while_qemu_sends_it_though_no_daemon_has_a_job()
{
    let asked = asked_until_settled(LET_GO).await;
    assert!(asked > NOT_YET, "{asked}");
}

#[tokio::test]
async fn a_postcopy_that_is_held_until_it_is_given_up_is_not_waited_for() {
    assert_eq!(asked_until_settled(HELD).await, 0);
}

#[tokio::test]
async fn a_migration_stands_at_finish_only_when_the_destination_waits_for_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let qemu = Qemu::saying(dir.path(), ["inmigrate", "paused"]);
    let program = client(&dir.path().join("started"));
    let listener = Listener::of_silent_hosts(Arc::clone(&program));
    let mut slot = Slot::new(program, listener);
    let (source, destination) = (
        host("a", dir.path(), None),
        host("b", dir.path(), Some(&qemu)),
    );
    let script = script(CASE);
    let mut driver = LibvirtDriver::new(&mut slot, source, destination, script.subject.clone());
    driver.ordeal.call = Some(Call(Sent::new(std::future::pending())));
    let stands = driver.has_all(RecoveryMoment::Finish).await;
    assert!(stands.is_ok());
    assert_eq!(qemu.asked(), NOT_YET + 1);
}

#[tokio::test]
async fn a_destination_that_is_not_seen_to_have_all_is_not_taken_to_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = client(&dir.path().join("started"));
    let listener = Listener::of_silent_hosts(Arc::clone(&program));
    let mut slot = Slot::new(program, listener);
    let (source, destination) = (host("a", dir.path(), None), host("b", dir.path(), None));
    let script = script(CASE);
    let driver = LibvirtDriver::new(&mut slot, source, destination, script.subject.clone());
    let stands = driver.has_all(RecoveryMoment::Finish).await;
    assert!(matches!(stands, Err(Error::Missed("finish"))));
}
