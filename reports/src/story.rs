//! Hand-made histories, for tests and the benchmark: what a good migration looks like, to be spoiled.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most things are seen in no time"
)]

use migratrix_guest::{Model, Parameters, Ram, Stamper};
use migratrix_history::{
    Connection, Document, DomainInfo, DomainState, Entry, Header, History, Identity, JobStats,
    Observation, Outcome, Part, Party, Purpose, RemoteCall, Side, Text, Traffic, Verb, Versions,
    When,
};
use migratrix_matrix::{
    Activity, Case, Control, Expectation, Flag, Point, Preparation, Scenario, StorageMigration,
    Version,
};

/// The domain's UUID in every story.
pub const UUID: &str = "6d2a3a3e-0000-4000-8000-000000000001";

/// A history that is made step by step.
pub struct Timeline {
    history: History,
    expected: Expectation,
}

/// A history in which all went well, of the case of this name.
pub fn good(case: &str) -> History {
    let case: Case = case.parse().expect("stories are of real cases");
    let mut story = Timeline::begin(case);
    story.prepare();
    story.migrate();
    story.after();
    story.clear();
    story.history
}

/// A history of the case of this name, up to its migration.
pub fn prepared(case: Case) -> History {
    let mut story = Timeline::begin(case);
    story.prepare();
    story.history
}

/// `history` without the observations that `which` names.
pub fn without(mut history: History, which: impl Fn(&Observation) -> bool) -> History {
    history.entries.retain(|entry| !which(&entry.saw));
    history
}

/// `history` with each observation changed.
pub fn changed(mut history: History, change: impl Fn(&mut Observation)) -> History {
    history
        .entries
        .iter_mut()
        .for_each(|entry| change(&mut entry.saw));
    history
}

impl Timeline {
    fn begin(case: Case) -> Self {
        let expected = scenario(&case).expectation();
        Self {
            history: empty(case),
            expected,
        }
    }

    fn prepare(&mut self) {
        self.step(Verb::Connect, vec![Observation::Versions(versions())]);
        let Expectation {
            activity,
            source_defined,
            destination_defined,
            ..
        } = self.expected;
        let source = active(source_defined, activity, "booted");
        self.look(Side::Source, When::Before, DomainState::Present(source));
        let configured = if destination_defined {
            DomainState::Present(inactive())
        } else {
            DomainState::Absent
        };
        self.look(Side::Destination, When::Before, configured);
        self.beat(Side::Source, When::Before, 10, activity);
        self.step(Verb::Ram, vec![ram(Side::Source, When::Before)]);
    }

    fn migrate(&mut self) {
        let [pass, last] = [1, 2].map(|iteration| Observation::Iteration {
            side: Side::Source,
            iteration,
        });
        let paused = event(Side::Source, "suspended", "migrated");
        let mut beat = sampled_for(
            150_000,
            Side::Source,
            When::During,
            20,
            self.expected.during,
        );
        // One that ran before has not come as far.
        if let (Activity::Running, Observation::Beat { first, last, .. }) =
            (self.expected.activity, &mut beat)
        {
            *last -= *first - 20;
            *first = 20;
        }
        let mut seen = match (self.expected.activity, self.expected.during) {
            (Activity::Running, Activity::Running) => vec![pass, beat, paused],
            (Activity::Running, Activity::Paused) => vec![paused, pass, beat],
            (Activity::Paused, _) => vec![pass, beat],
        };
        seen.push(last);
        seen.insert(0, event(Side::Destination, "started", "migrated"));
        let scenario = *scenario(&self.history.header.case);
        if scenario.flags.has(Flag::PersistDest) {
            let detail = match scenario.state.preparation {
                Preparation::Defined => "updated",
                Preparation::Undefined => "added",
            };
            seen.push(event(Side::Destination, "defined", detail));
        }
        seen.push(match self.expected.destination_activity {
            Activity::Running => event(Side::Destination, "resumed", "migrated"),
            Activity::Paused => event(Side::Destination, "suspended", "paused"),
        });
        seen.push(event(Side::Source, "stopped", "migrated"));
        seen.push(Observation::Channels {
            side: Side::Destination,
            count: scenario.call(None).channels(),
        });
        seen.push(Observation::JobEnded {
            side: Side::Source,
            job: job(),
        });
        self.step(Verb::Migrate, seen);
    }

    fn after(&mut self) {
        let expected = self.expected;
        let left = if expected.source_config {
            DomainState::Present(inactive())
        } else {
            DomainState::Absent
        };
        self.look(Side::Source, When::After, left);
        let activity = expected.destination_activity;
        let reason = if activity == Activity::Running {
            "migrated"
        } else {
            "user"
        };
        let arrived = active(expected.destination_config, activity, reason);
        self.look(
            Side::Destination,
            When::After,
            DomainState::Present(arrived),
        );
        self.beat(Side::Destination, When::After, 37, activity);
        self.step(
            Verb::Job,
            vec![Observation::Job {
                side: Side::Destination,
                job: job(),
            }],
        );
        self.step(Verb::Survey, vec![memory(Side::Destination)]);
        self.step(Verb::Ram, vec![ram(Side::Destination, When::After)]);
    }

    fn clear(&mut self) {
        self.step(
            Verb::Clear,
            vec![event(Side::Destination, "stopped", "destroyed")],
        );
        for side in [Side::Source, Side::Destination] {
            self.step(
                Verb::Leftovers,
                vec![Observation::Leftovers {
                    side,
                    left: Vec::new(),
                }],
            );
        }
        let case = &self.history.header.case;
        let traffic = traffic(case, scenario(case));
        self.step(Verb::Leftovers, vec![Observation::Traffic(traffic)]);
    }

    fn look(&mut self, side: Side, when: When, look: DomainState) {
        let given = match &look {
            DomainState::Absent => Vec::new(),
            DomainState::Present(domain) if domain.active => vec![
                (Document::Live, live(side)),
                (Document::Kept, KEPT.to_owned()),
                (Document::Machine, machine(qemu(side))),
            ],
            DomainState::Present(_) => vec![(Document::Kept, KEPT.to_owned())],
        };
        let mut seen = vec![Observation::Domain { side, when, look }];
        seen.extend(documents(&self.history, side, when, given));
        self.step(Verb::Inspect, seen);
    }

    fn beat(&mut self, side: Side, when: When, first: u32, activity: Activity) {
        self.step(Verb::Beat, vec![sampled(side, when, first, activity)]);
    }

    fn step(&mut self, verb: Verb, seen: Vec<Observation>) {
        step(&mut self.history, verb, seen);
    }
}

/// What the network carries of a migration that goes as its scenario says.
fn traffic(case: &Case, scenario: &Scenario) -> Traffic {
    let call = scenario.call(Some(8));
    let journey = match case.point {
        Point::Chained(chained) => chained.journey,
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => {
            StorageMigration::Stay
        }
    };
    let of_disks = match journey {
        StorageMigration::Stay => None,
        StorageMigration::Shared => Some("VIR_MIGRATE_UNSAFE"),
        StorageMigration::Copied => Some("VIR_MIGRATE_NON_SHARED_DISK"),
    };
    let asked = |from, to, procedure: &str| RemoteCall {
        from,
        to,
        procedure: format!("domain-migrate-{procedure}3-params"),
        flags: Some(
            call.flags
                .iter()
                .copied()
                .chain(of_disks)
                .map(str::to_owned)
                .collect(),
        ),
        parameters: call
            .parameters
            .iter()
            .map(|(name, number)| ((*name).to_owned(), (*number).into()))
            .collect(),
    };
    let connected = |port, purpose, sent| Connection {
        from: Party::Source,
        to: Party::Destination,
        port,
        purpose,
        sent: Some(sent),
        received: Some(17),
    };
    let (from, prepare, peers) = match scenario.control {
        Control::Normal => (Party::Client, "prepare", None),
        Control::P2p => (Party::Source, "prepare", Some(8_000)),
        Control::Tunnelled => (Party::Source, "prepare-tunnel", Some(2_300_000)),
    };
    let data = match scenario.control {
        Control::Normal | Control::P2p => 1 + call.channels(),
        Control::Tunnelled => 0,
    };
    let data = (0..data).map(|_| connected(49_152, Purpose::Memory, 2_300_000));
    let disks =
        (journey == StorageMigration::Copied).then(|| connected(49_153, Purpose::Disks, 500_000));
    Traffic {
        calls: match scenario.control {
            Control::Normal => vec![
                asked(Party::Client, Party::Source, "begin"),
                asked(from, Party::Destination, prepare),
                asked(Party::Client, Party::Source, "perform"),
            ],
            Control::P2p | Control::Tunnelled => vec![
                asked(Party::Client, Party::Source, "perform"),
                asked(from, Party::Destination, prepare),
            ],
        },
        connections: peers
            .map(|sent| connected(16_509, Purpose::Calls, sent))
            .into_iter()
            .chain(data)
            .chain(disks)
            .collect(),
        strangers: Vec::new(),
        dropped: 0,
    }
}

/// A history of the case in which nothing was seen yet.
pub fn empty(case: Case) -> History {
    let header = Header {
        case,
        attempt: 1,
        began_unix: 1_795_000_000,
        began_ms: 0,
        domain: "mx-0001".to_owned(),
        uuid: UUID.to_owned(),
        machine: "pc-q35-7.2".to_owned(),
        guest: PARAMETERS,
        downtime_bound_ms: 2_000,
        setup: migratrix_matrix::HostSetup::default(),
        evidence: Header::EVIDENCE,
    };
    History {
        header,
        entries: Vec::new(),
    }
}

/// What a host keeps of the domain.
const KEPT: &str = "<domain type='qemu'>\n<name>mx-0001</name>\n<vcpu>1</vcpu>\n\
    <on_crash>destroy</on_crash>\n<devices>\n<disk type='file'>\n<source file='/a.img'/>\n\
    <target dev='vda' bus='virtio'/>\n</disk>\n</devices>\n</domain>";

/// What a QEMU of this version tells of the machine.
pub fn machine(version: Version) -> String {
    format!("[qemu]\nversion={version}\n{MACHINE}")
}

const MACHINE: &str = "[memory]\nbase=67108864\nplugged=0\n[drive boot]\nfile=/a.img\n\
    [clock]\nahead=0\n[options]\nrtc=base=utc\n[device pcie.0/mch @00.0]\naddr=00.0";

/// The running domain, as a host describes it.
fn live(side: Side) -> String {
    let id = match side {
        Side::Source => 7,
        Side::Destination => 3,
    };
    KEPT.replace("type='qemu'", &format!("type='qemu' id='{id}'"))
}

/// Documents that a host gives next, each told as a whole.
pub fn documents(
    history: &History,
    side: Side,
    when: When,
    given: Vec<(Document, String)>,
) -> Vec<Observation> {
    let lines = |text: &Text| {
        let parts = text.parts.iter();
        let lines = parts.map(|part| match part {
            Part::New(text) => text.lines().count(),
            Part::Again(..) => 0,
        });
        lines.sum::<usize>()
    };
    let told = history.entries.iter().map(|entry| match &entry.saw {
        Observation::Description { text, .. } => lines(text),
        _ => 0,
    });
    let mut at = told.sum();
    let describe = |(of, text): (Document, String)| {
        let parts = vec![Part::New(text)];
        let text = Text { at, parts };
        at += lines(&text);
        Observation::Description {
            side,
            when,
            of,
            text,
        }
    };
    given.into_iter().map(describe).collect()
}

/// What a side's QEMU tells of itself, where there is no libvirt.
pub fn qemu_version(side: Side, version: Version) -> Observation {
    let version = Some(version);
    Observation::Versions(match side {
        Side::Source => Versions {
            source_qemu: version,
            ..Versions::default()
        },
        Side::Destination => Versions {
            destination_qemu: version,
            ..Versions::default()
        },
    })
}

/// Adds a step that was done, and what was seen in it.
pub fn step(history: &mut History, verb: Verb, seen: Vec<Observation>) {
    step_that(history, verb, seen, Outcome::Done);
}

/// Adds a step, what was seen in it, and how it ended.
pub fn step_that(history: &mut History, verb: Verb, seen: Vec<Observation>, outcome: Outcome) {
    let step = format!("{verb:?}").to_lowercase();
    let began = Observation::Began {
        verb,
        step: step.clone(),
    };
    let ended = Observation::Ended {
        verb,
        step,
        outcome,
    };
    for saw in [began].into_iter().chain(seen).chain([ended]) {
        let last = history.entries.last().map_or(0, |entry| entry.at_us);
        let at_us = last + takes(&saw);
        history.entries.push(Entry { at_us, saw });
    }
}

/// How long it takes until a thing is seen after the one before it, in microseconds.
const fn takes(saw: &Observation) -> u64 {
    match saw {
        Observation::Began { .. } => 50_000,
        Observation::Beat { window_us, .. } => 1_000 + *window_us,
        _ => 1_000,
    }
}

/// The beat of a guest that does as `activity` says.
pub fn sampled(side: Side, when: When, first: u32, activity: Activity) -> Observation {
    sampled_for(50_000, side, when, first, activity)
}

fn sampled_for(
    window_us: u64,
    side: Side,
    when: When,
    first: u32,
    activity: Activity,
) -> Observation {
    let (first, beats) = match activity {
        Activity::Running => (first, 3),
        Activity::Paused => (LAPS, 0),
    };
    Observation::Beat {
        side,
        when,
        first,
        last: first + beats,
        window_us,
    }
}

/// The memory of a guest that has lapped a while.
pub fn memory(side: Side) -> Observation {
    memory_of(side, LAPS)
}

/// The memory of a guest that has done so many laps.
pub fn memory_of(side: Side, laps: u32) -> Observation {
    memory_at(side, PARAMETERS, laps)
}

/// The memory of another guest that has.
pub fn memory_at(side: Side, guest: Parameters, laps: u32) -> Observation {
    let stamper = Stamper {
        laps,
        address: guest.start,
    };
    let model = Model::at(guest, stamper);
    Observation::Memory {
        side,
        survey: model.survey(),
        registers: model.registers().ok(),
    }
}

/// All of the memory of a machine of 2 MiB.
pub fn ram(side: Side, when: When) -> Observation {
    let mut ram = Ram::default();
    for page in 0..512 {
        let is_empty = (16..192).contains(&page) || page >= 256;
        ram.push((!is_empty).then_some(page));
    }
    Observation::Ram { side, when, ram }
}

/// How many laps the guest has done when it is held still.
pub const LAPS: u32 = 40;

const PARAMETERS: Parameters = Parameters {
    start: 0x10_0000,
    end: 0x11_0000,
    pace_us: 10_000,
    suspend: false,
    flush: true,
    disk: None,
};

fn scenario(case: &Case) -> &Scenario {
    case.scenario()
        .expect("a story of a case that libvirt runs")
}

/// A life-cycle event.
pub fn event(side: Side, event: &str, detail: &str) -> Observation {
    Observation::Lifecycle {
        side,
        event: event.to_owned(),
        detail: detail.to_owned(),
    }
}

fn active(persistent: bool, activity: Activity, reason: &str) -> DomainInfo {
    let reason = if activity == Activity::Paused {
        "user"
    } else {
        reason
    };
    DomainInfo {
        uuid: UUID.to_owned(),
        active: true,
        persistent,
        state: activity.word().to_owned(),
        reason: reason.to_owned(),
        identity: Some(Identity {
            machine: "pc-q35-7.2".to_owned(),
            memory_kib: 65_536,
            vcpus: 1,
            processor: None,
            devices: [("disk/vda".to_owned(), "pci 0000:01:00.0".to_owned())].into(),
        }),
    }
}

fn inactive() -> DomainInfo {
    DomainInfo {
        uuid: UUID.to_owned(),
        active: false,
        persistent: true,
        state: "shutoff".to_owned(),
        reason: "unknown".to_owned(),
        identity: None,
    }
}

/// The statistics of a good migration.
pub fn job() -> JobStats {
    JobStats {
        kind: "completed".to_owned(),
        elapsed_ms: Some(400),
        downtime_ms: Some(30),
        memory_total: Some(67_108_864),
        memory_processed: Some(2_240_000),
        memory_remaining: Some(0),
        memory_normal_bytes: Some(2_097_152),
        memory_constant: Some(15_872),
        memory_iteration: Some(2),
        ..JobStats::default()
    }
}

const fn qemu(side: Side) -> Version {
    match side {
        Side::Source => Version::new(7, 2, 22),
        Side::Destination => Version::new(10, 0, 2),
    }
}

fn versions() -> Versions {
    Versions {
        client: Some(Version::new(11, 3, 0)),
        source_libvirt: Some(Version::new(9, 0, 0)),
        source_qemu: Some(qemu(Side::Source)),
        destination_libvirt: Some(Version::new(11, 3, 0)),
        destination_qemu: Some(qemu(Side::Destination)),
    }
}
