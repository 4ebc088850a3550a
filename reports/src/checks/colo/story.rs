//! Hand-made histories of COLO pairs, for tests: what a good one looks like, to be spoiled.

use std::collections::BTreeMap;

use migratrix_history::{DomainInfo, DomainState, History, Observation, Side, Verb, When};
use migratrix_matrix::{Activity, Case, Colo, ColoMoment, Point, Version};
use serde_json::json;

use super::mode;
use crate::{
    raw_story::{event, status},
    story::{UUID, empty, memory, qemu_version, ram, sampled, step},
};
use Side::{Destination, Source};

/// A history in which all went as the point says.
pub(in crate::checks) fn good(point: &str) -> History {
    let case: Case = format!("colo/qemu/sid,sid/{point}").parse().unwrap();
    let Point::Colo(colo) = case.point else {
        panic!("{point} is no point of COLO's")
    };
    let mut story = Timeline {
        history: empty(case),
        colo,
    };
    story.prepare();
    story.lock_step();
    story.fail_over();
    story.alone();
    story.onward();
    story.clear();
    story.history
}

const VERSION: Version = Version::new(11, 1, 3);

struct Timeline {
    history: History,
    colo: Colo,
}

impl Timeline {
    fn prepare(&mut self) {
        for side in [Source, Destination] {
            self.step(Verb::Start, vec![qemu_version(side, VERSION)]);
        }
        for side in [Source, Destination] {
            let settings = self.settings(side);
            self.step(Verb::Configure, vec![settings]);
        }
        self.look(Source, When::Before, machine("running"));
        self.beat(Source, When::Before, 4, Activity::Running);
        self.step(Verb::Ram, vec![ram(Source, When::Before)]);
    }

    fn settings(&self, side: Side) -> Observation {
        let capabilities = self.colo.capabilities(VERSION);
        let delay = json!(self.colo.delay.ms());
        Observation::Settings {
            side,
            capabilities: capabilities.into_iter().map(str::to_owned).collect(),
            parameters: BTreeMap::from([("x-checkpoint-delay".to_owned(), delay)]),
        }
    }

    fn lock_step(&mut self) {
        let begun = [Source, Destination].map(|side| status(side, "colo"));
        self.step(Verb::Migrate, begun.to_vec());
        for side in [Source, Destination] {
            let settings = self.settings(side);
            self.step(Verb::Inspect, vec![settings]);
        }
        for lap in [10, 14, 18] {
            let mut seen = checkpoint();
            for side in [Source, Destination] {
                // Each entry takes a millisecond, and a beat tells of the 50 before it.
                seen.extend([0; 60].map(|_| note()));
                seen.push(sampled(side, When::During, lap, Activity::Running));
            }
            self.step(Verb::Checkpoint, seen);
        }
        self.step(Verb::Mirror, checkpoint());
        let mirror = Observation::Mirror {
            lap: 22,
            pages: 512,
            differing: Vec::new(),
        };
        self.step(Verb::Mirror, vec![mirror]);
        self.step(Verb::Mirror, checkpoint());
    }

    fn fail_over(&mut self) {
        let survivor = self.colo.survivor();
        let lost = match self.colo.moment {
            ColoMoment::Idle => Vec::new(),
            ColoMoment::Checkpoint => [Source, Destination].map(|at| event(at, "STOP")).to_vec(),
        };
        self.step(Verb::Intervene, lost);
        let blocked = self.colo.blocks_the_monitor(VERSION);
        self.step(Verb::Inspect, vec![monitor(survivor, !blocked)]);
        let told = |command: &str| Observation::Command {
            side: survivor,
            command: command.to_owned(),
            arguments: json!({}),
        };
        self.step(Verb::Intervene, vec![told("yank")]);
        self.step(Verb::Inspect, vec![monitor(survivor, true)]);
        let left = exit(survivor, mode(survivor), "error");
        let lost = told("x-colo-lost-heartbeat");
        self.step(Verb::Intervene, vec![lost, left, event(survivor, "RESUME")]);
        let said = Observation::Colo {
            side: survivor,
            mode: "none".to_owned(),
            last_mode: mode(survivor).to_owned(),
            reason: "request".to_owned(),
        };
        self.step(Verb::Await, vec![said]);
    }

    fn alone(&mut self) {
        let survivor = self.colo.survivor();
        self.look(survivor, When::After, machine("running"));
        self.look(survivor.other(), When::After, DomainState::Absent);
        self.beat(survivor, When::After, 25, Activity::Running);
        self.beat(survivor.other(), When::After, 0, Activity::Paused);
        self.step(Verb::Survey, vec![memory(survivor)]);
        self.step(Verb::Ram, vec![ram(survivor, When::After)]);
    }

    fn onward(&mut self) {
        let (from, to) = (self.colo.survivor(), self.colo.survivor().other());
        self.step(Verb::Onward, vec![qemu_version(to, VERSION)]);
        let states = ["active", "completed"].iter();
        let states = states.flat_map(|state| [status(from, state), status(to, state)]);
        self.step(Verb::Onward, states.collect());
        self.look(from, When::After, machine("postmigrate"));
        self.beat(to, When::After, 30, Activity::Running);
        self.step(Verb::Survey, vec![memory(to)]);
        self.step(Verb::Ram, vec![ram(to, When::After)]);
    }

    fn clear(&mut self) {
        self.step(Verb::Clear, vec![]);
        for side in [Source, Destination] {
            let left = Vec::new();
            self.step(Verb::Leftovers, vec![Observation::Leftovers { side, left }]);
        }
    }

    fn step(&mut self, verb: Verb, seen: Vec<Observation>) {
        step(&mut self.history, verb, seen);
    }

    fn look(&mut self, side: Side, when: When, look: DomainState) {
        self.step(
            Verb::Inspect,
            vec![Observation::Domain { side, when, look }],
        );
    }

    fn beat(&mut self, side: Side, when: When, first: u32, activity: Activity) {
        self.step(Verb::Beat, vec![sampled(side, when, first, activity)]);
    }
}

fn checkpoint() -> Vec<Observation> {
    let both = |name| [Destination, Source].map(|side| event(side, name));
    [both("STOP"), both("RESUME")].concat()
}

pub(super) fn monitor(side: Side, answered: bool) -> Observation {
    Observation::Monitor {
        side,
        answered,
        within_us: 500,
    }
}

pub(super) fn exit(side: Side, mode: &str, reason: &str) -> Observation {
    Observation::Event {
        side,
        event: "COLO_EXIT".to_owned(),
        data: json!({ "mode": mode, "reason": reason }),
        late_us: None,
    }
}

fn note() -> Observation {
    Observation::Note {
        text: "time goes by".to_owned(),
    }
}

fn machine(state: &str) -> DomainState {
    let active = state != "postmigrate";
    DomainState::Present(DomainInfo {
        uuid: UUID.to_owned(),
        active,
        persistent: false,
        state: if active { "running" } else { "paused" }.to_owned(),
        reason: state.to_owned(),
        identity: None,
    })
}
