use migratrix_matrix::{
    Backend, Case, Condition, Filter, Profile, Release, ReleaseName, Releases, Selection, Suite,
    Tuple,
};

use super::*;
use crate::{Exit, Judgement, KnownFailures, Possible, Rules, Verdict, explain::WITH_THE_RUN};

/// What came of each point on each pair of a real run.
const REAL: &str = include_str!("../../tests/data/devices.tsv");
const NOVA: &str = include_str!("../../../ci/ladders/nova.toml");

fn known() -> Vec<Release> {
    let all = [
        ("bullseye", "7.0.0", "5.2.0"),
        ("bookworm", "9.0.0", "7.2.22"),
        ("trixie", "11.3.0", "10.0.13"),
        ("sid", "12.8.0", "11.1.3"),
    ];
    let release = |(name, libvirt, qemu): (&str, &str, &str)| Release {
        libvirt: libvirt.parse().ok(),
        qemu: qemu.parse().ok(),
        ..Release::unknown(ReleaseName::new(name).expect("a name"))
    };
    all.into_iter().map(release).collect()
}

fn releases() -> Releases {
    Releases::new(known()).expect("each once")
}

fn names(all: &[&str]) -> Vec<ReleaseName> {
    all.iter()
        .map(|name| ReleaseName::new(name).expect("a name"))
        .collect()
}

/// The cases of all devices between these releases.
fn devices(stops: &[&str]) -> Vec<Case> {
    let selection = Selection {
        suite: Suite::Qemu,
        backend: Backend::Qemu,
        profile: Some(Profile::DEVICES),
        sources: names(stops),
        destinations: names(stops),
        ..Selection::default()
    };
    selection.cases(&releases()).expect("there are some")
}

/// What came of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Passed,
    Failed,
    Unseen,
    Skipped,
    NotRun,
}

fn judged(case: &Case, is: Is) -> Judgement {
    let mut judgement = Judgement::skipped(case.clone(), "no such device", 0);
    for (condition, verdict) in &mut judgement.conditions {
        *verdict = match (is, *condition) {
            (Is::Skipped | Is::NotRun, _) => continue,
            (Is::Failed, Condition::Migrated) => Verdict::fail("refused"),
            (Is::Unseen, Condition::Migrated) => Verdict::unknown("the host was lost"),
            (Is::Passed | Is::Failed | Is::Unseen, _) => Verdict::Pass,
        };
    }
    judgement
}

fn run_of(cases: &[Case], is: impl Fn(&Case) -> Is) -> Run {
    let ran = cases
        .iter()
        .map(|case| (case, is(case)))
        .filter(|(_, is)| *is != Is::NotRun);
    let judgements: Vec<_> = ran.map(|(case, is)| judged(case, is)).collect();
    Run::new(cases.to_vec(), judgements).on(known())
}

fn failing(filter: &str) -> impl Fn(&Case) -> Is {
    let filter: Filter = filter.parse().expect("a filter");
    move |case| match filter.matches(case, &releases()).expect("all is known") {
        true => Is::Failed,
        false => Is::Passed,
    }
}

fn jumps(runs: &[&Run]) -> Jumps {
    Jumps::of(runs).expect("runs of one suite")
}

fn find<'j>(jumps: &'j Jumps, pair: &str) -> &'j Jump {
    let mut all = jumps.jumps.iter();
    all.find(|one| one.pair() == pair)
        .unwrap_or_else(|| panic!("{pair} is missing"))
}

const THREE: [&str; 3] = ["bookworm", "trixie", "sid"];
const VIRTIO: &str = "source(trixie) & destination(sid) & devices(virtio-*)";

#[test]
fn a_jump_on_which_one_family_of_devices_fails_is_conditional_and_has_a_ladder_around_it() {
    let all = jumps(&[&run_of(&devices(&THREE), failing(VIRTIO))]);
    let jump = find(&all, "trixie → sid");
    assert_eq!((jump.way, jump.safety), (Way::Forward, Safety::Conditional));
    let avoid: Vec<_> = jump
        .avoid
        .iter()
        .map(|one| (one.filter.as_str(), one.sure))
        .collect();
    assert_eq!(avoid, [("devices(virtio-*)", true)]);
    assert_eq!(jump.left_over, []);
    assert_eq!(jump.ladder, Some(names(&["trixie", "bookworm", "sid"])));
    let back = find(&all, "sid → trixie");
    assert_eq!((back.way, back.safety), (Way::Back, Safety::Safe));
    let text = told(&all);
    for line in [
        "releases by their versions: bookworm (libvirt 9.0.0, QEMU 7.2.22), trixie (",
        "\nforward\n",
        "  trixie → sid         conditional  64 of 120 cases pass, 56 fail\n",
        "    avoid devices(virtio-*) (",
        "    safe by steps: trixie → bookworm → sid\n",
        "\nback\n",
        "  trixie → sid fails, and trixie → bookworm → sid holds: ",
        "  bookworm → sid holds, and trixie → sid fails: ",
    ] {
        assert!(text.contains(line), "`{line}` is missing in {text}");
    }
}

/// The real run.
fn real() -> Run {
    let mut rows = REAL.lines().filter(|line| !line.starts_with('#'));
    let pairs: Vec<_> = rows
        .next()
        .expect("it has a head")
        .split('\t')
        .skip(1)
        .collect();
    let judged = rows.flat_map(|row| {
        let (point, came) = row.split_once('\t').expect("a row has columns");
        let judged = |(pair, came): (&&str, &str)| {
            let case = format!("qemu/qemu/{pair}/{point}").parse().expect("a case");
            let is = match came {
                "." => Is::Passed,
                "x" => Is::Failed,
                "-" => Is::Skipped,
                other => panic!("{other} is none of these"),
            };
            judged(&case, is)
        };
        pairs
            .iter()
            .zip(came.split('\t'))
            .map(judged)
            .collect::<Vec<_>>()
    });
    let judged: Vec<_> = judged.collect();
    let cases = judged.iter().map(|one| one.case.clone()).collect();
    Run::new(cases, judged).on(known())
}

#[test]
fn of_a_real_run_of_16_pairs_trixie_to_sid_alone_is_conditional_for_its_virtio_devices() {
    let all = jumps(&[&real()]);
    let not = all.jumps.iter().filter(|one| one.safety != Safety::Safe);
    let not: Vec<_> = not.map(|one| (one.pair(), one.safety)).collect();
    assert_eq!(not, [("trixie → sid".to_owned(), Safety::Conditional)]);
    let avoid = "avoid devices(all-virtio,virtio-*) & !devices(virtio-blk) (14 cases)";
    let ladder = "safe by steps: trixie → bookworm → sid";
    let says = "condition migrated failed: refused";
    assert_eq!(find(&all, "trixie → sid").advice(), [avoid, says, ladder]);
}

#[test]
fn what_is_left_over_of_all_pairs_is_explained_by_those_of_its_own() {
    let selection = Selection {
        profile: Some(Profile::TCK),
        clients: names(&["sid"]),
        sources: names(&THREE),
        destinations: names(&THREE),
        ..Selection::default()
    };
    let cases = selection.cases(&releases()).expect("there are some");
    let pair = "source(trixie) & destination(sid)";
    let traits = "control(p2p) & state(transient) & state(paused)";
    let all = jumps(&[&run_of(&cases, failing(&format!("{pair} & {traits}")))]);
    let jump = find(&all, "trixie → sid");
    let avoid: Vec<_> = jump.avoid.iter().map(|one| one.filter.as_str()).collect();
    assert_eq!((avoid, &jump.left_over), (vec![traits], &Vec::new()));
}

#[test]
fn a_jump_is_safe_only_where_all_that_was_planned_was_seen() {
    let cases = devices(&["trixie", "sid"]);
    let first = cases
        .iter()
        .find(|case| case.tuple.source.as_str() == "trixie")
        .expect("one");
    let safety = |first_is: Is, others: Is| {
        let run = run_of(&cases, |case| if case == first { first_is } else { others });
        find(&jumps(&[&run]), &arrow_of(&first.tuple)).safety
    };
    for (first, others, told) in [
        (Is::Passed, Is::Passed, Safety::Safe),
        (Is::Skipped, Is::Passed, Safety::Safe),
        (Is::Unseen, Is::Passed, Safety::Unclear),
        (Is::NotRun, Is::Passed, Safety::Unclear),
        (Is::Failed, Is::Passed, Safety::Conditional),
        (Is::NotRun, Is::NotRun, Safety::Untested),
        (Is::Skipped, Is::Skipped, Safety::Untested),
        (Is::Failed, Is::Failed, Safety::NotSafe),
        (Is::Failed, Is::Skipped, Safety::NotSafe),
    ] {
        assert_eq!(safety(first, others), told);
    }
    let whole = run_of(&cases, |_| Is::Passed);
    let part = whole.without_shards(vec!["2/4".parse().expect("a shard")], 0);
    let all = jumps(&[&part]);
    assert!(all.jumps.iter().all(|one| one.safety == Safety::Unclear));
    assert!(told(&all).contains("nothing is safe while shards are missing: "));
}

#[test]
fn a_shard_alone_calls_no_jump_safe_and_all_of_them_together_do() {
    let cases = devices(&["bookworm", "trixie"]);
    let part = |index: usize| {
        let own: Vec<_> = cases.iter().skip(index - 1).step_by(2).cloned().collect();
        let selection = Selection {
            suite: Suite::Qemu,
            shard: format!("{index}/2").parse().ok(),
            ..Selection::default()
        };
        run_of(&own, |_| Is::Passed).as_part(selection, Some(cases.len()))
    };
    let (one, two) = (part(1), part(2));
    let alone = jumps(&[&one]);
    assert!(alone.tried().all(|jump| jump.safety == Safety::Unclear));
    assert_eq!(alone.missing_shards, ["hash:2/2"]);
    let both = jumps(&[&one, &two]);
    assert!(both.tried().all(|jump| jump.safety == Safety::Safe));
    assert_eq!(both.missing_shards, [""; 0]);
    let page = |run: &Run| crate::html(run, |_: &Judgement, file: &str| file.to_owned());
    let (page, whole) = (page(&one), page(&one.clone().merge(two)));
    for words in [
        "0 of 4 pairs of releases that were tried are safe.",
        "nothing is safe while shards are missing: hash:2/2",
        ": unclear, ",
    ] {
        assert!(page.contains(words), "{words}");
        assert!(!whole.contains(words), "{words}");
    }
}

fn arrow_of(tuple: &Tuple) -> String {
    format!("{} → {}", tuple.source, tuple.destination)
}

#[test]
fn a_pair_that_fails_as_a_whole_is_not_safe_and_names_nothing_to_avoid() {
    let run = run_of(
        &devices(&THREE),
        failing("source(sid) & destination(bookworm)"),
    );
    let all = jumps(&[&run]);
    let jump = find(&all, "sid → bookworm");
    assert_eq!((jump.safety, &jump.avoid), (Safety::NotSafe, &Vec::new()));
    assert_eq!(jump.ladder, Some(names(&["sid", "trixie", "bookworm"])));
}

#[test]
fn a_failure_that_is_known_is_a_failure_here_whatever_the_run_says() {
    let mut run = run_of(&devices(&THREE), failing(VIRTIO));
    let list = format!(
        "[[known]]\ncases = \"{VIRTIO}\"\nconditions = [\"migrated\"]\nreason = \"QEMU's\"\n"
    );
    let list = KnownFailures::parse(&list).expect("a list");
    run.mark_known(&list, &releases()).expect("it fits");
    assert_eq!(run.rules(), Rules::default());
    let all = jumps(&[&run]);
    let jump = find(&all, "trixie → sid");
    assert_eq!(jump.safety, Safety::Conditional);
    assert!(
        jump.cases.told().ends_with(" fail, as is known"),
        "{}",
        jump.cases.told()
    );
    assert!(told(&all).contains("\nknown failures count as failures\n"));
    assert!(told(&all).contains("\nQEMU ran alone: what libvirt has a part in is untested\n"));
}

#[test]
fn runs_of_a_pair_each_are_a_grid_and_of_a_case_in_several_the_failure_counts() {
    let pair = |from: &str, to: &str, is: Is| {
        let cases = devices(&[from, to]).into_iter();
        let own = |case: &Case| {
            case.tuple.source.as_str() == from && case.tuple.destination.as_str() == to
        };
        run_of(&cases.filter(own).collect::<Vec<_>>(), move |_| is)
    };
    let (first, second) = (
        pair("bookworm", "trixie", Is::Passed),
        pair("trixie", "sid", Is::Passed),
    );
    let again = pair("trixie", "sid", Is::Failed);
    let all = jumps(&[&first, &second]);
    let direct = find(&all, "bookworm → sid");
    assert_eq!(direct.safety, Safety::Untested);
    assert_eq!(direct.ladder, Some(names(&THREE)));
    assert!(told(&all).contains("\nuntested: "));
    let all = jumps(&[&first, &second, &again]);
    assert_eq!(find(&all, "trixie → sid").safety, Safety::NotSafe);
    assert_eq!(find(&all, "bookworm → sid").ladder, None);
}

#[test]
fn what_fails_in_one_run_and_passes_in_another_is_avoided_in_whatever_order_they_are_named() {
    let cases = devices(&THREE);
    let night = |is: &dyn Fn(&Case) -> Is, began_unix: u64| {
        let run = run_of(&cases, is);
        let judgements = run.judgements().cloned();
        let judgements = judgements.map(|one| Judgement { began_unix, ..one });
        Run::new(cases.clone(), judgements.collect::<Vec<_>>()).on(known())
    };
    let first = night(&failing(VIRTIO), 100);
    let second = night(&|_| Is::Passed, 200);
    for runs in [[&first, &second], [&second, &first]] {
        let all = jumps(&runs);
        let jump = find(&all, "trixie → sid");
        assert_eq!(jump.safety, Safety::Conditional);
        assert_eq!(jump.cases.passed_too, jump.cases.failed);
        let [avoid] = jump.avoid.as_slice() else {
            panic!("one thing is to be avoided: {jump:?}");
        };
        assert_eq!(avoid.failed, jump.cases.failed);
        let text = told(&all);
        for line in [
            format!(", {} of them passed in another run\n", jump.cases.failed),
            "\nwhat failed in one run and passed in another counts as a failure\n".to_owned(),
            format!("\n{WITH_THE_RUN}\n"),
        ] {
            assert!(text.contains(&line), "{line} is not in {text}");
        }
    }
}

#[test]
fn what_is_asked_for_is_told_alone_and_what_can_not_be_told_is_refused() {
    let all = jumps(&[&run_of(&devices(&THREE), failing(VIRTIO))]);
    let pairs = |from, to| {
        let some = all.clone().between(from, to).expect("they are there");
        some.jumps.iter().map(Jump::pair).collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(Some("trixie"), Some("sid")),
        ["trixie → sid", "sid → trixie"]
    );
    assert_eq!(pairs(None, Some("trixie")).len(), 3);
    let refused = |jumps: &Jumps, from, to| {
        let refused = jumps.clone().between(Some(from), Some(to));
        refused.expect_err("it can't be told").to_string()
    };
    assert_eq!(
        refused(&all, "woody", "sid"),
        "no guest of these runs goes from or to `woody`: they have bookworm, trixie, sid"
    );
    assert_eq!(
        refused(&all, "sid", "sid"),
        "from `sid` to `sid` is no jump: name two releases"
    );
    let mut one = devices(&["trixie", "sid"]);
    one.retain(|case| arrow_of(&case.tuple) == "trixie → sid");
    let one = jumps(&[&run_of(&one, |_| Is::Passed)]);
    let why = refused(&one, "trixie", "sid");
    let told = "the runs have one pair of releases, trixie → sid: there is no road to choose; run ";
    assert!(why.starts_with(told), "{why}");
}

#[test]
fn untested_steps_that_could_make_a_ladder_are_named() {
    let without = |lacking: &[&str]| {
        let mut cases = devices(&THREE);
        cases.retain(|case| !lacking.contains(&arrow_of(&case.tuple).as_str()));
        let all = jumps(&[&run_of(&cases, failing(VIRTIO))]);
        let jump = find(&all, "trixie → sid");
        assert_eq!(jump.ladder, None);
        jump.advice().pop().expect("there is some")
    };
    assert_eq!(
        without(&["trixie → bookworm"]),
        "no ladder of safe steps leads there yet: trixie → bookworm is untested, and could make one"
    );
    assert_eq!(
        without(&["trixie → bookworm", "bookworm → sid"]),
        "no ladder of safe steps leads there yet: trixie → bookworm and bookworm → sid are untested, and \
         could make one"
    );
}

#[test]
fn where_all_steps_were_tried_no_untested_one_is_named() {
    let filter = "source(trixie) & devices(virtio-*) & !destination(trixie)";
    let all = jumps(&[&run_of(&devices(&THREE), failing(filter))]);
    let jump = find(&all, "trixie → sid");
    assert_eq!((&jump.ladder, &jump.untested_steps), (&None, &Vec::new()));
    let told = jump.advice().pop().expect("there is some");
    assert_eq!(told, "no ladder of safe steps leads there");
}

#[test]
fn on_the_hypervisor_in_memory_no_jump_is_known_to_be_safe() {
    let of = |backend| {
        let selection = Selection {
            backend,
            profile: Some(Profile::TCK),
            sources: names(&["trixie", "sid"]),
            destinations: names(&["trixie", "sid"]),
            ..Selection::default()
        };
        let cases = selection.cases(&releases()).expect("there are some");
        run_of(&cases, |_| Is::Passed)
    };
    let (fake, real) = (of(Backend::Fake), of(Backend::Libvirt));
    let all = jumps(&[&fake]);
    assert!(told(&all).starts_with("no QEMU ran: "), "{}", told(&all));
    assert_eq!(all.exit(), Exit::Unknown);
    assert_eq!(jumps(&[&real]).exit(), Exit::AsExpected);
    let refused = Jumps::of(&[&fake, &real]).expect_err("they tell nothing together");
    assert!(refused.to_string().contains("no QEMU runs"), "{refused}");
}

#[test]
fn what_does_not_migrate_tells_nothing_of_a_jump() {
    let selection = |profile| Selection {
        suite: Suite::Backup,
        backend: Backend::Qemu,
        profile: Some(profile),
        sources: names(&["bookworm", "sid"]),
        destinations: names(&["bookworm", "sid"]),
        ..Selection::default()
    };
    let of = |profile| {
        selection(profile)
            .cases(&releases())
            .expect("there are some")
    };
    let (stay, moves) = (of(Profile::IOTESTS_124), of(Profile::CHAIN));
    let run = run_of(&stay, |_| Is::Passed);
    let all = jumps(&[&run]);
    assert_eq!((all.exit(), all.staying), (Exit::Unknown, stay.len()));
    let text = told(&all);
    for line in [
        "untested: bookworm → sid, sid → bookworm\n",
        "nothing migrates in 112 cases, which tell nothing of a jump\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("safe"), "{text}");
    let asked = all.between(Some("bookworm"), Some("sid"));
    assert_eq!(asked.expect("both are there").exit(), Exit::Unknown);
    let both = [stay, moves.clone()].concat();
    let failing = failing("journey(stay)");
    let all = jumps(&[&run_of(&both, failing)]);
    let jump = find(&all, "bookworm → sid");
    assert_eq!(
        (jump.safety, jump.cases.planned()),
        (Safety::Safe, moves.len() / 4)
    );
}

#[test]
fn one_case_is_told_as_one() {
    let tested = Tested {
        passed: 1,
        failed: 1,
        not_run: 1,
        ..Tested::default()
    };
    assert_eq!(tested.told(), "1 of 3 cases passes, 1 fails, 1 was not run");
}

#[test]
fn runs_of_two_suites_and_of_what_is_broken_on_purpose_tell_of_no_jump() {
    let devices = run_of(&devices(&THREE), |_| Is::Passed);
    let of = |suite| {
        let selection = Selection {
            suite,
            backend: Backend::Libvirt,
            ..Selection::default()
        };
        let mut cases = selection.cases(&releases()).expect("there are some");
        cases.truncate(8);
        run_of(&cases, |_| Is::Passed)
    };
    let why = Jumps::of(&[&devices, &of(Suite::Tck)])
        .expect_err("two suites")
        .to_string();
    assert!(why.contains("`tck` and `qemu`"), "{why}");
    let why = Jumps::of(&[&of(Suite::Faults)])
        .expect_err("no jumps")
        .to_string();
    assert!(
        why.starts_with("cases of the suite `faults` are broken on purpose"),
        "{why}"
    );
}

fn nova() -> Ladder {
    Ladder::parse(NOVA).expect("it comes with the program")
}

#[test]
fn an_upgrade_of_nova_has_its_steps_what_stands_for_each_and_what_is_untested() {
    let stops = ["bullseye", "bookworm", "trixie", "sid"];
    let all = jumps(&[&run_of(&devices(&stops), failing(VIRTIO))]);
    let told = told(
        &all.on(&nova(), Some("2023.2"), Some("2026.1"))
            .expect("it leads there"),
    );
    insta::assert_snapshot!(told);
}

#[test]
fn what_nothing_accounts_for_is_counted_on_a_ladder_as_it_is_without_one() {
    let mut all = jumps(&[&run_of(&devices(&THREE), failing(VIRTIO))]);
    let cases = devices(&["trixie", "sid"]).into_iter();
    let cases = cases.filter(|case| arrow_of(&case.tuple) == "trixie → sid");
    let mut jumps = all.jumps.iter_mut();
    let jump = jumps.find(|one| one.pair() == "trixie → sid");
    let cases = cases.map(|case| LeftOver { case, reason: None });
    jump.expect("it is there").left_over = cases.take(7).collect();
    let advice = find(&all, "trixie → sid").advice();
    assert_eq!(
        advice[2],
        "avoid 7 cases, for which no cause of up to three factors stands out"
    );
    assert_eq!(advice[8], "and 2 cases more");
    let all = all.on(&nova(), Some("2024.1"), Some("2025.1"));
    let text = told(&all.expect("it leads there"));
    assert!(
        advice[2..9].iter().all(|line| text.contains(line)),
        "{text}"
    );
}

#[test]
fn a_lone_failure_is_told_with_what_it_says_and_how_to_see_whether_it_is_chance() {
    let cases = devices(&THREE);
    let only = cases
        .iter()
        .find(|case| arrow_of(&case.tuple) == "trixie → sid");
    let only = only.expect("it is there").clone();
    let fails = only.clone();
    let all = jumps(&[&run_of(&cases, move |case| match *case == fails {
        true => Is::Failed,
        false => Is::Passed,
    })]);
    let advice = find(&all, "trixie → sid").advice();
    let avoid = "avoid 1 case, for which no cause of up to three factors stands out";
    let says = format!("{only}: condition migrated failed: ");
    let chance = format!("whether it is chance: migratrix run --case {only}");
    assert_eq!((&*advice[0], &advice[2]), (avoid, &chance), "{advice:?}");
    assert!(advice[1].starts_with(&says), "{advice:?}");
}

#[test]
fn a_fault_that_is_not_survived_is_nothing_to_avoid() {
    let selection = Selection {
        suite: Suite::Recovery,
        sources: names(&["trixie", "sid"]),
        destinations: names(&["trixie", "sid"]),
        ..Selection::default()
    };
    let cases = selection.cases(&releases()).expect("there are some");
    let fails = failing("source(trixie) & destination(sid) & strike(client-killed)");
    let judgements = cases.iter().map(|case| {
        let mut judgement = judged(case, Is::Passed);
        if fails(case) == Is::Failed {
            judgement.conditions[0].1 = Verdict::fail("the guest is gone");
        }
        judgement
    });
    let judgements: Vec<_> = judgements.collect();
    let all = jumps(&[&Run::new(cases.clone(), judgements).on(known())]);
    let advice = find(&all, "trixie → sid").advice();
    let told_so = "not survived: strike(client-killed) (";
    assert!(advice[0].starts_with(told_so), "{advice:?}");
    let text = told(&all);
    assert!(!text.contains("avoid strike"), "{text}");
    assert!(text.contains("which nobody avoids"), "{text}");
    let none = jumps(&[&run_of(&devices(&THREE), failing(VIRTIO))]);
    assert!(!told(&none).contains("which nobody avoids"));
}

#[test]
fn an_upgrade_of_which_old_versions_were_not_tried_says_so() {
    let all = jumps(&[&run_of(&devices(&THREE), |_| Is::Passed)]);
    let all = all
        .on(&nova(), Some("2024.2"), None)
        .expect("it leads there");
    let upgrade = all.upgrade.as_ref().expect("it was asked for");
    let way: Vec<_> = upgrade
        .way
        .iter()
        .map(|place| place.name.as_str())
        .collect();
    assert_eq!(way, ["2024.2", "2025.1", "2026.1", "announced"]);
    let text = told(&all);
    for line in [
        "  untested: sources with libvirt from 7.0.0 to before 9.0.0 or QEMU from 5.2.0 to before 7.2.22\n",
        "destinations with libvirt from 10.0.0 to before 11.3.0 or QEMU from 8.2.2 to before 10.0.13\n",
        "announced (the next minimum)  libvirt >= 10.0.0, QEMU >= 8.2.2  takes trixie, sid\n",
    ] {
        assert!(text.contains(line), "`{line}` is missing in {text}");
    }
}

#[test]
fn a_release_within_which_no_guest_was_moved_is_untested_on_a_ladder() {
    let cases = devices(&THREE).into_iter();
    let other = cases.filter(|case| case.tuple.source != case.tuple.destination);
    let run = run_of(&other.collect::<Vec<_>>(), |_| Is::Passed);
    let all = jumps(&[&run]).on(&nova(), Some("2024.1"), Some("2025.1"));
    let upgrade = all
        .expect("they are on it")
        .upgrade
        .expect("it was asked for");
    let own: Vec<_> = THREE.iter().map(|one| names(&[one, one])).collect();
    let untested: Vec<_> = upgrade.steps[0]
        .untested
        .iter()
        .map(|two| two.to_vec())
        .collect();
    assert_eq!(untested, own);
}

#[test]
fn an_upgrade_that_the_rules_do_not_allow_is_refused_with_what_they_do() {
    let all = jumps(&[&run_of(&devices(&THREE), |_| Is::Passed)]);
    let why = |from, to| {
        let refused = all.clone().on(&nova(), Some(from), Some(to));
        refused.expect_err("it leads nowhere").to_string()
    };
    assert_eq!(
        why("2026.1", "2023.2"),
        "the ladder nova has no steps from `2026.1` to `2023.2`: upgrades go from `2023.2` to `2026.1`"
    );
    assert_eq!(
        why("2026.1", "2026.1"),
        "from `2026.1` to `2026.1` is no jump: name two releases"
    );
    let unknown = why("2022.1", "2026.1");
    assert!(unknown.starts_with("the ladder nova has no release `2022.1`: it has wallaby, xena, "));
}

const LADDER: &str = "name = \"mine\"\n[[release]]\nname = \"a\"\nqemu = \"5\"\nnext = [\"b\"]\n\
                      [[release]]\nname = \"b\"\nqemu = \"6\"\n";

#[test]
fn what_is_wrong_with_a_ladder_is_told_with_its_line_and_column() {
    assert!(Ladder::parse(LADDER).is_ok());
    for (from, to, told) in [
        (
            "\"b\"]",
            "\"b\", \"c\"]",
            "line 5, column 14: a step goes from `a` to `c`, which is no release",
        ),
        (
            "\"b\"]",
            "\"b\", \"b\"]",
            "line 5, column 14: the step from `a` to `b` is there twice",
        ),
        (
            "\"b\"]",
            "\"b\"]\nnote = \"\\u001b\"",
            "line 6, column 8: '\\u{1b}' can't be printed",
        ),
        (
            "\"b\"]",
            "\"b\"]\nnote = \"\u{202e}\"",
            "line 6, column 8: '\\u{202e}' can't be printed",
        ),
        (
            "\"b\"]",
            "\"b\"]\nnote = \"a\u{200b}b\"",
            "line 6, column 8: '\\u{200b}' can't be printed",
        ),
        (
            "\"b\"]",
            "\"b\"]\nnote = \"  \"",
            "line 6, column 8: the note is blank: leave it out",
        ),
        (
            "\"b\"]",
            &format!("\"b\"]\nnote = \"{}\"", "a".repeat(201)),
            "line 6, column 8: 201 characters are no line: at most 200 are taken",
        ),
        (
            "\"b\"]",
            "\"a\"]",
            "line 5, column 9: the steps a → a lead back to where they began",
        ),
        (
            "\"6\"\n",
            "\"6\"\nnext = [\"a\"]\n",
            "line 9, column 9: the steps a → b → a lead back",
        ),
        (
            "name = \"b\"",
            "name = \"a\"",
            "line 7, column 8: the release `a` is there twice, first in line 3",
        ),
        ("name = \"b\"", "name = \"B\"", "`b`, which is no release"),
        (
            "\"mine\"",
            "\"\"",
            "line 1, column 8: the ladder's name is blank: give it one",
        ),
        ("\"mine\"", "\" \"", "the ladder's name is blank"),
        ("\"mine\"", "\"\u{a0}\"", "the ladder's name is blank"),
        (
            "name = \"mine\"",
            "name = \"mine\"\nsteps = 1",
            "line 2, column 1: unknown field `steps`",
        ),
        (
            "qemu = \"6\"",
            "qmeu = \"6\"",
            "line 8, column 1: unknown field `qmeu`",
        ),
        (
            "qemu = \"6\"",
            "qemu = \"6.x\"",
            "line 8, column 8: `6.x` is not a version: expected ",
        ),
        (
            "qemu = \"6\"",
            "note = \"old\"",
            "line 7, column 8: the release `b` says neither `libvirt` nor ",
        ),
        (
            "qemu = \"6\"",
            "qemu = 6",
            "line 8, column 8: invalid type: integer `6`",
        ),
        ("[\"b\"]", "[\"b\"", "the ladder can't be read: line "),
    ] {
        let text = LADDER.replace(from, to);
        let why = Ladder::parse(&text).expect_err(told).to_string();
        assert!(why.contains(told), "{why}\n{text}");
    }
    let cut = Ladder::parse("name = \"mine\"\n[[release]]\nqemu =").expect_err("it is cut off");
    assert!(
        cut.to_string()
            .starts_with("the ladder can't be read: line 3, column ")
    );
    assert!(!cut.to_string().ends_with(": "), "{cut}");
    let one = "name = \"mine\"\n[[release]]\nname = \"a\"\nqemu = \"5\"\n";
    let one = Ladder::parse(one).expect_err("it has one").to_string();
    assert_eq!(
        one,
        "line 3, column 8: the ladder has one release, `a`, and an upgrade takes two: add another \
         [[release]], and name it in the `next` of this one"
    );
    let empty = Ladder::parse("name = \"mine\"\n")
        .expect_err("it is empty")
        .to_string();
    assert_eq!(
        empty,
        "line 1, column 8: the ladder has no releases: name each in a [[release]]"
    );
}

#[test]
fn it_ends_by_the_jumps_that_were_asked_for() {
    let all = jumps(&[&run_of(&devices(&THREE), failing(VIRTIO))]);
    let between = |from, to| {
        all.clone()
            .between(from, to)
            .expect("they are there")
            .exit()
    };
    assert_eq!(between(None, None), Exit::Failed);
    assert_eq!(between(Some("trixie"), Some("sid")), Exit::Failed);
    assert_eq!(between(Some("sid"), Some("trixie")), Exit::AsExpected);
    assert_eq!(between(Some("bookworm"), None), Exit::AsExpected);
    let on = |all: &Jumps| {
        let upgrade = all.clone().on(&nova(), Some("2024.1"), Some("2025.1"));
        upgrade.expect("it leads there").exit()
    };
    assert_eq!(on(&all), Exit::Failed);
    let unseen = jumps(&[&run_of(&devices(&THREE), |case| {
        match arrow_of(&case.tuple).as_str() {
            "trixie → sid" => Is::Unseen,
            _ => Is::Passed,
        }
    })]);
    assert_eq!((unseen.exit(), on(&unseen)), (Exit::Unknown, Exit::Unknown));
    let safe = jumps(&[&run_of(&devices(&THREE), |_| Is::Passed)]);
    assert_eq!(
        (safe.exit(), on(&safe)),
        (Exit::AsExpected, Exit::AsExpected)
    );
    let old = "name = \"mine\"\n[[release]]\nname = \"a\"\nqemu = \"12\"\nnext = [\"b\"]\n\
               [[release]]\nname = \"b\"\nqemu = \"13\"\n";
    let ladder = Ladder::parse(old).expect("a ladder");
    let nothing = safe.on(&ladder, None, None).expect("it leads there");
    assert_eq!(nothing.exit(), Exit::Unknown, "nothing stands for its step");
    let damaged = run_of(&devices(&THREE), |_| Is::Passed);
    let damaged =
        jumps(&[&damaged.with_damage([crate::Damaged::of_files("x is damaged".to_owned())])]);
    assert_eq!(
        (damaged.exit(), on(&damaged)),
        (Exit::Unknown, Exit::Unknown)
    );
}

#[test]
fn what_only_hosts_of_one_setup_have_is_avoided_on_these() {
    let selection = Selection {
        sources: names(&["bookworm", "trixie"]),
        destinations: names(&["bookworm", "trixie"]),
        profile: Some(Profile::TCK),
        ..Selection::default()
    };
    let plan = migratrix_matrix::Plan::new(selection, &releases()).expect("there are cases");
    let quick = HostSetup::Quick;
    for (filter, avoid) in [
        (
            "source(trixie) & destination(bookworm)",
            "avoid all where libvirt does not ask QEMU about processors (capability_filters) (",
        ),
        (
            "destination(bookworm) & control(p2p)",
            "avoid control(p2p), where libvirt does not ask QEMU about processors (capability_filters) (",
        ),
    ] {
        let is = failing(filter);
        let judged = plan.cases.iter().zip(plan.setups()).map(|(case, setup)| {
            let is = if setup == quick { is(case) } else { Is::Passed };
            Judgement {
                setup,
                ..judged(case, is)
            }
        });
        let all = jumps(&[&Run::new(plan.cases.clone(), judged).on(known())]);
        let jump = find(&all, "trixie → bookworm");
        assert_eq!(jump.safety, Safety::Conditional, "{filter}");
        let [one] = jump.avoid.as_slice() else {
            panic!("{filter}: {:?}", jump.avoid);
        };
        assert_eq!(one.setups, [quick]);
        let text = told(&all);
        assert!(text.contains(avoid), "{text}");
    }
}

#[test]
fn what_failed_at_first_and_was_not_seen_again_is_not_told_to_have_passed() {
    let all = devices(&["trixie", "sid"]);
    let crossing = |case: &Case| case.tuple.source != case.tuple.destination;
    let tried: Vec<_> = all.into_iter().filter(crossing).collect();
    let again = |count: usize| {
        let attempts = tried.iter().enumerate().flat_map(|(place, case)| {
            let is_odd = place < 2;
            let first = judged(case, if is_odd { Is::Failed } else { Is::Passed });
            let is = if place < count {
                Is::Unseen
            } else {
                Is::Passed
            };
            let second = Judgement {
                attempt: 2,
                ..judged(case, is)
            };
            [Some(first), is_odd.then_some(second)]
        });
        Run::new(tried.clone(), attempts.flatten()).on(known())
    };
    for (unseen, words) in [
        (0, "2 failed at first"),
        (
            1,
            "2 failed at first, 1 of which could not be seen when tried again",
        ),
        (
            2,
            "2 failed at first, and could not be seen when tried again",
        ),
    ] {
        let text = told(&Jumps::of(&[&again(unseen)]).expect("one suite"));
        let is_told = |line: &str| line.trim_end().ends_with(words);
        assert!(text.lines().any(is_told), "{unseen}: {text}");
    }
}

#[test]
fn what_was_never_tried_beside_what_is_not_sure_is_not_called_safe() {
    let all = devices(&["bookworm", "trixie", "sid"]);
    let few = migratrix_matrix::cover(&all, 2).expect("few enough");
    let fails = |case: &Case| {
        let filter = "source(trixie) & destination(sid) & devices(all-virtio,virtio-*) & !devices(virtio-blk)";
        let filter: Filter = filter.parse().expect("a filter");
        filter.matches(case, &releases()).expect("all is known")
    };
    let run = run_of(
        &few,
        |case| if fails(case) { Is::Failed } else { Is::Passed },
    );
    let possible = all.iter().map(|case| Possible {
        case: case.clone(),
        ways: vec![HostSetup::AsShipped],
    });
    let run = run.with_possible(possible.collect());
    let jumps = Jumps::of(&[&run]).expect("one suite");
    let text = told(&jumps);
    let jump = jumps.jumps.iter().find(|one| one.pair() == "trixie → sid");
    let [avoid] = jump.expect("it was tried").avoid.as_slice() else {
        panic!("one thing: {text}");
    };
    assert!(!avoid.sure && !avoid.untried.is_empty(), "{text}");
    assert!(
        text.contains(", not sure)\n    condition migrated failed: refused\n    never tried there, so not known to be safe: "),
        "{text}"
    );
    let json = serde_json::to_value(&jumps).expect("it is JSON");
    let all = json["jumps"].as_array().expect("some");
    let avoid = all
        .iter()
        .filter_map(|one| one["avoid"].get(0))
        .next()
        .expect("one");
    assert_eq!(avoid["sure"], false);
    assert!(avoid["untried"][0].is_string(), "{avoid}");
}
