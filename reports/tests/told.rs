//! What must not be lost on the way to a report: what a first attempt showed to be wrong, a host that
//! died, a known failure, a part of the run that is missing, and the files that show it.

#[expect(dead_code, reason = "these tests need few of the stories")]
#[path = "../src/story.rs"]
mod story;

use std::collections::BTreeMap;

use migratrix_history::{DomainState, Entry, History, Observation, Outcome, Side, Verb, When};
use migratrix_matrix::{
    Case, Condition, HostSetup, KnownLists, Release, ReleaseName, Releases, RunOptions,
};
use migratrix_reports::{
    Blessing, Colour, Evidence, Exit, Flaky, Flavour, Granularity, Judgement, Kind, KnownAre,
    KnownFailures, Part, Rules, Run, Standing, Verdict, html, json, judge, junit, terminal,
    write_junit,
};
use story::{changed, good, without};

const NORMAL: &str = "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none";
const P2P: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";
const TUNNELLED: &str =
    "tck/libvirt/trixie,bookworm,trixie/tunnelled/persistent-running-undefined/none";

/// The destination's domain is transient where it should be, or not.
fn spoilt(history: History) -> History {
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

fn unseen(history: History) -> History {
    without(history, |saw| matches!(saw, Observation::Memory { .. }))
}

fn losing(mut history: History, instance: &str) -> History {
    let at_us = history.entries.last().map_or(0, |entry| entry.at_us);
    let saw = Observation::HostLost {
        side: Side::Destination,
        why: "its daemon was killed by signal 11 (SIGSEGV)".to_owned(),
        instance: instance.to_owned(),
    };
    history.entries.push(Entry { at_us, saw });
    history
}

fn second(name: &str) -> Judgement {
    Judgement {
        attempt: 2,
        ..judge(&good(name))
    }
}

fn run(judgements: impl IntoIterator<Item = Judgement>) -> Run {
    let judgements: Vec<_> = judgements.into_iter().collect();
    let mut planned: Vec<_> = judgements.iter().map(|one| one.case.clone()).collect();
    planned.dedup();
    Run::new(planned, judgements)
}

fn allowed(run: Run) -> Run {
    run.by(Rules {
        flaky: Flaky::Allowed,
        ..Rules::default()
    })
}

fn page(run: &Run) -> String {
    html(run, |_: &Judgement, file: &str| file.to_owned())
}

/// Each report of a run, by its name.
fn reports(run: &Run) -> [(&'static str, String); 7] {
    let xml = |granularity, flavour| junit(run, granularity, flavour).expect("it is written");
    [
        ("terminal", terminal(run, Colour::Plain)),
        ("page", page(run)),
        ("JSON", json(run)),
        ("rich", xml(Granularity::Case, Flavour::Rich)),
        ("strict", xml(Granularity::Case, Flavour::Strict)),
        (
            "rich conditions",
            xml(Granularity::Condition, Flavour::Rich),
        ),
        (
            "strict conditions",
            xml(Granularity::Condition, Flavour::Strict),
        ),
    ]
}

#[track_caller]
fn all_tell(run: &Run, words: &[&str]) {
    for (name, text) in reports(run) {
        for word in words {
            assert!(
                text.contains(word),
                "the {name} does not tell `{word}`:\n{text}"
            );
        }
    }
}

fn failures(run: &Run, granularity: Granularity, flavour: Flavour) -> usize {
    let xml = junit(run, granularity, flavour).expect("it is written");
    xml.matches("<failure").count()
}

#[test]
fn what_a_first_attempt_showed_to_be_wrong_fails_the_run_and_is_told_in_every_report() {
    let run = run([
        judge(&spoilt(good(NORMAL))),
        second(NORMAL),
        judge(&good(P2P)),
    ]);
    assert_eq!(run.exit(), Exit::Failed);
    assert_eq!(run.cases()[&Standing::FailedAtFirst], 1);
    all_tell(&run, &["has a persistent one", "destination-config"]);
    for granularity in [
        Granularity::Case,
        Granularity::PostCondition,
        Granularity::Condition,
    ] {
        for flavour in [Flavour::Rich, Flavour::Strict] {
            assert_eq!(
                failures(&run, granularity, flavour),
                1,
                "{granularity:?} {flavour:?}"
            );
        }
    }
}

#[test]
fn where_flaky_cases_are_allowed_they_are_told_and_fail_nothing() {
    let run = allowed(run([judge(&spoilt(good(NORMAL))), second(NORMAL)]));
    assert_eq!(run.exit(), Exit::AsExpected);
    all_tell(&run, &["has a persistent one"]);
    assert_eq!(failures(&run, Granularity::Case, Flavour::Rich), 0);
}

#[test]
fn what_could_not_be_seen_at_first_fails_nothing_and_is_told() {
    let run = run([judge(&unseen(good(NORMAL))), second(NORMAL)]);
    assert_eq!(run.exit(), Exit::AsExpected);
    let text = terminal(&run, Colour::Plain);
    assert!(
        text.contains("1 case as expected only when tried again"),
        "{text}"
    );
    assert!(
        junit(&run, Granularity::Case, Flavour::Strict)
            .is_ok_and(|xml| xml.contains("tried again"))
    );
}

#[test]
fn a_known_failure_covers_a_first_attempt() {
    let list = format!(
        "[[known]]\ncases = \"name({NORMAL})\"\nconditions = [\"destination-config\"]\nreason = \"r\"\nsometimes = true\n"
    );
    let mut run = run([judge(&spoilt(good(NORMAL))), second(NORMAL)]);
    let known = KnownFailures::parse(&list).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    assert_eq!(run.exit(), Exit::AsExpected);
}

#[test]
fn a_qemu_that_hung_at_first_fails_the_run() {
    let mut history = unseen(good(NORMAL));
    let status = Observation::Status {
        side: Side::Source,
        status: "cancelling".to_owned(),
    };
    let late = Observation::Ended {
        verb: Verb::Await,
        step: "wait until it is cancelled".to_owned(),
        outcome: Outcome::Unknown {
            why: "no answer within 60 s".to_owned(),
        },
    };
    let at_us = history.entries.last().map_or(0, |entry| entry.at_us);
    history
        .entries
        .extend([status, late].map(|saw| Entry { at_us, saw }));
    let run = run([judge(&history), second(NORMAL)]);
    assert_eq!(run.exit(), Exit::Failed);
    all_tell(&run, &["hung in `cancelling`", "no answer within 60 s"]);
}

#[test]
fn a_daemon_that_died_fails_the_run_and_is_told_with_the_cases_that_were_on_it() {
    let first = |name| judge(&losing(unseen(good(name)), "3f2a.1"));
    let run = run([
        first(NORMAL),
        second(NORMAL),
        first(P2P),
        second(P2P),
        judge(&good(TUNNELLED)),
    ]);
    assert_eq!(run.exit(), Exit::Failed);
    assert_eq!(run.cases()[&Standing::Passed], 3, "nobody is blamed for it");
    let deaths = run.deaths();
    assert_eq!(deaths.len(), 1, "it died once");
    assert_eq!(deaths[0].cases.len(), 2);
    let words = ["killed by signal 11 (SIGSEGV)", NORMAL, P2P];
    all_tell(&run, &words);
    assert_eq!(failures(&run, Granularity::Case, Flavour::Strict), 1);
    let run = allowed(run);
    assert_eq!(run.exit(), Exit::AsExpected);
    all_tell(&run, &words);
}

/// A second attempt at a struck migration, of which the daemon of this side ended by itself.
fn struck_down(side: &str) -> Judgement {
    let why = format!(
        "destination-qemu-killed at first-pass: the daemon of the {side} (trixie, libvirt 11.3.0) is another \
         process: it was 49, and is 77"
    );
    let mut judgement = second(NORMAL);
    let condition = (Condition::Daemons, Verdict::fail(why));
    judgement.conditions.push(condition);
    judgement
}

#[test]
fn a_daemon_that_dies_by_a_case_whose_own_verdict_tells_of_it_is_no_host_that_died_beside() {
    let first = |name| judge(&losing(unseen(good(name)), "3f2a.1"));
    let all = |second_attempt| run([first(NORMAL), second_attempt, first(P2P), second(P2P)]);
    let list = "[[known]]\ncases = \"control(normal)\"\nconditions = [\"daemons\"]\nsays = [\"is another process\"]\n\
                reason = \"it dies of SIGSEGV\"\n";
    let known = KnownFailures::parse(list).expect("a list");
    let mut told = all(struck_down("destination"));
    told.mark_known(&known, &releases())
        .expect("known releases");
    assert_eq!(told.cases()[&Standing::KnownFailure], 1);
    assert!(told.deaths().is_empty(), "the case tells of it");
    assert_eq!(told.exit(), Exit::AsExpected);
    let unlisted = all(struck_down("destination"));
    assert!(unlisted.deaths().is_empty());
    assert_eq!(unlisted.exit(), Exit::Failed, "the case fails by itself");
    for unaccounted in [struck_down("source"), second(NORMAL)] {
        assert_eq!(all(unaccounted).deaths().len(), 1, "nobody tells of it");
    }
}

#[test]
fn the_summary_says_of_all_cases_how_their_hosts_were_set_up() {
    let on = |setup, name: &str| Judgement {
        setup,
        log: Some("history/x.jsonl".to_owned()),
        ..judge(&good(name))
    };
    let line = |judgements: &[Judgement]| {
        let told = terminal(&run(judgements.to_vec()), Colour::Plain);
        let mut lines = told.lines();
        let line = lines.find(|line| line.starts_with("hosts: "));
        line.map(str::to_owned)
    };
    let [shipped, quick, resilient] = [
        on(HostSetup::AsShipped, NORMAL),
        on(HostSetup::Quick, P2P),
        on(HostSetup::Resilient, TUNNELLED),
    ];
    let outlives =
        "1 case resilient: a host outlives its daemon, and a silent peer counts as lost after 4 s";
    let all = [shipped.clone(), quick, resilient.clone()];
    let told = line(&all).expect("it is said");
    assert_eq!(
        told,
        format!(
            "hosts: 1 case as shipped, as controls or since their domains name processors; 1 case quick: libvirt \
             does not ask QEMU about processors (capability_filters); {outlives}"
        )
    );
    assert_eq!(line(&[resilient]), Some(format!("hosts: {outlives}")));
    assert_eq!(line(&[shipped]), None);
}

#[test]
fn what_fails_since_something_was_broken_on_purpose_is_told_to_be_no_failure() {
    let fault = "faults/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none/source-halted";
    let broken = run([judge(&good(fault))]);
    let told = terminal(&broken, Colour::Plain);
    assert!(
        told.contains("in 1 case something was broken on purpose")
            && told.contains("in JUnit it is one test case"),
        "{told}"
    );
    let xml = junit(&broken, Granularity::Condition, Flavour::Rich).expect("it is written");
    assert!(xml.contains("tests=\"1\""), "{xml}");
    let told = terminal(&run([judge(&good(NORMAL))]), Colour::Plain);
    assert!(!told.contains("broken on purpose"), "{told}");
}

#[test]
fn a_host_that_a_fault_took_down_was_meant_to_go() {
    let fault = "faults/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none/daemon-stopped";
    let stopped = judge(&losing(unseen(good(fault)), "3f2a.1"));
    let beside = judge(&losing(unseen(good(NORMAL)), "3f2a.1"));
    let run = run([stopped, beside, second(NORMAL)]);
    assert!(run.deaths().is_empty());
    assert_eq!(run.cases().get(&Standing::FailedAtFirst), None);
}

const LIST: &str = r#"
[[known]]
cases = "control(tunnelled)"
conditions = ["destination-config"]
reason = "persistence is lost in the tunnel"
link = "https://example.org/issue/1"
expires = "2027-01-31"
"#;

fn releases() -> Releases {
    let release = |name| Release::unknown(ReleaseName::new(name).expect("a name"));
    Releases::new(["trixie", "bookworm"].map(release).to_vec()).expect("each once")
}

/// 2027-01-31, at its end.
const LAST_DAY: u64 = 1_801_439_999;

fn marked(mut run: Run, day: u64) -> Run {
    let known = KnownFailures::parse(LIST).expect("a list").on(day);
    run.mark_known(&known, &releases()).expect("known releases");
    run
}

fn broken() -> Run {
    let skipped: Case = TUNNELLED
        .replace("-undefined", "-defined")
        .parse()
        .expect("a case");
    run([
        judge(&good(NORMAL)),
        judge(&spoilt(good(TUNNELLED))),
        judge(&good(&TUNNELLED.replace("none", "undefine"))),
        Judgement::skipped(skipped, "needs a hypervisor", 0),
    ])
}

#[test]
fn a_known_failure_stands_in_the_grids_by_its_own_sign_and_number() {
    let text = LIST.replace("control(tunnelled)", "control(tunnelled) & flag(none)");
    let mut run = broken();
    let known = KnownFailures::parse(&text).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    let told = terminal(&run, Colour::Plain);
    assert!(told.contains("~ 1/2, 1 known"), "{told}");
    let page = page(&run);
    assert!(
        page.contains(": known failure, 2/3, 1 known\"><b>~</b> 2/3 <small>1 known</small>"),
        "{page}"
    );
    let summary: serde_json::Value = serde_json::from_str(&json(&run)).expect("it is JSON");
    assert_eq!(summary["tuples"][0]["cases"]["known-failure"], 1);
    assert_eq!(summary["tuples"][0]["worst"], "known-failure");
    assert_eq!(summary["tuples"][0]["tried"], 3);
}

#[test]
fn a_table_is_no_wider_than_the_terminal_and_has_all_of_its_columns() {
    let run = run([NORMAL, P2P, TUNNELLED].map(|name| judge(&good(name))));
    let within = |room| migratrix_reports::terminal_within(&run, Colour::Plain, room);
    let table = |text: &str| {
        let (table, _) = text.split_once("\n\n").expect("more follows");
        table.to_owned()
    };
    let whole = table(&within(None));
    assert_eq!(whole.lines().count(), 2, "{whole}");
    let title = "client: source → destination";
    assert_eq!(
        table(&within(Some(60))),
        format!(
            "{title}       normal          p2p\n\
             trixie: bookworm → trixie           ✓ 1/1        ✓ 1/1\n\
             {title}    tunnelled\n\
             trixie: bookworm → trixie           ✓ 1/1"
        )
    );
    let wide = whole.lines().map(|line| line.chars().count()).max();
    assert_eq!(table(&within(wide)), whole, "it fits");
}

#[test]
fn a_block_of_a_narrow_table_in_which_there_is_no_case_is_left_out_and_told_in_a_line() {
    let run = run([NORMAL, TUNNELLED].map(|name| judge(&good(name))));
    let within = |room| migratrix_reports::terminal_within(&run, Colour::Plain, room);
    let whole = within(None);
    assert!(
        whole.contains("p2p") && !whole.contains("no case by"),
        "{whole}"
    );
    let text = within(Some(45));
    let (table, _) = text.split_once("\n\n").expect("more follows");
    let title = "client: source → destination";
    assert_eq!(
        table,
        format!(
            "{title}       normal\n\
             trixie: bookworm → trixie           ✓ 1/1\n\
             {title}    tunnelled\n\
             trixie: bookworm → trixie           ✓ 1/1\n\
             no case by p2p"
        )
    );
}

#[test]
fn a_skip_outranks_nothing_that_was_tried() {
    let skipped: Case = NORMAL
        .replace("-undefined", "-defined")
        .parse()
        .expect("a case");
    let skipped = Judgement::skipped(skipped, "needs a hypervisor", 0);
    let run = run([judge(&good(NORMAL)), skipped.clone()]);
    assert!(terminal(&run, Colour::Plain).contains("✓ 1/1"));
    assert!(page(&run).contains(": passed, 1/1\"><b>✓</b> 1/1"));
    let alone = Run::new(Vec::new(), [skipped]);
    assert!(terminal(&alone, Colour::Plain).contains("- 1 skipped"));
    assert_eq!(alone.exit(), Exit::AsExpected);
}

#[test]
fn every_report_tells_of_a_known_failure_with_its_link_and_last_day() {
    let run = marked(broken(), LAST_DAY);
    all_tell(
        &run,
        &[
            "persistence is lost in the tunnel",
            "https://example.org/issue/1",
            "2027-01-31",
        ],
    );
    for flavour in [Flavour::Rich, Flavour::Strict] {
        let xml = junit(&run, Granularity::Case, flavour).expect("it is written");
        assert!(xml.contains("message=\"known: persistence is lost in the tunnel; see https://example.org/issue/1; until 2027-01-31\""), "{xml}");
        assert_eq!(xml.matches("<skipped").count(), 2, "{xml}");
    }
}

#[test]
fn known_failures_fail_for_who_asks_that() {
    let list = "[[known]]\ncases = \"control(tunnelled) & flag(none)\"\nconditions = [\"destination-config\"]\nreason = \"r\"";
    let mut run = run([judge(&good(NORMAL)), judge(&spoilt(good(TUNNELLED)))]);
    let known = KnownFailures::parse(list).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    assert_eq!(run.exit(), Exit::AsExpected);
    assert_eq!(failures(&run, Granularity::Case, Flavour::Strict), 0);
    let run = run.by(Rules {
        known: KnownAre::Failed,
        ..Rules::default()
    });
    assert_eq!(run.exit(), Exit::Failed);
    assert_eq!(failures(&run, Granularity::Case, Flavour::Strict), 1);
    assert_eq!(failures(&run, Granularity::Condition, Flavour::Rich), 1);
    // Tables and titles go by the same.
    let text = terminal(&run, Colour::Plain);
    assert!(text.contains("✗ 0/1, 1 known"), "{text}");
    let page = page(&run);
    let cell = "td class=\"cell failed\"";
    assert!(page.contains(cell) && page.contains("✗ No go"), "{page}");
    let title = migratrix_reports::markdown(&run);
    assert!(title.starts_with("## ✗ No go: 2 cases"), "{title}");
}

#[test]
fn a_pair_that_was_skipped_whole_leaves_the_page_open_in_its_first_sentence() {
    let other = NORMAL.replace("bookworm,trixie", "trixie,bookworm");
    let skipped = Judgement::skipped(other.parse().expect("a case"), "needs a disk", 0);
    let tried = run([judge(&good(NORMAL)), skipped.clone()]);
    let told = page(&tried);
    assert!(
        told.contains("<h1>1 of 2 pairs tried, 1 skipped: safe in 1 of 1 scenario</h1>"),
        "{told}"
    );
    assert!(told.contains("<b>? Open</b>") && !told.contains("<b>✓ Go</b>"));
    let told = page(&run([skipped]));
    assert!(
        told.contains("<h1>0 of 1 pair tried, 1 skipped: nothing was tried</h1>"),
        "{told}"
    );
    assert!(told.contains("<b>? Open</b>") && !told.contains("<b>✓ Go</b>"));
}

#[test]
fn what_turns_the_order_of_characters_reaches_no_report_but_json() {
    let mut failed = judge(&good(NORMAL));
    for (condition, verdict) in &mut failed.conditions {
        if *condition == Condition::Memory {
            *verdict = Verdict::fail("a \u{202e}b\u{2028}c\u{2066}d");
        }
    }
    for (name, text) in reports(&run([failed])) {
        let raw = text.contains(['\u{202e}', '\u{2028}', '\u{2066}']);
        let written = text.contains("a \\u{202e}b\\u{2028}c\\u{2066}d");
        assert!(name == "JSON" || written && !raw, "{name}: {text}");
    }
}

#[test]
fn what_was_not_seen_in_a_known_failure_is_an_error_where_known_failures_fail() {
    let list = "[[known]]\ncases = \"control(tunnelled)\"\nconditions = [\"destination-config\"]\nfollows = [\"alive\"]\nreason = \"r\"";
    let mut blind = judge(&spoilt(good(TUNNELLED)));
    let unseen = |(condition, verdict): &mut (Condition, Verdict)| {
        if *condition == Condition::Alive {
            *verdict = Verdict::unknown("nobody looked");
        }
    };
    blind.conditions.iter_mut().for_each(unseen);
    let mut run = run([blind]);
    let known = KnownFailures::parse(list).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    let run = run.by(Rules {
        known: KnownAre::Failed,
        ..Rules::default()
    });
    let told = terminal(&run, Colour::Plain);
    assert!(told.contains("1 fail, 1 unknown"), "{told}");
    let xml = junit(&run, Granularity::Condition, Flavour::Rich).expect("it is written");
    assert!(xml.contains("failures=\"1\" errors=\"1\""), "{xml}");
}

#[test]
fn after_its_last_day_a_known_failure_excuses_nothing() {
    let failed = |day| marked(run([judge(&spoilt(good(TUNNELLED)))]), day).exit();
    assert_eq!(failed(LAST_DAY), Exit::AsExpected);
    assert_eq!(failed(LAST_DAY + 1), Exit::Failed);
    let run = marked(broken(), LAST_DAY + 1);
    let text = terminal(&run, Colour::Plain);
    assert!(
        text.contains("known, and expired") && text.contains("was excused until 2027-01-31"),
        "{text}"
    );
}

#[test]
fn a_month_before_its_last_day_a_known_failure_says_in_how_many_days_it_expires() {
    const DAY: u64 = 24 * 60 * 60;
    let told = |days: u64| {
        let run = marked(broken(), LAST_DAY - days * DAY);
        (run.expiring_known().to_vec(), terminal(&run, Colour::Plain))
    };
    assert_eq!(told(31).0, [""; 0]);
    let (lines, text) = told(12);
    let line = "known failure 1 expires in 12 days, on 2027-01-31 (`control(tunnelled)`: persistence \
                is lost in the tunnel); 3 cases are subject to it";
    assert!(lines[0].starts_with(line), "{lines:?}");
    assert!(text.contains(line), "{text}");
    for (days, when) in [(30, "in 30 days"), (1, "in 1 day,"), (0, "today")] {
        assert!(told(days).0[0].contains(when), "{days}");
    }
    let json = json(&marked(broken(), LAST_DAY));
    assert!(json.contains("\"expiring_known\": [\n"), "{json}");
}

#[test]
fn a_list_that_is_an_array_gets_its_new_entries_in_that_form() {
    let before = "# Mine.\nknown = [\n  { cases = \"control(p2p)\", conditions = [\"memory\"], reason = \"r\" }, # by hand";
    let blessing = Blessing::of(&broken(), &format!("{before}\n]\n")).expect("it is a list");
    assert_eq!((blessing.entries, blessing.cases, blessing.left), (1, 1, 0));
    let added = blessing.text.strip_prefix(before).expect("it stays");
    assert!(added.starts_with("\n  { cases = \"name(tck/"), "{added}");
    let refused = Blessing::of(&broken(), "known = 7").expect_err("it is none");
    assert!(
        refused.to_string().contains("line 1, column 9"),
        "{refused}"
    );
}

#[test]
fn an_entry_that_says_too_little_is_refused_by_its_number_and_with_the_mend() {
    let first = "[[known]]\ncases = \"source(trixie)\"\nconditions = [\"job\"]\nreason = \"r\"\n";
    let entry = |from: &str, to: &str| {
        let list = format!("{first}{}", LIST.replace(from, to));
        KnownFailures::parse(&list).and_then(|known| known.check_releases(&releases()))
    };
    let refused = [
        (
            "persistence is lost in the tunnel",
            "  ",
            "an empty reason: say",
        ),
        (
            "[\"destination-config\"]",
            "[]",
            "no conditions: say what fails",
        ),
        (
            "2027-01-31",
            "31.1.2027",
            "`31.1.2027`, which is no day: write it as in",
        ),
        ("2027-01-31", "2027-02-30", "`2027-02-30`, which is no day"),
        (
            "control(tunnelled)",
            "source(trxie)",
            "`trxie` is not a known release",
        ),
    ];
    for (from, to, why) in refused {
        let error = entry(from, to).expect_err("it is wrong").to_string();
        assert!(error.contains(": known failure 2 ("), "{error}");
        assert!(error.starts_with("line "), "{error}");
        assert!(error.contains(why), "{error}");
    }
    assert!(entry("control(tunnelled)", "source(trixie)").is_ok());
}

#[test]
fn a_group_says_all_only_of_what_all_are_in() {
    let other = |name: &str, flags: &str| name.replace("none", flags);
    let failing = [NORMAL, P2P].map(|name| judge(&spoilt(good(name))));
    let passing = [
        other(NORMAL, "undefine"),
        TUNNELLED.to_owned(),
        other(P2P, "undefine"),
    ];
    let odd = judge(&spoilt(good(&other(TUNNELLED, "undefine"))));
    let passing = passing.iter().map(|name| judge(&good(name)));
    let run = run(failing.into_iter().chain([odd]).chain(passing));
    let text = terminal(&run, Colour::Plain);
    assert!(
        !text.contains("all are of") && !text.contains("exactly the"),
        "{text}"
    );
}

fn release(name: &str, qemu: &str) -> Release {
    let packages = BTreeMap::from([("qemu-system-x86".to_owned(), format!("1:{qemu}+dfsg-3"))]);
    Release {
        qemu: Some(qemu.parse().expect("a version")),
        packages,
        ..Release::unknown(ReleaseName::new(name).expect("a name"))
    }
}

#[test]
fn releases_stand_in_the_order_of_their_versions() {
    let names = ["trixie", "bullseye", "bookworm", "sid"];
    let case = |source: &str| NORMAL.replace("bookworm", source);
    let run = run(names.map(|name| judge(&good(&case(name)))));
    let versions = [
        ("trixie", "10.0.13"),
        ("bullseye", "5.2.0"),
        ("bookworm", "7.2.22"),
        ("sid", "11.1.3"),
    ];
    let run = run.on(versions.map(|(name, qemu)| release(name, qemu)).to_vec());
    let order = |text: &str, before: &str, after: &str| {
        let place = |name: &str| {
            text.find(&format!("{before}{name}{after}"))
                .expect("it is told")
        };
        let places = ["bullseye", "bookworm", "trixie", "sid"].map(place);
        assert!(places.is_sorted(), "{text}");
    };
    order(&terminal(&run, Colour::Plain), "trixie: ", " → trixie");
    order(&page(&run), "<tr><th scope=\"row\">", "</th><td class");
}

#[test]
fn the_exact_packages_reach_the_reports() {
    let run = run([judge(&good(NORMAL))]);
    let run = run.on(vec![
        release("bookworm", "7.2.22"),
        release("trixie", "10.0.13"),
    ]);
    let exact = "1:7.2.22+dfsg-3";
    let xml = junit(&run, Granularity::Case, Flavour::Rich).expect("it is written");
    let property = format!("name=\"source.package.qemu-system-x86\" value=\"{exact}\"");
    assert!(xml.contains(&property), "{xml}");
    assert!(page(&run).contains(exact) && json(&run).contains(exact));
}

#[test]
fn a_missing_shard_is_named_in_every_report_and_is_unknown() {
    let shard = "hash:3/3".parse().expect("a shard");
    let run = run([judge(&good(NORMAL))]).without_shards(vec![shard], 3);
    assert_eq!(run.exit(), Exit::Unknown);
    all_tell(&run, &["hash:3/3"]);
    let text = terminal(&run, Colour::Plain);
    assert!(text.contains("incomplete: 1 of 3 cases"), "{text}");
}

#[test]
fn the_headline_of_a_run_that_is_not_whole_says_so() {
    let planned = || {
        [NORMAL, P2P]
            .map(|name| name.parse().expect("a case"))
            .to_vec()
    };
    let run = Run::new(planned(), [judge(&good(NORMAL))]);
    let text = terminal(&run, Colour::Plain);
    assert!(text.contains("\nincomplete: 1 of 2 cases in "), "{text}");
    assert!(page(&run).contains("incomplete: 1 of 2 cases in "));
    let empty = terminal(&Run::new(planned(), []), Colour::Plain);
    assert!(
        empty.contains("\nincomplete: 0 of 2 cases: nothing was judged\n"),
        "{empty}"
    );
}

#[test]
fn the_line_that_runs_a_case_again_has_the_options_of_the_run() {
    let options = RunOptions {
        config: Some("/etc/my hosts.toml".to_owned()),
        known: KnownLists {
            files: vec!["/known.toml".to_owned()],
            only: false,
        },
        jobs: Some(7),
        qemus: vec!["mine=/build".to_owned()],
        ..RunOptions::default()
    };
    let run = run([judge(&spoilt(good(NORMAL)))]).with_options(options);
    let line = format!(
        "migratrix run --config '/etc/my hosts.toml' --known /known.toml --qemu mine=/build --case {NORMAL}"
    );
    assert!(terminal(&run, Colour::Plain).contains(&line));
    let escaped = line.replace('\'', "&apos;");
    let xml = junit(&run, Granularity::Case, Flavour::Strict).expect("it is written");
    assert!(xml.contains(&line) || xml.contains(&escaped), "{xml}");
    assert!(page(&run).contains(&line));
}

#[test]
fn the_line_that_runs_a_case_again_has_its_hosts_set_up_as_they_were() {
    let on = |setup, name: &str| {
        let failed = judge(&spoilt(good(name))).with_log("history/case.jsonl");
        Judgement { setup, ..failed }
    };
    let begun = |as_shipped, without_controls| RunOptions {
        as_shipped,
        without_controls,
        ..RunOptions::default()
    };
    let [quick, shipped] = [HostSetup::Quick, HostSetup::AsShipped];
    for (setup, begun, option) in [
        (quick, begun(false, false), " --without-controls"),
        (quick, begun(false, true), " --without-controls"),
        (shipped, begun(false, false), ""),
        (shipped, begun(false, true), ""),
        (shipped, begun(true, false), " --as-shipped"),
    ] {
        let run = run([on(setup, NORMAL)]).with_options(begun);
        let line = format!("migratrix run{option} --case {NORMAL}");
        let xml = junit(&run, Granularity::Case, Flavour::Strict).expect("it is written");
        for text in [terminal(&run, Colour::Plain), xml, page(&run)] {
            assert!(text.contains(&line), "{line} in {text}");
        }
    }
    let skipped = run([Judgement::skipped(NORMAL.parse().expect("a case"), "", 1)]);
    let skipped = skipped.with_options(begun(false, true));
    let case = NORMAL.parse().expect("a case");
    assert!(skipped.again(&case).contains(" --without-controls "));
    let both = page(&run([on(quick, NORMAL), on(shipped, P2P)]));
    let lines =
        r#""again":[["migratrix run --without-controls --case ",""],["migratrix run --case ",""]]"#;
    assert!(both.contains(lines), "{both}");
}

#[test]
fn the_evidence_of_a_failure_is_named_in_every_report() {
    let evidence = vec![Evidence {
        file: "evidence/case/source-qemu.log".to_owned(),
        shows: "what QEMU said on the source".to_owned(),
        said: None,
    }];
    let failed = judge(&spoilt(good(NORMAL)))
        .with_log("history/case.jsonl")
        .with_evidence(evidence);
    let run = run([failed]);
    all_tell(
        &run,
        &[
            "evidence/case/source-qemu.log",
            "what QEMU said on the source",
        ],
    );
    assert!(page(&run).contains("href=\"evidence/case/source-qemu.log\""));
    assert!(page(&run).contains("href=\"history/case.jsonl\""));
}

#[test]
fn what_an_address_gives_a_meaning_of_its_own_is_escaped_in_links() {
    let failed = judge(&spoilt(good(NORMAL))).with_log("history/a#b?c%d e.jsonl");
    let page = page(&run([failed]));
    assert!(
        page.contains("href=\"history/a%23b%3Fc%25d%20e.jsonl\""),
        "{page}"
    );
}

#[test]
fn what_others_wrote_stays_text_wherever_it_stands_on_the_page() {
    const HOSTILE: &str = "\"><script>&\u{1b}[1m";
    let list = format!(
        "[[known]]\ncases = \"suite(tck)\"\nconditions = [\"destination-config\"]\n\
         reason = 'r{HOSTILE}'\nlink = 'https://e.org/?a=1&b'\n"
    )
    .replace('\u{1b}', "");
    let evidence = vec![Evidence {
        file: format!("evidence/{HOSTILE}"),
        shows: HOSTILE.to_owned(),
        said: Some(HOSTILE.to_owned()),
    }];
    let mut judgement = judge(&spoilt(good(NORMAL)))
        .with_log(HOSTILE)
        .with_evidence(evidence);
    for (_, verdict) in &mut judgement.conditions {
        if verdict.kind() == Kind::Fail {
            *verdict = Verdict::fail(HOSTILE);
        }
    }
    let packages = BTreeMap::from([(HOSTILE.to_owned(), HOSTILE.to_owned())]);
    let told = Release {
        packages,
        ..release("bookworm", "7.2.22")
    };
    let mut run = run([judgement]).on(vec![told, release("trixie", "10.0.13")]);
    let known = KnownFailures::parse(&list).expect("a list");
    run.mark_known(&known, &releases()).expect("known releases");
    let page = page(&run);
    // One that could end the attribute is refused where the list is read.
    assert!(
        page.contains("<a href=\"https://e.org/?a=1&amp;b"),
        "{page}"
    );
    assert!(page.matches("&quot;&gt;&lt;script&gt;&amp;").count() >= 5);
    let scripts = page.matches("<script").count();
    assert!(scripts == 2 && !page.contains('\u{1b}'), "{page}");
    let opened = |tag: &str| {
        let [bare, with] = ['>', ' '].map(|end| page.matches(&format!("<{tag}{end}")).count());
        bare + with
    };
    let closed = |tag: &str| page.matches(&format!("</{tag}>")).count();
    for tag in ["tr", "p", "code", "section", "details"] {
        assert_eq!(opened(tag), closed(tag), "{tag} in {page}");
    }
}

#[test]
fn junit_is_written_a_pair_a_file_and_its_size_is_told() {
    let back = NORMAL.replace("trixie,bookworm,trixie", "trixie,trixie,bookworm");
    let run = run([judge(&good(NORMAL)), judge(&good(&back))]);
    let name = |text| ReleaseName::new(text).expect("a name");
    let (source, destination) = (&name("bookworm"), &name("trixie"));
    let pair = Part::Pair {
        source,
        destination,
    };
    let mut xml = Vec::new();
    let size = write_junit(&run, pair, Granularity::Case, Flavour::Rich, &mut xml).expect("memory");
    let xml = String::from_utf8(xml).expect("text");
    assert_eq!(size.bytes, xml.len() as u64);
    let opened = xml.matches('<').count() - xml.matches("</").count() - xml.matches("<?").count();
    assert_eq!(size.objects, opened as u64);
    assert!(xml.contains(NORMAL) && !xml.contains(&back));
}

#[test]
fn the_strict_file_is_one_of_all_suites_with_each_reason_at_its_own_test() {
    let own = "trixie,bookworm,trixie";
    let other = "trixie,bookworm,bookworm";
    let skips = [
        (own, "normal/persistent-paused-undefined/none", "first"),
        (own, "normal/transient-paused-undefined/none", "second"),
        (other, "normal/transient-paused-undefined/none", "third"),
    ];
    let skips = skips.map(|(tuple, rest, why)| (format!("tck/libvirt/{tuple}/{rest}"), tuple, why));
    let skipped = skips
        .iter()
        .map(|(name, _, why)| Judgement::skipped(name.parse().expect("a case"), why, 0));
    let run = run(skipped.chain([judge(&spoilt(good(NORMAL)))]));
    let xml = junit(&run, Granularity::Case, Flavour::Strict).expect("it is written");
    for once in ["<?xml ", "<testsuites>", "</testsuites>"] {
        assert_eq!(xml.matches(once).count(), 1, "{once}: {xml}");
    }
    for (number, tuple) in [other, own].iter().enumerate() {
        let suite = format!("<testsuite id=\"{number}\" name=\"{tuple}\"");
        assert!(xml.contains(&suite), "{suite}: {xml}");
    }
    for (name, tuple, why) in skips {
        let class = format!("classname=\"migratrix.tck.{tuple}\"");
        let (_, after) = xml.split_once(&format!("\"{name}\"")).expect("it is there");
        let (test, _) = after.split_once("</testcase>").expect("it ends");
        let reason = format!("message=\"{why}\"/>");
        assert!(test.contains(&class) && test.contains(&reason), "{xml}");
    }
}

#[test]
fn texts_of_others_stand_whole_in_the_strict_file() {
    let mut failed = judge(&good(NORMAL));
    for (condition, verdict) in &mut failed.conditions {
        if *condition == Condition::Memory {
            *verdict = Verdict::fail("a ]]> <b>\t& \u{1b}[1mc");
        }
    }
    let again = Judgement {
        attempt: 2,
        ..failed.clone()
    };
    let run = run([failed, again]);
    let xml = junit(&run, Granularity::Case, Flavour::Strict).expect("it is written");
    for line in ["tried again {case}: attempt 1: memory: ", "memory (fail): "] {
        let line = line.replace("{case}", NORMAL);
        let line = format!("{line}a ]]&gt; &lt;b&gt; &amp; \\u{{1b}}[1mc\n");
        assert!(xml.contains(&line), "{line}: {xml}");
    }
    assert!(!xml.contains("<![CDATA["), "it would count as elements");
}

/// A writer that notes the largest piece that it was given.
#[derive(Default)]
struct Pieces {
    all: usize,
    largest: usize,
}

impl std::io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.all += piece.len();
        self.largest = self.largest.max(piece.len());
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn junit_is_handed_on_as_it_is_made() {
    let points = migratrix_matrix::Profile::TCK.points(migratrix_matrix::Backend::Libvirt);
    let judgements = points.into_iter().map(|(point, _)| {
        let case = Case {
            point,
            ..NORMAL.parse().expect("a case")
        };
        judge(&good(&case.to_string()))
    });
    let run = run(judgements);
    let mut pieces = Pieces::default();
    for flavour in [Flavour::Rich, Flavour::Strict] {
        write_junit(
            &run,
            Part::Whole,
            Granularity::Condition,
            flavour,
            &mut pieces,
        )
        .expect("it is counted only");
    }
    assert!(pieces.all > 100_000, "{}", pieces.all);
    assert!(pieces.largest < 1_000, "{}", pieces.largest);
}

#[test]
fn one_cause_that_shows_in_different_words_is_set_apart_as_one() {
    let raw = |options: &str, fails: Option<&str>| {
        let name = format!("qemu/qemu/bookworm,trixie/precopy/tcp/running/{options}");
        let mut judgement = Judgement::skipped(name.parse().expect("a case"), "", 0);
        for (condition, verdict) in &mut judgement.conditions {
            *verdict = match fails {
                Some(why) if *condition == Condition::Migrated => Verdict::fail(why),
                Some(_) | None => Verdict::Pass,
            };
        }
        judgement
    };
    let words = ["the stream is refused", "the connection is gone"];
    let failing = [
        "net", "rng", "input", "gpu", "blk", "scsi", "balloon", "serial",
    ];
    let failing = failing.map(|one| format!("virtio-{one}"));
    let failing = failing.iter().zip(words.iter().cycle());
    let failing = failing.map(|(options, why)| raw(options, Some(why)));
    let passing = ["plain", "nvme", "e1000", "vga", "lsi"];
    let passing = passing.iter().map(|options| raw(options, None));
    let run = run(failing.chain(passing));
    let text = terminal(&run, Colour::Plain);
    let told = "  4 of the 8 cases with devices(virtio-*)\n";
    assert_eq!(text.matches(told).count(), 2, "{text}");
    for why in ["the connection is gone", "the stream is refused"] {
        let in_a_line = format!("  ✗ migrated: {}: {why}\n", told.trim());
        assert!(text.contains(&in_a_line), "{text}");
    }
}

#[test]
fn known_failures_are_told_a_line_a_group_beside_the_counts() {
    let list = r#"
        [[known]]
        cases = "control(normal)"
        conditions = ["memory"]
        reason = "made up"
    "#;
    let known = KnownFailures::parse(list).expect("it is a list");
    let releases = Releases::new(Vec::new()).expect("there are none");
    let mut failed = judge(&good(NORMAL));
    for (condition, verdict) in &mut failed.conditions {
        if *condition == Condition::Memory {
            *verdict = Verdict::fail("two pages are lost");
        }
    }
    known
        .mark(&mut failed, &releases)
        .expect("no version is asked for");
    let alone = terminal(&run([failed.clone()]), Colour::Plain);
    assert!(
        alone.contains("1 known failure\n  ~ memory: 1 case: made up\n10 post-"),
        "{alone}"
    );
    let both = terminal(&run([failed, judge(&good(P2P))]), Colour::Plain);
    let line = format!("1 passed, 1 known failure\n  ~ memory: the case {NORMAL}\n");
    assert!(both.contains(&line), "{both}");
}

#[test]
fn what_was_skipped_was_not_tried_and_is_told_by_its_reason() {
    let skip = |name: &str, why| Judgement::skipped(name.parse().expect("a case"), why, 0);
    let mut blind = judge(&good(&P2P.replace("none", "live")));
    for (_, verdict) in &mut blind.conditions {
        *verdict = Verdict::unknown("no route to the host");
    }
    let run = run([
        judge(&good(NORMAL)),
        judge(&good(P2P)),
        blind,
        skip(TUNNELLED, "tunnels"),
        skip(&TUNNELLED.replace("none", "undefine"), "tunnels"),
        skip(
            "qemu/qemu/trixie,sid/postcopy/tcp/running/plain",
            "userfaultfd",
        ),
    ]);
    let text = terminal(&run, Colour::Plain);
    let told = "\n  - skipped: tunnels (2)\n  - skipped: userfaultfd (1)\n";
    assert!(
        text.contains(told) && text.contains(", 3 skipped, "),
        "{text}"
    );
    assert!(
        text.contains("tried: the libvirt API; not tried: live"),
        "{text}"
    );
    let untried = text.split("not tried: ").nth(1).expect("it is told");
    assert!(untried.contains("postcopy"), "{text}");
}

#[test]
fn a_known_failure_that_asks_for_a_version_that_is_not_known_excuses_nothing() {
    let list = |cases: &str| {
        let text = format!(
            "[[known]]\ncases = \"{cases}\"\nconditions = [\"destination-config\"]\nreason = \"r\"\n"
        );
        KnownFailures::parse(&text).expect("it is a list")
    };
    let marked = |history: &History, cases: &str| {
        let mut run = run([judge(history)]);
        run.mark_known(&list(cases), &releases())
            .expect("the releases are known");
        let standings: Vec<_> = run.cases().keys().copied().collect();
        (standings, run.unused_known().len())
    };
    let unseen = without(spoilt(good(P2P)), |saw| {
        matches!(saw, Observation::Versions(_))
    });
    for cases in ["source(qemu<9)", "!destination(libvirt<9)"] {
        let failed = (vec![Standing::Failed], 0);
        assert_eq!(marked(&unseen, cases), failed, "{cases}");
        // Of a machine that is reached by its address, what it said of itself tells.
        let seen = spoilt(good(P2P));
        let known = (vec![Standing::KnownFailure], 0);
        assert_eq!(marked(&seen, cases), known, "{cases}");
    }
    let beyond = (vec![Standing::Failed], 1);
    assert_eq!(marked(&spoilt(good(P2P)), "source(qemu>9)"), beyond);
}

#[test]
fn a_history_that_is_cut_anywhere_passes_nothing_and_proves_no_fault() {
    let whole = good(P2P);
    for kept in 0..=whole.entries.len() {
        let mut cut = whole.clone();
        cut.entries.truncate(kept);
        let judgement = judge(&cut).cut_at(kept + 2);
        assert_eq!(
            judgement.standing(),
            Standing::Unknown,
            "at line {}",
            kept + 2
        );
        let why = judgement.of(Condition::NoLeftovers).map(Verdict::why);
        assert!(
            why.is_some_and(|why| why.contains("was cut at line")),
            "{why:?}"
        );
    }
    // What a fault must leave unknown is unknown for another reason.
    let name = "faults/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none/daemon-stopped";
    let mut cut = good(name);
    let asked = |entry: &Entry| {
        let Observation::Began { verb, .. } = &entry.saw else {
            return false;
        };
        *verb == Verb::Migrate
    };
    let asked = cut.entries.iter().position(asked);
    cut.entries.truncate(asked.map_or(0, |place| place + 1));
    let judgement = judge(&cut).cut_at(9);
    assert!(
        judgement.overall().why().contains("was cut at line 9"),
        "{judgement:?}"
    );
}

#[test]
fn a_failure_that_says_something_else_than_the_known_one_is_news() {
    let list = r#"
        [[known]]
        cases = "control(normal)"
        conditions = ["migrated"]
        follows = ["alive"]
        says = ["guest CPU doesn't match", "exceeds allocated max"]
        reason = "made up"
    "#;
    let known = KnownFailures::parse(list).expect("it is a list");
    let releases = Releases::new(Vec::new()).expect("there are none");
    let standing = |why: &str, said: Option<&str>| {
        let mut failed = judge(&good(NORMAL)).with_evidence(vec![Evidence {
            file: "evidence/destination-qemu.log".to_owned(),
            shows: "what QEMU said".to_owned(),
            said: said.map(str::to_owned),
        }]);
        for (condition, verdict) in &mut failed.conditions {
            if *condition == Condition::Migrated {
                *verdict = Verdict::fail(why);
            }
        }
        known
            .mark(&mut failed, &releases)
            .expect("no version is asked for");
        failed.standing()
    };
    let refused = "was refused: guest CPU doesn't match specification";
    assert_eq!(standing(refused, None), Standing::KnownFailure);
    let gone = "was refused: the monitor was closed";
    assert_eq!(standing(gone, None), Standing::Failed);
    let said = Some("VQ 0 vring.num 1024 exceeds allocated max 8");
    assert_eq!(standing(gone, said), Standing::KnownFailure);
    assert_eq!(standing(gone, Some("out of memory")), Standing::Failed);
    let mut passes = judge(&good(NORMAL));
    known
        .mark(&mut passes, &releases)
        .expect("no version is asked for");
    assert_eq!(passes.standing(), Standing::UnexpectedPass);
}

#[test]
fn what_can_not_be_seen_for_another_reason_than_the_known_one_is_unknown() {
    let list = r#"
        [[known]]
        cases = "control(normal)"
        unseen = ["memory"]
        says = ["(signal: 11 (SIGSEGV)"]
        reason = "made up"
    "#;
    let known = KnownFailures::parse(list).expect("it is a list");
    let releases = Releases::new(Vec::new()).expect("there are none");
    let standing = |why: &str| {
        let mut unseen = judge(&good(NORMAL));
        for (condition, verdict) in &mut unseen.conditions {
            if *condition == Condition::Memory {
                *verdict = Verdict::unknown(why);
            }
        }
        known
            .mark(&mut unseen, &releases)
            .expect("no version is asked for");
        unseen.standing()
    };
    let crash = "the client closed its output (signal: 11 (SIGSEGV))";
    assert_eq!(standing(crash), Standing::KnownFailure);
    assert_eq!(standing("no answer within 30 s"), Standing::Unknown);
}

/// What is kept of an attempt whose migration ended unknown, and why.
fn kept_of_unknown(why: &str) -> Option<String> {
    let history = changed(good(P2P), |saw| {
        if let Observation::Ended {
            verb: Verb::Migrate,
            outcome,
            ..
        } = saw
        {
            *outcome = Outcome::Unknown {
                why: why.to_owned(),
            };
        }
    });
    judge(&history).hung
}

#[test]
fn a_client_that_crashed_in_a_first_attempt_is_not_forgotten() {
    let crash = "the client closed its output (signal: 11 (SIGSEGV)); its stderr: \"\"";
    let told = kept_of_unknown(crash).expect("it is told");
    assert!(told.ends_with(crash), "{told}");
    let killed = "the client closed its output (signal: 9 (SIGKILL))";
    assert_eq!(kept_of_unknown(killed), None);
    assert_eq!(kept_of_unknown("the domain wrote SIGSEGV"), None);
}

#[test]
fn a_qemu_that_never_answered_a_first_attempt_hung_and_is_not_forgotten() {
    let told = kept_of_unknown("no answer within 30 s").expect("it hung");
    assert!(told.contains("`migrate` ended unknown"), "{told}");
    assert_eq!(kept_of_unknown("the client process has ended"), None);
}
