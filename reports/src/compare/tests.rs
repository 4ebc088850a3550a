//! Comparisons of runs that are made up.

use migratrix_matrix::{Condition, Releases, Version};

use super::*;
use crate::{Colour, Judgement, KnownFailures, Verdict, comparison_html};

/// The names of `count` cases.
fn names(count: usize) -> Vec<String> {
    let states = [
        "persistent-running-undefined",
        "transient-running-undefined",
    ];
    let flags = ["none", "live", "undefine", "persist", "undefine+persist"];
    let mut all = Vec::new();
    for control in ["normal", "p2p", "tunnelled"] {
        for state in states {
            let case =
                |flags| format!("tck/fake/bookworm,bookworm,trixie/{control}/{state}/{flags}");
            all.extend(flags.map(case));
        }
    }
    all.truncate(count);
    all
}

/// A judgement of a case of which all passes, but for its memory where `wrong` says so.
fn judged(name: &str, wrong: Option<&str>) -> Judgement {
    let case: Case = name.parse().expect("a case");
    let mut judgement = Judgement::skipped(case, "", 0);
    judgement.elapsed_ms = 1_000;
    for (condition, verdict) in &mut judgement.conditions {
        *verdict = match wrong {
            Some(why) if *condition == Condition::Memory => Verdict::fail(why),
            Some(_) | None => Verdict::Pass,
        };
    }
    judgement
}

fn unseen(name: &str) -> Judgement {
    let mut judgement = judged(name, None);
    judgement.conditions[0].1 = Verdict::unknown("the host was lost");
    judgement
}

fn run(judgements: Vec<Judgement>) -> Run {
    let planned = judgements.iter().map(|one| one.case.clone()).collect();
    Run::new(planned, judgements)
}

fn one(run: Run) -> Vec<(String, Run)> {
    vec![("a run".to_owned(), run)]
}

/// The class of the only case that is told, by what came of it on either side.
fn class(old: Vec<Judgement>, new: Vec<Judgement>) -> Class {
    let told = compare(&one(run(old)), &one(run(new))).expect("they can be compared");
    assert!(told.changes.len() <= 1, "{:?}", told.changes);
    told.changes.first().map_or(Class::Passing, |one| one.class)
}

#[test]
fn each_case_is_of_the_class_that_its_two_sides_make() {
    let names = names(2);
    let anchor = || judged(&names[0], None);
    let pass = || vec![anchor(), judged(&names[1], None)];
    let fail = || vec![anchor(), judged(&names[1], Some("page 5 is stale"))];
    let blind = || vec![anchor(), unseen(&names[1])];
    let absent = || vec![anchor()];
    assert_eq!(class(pass(), pass()), Class::Passing);
    assert_eq!(class(pass(), fail()), Class::Broke);
    assert_eq!(class(fail(), pass()), Class::Mended);
    assert_eq!(class(fail(), fail()), Class::StillFailing);
    assert_eq!(class(pass(), blind()), Class::Unseen);
    assert_eq!(class(fail(), blind()), Class::Unseen);
    assert_eq!(class(blind(), fail()), Class::New);
    assert_eq!(class(absent(), pass()), Class::New);
    assert_eq!(class(pass(), absent()), Class::Gone);
    assert_eq!(class(absent(), fail()), Class::New, "it was never whole");
}

#[test]
fn what_passed_when_it_was_tried_again_is_flaky_and_did_not_break() {
    let names = names(1);
    let mut again = judged(&names[0], None);
    again.attempt = 2;
    let twice = vec![judged(&names[0], Some("page 5 is stale")), again];
    let one_planned = |judgements: Vec<Judgement>| {
        let case = judgements[0].case.clone();
        vec![("n".to_owned(), Run::new(vec![case], judgements))]
    };
    let steady = || one_planned(vec![judged(&names[0], None)]);
    let told = compare(&steady(), &one_planned(twice)).expect("they can be compared");
    assert_eq!(told.counts, [(Class::Flaky, 1)].into());
    assert_eq!(told.exit(), Exit::AsExpected);
    let why = &told.changes[0].new.as_ref().expect("it is there").why;
    assert!(why.contains("attempt 1: page 5 is stale"), "{why}");
}

#[test]
fn unlike_outcomes_within_the_nights_of_a_side_are_flaky() {
    let names = names(1);
    let night = |wrong| ("n".to_owned(), run(vec![judged(&names[0], wrong)]));
    let (good, bad) = (|| night(None), || night(Some("page 5 is stale")));
    let counts = |old: &Runs, new: &Runs| compare(old, new).expect("they can be").counts;
    let old = [good(), good()];
    assert_eq!(counts(&old, &[good(), bad()]), [(Class::Flaky, 1)].into());
    assert_eq!(counts(&old, &[bad(), bad()]), [(Class::Broke, 1)].into());
    assert_eq!(
        counts(&[good(), bad()], &[bad()]),
        [(Class::Flaky, 1)].into()
    );
}

#[test]
fn a_known_failure_is_known_and_one_that_passes_is_mended() {
    let names = names(2);
    let list = "[[known]]\ncases = \"control(normal)\"\nconditions = [\"memory\"]\nreason = \"r\"\n\
        says = [\"stale\"]\n";
    let known = KnownFailures::parse(list).expect("a list");
    let marked = |wrong: Option<&str>| {
        let mut run = run(vec![judged(&names[0], wrong)]);
        let releases = Releases::new(Vec::new()).expect("none");
        run.mark_known(&known, &releases).expect("none is named");
        one(run)
    };
    let of = |old: Option<&str>, new: Option<&str>| {
        let told = compare(&marked(old), &marked(new)).expect("they can be compared");
        (told.changes[0].class, told.exit())
    };
    let (stale, other) = (Some("page 5 is stale"), Some("page 5 is another's"));
    assert_eq!(of(None, stale), (Class::Known, Exit::AsExpected));
    assert_eq!(of(stale, stale), (Class::Known, Exit::AsExpected));
    assert_eq!(of(stale, None), (Class::Mended, Exit::AsExpected));
    assert_eq!(
        of(stale, other),
        (Class::Broke, Exit::Failed),
        "another failure"
    );
}

#[test]
fn of_a_side_that_lacks_a_shard_nothing_is_gone() {
    let names = names(2);
    let all = || run(names.iter().map(|name| judged(name, None)).collect());
    let part = run(vec![judged(&names[0], None)]);
    let lacking = part.without_shards(vec!["hash:2/2".parse().expect("a shard")], 2);
    let told = compare(&one(all()), &one(lacking)).expect("they can be compared");
    let counts = [(Class::Unseen, 1), (Class::Passing, 1)].into();
    assert_eq!((told.counts.clone(), told.exit()), (counts, Exit::Unknown));
    let text = comparison_text(&told, Colour::Plain);
    assert!(
        text.contains("NEW: the shard hash:2/2 is missing"),
        "{text}"
    );
}

/// The title of the page, its sign, and those of the Markdown and the text.
fn titles(told: &Comparison) -> [String; 3] {
    let page = comparison_html(told, |_| None);
    let (_, head) = page.split_once("<header").expect("it has a head");
    let (head, _) = head.split_once("</header>").expect("it ends");
    let markdown = comparison_markdown(told);
    let title = markdown.lines().next().unwrap_or_default();
    let text = comparison_text(told, Colour::Plain);
    [head.to_owned(), title.to_owned(), text]
}

#[test]
fn where_cases_are_gone_the_title_says_how_many() {
    let names = names(3);
    let old = run(names.iter().map(|name| judged(name, None)).collect());
    let new = run(vec![judged(&names[0], None)]);
    let told = compare(&one(old), &one(new)).expect("they can be compared");
    for title in titles(&told) {
        assert!(
            title.contains("Nothing broke; of 3 cases of OLD 2 are gone"),
            "{title}"
        );
    }
}

#[test]
fn where_nothing_was_seen_on_both_sides_nothing_is_said_not_to_have_broken() {
    let names = names(2);
    let old = run(vec![judged(&names[0], None), unseen(&names[1])]);
    let new = run(vec![judged(&names[1], None)]);
    let told = compare(&one(old), &one(new)).expect("they can be compared");
    assert_eq!(told.exit(), Exit::AsExpected);
    let all = titles(&told);
    for title in &all {
        let says = title.contains("No case was seen on both sides; of 2 cases of OLD 1 is gone");
        assert!(says && !title.contains("Nothing broke"), "{title}");
    }
    assert!(all[0].contains("? Open") && !all[0].contains("Not worse"));
}

#[test]
fn sides_that_nothing_can_be_said_of_are_refused() {
    let tck = || one(run(vec![judged(&names(1)[0], None)]));
    let error = |old: &Runs, new: &Runs| compare(old, new).expect_err("it can't be").to_string();
    let empty = one(Run::new(vec![names(1)[0].parse().expect("a case")], []));
    assert!(error(&empty, &tck()).starts_with("nothing was judged in OLD (a run)"));
    let qemu = one(run(vec![judged(
        "qemu/qemu/trixie,sid/precopy/tcp/running/plain",
        None,
    )]));
    let mixed = [tck(), qemu].concat();
    let told = error(&tck(), &mixed);
    assert!(
        told.contains("the suite `qemu` is in NEW alone (a run)"),
        "{told}"
    );
    let elsewhere = names(1)[0].replace("bookworm", "sid");
    let elsewhere = one(run(vec![judged(&elsewhere, None)]));
    assert!(error(&tck(), &elsewhere).contains("no case in common"));
}

/// Two runs of 30 cases, in which each took so many times as long.
fn paced(ratio: impl Fn(u64) -> u64) -> Comparison {
    let of = |ms: &dyn Fn(u64) -> u64| {
        let all = (1_u64..).zip(names(30)).map(|(place, name)| {
            let mut judgement = judged(&name, None);
            judgement.elapsed_ms = ms(place);
            judgement
        });
        one(run(all.collect()))
    };
    let usual = |place: u64| 1_000 + place * 10;
    compare(&of(&usual), &of(&|place| ratio(place) * usual(place) / 100)).expect("they can be")
}

#[test]
fn slower_and_faster_are_told_by_a_test_over_all_pairs_that_names_itself() {
    let slower = paced(|place| 105 + place % 5)
        .times
        .expect("there are enough");
    assert_eq!((slower.pace, slower.pairs), (Pace::Slower, 30));
    assert!((slower.median_ratio - 1.07).abs() < 0.005, "{slower:?}");
    assert!(
        slower
            .told()
            .contains("p < 0.001, Wilcoxon signed-rank test")
    );
    assert_eq!(paced(|_| 50).times.expect("enough").pace, Pace::Faster);
    let either = |place: u64| if place % 2 == 0 { 90 } else { 111 };
    assert_eq!(paced(either).times.expect("enough").pace, Pace::Alike);
    assert_eq!(
        paced(|_| 101).times.expect("enough").pace,
        Pace::Alike,
        "too little"
    );
    assert_eq!(paced(|_| 100).times.expect("enough").p, 1.0);
}

#[test]
fn of_few_pairs_no_pace_is_told() {
    let all = || {
        one(run(names(19)
            .iter()
            .map(|name| judged(name, None))
            .collect()))
    };
    let told = compare(&all(), &all()).expect("they can be compared");
    assert_eq!(told.times, None);
    assert!(!comparison_text(&told, Colour::Plain).contains("Wilcoxon"));
}

/// A comparison with something of most classes, in which trixie has another QEMU.
fn mixed() -> Comparison {
    let of = |qemu: &str, wrong: &[(usize, &str)]| {
        let all = names(6).into_iter().enumerate().map(|(place, name)| {
            let wrong = wrong.iter().find(|(one, _)| *one == place);
            let mut judgement = judged(&name, wrong.map(|(_, why)| *why));
            judgement.versions.source_qemu = Some(Version::new(7, 2, 22));
            judgement.versions.destination_qemu = Some(qemu.parse().expect("a version"));
            judgement
        });
        one(run(all.collect()))
    };
    let old = of("10.0.13", &[(1, "page 5 is stale"), (2, "page 6 is stale")]);
    let new = of(
        "11.1.3",
        &[
            (2, "page 7 is stale"),
            (3, "page <b>8</b> is | `stale`\u{1b}[2J"),
            (4, "page <b>9</b> is | `stale`\u{1b}[2J"),
        ],
    );
    compare(&old, &new).expect("they can be compared")
}

#[test]
fn the_text_has_the_versions_at_its_top_and_what_broke_at_its_end() {
    insta::assert_snapshot!(comparison_text(&mixed(), Colour::Plain));
}

#[test]
fn the_markdown_makes_no_markup_of_what_others_say() {
    insta::assert_snapshot!(comparison_markdown(&mixed()));
}

#[test]
fn the_page_makes_no_markup_of_what_others_say_and_leads_only_to_pages_that_are_there() {
    let page = comparison_html(&mixed(), |_| None);
    assert!(
        page.contains("page &lt;b&gt;8&lt;/b&gt; is | `stale`"),
        "{page}"
    );
    assert!(!page.contains("<b>8"), "{page}");
    assert!(page.contains("before: passing"), "{page}");
    assert!(!page.contains("href=\"/"), "{page}");
    let page = comparison_html(&mixed(), |run| Some(format!("a \"{run}/index.html")));
    assert!(page.contains("href=\"a%20%22"), "{page}");
}
