//! The lab: hosts on a network of their own, each started once and then kept.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use migratrix_contract::Host;
use migratrix_matrix::{HostSetup, ReleaseName, Shown, Side};
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};
use tracing::{info, warn};

use crate::{
    LabError, LabHost, StoredRelease,
    capture::Capture,
    hosts::{
        mounts, net,
        spec::{PORT, Spec, hosts_file, scratch},
        supervisor::Supervisor,
    },
    releases::caps_cache,
    sandbox,
};

/// How long a host may take to accept a connection before it counts as dead.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a host may take to end after its daemon.
const GONE: Duration = Duration::from_secs(2);
/// The longest start of a release's name that goes into a host name, in characters.
const STEM: usize = 50;

/// Hosts on a network of their own. All of them end when it is dropped.
#[derive(Debug)]
pub struct Lab {
    dir: PathBuf,
    slots: Mutex<HashMap<(ReleaseName, Seat), Arc<Slot>>>,
    starts: AtomicU32,
    /// Its network's traffic, or why it is not captured.
    capture: Result<Arc<Capture>, String>,
}

/// Which host of a release it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seat {
    /// The side of migrations that it is for.
    pub side: Side,
    /// How its daemon is set up.
    pub setup: HostSetup,
    /// Which of several that are alike.
    pub number: u16,
}

/// The place of a host, from the first wish for it.
#[derive(Debug)]
struct Slot {
    number: u16,
    hostname: String,
    host: OnceCell<Arc<LabHost>>,
}

/// How a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Its daemon accepts connections.
    Up,
    /// It needs to be replaced.
    Down(String),
}

impl Lab {
    /// A lab without hosts, whose logs go to `dir`.
    ///
    /// # Errors
    /// Returns an error outside the sandbox, or where its network or files can't be made.
    pub fn new(dir: &Path) -> Result<Self, LabError> {
        if !sandbox::is_inside() {
            return Err(LabError::Outside);
        }
        fs::create_dir_all(dir).map_err(LabError::file("create", dir))?;
        let dir = dir.canonicalize().map_err(LabError::file("read", dir))?;
        let scratch = scratch(&dir);
        fs::create_dir_all(&scratch).map_err(LabError::file("create", &scratch))?;
        mounts::mount_scratch(&scratch)?;
        let shared = shared(&dir);
        fs::create_dir(&shared).map_err(LabError::file("create", &shared))?;
        let hosts = hosts_file(&dir);
        fs::write(&hosts, "127.0.0.1 localhost\n").map_err(LabError::file("write", hosts))?;
        net::make_bridge()?;
        let capture = Capture::begin(net::BRIDGE).map_err(|error| {
            warn!("the lab's network is not captured: {error}");
            error.to_string()
        });
        info!("the lab is there, its logs go to {}", dir.shown());
        Ok(Self {
            dir,
            slots: Mutex::default(),
            starts: AtomicU32::new(0),
            capture,
        })
    }

    /// The first host of this release on this side, set up in this way, see [`Lab::host_at`].
    ///
    /// # Errors
    /// Returns an error where it doesn't come up; the next call tries again.
    pub async fn host(
        &self,
        release: &StoredRelease,
        side: Side,
        setup: HostSetup,
    ) -> Result<Arc<LabHost>, LabError> {
        let number = 0;
        let seat = Seat {
            side,
            setup,
            number,
        };
        self.host_at(release, seat).await
    }

    /// The host of this release at this seat, set up in its way where its libvirt is one for which that is
    /// meant. It is started at the first call, and kept.
    ///
    /// # Errors
    /// Returns an error where it doesn't come up; the next call tries again.
    pub async fn host_at(
        &self,
        release: &StoredRelease,
        seat: Seat,
    ) -> Result<Arc<LabHost>, LabError> {
        let seat = Seat {
            setup: seat.setup.of(release.release().libvirt),
            ..seat
        };
        let slot = self.slot(release.name(), seat)?;
        let host = slot
            .host
            .get_or_try_init(|| self.first_start(&slot, release, seat.setup))
            .await?;
        Ok(Arc::clone(host))
    }

    /// Kills the host and starts a clean one in its place, if it still is in the run that
    /// `generation` counts: when several find it dead, it is replaced once.
    ///
    /// # Errors
    /// Returns an error where the new one doesn't come up: the host is down then.
    pub async fn replace(&self, host: &LabHost, generation: u32) -> Result<(), LabError> {
        let mut supervisor = host.change.lock().await;
        if host.generation() != generation {
            return Ok(());
        }
        info!("host {} is replaced", host.hostname());
        host.set_run(None);
        if let Some(old) = supervisor.take() {
            old.end().await?;
        }
        let new = self.start(host).await?;
        host.set_run(Some(new.run(generation + 1)?));
        *supervisor = Some(new);
        Ok(())
    }

    /// Looks whether the host's daemon runs and accepts connections. Whether it also answers is a
    /// client's matter.
    pub async fn check(&self, host: &LabHost) -> Health {
        let health = Self::look(host).await;
        if let Health::Down(why) = &health {
            warn!("host {} is down: {why}", host.hostname());
        }
        health
    }

    async fn look(host: &LabHost) -> Health {
        if let Some(how) = ended(host, Duration::ZERO).await {
            return Health::Down(how);
        }
        match host.daemon_is_stopped() {
            // The daemon is gone: its host follows it, and tells how it ended.
            Err(error) => {
                let how = ended(host, GONE).await;
                return Health::Down(how.unwrap_or_else(|| error.to_string()));
            }
            Ok(true) => return Health::Down("its daemon is stopped".to_owned()),
            Ok(false) => {}
        }
        match timeout(ANSWER, TcpStream::connect((host.address(), PORT))).await {
            Ok(Ok(_)) => Health::Up,
            Ok(Err(error)) => Health::Down(error.to_string()),
            Err(_) => Health::Down(format!("no connection within {} s", ANSWER.as_secs())),
        }
    }

    /// Ends all hosts, and keeps what they found out about their QEMUs for later ones.
    ///
    /// # Errors
    /// Returns an error where a host can't be ended.
    pub async fn close(self) -> Result<(), LabError> {
        let slots = self
            .slots
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for host in slots.values().filter_map(|slot| slot.host.get()) {
            if let Some(root) = host.path("/") {
                // Without it the next run is slower, and no more.
                let cache = host.release.caps_cache(host.setup);
                drop(caps_cache::keep(&root, &cache));
            }
            if let Some(supervisor) = host.change.lock().await.take() {
                supervisor.end().await?;
            }
        }
        Ok(())
    }

    fn slot(&self, name: &ReleaseName, seat: Seat) -> Result<Arc<Slot>, LabError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.clone(), seat);
        let Seat { side, setup, .. } = seat;
        if let Some(slot) = slots.get(&key) {
            return Ok(Arc::clone(slot));
        }
        let number = u16::try_from(slots.len() + 1).expect("fewer releases than addresses");
        let taken = |hostname: &str| slots.values().any(|slot| slot.hostname == hostname);
        let stem = match setup {
            HostSetup::AsShipped => name.to_string(),
            HostSetup::Quick | HostSetup::Resilient => format!("{name}-{setup}"),
        };
        let hostname = hostname(&stem, side, taken);
        self.announce(&hostname, number)?;
        let slot = Arc::new(Slot {
            number,
            hostname,
            host: OnceCell::new(),
        });
        slots.insert(key, Arc::clone(&slot));
        Ok(slot)
    }

    /// Tells all hosts of a new one. The file is appended to in one call, so that nobody reads a
    /// part.
    fn announce(&self, hostname: &str, number: u16) -> Result<(), LabError> {
        let path = hosts_file(&self.dir);
        let line = format!("{} {hostname}\n", net::address(number));
        let mut file: File = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(LabError::file("write", &path))?;
        file.write_all(line.as_bytes())
            .map_err(LabError::file("write", path))
    }

    async fn first_start(
        &self,
        slot: &Slot,
        release: &StoredRelease,
        setup: HostSetup,
    ) -> Result<Arc<LabHost>, LabError> {
        let logs = self.dir.join(&slot.hostname);
        fs::create_dir_all(&logs).map_err(LabError::file("create", &logs))?;
        let host = LabHost::new(
            release.clone(),
            setup,
            slot.hostname.clone(),
            net::address(slot.number),
            logs,
            self.capture.clone(),
        );
        let supervisor = self.start(&host).await?;
        host.set_run(Some(supervisor.run(1)?));
        *host.change.lock().await = Some(supervisor);
        Ok(Arc::new(host))
    }

    async fn start(&self, host: &LabHost) -> Result<Supervisor, LabError> {
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let scratch = scratch(&self.dir).join(format!("{}.{start}", host.hostname()));
        fs::create_dir(&scratch).map_err(LabError::file("create", &scratch))?;
        let spec = Spec {
            hostname: host.hostname().to_owned(),
            address: host.address(),
            root: host.release.root(),
            warm: host.release.caps_cache(host.setup),
            scratch,
            logs: host.logs().clone(),
            shared: shared(&self.dir),
            hosts_file: hosts_file(&self.dir),
            setup: host.setup,
            libvirt: host.release.libvirt(),
        };
        Supervisor::start(&spec, format!("host{start}")).await
    }
}

/// How the host ended, if it does within `time`.
async fn ended(host: &LabHost, time: Duration) -> Option<String> {
    match host.change.lock().await.as_mut() {
        Some(supervisor) => supervisor.ended_within(time).await,
        None => Some("it is not there".to_owned()),
    }
}

fn shared(dir: &Path) -> PathBuf {
    scratch(dir).join("shared")
}

/// A host name that is valid and not taken: `<release>-s` or `-d`, with `-` for other characters.
fn hostname(release: &str, side: Side, taken: impl Fn(&str) -> bool) -> String {
    let letter = match side {
        Side::Source => 's',
        Side::Destination => 'd',
    };
    let valid = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = release.chars().take(STEM).map(valid).collect();
    let plain = std::iter::once(format!("{stem}-{letter}"));
    let mut names = plain.chain((2..).map(|number: u32| format!("{stem}-{number}-{letter}")));
    names
        .find(|name| !taken(name))
        .expect("there is a number that isn't taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_valid_for_any_release_name() {
        let free = |_: &str| false;
        assert_eq!(
            hostname("trixie-backports", Side::Source, free),
            "trixie-backports-s"
        );
        assert_eq!(
            hostname("libvirt_9.0", Side::Destination, free),
            "libvirt-9-0-d"
        );
        assert!(hostname(&"x".repeat(300), Side::Source, free).len() < 64);
    }

    #[test]
    fn two_releases_with_alike_names_get_two_host_names() {
        let taken = |name: &str| name == "a-b-s";
        assert_eq!(hostname("a.b", Side::Source, taken), "a-b-2-s");
    }
}
