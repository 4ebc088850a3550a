//! What a raw precopy case of the small guest takes, both starts of QEMU included, against no more
//! than two QEMUs that are started side by side, asked one thing and killed.
//!
//! `MIGRATRIX_TEST_ROOTS=/roots/trixie cargo bench -p migratrix-qemu --bench precopy`

#[path = "../tests/raw/mod.rs"]
mod raw;

use std::time::{Duration, Instant};

use migratrix_contract::Deadlines;
use migratrix_qemu::RawHost;
use migratrix_qmp::Launch;
use serde_json::json;

const ROUNDS: usize = 20;
const LONG: Duration = Duration::from_secs(20);

async fn case(host: &RawHost) {
    let script = raw::script("precopy/unix/running/plain", [host, host]);
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path().join("case");
    raw::play(&script, [host, host], &folder, &Deadlines::default()).await;
}

async fn starts(host: &RawHost) {
    let one = || async {
        let machine = [
            "-machine",
            "q35",
            "-accel",
            "tcg",
            "-S",
            "-nodefaults",
            "-display",
            "none",
        ];
        let launch = Launch::new(host.binary.clone()).arguments(machine);
        let mut qemu = launch.start(LONG).await.expect("it starts");
        let answer = qemu.execute("query-status", json!({}), LONG).await;
        answer.expect("it answers").expect("it knows");
        qemu.kill().await.expect("it can be killed");
    };
    tokio::join!(one(), one());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::var_os("MIGRATRIX_TEST_ROOTS").is_none() {
        println!("skipped: MIGRATRIX_TEST_ROOTS=dir names the root of no release");
        return;
    }
    let host = &raw::hosts().await[0];
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        case(host).await;
        whole.push(began.elapsed());
        let began = Instant::now();
        starts(host).await;
        bare.push(began.elapsed());
    }
    let (whole, bare) = (median(whole), median(bare));
    let ratio = whole.as_secs_f64() / bare.as_secs_f64();
    println!("a raw precopy case: {whole:.0?}; two starts of QEMU: {bare:.0?}; ratio {ratio:.1}");
}
