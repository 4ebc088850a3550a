//! What is not as it seems at first: a host that died while nobody was on it, a file that can't be
//! believed, a cell whose cases were shaken, a part that is no whole, an entry that has expired.

#[expect(dead_code, reason = "these tests need few of the stories")]
#[path = "../src/story.rs"]
mod story;

use migratrix_history::{Entry, Observation, Side, Strange};
use migratrix_matrix::{Condition, Release, ReleaseName, Releases, Selection};
use migratrix_reports::{
    Colour, Damaged, Evidence, Exit, Flaky, Flavour, Granularity, HostTrouble, IdleLoss, Judgement,
    Kind, KnownFailures, Rules, Run, Standing, Verdict, html, json, judge, junit, markdown, parse,
    read, terminal, to_line,
};
use story::good;

const NORMAL: &str = "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/none";
const P2P: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";

fn run(judgements: impl IntoIterator<Item = Judgement>) -> Run {
    let judgements: Vec<_> = judgements.into_iter().collect();
    let mut planned: Vec<_> = judgements.iter().map(|one| one.case.clone()).collect();
    planned.dedup();
    Run::new(planned, judgements)
}

fn reports(run: &Run) -> [String; 5] {
    let xml = |flavour| junit(run, Granularity::Case, flavour).expect("it is written");
    [
        terminal(run, Colour::Plain),
        html(run, |_: &Judgement, file: &str| file.to_owned()),
        json(run),
        xml(Flavour::Rich),
        xml(Flavour::Strict),
    ]
}

#[track_caller]
fn all_tell(run: &Run, words: &str) {
    for text in reports(run) {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
}

fn loss() -> IdleLoss {
    IdleLoss {
        trouble: HostTrouble::Died,
        release: ReleaseName::new("trixie").expect("a name"),
        side: Side::Destination,
        why: "killed by signal 11 (SIGSEGV)".to_owned(),
        at_unix: 1_795_000_000,
    }
}

#[test]
fn a_host_that_died_while_no_case_was_on_it_fails_the_run_and_is_told_in_every_report() {
    let run = run([judge(&good(NORMAL))]).with_idle_losses(vec![loss()]);
    assert_eq!(run.exit(), Exit::Failed);
    all_tell(&run, "killed by signal 11 (SIGSEGV)");
    let [text, page, summary, rich, strict] = reports(&run);
    let head = "✗ the destination host of trixie died at 2026-";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("\n  no case was on it\n"), "{text}");
    assert!(text.contains("1 host died during the run"), "{text}");
    assert!(page.contains("no case was on it"), "{page}");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("it is JSON");
    assert_eq!(summary["hosts_died"][0]["release"], "trixie");
    assert_eq!(summary["exit"], "failed");
    for xml in [rich, strict] {
        assert_eq!(xml.matches("<failure").count(), 1, "{xml}");
        assert!(xml.contains("no case was on it"), "{xml}");
    }
    let allowed = run.by(Rules {
        flaky: Flaky::Allowed,
        ..Rules::default()
    });
    assert_eq!(allowed.exit(), Exit::AsExpected);
}

#[test]
fn what_no_case_can_be_told_to_have_left_fails_the_run_and_is_told_in_every_report() {
    let left = IdleLoss {
        trouble: HostTrouble::LeftOver,
        why: "port 49152 of process 7".to_owned(),
        ..loss()
    };
    let run = run([judge(&good(NORMAL))]).with_idle_losses(vec![left]);
    assert_eq!(run.exit(), Exit::Failed);
    all_tell(&run, "port 49152 of process 7");
    let [text, _, summary, ..] = reports(&run);
    assert!(
        text.contains("the destination host of trixie had something left on it"),
        "{text}"
    );
    assert!(text.contains("1 thing left on hosts"), "{text}");
    assert!(!text.contains("died"), "{text}");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("it is JSON");
    assert_eq!(summary["hosts_died"][0]["trouble"], "left-over");
}

/// What is read first: the page's first sentence, and the first two paragraphs in Markdown.
fn first(run: &Run) -> [String; 2] {
    let [_, page, ..] = reports(run);
    let head = page
        .split_once("<h1>")
        .and_then(|(_, rest)| rest.split_once("</h1>"));
    let lines = markdown(run);
    let lines: Vec<_> = lines
        .lines()
        .filter(|line| !line.is_empty())
        .take(2)
        .collect();
    [head.expect("it has one").0.to_owned(), lines.join("\n")]
}

#[test]
fn what_a_run_goes_by_beside_its_cases_stands_in_the_first_sentence() {
    let good = || run([judge(&good(NORMAL))]);
    let left = |release: &str| IdleLoss {
        trouble: HostTrouble::LeftOver,
        release: ReleaseName::new(release).expect("a name"),
        ..loss()
    };
    let shard = || vec!["2/3".parse().expect("a shard")];
    for (run, sign, words) in [
        (
            good().with_idle_losses(vec![loss()]),
            "No go",
            "1 host died during the run",
        ),
        (
            good().with_idle_losses(vec![left("trixie"), left("bookworm")]),
            "No go",
            "2 things left on hosts, and by no case that can be told",
        ),
        (good().without_shards(shard(), 3), "Open", "1 shard missing"),
        (
            good().with_damage([Damaged::of_files("line 2 is cut".to_owned())]),
            "Open",
            "1 trouble with its files",
        ),
    ] {
        for told in first(&run) {
            assert!(told.contains(words), "{words} is missing in {told}");
        }
        assert!(first(&run)[1].contains(sign), "{:?}", first(&run));
    }
    for told in first(&good()) {
        assert!(!told.contains(';'), "{told}");
    }
}

#[test]
fn a_run_that_is_given_twice_has_its_idle_losses_once() {
    let one = || run([judge(&good(NORMAL))]).with_idle_losses(vec![loss()]);
    assert_eq!(one().merge(one()).deaths().len(), 1);
}

/// What makes a judgement one that can't be believed.
type Spoil = fn(&mut Judgement);

#[test]
fn a_line_of_the_verdicts_without_the_conditions_of_its_case_is_damaged_and_not_believed() {
    let whole = judge(&good(NORMAL));
    let spoil: [(Spoil, &str); 4] = [
        (|one| one.conditions.clear(), "it lacks source-"),
        (
            |one| one.conditions.retain(|(its, _)| *its != Condition::Memory),
            "it lacks memory",
        ),
        (
            |one| {
                let first = one.conditions[0].1.clone();
                one.conditions.push((Condition::Mirror, first));
            },
            "it has no business with mirror",
        ),
        (
            |one| one.conditions.push(one.conditions[0].clone()),
            "it has twice source-",
        ),
    ];
    for (change, why) in spoil {
        let mut spoilt = whole.clone();
        change(&mut spoilt);
        let text = [to_line(&spoilt), to_line(&judge(&good(P2P)))].join("\n") + "\n";
        let mut judgements = Vec::new();
        let reading = read(text.as_bytes(), |one| judgements.push(one)).expect("it can be read");
        let [damage] = &reading.damaged[..] else {
            panic!("{:?}", reading.damaged);
        };
        assert_eq!(damage.line, 1);
        assert!(damage.why.contains(why), "{}", damage.why);
        assert_eq!(judgements[0].standing(), Standing::Unknown);
        assert_eq!(
            judgements[1].standing(),
            Standing::Passed,
            "the rest is judged"
        );
        assert!(parse(&text).is_err());
        let run = run(judgements).with_damage([Damaged::of_files(damage.why.clone())]);
        assert_eq!(run.exit(), Exit::Unknown);
        all_tell(&run, why);
    }
}

#[test]
fn a_line_that_is_no_judgement_is_damaged_and_the_rest_is_judged() {
    let text = "{}\n".to_owned() + &to_line(&judge(&good(P2P))) + "\n";
    let mut judgements = Vec::new();
    let reading = read(text.as_bytes(), |one| judgements.push(one)).expect("it can be read");
    assert_eq!(reading.damaged.len(), 1);
    assert_eq!(judgements.len(), 1);
}

#[test]
fn what_failed_stays_failed_in_a_line_that_is_damaged() {
    let mut spoilt = judge(&good(NORMAL));
    spoilt.conditions[0].1 = migratrix_reports::Verdict::fail("it was refused");
    spoilt.conditions.truncate(3);
    let mut read_again = Vec::new();
    let line = to_line(&spoilt) + "\n";
    read(line.as_bytes(), |one| read_again.push(one)).expect("it can be read");
    assert_eq!(read_again[0].standing(), Standing::Failed);
}

#[test]
fn what_a_newer_version_saw_leaves_nothing_passing() {
    let strange = Strange {
        line: 7,
        kind: "weather".to_owned(),
    };
    let judgement = judge(&good(NORMAL)).with_strange(&[strange]);
    assert_eq!(judgement.standing(), Standing::Unknown);
    let passes = |(_, verdict): &&(_, migratrix_reports::Verdict)| verdict.kind() == Kind::Pass;
    assert_eq!(judgement.conditions.iter().filter(passes).count(), 0);
    let run = run([judgement.clone()]);
    assert_eq!(run.exit(), Exit::Unknown);
    all_tell(
        &run,
        "line 7 of the history tells `weather`, which this version does not know",
    );
    let again = parse(&(to_line(&judgement) + "\n")).expect("it can be read");
    assert_eq!(again.judgements[0].standing(), Standing::Unknown);
}

#[test]
fn a_cell_whose_case_lost_its_host_shows_it_though_all_passed_in_the_end() {
    let mut history = good(P2P);
    let at_us = history.entries.last().map_or(0, |entry| entry.at_us);
    let saw = Observation::HostLost {
        side: Side::Source,
        why: "killed".to_owned(),
        instance: "1".to_owned(),
    };
    history.entries.push(Entry { at_us, saw });
    let second = Judgement {
        attempt: 2,
        ..judge(&good(P2P))
    };
    let shaken = run([judge(&good(NORMAL)), judge(&history), second]);
    let text = terminal(&shaken, Colour::Plain);
    let row = text.lines().find(|line| line.contains("bookworm → trixie"));
    let row = row.expect("there is a row").to_owned();
    assert!(row.contains("✓ 1/1"), "{row}");
    assert!(row.contains("± 1/1"), "{row}");
    let summary: serde_json::Value = serde_json::from_str(&json(&shaken)).expect("it is JSON");
    assert_eq!(summary["tuples"][0]["worst"], "failed-at-first");
    let page = html(&shaken, |_: &Judgement, file: &str| file.to_owned());
    assert!(page.contains("<b>±</b> 2/2"), "{page}");
}

#[test]
fn the_headline_of_a_shard_says_which_it_is() {
    let of = |shard: &str| Selection {
        shard: shard.parse().ok(),
        ..Selection::default()
    };
    let part = || run([judge(&good(NORMAL))]).as_part(of("2/3"), Some(53));
    let text = terminal(&part(), Colour::Plain);
    assert!(text.contains("\nshard 2 of 3: 1 of 53 cases in "), "{text}");
    let summary: serde_json::Value = serde_json::from_str(&json(&part())).expect("it is JSON");
    assert_eq!(summary["shard"], "hash:2/3");
    let other = run([judge(&good(P2P))]).as_part(of("1/3"), Some(53));
    let both = terminal(&part().merge(other), Colour::Plain);
    assert!(!both.contains("shard "), "{both}");
}

#[test]
fn the_headline_of_a_cover_says_how_many_cases_the_smallest_pair_has() {
    let back = "tck/libvirt/trixie,trixie,bookworm/p2p/persistent-running-undefined/none";
    let all = [NORMAL, P2P, back].map(|name| judge(&good(name)));
    let text = terminal(&run(all.clone()).as_cover(Some(2.into())), Colour::Plain);
    let words = "3 cases (--cover 2: 1 case of the pair that has the fewest) in ";
    assert!(text.contains(words), "{text}");
    let whole = terminal(&run(all), Colour::Plain);
    assert!(!whole.contains("--cover"), "{whole}");
}

#[test]
fn a_pair_whose_cases_were_all_skipped_and_a_cover_with_skipped_cases_say_so() {
    let back = "tck/libvirt/trixie,trixie,bookworm/p2p/persistent-running-undefined/none";
    let back = Judgement::skipped(back.parse().expect("a case"), "KVM", 1_795_000_000);
    let all = [judge(&good(NORMAL)), judge(&good(P2P)), back];
    let text = terminal(&run(all).as_cover(Some(2.into())), Colour::Plain);
    let pair = "nothing was tried of trixie → bookworm: skipped 1 case";
    assert!(text.contains(pair), "{text}");
    let cover = "--cover 2 covers less than it would: 1 case of it skipped";
    assert!(text.contains(cover), "{text}");
    let whole = terminal(
        &run([NORMAL, P2P].map(|name| judge(&good(name)))),
        Colour::Plain,
    );
    assert!(!whole.contains("nothing was tried of"), "{whole}");
}

const LIST: &str = r#"
[[known]]
cases = "control(p2p)"
conditions = ["memory"]
reason = "it was lost"
expires = "2027-01-31"
"#;

#[test]
fn an_entry_that_has_expired_says_so_though_its_case_passes() {
    let release = |name| Release::unknown(ReleaseName::new(name).expect("a name"));
    let releases = Releases::new(["trixie", "bookworm"].map(release).to_vec()).expect("two");
    let at = |day: u64| {
        let mut run = run([judge(&good(NORMAL)), judge(&good(P2P))]);
        let known = KnownFailures::parse(LIST).expect("a list").on(day);
        run.mark_known(&known, &releases).expect("known releases");
        run
    };
    let expired = at(1_801_440_000);
    assert_eq!(expired.exit(), Exit::AsExpected);
    let words = "known failure 1 has expired on 2027-01-31 and excuses nothing";
    let [text, page, summary, ..] = reports(&expired);
    for report in [text, page, summary] {
        assert!(report.contains(words), "{report}");
    }
    let before = terminal(&at(1_801_439_999), Colour::Plain);
    assert!(!before.contains("expired"), "{before}");
}

#[test]
fn a_link_that_is_no_page_is_refused_by_its_entry() {
    let with = |link: &str| format!("{LIST}link = \"{link}\"\n");
    for bad in [
        "javascript:alert(1)",
        "https://",
        "issue 1",
        "ftp://example.org/1",
        "http://a b",
    ] {
        let error = KnownFailures::parse(&with(bad)).expect_err("it is none");
        let told = error.to_string();
        assert!(told.contains(&format!("the link `{bad}`")), "{told}");
        assert!(
            told.starts_with("line 7, column 8: known failure 1 (`control(p2p)`)"),
            "{told}"
        );
    }
    for good in ["https://example.org/1", "HTTP://example.org"] {
        KnownFailures::parse(&with(good)).expect("it is one");
    }
}

#[test]
fn what_qemu_said_of_its_end_is_quoted_where_failures_are_explained() {
    let mut judgement = judge(&good(NORMAL));
    judgement.conditions[0].1 = migratrix_reports::Verdict::fail("it was refused");
    judgement.evidence = vec![Evidence {
        file: "evidence/x/destination-domain.log".to_owned(),
        shows: "the log".to_owned(),
        said: Some("VQ 0 size 0x400 exceeds allocated max".to_owned()),
    }];
    let run = run([judgement]);
    let words = "QEMU said on the destination: VQ 0 size 0x400 exceeds allocated max";
    let [text, _, summary, rich, strict] = reports(&run);
    for report in [text, summary, rich, strict] {
        assert!(report.contains(words), "{report}");
    }
}

#[test]
fn what_qemu_said_in_fewer_than_half_of_a_group_is_no_word_on_it() {
    let one = |said: &str| {
        let mut judgement = judge(&good(NORMAL));
        judgement.conditions[0].1 = migratrix_reports::Verdict::fail("it was refused");
        judgement.evidence = vec![Evidence {
            file: "evidence/x/destination-domain.log".to_owned(),
            shows: "the log".to_owned(),
            said: Some(said.to_owned()).filter(|said| !said.is_empty()),
        }];
        judgement
    };
    let names = ["normal", "p2p", "tunnelled"];
    let text = |all: [&str; 3]| {
        let judged = all.into_iter().zip(names).map(|(said, control)| {
            let mut judgement = one(said);
            let name = NORMAL.replacen("/normal/", &format!("/{control}/"), 1);
            judgement.case = name.parse().expect("a case");
            judgement
        });
        let [text, ..] = reports(&run(judged.collect::<Vec<_>>()));
        text
    };
    let most = text(["VQ 0", "VQ 0", ""]);
    assert!(
        most.contains("QEMU said on the destination: VQ 0 (2 of the 3)\n"),
        "{most}"
    );
    let all = text(["VQ 0", "VQ 0", "VQ 0"]);
    assert!(
        all.contains("QEMU said on the destination: VQ 0\n"),
        "{all}"
    );
    let few = text(["VQ 0", "", ""]);
    assert!(!few.contains("QEMU said"), "{few}");
}

/// A case of p2p or another control in which one condition came out so.
fn one_of(control: &str, state: &str, flags: &str, verdict: &(Condition, Verdict)) -> Judgement {
    let name = format!(
        "tck/libvirt/trixie,bookworm,trixie/{control}/persistent-{state}-undefined/{flags}"
    );
    let mut judgement = judge(&good(&name));
    for (condition, its) in &mut judgement.conditions {
        if *condition == verdict.0 {
            *its = verdict.1.clone();
        }
    }
    judgement
}

/// Three that fail for reasons of their own, one that was not seen, and twelve known failures, each of an entry.
fn many() -> Run {
    const FLAGS: [&str; 4] = ["none", "undefine", "persist", "undefine+persist"];
    let (mut list, mut all) = (String::new(), Vec::new());
    let refused = (Condition::Migrated, Verdict::fail("refused"));
    for control in ["normal", "p2p", "tunnelled"] {
        for flags in FLAGS {
            list += &format!(
                "[[known]]\ncases = \"name(*/{control}/persistent-running-undefined/{flags})\"\n\
                 conditions = [\"migrated\"]\nreason = \"{control} with {flags}\"\n"
            );
            all.push(one_of(control, "running", flags, &refused));
        }
    }
    let others = [
        (Condition::Memory, Verdict::fail("page 5 is stale")),
        (Condition::Events, Verdict::fail("none came")),
        (Condition::Identity, Verdict::fail("another name")),
        (Condition::Alive, Verdict::unknown("no answer")),
    ];
    let others = others.iter().zip(FLAGS);
    all.extend(others.map(|(verdict, flags)| one_of("p2p", "paused", flags, verdict)));
    let known: KnownFailures = KnownFailures::parse(&list).expect("a list");
    let mut run = run(all);
    let releases = Releases::new(Vec::new()).expect("none");
    run.mark_known(&known, &releases).expect("it names none");
    run
}

#[test]
fn at_the_end_the_worst_groups_stand_first_and_what_is_cut_off_is_counted_by_how_it_stands() {
    let text = terminal(&many(), Colour::Plain);
    let (_, end) = text.split_once("\n16 cases in ").expect("the counts");
    let lines: Vec<_> = end.lines().skip(1).take(9).collect();
    let signs: String = lines[..8]
        .iter()
        .filter_map(|line| line.trim().chars().next())
        .collect();
    assert_eq!(signs, "✗✗✗?~~~~", "{end}");
    assert_eq!(lines[8], "  and 8 known failures more: see above", "{end}");
}
