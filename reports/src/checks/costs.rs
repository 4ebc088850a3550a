//! How long each condition takes to be judged, on an honest history of each suite.

use std::{hint::black_box, time::Instant};

use super::{check, evidence::Evidence, mutations, timeline};

/// A case of each suite and back end that has honest histories.
const CASES: [&str; 5] = [
    "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live",
    "qemu/qemu/bookworm,trixie/precopy/tcp/running/psk",
    "colo/qemu/sid,sid/single-channel/primary/idle/plain",
    "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain",
    "backup/libvirt/trixie,bookworm,trixie/copied-storage/guest/p2p/persistent-running-undefined/live",
];

/// How often each is judged. The shortest time is told: what is longer was disturbed.
const TIMES: usize = 200;

#[test]
#[ignore = "it measures, and holds nothing: cargo test --release -p migratrix-reports --lib what_each -- --ignored --nocapture"]
fn what_each_condition_costs() {
    for case in CASES {
        let history = mutations::honest(case);
        let evidence = Evidence::of(&history);
        let conditions = evidence.header().case.point.conditions();
        println!("{case}: {} conditions", conditions.len());
        let reading = shortest(|| drop(black_box(Evidence::of(&history))));
        let order = shortest(|| drop(black_box(timeline::disorder(&history))));
        println!(
            "{reading:>8.1} µs  reading the history\n{order:>8.1} µs  whether it contradicts itself"
        );
        for condition in conditions {
            let cost = shortest(|| drop(black_box(check(condition, &evidence))));
            println!("{cost:>8.1} µs  {condition}");
        }
    }
}

/// The shortest time that something took, in microseconds.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn shortest(what: impl Fn()) -> f64 {
    let times = (0..TIMES).map(|_| {
        let begun = Instant::now();
        what();
        begun.elapsed().as_secs_f64() * 1e6
    });
    times.fold(f64::INFINITY, f64::min)
}
