//! Covers of selections: each suite's are whole, and what is asked of a cover is there or is refused.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use itertools::Itertools;
use migratrix_matrix::{
    Backend, Case, Plan, Profile, Release, ReleaseName, Releases, SelectError, Selection,
    Strengths, Version,
};

fn releases() -> Releases {
    let versions = [
        ("bullseye", 7),
        ("bookworm", 9),
        ("trixie", 11),
        ("sid", 12),
    ];
    let release = |(name, version)| Release {
        libvirt: Some(Version::new(version, 0, 0)),
        qemu: Some(Version::new(version, 0, 0)),
        ..Release::unknown(ReleaseName::new(name).unwrap())
    };
    Releases::new(versions.map(release).to_vec()).unwrap()
}

fn tck(cover: &str) -> Selection {
    Selection {
        profile: Some(Profile::TCK),
        cover: Some(cover.parse().unwrap()),
        ..Selection::default()
    }
}

fn cases(selection: &Selection) -> Vec<Case> {
    selection.cases(&releases()).unwrap()
}

fn without_cover(selection: &Selection) -> Vec<Case> {
    cases(&Selection {
        cover: None,
        with: Vec::new(),
        ..selection.clone()
    })
}

#[track_caller]
fn refused(selection: &Selection, words: &[&str]) {
    let error = selection.cases(&releases()).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
}

/// What a case is on each axis, with those that only the suite, the back end and the fault tell.
fn words(case: &Case) -> Vec<(String, String)> {
    let facets = case.facets().into_iter().map(|one| (one.axis, one.text));
    let own = [
        ("suite", case.suite().to_string()),
        ("backend", case.backend.to_string()),
        ("fault", format!("{:?}", case.fault)),
    ];
    let own = own.map(|(axis, word)| (axis.to_owned(), word));
    facets.chain(own).sorted().collect()
}

/// Every combination of `strength` words that occurs in the cases, of the axes of these names if there
/// are any; a word is told by its hash.
fn combinations(cases: &[Case], strength: usize, axes: &[&str]) -> HashSet<Vec<u64>> {
    let hash = |word: &(String, String)| {
        let mut hasher = DefaultHasher::new();
        word.hash(&mut hasher);
        hasher.finish()
    };
    let all = cases.iter().flat_map(|case| {
        let mut words = words(case);
        words.retain(|(axis, _)| axes.is_empty() || axes.contains(&axis.as_str()));
        let words: Vec<u64> = words.iter().map(hash).collect();
        words.into_iter().combinations(strength)
    });
    all.collect()
}

fn pairs(cases: &[Case]) -> BTreeSet<(ReleaseName, ReleaseName)> {
    let pair = |case: &Case| (case.tuple.source.clone(), case.tuple.destination.clone());
    cases.iter().map(pair).collect()
}

#[track_caller]
fn whole(selection: &Selection, strength: usize) -> Vec<Case> {
    let (all, chosen) = (without_cover(selection), cases(selection));
    let there: HashSet<&Case> = all.iter().collect();
    assert!(chosen.iter().all(|case| there.contains(case)));
    assert!(chosen.iter().all_unique());
    assert_eq!(pairs(&chosen), pairs(&all));
    let (wanted, found) = (
        combinations(&all, strength, &[]),
        combinations(&chosen, strength, &[]),
    );
    assert_eq!(wanted.difference(&found).count(), 0);
    chosen
}

#[test]
fn a_cover_of_each_profile_is_whole() {
    for profile in Profile::ALL {
        for &backend in profile.backends() {
            let places = ["bookworm", "trixie"].map(|name| ReleaseName::new(name).unwrap());
            let places = places.to_vec();
            let selection = Selection {
                suite: profile.suite(),
                profile: Some(profile),
                backend,
                clients: if backend.has_client() {
                    places.clone()
                } else {
                    Vec::new()
                },
                sources: places.clone(),
                destinations: places,
                ..tck("2")
            };
            whole(&selection, 2);
        }
    }
}

#[test]
fn covers_of_24_576_cases_are_as_small_as_published_ones() {
    let full = |cover| Selection {
        profile: Some(Profile::TCK_FULL),
        filter: Some("parallel(off)".parse().unwrap()),
        ..tck(cover)
    };
    for (cover, most) in [("2", 18), ("3", 68)] {
        let strength = cover.parse().unwrap();
        let chosen = whole(&full(cover), strength).len();
        assert!(chosen <= most, "{cover}: {chosen}");
    }
}

#[test]
fn a_filter_by_which_tuples_have_different_points_is_kept_to() {
    let filter =
        "source(<9.1) & (flag(undefine) | destination(sid)) | control(p2p) & same() & client(sid)";
    let selection = Selection {
        filter: Some(filter.parse().unwrap()),
        ..tck("3")
    };
    whole(&selection, 3);
}

#[test]
fn cases_that_are_named_are_covered_as_well() {
    let selection = Selection {
        names: without_cover(&tck("2")).into_iter().step_by(7).collect(),
        ..tck("2")
    };
    whole(&selection, 2);
}

#[test]
fn one_case_is_its_own_cover_whatever_the_strength() {
    let one = Selection {
        names: without_cover(&tck("2")).into_iter().take(1).collect(),
        ..tck("2")
    };
    assert_eq!(cases(&one), one.names);
}

#[test]
fn named_axes_are_covered_more_strongly() {
    let mixed = tck("2,client+source+destination:3");
    let chosen = whole(&mixed, 2);
    let places = ["client", "source", "destination"];
    assert_eq!(combinations(&chosen, 3, &places).len(), 64);
    assert_eq!(chosen.len(), 64);
}

#[test]
fn the_first_cases_cover_the_smaller_strengths_and_stand_by_pairs_within_them() {
    let chosen = cases(&tck("3"));
    let all = without_cover(&tck("3"));
    let places: HashMap<&Case, usize> = all.iter().zip(0..).collect();
    let order: Vec<usize> = chosen.iter().map(|case| places[case]).collect();
    let descents = order.windows(2).positions(|two| two[0] > two[1]);
    let ends: Vec<usize> = descents.map(|place| place + 1).collect();
    assert_eq!(
        ends.len(),
        2,
        "three levels, each in the order of all cases"
    );
    for (strength, end) in (1..).zip(ends) {
        let first = combinations(&chosen[..end], strength, &[]);
        assert_eq!(
            first,
            combinations(&all, strength, &[]),
            "{strength}: {end}"
        );
        assert!(end < chosen.len());
    }
}

#[test]
fn cases_that_a_cover_has_to_have_are_among_the_first() {
    let with: Vec<Case> = without_cover(&tck("2"))
        .into_iter()
        .skip(100)
        .step_by(999)
        .collect();
    let selection = Selection {
        with: with.clone(),
        ..tck("2")
    };
    let chosen = whole(&selection, 2);
    let all = without_cover(&selection);
    let places: HashMap<&Case, usize> = all.iter().zip(0..).collect();
    let first = chosen
        .windows(2)
        .position(|two| places[&two[0]] > places[&two[1]]);
    let first = &chosen[..=first.expect("there are two levels")];
    assert!(with.iter().all(|case| first.contains(case)));
}

#[test]
fn a_selection_has_one_cover_and_another_seed_may_have_another() {
    let seeded = |cover_seed| Selection {
        cover_seed,
        ..tck("2")
    };
    assert_eq!(cases(&seeded(7)), cases(&seeded(7)));
    assert_ne!(cases(&seeded(7)), cases(&seeded(8)));
    whole(&seeded(8), 2);
}

#[test]
fn a_cover_that_there_can_t_be_is_refused_with_what_is_wrong() {
    refused(&tck("0"), &["from 1 to 6", "not 0"]);
    refused(&tck("99"), &["from 1 to 6", "not 99"]);
    refused(&tck("2,client+source:7"), &["from 1 to 6", "not 7"]);
    refused(
        &tck("2,client+source:3"),
        &["client+source:3", "2 different axes"],
    );
    refused(
        &tck("2,client+client:2"),
        &["client+client:2", "names 1 axis:", "name several"],
    );
    refused(
        &tck("2,clients+source:2"),
        &[
            "unknown axis of these cases `clients`",
            "did you mean `client`?",
            "persistence",
        ],
    );
    refused(
        &tck("2,client+state:2"),
        &["`state` is no axis", "activity+persistence+preparation"],
    );
    // Before anything that would be wrong with it as well.
    for cover in ["2,foo:3", "2,foo:9", "2,client+foo+foo:4"] {
        refused(
            &tck(cover),
            &["unknown axis of these cases `foo`", "client"],
        );
    }
    let few = Selection {
        filter: Some(
            "source(sid) & destination(sid) & control(p2p) & flags(none)"
                .parse()
                .unwrap(),
        ),
        ..tck("6")
    };
    refused(&few, &["strength 6", "vary: client", "smaller strength"]);
}

#[test]
fn a_case_that_a_cover_can_t_have_is_refused_by_its_name() {
    let with = |name: &str| Selection {
        with: vec![name.parse().unwrap()],
        ..tck("2")
    };
    let point = "p2p/persistent-running-undefined";
    let live = format!("tck/libvirt/sid,sid,sid/{point}/live");
    refused(&with(&live), &[&live, "not selected"]);
    refused(
        &with(&live.replace("libvirt", "fake")),
        &["tck/fake/", "not selected"],
    );
    refused(&with(&live.replace("sid,sid,sid", "a,a,b")), &["`a`"]);
    let fault = format!("faults/fake/sid,sid,sid/{point}/none/source-defined");
    refused(&with(&fault), &[&fault, "own-scenario"]);
    let excluded = Selection {
        filter: Some("control(normal)".parse().unwrap()),
        ..with(&live.replace("live", "none"))
    };
    refused(&excluded, &["not selected"]);
    let twice = with(&live.replace("live", "none"));
    let with = [twice.with.clone(), twice.with.clone()].concat();
    refused(&Selection { with, ..twice }, &["is given twice"]);
}

#[test]
fn a_plan_keeps_what_was_asked_of_its_cover_and_an_older_one_is_read() {
    let selection = Selection {
        with: vec![without_cover(&tck("2"))[5].clone()],
        cover_seed: 3,
        ..tck("1,client+source:2")
    };
    let plan = Plan::new(selection.clone(), &releases()).unwrap();
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    let plain = Plan::new(tck("2"), &releases()).unwrap().to_json();
    assert!(plain.contains("\"cover\": 2"), "as older versions write it");
    assert!(!plain.contains("cover_seed") && !plain.contains("\"with\""));
    let old: Selection = serde_json::from_str(r#"{"suite": "tck", "cover": 2}"#).unwrap();
    assert_eq!(old.cover, Some(Strengths::from(2)));
}

#[test]
fn a_selection_that_is_empty_says_so_with_a_cover_too() {
    let none = Selection {
        filter: Some("state(paused) & state(running)".parse().unwrap()),
        backend: Backend::Fake,
        ..tck("2")
    };
    let error = none.cases(&releases()).unwrap_err();
    assert!(
        matches!(error, SelectError::Empty { of: 6144, .. }),
        "{error}"
    );
}
