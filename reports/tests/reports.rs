//! The renderers, on a small run with one case of every standing.

#[path = "../src/raw_story.rs"]
mod raw_story;
#[expect(dead_code, reason = "these tests need few of the stories")]
#[path = "../src/story.rs"]
mod story;

use std::{io::Write, process};

use migratrix_history::{DomainState, History, Observation, Outcome, Refusal, Side, Verb, When};
use migratrix_matrix::{Backend, Condition, Release, ReleaseName, Releases};
use migratrix_reports::{
    Colour, Evidence, Exit, Flavour, Granularity, Judgement, KnownFailures, Run, Standing, Verdict,
    html, json, judge, junit, markdown, parse, terminal, to_line,
};
use story::{changed, event, good, without};

const PLACE: &str = "tck/libvirt/trixie,bookworm,trixie";

fn case(rest: &str) -> String {
    format!("{PLACE}/{rest}")
}

fn refused(history: History) -> History {
    let message = "\u{1b}[1mno ]]> <way> & \"out\"".to_owned();
    let refused = Outcome::Refused(Refusal {
        code: 38,
        domain: 7,
        message,
    });
    changed(history, |saw| {
        if let Observation::Ended {
            verb: Verb::Migrate,
            outcome,
            ..
        } = saw
        {
            *outcome = refused.clone();
        }
    })
}

fn transient(history: History) -> History {
    changed(history, |saw| {
        if let Observation::Domain {
            side: Side::Destination,
            when: When::After,
            look: DomainState::Present(domain),
        } = saw
        {
            domain.persistent = !domain.persistent;
        }
    })
}

fn surveyless(history: History) -> History {
    without(history, |saw| matches!(saw, Observation::Memory { .. }))
}

const KNOWN: &str = r#"
[[known]]
cases = "control(tunnelled) & flags(persist)"
conditions = ["destination-config"]
reason = "persistence is lost in the tunnel"
versions = "source(libvirt>=7.0)"

[[known]]
cases = "control(tunnelled) & flags(none)"
conditions = ["events"]
reason = "no `resumed` event"

[[known]]
cases = "source(trixie)"
conditions = ["statistics"]
reason = "nobody comes from there"
"#;

fn releases() -> Releases {
    let release = |name| Release {
        name: ReleaseName::new(name).expect("a name"),
        libvirt: None,
        qemu: None,
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    Releases::new(vec![release("trixie"), release("bookworm")]).expect("each once")
}

fn run() -> Run {
    let judgements = vec![
        judge(&good(&case("normal/persistent-running-undefined/none"))).with_log("0001.jsonl"),
        judge(&good(&case("normal/persistent-running-undefined/undefine"))),
        judge(&transient(good(&case(
            "p2p/persistent-running-undefined/persist",
        ))))
        .with_log("0003.jsonl"),
        judge(&transient(good(&case(
            "p2p/transient-running-undefined/persist",
        )))),
        judge(&refused(good(&case("p2p/transient-paused-undefined/none")))),
        judge(&transient(good(&case(
            "tunnelled/persistent-running-undefined/persist",
        )))),
        judge(&good(&case("tunnelled/persistent-running-undefined/none"))),
        judge(&surveyless(good(&case(
            "normal/transient-running-undefined/none",
        )))),
        Judgement::skipped(
            case("normal/transient-running-defined/none")
                .parse()
                .expect("a case"),
            "needs a hypervisor",
            1_795_000_000,
        ),
    ];
    let mut planned: Vec<_> = judgements.iter().map(|one| one.case.clone()).collect();
    planned.push(
        case("normal/persistent-paused-undefined/none")
            .parse()
            .expect("a case"),
    );
    let mut run = Run::new(planned, judgements);
    run.sessions = vec![(run.began_unix * 1_000, run.began_unix * 1_000 + 65_432)];
    let known = KnownFailures::parse(KNOWN).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    run
}

#[test]
fn every_standing_is_there_once_or_more() {
    let tally = run().cases();
    let count = |standing| tally.get(&standing).copied().unwrap_or(0);
    let counts = Standing::ALL.map(count);
    assert_eq!(counts, [2, 1, 1, 1, 1, 0, 3]);
    assert_eq!(run().exit(), Exit::Failed);
}

#[test]
fn the_summary_in_markdown_tells_the_worst_first_and_takes_nothing_of_others_for_markup() {
    let summary = markdown(&run());
    insta::assert_snapshot!("markdown", summary);
    assert!(
        summary.contains("\\]\\]\\>") && !summary.contains("<way>"),
        "{summary}"
    );
    let part = run().without_shards(vec!["2/3".parse().expect("a shard")], 12);
    assert!(markdown(&part).contains("**missing: hash:2/3**"));
    let none = markdown(&Run::new(Vec::new(), []));
    assert!(
        none.starts_with("## ? Open: 0 cases\n\nnothing was judged\n"),
        "{none}"
    );
}

#[test]
fn the_terminal_explains_every_trouble() {
    insta::assert_snapshot!("terminal", terminal(&run(), Colour::Plain));
}

#[test]
fn colour_is_only_added() {
    let coloured = terminal(&run(), Colour::Ansi);
    let mut plain = String::new();
    let mut parts = coloured.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    parts.for_each(|part| plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
    let original = terminal(&run(), Colour::Plain);
    assert_eq!(plain.matches("\n").count(), original.matches("\n").count());
    assert!(coloured.contains("\u{1b}[31m"));
}

#[test]
fn a_line_of_verdicts_is_read_back_as_it_was_written() {
    let text: String = run().judgements().map(|one| to_line(one) + "\n").collect();
    let verdicts = parse(&text).expect("whole lines");
    assert!(verdicts.judgements.iter().eq(run().judgements()));
    assert_eq!(verdicts.cut_at, None);
}

#[test]
fn a_cut_last_line_is_told_and_damage_elsewhere_is_refused() {
    let text: String = run().judgements().map(|one| to_line(one) + "\n").collect();
    let cut = parse(&text[..text.len() - 20]).expect("a cut is no damage");
    assert_eq!((cut.judgements.len(), cut.cut_at), (8, Some(9)));
    let damaged = text.replacen("{", "[", 1);
    let error = parse(&damaged)
        .expect_err("the first line is damaged")
        .to_string();
    assert!(
        error.starts_with("line 1 of the verdicts is damaged: it is not a judgement"),
        "{error}"
    );
}

#[test]
fn the_latest_attempt_counts_in_whatever_order_they_come() {
    let name = case("normal/persistent-running-undefined/none");
    let first = judge(&refused(good(&name)));
    let second = Judgement {
        attempt: 2,
        ..judge(&good(&name))
    };
    for order in [[first.clone(), second.clone()], [second, first]] {
        let run = Run::new(Vec::new(), order);
        assert_eq!(run.judgements().next().map(|one| one.attempt), Some(2));
        assert_eq!(run.flaky().count(), 1);
    }
}

#[test]
fn shards_join_to_the_whole_run() {
    let whole = run();
    let half = |odd| {
        let judgements = whole.judgements().cloned().enumerate();
        let judgements = judgements
            .filter(|(place, _)| place % 2 == odd)
            .map(|(_, one)| one);
        Run::new(whole.planned().to_vec(), judgements)
    };
    let joined = half(0).merge(half(1)).merge(half(1));
    assert!(joined.judgements().eq(whole.judgements()));
    assert_eq!(joined.cases(), whole.cases());
    assert_eq!(joined.missing().count(), 1);
}

#[test]
fn the_time_of_shards_is_the_time_in_which_one_of_them_worked() {
    let worked = |spans: &[(u64, u64)]| {
        let mut run = Run::default();
        run.sessions = spans.to_vec();
        run
    };
    let side_by_side = worked(&[(0, 100)]).merge(worked(&[(50, 200)]));
    assert_eq!(side_by_side.elapsed_ms(), 200);
    let a_day_later = worked(&[(0, 100)]).merge(worked(&[(86_400_000, 86_400_300)]));
    assert_eq!(a_day_later.elapsed_ms(), 400);
    assert_eq!(worked(&[(0, 100), (20, 30)]).elapsed_ms(), 100);
}

#[test]
fn an_empty_run_and_a_missing_verdict_are_unknown() {
    assert_eq!(Run::default().exit(), Exit::Unknown);
    let name = case("normal/persistent-running-undefined/none");
    let other = case("p2p/persistent-running-undefined/none")
        .parse()
        .expect("a case");
    let run = Run::new(vec![other], [judge(&good(&name))]);
    assert_eq!(run.exit(), Exit::Unknown);
}

#[test]
fn known_failures_with_a_bad_filter_name_it() {
    let text = KNOWN.replace("source(trixie)", "sauce(trixie)");
    let error = KnownFailures::parse(&text)
        .expect_err("no such predicate")
        .to_string();
    assert!(
        error.contains("known failure 3") && error.contains("sauce(trixie)"),
        "{error}"
    );
}

#[test]
fn a_known_failure_may_name_only_what_can_not_be_seen() {
    let text = "[[known]]\ncases = 'backend(fake)'\nunseen = ['memory']\nreason = 'nobody looks'\n";
    assert!(KnownFailures::parse(text).is_ok());
}

#[test]
fn a_known_failure_that_no_case_is_subject_to_is_listed() {
    assert_eq!(
        run().unused_known(),
        ["source(trixie): nobody comes from there"]
    );
}

#[test]
fn a_fault_turns_the_verdict() {
    let name = "faults/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none/destination-config-added";
    assert_eq!(judge(&transient(good(name))).standing(), Standing::Passed);
    let slept = judge(&good(name));
    assert_eq!(slept.standing(), Standing::Failed);
    assert!(
        slept
            .overall()
            .why()
            .contains("destination-config passes all the same")
    );
    let blind = without(good(name), |saw| matches!(saw, Observation::Domain { .. }));
    assert_eq!(judge(&blind).standing(), Standing::Unknown);
}

#[test]
fn a_fault_that_must_stay_unknown_does_not_pass_by_failing() {
    let name = "faults/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none/client-killed";
    assert_eq!(judge(&refused(good(name))).standing(), Standing::Failed);
    let killed = without(good(name), |saw| {
        matches!(
            saw,
            Observation::Ended {
                verb: Verb::Migrate,
                ..
            }
        )
    });
    assert_eq!(judge(&killed).standing(), Standing::Passed);
    let never_asked = without(killed, |saw| {
        matches!(
            saw,
            Observation::Began {
                verb: Verb::Migrate,
                ..
            }
        )
    });
    assert_eq!(judge(&never_asked).standing(), Standing::Unknown);
}

#[test]
fn ninety_six_cases_have_nine_hundred_and_sixty_post_conditions() {
    let points = migratrix_matrix::Profile::TCK.points(Backend::Libvirt);
    let judgements = points.into_iter().map(|(point, _)| {
        let case = migratrix_matrix::Case {
            point,
            ..case("normal/persistent-running-undefined/none")
                .parse()
                .expect("a case")
        };
        judge(&good(&case.to_string()))
    });
    let run = Run::new(Vec::new(), judgements);
    let count = |granularity| {
        let xml = junit(&run, granularity, Flavour::Strict).expect("it is written");
        xml.matches("<testcase ").count()
    };
    assert_eq!(count(Granularity::Case), 96);
    assert_eq!(count(Granularity::PostCondition), 960);
    assert_eq!(count(Granularity::Condition), 96 * 18);
}

const GRANULARITIES: [Granularity; 3] = [
    Granularity::Case,
    Granularity::PostCondition,
    Granularity::Condition,
];

#[test]
fn strict_junit_obeys_the_strict_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/strict.xsd");
    for granularity in GRANULARITIES {
        let xml = junit(&run(), granularity, Flavour::Strict).expect("it is written");
        xmllint(&["--noout", "--schema", schema, "-"], &xml);
    }
}

#[test]
fn rich_junit_is_well_formed_and_names_the_versions() {
    for granularity in GRANULARITIES {
        let xml = junit(&run(), granularity, Flavour::Rich).expect("it is written");
        xmllint(&["--noout", "-"], &xml);
        assert!(
            xml.contains(r#"<property name="source.qemu" value="7.2.22"/>"#),
            "{xml}"
        );
    }
}

#[test]
fn junit_maps_each_standing() {
    let xml = junit(&run(), Granularity::Case, Flavour::Rich).expect("it is written");
    let count = |element: &str| xml.matches(element).count();
    assert_eq!(
        count("<failure"),
        4,
        "three failures and a known one that passes"
    );
    assert_eq!(count("<error"), 2, "one unknown and one without a verdict");
    assert_eq!(count("<skipped"), 2, "a skip, and a known failure");
    assert!(xml.contains("unexpected pass, known to fail: no `resumed` event"));
    assert!(
        xml.contains(r"\u{1b}[1mno"),
        "control characters are written out"
    );
}

#[test]
fn the_page_is_whole_and_loads_nothing() {
    let page = html(&run(), |_: &Judgement, file: &str| file.to_owned());
    insta::assert_snapshot!("page", bare(&page));
    assert!(page.contains("&lt;way&gt; &amp;"), "texts are escaped");
    assert!(page.matches("<script").count() == 2 && !page.contains("http"));
    for loads in ["src=", "@import", "url(", "fetch(", "import("] {
        assert!(!page.contains(loads), "{loads}");
    }
}

/// The page without its style and its script, an element a line.
fn bare(page: &str) -> String {
    let without = |text: &str, begin: &str, end: &str| {
        let (before, rest) = text.split_once(begin).expect("it is there");
        let (_, after) = rest.split_once(end).expect("it ends");
        format!("{before}{begin}…{end}{after}")
    };
    let bare = without(page, "<style>", "</style>");
    without(&bare, "<script>", "</script>").replace("><", ">\n<")
}

#[test]
fn the_json_summary_counts_the_same() {
    let summary: serde_json::Value = serde_json::from_str(&json(&run())).expect("it is JSON");
    assert_eq!(summary["cases"]["failed"], 3);
    assert_eq!(summary["exit"], "failed");
    assert_eq!(summary["post_conditions"]["skipped"], 10);
}

#[test]
fn an_event_that_nobody_expects_is_named() {
    let mut history = good(&case("normal/persistent-running-undefined/none"));
    let place = history.entries.len() / 2;
    let entry = migratrix_history::Entry {
        at_us: history.entries[place].at_us,
        saw: event(Side::Source, "crashed", "panicked"),
    };
    history.entries.insert(place, entry);
    let why = judge(&history).overall();
    assert!(why.why().contains("crashed (panicked)"), "{why:?}");
}

/// Runs `xmllint` on `xml`, or says that it is not installed.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runs xmllint, and the crate does not"
)]
fn xmllint(arguments: &[&str], xml: &str) {
    let child = process::Command::new("xmllint")
        .args(arguments)
        .stdin(process::Stdio::piped())
        .stderr(process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: xmllint is not installed");
        return;
    };
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(xml.as_bytes()).expect("xmllint reads");
    drop(stdin);
    let output = child.wait_with_output().expect("xmllint ends");
    assert!(
        output.status.success(),
        "{}\n{xml}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn raw_cases_have_a_table_of_their_own() {
    let names = [
        case("normal/persistent-running-undefined/none"),
        case("p2p/persistent-running-undefined/none"),
    ];
    let managed = names.iter().map(|name| judge(&good(name)));
    let points = ["precopy/tcp/running/plain", "postcopy/tcp/running/plain"];
    let raw = points.map(|point| format!("qemu/qemu/bookworm,trixie/{point}"));
    let raw = raw.iter().map(|name| judge(&raw_story::good(name)));
    let run = Run::new(Vec::new(), managed.chain(raw));
    let text = terminal(&run, Colour::Plain);
    let tables = "\
client: source → destination       normal          p2p    tunnelled
trixie: bookworm → trixie           ✓ 1/1        ✓ 1/1            –
source → destination      precopy     postcopy
bookworm → trixie           ✓ 1/1        ✓ 1/1
";
    assert!(text.starts_with(tables), "{text}");
    let page = html(&run, |_: &Judgement, file: &str| file.to_owned());
    assert!(page.contains("<caption>client trixie") && page.contains("<caption>QEMU alone"));
    let summary: serde_json::Value = serde_json::from_str(&json(&run)).expect("it is JSON");
    assert_eq!(summary["tuples"].as_array().map(Vec::len), Some(2));
    assert_eq!(summary["tuples"][0].get("client"), None);
}

#[test]
fn where_nothing_migrates_junit_names_the_release_alone_as_the_other_reports_do() {
    let stays = "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain";
    let other = "backup/qemu/bookworm,sid/stay/blockdev-backup/incremental-simple/plain";
    let moves = "qemu/qemu/bookworm,trixie/precopy/tcp/running/plain";
    let skipped = |name: &str| Judgement::skipped(name.parse().expect("a case"), "r", 0);
    let run = Run::new(Vec::new(), [stays, other, moves].map(skipped));
    assert!(terminal(&run, Colour::Plain).contains("bookworm alone"));
    for flavour in [Flavour::Rich, Flavour::Strict] {
        let xml = junit(&run, Granularity::Case, flavour).expect("it is written");
        for (told, times) in [
            (" name=\"bookworm alone\"", 1),
            ("classname=\"migratrix.backup.bookworm alone\"", 2),
            (" name=\"bookworm,trixie\"", 1),
            ("classname=\"migratrix.qemu.bookworm,trixie\"", 1),
        ] {
            assert_eq!(xml.matches(told).count(), times, "{told}: {xml}");
        }
    }
}

#[test]
fn where_nobody_asks_as_a_client_junit_names_none_and_a_client_of_the_same_release_has_its_own_suite()
 {
    let raw = "qemu/qemu/trixie,sid/precopy/tcp/running/plain";
    let managed = "tck/libvirt/trixie,trixie,sid/p2p/persistent-running-undefined/none";
    let release = |name| {
        let name = ReleaseName::new(name).expect("a name");
        Release {
            packages: [("qemu-system-x86".to_owned(), "1:10.0".to_owned())].into(),
            ..Release::unknown(name)
        }
    };
    let judged = [judge(&raw_story::good(raw)), judge(&good(managed))];
    let run = Run::new(Vec::new(), judged).on(["trixie", "sid"].map(release).to_vec());
    for flavour in [Flavour::Rich, Flavour::Strict] {
        let xml = junit(&run, Granularity::Case, flavour).expect("it is written");
        for told in [
            "name=\"trixie,sid\"",
            "name=\"trixie,trixie,sid\"",
            "classname=\"migratrix.qemu.trixie,sid\"",
            "classname=\"migratrix.tck.trixie,trixie,sid\"",
        ] {
            assert_eq!(xml.matches(told).count(), 1, "{told}: {xml}");
        }
    }
    let xml = junit(&run, Granularity::Case, Flavour::Rich).expect("it is written");
    assert_eq!(xml.matches("client.package.").count(), 1, "{xml}");
    assert_eq!(xml.matches("source.package.").count(), 2, "{xml}");
}

#[test]
fn a_raw_case_has_a_test_case_for_each_condition_of_its_own() {
    let name = "qemu/qemu/bookworm,trixie/precopy/tcp/running/both-addresses";
    let skipped = Judgement::skipped(name.parse().expect("a case"), "needs a flag", 0);
    let own = skipped.case.point.conditions();
    assert_eq!(skipped.conditions.len(), own.len());
    for judgement in [judge(&raw_story::good(name)), skipped] {
        let run = Run::new(Vec::new(), [judgement]);
        let xml = junit(&run, Granularity::Condition, Flavour::Strict).expect("it is written");
        assert_eq!(xml.matches("<testcase ").count(), own.len());
    }
}

#[test]
fn what_a_known_failure_hides_is_as_expected_and_chance_is_no_news() {
    let list = |more: &str| {
        let text = format!(
            "[[known]]\ncases = \"suite(tck)\"\nconditions = [\"memory\"]\nreason = \"r\"\n{more}"
        );
        KnownFailures::parse(&text).expect("it is a list")
    };
    let marked = |list: &KnownFailures, mut judgement: Judgement| {
        list.mark(&mut judgement, &releases())
            .expect("no version is asked for");
        judgement.standing()
    };
    let whole = judge(&good(&case("normal/persistent-running-undefined/none")));
    assert_eq!(marked(&list(""), whole.clone()), Standing::UnexpectedPass);
    assert_eq!(
        marked(&list("sometimes = true"), whole.clone()),
        Standing::Passed
    );
    let mut blind = whole;
    for (condition, verdict) in &mut blind.conditions {
        if *condition == Condition::Alive {
            *verdict = Verdict::unknown("it was not seen");
        }
    }
    let hides = list("sometimes = true\nunseen = [\"alive\"]");
    assert_eq!(marked(&hides, blind.clone()), Standing::KnownFailure);
    assert_eq!(marked(&list("sometimes = true"), blind), Standing::Unknown);
}

#[test]
fn what_one_entry_of_chance_does_not_excuse_is_left_to_another() {
    let entry = |key: &str, more: &str| {
        format!("[[known]]\ncases = \"suite(tck)\"\n{key} = [\"alive\"]\nreason = \"r\"\n{more}\n")
    };
    let standing = |list: &str, verdict: &Verdict| {
        let list = KnownFailures::parse(list).expect("it is a list");
        let mut judgement = judge(&good(&case("normal/persistent-running-undefined/none")));
        for (condition, of) in &mut judgement.conditions {
            if *condition == Condition::Alive {
                of.clone_from(verdict);
            }
        }
        list.mark(&mut judgement, &releases())
            .expect("no version is asked for");
        judgement.standing()
    };
    let [fails, hides] = ["conditions", "unseen"].map(|key| entry(key, "sometimes = true"));
    for both in [format!("{fails}{hides}"), format!("{hides}{fails}")] {
        for verdict in [
            Verdict::unknown("it was not seen"),
            Verdict::fail("it stands"),
        ] {
            assert_eq!(standing(&both, &verdict), Standing::KnownFailure);
        }
    }
    let blind = Verdict::unknown("it was not seen");
    assert_eq!(standing(&fails, &blind), Standing::Unknown);
}

#[test]
fn a_verdict_names_its_evidence_and_reads_the_same_again() {
    let evidence = vec![Evidence {
        file: "evidence/case/source-qemu.log".to_owned(),
        shows: "what the source's QEMU said".to_owned(),
        said: None,
    }];
    let plain = judge(&good(&case("normal/persistent-running-undefined/none")));
    assert!(!to_line(&plain).contains("evidence"));
    let told = plain.with_evidence(evidence);
    let read = parse(&to_line(&told)).expect("it was just written");
    assert_eq!(read.judgements, [told]);
}

#[test]
fn what_follows_from_a_known_failure_is_excused_with_it_and_not_without_it() {
    let list = "[[known]]\ncases = \"suite(tck)\"\nconditions = [\"migrated\"]\n\
                follows = [\"alive\", \"memory\"]\nreason = \"r\"\n";
    let list = KnownFailures::parse(list).expect("it is a list");
    let standing = |changes: &[(Condition, Verdict)]| {
        let mut judgement = judge(&good(&case("normal/persistent-running-undefined/none")));
        for (condition, verdict) in &mut judgement.conditions {
            if let Some((_, change)) = changes.iter().find(|(one, _)| one == condition) {
                *verdict = change.clone();
            }
        }
        list.mark(&mut judgement, &releases())
            .expect("no version is asked for");
        judgement.standing()
    };
    let refused = (Condition::Migrated, Verdict::fail("refused"));
    let lost = (Condition::Memory, Verdict::fail("a page is old"));
    let blind = (Condition::Alive, Verdict::unknown("it was not seen"));
    let all = [refused.clone(), lost.clone(), blind];
    assert_eq!(standing(&all), Standing::KnownFailure);
    assert_eq!(standing(&[refused]), Standing::KnownFailure);
    assert_eq!(standing(&[lost]), Standing::Failed);
    assert_eq!(standing(&[]), Standing::UnexpectedPass);
}
