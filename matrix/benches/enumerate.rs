//! A million cases: what enumerating them costs, and how many times as much filtering them.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use migratrix_matrix::{Release, ReleaseName, Releases, Selection, Version};

/// 22³ tuples × 96 scenarios.
const CASES: u64 = 1_022_208;

const FILTER: &str = "control(p2p) & source(<9.0) & !state(paused) & forward()";

fn releases() -> Releases {
    let release = |number| Release {
        name: ReleaseName::new(&format!("release-{number}")).expect("the name is plain"),
        libvirt: Some(Version::new(number, 0, 0)),
        qemu: Some(Version::new(number, 0, 0)),
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    Releases::new((1..=22).map(release).collect()).expect("each name has its number")
}

fn count(selection: &Selection, releases: &Releases) -> usize {
    let cases = selection
        .matching(releases)
        .expect("the selection is sound");
    cases
        .inspect(|case| assert!(black_box(case).is_ok()))
        .count()
}

#[expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]
fn seconds(selection: &Selection, releases: &Releases) -> f64 {
    let began = std::time::Instant::now();
    black_box(count(selection, releases));
    began.elapsed().as_secs_f64()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let releases = releases();
    let all = Selection::default();
    let filtered = Selection {
        filter: Some(FILTER.parse().expect("the filter is right")),
        ..Selection::default()
    };
    assert_eq!(count(&all, &releases) as u64, CASES);
    let ratio = seconds(&filtered, &releases) / seconds(&all, &releases);
    println!("filtering takes {ratio:.2} × the time of enumerating");

    let mut group = criterion.benchmark_group("a million cases");
    group
        .throughput(Throughput::Elements(CASES))
        .sample_size(10);
    group.bench_function("enumerate", |bencher| {
        bencher.iter(|| count(&all, &releases))
    });
    group.bench_function("filter", |bencher| {
        bencher.iter(|| count(&filtered, &releases))
    });
    group.finish();
    criterion.final_summary();
}
