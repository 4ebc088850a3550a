//! The versions that an entry is bound to, by the cases that it is made of: series, so that an update within one undoes
//! no entry, and the next series is judged anew.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::Version;

use crate::Judgement;

/// A series of QEMU or, where that is not known, of libvirt: `qemu>=10.0 & <10.1`.
type Series = String;

/// The filter of the versions between which guests went in these cases; nothing where one is not known.
pub(super) fn range(cases: &[&Judgement]) -> Option<String> {
    let pairs = cases.iter().map(|one| {
        let seen = &one.versions;
        let source = series(seen.source_qemu, seen.source_libvirt)?;
        let destination = series(seen.destination_qemu, seen.destination_libvirt)?;
        Some((destination, source))
    });
    // Destinations by what comes to them, then what comes by where it may go.
    let mut by_destination: BTreeMap<Series, BTreeSet<Series>> = BTreeMap::new();
    for (destination, source) in pairs.collect::<Option<Vec<_>>>()? {
        by_destination
            .entry(destination)
            .or_default()
            .insert(source);
    }
    let mut alike: BTreeMap<BTreeSet<Series>, BTreeSet<Series>> = BTreeMap::new();
    for (destination, sources) in by_destination {
        alike.entry(sources).or_default().insert(destination);
    }
    let all: Vec<_> = alike
        .iter()
        .map(|(from, to)| format!("{} & {}", any("source", from), any("destination", to)))
        .collect();
    match all.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => {
            let several = several.iter().map(|one| format!("({one})"));
            Some(several.collect::<Vec<_>>().join(" | "))
        }
    }
}

/// That a side is of one of some series.
fn any(side: &str, all: &BTreeSet<Series>) -> String {
    let each: Vec<_> = all.iter().map(|one| format!("{side}({one})")).collect();
    match each.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" | ")),
    }
}

fn series(qemu: Option<Version>, libvirt: Option<Version>) -> Option<Series> {
    let of = |program: &str, Version { major, minor, .. }: Version| {
        format!("{program}>={major}.{minor} & <{major}.{}", minor + 1)
    };
    let qemu = qemu.map(|version| of("qemu", version));
    qemu.or_else(|| libvirt.map(|version| of("libvirt", version)))
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::Filter;

    use super::*;

    fn judged(source: &str, destination: &str) -> Judgement {
        let name = "tck/libvirt/a,a,b/p2p/persistent-running-undefined/none";
        let mut judgement = Judgement::skipped(name.parse().expect("a case"), "", 0);
        judgement.versions.source_qemu = source.parse().ok();
        judgement.versions.destination_qemu = destination.parse().ok();
        judgement
    }

    fn told(pairs: &[[&str; 2]]) -> Option<String> {
        let all: Vec<_> = pairs.iter().map(|[from, to]| judged(from, to)).collect();
        let range = range(&all.iter().collect::<Vec<_>>());
        if let Some(range) = &range {
            range.parse::<Filter>().expect("it is a filter");
        }
        range
    }

    #[test]
    fn an_entry_is_bound_to_the_series_that_were_seen() {
        let (seven, ten) = ("qemu>=7.2 & <7.3", "qemu>=10.0 & <10.1");
        assert_eq!(
            told(&[["7.2.22", "10.0.13"], ["7.2.21", "10.0.14"]]),
            Some(format!("source({seven}) & destination({ten})"))
        );
        assert_eq!(
            told(&[["7.2.22", "10.0.13"], ["10.0.13", "10.0.13"]]),
            Some(format!(
                "(source({ten}) | source({seven})) & destination({ten})"
            ))
        );
        assert_eq!(
            told(&[["7.2.22", "10.0.13"], ["10.0.13", "7.2.22"]]),
            Some(format!(
                "(source({ten}) & destination({seven})) | (source({seven}) & destination({ten}))"
            ))
        );
        assert_eq!(told(&[["7.2.22", "10.0.13"], ["7.2.22", ""]]), None);
    }
}
