//! How fast histories are judged, beside how fast they are parsed.

#[expect(dead_code, reason = "the benchmark needs good histories only")]
#[path = "../src/story.rs"]
mod story;

use criterion::{Criterion, Throughput};
use migratrix_history::History;
use migratrix_reports::judge;

fn judging(criterion: &mut Criterion) {
    let history =
        story::good("tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live");
    let text = history.to_text();
    let mut group = criterion.benchmark_group("history");
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse", |bencher| bencher.iter(|| History::read(&text)));
    group.bench_function("judge", |bencher| bencher.iter(|| judge(&history)));
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    judging(&mut criterion);
    criterion.final_summary();
}
