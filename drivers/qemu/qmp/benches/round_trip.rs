//! What a QMP round trip costs, against no more than reading the same JSON.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use criterion::Criterion;
use migratrix_qmp::Qmp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const GREETING: &str = r#"{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 10},
    "package": ""}, "capabilities": ["oob"]}}"#;

/// About what `query-migrate` answers while a guest is migrated.
const ANSWER: &str = r#"{"status": "active", "setup-time": 2, "total-time": 413, "expected-downtime": 300,
    "ram": {"total": 17629184, "postcopy-requests": 0, "dirty-sync-count": 3, "multifd-bytes": 0,
    "pages-per-second": 32710, "downtime-bytes": 0, "page-size": 4096, "remaining": 1122304,
    "postcopy-bytes": 0, "mbps": 268.1, "transferred": 9712312, "dirty-sync-missed-zero-copy": 0,
    "precopy-bytes": 9712312, "duplicate": 2011, "dirty-pages-rate": 991, "normal-bytes": 9568256,
    "normal": 2336}}"#;

const SOON: Duration = Duration::from_secs(60);

/// Answers each line, with the id that is at its end.
async fn qemu(stream: DuplexStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    lines.write_all(GREETING.as_bytes()).await?;
    let mut line = String::new();
    for id in 1_u64.. {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            break;
        }
        lines.write_all(message(id).as_bytes()).await?;
    }
    Ok(())
}

fn message(id: u64) -> String {
    format!("{{\"return\": {ANSWER}, \"id\": {id}}}\r\n")
}

fn round_trips(count: u64) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(qemu(theirs));
        let qmp = Qmp::connect(ours, SOON).await.expect("a greeting");
        let began = Instant::now();
        for _ in 0..count {
            black_box(
                qmp.ask("query-migrate", json!({}), SOON)
                    .await
                    .expect("an answer"),
            );
        }
        began.elapsed()
    })
}

fn readings(count: u64) -> Duration {
    let began = Instant::now();
    for id in 0..count {
        black_box(serde_json::from_str::<Value>(&message(id)).expect("JSON"));
    }
    began.elapsed()
}

/// Measures `work` and keeps its time for one, in nanoseconds.
fn measure(criterion: &mut Criterion, name: &str, work: fn(u64) -> Duration) -> f64 {
    let (time, count) = (AtomicU64::new(0), AtomicU64::new(0));
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let took = work(iterations);
            time.fetch_add(
                u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
                Ordering::Relaxed,
            );
            count.fetch_add(iterations, Ordering::Relaxed);
            took
        });
    });
    time.into_inner() as f64 / count.into_inner().max(1) as f64
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let trip = measure(&mut criterion, "QMP round trip", round_trips);
    let reading = measure(&mut criterion, "reading its JSON", readings);
    println!(
        "{:.0} round trips/s, {:.1} times the reading of the JSON",
        1e9 / trip,
        trip / reading
    );
    criterion.final_summary();
}
