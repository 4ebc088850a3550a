//! A daemon that dies by what was struck, on hosts that are made up: when it is gone is a matter of how often it was
//! looked for.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

mod monitors;

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    pin::Pin,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use migratrix_contract::{
    DomainSpec, Folder, Gate, HookPoint, HostTask, Leftovers, Link, Owner, ProcessIdentity, Script,
    Signalled,
};
use migratrix_guest::Parameters;
use migratrix_history::When;
use migratrix_matrix::{Case, ReleaseName};
use tokio::time::Instant;

use super::*;
use crate::{Listener, Program, Slot};

const CASE: &str = "recovery/libvirt/a,a,b/destination-qemu-killed/first-pass/tunnelled/persistent-running-undefined/live";

/// How often a daemon is looked for that is about to be gone.
const DYING: u32 = 4;

/// A client to which the source's daemon answers that it has no domain, and the destination's as soon as this file
/// is there.
fn client(started: &std::path::Path) -> Arc<Program> {
    let script = format!(
        r#"while read -r line; do
            id=${{line#*\"id\":}}; id=${{id%%[,\}}]*}}
            case $line in
            *destination*) [ -e '{}' ] && said='"ok":"absent"' || said='"bad":"gone"' ;;
            *) said='"ok":"absent"' ;;
            esac
            case $line in
            *\"listen\"*) said='"ok":"done"' ;;
            *\"open\"*) case $said in *ok*)
                said='"ok":{{"host":{{"hostname":"h","libvirt":11003000,"hypervisor":10000002}}}}' ;;
            esac ;;
            esac
            echo "{{\"id\":$id,$said}}"
        done"#,
        started.display()
    );
    let command = ["sh", "-c", &script].map(Into::into);
    Arc::new(Program::new(command.to_vec()))
}

/// A host whose daemon runs, or is about to be gone.
struct Made {
    release: ReleaseName,
    dies: bool,
    looks: AtomicU32,
    started: PathBuf,
    /// At how many looks a helper of the daemon is still there.
    helped: AtomicU32,
    /// Where the QEMU of the domain is talked to.
    monitor: Option<PathBuf>,
}

impl Made {
    fn new(release: &str, started: PathBuf) -> Self {
        Self {
            monitor: None,
            release: ReleaseName::new(release).unwrap(),
            dies: false,
            looks: AtomicU32::new(0),
            helped: AtomicU32::new(0),
            started,
        }
    }

    fn of(release: &str, dies: bool, started: PathBuf) -> Arc<dyn Host> {
        let own = Self::new(release, started);
        Arc::new(Self { dies, ..own })
    }

    /// One on which a helper of the daemon is there at so many looks.
    fn with_helper(looks: u32) -> Arc<dyn Host> {
        let helped = AtomicU32::new(looks);
        let own = Self::new("a", PathBuf::new());
        Arc::new(Self { helped, ..own })
    }
}

impl Host for Made {
    fn release(&self) -> &ReleaseName {
        &self.release
    }

    fn uri(&self) -> String {
        let side = if self.dies { "destination" } else { "source" };
        format!("test://{side}/")
    }

    fn path(&self, _inside: &str) -> Option<PathBuf> {
        self.monitor.clone()
    }

    fn command(&self, _words: &[&str]) -> io::Result<Option<Command>> {
        Ok(None)
    }

    fn leftovers(&self, domain: &str) -> io::Result<Option<Leftovers>> {
        let helper = self.helped.load(Ordering::Relaxed);
        self.helped
            .store(helper.saturating_sub(1), Ordering::Relaxed);
        let qemu = format!("process 8: /usr/bin/qemu-system-x86_64 -name guest={domain}");
        let helper = (helper > 0).then(|| "process 7: mdevctl list --dumpjson".to_owned());
        Ok(Some(Leftovers {
            own: helper.into_iter().chain([qemu]).collect(),
            ..Leftovers::default()
        }))
    }

    fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async { Err(unused()) })
    }

    fn kill_qemu(&self, _domain: &str) -> io::Result<()> {
        Err(unused())
    }

    fn enter(&self, _owner: &Owner) {}

    fn control(&self) -> Option<&dyn HostControl> {
        Some(self)
    }
}

fn unused() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

impl HostControl for Made {
    fn daemon(&self) -> io::Result<Option<ProcessIdentity>> {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        let runs = !self.dies || looks < DYING || self.started.exists();
        Ok(runs.then_some(ProcessIdentity { pid: 7, started: 1 }))
    }

    fn start_daemon(&self) -> HostTask<'_> {
        Box::pin(async { fs::write(&self.started, "") })
    }

    fn signal_daemon(&self, _how: Signalled) -> HostTask<'_> {
        Box::pin(async { Err(unused()) })
    }

    fn qemu(&self, _domain: &str) -> io::Result<Option<ProcessIdentity>> {
        Ok(None)
    }

    fn signal_qemu(&self, _domain: &str, _how: Signalled) -> io::Result<()> {
        Err(unused())
    }

    fn set_link(&self, _link: Link) -> io::Result<()> {
        Err(unused())
    }

    fn fill(&self, _folder: Folder) -> HostTask<'_> {
        Box::pin(async { Err(unused()) })
    }

    fn empty(&self, _folder: Folder) -> HostTask<'_> {
        Box::pin(async { Err(unused()) })
    }

    fn limit_memory(&self, _bytes: Option<u64>) -> io::Result<()> {
        Err(unused())
    }

    fn set_gate(&self, _domain: &str, _at: HookPoint, _gate: Gate) -> io::Result<()> {
        Err(unused())
    }

    fn open_gates(&self, _domain: &str) -> io::Result<()> {
        Err(unused())
    }

    fn hook_calls(&self, _domain: &str) -> io::Result<Vec<String>> {
        Err(unused())
    }

    fn listen(&self, _port: u16) -> io::Result<TcpListener> {
        Err(unused())
    }

    fn our_address(&self) -> Ipv4Addr {
        Ipv4Addr::LOCALHOST
    }

    fn forget(&self, _domain: &str) -> io::Result<()> {
        Ok(())
    }

    fn restore<'h>(&'h self, _domain: &'h str) -> HostTask<'h> {
        Box::pin(async { Ok(()) })
    }
}

fn script(case: &str) -> Script {
    let case: Case = case.parse().unwrap();
    let spec = DomainSpec {
        domain: "mx-1".to_owned(),
        uuid: "11111111-2222-3333-4444-555555555555".to_owned(),
        foreign_uuid: "99999999-2222-3333-4444-555555555555".to_owned(),
        machine: "pc-q35-7.2".to_owned(),
        memory_mib: 16,
        guest: Parameters::SMALL,
        boot_image: "/var/lib/libvirt/images/ab.img".to_owned(),
    };
    Script::of(&case, spec, 500)
}

/// Who is on the hosts beside the case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    Others,
}

/// What was noted while it was waited until nothing moves, how long that took, and whether the daemon was started.
async fn settled(beside: Beside) -> (Vec<String>, Duration, bool) {
    let dir = tempfile::tempdir().unwrap();
    let started = dir.path().join("started");
    let program = client(&started);
    let listener = Listener::of_silent_hosts(Arc::clone(&program));
    let mut slot = Slot::new(program, listener);
    let source = Made::of("a", false, started.clone());
    let destination = Made::of("b", true, started.clone());
    let script = script(CASE);
    let mut driver = LibvirtDriver::new(&mut slot, source, destination, script.subject.clone());
    if beside == Beside::Nobody {
        driver = driver.alone_on_its_hosts();
    }
    let mut record = Recorder::new(script.header(1, 0), None);
    let began = Instant::now();
    driver.settle(&mut record).await.unwrap();
    let notes = record.so_far().entries.iter().map(|entry| &entry.saw);
    let notes = notes.filter_map(|saw| match saw {
        Observation::Note { text } => Some(text.clone()),
        _ => None,
    });
    (notes.collect(), began.elapsed(), started.exists())
}

#[tokio::test]
async fn a_daemon_that_takes_its_time_to_die_is_started_again_once_it_is_gone_and_that_is_told() {
    let (notes, took, started) = settled(Beside::Nobody).await;
    let told = "the daemon of b has ended by itself, and is started again";
    assert_eq!(notes, [told]);
    assert!(started);
    assert!(took < Duration::from_secs(8), "it took {took:?}");
}

#[tokio::test]
async fn a_daemon_that_others_need_is_waited_for_no_longer_than_until_it_is_gone() {
    let (notes, took, started) = settled(Beside::Others).await;
    assert_eq!(notes, [""; 0]);
    assert!(!started, "whoever cares for the host replaces it");
    assert!(took < Duration::from_secs(8), "it took {took:?}");
}

/// What a host is found to have, on which a helper of its daemon is there at so many looks.
async fn stock(helped: u32) -> Vec<String> {
    let started = PathBuf::new();
    let program = client(&started);
    let mut slot = Slot::new(Arc::clone(&program), Listener::of_silent_hosts(program));
    let script = script(CASE);
    let driver = LibvirtDriver::new(
        &mut slot,
        Made::with_helper(helped),
        Made::with_helper(0),
        script.subject.clone(),
    );
    let mut record = Recorder::new(script.header(1, 0), None);
    let (side, when) = (Side::Source, When::After);
    driver.take_stock(side, when, &mut record).await.unwrap();
    let mut found = record
        .so_far()
        .entries
        .iter()
        .filter_map(|entry| match &entry.saw {
            Observation::Stock { found, .. } => Some(found.clone()),
            _ => None,
        });
    found.next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_helper_of_a_daemon_is_waited_for_and_is_told_where_it_stays() {
    let qemu = |found: &String| found.contains("guest=");
    let found = stock(3).await;
    assert!(found.iter().all(qemu), "{found:?}");
    assert!(!stock(u32::MAX).await.iter().all(qemu));
}
