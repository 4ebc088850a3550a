//! A QEMU that dies, stops or answers nonsense, at each step of a case: it costs the case, within its
//! deadlines, and nothing else.
//!
//! `MIGRATRIX_TEST_ROOTS=/roots/trixie cargo test -p migratrix-qemu --test lost -- --ignored`

mod raw;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use migratrix_contract::{Deadlines, Phase, RawStep, Script, Step};
use migratrix_history::{History, Observation, Side};
use migratrix_qemu::RawHost;

const POINT: &str = "precopy/unix/running/plain";

/// Short, so that a QEMU that never answers is given up soon; and long beside all that it does.
const DEADLINES: Deadlines = Deadlines {
    migrate: Duration::from_secs(3),
    step: Duration::from_secs(3),
    clear: Duration::from_secs(3),
};

/// What is done to a QEMU.
const LOSSES: [fn(Side) -> Step; 3] = [
    Step::KillQemu,
    |side| Step::Raw(RawStep::StopQemu(side)),
    |side| Step::Raw(RawStep::Garble(side)),
];

/// Each way to lose each side at each step, once it has been launched.
fn losses(script: &Script) -> Vec<(usize, Step)> {
    let launches = script
        .steps
        .iter()
        .filter(|(_, step)| is_launch(step))
        .count();
    let due = script
        .steps
        .iter()
        .position(|(phase, _)| *phase == Phase::Clear);
    let places = launches..=due.expect("it ends in clearing");
    let sides = [Side::Source, Side::Destination];
    let at = |place| {
        let each = LOSSES.iter().flat_map(move |loss| sides.map(loss));
        each.map(move |step| (place, step))
    };
    places.flat_map(at).collect()
}

fn is_launch(step: &Step) -> bool {
    matches!(step, Step::Raw(RawStep::Launch(_)))
}

#[tokio::test]
#[ignore = "needs the root of a release, named by MIGRATRIX_TEST_ROOTS=dir"]
async fn a_qemu_that_is_lost_at_any_step_costs_its_case_and_leaves_nothing() {
    let host = &raw::hosts().await[0];
    let script = raw::script(POINT, [host, host]);
    let losses = losses(&script);
    for some in losses.chunks(4) {
        let attempts = some
            .iter()
            .map(|(place, loss)| lost(&script, *place, *loss, host));
        join_all(attempts).await;
    }
    let folder = tempfile::tempdir().expect("there is room");
    let whole = folder.path().join("whole");
    let history = raw::play(&script, [host, host], &whole, &DEADLINES).await;
    assert!(is_completed(&history), "the next case is as good as ever");
}

async fn lost(script: &Script, place: usize, loss: Step, host: &RawHost) {
    let mut script = script.clone();
    let phase = script.steps[place - 1].0;
    script.steps.insert(place, (phase, loss));
    let parent = tempfile::tempdir().expect("there is room");
    let folder = parent.path().join("case");
    let began = Instant::now();
    let history = raw::play(&script, [host, host], &folder, &DEADLINES).await;
    let told = format!("{loss} before `{}`", script.steps[place + 1].1);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{told}: {:?}",
        began.elapsed()
    );
    assert!(!folder.exists(), "{told}: its folder is left");
    for side in [Side::Source, Side::Destination] {
        assert_eq!(left(&history, side), Some(&[][..]), "{told}");
    }
}

fn left(history: &History, of: Side) -> Option<&[String]> {
    history.entries.iter().find_map(|entry| {
        let Observation::Leftovers { side, left } = &entry.saw else {
            return None;
        };
        (*side == of).then_some(left.as_slice())
    })
}

fn is_completed(history: &History) -> bool {
    history.entries.iter().any(|entry| {
        matches!(&entry.saw, Observation::Status { side: Side::Destination, status } if status == "completed")
    })
}
