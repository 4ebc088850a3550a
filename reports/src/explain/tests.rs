mod apart;
mod direction;
mod lists;
mod setup;
mod states;

use migratrix_explain::{Kind, Literal, Values};
use migratrix_matrix::{
    Backend, Case, Condition, Filter, HostSetup, Profile, Release, ReleaseName, Releases,
    Selection, Suite,
};

use super::*;
use crate::{Judgement, KnownAre, Rules, Standing, Verdict};

fn known() -> Vec<Release> {
    let release = |(name, libvirt, qemu): (&str, &str, &str)| Release {
        libvirt: libvirt.parse().ok(),
        qemu: qemu.parse().ok(),
        ..Release::unknown(ReleaseName::new(name).expect("a name"))
    };
    let all = [
        ("bookworm", "9.0.0", "7.2.22"),
        ("trixie", "11.3.0", "10.0.13"),
        ("sid", "12.6.0", "11.1.3"),
        ("mine", "12.6.0", "10.0.13"),
    ];
    all.into_iter().map(release).collect()
}

fn releases() -> Releases {
    Releases::new(known()).expect("each once")
}

fn cases(suite: Suite, backend: Backend, profile: Option<Profile>) -> Vec<Case> {
    let selection = Selection {
        suite,
        backend,
        profile,
        ..Selection::default()
    };
    selection.cases(&releases()).expect("there are some")
}

/// A case on hosts as they are.
fn usual(case: &Case) -> Trial {
    Trial {
        case: case.clone(),
        setup: HostSetup::AsShipped,
    }
}

/// The sets of values that a literal of a column may have.
fn sets(column: &migratrix_explain::Column) -> Vec<Values> {
    let count = u8::try_from(column.values).expect("few");
    let ranges = (0..count).flat_map(|first| (first..count).map(move |last| (first, last)));
    let all: Values = (0..count).collect();
    match &column.kind {
        Kind::Single => (0..count).map(|value| Values::from_iter([value])).collect(),
        Kind::Ordered => ranges
            .map(|(first, last)| (first..=last).collect())
            .collect(),
        Kind::Unordered { families } => {
            let single = (0..count).map(|value| Values::from_iter([value]));
            let pairs = ranges.filter(|(first, last)| first + 1 == *last || first + 7 == *last);
            let pairs: Vec<Values> = pairs
                .map(|(first, last)| [first, last].into_iter().collect())
                .collect();
            let rest = pairs
                .iter()
                .map(|pair| all.without(*pair))
                .collect::<Vec<_>>();
            let all = single
                .chain(families.iter().copied())
                .chain(pairs)
                .chain(rest);
            all.filter(|values| values.count() > 0).collect()
        }
    }
}

#[test]
fn what_a_literal_is_told_as_is_true_of_exactly_its_cases() {
    let kinds = [
        (Suite::Tck, Backend::Libvirt, None),
        (Suite::Qemu, Backend::Qemu, None),
        (Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES)),
        (Suite::Colo, Backend::Qemu, None),
        (Suite::Backup, Backend::Qemu, None),
        (Suite::Faults, Backend::Libvirt, None),
    ];
    for (suite, backend, profile) in kinds {
        let mut all = cases(suite, backend, profile);
        let step = 1 + all.len() / 1000;
        all = all.into_iter().step_by(step).collect();
        let trials: Vec<_> = all.iter().map(usual).collect();
        let (columns, values) = Columns::of(&trials, &releases());
        let rows = values.into_iter().map(|values| Row {
            values,
            ..Row::default()
        });
        let table = Table::new(columns.columns(), rows.collect()).expect("a table");
        for (column, info) in table.columns().iter().enumerate() {
            for values in sets(info) {
                let literal = Literal { column, values };
                let region = table.region(&[literal]);
                if region.is_full() || region.is_clear() {
                    continue;
                }
                let told = columns.text(&table, &literal);
                let filter: Filter = told.parse().unwrap_or_else(|why| panic!("{told}: {why}"));
                for (place, case) in all.iter().enumerate() {
                    let is = filter.matches(case, &releases()).expect("all is known");
                    assert_eq!(is, region.contains(place), "{told} of {case}");
                }
            }
        }
    }
}

fn judged(case: Case, fails: bool) -> Judgement {
    let mut judgement = Judgement::skipped(case, "", 0);
    for (condition, verdict) in &mut judgement.conditions {
        *verdict = if fails && *condition == Condition::Migrated {
            Verdict::fail("refused")
        } else {
            Verdict::Pass
        };
    }
    judgement
}

fn run_of(cases: &[Case], fails: impl Fn(&Case) -> bool) -> Run {
    let judgements = cases.iter().map(|case| judged(case.clone(), fails(case)));
    Run::new(cases.to_vec(), judgements).on(known())
}

fn matching(filter: &str) -> impl Fn(&Case) -> bool {
    let filter: Filter = filter.parse().expect("a filter");
    move |case| filter.matches(case, &releases()).expect("all is known")
}

fn account(run: &Run) -> Account {
    Study::of(&[run], &[]).expect("one suite").account()
}

/// The study of some runs beside all that could be tried, on hosts as they are shipped.
fn beside(runs: &[Run], all: &[Case]) -> Study {
    let possible = all.iter().map(|case| Possible {
        case: case.clone(),
        ways: vec![HostSetup::AsShipped],
    });
    let (runs, space): (Vec<_>, Vec<_>) = (runs.iter().collect(), possible.collect());
    Study::of(&runs, &space).expect("one suite")
}

/// What is told after so many further cases than those that were tried, of all that could be, and these.
fn confirmed(
    tried: &[Case],
    all: &[Case],
    most: usize,
    fails: impl Fn(&Case) -> bool,
) -> (Account, Vec<Case>) {
    let mut runs = vec![run_of(tried, &fails)];
    let (mut budget, mut asked) = (Budget::new(most), Vec::new());
    loop {
        let study = beside(&runs, all);
        let questions = study.questions(&mut budget);
        if questions.is_empty() {
            return (study.account(), asked);
        }
        let cases: Vec<_> = questions.into_iter().map(|one| one.case).collect();
        runs.push(run_of(&cases, &fails));
        asked.extend(cases);
    }
}

const JUMP: &str = "source(qemu=10.0.13) & destination(qemu=11.1.3) & devices(virtio-*)";

#[test]
fn a_failure_between_two_versions_of_a_family_of_devices_is_one_line() {
    let devices = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let run = run_of(&devices, matching(JUMP));
    let account = account(&run);
    let told = causes(&account);
    assert_eq!(told, [format!("{JUMP} (112 of 112 fail)")]);
    assert_eq!(account.left_over, []);
    let text = super::told(&account);
    for line in [
        "112 of 1920 cases fail: 1 cause for all of them",
        "   112 of the 112 cases that were tried fail; sure",
        "with only devices changed 128 pass",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn three_causes_at_once_are_all_told() {
    let planted = [
        "source(libvirt<=9.0.0) & control(p2p) & flag(persist)",
        "destination(mine) & state(paused)",
        "client(libvirt>=12.6.0) & control(tunnelled) & state(transient)",
    ];
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let run = run_of(
        &tck,
        matching(&planted.map(|one| format!("({one})")).join(" | ")),
    );
    let account = account(&run);
    let mut filters: Vec<_> = account
        .causes
        .iter()
        .map(|one| one.filter.clone())
        .collect();
    filters.sort_unstable();
    assert_eq!(filters.len(), 3, "{filters:?}");
    for filter in planted {
        let same = |told: &String| {
            tck.iter()
                .all(|case| matching(told)(case) == matching(filter)(case))
        };
        assert!(filters.iter().any(same), "{filter} is not in {filters:?}");
    }
    assert!(account.causes.iter().all(|one| one.sure));
}

#[test]
fn a_cause_whose_own_failures_are_few_says_how_many_and_is_sure_only_by_these() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    // Beyond p2p the two conditions go together, so that only what fails by p2p would tell them apart.
    let is_tried =
        matching("control(p2p) | source(sid) & state(paused) | !source(sid) & !state(paused)");
    let tried: Vec<_> = tck.into_iter().filter(is_tried).collect();
    let account = account(&run_of(&tried, matching("control(p2p) | source(sid)")));
    let [p2p, other] = account.causes.as_slice() else {
        panic!("two causes: {account:?}");
    };
    assert_eq!(p2p.filter, "control(p2p)");
    // All that fails of it with a guest that is paused is of the other one as well.
    let open = "whether state(paused) is a part of it is open";
    assert!(!p2p.sure && p2p.doubts[0].starts_with(open), "{p2p:?}");
    assert!(!other.sure && other.alone < other.failed.len(), "{other:?}");
    let text = told(&account);
    let line = format!(" fail, {} by it alone; not sure, whether ", other.alone);
    assert!(text.contains(&line), "{text}");
    let none = "\n     no case that these runs could have tried would tell\n";
    assert!(text.contains(none), "{text}");
}

#[test]
fn a_run_that_tells_nothing_is_told_to_tell_nothing() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let text = |run: &Run| told(&account(run));
    let none = text(&run_of(&tck, |_| false));
    assert_eq!(
        none,
        "none of 6144 cases fails: there is nothing to explain\n"
    );
    let all = text(&run_of(&tck, |_| true));
    assert!(
        all.starts_with("all of 6144 cases fail: without a case that passes nothing tells"),
        "{all}"
    );
    let nothing = text(&Run::new(Vec::new(), []));
    assert_eq!(nothing, "no case was tried: there is nothing to explain\n");
    let of_one_pair =
        |case: &Case| matching("client(sid) & source(trixie) & destination(sid)")(case);
    let pair: Vec<_> = tck.into_iter().filter(of_one_pair).collect();
    let one = text(&run_of(&pair, matching("control(p2p)")));
    assert!(one.contains("1. control(p2p)"), "{one}");
    let same = "no cause can name it: source, destination, client";
    assert!(one.contains(same), "{one}");
}

#[test]
fn cases_of_two_suites_are_refused() {
    let tck = run_of(
        &cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK)),
        |_| false,
    );
    let devices = run_of(&cases(Suite::Qemu, Backend::Qemu, None), |_| false);
    let error = Study::of(&[&tck, &devices], &[])
        .expect_err("they are of two suites")
        .to_string();
    assert!(
        error.contains("`tck` and `qemu` can't be explained together"),
        "{error}"
    );
    let mut newer = known();
    newer[2].qemu = "11.2.0".parse().ok();
    let other = devices.clone().on(newer);
    let error = Study::of(&[&devices, &other], &[])
        .expect_err("sid is another")
        .to_string();
    assert!(error.contains("`sid` in different versions"), "{error}");
}

#[test]
fn known_failures_pass_unless_they_are_to_fail() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let mut run = run_of(&tck, matching("control(p2p)"));
    let list =
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"migrated\"]\nreason = \"of old\"\n";
    let list = crate::KnownFailures::parse(list).expect("a list");
    run.mark_known(&list, &releases()).expect("it fits");
    let excused = account(&run);
    assert_eq!((excused.cases.failed, excused.cases.excused), (0, 2048));
    assert!(told(&excused).contains("2048 known failures: --fail-known explains these"));
    let rules = Rules {
        known: KnownAre::Failed,
        ..Rules::default()
    };
    assert_eq!(account(&run.by(rules)).causes[0].filter, "control(p2p)");
}

#[test]
fn what_else_could_be_tried_makes_questions() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let planted = matching("source(sid) & control(p2p)");
    let covered = migratrix_matrix::cover(&tck, 2).expect("few enough");
    let (account, _) = confirmed(&covered, &tck, 60, &planted);
    let filters: Vec<_> = account
        .causes
        .iter()
        .map(|one| one.filter.as_str())
        .collect();
    assert_eq!(filters.len(), 1, "{filters:?}");
    let told = matching(filters[0]);
    assert!(
        tck.iter().all(|case| told(case) == planted(case)),
        "{filters:?}"
    );
}

#[test]
fn a_cause_of_a_pair_of_releases_and_three_more_values_leaves_nothing_over() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    for planted in [
        "source(trixie) & destination(sid) & control(p2p) & state(paused)",
        "source(trixie) & destination(sid) & control(p2p) & state(transient) & state(paused)",
        "source(qemu>=10) & destination(sid) & client(sid) & control(p2p) & state(paused)",
    ] {
        let planted = matching(planted);
        let account = account(&run_of(&tck, &planted));
        let [cause] = account.causes.as_slice() else {
            panic!("one cause: {account:?}");
        };
        let told = matching(&cause.filter);
        let same = tck.iter().all(|case| told(case) == planted(case));
        assert!(same && cause.sure, "{cause:?}");
        assert_eq!(account.left_over, []);
    }
}

/// The same run, at another time.
fn at(run: &Run, began_unix: u64) -> Run {
    let judgements = run.judgements().cloned();
    let judgements = judgements.map(|one| Judgement { began_unix, ..one });
    Run::new(run.planned().to_vec(), judgements).on(known())
}

#[test]
fn of_a_case_that_came_out_unlike_in_two_runs_what_came_last_counts_and_that_is_told() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let failing = |filter| run_of(&tck, matching(filter));
    let first = at(&failing("control(p2p)"), 100);
    let last = at(&failing("control(p2p) & state(paused)"), 200);
    let changed = matching("control(p2p) & !state(paused)");
    let changed: BTreeSet<_> = tck.iter().filter(|case| changed(case)).cloned().collect();
    let changed: Vec<_> = changed.into_iter().collect();
    for runs in [[&first, &last], [&last, &first]] {
        let account = Study::of(&runs, &[]).expect("one suite").account();
        let filters: Vec<_> = account
            .causes
            .iter()
            .map(|one| one.filter.as_str())
            .collect();
        assert_eq!(filters, ["control(p2p) & state(paused)"]);
        assert_eq!(account.changed, changed);
        let text = told(&account);
        let line = format!(
            "\n{} cases came out otherwise in another run, as {}: what came last counts\n{WITH_THE_RUN}\n",
            changed.len(),
            changed[0]
        );
        assert!(text.contains(&line), "{text}");
    }
    let mixed = failing("state(paused)");
    let mixed = Study::of(&[&first, &at(&mixed, 300)], &[]).expect("one suite");
    assert!(
        !mixed.account().changed_with_the_run,
        "some fail in the one run, some in the other"
    );
    let both = Study::of(&[&first, &at(&first, 300)], &[]).expect("one suite");
    assert_eq!(both.account().changed, []);
}

#[test]
fn one_failure_alone_is_told_with_what_tells_whether_it_is_chance() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let lone = tck[77].clone();
    let text = told(&account(&run_of(&tck, |case| *case == lone)));
    let head = "1 of 6144 cases fails: what it depends on is not known, for one failure can't be told from chance";
    assert!(text.starts_with(head), "{text}");
    let chance = format!("\n  whether it is chance: migratrix run --case {lone}\n");
    assert!(text.contains(&chance), "{text}");
}

#[test]
fn what_could_not_be_seen_when_tried_again_is_not_told_to_have_passed() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let attempt = |number: u32, verdict: Verdict| {
        let mut one = judged(tck[0].clone(), false);
        let conditions = one.conditions.iter_mut();
        let migrated = conditions.filter(|(one, _)| *one == Condition::Migrated);
        migrated.for_each(|(_, own)| *own = verdict.clone());
        one.attempt = number;
        one
    };
    let told = |second: Verdict| {
        let mut run = Run::new(tck.clone(), [attempt(1, Verdict::fail("refused"))]);
        run.add(attempt(2, second));
        told(&account(&run.on(known())))
    };
    let unseen = told(Verdict::unknown("the host was lost"));
    let line =
        "1 case failed at first, and could not be seen when tried again: it counts for nothing";
    assert!(unseen.contains(line), "{unseen}");
    let passed = told(Verdict::Pass);
    let line = "1 case failed at first and not when tried again: it counts for nothing";
    assert!(
        passed.contains(line) && !passed.contains("could not be seen"),
        "{passed}"
    );
}

#[test]
fn an_axis_of_too_many_values_is_refused_by_its_name() {
    let release = |number: u64| Release {
        qemu: format!("{number}.0.0").parse().ok(),
        ..Release::unknown(ReleaseName::new(&format!("r{number}")).expect("a name"))
    };
    let releases: Vec<_> = (1..=300).map(release).collect();
    let case = |number: usize| {
        let name = format!("qemu/qemu/r{number},r1/precopy/unix/running/plain");
        name.parse::<Case>().expect("a case")
    };
    let judged = (1..=300).map(|number| judged(case(number), number > 200));
    let run = Run::new(Vec::new(), judged).on(releases);
    let refused = Study::of(&[&run], &[]).expect_err("they are too many");
    assert_eq!(
        refused.to_string(),
        "`source` has 300 values in these runs, and at most 128 can be told apart: give runs of fewer releases, or \
         of a part of the cases"
    );
}

#[test]
fn of_runs_of_one_second_that_which_is_named_last_counts() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let (fails, passes) = (
        run_of(&tck, matching("control(p2p)")),
        run_of(&tck, |_| false),
    );
    let failed = |runs: &[&Run]| {
        let study = Study::of(runs, &[]).expect("one suite");
        study.account().cases.failed
    };
    assert_eq!(failed(&[&fails, &passes]), 0);
    assert_eq!(failed(&[&passes, &fails]), 2048);
}

#[test]
fn what_most_failures_of_a_cause_say_is_told_with_it() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let mut run = run_of(&tck, matching("control(p2p) & state(paused)"));
    let failed = run
        .judgements()
        .filter(|one| one.standing() == Standing::Failed);
    let says = failed.cloned().zip(0..).map(|(mut one, number)| {
        let (_, verdict) = one
            .conditions
            .iter_mut()
            .find(|(condition, _)| *condition == Condition::Migrated)
            .expect("it has this one");
        let text = if number % 5 == 0 { "busy" } else { "not today" };
        *verdict = Verdict::fail(format!(
            "expected success, the p2p migration (none) from the source ({}, libvirt 9.0.0, QEMU 7.2.22) \
             to the destination (sid, libvirt 12.6.0, QEMU 11.1.3) was refused: {text} (error code 9)",
            one.case.tuple.source
        ));
        one.attempt += 1;
        one
    });
    let says: Vec<_> = says.collect();
    let (all, busy) = (says.len(), says.len().div_ceil(5));
    says.into_iter().for_each(|one| run.add(one));
    let rules = Rules {
        flaky: crate::Flaky::Allowed,
        ..Rules::default()
    };
    let text = told(&account(&run.by(rules)));
    let line = format!(
        "\n   condition migrated failed: not today (error code 9) ({} of the {all})\n",
        all - busy
    );
    assert!(text.contains(&line), "{line} in {text}");
}

#[test]
fn the_example_of_the_page_is_what_is_told_of_a_run_in_which_the_destination_said_why() {
    let all = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let is_mine = matching("source(mine) | destination(mine)");
    let cases: Vec<_> = all.into_iter().filter(|case| !is_mine(case)).collect();
    let jump = JUMP.replace("devices(virtio-*)", "devices(all-virtio,virtio-*)");
    let planted = format!("{jump} & !devices(virtio-blk)");
    let fails = matching(&planted);
    let lacks = matching("devices(nvme) & (source(qemu<11) | destination(qemu<11))");
    let judged = cases.iter().zip(0..).map(|(case, number)| {
        let mut one = judged(case.clone(), fails(case));
        if lacks(case) {
            let all = one.conditions.iter_mut();
            all.for_each(|(_, verdict)| *verdict = Verdict::skipped("it has none"));
        }
        let told = |(side, said): (&str, String)| crate::Evidence {
            file: format!("evidence/case/{side}-qemu.log"),
            shows: "what QEMU said".to_owned(),
            said: Some(said),
        };
        let ring = format!(
            "VQ 0 vring.num 1024 exceeds allocated max {}",
            8 << (number % 3)
        );
        let all = [
            ("destination", ring),
            ("source", "Connection reset by peer".to_owned()),
        ];
        one.evidence = all.into_iter().filter(|_| fails(case)).map(told).collect();
        one
    });
    let judged: Vec<_> = judged.collect();
    let text = told(&account(&Run::new(cases, judged).on(known())));
    let page = include_str!("../../../docs/explain.md");
    assert!(page.contains(&format!("```text\n{text}```")), "{text}");
}

#[test]
fn where_nearly_all_cases_fail_that_is_told_by_a_filter_that_is_true_of_all() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let lone = tck[77].clone();
    let account = account(&run_of(&tck, |case| *case != lone));
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    assert_eq!(
        (cause.filter.as_str(), cause.passed.as_slice()),
        ("name(*)", &[lone][..])
    );
    assert!(tck.iter().all(matching(&cause.filter)));
}

#[test]
fn what_was_tried_between_releases_alone_is_sure_once_it_was_tried_within_one() {
    let all = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let (same, device) = (matching("same()"), "devices(virtio-blk)");
    let is_device = matching(device);
    let tried: Vec<_> = all
        .iter()
        .filter(|case| !(same(case) && is_device(case)))
        .cloned()
        .collect();
    for (planted, told) in [
        (device.to_owned(), device.to_owned()),
        (format!("{device} & !same()"), format!("!same() & {device}")),
    ] {
        let fails = matching(&planted);
        let account = beside(&[run_of(&tried, &fails)], &all).account();
        assert_eq!(account.causes.len(), 1, "{account:?}");
        assert!(!account.causes[0].sure, "{account:?}");
        let (account, _) = confirmed(&tried, &all, 20, &fails);
        let filters: Vec<_> = account.causes.iter().map(|one| &*one.filter).collect();
        assert_eq!(filters, [told]);
        assert!(account.causes[0].sure, "{account:?}");
    }
}
