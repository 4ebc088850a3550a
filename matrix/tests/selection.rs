//! What selections select, in which order, and what they refuse.

use itertools::Itertools;
use migratrix_matrix::{
    Backend, BadPlan, Case, Condition, Emptied, Plan, Profile, Release, ReleaseName, Releases,
    Role, SelectError, Selection, Suite, excluded,
};

fn name(text: &str) -> ReleaseName {
    ReleaseName::new(text).unwrap()
}

fn releases(names: &[&str]) -> Releases {
    let release = |&text: &&str| Release {
        name: name(text),
        libvirt: None,
        qemu: None,
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    Releases::new(names.iter().map(release).collect()).unwrap()
}

fn four() -> Releases {
    releases(&["bullseye", "bookworm", "trixie", "sid"])
}

fn boundary() -> Selection {
    Selection {
        boundary: Some((name("bookworm"), name("trixie"))),
        ..tck()
    }
}

fn error(selection: &Selection) -> SelectError {
    selection.cases(&four()).unwrap_err()
}

/// The 96 scenarios on every known release.
fn tck() -> Selection {
    Selection {
        profile: Some(Profile::TCK),
        ..Selection::default()
    }
}

#[test]
fn one_release_has_96_cases_a_boundary_768_and_four_releases_6144() {
    let count =
        |selection: Selection, releases: &Releases| selection.cases(releases).unwrap().len();
    assert_eq!(count(tck(), &releases(&["sid"])), 96);
    assert_eq!(count(boundary(), &four()), 768);
    assert_eq!(count(tck(), &four()), 6144);
    let full = Selection {
        profile: Some(Profile::TCK_FULL),
        ..tck()
    };
    assert_eq!(count(full, &releases(&["sid"])), 384 + 32);
}

#[test]
fn every_fault_is_run_once_a_tuple_and_the_rest_is_counted() {
    let faults = Selection {
        suite: Suite::Faults,
        profile: None,
        ..boundary()
    };
    let cases = faults.cases(&four()).unwrap();
    assert_eq!(cases.len(), 8 * 57);
    let excluded = faults.excluded(&four()).unwrap();
    let product = 8 * Profile::FAULTS.points(Backend::Libvirt).len();
    assert_eq!(excluded.values().sum::<usize>(), product - cases.len());
    assert!(boundary().excluded(&four()).unwrap().is_empty());
}

#[test]
fn cases_of_one_source_and_destination_are_neighbours_and_of_one_client_among_them() {
    let cases = tck().cases(&four()).unwrap();
    let pair = |case: &Case| (case.tuple.source.clone(), case.tuple.destination.clone());
    assert_eq!(cases.iter().map(pair).dedup().count(), 16);
    assert_eq!(
        cases.iter().map(|case| case.tuple.clone()).dedup().count(),
        64
    );
    assert!(cases.iter().all_unique());
}

fn raw() -> Selection {
    Selection {
        suite: Suite::Qemu,
        backend: Backend::Qemu,
        ..Selection::default()
    }
}

#[test]
fn a_raw_suite_has_each_pair_once_whose_client_is_its_source() {
    let one = raw().cases(&releases(&["sid"])).unwrap().len();
    let cases = raw().cases(&four()).unwrap();
    assert_eq!(cases.len(), 16 * one);
    assert!(
        cases
            .iter()
            .all(|case| case.tuple.client == case.tuple.source)
    );
    assert!(cases.iter().all_unique());
    let boundary = Selection {
        boundary: boundary().boundary,
        ..raw()
    };
    assert_eq!(boundary.cases(&four()).unwrap().len(), 4 * one);
    assert!(raw().excluded(&four()).unwrap().is_empty());
}

#[test]
fn a_client_of_a_raw_suite_and_a_foreign_back_end_are_refused() {
    let clients = Selection {
        clients: vec![name("sid")],
        ..raw()
    };
    assert_eq!(
        error(&clients).to_string(),
        "with the back end `qemu` nobody stands between the two sides: leave out the clients"
    );
    let foreign = Selection {
        backend: Backend::Libvirt,
        ..raw()
    };
    assert_eq!(
        error(&foreign).to_string(),
        "the suite `qemu` is not run by the back end `libvirt`, but by qemu"
    );
    let named = Selection {
        names: vec![
            "qemu/qemu/sid,sid/precopy/tcp/running/plain"
                .parse()
                .unwrap(),
        ],
        ..tck()
    };
    assert_eq!(named.cases(&four()).unwrap().len(), 1);
}

#[test]
fn what_is_not_known_is_named_with_what_is() {
    let selection = Selection {
        sources: vec![name("jessie")],
        ..tck()
    };
    assert_eq!(
        error(&selection).to_string(),
        "`jessie` is not a known release: expected bullseye, bookworm, trixie or sid"
    );
    let filtered = Selection {
        filter: Some("!source(jessie)".parse().unwrap()),
        ..tck()
    };
    assert!(matches!(error(&filtered), SelectError::UnknownRelease(_)));
}

#[test]
fn contradictions_are_refused() {
    let sid = vec![name("sid")];
    let case: Case = "tck/fake/sid,sid,sid/p2p/persistent-running-undefined/none"
        .parse()
        .unwrap();
    let selection = Selection {
        clients: sid.clone(),
        ..boundary()
    };
    assert_eq!(
        error(&selection),
        SelectError::BoundaryAndPlace(Role::Client)
    );
    let selection = Selection {
        names: vec![case.clone()],
        ..boundary()
    };
    assert_eq!(error(&selection), SelectError::NamesAndPlaces);
    let selection = Selection {
        names: vec![case.clone(), case],
        ..tck()
    };
    assert!(matches!(error(&selection), SelectError::NameTwice(_)));
    let selection = Selection {
        boundary: Some((name("sid"), name("sid"))),
        ..tck()
    };
    assert_eq!(error(&selection), SelectError::FlatBoundary(name("sid")));
    let selection = Selection {
        sources: [sid.clone(), sid].concat(),
        ..tck()
    };
    assert!(matches!(
        error(&selection),
        SelectError::ReleaseTwice {
            place: Role::Source,
            ..
        }
    ));
    let selection = Selection {
        profile: Some(Profile::FAULTS),
        ..tck()
    };
    assert!(matches!(
        error(&selection),
        SelectError::ForeignProfile { .. }
    ));
    for strength in [0, 7] {
        let selection = Selection {
            cover: Some(strength.into()),
            ..tck()
        };
        assert_eq!(error(&selection), SelectError::Strength(strength));
    }
}

#[test]
fn a_name_that_a_rule_leaves_out_is_refused_with_the_rule() {
    let case = "faults/fake/sid,sid,sid/p2p/persistent-running-undefined/none/source-defined";
    let selection = Selection {
        names: vec![case.parse().unwrap()],
        ..tck()
    };
    assert!(error(&selection).to_string().contains("`own-scenario`"));
}

#[test]
fn an_empty_selection_says_what_emptied_it() {
    let none = tck().cases(&releases(&[])).unwrap_err();
    assert_eq!(
        none,
        SelectError::Empty {
            by: Emptied::Releases,
            of: 0
        }
    );
    let text = "state(paused) & state(running)";
    let filtered = Selection {
        filter: Some(text.parse().unwrap()),
        ..boundary()
    };
    let by = Emptied::Filter(text.to_owned());
    assert_eq!(error(&filtered), SelectError::Empty { by, of: 768 });
    let fault = Selection {
        suite: Suite::Faults,
        profile: None,
        filter: Some("fault(capability-off)".parse().unwrap()),
        ..boundary()
    };
    let text = error(&fault).to_string();
    assert!(
        text.ends_with("--suite faults --profile faults --backend qemu"),
        "{text}"
    );
    let shard = "slice:1/1000".parse().unwrap();
    let sharded = Selection {
        shard: Some(shard),
        ..boundary()
    };
    assert_eq!(sharded.cases(&four()).unwrap().len(), 1);
    let shard = "slice:1/2".parse().unwrap();
    let case = "tck/fake/sid,sid,sid/p2p/persistent-running-undefined/none"
        .parse()
        .unwrap();
    let sharded = Selection {
        shard: Some(shard),
        names: vec![case],
        ..tck()
    };
    assert_eq!(sharded.cases(&four()).unwrap().len(), 1);
    let shard = "slice:2/2".parse().unwrap();
    let sharded = Selection {
        shard: Some(shard),
        ..sharded
    };
    assert_eq!(
        error(&sharded).to_string(),
        "none of 1 cases is selected: the shard `slice:2/2` has none of them"
    );
}

#[test]
fn a_plan_has_the_releases_of_its_cases_and_is_read_as_it_was_written() {
    let plan = Plan::new(boundary(), &four()).unwrap();
    let names: Vec<&str> = plan
        .releases
        .iter()
        .map(|release| release.name.as_str())
        .collect();
    assert_eq!(names, ["bookworm", "trixie"]);
    let json = plan.to_json();
    assert_eq!(Plan::from_json(&json).unwrap(), plan);
    assert_eq!(Plan::new(boundary(), &four()).unwrap().to_json(), json);
}

#[test]
fn a_plan_of_a_newer_format_is_refused_whatever_else_it_says() {
    let error = Plan::from_json(r#"{"format": 2, "cases": 7}"#).unwrap_err();
    assert!(matches!(error, BadPlan::Newer { format: 2 }));
    assert_eq!(
        error.to_string(),
        "the plan has format 2, and this version reads formats up to 1: use a newer migratrix"
    );
    assert!(matches!(Plan::from_json("{}"), Err(BadPlan::Malformed(_))));
}

#[test]
fn a_parallel_migration_is_named_in_its_case_found_by_a_filter_and_never_tunnelled() {
    let full = Selection {
        profile: Some(Profile::TCK_FULL),
        filter: Some("parallel(parallel)".parse().unwrap()),
        ..tck()
    };
    let cases = full.cases(&releases(&["sid"])).unwrap();
    assert_eq!(cases.len(), 32);
    for case in &cases {
        let name = case.to_string();
        assert!(name.ends_with("/parallel"), "{name}");
        assert!(!name.contains("/tunnelled/"), "{name}");
        assert_eq!(name.parse().as_ref(), Ok(case));
        assert!(case.point.conditions().contains(&Condition::Channels));
        let call = case.scenario().unwrap().call(None);
        assert!(call.flags.contains(&"VIR_MIGRATE_PARALLEL"), "{name}");
        assert_eq!(call.parameters, [("parallel.connections", 4)]);
    }
    let name = "tck/libvirt/sid,sid,sid/tunnelled/persistent-running-undefined/none/parallel";
    let tunnelled: Case = name.parse().unwrap();
    assert_eq!(excluded(&tunnelled).unwrap().name, "parallel-native");
    let counterpart = cases[0].control_case().unwrap().to_string();
    assert!(counterpart.contains("multifd+4-channels"), "{counterpart}");
}

#[test]
fn a_name_has_hardware_and_parallel_connections_each_once() {
    let name = "tck/libvirt/a,a,a/p2p/persistent-running-undefined/live/two-threads+parallel";
    let case: Case = name.parse().unwrap();
    assert_eq!(case.to_string(), name);
    let twice = format!("{name}+parallel");
    assert!(twice.parse::<Case>().is_err());
}
