//! The hosts of a run: those of the lab and the real machines, and who may be on them when.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    ffi::OsString,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use migratrix_contract::{Host, now_unix, told};
use migratrix_lab::{
    Health, Lab, LabHost, RemoteHost, Seat, Store, StoredRelease, Strays, client_command,
};
use migratrix_libvirt::{Listener, Program, reach};
use migratrix_matrix::{HostSetup, ReleaseName, Side, Tuple};
use migratrix_reports::{HostTrouble, IdleLoss};
use tokio::{
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock},
    task::JoinSet,
    time::interval,
};

use crate::{
    config::HostConfig,
    meaning,
    run::{
        client,
        evidence::{Kind, Material},
    },
};

/// How often a host that no case is on is looked at for what is left there, until that is sure, and how many
/// times at most: what is nobody's must have lasted a second.
const STRAYS_EVERY: Duration = Duration::from_millis(100);
const STRAYS_LOOKS: usize = 15;

/// All hosts of a run.
pub struct Hosts {
    lab: Option<Lab>,
    stored: BTreeMap<ReleaseName, StoredRelease>,
    remote: BTreeMap<ReleaseName, HostConfig>,
    client: PathBuf,
    gates: RefCell<HashMap<Key, Gate>>,
    /// The hosts of which each has one case at a time, by their seats: those that a case is on.
    taken: Rc<RefCell<BTreeSet<Key>>>,
    broken: RefCell<HashMap<Key, String>>,
    /// How hosts went, by the host's name and the number of its run.
    deaths: RefCell<HashMap<(String, u32), String>>,
    coming: RefCell<BTreeSet<String>>,
    programs: RefCell<HashMap<ReleaseName, Arc<Program>>>,
    listeners: RefCell<HashMap<ReleaseName, Arc<Listener>>>,
    /// The hosts of the lab that were started, by their names.
    started: RefCell<BTreeMap<String, Started>>,
    /// What was lost while no case was on it, and is not told yet.
    idle_losses: RefCell<Vec<IdleLoss>>,
}

/// A host of the lab.
#[derive(Clone)]
struct Started {
    key: Key,
    host: Arc<LabHost>,
    /// Each case that is on it holds one, and so does the list of hosts.
    presence: Rc<()>,
}

/// A host that was lost while a case was on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which side of the case it was.
    pub side: Side,
    /// How it went.
    pub why: String,
    /// What the host is called.
    pub host: String,
    /// The number of its run.
    pub generation: u32,
}

/// Which host it is.
type Key = (ReleaseName, Seat);

/// Many cases may be on a host, or one alone.
type Gate = Arc<RwLock<()>>;

/// The two hosts of a case, and the guard that lets it be on them.
pub struct HostPair {
    /// Where the guest comes from.
    pub source: HostLease,
    /// Where it goes to.
    pub destination: HostLease,
    guard: HostGuard,
}

/// One host of a case.
pub struct HostLease {
    /// What the driver sees of it.
    pub host: Arc<dyn Host>,
    /// Where the guest's boot image is on it, where that is not ours to say.
    pub boot_image: Option<PathBuf>,
    lab_host: Option<Arc<LabHost>>,
    generation: u32,
    _presence: Option<Rc<()>>,
}

/// Held as long as a case is on its hosts.
enum HostGuard {
    Shared {
        _held: [OwnedRwLockReadGuard<()>; 2],
    },
    Alone {
        _held: [OwnedRwLockWriteGuard<()>; 2],
    },
    /// On hosts that are no other case's meanwhile, and wait for the next one then.
    Own { _held: [OwnSeat; 2] },
}

/// A host that one case has for itself, out of those that are up already if one of them is free.
struct OwnSeat {
    key: Key,
    taken: Rc<RefCell<BTreeSet<Key>>>,
}

impl OwnSeat {
    /// Takes the first that is free: the host at number 0 is the one that cases share.
    fn take((release, seat): (&ReleaseName, Seat), taken: &Rc<RefCell<BTreeSet<Key>>>) -> Self {
        let mut all = taken.borrow_mut();
        let mut keys = (1..).map(|number| (release.clone(), Seat { number, ..seat }));
        let key = keys
            .find(|key| !all.contains(key))
            .expect("there are more numbers than cases");
        all.insert(key.clone());
        Self {
            key,
            taken: Rc::clone(taken),
        }
    }
}

impl Drop for OwnSeat {
    fn drop(&mut self) {
        self.taken.borrow_mut().remove(&self.key);
    }
}

impl Hosts {
    /// The hosts that `tuples` need; none of them is started yet. Clients are the first of `programs` that
    /// starts with the libraries of all of them. The lab's logs go to `logs`.
    ///
    /// # Errors
    /// Fails where a release is not built, a client doesn't start, or the lab can't be made.
    pub async fn new(
        tuples: &BTreeSet<&Tuple>,
        store: &Store,
        remote: &BTreeMap<ReleaseName, HostConfig>,
        programs: &[PathBuf],
        logs: &Path,
    ) -> Result<Self> {
        let mut stored = BTreeMap::new();
        let mut lab_needed = false;
        for tuple in tuples {
            for name in [&tuple.client, &tuple.source, &tuple.destination] {
                let is_client_only = *name != tuple.source && *name != tuple.destination;
                if remote.contains_key(name) && !is_client_only {
                    continue;
                }
                lab_needed |= !is_client_only;
                if !stored.contains_key(name) {
                    let release = meaning::stored(store, name)?;
                    stored.insert(name.clone(), release);
                }
            }
        }
        let clients: BTreeSet<_> = tuples.iter().map(|tuple| &tuple.client).collect();
        let clients: Vec<_> = clients
            .into_iter()
            .filter_map(|name| stored.get(name))
            .collect();
        let client = client::that_starts(programs, &clients).await?;
        let lab = lab_needed.then(|| Lab::new(logs)).transpose()?;
        Ok(Self {
            lab,
            stored,
            remote: remote.clone(),
            client,
            gates: RefCell::default(),
            taken: Rc::default(),
            broken: RefCell::default(),
            deaths: RefCell::default(),
            coming: RefCell::default(),
            programs: RefCell::default(),
            listeners: RefCell::default(),
            started: RefCell::default(),
            idle_losses: RefCell::default(),
        })
    }

    /// The hosts of `tuple` that are set up in this way, started where they were not; nobody else is
    /// on them if `alone`.
    ///
    /// # Errors
    /// Says which host doesn't come up, and why.
    pub async fn pair(
        &self,
        tuple: &Tuple,
        setup: HostSetup,
        alone: bool,
    ) -> Result<HostPair, String> {
        let seat = |side| Seat {
            side,
            setup,
            number: 0,
        };
        let source = (&tuple.source, seat(Side::Source));
        let destination = (&tuple.destination, seat(Side::Destination));
        let (guard, source, destination) = match setup {
            HostSetup::Resilient if alone => self.own(source, destination),
            HostSetup::AsShipped | HostSetup::Quick | HostSetup::Resilient => {
                let [source, destination] =
                    [source, destination].map(|(name, seat)| (name.clone(), seat));
                let gates = [self.gate(&source), self.gate(&destination)];
                // Every case takes its source first: two cases can't wait for one another.
                let guard = HostGuard::take(gates, alone).await;
                (guard, source, destination)
            }
        };
        Ok(HostPair {
            source: self.lease(source).await?,
            destination: self.lease(destination).await?,
            guard,
        })
    }

    /// Hosts of the case's own. What is done to such a host is undone, and it is used again.
    fn own(
        &self,
        source: (&ReleaseName, Seat),
        destination: (&ReleaseName, Seat),
    ) -> (HostGuard, Key, Key) {
        let held = [source, destination].map(|seat| OwnSeat::take(seat, &self.taken));
        let [source, destination] = [held[0].key.clone(), held[1].key.clone()];
        (HostGuard::Own { _held: held }, source, destination)
    }

    /// Asks the real machines of `tuples` whether they answer, all at the same time. Those that
    /// don't are not asked again; each is given with the reason.
    pub async fn ask<'t>(
        &self,
        tuples: impl Iterator<Item = &'t Tuple>,
        patience: Duration,
    ) -> Vec<(ReleaseName, String)> {
        let mut asked = BTreeMap::new();
        for tuple in tuples {
            for name in [&tuple.source, &tuple.destination] {
                let command = || self.client_command(&tuple.client).ok();
                let config = self.remote.get(name);
                if let (Some(config), false) = (config, asked.contains_key(name)) {
                    asked.insert(name.clone(), command().map(|words| (words, &config.uri)));
                }
            }
        }
        let mut answers = JoinSet::new();
        for (name, (command, uri)) in asked.into_iter().filter_map(|(n, how)| Some((n, how?))) {
            let uri = uri.clone();
            answers.spawn(async move {
                let reached = reach(&command, &uri, patience).await;
                (name, uri, reached)
            });
        }
        let mut silent = Vec::new();
        for (name, uri, reached) in answers.join_all().await {
            if let Err(error) = reached {
                let why = format!("{name} ({uri}) does not answer: {}", chain(&error));
                for side in Side::BOTH {
                    let seat = Seat {
                        side,
                        setup: HostSetup::AsShipped,
                        number: 0,
                    };
                    let key = (name.clone(), seat);
                    self.broken.borrow_mut().insert(key, why.clone());
                }
                silent.push((name, why));
            }
        }
        silent
    }

    /// Why a host of the tuple is known not to be there: there is no use in trying again.
    #[must_use]
    pub fn lack(&self, tuple: &Tuple) -> Option<String> {
        let broken = self.broken.borrow();
        let mut broken = broken.iter();
        let one = broken.find(|((name, seat), _)| match seat.side {
            Side::Source => *name == tuple.source,
            Side::Destination => *name == tuple.destination,
        });
        one.map(|(_, why)| why.clone())
    }

    /// The hosts that are being brought up just now.
    #[must_use]
    pub fn coming(&self) -> Vec<String> {
        self.coming.borrow().iter().cloned().collect()
    }

    /// The command line of a client that uses the library of this release.
    ///
    /// # Errors
    /// Fails where the release has no loader.
    pub fn client_command(&self, release: &ReleaseName) -> Result<Vec<OsString>> {
        let stored = self.stored.get(release).with_context(|| {
            format!("{release} is a machine without a root here: choose another --client")
        })?;
        Ok(client_command(stored, &self.client)?)
    }

    /// The client of this release, which is linked once for all processes of it.
    ///
    /// # Errors
    /// Fails where the release has no loader.
    pub fn client_program(&self, release: &ReleaseName) -> Result<Arc<Program>> {
        if let Some(program) = self.programs.borrow().get(release) {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(Program::copied(self.client_command(release)?));
        let mut programs = self.programs.borrow_mut();
        programs.insert(release.clone(), Arc::clone(&program));
        Ok(program)
    }

    /// What listens to hosts with the client library of this release: one for all cases.
    ///
    /// # Errors
    /// Fails where the release has no loader.
    pub fn listener(&self, release: &ReleaseName) -> Result<Arc<Listener>> {
        let program = self.client_program(release)?;
        let mut listeners = self.listeners.borrow_mut();
        let listener = listeners.entry(release.clone());
        let listener = listener.or_insert_with(|| Listener::new(program));
        Ok(Arc::clone(listener))
    }

    /// Replaces the hosts of `pair` that need it, and notes how they went.
    pub async fn repair(&self, pair: &HostPair) {
        for (_, lease) in pair.sides() {
            self.repair_lease(lease).await;
        }
    }

    /// Has the hosts that the case had for itself be other ones for the next: something on them could not be
    /// seen, and what accepts a connection need not answer.
    pub async fn renew(&self, pair: &HostPair) {
        let HostGuard::Own { .. } = &pair.guard else {
            return;
        };
        for (_, lease) in pair.sides() {
            if let (Some(lab), Some(host)) = (self.lab.as_ref(), lease.lab_host.as_ref()) {
                let why = "what it did could not be seen".to_owned();
                self.replace(lab, host, lease.generation, why).await;
            }
        }
    }

    async fn repair_lease(&self, lease: &HostLease) {
        let (Some(lab), Some(host)) = (self.lab.as_ref(), lease.lab_host.as_ref()) else {
            return;
        };
        if host.generation() != lease.generation {
            return;
        }
        let Health::Down(why) = lab.check(host).await else {
            return;
        };
        // Noted before it is replaced: whoever sees the new one knows how the old one went.
        self.note(host, lease.generation, &why);
        self.replace(lab, host, lease.generation, why).await;
    }

    /// Notes how a run of a host went; says whether that is news.
    fn note(&self, host: &LabHost, generation: u32, why: &str) -> bool {
        let run = (host.hostname().to_owned(), generation);
        match self.deaths.borrow_mut().entry(run) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(why.to_owned());
                true
            }
        }
    }

    async fn replace(&self, lab: &Lab, host: &LabHost, generation: u32, why: String) {
        if let Err(error) = lab.replace(host, generation).await {
            let why = format!("{why}; and it can't be started again: {}", told(&error));
            let run = (host.hostname().to_owned(), generation);
            self.deaths.borrow_mut().insert(run, why);
        }
    }

    /// Looks at the hosts that no case is on: what is lost there no case tells of.
    pub async fn look_at_idle(&self) {
        let all: Vec<_> = self.started.borrow().keys().cloned().collect();
        for name in all {
            if self.look_at(&name).await.is_none() {
                self.look_for_strays(&name).await;
            }
        }
    }

    /// Looks for what is left on a host that no case is on, until it is sure of it.
    async fn look_for_strays(&self, hostname: &str) {
        let idle = {
            let started = self.started.borrow();
            started.get(hostname).filter(|one| one.is_idle()).cloned()
        };
        let Some(one) = idle else { return };
        let mut ticks = interval(STRAYS_EVERY);
        for _ in 0..STRAYS_LOOKS {
            ticks.tick().await;
            let Strays { found, unsure } = one.host.strays();
            self.note_strays(&one.key, found);
            if !unsure {
                return;
            }
        }
    }

    /// Takes down what those who have left their hosts found there that is no case's own.
    fn note_told_strays(&self) {
        let all: Vec<_> = self.started.borrow().values().cloned().collect();
        for one in all {
            self.note_strays(&one.key, one.host.told_strays());
        }
    }

    fn note_strays(&self, (release, seat): &Key, found: Vec<String>) {
        let told = found.into_iter().map(|why| IdleLoss {
            trouble: HostTrouble::LeftOver,
            release: release.clone(),
            side: seat.side,
            why,
            at_unix: now_unix(),
        });
        self.idle_losses.borrow_mut().extend(told);
    }

    /// Looks at a host, where no case is on it; says how it was lost, if it was.
    async fn look_at(&self, hostname: &str) -> Option<String> {
        let lab = self.lab.as_ref()?;
        let (host, (release, seat)) = {
            let started = self.started.borrow();
            let idle = started.get(hostname).filter(|one| one.is_idle())?;
            (Arc::clone(&idle.host), idle.key.clone())
        };
        let generation = host.generation();
        let Health::Down(why) = lab.check(&host).await else {
            return None;
        };
        // One that could not be started again was told by whoever tried.
        if generation > 0 && self.note(&host, generation, &why) {
            self.idle_losses.borrow_mut().push(IdleLoss {
                trouble: HostTrouble::Died,
                release,
                side: seat.side,
                why: why.clone(),
                at_unix: now_unix(),
            });
        }
        Some(why)
    }

    /// What was lost while no case was on it, each once.
    #[must_use]
    pub fn idle_losses(&self) -> Vec<IdleLoss> {
        self.note_told_strays();
        self.idle_losses.take()
    }

    /// A case's place on a host of the lab. One that was lost while nobody was on it is replaced first:
    /// that is not the case's own trouble.
    async fn enter(&self, lab: &Lab, key: &Key, host: Arc<LabHost>) -> HostLease {
        let generation = host.generation();
        if let Some(why) = self.look_at(host.hostname()).await {
            self.replace(lab, &host, generation, why).await;
        }
        let mut started = self.started.borrow_mut();
        let name = host.hostname().to_owned();
        let one = started.entry(name).or_insert_with(|| Started {
            key: key.clone(),
            host: Arc::clone(&host),
            presence: Rc::default(),
        });
        HostLease::lab(host, Rc::clone(&one.presence))
    }

    /// The hosts of `pair` that were lost since the case came to them, whoever found that.
    #[must_use]
    pub fn lost(&self, pair: &HostPair) -> Vec<Lost> {
        let deaths = self.deaths.borrow();
        let lost = |(side, lease): (Side, &HostLease)| {
            let host = lease.lab_host.as_ref()?;
            let generation = lease.generation;
            let why = deaths.get(&(host.hostname().to_owned(), generation));
            let gone = why.is_some() || host.generation() != generation;
            gone.then(|| Lost {
                side,
                host: host.hostname().to_owned(),
                why: why.map_or_else(|| "it was replaced".to_owned(), Clone::clone),
                generation,
            })
        };
        pair.sides().into_iter().filter_map(lost).collect()
    }

    /// Ends all hosts, and keeps what makes their next start quick.
    ///
    /// # Errors
    /// Fails where that can't be kept.
    pub async fn close(self) -> Result<()> {
        if let Some(lab) = self.lab {
            lab.close().await?;
        }
        Ok(())
    }

    fn gate(&self, key: &Key) -> Gate {
        let mut gates = self.gates.borrow_mut();
        Arc::clone(gates.entry(key.clone()).or_default())
    }

    async fn lease(&self, key: Key) -> Result<HostLease, String> {
        let (name, seat) = &key;
        if let Some(why) = self.broken.borrow().get(&key) {
            return Err(why.clone());
        }
        if let Some(config) = self.remote.get(name) {
            return Ok(HostLease::remote(name, config));
        }
        let (lab, stored) = self
            .lab
            .as_ref()
            .zip(self.stored.get(name))
            .expect("made for this tuple");
        let coming = format!("{name} ({})", seat.side);
        self.coming.borrow_mut().insert(coming.clone());
        let host = lab.host_at(stored, *seat).await;
        self.coming.borrow_mut().remove(&coming);
        match host {
            Ok(host) => Ok(self.enter(lab, &key, host).await),
            Err(error) => {
                let why = format!("a host of {name} doesn't come up: {}", told(&error));
                self.broken.borrow_mut().insert(key, why.clone());
                Err(why)
            }
        }
    }
}

impl HostPair {
    /// What could be kept of an attempt that begins now, with the domain of this name.
    #[must_use]
    pub fn material(&self, domain: &str) -> Material {
        let mut material = Material::new();
        for (side, lease) in self.sides() {
            for (kind, log) in lease.logs(domain) {
                material.watch(side, kind, log);
            }
        }
        material
    }

    fn sides(&self) -> [(Side, &HostLease); 2] {
        [
            (Side::Source, &self.source),
            (Side::Destination, &self.destination),
        ]
    }
}

impl HostLease {
    fn lab(host: Arc<LabHost>, presence: Rc<()>) -> Self {
        Self {
            _presence: Some(presence),
            generation: host.generation(),
            boot_image: None,
            host: Arc::clone(&host) as Arc<dyn Host>,
            lab_host: Some(host),
        }
    }

    fn remote(name: &ReleaseName, config: &HostConfig) -> Self {
        let host = RemoteHost {
            release: name.clone(),
            uri: config.uri.clone(),
            peer_uri: config
                .peer_uri
                .clone()
                .unwrap_or_else(|| config.uri.clone()),
        };
        Self {
            host: Arc::new(host),
            boot_image: Some(config.boot_image.clone()),
            lab_host: None,
            generation: 0,
            _presence: None,
        }
    }

    /// The logs that the host keeps of its daemon and of this domain, and what each is.
    fn logs(&self, domain: &str) -> Vec<(Kind, PathBuf)> {
        let Some(host) = &self.lab_host else {
            return Vec::new();
        };
        let logs = host.logs();
        vec![
            (
                Kind::DomainLog,
                logs.join("qemu").join(format!("{domain}.log")),
            ),
            (Kind::DaemonLog, logs.join("libvirtd.log")),
            (Kind::Console, logs.join(format!("{domain}.serial"))),
        ]
    }
}

impl Started {
    /// Whether no case is on it.
    fn is_idle(&self) -> bool {
        Rc::strong_count(&self.presence) == 1
    }
}

/// An error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let words: Vec<_> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

impl HostGuard {
    async fn take([source, destination]: [Gate; 2], alone: bool) -> Self {
        if alone {
            Self::Alone {
                _held: [source.write_owned().await, destination.write_owned().await],
            }
        } else {
            Self::Shared {
                _held: [source.read_owned().await, destination.read_owned().await],
            }
        }
    }
}
