//! What holds of all raw migrations.

mod needs;
mod rules;

use itertools::Itertools;
use migratrix_matrix::{
    Accelerator, Address, Axis, Backend, Case, Channels, CpuModel, Devices, Feature, Filter,
    GuestState, Incident, MachineChoice, Method, Multifd, Point, Raw, Release, ReleaseName,
    Releases, Selection, Suite, Tls, Transport, Tuple, Uuids, Version, ZeroPage, cover, excluded,
};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

fn values<A: Axis + std::fmt::Debug>() -> impl Strategy<Value = A> {
    select(A::ALL)
}

/// Any point, most of which no rule allows.
fn points() -> impl Strategy<Value = Raw> {
    let way = (
        values::<Method>(),
        values::<Transport>(),
        values::<GuestState>(),
    );
    let channels = (
        values::<Address>(),
        values::<Multifd>(),
        values::<Channels>(),
        values::<ZeroPage>(),
    );
    let meeting = (values::<Tls>(), values::<Uuids>(), values::<Incident>());
    let machine = (
        values::<MachineChoice>(),
        values::<Accelerator>(),
        values::<CpuModel>(),
        values::<Devices>(),
    );
    let features = subsequence(Feature::ALL.to_vec(), 0..=Feature::ALL.len());
    (way, channels, meeting, machine, features).prop_map(
        |(way, channels, meeting, machine, features)| Raw {
            method: way.0,
            transport: way.1,
            guest: way.2,
            address: channels.0,
            multifd: channels.1,
            channels: channels.2,
            zero_page: channels.3,
            tls: meeting.0,
            uuids: meeting.1,
            incident: meeting.2,
            machine: machine.0,
            accelerator: machine.1,
            cpu: machine.2,
            devices: machine.3,
            features: features.into_iter().collect(),
        },
    )
}

/// A point that differs from the usual one in two or three values, as those of people do.
fn near_points() -> impl Strategy<Value = Raw> {
    let words = Feature::ALL.iter().map(|one| one.word());
    let single = Raw::AXES.iter().skip(3);
    let single = single.filter(|axis| axis.name != Feature::NAME);
    let others = single.flat_map(|axis| axis.words.iter().skip(1).map(|(word, _)| *word));
    let options = subsequence(words.chain(others).collect::<Vec<_>>(), 0..4);
    let way = (
        values::<Method>(),
        values::<Transport>(),
        values::<GuestState>(),
    );
    (way, options).prop_filter_map(
        "one value an axis",
        |((method, transport, guest), options)| {
            let options = if options.is_empty() {
                "plain".to_owned()
            } else {
                options.join("+")
            };
            format!("{method}/{transport}/{guest}/{options}")
                .parse()
                .ok()
        },
    )
}

fn case(raw: Raw) -> Case {
    let name = |text| ReleaseName::new(text).unwrap();
    Case {
        backend: Backend::Qemu,
        tuple: Tuple {
            client: name("old"),
            source: name("old"),
            destination: name("new"),
        },
        point: Point::Qemu(raw),
        fault: None,
    }
}

fn releases() -> Releases {
    let release = |name, qemu| Release {
        name: ReleaseName::new(name).unwrap(),
        libvirt: None,
        qemu: Some(qemu),
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    let both = [
        release("old", Version::new(7, 2, 22)),
        release("new", Version::new(11, 1, 3)),
    ];
    Releases::new(both.to_vec()).unwrap()
}

fn of(text: &str) -> Raw {
    text.parse().unwrap()
}

#[test]
fn no_two_values_share_a_word() {
    let words = Raw::AXES.iter().flat_map(|axis| axis.words);
    let words = words.map(|(word, _)| *word);
    assert_eq!(words.duplicates().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_cover_takes_cases_of_both_suites() {
    let select = |suite: Suite| {
        let selection = Selection {
            suite,
            backend: suite.backends()[0],
            ..Selection::default()
        };
        selection.cases(&releases()).unwrap()
    };
    let all = [select(Suite::Tck), select(Suite::Qemu)].concat();
    let covering = cover(&all, 1).unwrap();
    let texts = |cases: &[Case]| {
        let facets = cases.iter().flat_map(Case::facets).map(|one| one.text);
        facets.sorted().dedup().collect::<Vec<_>>()
    };
    assert_eq!(texts(&covering), texts(&all));
    assert!(covering.len() < 100, "{}", covering.len());
}

/// What QEMU says of capabilities that are set together (`migrate_caps_check`), as measured with all
/// pairs of them.
fn takes(capabilities: &[&str]) -> bool {
    let has = |name: &str| capabilities.contains(&name);
    let both = |a: &str, b: &str| has(a) && has(b);
    let without = |a: &str, b: &str| has(a) && !has(b);
    !(both("postcopy-ram", "x-ignore-shared")
        || both("xbzrle", "multifd")
        || both("mapped-ram", "xbzrle")
        || both("mapped-ram", "postcopy-ram")
        || both("dirty-limit", "auto-converge")
        || without("postcopy-preempt", "postcopy-ram")
        || without("switchover-ack", "return-path"))
}

fn traits_are_filters(case: &Case) -> Result<(), TestCaseError> {
    for one in case.facets() {
        let filter: Filter = one.text.parse().expect("a trait is a filter");
        prop_assert_eq!(filter.matches(case, &releases()), Ok(true), "{}", one.text);
        let opposite: Filter = format!("!({})", one.text)
            .parse()
            .expect("so is its opposite");
        prop_assert_eq!(opposite.matches(case, &releases()), Ok(false));
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_point_is_read_from_its_text(raw in points()) {
        prop_assert_eq!(raw.to_string().parse::<Raw>(), Ok(raw));
        let case = case(raw);
        prop_assert_eq!(case.to_string().parse::<Case>(), Ok(case.clone()));
        prop_assert_eq!(Case::from_file_stem(&case.file_stem()), Ok(case));
    }

    #[test]
    fn every_trait_is_a_filter_that_is_true_of_its_case(raw in points()) {
        traits_are_filters(&case(raw))?;
    }

    #[test]
    fn every_point_is_allowed_or_left_out_by_a_rule_that_says_why(raw in points()) {
        if let Some(rule) = excluded(&case(raw)) {
            prop_assert!(!rule.name.is_empty() && !rule.reason.is_empty());
            prop_assert!(!rule.source.is_empty());
        }
    }

    #[test]
    fn an_allowed_point_has_capabilities_that_qemu_takes_together(raw in near_points()) {
        if excluded(&case(raw)).is_none() {
            prop_assert!(takes(&raw.capabilities()), "{}", raw);
            prop_assert!(raw.capabilities().iter().all_unique());
        }
    }

    #[test]
    fn an_allowed_point_states_every_need_once(raw in near_points()) {
        if excluded(&case(raw)).is_none() {
            prop_assert!(raw.needs().iter().all_unique());
        }
    }

    #[test]
    fn an_allowed_point_is_judged_and_its_conditions_agree_with_its_end(raw in near_points()) {
        use migratrix_matrix::{Condition, End};
        if excluded(&case(raw)).is_none() {
            let conditions = raw.conditions();
            let completes = raw.expectation().end == End::Completed;
            prop_assert_eq!(conditions.contains(&Condition::Migrated), completes);
            prop_assert_eq!(conditions.contains(&Condition::DestinationExists), completes);
            prop_assert!(conditions.contains(&Condition::Memory));
            prop_assert!(conditions.iter().all_unique());
        }
    }
}

#[test]
fn every_trait_of_every_profile_is_a_filter() {
    for suite in [
        Suite::Tck,
        Suite::Qemu,
        Suite::Colo,
        Suite::Backup,
        Suite::Recovery,
    ] {
        for profile in suite.profiles() {
            let selection = Selection {
                suite,
                profile: Some(profile),
                backend: profile.backends()[0],
                ..Selection::default()
            };
            for case in selection.cases(&releases()).unwrap().iter().step_by(7) {
                traits_are_filters(case).unwrap();
            }
        }
    }
}
