//! Causes of which the setup of hosts is a part, planted in the plan of a real run: no axis of a case says
//! how its hosts are set up.

use migratrix_explain::Outcome;
use migratrix_matrix::{HostSetup, Plan, RunOptions};

use super::*;

fn plan(profile: Profile) -> Plan {
    let selection = Selection {
        profile: Some(profile),
        ..Selection::default()
    };
    Plan::new(selection, &releases()).expect("there are cases")
}

/// A run of the cases on hosts that are set up so.
fn run_on(trials: &[Trial], fails: impl Fn(&Trial) -> bool) -> Run {
    let judged = trials.iter().map(|trial| Judgement {
        setup: trial.setup,
        log: Some("history/case.jsonl".to_owned()),
        ..judged(trial.case.clone(), fails(trial))
    });
    let cases = trials.iter().map(|trial| trial.case.clone());
    Run::new(cases.collect(), judged).on(known())
}

fn trials(plan: &Plan) -> Vec<Trial> {
    let trials = plan.cases.iter().cloned().zip(plan.setups());
    let trial = |(case, setup)| Trial { case, setup };
    trials.map(trial).collect()
}

/// What of some fails on hosts that are set up so.
fn where_hosts_are(setup: HostSetup, filter: &str) -> impl Fn(&Trial) -> bool {
    let matches = matching(filter);
    move |trial| trial.setup == setup && matches(&trial.case)
}

fn by_the_case(filter: &str) -> impl Fn(&Trial) -> bool {
    let matches = matching(filter);
    move |trial| matches(&trial.case)
}

const QUICKLY: &str = "libvirt does not ask QEMU about processors (capability_filters)";
const QUICK: &str = "destination(libvirt=9.0.0)";

#[test]
fn what_fails_on_hosts_of_one_setup_to_some_versions_is_one_line() {
    let trials = trials(&plan(Profile::TCK));
    let run = run_on(&trials, where_hosts_are(HostSetup::Quick, QUICK));
    let account = account(&run);
    let failed = account.cases.failed;
    let line = format!("{QUICK}, where {QUICKLY} ({failed} of {failed} fail)");
    assert_eq!(causes(&account), [line]);
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    assert_eq!(cause.filter, QUICK);
    assert_eq!(cause.setups, [HostSetup::Quick]);
    assert!(cause.sure && account.left_over.is_empty(), "{cause:?}");
    let text = told(&account);
    assert!(text.contains("with only setup changed "), "{text}");
}

#[test]
fn what_fails_on_hosts_of_one_setup_between_a_range_of_versions_is_one_line() {
    let planted = "source(libvirt<=11.3.0) & destination(qemu=10.0.13)";
    let trials = trials(&plan(Profile::TCK));
    let account = account(&run_on(&trials, where_hosts_are(HostSetup::Quick, planted)));
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    assert_eq!(cause.setups, [HostSetup::Quick]);
    let told = matching(&cause.filter);
    let quick = trials.iter().filter(|one| one.setup == HostSetup::Quick);
    let planted = matching(planted);
    let mut cases = quick.map(|one| &one.case);
    assert!(cases.all(|case| told(case) == planted(case)), "{cause:?}");
}

#[test]
fn whatever_value_stands_beside_the_setup_it_is_found_with_it_and_without_it_alone() {
    let of_sid = matching("client(sid)");
    let mut trials = trials(&plan(Profile::TCK));
    trials.retain(|one| of_sid(&one.case));
    let facets = trials.iter().flat_map(|one| one.case.facets());
    let all: BTreeSet<_> = facets.map(|one| one.text).collect();
    let (quick, mut count) = (HostSetup::Quick, 0);
    for facet in all {
        let (here, there) = (by_the_case(&facet), where_hosts_are(quick, &facet));
        let by_the_setup = account(&run_on(&trials, &there));
        let by_the_value = account(&run_on(&trials, &here));
        if by_the_value.cases.failed == trials.len() {
            continue;
        }
        for (account, planted) in [
            (by_the_setup, &there as &dyn Fn(&Trial) -> bool),
            (by_the_value, &here),
        ] {
            let [cause] = account.causes.as_slice() else {
                panic!("{facet}: {account:?}");
            };
            let told = matching(&cause.filter);
            let is = |one: &Trial| cause.setups.is_empty() || cause.setups.contains(&one.setup);
            let mut same = trials
                .iter()
                .map(|one| (told(&one.case) && is(one), planted(one)));
            assert!(
                same.all(|(told, planted)| told == planted),
                "{facet}: {cause:?}"
            );
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn what_an_axis_accounts_for_is_its_own_however_much_the_setup_follows_it() {
    let full = trials(&plan(Profile::DEFAULT));
    for planted in [
        "hardware(two-threads)",
        "hardware(host-model,two-*)",
        "!hardware(host-model,two-*)",
        "source(libvirt>=12.6.0) & destination(libvirt>=12.6.0)",
        "destination(libvirt<=9.0.0) & control(p2p)",
    ] {
        let account = account(&run_on(&full, by_the_case(planted)));
        let [cause] = account.causes.as_slice() else {
            panic!("{planted}: {account:?}");
        };
        assert_eq!(cause.setups, [], "{planted}: {cause:?}");
        let (told, planted) = (matching(&cause.filter), matching(planted));
        let mut cases = full.iter().map(|one| &one.case);
        assert!(cases.all(|case| told(case) == planted(case)), "{cause:?}");
    }
}

#[test]
fn where_the_setup_and_an_axis_tell_the_same_cases_the_axis_is_told_and_the_setup_beside_it() {
    let named = matching("hardware(host-model)");
    let all = trials(&plan(Profile::DEFAULT)).into_iter();
    let apart = all.filter(|one| (one.setup == HostSetup::AsShipped) == named(&one.case));
    let apart: Vec<_> = apart.collect();
    let account = account(&run_on(&apart, by_the_case("hardware(host-model)")));
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    assert_eq!(
        (&*cause.filter, &*cause.setups),
        ("hardware(host-model)", &[][..])
    );
    assert_eq!(cause.in_other_words, ["where hosts are as shipped"]);
}

/// How all cases of a plan could be tried.
fn space(whole: &Plan) -> Vec<Possible> {
    let possible = |case: &Case| Possible {
        case: case.clone(),
        ways: whole.ways(case),
    };
    whole.cases.iter().map(possible).collect()
}

/// What accounts for the failures of a covered run without controls, once what it asks for was tried.
fn settled(whole: &Plan, fails: impl Fn(&Trial) -> bool) -> Account {
    let without_controls = true;
    let covered = Plan {
        cases: migratrix_matrix::cover(&whole.cases, 2).expect("few enough"),
        options: RunOptions {
            without_controls,
            ..RunOptions::default()
        },
        ..whole.clone()
    };
    let (space, mut budget) = (space(whole), Budget::new(60));
    let mut runs = vec![run_on(&trials(&covered), &fails)];
    loop {
        let all: Vec<_> = runs.iter().collect();
        let study = Study::of(&all, &space).expect("one suite");
        let questions = study.questions(&mut budget);
        if questions.is_empty() {
            return study.account();
        }
        for one in &questions {
            assert!(whole.ways(&one.case).contains(&one.setup), "{one:?}");
            assert_eq!(study.outcome(one), None);
        }
        runs.push(run_on(&questions, &fails));
        let all: Vec<_> = runs.iter().collect();
        let study = Study::of(&all, &space).expect("one suite");
        let came = |one: &Trial| study.outcome(one) == Some(Outcome::Failed);
        assert!(questions.iter().all(|one| came(one) == fails(one)));
    }
}

#[test]
fn the_setup_is_settled_by_cases_that_run_on_hosts_of_both() {
    let whole = plan(Profile::TCK);
    let quick = settled(&whole, where_hosts_are(HostSetup::Quick, "control(p2p)"));
    let cases = settled(&whole, by_the_case("control(p2p)"));
    for (account, setups) in [(quick, &[HostSetup::Quick][..]), (cases, &[])] {
        let [cause] = account.causes.as_slice() else {
            panic!("one cause: {account:?}");
        };
        assert_eq!((&*cause.filter, &*cause.setups), ("control(p2p)", setups));
        assert!(cause.sure && account.changed.is_empty(), "{cause:?}");
    }
}

#[test]
fn a_case_that_would_tell_of_the_setup_is_named_with_the_option_that_sets_hosts_up_so() {
    let whole = plan(Profile::TCK);
    let fails = where_hosts_are(HostSetup::Quick, "control(p2p) & state(paused)");
    let all = trials(&whole);
    let quick: Vec<_> = all
        .iter()
        .filter(|one| one.setup == HostSetup::Quick)
        .collect();
    let few: Vec<_> = quick.into_iter().step_by(40).cloned().collect();
    let run = run_on(&few, fails);
    let account = Study::of(&[&run], &space(&whole))
        .expect("one suite")
        .account();
    let others: Vec<_> = account.causes.iter().flat_map(|one| &one.rivals).collect();
    let told: Vec<_> = others.iter().filter(|one| one.told_by.is_some()).collect();
    assert!(
        !told.is_empty() && told.iter().all(|one| one.told_on.is_some()),
        "{account:?}"
    );
    let text = super::told(&account);
    let line = ["--without-controls", "--as-shipped"]
        .map(|option| format!("this would tell: migratrix run {option} --case tck/libvirt/"));
    assert!(line.iter().any(|line| text.contains(line)), "{text}");
}

#[test]
fn a_case_that_would_tell_runs_on_quick_hosts_where_all_were() {
    let whole = plan(Profile::TCK);
    let quick = trials(&whole)
        .into_iter()
        .filter(|one| one.setup == HostSetup::Quick);
    let few: Vec<_> = quick.step_by(160).collect();
    let run = run_on(
        &few,
        by_the_case("control(p2p) & state(paused) & flag(undefine)"),
    );
    let space: Vec<_> = space(&whole)
        .into_iter()
        .map(|mut one| {
            one.ways.truncate(1);
            one
        })
        .filter(|one| one.ways == [HostSetup::Quick])
        .collect();
    let account = Study::of(&[&run], &space).expect("one suite").account();
    let rivals = account.causes.iter().flat_map(|one| &one.rivals);
    let told: Vec<_> = rivals.filter(|one| one.told_by.is_some()).collect();
    let on_quick = |one: &&Other| one.told_on == Some(HostSetup::Quick);
    assert!(!told.is_empty() && told.iter().all(on_quick), "{account:?}");
    let text = super::told(&account);
    let line = "this would tell: migratrix run --without-controls --case tck/libvirt/";
    assert!(text.contains(line), "{text}");
}

#[test]
fn hosts_of_no_libvirt_have_no_setup() {
    let trials = trials(&plan(Profile::TCK));
    let fake = trials.into_iter().map(|mut one| {
        one.case.backend = Backend::Fake;
        one
    });
    let fake: Vec<_> = fake.collect();
    let run = run_on(&fake, where_hosts_are(HostSetup::Quick, "control(p2p)"));
    let account = account(&run);
    assert!(
        account.causes.iter().all(|cause| cause.setups.is_empty()),
        "{account:?}"
    );
}

/// All cases on hosts that are set up quickly, and these on hosts as shipped as well: a run each.
fn on_both(
    whole: &Plan,
    shipped: impl Fn(&Case) -> bool,
    fails: impl Fn(&Trial) -> bool,
) -> [Run; 2] {
    let shipped = whole.cases.iter().filter(|case| shipped(case)).map(usual);
    let quick = whole.cases.iter().filter(|case| whole.ways(case).len() > 1);
    let quick = quick.map(|case| Trial {
        case: case.clone(),
        setup: HostSetup::Quick,
    });
    [quick.collect(), shipped.collect()].map(|all: Vec<_>| run_on(&all, &fails))
}

#[test]
fn what_was_never_tried_without_a_value_on_hosts_of_a_setup_is_not_sure_to_need_it_not() {
    let whole = plan(Profile::TCK);
    let tried = matching("destination(trixie) & client(sid) & source(sid)");
    let fails = where_hosts_are(
        HostSetup::AsShipped,
        "control(tunnelled) & destination(trixie)",
    );
    let [quick, shipped] = on_both(&whole, tried, fails);
    let study = Study::of(&[&quick, &shipped], &space(&whole)).expect("one suite");
    let account = study.account();
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    assert_eq!(cause.filter, "control(tunnelled)");
    assert!(!cause.sure, "{cause:?}");
    let told_by = cause.rivals.iter().filter_map(|one| one.told_by.as_ref());
    let tried: BTreeSet<&Case> = shipped.planned().iter().collect();
    assert!(told_by.clone().next().is_some(), "{cause:?}");
    assert!(told_by.clone().all(|case| !tried.contains(case)));
    assert!(!study.questions(&mut Budget::new(4)).is_empty());
}

#[test]
fn three_values_on_hosts_of_one_setup_are_one_cause() {
    let whole = plan(Profile::TCK);
    for planted in [
        "destination(libvirt>=11.3.0) & control(tunnelled) & state(defined)",
        "!same() & state(transient) & !flag(undefine)",
        "!forward() & state(persistent) & state(running)",
    ] {
        let fails = where_hosts_are(HostSetup::AsShipped, planted);
        let [quick, shipped] = on_both(&whole, |_| true, fails);
        let account = Study::of(&[&quick, &shipped], &[])
            .expect("one suite")
            .account();
        let [cause] = account.causes.as_slice() else {
            panic!("{planted} is one cause: {account:?}");
        };
        assert_eq!(cause.setups, [HostSetup::AsShipped]);
        let (told, planted) = (matching(&cause.filter), matching(planted));
        let mut cases = whole.cases.iter();
        assert!(cases.all(|case| told(case) == planted(case)), "{cause:?}");
        assert!(account.left_over.is_empty());
    }
}
