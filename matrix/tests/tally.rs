//! What the model says of every point of every suite, counted. A rule, an expectation or a requirement
//! that changes for a single point changes a count: the snapshot shows which, before any case is run.

use std::collections::BTreeMap;

use migratrix_matrix::{
    Backend, Case, ExpectedAction, Fault, Libvirts, Point, Profile, Raw, Recovery, ReleaseName,
    Suite, Tuple, excluded,
};

/// How often each thing is true: what it is about, and what it says.
type Tally = BTreeMap<(&'static str, String), usize>;

fn tuple() -> Tuple {
    let release = ReleaseName::new("a").unwrap();
    Tuple {
        client: release.clone(),
        source: release.clone(),
        destination: release,
    }
}

/// Each point of a suite once, with each back end that runs it.
fn cases(suite: Suite) -> Vec<Case> {
    let mut all: Vec<_> = suite.profiles().flat_map(of_profile).collect();
    all.sort();
    all.dedup();
    all
}

fn of_profile(profile: Profile) -> Vec<Case> {
    let made = |backend: Backend, (point, fault): (Point, Option<Fault>)| Case {
        backend,
        tuple: tuple(),
        point,
        fault,
    };
    let backends = profile.backends().iter();
    let points = backends.flat_map(|backend| {
        let points = profile.points(*backend).into_iter();
        points.map(|point| made(*backend, point))
    });
    points.collect()
}

fn count(tally: &mut Tally, about: &'static str, what: impl ToString) {
    *tally.entry((about, what.to_string())).or_default() += 1;
}

fn count_case(tally: &mut Tally, case: &Case) {
    if let Some(rule) = excluded(case) {
        count(tally, "excluded", rule.name);
        return;
    }
    let point = &case.point;
    count(tally, "run by", case.backend.word());
    for condition in point.conditions() {
        count(tally, "condition", condition);
    }
    for need in point.needs() {
        count(
            tally,
            "requirement",
            format!("{:?} {:?}", need.holder, need.ability),
        );
    }
    for tool in point.tools() {
        count(tally, "tool", tool);
    }
    count(tally, "end", format!("{:?}", point.end()));
    count(tally, "machine", format!("{:?}", point.machine()));
    count(tally, "column", format!("{:?}", point.column()));
    count(tally, "live", point.is_live());
    let alone = case.control_case().map(|one| one.point.to_string());
    count(tally, "control case", alone.as_deref().unwrap_or("none"));
    match point {
        Point::Tck(scenario) => {
            count(tally, "expected", format!("{:?}", scenario.expectation()));
            count(tally, "call", format!("{:?}", scenario.call(Some(1))));
        }
        Point::Qemu(raw) => count_raw(tally, raw),
        Point::Colo(colo) => count(tally, "survivor", format!("{:?}", colo.survivor())),
        Point::Backup(backup) => count_actions(tally, backup.expected_actions()),
        Point::Chained(chained) => count_actions(tally, chained.expected_actions()),
        Point::Recovery(recovery) => count_recovery(tally, recovery),
    }
}

fn count_recovery(tally: &mut Tally, recovery: &Recovery) {
    for ending in recovery.endings(&Libvirts::default()) {
        let moment = (recovery.strike, recovery.moment);
        count(
            tally,
            "ending",
            format!("{moment:?} {:?} {:?}", ending.owner, ending.remedy),
        );
        count(tally, "answer", format!("{:?}", ending.answer));
        count(
            tally,
            "standing",
            format!("{:?} {:?}", ending.source, ending.destination),
        );
        count(tally, "flags", format!("{:?}", ending.flags));
        let configs = (
            recovery.source_config(&ending),
            recovery.destination_config(&ending),
        );
        count(tally, "configurations", format!("{configs:?}"));
    }
    count(tally, "call", format!("{:?}", recovery.call()));
    count(tally, "alone", recovery.needs_hosts_alone());
}

fn count_raw(tally: &mut Tally, raw: &Raw) {
    count(tally, "expected", format!("{:?}", raw.expectation()));
    for (about, is) in [
        ("has passes", raw.has_passes()),
        ("held", raw.is_held()),
        ("carried", raw.is_carried()),
        ("wired", raw.is_wired()),
        ("shares memory", raw.shares_memory()),
        ("pauses", raw.pauses()),
        ("waits to be counted", raw.waits_to_be_counted()),
        ("has an effect", raw.has_effect()),
        ("sends compressed", raw.sends_compressed()),
    ] {
        count(tally, about, is);
    }
    count(tally, "connections", raw.connections());
    count(
        tally,
        "connections in postcopy",
        raw.connections_in_postcopy(),
    );
    for one in raw.arguments().into_iter().chain(raw.types()) {
        count(tally, "on the command line", one);
    }
    for one in raw.capabilities() {
        count(tally, "capability", one);
    }
    for (name, value) in raw.parameters() {
        count(tally, "parameter", format!("{name} {value:?}"));
    }
}

fn count_actions(tally: &mut Tally, actions: Vec<ExpectedAction>) {
    for one in actions {
        count(tally, "action", format!("{:?} {}", one.side, one.act));
        for job in one.jobs {
            count(tally, "job", format!("{job:?}"));
        }
        for bitmap in one.bitmaps {
            count(tally, "bitmap", format!("{bitmap:?}"));
        }
        if let Some(words) = one.refusal {
            count(tally, "refusal", format!("{words:?}"));
        }
    }
}

#[test]
fn what_is_true_of_the_points_of_each_suite_is_true_of_so_many() {
    for suite in Suite::ALL {
        let mut tally = Tally::new();
        for case in cases(suite) {
            count_case(&mut tally, &case);
        }
        let lines = tally
            .into_iter()
            .map(|((about, what), count)| format!("{count:>6}  {about}: {what}"));
        let lines: Vec<_> = lines.collect();
        insta::assert_snapshot!(suite.word(), lines.join("\n"));
    }
}
