//! The page of a run whose files can be looked into.

use migratrix_history::{Observation, Outcome, Refusal};
use migratrix_matrix::HostSetup;

use super::*;
use crate::{Evidence, Judgement, judge, story};

const CASE: &str = "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live";
const HOSTILE: &str = "</script><script>alert('\"')</script>\u{1b}[31m";

/// The files of a run in memory: a history, and evidence.
struct Kept(String);

impl Files for Kept {
    fn way(&self, _: &Judgement, file: &str) -> String {
        file.to_owned()
    }

    fn bytes(&self, _: &Judgement, file: &str) -> Option<Vec<u8>> {
        let text = match file.rsplit('/').next()? {
            "source-before.xml" => format!("<domain>\n<a>{HOSTILE}</a>\n</domain>\n"),
            "destination-after.xml" => "<domain>\n<b/>\n</domain>\n".to_owned(),
            "source-domain.xml" | "source-after-domain.xml" => "<domain/>\n".to_owned(),
            "source-qemu.args" | "destination-qemu.args" => "qemu\n-S\n".to_owned(),
            "destination-libvirtd.log" => format!("early\n1: error : no {HOSTILE}\n"),
            "history.jsonl" => self.0.clone(),
            _ => return None,
        };
        Some(text.into_bytes())
    }
}

/// A run with a case that was refused, and all that is kept of it.
fn refused() -> (Run, Kept) {
    let refusal = Refusal {
        code: 9,
        domain: 31,
        message: format!("no {HOSTILE}"),
    };
    let history = story::changed(story::good(CASE), |saw| {
        if let Observation::Ended { step, outcome, .. } = saw {
            if step.starts_with("migrate") {
                *outcome = Outcome::Refused(refusal.clone());
            }
        }
    });
    let evidence = |name: &str| Evidence {
        file: format!("evidence/case/{name}"),
        shows: format!("what is in {name}"),
        said: None,
    };
    let all = [
        "source-before.xml",
        "destination-after.xml",
        "source-qemu.args",
        "destination-qemu.args",
        "destination-libvirtd.log",
        "source-domain.xml",
        "source-after-domain.xml",
    ];
    let judgement = judge(&history)
        .with_log("history.jsonl")
        .with_evidence(all.map(evidence).to_vec());
    (Run::new(Vec::new(), [judgement]), Kept(history.to_text()))
}

#[test]
fn a_failed_case_has_its_timeline_its_domain_with_what_differs_and_its_logs() {
    let (run, files) = refused();
    let page = html(&run, files);
    for told in [
        "<svg viewBox=",
        "<del>− &lt;a&gt;",
        "<ins>+ &lt;b/&gt;",
        "QEMU's command line: on the source, and on the destination",
        "no difference",
        "<mark>▸ 1: error : no ",
        "what is in source-domain.xml",
        "the domain on the source: before, and after",
    ] {
        assert!(page.contains(told), "`{told}` is missing in {page}");
    }
}

#[test]
fn what_a_qemu_said_stands_in_the_panel_of_its_case_and_in_its_row() {
    let (run, files) = refused();
    let bad = run.judgements().next().expect("a case").clone();
    let said = Evidence {
        file: "evidence/case/destination-qemu.log".to_owned(),
        shows: "what it said".to_owned(),
        said: Some(format!("VQ 0 is too large {HOSTILE}")),
    };
    let bad = bad.with_evidence(vec![said]);
    let other = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/live";
    let run = Run::new(Vec::new(), [bad, judge(&story::good(other))]);
    let page = html(&run, files);
    let (_, panel) = page.split_once("<div class=\"body\">").expect("a panel");
    let (panel, _) = panel.split_once("</details>").expect("it ends");
    let told = "<p class=\"said\">QEMU said on the destination: VQ 0 is too large &lt;/script&gt;";
    assert!(panel.contains(told), "{panel}");
    let (_, data) = page.split_once("type=\"application/json\">").expect("data");
    let (data, _) = data.split_once("</script>").expect("it ends");
    let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
    let said = |case: usize| {
        let number = data["cases"][case][7].as_u64().expect("a number");
        let number = usize::try_from(number).expect("it is small");
        data["said"][number].as_str().expect("a text").to_owned()
    };
    let all = [said(0), said(1)];
    assert!(all.iter().any(String::is_empty), "{all:?}");
    let told = "QEMU said on the destination: VQ 0 is too large </script>";
    assert!(all.iter().any(|one| one.starts_with(told)), "{all:?}");
}

/// The head of the page and its grids, of a run in which these cases passed.
fn page_of(names: &[&str]) -> String {
    let passed = names.iter().map(|name| {
        let mut one = Judgement::skipped(name.parse().expect("a case"), "", 0);
        let conditions = one.conditions.iter_mut();
        conditions.for_each(|(_, verdict)| *verdict = crate::Verdict::Pass);
        one
    });
    html(&Run::new(Vec::new(), passed), Kept(String::new()))
}

const STAYS: &str = "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain";

#[test]
fn where_nothing_migrates_the_page_tells_of_the_source_alone() {
    let page = page_of(&[STAYS]);
    for told in [
        "<b>✓ As expected</b> <small>nothing migrates</small>",
        "<h1>bookworm alone, where nothing migrates: as expected in 1 of 1 scenario</h1>",
        "<th scope=\"col\">alone</th>",
        "<a href=\"#source=bookworm&amp;journey=stay&amp;backend=qemu\" title=\"bookworm alone, as nothing",
    ] {
        assert!(page.contains(told), "`{told}` is missing in {page}");
    }
    let (head, _) = page.split_once("id=\"cases\"").unwrap_or((&page, ""));
    assert!(!head.contains("safe in") && !head.contains("<th scope=\"col\">trixie"));
}

#[test]
fn a_pair_is_safe_by_the_cases_that_migrate_and_others_are_told_beside_them() {
    let moves = STAYS.replace("stay", "shared-storage");
    let other = STAYS.replace("incremental-simple", "incremental-cancel");
    let page = page_of(&[STAYS, &other, &moves]);
    let told = "<h1>bookworm → trixie: safe in 1 of 1 scenario; bookworm alone, where nothing migrates: \
                as expected in 2 of 2 scenarios</h1>";
    assert!(page.contains(told), "{page}");
    for head in ["trixie", "alone"] {
        let head = format!("<th scope=\"col\">{head}</th>");
        assert!(page.contains(&head), "{page}");
    }
}

#[test]
fn a_page_of_the_hypervisor_in_memory_says_so_first() {
    let page = page_of(&["tck/fake/a,a,b/p2p/persistent-running-undefined/none"]);
    let told = "<h1>in memory, where no QEMU ran: as expected in 1 of 1 scenario</h1>";
    assert!(page.contains(told), "{page}");
    assert!(
        page.contains("✓ As expected</b>") && !page.contains("✓ Go"),
        "{page}"
    );
}

#[test]
fn what_is_in_files_stays_text() {
    let (run, files) = refused();
    let page = html(&run, files);
    assert_eq!(
        page.matches("<script").count(),
        2,
        "its data and its own script"
    );
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains('\u{1b}') && page.contains("\\u{1b}[31m"));
}

#[test]
fn the_verdict_says_go_or_no_go_and_of_what() {
    let good = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/live";
    let told = |page: &str| {
        let (_, rest) = page.split_once("<h1>").expect("it has a verdict");
        rest.split_once("</h1>").expect("it ends").0.to_owned()
    };
    let run = Run::new(Vec::new(), [judge(&story::good(good))]);
    let page = html(&run, Kept(String::new()));
    assert_eq!(told(&page), "bookworm → trixie: safe in 1 of 1 scenario");
    assert!(page.contains("<b>✓ Go</b>"));
    let (bad, files) = refused();
    let page = html(&run.merge(bad), files);
    assert_eq!(
        told(&page),
        format!("bookworm → trixie: safe in 1 of 2 scenarios; not in <code>{CASE}</code>")
    );
    assert!(page.contains("<b>✗ No go</b>"));
}

#[test]
fn several_clients_have_a_grid_together_and_each_alone() {
    let names = [
        CASE.to_owned(),
        CASE.replace("trixie,bookworm", "bookworm,bookworm"),
    ];
    let run = Run::new(
        Vec::new(),
        names.iter().map(|name| judge(&story::good(name))),
    );
    let page = html(&run, Kept(String::new()));
    for title in ["all clients", "client trixie", "client bookworm"] {
        assert!(
            page.contains(&format!("<caption>{title}</caption>")),
            "{title}"
        );
    }
    assert!(page.contains("href=\"#source=bookworm&amp;destination=trixie\""));
}

/// Cases that all came out as this one.
fn many(one: &Judgement, count: usize) -> Run {
    let judged = (0..count).map(|number| {
        let control = ["normal", "p2p", "tunnelled"][number % 3];
        let life = ["persistent", "transient"][number / 3 % 2];
        let activity = ["running", "paused"][number / 6 % 2];
        let live = ["", "live+"][number / 12 % 2];
        let flags = ["undefine", "persist", "undefine+persist", "undefine+persist/rng"];
        let (flags, release) = (flags[number / 24 % 4], number / 96);
        let name = format!(
            "tck/libvirt/r{release},bookworm,trixie/{control}/{life}-{activity}-undefined/{live}{flags}"
        );
        let mut judgement = one.clone();
        judgement.case = name.parse().expect("a case");
        judgement
    });
    Run::new(Vec::new(), judged)
}

#[test]
fn six_thousand_passing_cases_are_a_small_page() {
    let run = many(&judge(&story::good(CASE)).with_log("history.jsonl"), 6_144);
    assert_eq!(run.judgements().len(), 6_144);
    let page = html(&run, Kept(String::new()));
    assert!(page.len() < 500_000, "{}", page.len());
}

#[test]
fn of_very_many_failures_the_first_have_everything_and_the_page_stays_below_its_bound() {
    let (one, files) = refused();
    let failed = one.judgements().next().expect("there is one").clone();
    let page = html(&many(&failed, 6_144), files);
    assert!(page.len() < 10_000_000, "{}", page.len());
    assert!(page.matches("<svg").count() > 10);
    assert!(page.contains(" more, left out here to keep the page small"));
}

/// A run of 96 cases, of which those fail that `fails` says it of.
fn with_failures(fails: fn(&str) -> bool) -> Run {
    let (refused, _) = refused();
    let failed = refused.judgements().next().expect("there is one").clone();
    let passed = judge(&story::good(CASE));
    let all = many(&passed, 96);
    let judged = all.judgements().map(|one| {
        let from = if fails(&one.case.to_string()) {
            &failed
        } else {
            &passed
        };
        let case = one.case.clone();
        Judgement {
            case,
            ..from.clone()
        }
    });
    Run::new(Vec::new(), judged)
}

#[test]
fn a_cause_is_a_link_to_its_cases_with_what_they_say_and_none_is_told_where_all_fail() {
    let planted = |fails| html(&with_failures(fails), Kept(String::new()));
    let page = planted(|name| name.contains("/p2p/transient-"));
    let told = "<a href=\"#control=p2p&amp;persistence=transient\"><code>control(p2p) &amp; \
                state(transient)</code></a> <small>16 of 16 fail</small><br><small>condition migrated failed: no ";
    assert!(page.contains(told), "{told}");
    let none = "What accounts for the failures";
    assert!(!planted(|_| true).contains(none) && !planted(|_| false).contains(none));
}

#[test]
fn a_cause_that_names_the_setup_of_hosts_is_a_link_to_the_cases_on_them() {
    let (all_fail, all_pass) = (with_failures(|_| true), with_failures(|_| false));
    let both = all_fail.judgements().zip(all_pass.judgements());
    let judged = both.zip(0..).map(|((failed, passed), place)| {
        let setup = match place % 5 {
            0 => HostSetup::AsShipped,
            _ => HostSetup::Quick,
        };
        let is_p2p = passed.case.to_string().contains("/p2p/");
        let fails = is_p2p && setup == HostSetup::Quick;
        let one = if fails { failed } else { passed };
        Judgement {
            setup,
            ..one.clone()
        }
        .with_log("history.jsonl")
    });
    let page = html(&Run::new(Vec::new(), judged), Kept(String::new()));
    let told = "<a href=\"#control=p2p&amp;setup=quick\"><code>control(p2p), where libvirt does not ask QEMU about processors (capability_filters)";
    assert!(page.contains(told), "{told}");
    let axis = "{\"name\":\"setup\",\"values\":[\"as-shipped\",\"quick\"]}";
    assert!(page.contains(axis), "{axis}");
    let one_way = html(
        &with_failures(|name| name.contains("/p2p/")),
        Kept(String::new()),
    );
    assert!(
        !one_way.contains("\"name\":\"setup\""),
        "there is nothing to choose"
    );
}

#[test]
fn the_verdict_blames_what_the_list_of_causes_does() {
    let run = with_failures(|name| name.contains("/p2p/"));
    let page = html(&run, Kept(String::new()));
    let (_, rest) = page.split_once("<h1>").expect("it has a verdict");
    let (told, rest) = rest.split_once("</h1>").expect("it ends");
    assert!(
        told.ends_with("; not with <code>control(p2p)</code>"),
        "{told}"
    );
    assert!(rest.contains("<a href=\"#control=p2p\"><code>control(p2p)</code></a>"));
}

#[test]
fn the_causes_of_known_failures_are_told_with_their_sign() {
    let known = |fails| {
        let mut run = with_failures(fails);
        let list = "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"migrated\"]\nreason = \"of old\"\n";
        let list = crate::KnownFailures::parse(list).expect("a list");
        run.mark_known(&list, &migratrix_matrix::Releases::default())
            .expect("it fits");
        run
    };
    let page = |run: &Run| html(run, Kept(String::new()));
    let sign =
        "<li><b class=\"known\">~</b> <a href=\"#control=p2p\"><code>control(p2p)</code></a>";
    let alone = page(&known(|name| name.contains("/p2p/")));
    assert!(alone.contains("What accounts for the known failures"));
    assert!(alone.contains(sign), "{alone}");
    let both = |name: &str| name.contains("/p2p/") || name.contains("/tunnelled/transient-");
    let both = page(&known(both));
    assert!(both.contains("What accounts for the failures"));
    let own = "<li><a href=\"#control=tunnelled&amp;persistence=transient\">";
    let places = [own, sign].map(|one| both.find(one));
    assert!(
        places[0].is_some() && places[0] < places[1],
        "failures first: {places:?}"
    );
    let failing = crate::Rules {
        known: crate::KnownAre::Failed,
        ..crate::Rules::default()
    };
    let failing = page(&known(|name| name.contains("/p2p/")).by(failing));
    assert!(!failing.contains(sign) && failing.contains("<li><a href=\"#control=p2p\">"));
}

/// The page's first sentence.
fn sentence(run: &Run) -> String {
    let page = html(run, |_: &Judgement, file: &str| file.to_owned());
    let (_, rest) = page.split_once("<h1>").expect("it has a head");
    rest.split("</h1>").next().unwrap_or_default().to_owned()
}

#[test]
fn the_first_sentence_names_what_passed_against_the_list_of_known_failures() {
    let name = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/live";
    let other = name.replace("p2p", "normal");
    let known =
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"migrated\"]\nreason = \"r\"\n";
    let known = crate::KnownFailures::parse(known).expect("a list");
    let mut run = Run::new(
        Vec::new(),
        [judge(&story::good(name)), judge(&story::good(&other))],
    );
    let none = sentence(&run);
    assert!(none.ends_with("safe in 2 of 2 scenarios"), "{none}");
    let releases = migratrix_matrix::Releases::new(Vec::new()).expect("none");
    run.mark_known(&known, &releases).expect("it names none");
    let told = sentence(&run);
    let words = format!(
        "safe in 1 of 2 scenarios; against the list of known failures it passed in <code>{name}</code>"
    );
    assert!(told.ends_with(&words), "{told}");
}

#[test]
fn of_a_suite_without_post_conditions_none_are_counted() {
    let raw = "backup/qemu/bookworm,trixie/stay/blockdev-backup/incremental-simple/plain";
    let mut judgement = Judgement::skipped(raw.parse().expect("a case"), "a disk", 0);
    judgement
        .conditions
        .iter_mut()
        .for_each(|(_, its)| *its = crate::Verdict::Pass);
    let run = Run::new(Vec::new(), [judgement]);
    let page = html(&run, |_: &Judgement, file: &str| file.to_owned());
    assert!(!page.contains("post-condition"), "{page}");
    assert!(page.contains(" conditions in all."));
}
