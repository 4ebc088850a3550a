//! What scripts say, and which cases have none.

use migratrix_guest::Parameters;
use migratrix_history::{Entry, History, Observation, Outcome, Verb};
use migratrix_matrix::{Case, Condition, Release, Releases, shell_word};
use serde_json::json;

use super::{LibvirtRecipe, NoScript, Origin, RawRecipe, can_be_shown, steps::steps};
use crate::{Verdict, judge, raw_story};

fn case(name: &str) -> Case {
    name.parse().unwrap()
}

/// A history of the case, in which this was sent.
fn sent(name: &str, sent: &[(&str, &str, serde_json::Value)]) -> History {
    let mut history = raw_story::good(name);
    history.header.domain = "mq1".to_owned();
    history.entries.clear();
    for (step, command, arguments) in sent {
        let (verb, side) = match *command {
            "migrate-incoming" => (Verb::Listen, migratrix_history::Side::Destination),
            _ => (Verb::Other, migratrix_history::Side::Source),
        };
        for saw in [
            Observation::Began {
                verb,
                step: (*step).to_owned(),
            },
            Observation::Command {
                side,
                command: (*command).to_owned(),
                arguments: arguments.clone(),
            },
        ] {
            history.entries.push(Entry { at_us: 1, saw });
        }
    }
    history
}

/// The same history, of a case that has come to its end.
fn ended(mut history: History) -> History {
    let saw = Observation::Began {
        verb: Verb::Inspect,
        step: "look at source after".to_owned(),
    };
    history.entries.push(Entry { at_us: 3, saw });
    history
}

fn lines(history: &History) -> String {
    steps(history, history.header.case.raw().unwrap()).lines
}

#[test]
fn what_was_sent_is_sent_again_and_what_was_awaited_is_awaited() {
    let arguments = json!({ "uri": "unix:/dev/shm/mq1/s" });
    let mut history = sent(
        "qemu/qemu/a,b/precopy/unix/running/plain",
        &[("migrate", "migrate", arguments)],
    );
    for (verb, step) in [
        (Verb::AwaitBeat, "await a heartbeat on source"),
        (Verb::Await, "await a further pass"),
        (Verb::Await, "await completed on destination"),
    ] {
        let saw = Observation::Ended {
            verb,
            step: step.to_owned(),
            outcome: Outcome::Done,
        };
        history.entries.push(Entry { at_us: 2, saw });
    }
    assert_eq!(
        lines(&ended(history)),
        "    # migrate\n    send(source, \"migrate\", {\"uri\":\"unix:@DIR@/s\"})\n    \
         boots(source)\n    passes()\n    reaches(destination, \"completed\")\n    \
         # what must hold in the end\n    ends(destination, source, runs=True)\n"
    );
}

#[test]
fn the_source_goes_to_where_the_destination_listens_and_not_to_a_relay() {
    let unix = "qemu/qemu/a,b/precopy/unix/running/plain";
    let lines_of = |name, to: &str, from: &str| {
        lines(&sent(
            name,
            &[
                ("listen", "migrate-incoming", json!({ "uri": to })),
                ("migrate", "migrate", json!({ "uri": from })),
            ],
        ))
    };
    let told = lines_of(
        unix,
        "unix:/dev/shm/mq1/socket-1",
        "unix:/dev/shm/mq1/relay",
    );
    assert!(
        told.contains(r#"send(source, "migrate", {"uri":"unix:@DIR@/socket-1"})"#),
        "{told}"
    );
    let tcp = "qemu/qemu/a,b/precopy/tcp/running/plain";
    let told = lines_of(tcp, "tcp:127.0.0.1:0", "tcp:127.0.0.1:4001");
    assert!(told.contains(r#"{"uri":"tcp:127.0.0.1:@PORT@"}"#), "{told}");
    let told = lines_of(
        "qemu/qemu/a,b/precopy/exec/running/plain",
        "exec:cat /dev/shm/mq1/stream",
        "exec:cat > /dev/shm/mq1/s.part && mv /dev/shm/mq1/s.part /dev/shm/mq1/stream",
    );
    assert!(
        told.contains("exec:cat > @DIR@/s.part && mv @DIR@/s.part @DIR@/stream"),
        "{told}"
    );
    assert!(told.contains("stream()\n"), "{told}");
}

#[test]
fn a_command_that_is_to_be_refused_must_be() {
    let history = sent(
        "qemu/qemu/a,b/precopy/unix/running/both-addresses",
        &[("migrate", "migrate", json!({}))],
    );
    let told = lines(&ended(history));
    assert!(told.contains("refused(source, \"migrate\", {})"), "{told}");
    assert!(
        told.contains("ends(source, destination, runs=True)"),
        "{told}"
    );
}

#[test]
fn a_case_that_was_cut_short_is_shown_as_far_as_it_came() {
    let mut history = sent(
        "qemu/qemu/a,b/precopy/unix/running/plain",
        &[("migrate", "migrate", json!({}))],
    );
    history.entries.push(Entry {
        at_us: 2,
        saw: Observation::Ended {
            verb: Verb::Await,
            step: "await completed on source".to_owned(),
            outcome: Outcome::Unknown {
                why: "no answer".to_owned(),
            },
        },
    });
    let told = lines(&history);
    assert!(told.contains("reaches(source, \"completed\")"), "{told}");
    assert!(
        told.contains("was not recorded") && !told.contains("ends("),
        "{told}"
    );
}

#[test]
fn a_case_that_was_given_up_before_its_end_holds_nothing_to_it() {
    let plain = "qemu/qemu/a,b/precopy/unix/running/plain";
    let told = |saw: Option<Observation>| {
        let mut history = sent(plain, &[]);
        let saw = saw.into_iter();
        history
            .entries
            .extend(saw.map(|saw| Entry { at_us: 2, saw }));
        lines(&history)
    };
    let cleared = told(Some(Observation::Began {
        verb: Verb::Clear,
        step: "clear destination".to_owned(),
    }));
    // A function of Python that does nothing says so.
    let nothing = "    pass  # what the case does after that was not recorded\n";
    assert_eq!((cleared.as_str(), told(None).as_str()), (nothing, nothing));
}

#[test]
fn a_case_that_takes_this_program_has_no_script_and_says_why() {
    for (name, due) in [
        (
            "tck/fake/a,a,b/p2p/persistent-running-undefined/live",
            "in memory",
        ),
        (
            "faults/libvirt/a,a,b/normal/persistent-paused-undefined/none/memory-byte",
            "on purpose",
        ),
        (
            "colo/qemu/a,b/multifd-channel/primary/checkpoint/plain",
            "is lost",
        ),
        (
            "backup/qemu/a,b/stay/blockdev-backup/bad-granularity/plain",
            "its images",
        ),
        (
            "qemu/qemu/a,b/precopy/unix/running/virtio-rng-in-use",
            "qtest",
        ),
        ("qemu/qemu/a,b/precopy/unix/running/psk", "keys"),
        ("qemu/qemu/a,b/precopy/fd/running/plain", "descriptors"),
        (
            "qemu/qemu/a,b/cpr-transfer/unix/stopped/channels",
            "in the middle",
        ),
        ("qemu/qemu/a,b/postcopy/tcp/running/recover", "is lost"),
        ("qemu/qemu/a,b/precopy/unix/running/cancel-retry", "twice"),
    ] {
        let why = can_be_shown(&case(name)).unwrap_err().to_string();
        assert!(why.contains(name) && why.contains(due), "{due}: {why}");
    }
}

fn nothing() -> Releases {
    Releases::new(vec![]).unwrap()
}

fn raw_script(history: &History, conditions: &[(Condition, Verdict)]) -> Result<String, NoScript> {
    let mut judgement = judge(history);
    judgement.conditions = conditions.to_vec();
    let words = ["-S", "-drive", "file=/x-y/boot"].map(str::to_owned);
    let recipe = RawRecipe {
        origin: Origin {
            case: &history.header.case,
            releases: &nothing(),
            judgement: Some(&judgement),
        },
        history,
        image: &[1, 2, 3, 0, 0],
        arguments: [&words, &words],
        folder: "/x-y",
        disk: Some(512),
    };
    recipe.script()
}

#[test]
fn a_script_tells_at_its_top_what_is_seen_and_what_should_be() {
    let history = ended(sent("qemu/qemu/a,b/precopy/unix/running/plain", &[]));
    let script = raw_script(&history, &[(Condition::Migrated, Verdict::Pass)]).unwrap();
    assert!(
        script.contains("# what is seen: all is as it should be\n"),
        "{script}"
    );
    let failed = Verdict::fail("no\nrm -rf /\nEND");
    let script = raw_script(&history, &[(Condition::Migrated, failed)]).unwrap();
    let (head, rest) = script.split_once("\nset -eu\n").unwrap();
    assert!(head.lines().all(|line| line.starts_with('#')), "{head}");
    assert!(
        head.contains("# what is seen:\n#   migrated fails: no\n# rm -rf /\n# END\n"),
        "{head}"
    );
    assert!(
        head.contains("# what should be: the migration completes, "),
        "{head}"
    );
    assert!(rest.contains("truncate -s 5 \"$DIR/boot\"\ntruncate -s 512 \"$DIR/disk\"\n"));
    assert!(rest.contains("-drive file=\"$DIR\"/boot"), "{rest}");
}

#[test]
fn what_no_script_looks_at_has_none() {
    let history = sent("qemu/qemu/a,b/precopy/unix/running/plain", &[]);
    let left = (Condition::NoLeftovers, Verdict::fail("a file"));
    let why = raw_script(&history, std::slice::from_ref(&left)).unwrap_err();
    assert!(why.to_string().contains("none of no-leftovers"), "{why}");
    let both = [left, (Condition::Alive, Verdict::unknown("too busy"))];
    assert!(raw_script(&history, &both).is_ok());
}

fn libvirt_script(name: &str, domain: &str, xml: &str) -> String {
    let case = case(name);
    let scenario = case.point.scenario().unwrap();
    let mut release = Release::unknown(case.tuple.source.clone());
    release.libvirt = Some("9.0.0".parse().unwrap());
    release.packages = [("qemu-system-x86".to_owned(), "1:7.2".to_owned())].into();
    let recipe = LibvirtRecipe {
        origin: Origin {
            case: &case,
            releases: &Releases::new(vec![release]).unwrap(),
            judgement: None,
        },
        scenario,
        call: &scenario.call(Some(8)),
        domain,
        xml,
        image_path: "/images/a b.img",
        image: &[1, 2, 3, 0, 0],
        guest: &Parameters::SMALL,
    };
    recipe.script().unwrap()
}

#[test]
fn a_case_of_libvirt_is_shown_by_virsh_alone() {
    let name = "tck/libvirt/a,a,b/tunnelled/persistent-running-defined/live+undefine+persist";
    let script = libvirt_script(name, "m1", "<domain/>\n");
    for due in [
        "#!/bin/sh\n# Live migration: tck/libvirt/a,a,b/",
        "# source: libvirt 9.0.0 (a)\n#   qemu-system-x86 1:7.2\n",
        "# what is seen: nothing yet",
        &format!("IMAGE={}\n", shell_word("/images/a b.img")),
        "cat <<'END'\n<domain/>\nEND\n",
        "domain | must dst define /dev/stdin || exit 2\ndomain | must src define /dev/stdin || exit 2\n",
        "--tunnelled --live --undefinesource --persistent --bandwidth 8 \"$NAME\" \"$DST_PEER_URI\"",
        "is 'the domain on the source' \"$(state src)\" 'absent'\n",
        "is 'its persistence on the destination' \"$(persistent dst)\" yes\n",
    ] {
        assert!(script.contains(due), "{due}: {script}");
    }
}

#[test]
fn hostile_names_stay_words_and_no_xml_ends_its_document() {
    let name = "tck/libvirt/a,a,b/p2p/transient-paused-undefined/paused";
    let script = libvirt_script(name, "m'; rm -rf / #", "<domain>\nEND\n</domain>\n");
    let name = format!("NAME={}\n", shell_word("m'; rm -rf / #"));
    assert!(script.contains(&name), "{script}");
    assert!(
        script.contains("cat <<'END_'\n<domain>\nEND\n</domain>\nEND_\n"),
        "{script}"
    );
    assert!(
        script.contains("--p2p --suspend --bandwidth 8 \"$NAME\" \"$DST_PEER_URI\""),
        "{script}"
    );
}
