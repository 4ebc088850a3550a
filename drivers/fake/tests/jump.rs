//! A break of transitivity that is planted in the hypervisor in memory is found, with its cases.

mod run;

use std::collections::BTreeSet;

use migratrix_fake::Defect;
use migratrix_matrix::{
    Backend, Case, Control, FlagSet, Persistence, Point, Profile, Release, ReleaseName, Tuple,
};
use migratrix_reports::{Fails, Jumps, Run, Safety, judge};

const OLDEST_FIRST: [(&str, &str); 3] = [("old", "7.2.0"), ("middle", "10.0.0"), ("new", "11.1.0")];

fn name(text: &str) -> ReleaseName {
    ReleaseName::new(text).expect("a name")
}

/// Every scenario of the TCK without flags on every pair of the three releases.
fn cases() -> Vec<Case> {
    let names = OLDEST_FIRST.map(|(text, _)| name(text));
    let points = Profile::TCK.points(Backend::Fake).into_iter();
    let is_plain = |point: &Point| matches!(point, Point::Tck(one) if one.flags == FlagSet::NONE);
    let points: Vec<_> = points.map(|(point, _)| point).filter(is_plain).collect();
    let mut all = Vec::new();
    for (source, destination) in names
        .iter()
        .flat_map(|one| names.iter().map(move |two| (one, two)))
    {
        all.extend(points.iter().map(|point| Case {
            tuple: Tuple {
                client: names[0].clone(),
                source: source.clone(),
                destination: destination.clone(),
            },
            ..run::case(*point, None)
        }));
    }
    all
}

/// A run in which the hypervisor refuses the migrations that `is_refused` names.
fn played(is_refused: impl Fn(&Case) -> bool) -> Run {
    let cases = cases();
    let judged = cases.iter().map(|case| {
        let defect = is_refused(case).then_some(Defect::RefusesWithoutReason);
        judge(&run::play(case, defect))
    });
    let judged: Vec<_> = judged.collect();
    let releases = OLDEST_FIRST.map(|(text, qemu)| Release {
        qemu: qemu.parse().ok(),
        ..Release::unknown(name(text))
    });
    Run::new(cases, judged).on(releases.to_vec())
}

fn is_peer_to_peer_of_transient(case: &Case) -> bool {
    let Point::Tck(scenario) = case.point else {
        return false;
    };
    scenario.control == Control::P2p && scenario.state.persistence == Persistence::Transient
}

fn is_from(case: &Case, source: &str, destination: &str) -> bool {
    (case.tuple.source.as_str(), case.tuple.destination.as_str()) == (source, destination)
}

#[test]
fn two_steps_that_hold_and_a_jump_that_does_not_are_found_with_the_cases_of_the_jump() {
    let fails = |case: &Case| is_from(case, "old", "new") && is_peer_to_peer_of_transient(case);
    let run = played(fails);
    let jumps = Jumps::of(&[&run]).expect("one suite");
    let [found] = jumps.breaks.as_slice() else {
        panic!("one was planted: {:?}", jumps.breaks);
    };
    assert_eq!(found.fails, Fails::Jump);
    assert_eq!(found.over, name("middle"));
    let planted: BTreeSet<_> = cases().into_iter().filter(fails).collect();
    assert_eq!(
        found.cases.iter().cloned().collect::<BTreeSet<_>>(),
        planted
    );
    let filters: Vec<_> = found
        .filters
        .iter()
        .map(|one| one.filter.as_str())
        .collect();
    assert_eq!(filters, ["control(p2p) & state(transient)"]);
    let told = "old → new fails, and old → middle → new holds: ";
    assert!(found.told().starts_with(told), "{}", found.told());
    let not: Vec<_> = jumps
        .jumps
        .iter()
        .filter(|one| one.safety != Safety::Safe)
        .collect();
    let [jump] = not.as_slice() else {
        panic!("all other pairs are as they should be: {not:?}");
    };
    assert_eq!(
        (jump.pair().as_str(), jump.safety),
        ("old → new", Safety::Conditional)
    );
    let ladder = jump.ladder.as_deref().expect("the steps are safe");
    assert_eq!(ladder, ["old", "middle", "new"].map(name));
}

#[test]
fn a_jump_that_holds_over_a_step_that_does_not_is_found_as_well() {
    let fails = |case: &Case| is_from(case, "middle", "new") && is_peer_to_peer_of_transient(case);
    let run = played(fails);
    let jumps = Jumps::of(&[&run]).expect("one suite");
    let kinds: Vec<_> = jumps
        .breaks
        .iter()
        .map(|one| (one.fails, one.told()))
        .collect();
    assert!(
        kinds.iter().any(|(fails, told)| *fails == Fails::SecondStep
            && told.starts_with("old → new holds, and middle → new fails: ")),
        "{kinds:?}"
    );
}
