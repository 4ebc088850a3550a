//! The loop keeps its promises on a driver that answers, refuses, or does not answer.

mod scripts;

use std::{
    future::pending,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use migratrix_contract::{Deadlines, Driver, Phase, Recorder, Script, Step, run};
use migratrix_history::{History, Observation, Outcome, Refusal, Side, Verb, When};
use migratrix_matrix::{Fault, TckFault};
use scripts::script;

/// Does nothing, and ends the steps of one kind in its own way.
struct Stub {
    verb: Verb,
    way: Way,
    abandoned: usize,
}

#[derive(Clone, Copy)]
enum Way {
    Done,
    Refuse,
    Hang,
}

impl Driver for Stub {
    async fn perform(&mut self, step: &Step, _: &mut Recorder) -> Outcome {
        let way = if step.verb() == self.verb {
            self.way
        } else {
            Way::Done
        };
        match way {
            Way::Done => Outcome::Done,
            Way::Refuse => Outcome::Refused(Refusal {
                code: 1,
                domain: 1,
                message: "no".into(),
            }),
            Way::Hang => pending().await,
        }
    }

    async fn abandon(&mut self, _: &mut Recorder) {
        self.abandoned += 1;
    }
}

async fn history(name: &str, verb: Verb, way: Way) -> (History, usize) {
    let script = script(name);
    let mut driver = Stub {
        verb,
        way,
        abandoned: 0,
    };
    let mut record = Recorder::new(script.header(1, 0), None);
    let brief = Duration::from_millis(5);
    let deadlines = Deadlines {
        migrate: brief,
        step: brief,
        clear: brief,
    };
    run(&script, &mut driver, &mut record, &deadlines).await;
    (record.finish().expect("there is no file"), driver.abandoned)
}

fn begun(history: &History) -> Vec<Verb> {
    let begun = |saw: &Observation| {
        if let Observation::Began { verb, .. } = saw {
            Some(*verb)
        } else {
            None
        }
    };
    history
        .entries
        .iter()
        .filter_map(|entry| begun(&entry.saw))
        .collect()
}

const PLAIN: &str = "tck/libvirt/a,a,b/p2p/persistent-paused-defined/live";

#[tokio::test(flavor = "current_thread")]
async fn all_steps_run_in_the_order_of_the_script() {
    let (history, abandoned) = history(PLAIN, Verb::Break, Way::Done).await;
    let planned: Vec<_> = script(PLAIN)
        .steps
        .iter()
        .map(|(_, step)| step.verb())
        .collect();
    assert_eq!(begun(&history), planned);
    assert_eq!(abandoned, 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_migration_is_still_looked_at() {
    let (history, abandoned) = history(PLAIN, Verb::Migrate, Way::Refuse).await;
    assert!(begun(&history).contains(&Verb::Survey));
    assert_eq!(abandoned, 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_while_preparing_leads_straight_to_clearing() {
    let (history, _) = history(PLAIN, Verb::Start, Way::Refuse).await;
    let verbs = begun(&history);
    assert!(!verbs.contains(&Verb::Migrate));
    assert!(verbs.contains(&Verb::Clear) && verbs.contains(&Verb::Leftovers));
}

#[tokio::test(flavor = "current_thread")]
async fn a_migration_that_does_not_answer_costs_its_deadline_and_is_cleared_away() {
    let (history, abandoned) = history(PLAIN, Verb::Migrate, Way::Hang).await;
    let verbs = begun(&history);
    assert!(matches!(
        history.outcome_of(Verb::Migrate),
        Some(Outcome::Unknown { .. })
    ));
    assert!(!verbs.contains(&Verb::Survey) && verbs.contains(&Verb::Leftovers));
    assert_eq!(abandoned, 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_side_that_does_not_answer_is_asked_once_when_clearing() {
    let (history, abandoned) = history(PLAIN, Verb::Clear, Way::Hang).await;
    let clears = begun(&history)
        .iter()
        .filter(|verb| **verb == Verb::Clear)
        .count();
    assert_eq!((clears, abandoned), (2, 2));
    assert!(!begun(&history).contains(&Verb::Leftovers));
}

#[test]
fn the_script_of_a_case_reads_as_its_scenario() {
    let said: Vec<_> = script(PLAIN)
        .steps
        .iter()
        .map(|(_, step)| step.to_string())
        .collect();
    let expected = [
        "connect",
        "define on destination",
        "start persistent on source",
        "await a heartbeat on source",
        "suspend on source",
        "look at source before",
        "sample the heartbeat on source before",
        "look at destination before",
        "read all of the memory on source before",
        "migrate p2p with live",
        "look at source after",
        "look at destination after",
        "sample the heartbeat on source after",
        "sample the heartbeat on destination after",
        "ask destination for the job's statistics",
        "survey the memory on destination",
        "read all of the memory on destination after",
        "clear destination",
        "clear source",
        "look for leftovers on source",
        "look for leftovers on destination",
    ];
    assert_eq!(said, expected);
}

/// The script of a fault's own case.
fn with(fault: TckFault) -> Script {
    let fault = Fault::Tck(fault);
    script(&format!("faults/libvirt/a,a,b/{}/{fault}", fault.point()))
}

#[test]
fn a_fault_is_a_step_of_the_script_at_its_moment() {
    let place = |script: &Script, is: Step| script.steps.iter().position(|(_, step)| *step == is);

    let before = with(TckFault::SourceUndefined);
    let undefine = place(&before, Step::Undefine(Side::Source)).expect("the fault is there");
    assert_eq!(before.steps[undefine].0, Phase::Prepare);
    assert_eq!(before.steps[undefine + 1].0, Phase::Before);

    let left = with(TckFault::DomainLeft);
    assert_eq!(
        place(&left, Step::Clear(Side::Destination)),
        Some(left.steps.len() - 1)
    );

    let poked = with(TckFault::MemoryByte);
    let poke = place(&poked, Step::PokeByte(Side::Destination)).expect("the fault is there");
    assert_eq!(poked.steps[poke - 1].1, Step::Suspend(Side::Destination));
    assert_eq!(poked.steps[poke + 1].1, Step::Survey(Side::Destination));
    assert!(poked.subject.qtest && !left.subject.qtest);
    for (fault, step) in [
        (TckFault::PageOutdated, Step::AgePage(Side::Destination)),
        (TckFault::UnstampedByte, Step::PokeRest(Side::Destination)),
    ] {
        let broken = with(fault);
        let place = place(&broken, step).expect("the fault is there");
        assert_eq!(broken.steps[place + 1].1, Step::Survey(Side::Destination));
        assert!(broken.subject.qtest, "{step}");
    }
}

/// The destination's memory is read while the guest is held still to be surveyed.
#[test]
fn all_of_the_memory_is_read_before_the_migration_and_once_the_guest_is_held_after_it() {
    let script = script("tck/fake/a,b,c/p2p/persistent-running-undefined/none");
    let place = |is: Step| script.steps.iter().position(|(_, step)| *step == is);
    let before = place(Step::ReadRam(Side::Source, When::Before)).expect("it is read");
    assert!(matches!(script.steps[before + 1].1, Step::Migrate(_)));
    let after = place(Step::ReadRam(Side::Destination, When::After)).expect("it is read");
    assert_eq!(script.steps[after - 1].1, Step::Survey(Side::Destination));
}

/// What a run says of the domain stays, and all that the case says of it is there at once.
#[test]
fn a_subject_is_made_whole_from_its_case() {
    let asleep = script("qemu/qemu/a,b/precopy/unix/suspended/plain");
    assert!(asleep.subject.guest.suspend && asleep.subject.guest.flush);
    assert_eq!(asleep.subject.point, asleep.case.point);
    assert_eq!(asleep.subject.domain, "mq-0");
}

/// A file that can be looked at while it is written.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<Vec<u8>>>);

impl Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sees something in each step, and keeps what stood in the file when that began.
struct Reader {
    file: Open,
    found: Vec<String>,
}

impl Driver for Reader {
    async fn perform(&mut self, step: &Step, record: &mut Recorder) -> Outcome {
        let text = String::from_utf8(self.file.0.lock().unwrap().clone());
        self.found.push(text.unwrap());
        record.saw(Observation::Note {
            text: format!("seen in {step}"),
        });
        Outcome::Done
    }

    async fn abandon(&mut self, _: &mut Recorder) {}
}

#[tokio::test]
async fn a_file_has_all_that_was_before_a_step_when_that_begins_whatever_becomes_of_the_runner() {
    let script = script("tck/libvirt/a,a,b/normal/transient-running-undefined/none");
    let file = Open::default();
    let mut record = Recorder::new(script.header(1, 0), Some(Box::new(file.clone())));
    let mut driver = Reader {
        file: file.clone(),
        found: Vec::new(),
    };
    run(&script, &mut driver, &mut record, &Deadlines::default()).await;
    let steps: Vec<_> = script.steps.iter().map(|(_, step)| step).collect();
    assert_eq!(driver.found.len(), steps.len());
    for (place, found) in driver.found.iter().enumerate() {
        let reading = History::read_all(found).unwrap();
        // Of each step before it three entries, and that it has begun itself.
        assert_eq!(reading.history.entries.len(), 3 * place + 1, "{found}");
    }
    drop(record);
    let whole = file.0.lock().unwrap().clone();
    let reading = History::read_all(&whole).unwrap();
    assert_eq!(reading.history.entries.len(), 3 * steps.len());
}
