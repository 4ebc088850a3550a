//! What holds of all cases, filters, shards and covers.

use std::collections::BTreeSet;

use itertools::Itertools;
use migratrix_matrix::{
    Case, Control, Filter, Flag, Profile, Release, ReleaseName, Releases, Role, Selection, Shard,
    Version, cover,
};
use proptest::{prelude::*, sample::select};

const VERSIONS: [(&str, Version); 4] = [
    ("bullseye", Version::new(7, 0, 0)),
    ("bookworm", Version::new(9, 0, 0)),
    ("trixie", Version::new(11, 3, 0)),
    ("sid", Version::new(12, 8, 0)),
];

fn releases() -> Releases {
    let release = |(name, version)| Release {
        name: ReleaseName::new(name).unwrap(),
        libvirt: Some(version),
        qemu: None,
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    Releases::new(VERSIONS.map(release).to_vec()).unwrap()
}

/// The 96 scenarios on every known release.
fn tck() -> Selection {
    Selection {
        profile: Some(Profile::TCK),
        ..Selection::default()
    }
}

/// All cases of all profiles on four releases.
fn all_cases() -> Vec<Case> {
    let select = |profile: Profile| Selection {
        suite: profile.suite(),
        profile: Some(profile),
        ..tck()
    };
    let profiles = [Profile::DEFAULT, Profile::TCK_FULL, Profile::FAULTS].into_iter();
    profiles
        .flat_map(|profile| select(profile).cases(&releases()).unwrap())
        .collect()
}

fn some_cases() -> impl Strategy<Value = Vec<Case>> {
    proptest::sample::subsequence(tck().cases(&releases()).unwrap(), 1..100)
}

/// A filter as a tree: its text, and what it means by the simplest reading.
#[derive(Clone, Debug)]
enum Tree {
    Control(Control),
    Flag(Flag),
    Source(&'static str),
    Below(Role, Version),
    Forward,
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Control(control) => format!("control({control})"),
            Self::Flag(flag) => format!("flag({flag})"),
            Self::Source(name) => format!("source({name})"),
            Self::Below(place, version) => format!("{place}(<{version})"),
            Self::Forward => "forward()".to_owned(),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::And(a, b) => format!("({}) & ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
        }
    }

    fn is_true(&self, case: &Case) -> bool {
        match self {
            Self::Control(control) => case.scenario().unwrap().control == *control,
            Self::Flag(flag) => case.scenario().unwrap().flags.has(*flag),
            Self::Source(name) => case.tuple.source.as_str() == *name,
            Self::Below(place, version) => libvirt(case.tuple.at(*place)) < *version,
            Self::Forward => libvirt(&case.tuple.source) < libvirt(&case.tuple.destination),
            Self::Not(inner) => !inner.is_true(case),
            Self::And(a, b) => a.is_true(case) && b.is_true(case),
            Self::Or(a, b) => a.is_true(case) || b.is_true(case),
        }
    }
}

fn libvirt(release: &ReleaseName) -> Version {
    let found = VERSIONS.iter().find(|(name, _)| *name == release.as_str());
    found.unwrap().1
}

fn trees() -> impl Strategy<Value = Tree> {
    let version = select(VERSIONS.map(|(_, version)| version).to_vec());
    let leaf = prop_oneof![
        select(Control::ALL.to_vec()).prop_map(Tree::Control),
        select(Flag::ALL.to_vec()).prop_map(Tree::Flag),
        select(VERSIONS.map(|(name, _)| name).to_vec()).prop_map(Tree::Source),
        (select(Role::ALL.to_vec()), version).prop_map(|(place, below)| Tree::Below(place, below)),
        Just(Tree::Forward),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let pair = (
            inner.clone().prop_map(Box::new),
            inner.clone().prop_map(Box::new),
        );
        prop_oneof![
            inner.prop_map(|inner| Tree::Not(Box::new(inner))),
            pair.clone().prop_map(|(a, b)| Tree::And(a, b)),
            pair.prop_map(|(a, b)| Tree::Or(a, b)),
        ]
    })
}

type Values = BTreeSet<Vec<(usize, String)>>;

/// Every combination of `strength` values that occurs in `cases`, as numbered words.
fn combinations(cases: &[Case], strength: usize) -> Values {
    let words = |case: &Case| {
        let mut facets = case.facets();
        facets.sort();
        facets.into_iter().map(|one| one.text).enumerate()
    };
    let of = |case| words(case).combinations(strength);
    cases.iter().flat_map(of).collect()
}

#[test]
fn every_case_is_read_from_its_name_and_its_file_stem() {
    for case in all_cases() {
        assert_eq!(case.to_string().parse().as_ref(), Ok(&case));
        assert_eq!(Case::from_file_stem(&case.file_stem()).as_ref(), Ok(&case));
        let json = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case);
    }
}

#[test]
fn no_two_cases_have_one_name() {
    let cases = all_cases();
    let cases = cases.iter().unique();
    assert!(cases.map(Case::to_string).all_unique());
}

#[test]
fn a_pairwise_cover_of_6144_cases_has_every_pair_and_at_most_24_cases() {
    let cases = tck().cases(&releases()).unwrap();
    let covering = cover(&cases, 2).unwrap();
    assert_eq!(combinations(&covering, 2), combinations(&cases, 2));
    assert!(covering.len() <= 24, "{}", covering.len());
}

#[test]
fn a_cover_has_a_case_of_each_pair_whatever_its_strength() {
    let cases = tck().cases(&releases()).unwrap();
    let pairs = |cases: &[Case]| -> BTreeSet<_> {
        let pair = |case: &Case| (case.tuple.source.clone(), case.tuple.destination.clone());
        cases.iter().map(pair).collect()
    };
    for strength in 1..=2 {
        let covering = cover(&cases, strength).unwrap();
        assert_eq!(pairs(&covering), pairs(&cases), "{strength}");
        assert!(covering.len() <= 24, "{}", covering.len());
    }
}

#[test]
fn a_triple_cover_of_6144_cases_has_every_triple_and_at_most_80_cases() {
    let cases = tck().cases(&releases()).unwrap();
    let covering = cover(&cases, 3).unwrap();
    assert_eq!(combinations(&covering, 3), combinations(&cases, 3));
    assert!(covering.len() <= 80, "{}", covering.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_filter_agrees_with_the_simplest_reading(tree in trees(), cases in some_cases()) {
        let releases = releases();
        let filter: Filter = tree.text().parse().unwrap();
        for case in cases {
            prop_assert_eq!(filter.matches(&case, &releases), Ok(tree.is_true(&case)));
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "[a-z2(),.&|! <>=*/+ü-]{0,40}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(text.is_char_boundary(error.at));
            prop_assert!(error.to_string().ends_with('^'));
        }
        let _ = text.parse::<Case>();
        let _ = text.parse::<Shard>();
    }

    #[test]
    fn every_case_is_in_exactly_one_shard(
        cases in some_cases(),
        count in 1_u32..9,
        by in select(vec!["slice", "hash"]),
    ) {
        let shards = (1..=count).map(|index| format!("{by}:{index}/{count}").parse::<Shard>());
        let parts: Vec<Vec<Case>> = shards.map(|shard| shard.unwrap().of(cases.clone())).collect();
        prop_assert_eq!(parts.concat().into_iter().sorted().collect_vec(),
            cases.iter().cloned().sorted().collect_vec());
        if by == "slice" {
            prop_assert_eq!(parts.concat(), cases);
            let (least, most) = parts.iter().map(Vec::len).minmax().into_option().unwrap();
            prop_assert!(most - least <= 1);
        }
    }

    #[test]
    fn a_hash_shard_does_not_move_a_case_when_others_come(cases in some_cases(), index in 1_u32..5) {
        let shard: Shard = format!("hash:{index}/4").parse().unwrap();
        let few: Vec<Case> = cases.iter().step_by(2).cloned().collect();
        let (of_few, of_all) = (shard.of(few.clone()), shard.of(cases));
        prop_assert!(few.iter().all(|case| of_few.contains(case) == of_all.contains(case)));
    }

    #[test]
    fn a_cover_has_every_combination_that_occurs(cases in some_cases(), strength in 1_usize..4) {
        let covering = cover(&cases, strength).unwrap();
        prop_assert!(covering.iter().all(|case| cases.contains(case)));
        prop_assert_eq!(combinations(&covering, strength), combinations(&cases, strength));
    }
}
