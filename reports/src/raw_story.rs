//! Hand-made histories of raw migrations, for tests: what a good one looks like, to be spoiled.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each incident has its own turn, and the others none"
)]

use std::collections::BTreeMap;

use migratrix_history::{
    Carrier, CarrierKind, Deed, Document, DomainInfo, DomainState, History, Identity, JobStats,
    Observation, Refusal, Side, Verb, When, Wire,
};
use migratrix_matrix::{
    Activity, Blow, Case, Devices, End, Failure, Feature, GuestState, Incident, Method, Multifd,
    Raw, Setting, Tls, Transport, Uuids, Version,
};
use serde_json::{Value, json};

use crate::story::{
    LAPS, UUID, documents, empty, job, machine as told, memory_of, qemu_version, ram, sampled, step,
};
use Side::{Destination, Source};

/// A history in which all went as the case of this name says.
pub fn good(case: &str) -> History {
    let case: Case = case.parse().expect("stories are of real cases");
    let raw = *case.raw().expect("a raw case");
    let mut story = Timeline {
        history: empty(case),
        raw,
    };
    story.prepare();
    story.migrate();
    story.after();
    story.clear();
    story.history
}

const SOCKET: &str = "/run/socket-1";
const PORT: &str = "127.0.0.1:4000";
const STREAM: &str = "/run/stream";

/// Where the destination listens if the stream is passed on to it.
const BEHIND: [&str; 2] = ["/run/socket-0", "127.0.0.1:4001"];

/// What both sides have open for a migration, so many connections where it is by them.
fn carriers(raw: &Raw, connections: usize) -> Vec<Observation> {
    let transport = raw.transport;
    let [socket, port] = if raw.is_wired() {
        BEHIND
    } else {
        [SOCKET, PORT]
    };
    let ports = [
        format!("127.0.0.1:5000 and {PORT}"),
        format!("{port} and 127.0.0.1:5000"),
    ];
    let [source, destination] = match transport {
        Transport::Unix => [None, Some(socket.to_owned())].map(|path| (CarrierKind::Unix, path)),
        Transport::Fd => [None, None].map(|path| (CarrierKind::Unix, path)),
        Transport::Tcp => ports.map(|ends| (CarrierKind::Tcp, Some(ends))),
        Transport::FdFile | Transport::File | Transport::FileOffset | Transport::FileFdset => {
            [(); 2].map(|()| (CarrierKind::File, Some(STREAM.to_owned())))
        }
        Transport::Exec => [(); 2].map(|()| (CarrierKind::Pipe, None)),
    };
    let count = match transport {
        Transport::Exec => 2,
        transport if transport.is_file() => 1,
        _ => connections,
    };
    let direct = match (raw.features.has(Feature::DirectIo), transport) {
        (true, Transport::FileFdset) => usize::from(raw.channels.count()) + 1,
        (true, _) => usize::from(raw.channels.count()),
        (false, _) => 0,
    };
    let open = |side, (kind, address)| Observation::Carriers {
        side,
        carriers: vec![
            Carrier {
                kind,
                address,
                direct
            };
            count
        ],
    };
    let mut seen = vec![open(Source, source)];
    if !transport.is_file() {
        seen.push(open(Destination, destination));
    }
    seen
}

/// What goes by on a connection in the clear, and back: a pong, that the destination is ready, and a shut.
const CLEAR: [&str; 2] = ["5145564d00000003", "000200040000000100070000000100040000"];
/// The same where it is encrypted.
const SEALED: [&str; 2] = ["160301018a010001", "160303009b020000"];

/// What goes by of a migration.
fn wire(raw: &Raw) -> Observation {
    let [sent, received] = match raw.tls {
        Tls::None => CLEAR,
        _ => SEALED,
    }
    .map(str::to_owned);
    let stamped = raw.tls == Tls::None && !raw.sends_compressed();
    let connection = Wire {
        sent,
        received,
        stamped,
    };
    let [from, to] = match raw.transport {
        Transport::Unix => [Some(SOCKET), Some(BEHIND[0])],
        Transport::Tcp => [Some(PORT), Some(BEHIND[1])],
        _ => [None, None],
    }
    .map(|address| address.map(str::to_owned));
    let connections = vec![connection; raw.connections_in_postcopy()];
    Observation::Wire {
        from,
        to,
        connections,
    }
}

struct Timeline {
    history: History,
    raw: Raw,
}

impl Timeline {
    fn prepare(&mut self) {
        for side in [Source, Destination] {
            self.step(Verb::Start, vec![qemu_version(side, version(side))]);
        }
        match self.raw.guest {
            GuestState::Running => {}
            GuestState::Stopped => self.step(Verb::Suspend, vec![event(Source, "STOP")]),
            GuestState::Suspended | GuestState::SuspendedStopped => {
                self.step(Verb::Await, vec![event(Source, "SUSPEND")]);
            }
        }
        for side in [Source, Destination] {
            let kind = match self.raw.tls {
                Tls::None => None,
                Tls::Psk | Tls::PskMismatch => Some("tls-creds-psk"),
                _ => Some("tls-creds-x509"),
            };
            let given = |kind| Observation::Command {
                side,
                command: "object-add".to_owned(),
                arguments: json!({"id": "credentials", "qom-type": kind}),
            };
            let seen = kind.map(given).into_iter();
            let seen = seen.chain([settings(&self.raw, side)]);
            self.step(Verb::Configure, seen.collect());
        }
        let before = machine(&self.raw, Source, true);
        self.look(Source, When::Before, before);
        let activity = self.raw.expectation().activity;
        self.step(
            Verb::Beat,
            vec![sampled(Source, When::Before, 10, activity)],
        );
        self.use_device(Source, When::Before);
        self.step(Verb::Ram, vec![ram(Source, When::Before)]);
    }

    fn migrate(&mut self) {
        if self.raw.incident == Incident::CancelBefore {
            self.step(Verb::Intervene, vec![cancel()]);
        }
        if self.raw.incident == Incident::CancelRetry {
            self.ask();
            self.states(Source, &["setup", "active"]);
            self.step(Verb::Intervene, vec![cancel()]);
            self.states(Source, &["cancelling", "cancelled"]);
        }
        let breaks = matches!(self.raw.incident.blow(), Some(Blow::Lose | Blow::Kill));
        if breaks && self.raw.incident.is_retried() {
            self.ask();
            self.states(Source, &["setup", "active"]);
            self.strike();
            self.states(Source, &["failed"]);
        }
        match self.raw.expectation().end {
            End::Completed => self.complete(),
            End::Cancelled => self.cancelled(),
            End::Failed(class) => self.fail(class),
            End::Refused => self.refuse(),
        }
    }

    /// What strikes from outside.
    fn strike(&mut self) {
        let Some(blow) = self.raw.incident.blow() else {
            return;
        };
        let (process, pid) = ("qemu".to_owned(), 42);
        let (side, deed) = match blow {
            Blow::Lose => {
                let (connections, passed) = (1, 1 << 20);
                (
                    None,
                    Deed::Cut {
                        connections,
                        passed,
                    },
                )
            }
            Blow::Kill => (Some(Destination), Deed::Killed { process, pid }),
            Blow::Hold => (Some(Destination), Deed::Stopped { process, pid }),
        };
        let last = self.history.entries.last().expect("it was begun");
        let struck = Observation::Struck {
            strike: blow.word().to_owned(),
            side,
            began_us: last.at_us + 1,
            deed,
        };
        self.step(Verb::Strike, vec![struck]);
    }

    fn ask(&mut self) {
        let uri = match self.raw.transport {
            Transport::Unix => format!("unix:{SOCKET}"),
            Transport::Tcp => format!("tcp:{PORT}"),
            Transport::Fd | Transport::FdFile => "fd:migration".to_owned(),
            Transport::File | Transport::FileOffset => format!("file:{STREAM}"),
            Transport::FileFdset => "file:/dev/fdset/1".to_owned(),
            Transport::Exec => format!("exec:cat > {STREAM}"),
        };
        let listens = match self.raw.transport {
            Transport::Tcp => "tcp:127.0.0.1:0".to_owned(),
            Transport::Exec => format!("exec:cat {STREAM}"),
            _ => uri.clone(),
        };
        let listen = Observation::Command {
            side: Destination,
            command: "migrate-incoming".to_owned(),
            arguments: json!({"uri": listens}),
        };
        self.step(Verb::Listen, vec![listen]);
        self.step(Verb::Migrate, vec![command("migrate", json!({"uri": uri}))]);
    }

    fn complete(&mut self) {
        self.ask();
        self.states(Source, &["setup", "active"]);
        self.states(Destination, &["setup", "active"]);
        let during = self.raw.expectation().during;
        let mut beat = sampled(Source, When::During, 20, during);
        // One that ran before has not come as far as one that was stopped.
        if let (Activity::Running, Observation::Beat { first, last, .. }) =
            (self.raw.expectation().activity, &mut beat)
        {
            *last -= *first - 20;
            *first = 20;
        }
        let mut seen = vec![pass(1), pass(2), beat];
        let throttles = [Feature::AutoConverge, Feature::DirtyLimit];
        let throttles = throttles.iter().any(|one| self.raw.features.has(*one));
        let job = JobStats {
            kind: "active".to_owned(),
            throttle_percent: throttles.then_some(20),
            ..JobStats::default()
        };
        seen.push(Observation::Job { side: Source, job });
        self.step(Verb::Await, seen);
        if self.raw.multifd != Multifd::Off {
            let count = u32::from(self.raw.channels.count());
            let seen = [Source, Destination].map(|side| Observation::Channels { side, count });
            self.step(Verb::Inspect, seen.to_vec());
        }
        if self.raw.is_carried() {
            let seen = carriers(&self.raw, self.raw.connections());
            self.step(Verb::Inspect, seen);
        }
        if self.raw.incident == Incident::HoldActive {
            self.strike();
        }
        if self.raw.method == Method::Postcopy {
            let told = command("migrate-start-postcopy", json!({}));
            self.step(Verb::Await, vec![told]);
            self.states(Source, &["postcopy-active"]);
            self.states(Destination, &["postcopy-active"]);
            let mut open = vec![Observation::Userfaults {
                side: Destination,
                count: 1,
            }];
            open.extend(carriers(&self.raw, self.raw.connections_in_postcopy()));
            self.step(Verb::Inspect, open);
            self.recover();
        }
        self.step(Verb::Converge, vec![pass(3)]);
        self.switch_over();
        if self.raw.incident == Incident::CancelCompleted {
            self.step(Verb::Intervene, vec![cancel()]);
        }
    }

    fn switch_over(&mut self) {
        if self.raw.pauses() {
            self.states(Source, &["pre-switchover"]);
        }
        if self.raw.guest == GuestState::Running {
            let seen = vec![event(Source, "STOP"), event(Destination, "RESUME")];
            self.step(Verb::Await, seen);
        }
        self.states(Source, &["completed"]);
        if self.raw.transport.is_file() {
            let stream = Observation::Stream {
                magic: "QEVM".to_owned(),
                version: 3,
                devices: Some(30),
                in_place: Some(self.raw.features.has(Feature::MappedRam)),
            };
            self.step(Verb::Inspect, vec![stream]);
        }
        self.states(Destination, &["completed"]);
        if self.raw.is_wired() {
            self.step(Verb::Inspect, vec![wire(&self.raw)]);
        }
    }

    fn recover(&mut self) {
        let vain = match self.raw.incident {
            Incident::Recover => vec![],
            Incident::FailHandshake => vec!["postcopy-recover-setup", "postcopy-paused"],
            Incident::FailReconnect => vec!["postcopy-paused"],
            _ => return,
        };
        self.states(Source, &["postcopy-paused"]);
        self.states(Destination, &["postcopy-paused"]);
        let resume = command("migrate", json!({"uri": "x", "resume": true}));
        if !vain.is_empty() {
            self.step(Verb::Intervene, vec![resume.clone()]);
            self.states(Source, &vain);
        }
        self.step(Verb::Intervene, vec![resume]);
        self.states(Source, &["postcopy-recover", "postcopy-active"]);
        self.states(Destination, &["postcopy-recover", "postcopy-active"]);
    }

    fn cancelled(&mut self) {
        self.ask();
        let (before, after): (&[&str], &[&str]) = match self.raw.incident {
            Incident::CancelSetup => (&["setup"], &["cancelling", "cancelled"]),
            Incident::CancelPreSwitchover => (
                &["setup", "active", "pre-switchover"],
                &["cancelling", "cancelled"],
            ),
            Incident::CancelCancelled => (&["setup", "active", "cancelling", "cancelled"], &[]),
            Incident::CancelCancelling => (
                &["setup", "active"],
                &["cancelling", "cancelling", "cancelled"],
            ),
            _ => (&["setup", "active"], &["cancelling", "cancelled"]),
        };
        self.states(Source, before);
        let count = match self.raw.incident {
            Incident::CancelCancelling => 2,
            _ => 1,
        };
        self.step(Verb::Intervene, vec![cancel(); count]);
        self.states(Source, after);
    }

    fn fail(&mut self, class: Failure) {
        self.ask();
        let before: &[&str] = match self.raw.incident {
            Incident::LoseActive | Incident::KillActive => &["setup", "active"],
            Incident::LosePreSwitchover | Incident::KillPreSwitchover => {
                &["setup", "active", "pre-switchover"]
            }
            _ => &["setup"],
        };
        self.states(Source, before);
        self.strike();
        self.states(Source, &["failed"]);
        let job = |error: &str| JobStats {
            kind: "failed".to_owned(),
            error: Some(error.to_owned()),
            ..JobStats::default()
        };
        let general = job("Unable to write to socket: Broken pipe");
        let seen = vec![
            Observation::Job {
                side: Source,
                job: general,
            },
            Observation::Job {
                side: Destination,
                job: job(error(class)),
            },
        ];
        self.step(Verb::Job, seen);
        if self.raw.incident == Incident::CancelFailed {
            self.step(Verb::Intervene, vec![cancel()]);
        }
    }

    fn refuse(&mut self) {
        self.ask();
        let ended = self.history.entries.last_mut().expect("it was asked");
        if let Observation::Ended { outcome, .. } = &mut ended.saw {
            let message = match self.raw.incident {
                Incident::BadOffset => "GenericError: file URI has bad offset 0x20M",
                _ => "GenericError: need either 'uri' or 'channels' argument",
            };
            *outcome = migratrix_history::Outcome::Refused(Refusal {
                code: 0,
                domain: 0,
                message: message.to_owned(),
            });
        }
    }

    fn after(&mut self) {
        let expected = self.raw.expectation();
        let survivor = expected.survivor;
        for side in [Source, Destination] {
            let there = machine(&self.raw, side, side == survivor);
            self.look(side, When::After, there);
        }
        for side in self.raw.asked_again() {
            self.step(Verb::Inspect, vec![settings(&self.raw, *side)]);
        }
        if self.raw.guest.sleeps() {
            self.step(Verb::Wake, vec![event(survivor, "WAKEUP")]);
        }
        self.use_device(survivor, When::After);
        let slept = [expected.activity, expected.after] == [Activity::Paused, Activity::Running];
        let laps = LAPS + if slept { 3 } else { 0 };
        let beat = sampled(survivor, When::After, laps - 3, expected.after);
        self.step(Verb::Beat, vec![beat]);
        if expected.end == End::Completed {
            let job = sums(&self.raw);
            self.step(Verb::Job, vec![Observation::Job { side: Source, job }]);
        }
        self.step(Verb::Survey, vec![memory_of(survivor, laps)]);
        self.step(Verb::Ram, vec![ram(survivor, When::After)]);
    }

    fn clear(&mut self) {
        for side in [Source, Destination] {
            self.step(Verb::Clear, vec![]);
            let left = Vec::new();
            self.step(Verb::Leftovers, vec![Observation::Leftovers { side, left }]);
        }
    }

    fn use_device(&mut self, side: Side, when: When) {
        if self.raw.devices != Devices::None {
            let did = vec!["wrote a sector".to_owned(), "read it: a-b".to_owned()];
            let saw = Observation::Device { side, when, did };
            self.step(Verb::UseDevice, vec![saw]);
        }
    }

    fn look(&mut self, side: Side, when: When, domain: DomainInfo) {
        let given = domain
            .active
            .then(|| (Document::Machine, told(version(side))));
        let look = DomainState::Present(domain);
        let mut seen = vec![Observation::Domain { side, when, look }];
        seen.extend(documents(
            &self.history,
            side,
            when,
            given.into_iter().collect(),
        ));
        self.step(Verb::Inspect, seen);
    }

    fn states(&mut self, side: Side, words: &[&str]) {
        let states = words.iter().map(|word| status(side, word)).collect();
        self.step(Verb::Await, states);
    }

    fn step(&mut self, verb: Verb, seen: Vec<Observation>) {
        step(&mut self.history, verb, seen);
    }
}

/// What QEMU says of a failure of this class.
pub const fn error(class: Failure) -> &'static str {
    match class {
        Failure::Connection => "Failed to connect to '127.0.0.1:1': Connection refused",
        Failure::Handshake => {
            "TLS handshake failed: The TLS connection was non-properly terminated."
        }
        Failure::Hostname => "Certificate does not match the hostname 127.0.0.1",
        Failure::Authorization => "TLS x509 authz check for O=client is denied",
        Failure::Uuid => "UUID received is 1 and local is 2",
        Failure::Broken => "Unable to write to socket: Broken pipe",
    }
}

/// A state of the migration.
pub fn status(side: Side, status: &str) -> Observation {
    Observation::Status {
        side,
        status: status.to_owned(),
    }
}

/// An event of QEMU.
pub fn event(side: Side, event: &str) -> Observation {
    Observation::Event {
        side,
        event: event.to_owned(),
        data: Value::Null,
        late_us: None,
    }
}

/// A pass over the source's memory.
pub fn pass(iteration: i32) -> Observation {
    Observation::Iteration {
        side: Source,
        iteration,
    }
}

/// A command that the source was sent.
pub fn command(command: &str, arguments: Value) -> Observation {
    Observation::Command {
        side: Source,
        command: command.to_owned(),
        arguments,
    }
}

fn cancel() -> Observation {
    command("migrate_cancel", json!({}))
}

const fn version(side: Side) -> Version {
    match side {
        Source => Version::new(10, 0, 0),
        Destination => Version::new(11, 0, 0),
    }
}

fn settings(raw: &Raw, side: Side) -> Observation {
    let mut parameters: BTreeMap<String, Value> = [
        ("multifd-compression", json!("none")),
        ("mode", json!("normal")),
        ("direct-io", json!(false)),
        ("tls-creds", json!("")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, setting) in raw.parameters() {
        let value = match setting {
            Setting::Text(text) => json!(text),
            Setting::Number(number) => json!(number),
            Setting::Switch(on) => json!(on),
        };
        parameters.insert(name.to_owned(), value);
    }
    if raw.tls != Tls::None {
        parameters.insert("tls-creds".to_owned(), json!("set"));
        let named = match raw.tls {
            Tls::X509OverrideHost => Some("tls-hostname"),
            Tls::X509FriendlyClient | Tls::X509HostileClient => Some("tls-authz"),
            _ => None,
        };
        parameters.extend(named.map(|name| (name.to_owned(), json!("set"))));
    }
    let capabilities = raw.capabilities().into_iter().map(str::to_owned).collect();
    Observation::Settings {
        side,
        capabilities,
        parameters,
    }
}

/// A side's machine, with the guest in it or without.
fn machine(raw: &Raw, side: Side, there: bool) -> DomainInfo {
    let state = match raw.guest {
        GuestState::Running => "running",
        GuestState::Stopped | GuestState::SuspendedStopped => "paused",
        GuestState::Suspended => "suspended",
    };
    let gone = match side {
        Source => "postmigrate",
        Destination => "inmigrate",
    };
    let state = if there { state } else { gone };
    DomainInfo {
        uuid: uuid(raw.uuids, side).to_owned(),
        active: there,
        persistent: false,
        state: word(state).to_owned(),
        reason: state.to_owned(),
        identity: Some(Identity {
            machine: "pc-q35-7.2".to_owned(),
            memory_kib: 4_096,
            vcpus: 1,
            processor: Some(raw.cpu.qom_type(raw.machine.arch()).to_owned()),
            devices: [("boot-disk".to_owned(), "pci 0000:00:10.0".to_owned())].into(),
        }),
    }
}

/// The word of `virDomainState` that comes nearest.
fn word(state: &str) -> &str {
    match state {
        "running" => "running",
        "suspended" => "pmsuspended",
        _ => "paused",
    }
}

const fn uuid(uuids: Uuids, side: Side) -> &'static str {
    match (uuids, side) {
        (Uuids::Mismatch, Destination) => "6d2a3a3e-0000-4000-8000-000000000002",
        (Uuids::SourceUnset, Source) | (Uuids::DestinationUnset, Destination) => {
            "00000000-0000-0000-0000-000000000000"
        }
        _ => UUID,
    }
}

fn sums(raw: &Raw) -> JobStats {
    let shares = raw.features.has(Feature::IgnoreShared);
    let whole = match shares {
        true => JobStats {
            memory_total: Some(81_920),
            memory_processed: Some(20_000),
            memory_normal_bytes: Some(16_384),
            memory_constant: Some(16),
            ..job()
        },
        false => job(),
    };
    JobStats {
        memory_iteration: Some(3),
        postcopy_requests: Some(17),
        multifd_bytes: Some(1_000_000),
        xbzrle_pages: raw.features.has(Feature::Xbzrle).then_some(9),
        memory_total: if raw.hands_memory_over() {
            Some(0)
        } else {
            whole.memory_total
        },
        ..whole
    }
}
