//! The one loop that runs a script on any back end.

use std::time::Duration;

use migratrix_history::{Observation, Outcome, Side};

use crate::{Driver, Phase, Recorder, Script, Step};

/// How long a step may take before it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The migration itself.
    pub migrate: Duration,
    /// Every other step of the case.
    pub step: Duration,
    /// Every step of clearing away. A search for what is left waits that long for it to go, and then
    /// has the same again to tell of it.
    pub clear: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            migrate: Duration::from_secs(30),
            step: Duration::from_secs(20),
            clear: Duration::from_secs(5),
        }
    }
}

impl Deadlines {
    fn of(&self, phase: Phase, step: &Step) -> Duration {
        let own = match (phase, step) {
            (_, Step::Migrate(_)) | (Phase::Migration, _) => self.migrate,
            (_, Step::Leftovers(_)) => self.clear * 2,
            (Phase::Clear, _) => self.clear,
            (Phase::Prepare | Phase::Before | Phase::After, _) => self.step,
        };
        if let Step::Recovery(step) = step {
            return own + step.waits().unwrap_or_default();
        }
        own
    }
}

/// Runs `script` step by step on `driver`, and records what is seen.
///
/// A step that ends unknown, by its deadline or otherwise, ends all phases but the last; so does a
/// refusal while the scenario is prepared. Clearing away always runs, but for the steps on a side
/// that has already not answered.
pub async fn run<D: Driver>(
    script: &Script,
    driver: &mut D,
    record: &mut Recorder,
    deadlines: &Deadlines,
) {
    let mut given_up = false;
    let mut dead: Vec<Side> = Vec::new();
    for (phase, step) in &script.steps {
        let clearing = *phase == Phase::Clear;
        let on_dead_side = clearing && step.side().is_some_and(|side| dead.contains(&side));
        if (given_up && !clearing) || on_dead_side {
            continue;
        }
        let outcome = perform(step, driver, record, deadlines.of(*phase, step)).await;
        match outcome {
            Outcome::Done => {}
            Outcome::Refused(_) => given_up |= *phase == Phase::Prepare,
            Outcome::Unknown { .. } => {
                given_up = true;
                dead.extend(step.side().filter(|_| clearing));
            }
        }
    }
}

async fn perform<D: Driver>(
    step: &Step,
    driver: &mut D,
    record: &mut Recorder,
    deadline: Duration,
) -> Outcome {
    record.saw(Observation::Began {
        verb: step.verb(),
        step: step.to_string(),
    });
    let outcome = tokio::time::timeout(deadline, driver.perform(step, record))
        .await
        .unwrap_or_else(|_| Outcome::Unknown {
            why: format!("no answer within {} s", deadline.as_secs_f32()),
        });
    record.saw(Observation::Ended {
        verb: step.verb(),
        step: step.to_string(),
        outcome: outcome.clone(),
    });
    if matches!(outcome, Outcome::Unknown { .. }) {
        driver.abandon(record).await;
    }
    outcome
}
