//! The form on disk: what is written is read again, whole or cut anywhere.

use std::collections::BTreeMap;

use migratrix_guest::{DiskSector, DiskSurvey, Page, Parameters, Ram, Registers, Run, Survey};
use migratrix_history::{
    BitmapInfo, Completeness, DomainInfo, DomainState, Entry, Header, History, HistoryError,
    Identity, JobStats, Observation, Outcome, Refusal, Side, Strange, Verb, Versions, When,
};
use migratrix_matrix::Version;
use proptest::{collection, option, prelude::*};

fn header() -> Header {
    let name = "tck/fake/trixie,bookworm,trixie/p2p/persistent-running-undefined/live+undefine";
    Header {
        case: name.parse().unwrap(),
        attempt: 1,
        began_unix: 1_795_000_000,
        began_ms: 0,
        domain: "mx-1".to_owned(),
        uuid: "4dea22b3-1d52-d8f3-2516-782e98ab3fa0".to_owned(),
        machine: "pc-q35-5.2".to_owned(),
        guest: Parameters {
            start: 0x10_0000,
            end: 0x20_0000,
            pace_us: 1_000,
            suspend: false,
            flush: true,
            disk: None,
        },
        downtime_bound_ms: 2_000,
        setup: migratrix_matrix::HostSetup::Quick,
        evidence: Header::EVIDENCE,
    }
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Source), Just(Side::Destination)]
}

fn whens() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::Before), Just(When::During), Just(When::After)]
}

fn verbs() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::AwaitBeat),
        Just(Verb::Migrate),
        Just(Verb::Other)
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Done),
        any::<String>().prop_map(|why| Outcome::Unknown { why }),
        (any::<i32>(), any::<i32>(), any::<String>()).prop_map(|(code, domain, message)| {
            Outcome::Refused(Refusal {
                code,
                domain,
                message,
            })
        }),
    ]
}

fn identities() -> impl Strategy<Value = Identity> {
    let devices = collection::btree_map(any::<String>(), any::<String>(), 0..3);
    let processor = any::<Option<String>>();
    let machine = (any::<String>(), any::<u64>(), any::<u32>());
    (machine, processor, devices).prop_map(
        |((machine, memory_kib, vcpus), processor, devices): (_, _, BTreeMap<_, _>)| Identity {
            machine,
            memory_kib,
            vcpus,
            processor,
            devices,
        },
    )
}

fn looks() -> impl Strategy<Value = DomainState> {
    let words = (any::<String>(), any::<String>(), any::<String>());
    let present = (
        words,
        any::<bool>(),
        any::<bool>(),
        option::of(identities()),
    )
        .prop_map(|((uuid, state, reason), active, persistent, identity)| {
            DomainState::Present(DomainInfo {
                uuid,
                active,
                persistent,
                state,
                reason,
                identity,
            })
        });
    prop_oneof![Just(DomainState::Absent), present]
}

fn jobs() -> impl Strategy<Value = JobStats> {
    let number = || option::of(any::<u64>());
    let times = (number(), number());
    let sizes = (number(), number(), number(), number());
    (any::<String>(), times, sizes, number(), number()).prop_map(
        |(kind, (elapsed_ms, downtime_ms), sizes, memory_constant, memory_iteration)| JobStats {
            kind,
            elapsed_ms,
            downtime_ms,
            memory_total: sizes.0,
            memory_processed: sizes.1,
            memory_remaining: sizes.2,
            memory_normal_bytes: sizes.3,
            memory_constant,
            memory_iteration,
            ..JobStats::default()
        },
    )
}

fn versions() -> impl Strategy<Value = Versions> {
    let version = || {
        option::of(any::<[u32; 3]>().prop_map(|[major, minor, micro]| Version {
            major,
            minor,
            micro,
        }))
    };
    (version(), version(), version()).prop_map(|(client, source_libvirt, destination_qemu)| {
        Versions {
            client,
            source_libvirt,
            destination_qemu,
            ..Versions::default()
        }
    })
}

fn registers() -> impl Strategy<Value = Registers> {
    (any::<u64>(), any::<u32>(), any::<bool>()).prop_map(|(next, edi, halted)| Registers {
        next,
        edi,
        halted,
    })
}

fn rams() -> impl Strategy<Value = Ram> {
    collection::vec(option::of(any::<u64>()), 0..8).prop_map(|pages| {
        let mut ram = Ram::default();
        pages.into_iter().for_each(|hash| ram.push(hash));
        ram
    })
}

fn surveys() -> impl Strategy<Value = Survey> {
    let page = prop_oneof![
        any::<u32>().prop_map(|lap| Page::Stamped { lap }),
        any::<[u32; 8]>().prop_map(|laps| Page::Torn { laps }),
        (any::<u32>(), any::<u8>(), any::<i64>())
            .prop_map(|(lap, sector, shift)| Page::Misplaced { lap, sector, shift }),
        Just(Page::Zero),
        (any::<u8>(), any::<u16>(), any::<u16>()).prop_map(|(first, offset, wrong)| {
            Page::Foreign {
                first,
                offset,
                wrong,
            }
        }),
    ];
    let run = (any::<u32>(), page).prop_map(|(pages, page)| Run { pages, page });
    collection::vec(run, 0..4).prop_map(|runs| Survey { runs })
}

fn steps() -> impl Strategy<Value = Observation> {
    prop_oneof![
        (verbs(), any::<String>()).prop_map(|(verb, step)| Observation::Began { verb, step }),
        (verbs(), any::<String>(), outcomes()).prop_map(|(verb, step, outcome)| {
            Observation::Ended {
                verb,
                step,
                outcome,
            }
        }),
        any::<String>().prop_map(|fault| Observation::Fault { fault }),
        (sides(), any::<String>(), any::<String>()).prop_map(|(side, why, instance)| {
            Observation::HostLost {
                side,
                why,
                instance,
            }
        }),
        any::<String>().prop_map(|text| Observation::Note { text }),
    ]
}

fn sights() -> impl Strategy<Value = Observation> {
    prop_oneof![
        versions().prop_map(Observation::Versions),
        (sides(), whens(), looks()).prop_map(|(side, when, look)| Observation::Domain {
            side,
            when,
            look
        }),
        (sides(), whens(), any::<[u32; 2]>(), any::<u64>()).prop_map(
            |(side, when, [first, last], window_us)| Observation::Beat {
                side,
                when,
                first,
                last,
                window_us
            }
        ),
        (sides(), any::<[String; 2]>()).prop_map(|(side, [event, detail])| {
            Observation::Lifecycle {
                side,
                event,
                detail,
            }
        }),
        (sides(), any::<i32>())
            .prop_map(|(side, iteration)| Observation::Iteration { side, iteration }),
        (sides(), jobs()).prop_map(|(side, job)| Observation::Job { side, job }),
        (sides(), surveys(), option::of(registers())).prop_map(|(side, survey, registers)| {
            Observation::Memory {
                side,
                survey,
                registers,
            }
        }),
        (sides(), rams()).prop_map(|(side, ram)| Observation::Ram {
            side,
            when: When::After,
            ram,
        }),
        (sides(), collection::vec(any::<String>(), 0..3))
            .prop_map(|(side, left)| Observation::Leftovers { side, left }),
        sides().prop_map(|side| Observation::NotOurs { side }),
    ]
}

fn bitmaps() -> impl Strategy<Value = BitmapInfo> {
    let words = (any::<String>(), any::<String>());
    (words, any::<[u64; 2]>(), any::<[bool; 4]>()).prop_map(
        |((drive, name), [count, granularity], switches)| {
            let [recording, busy, persistent, inconsistent] = switches;
            BitmapInfo {
                drive,
                name,
                count,
                granularity,
                recording,
                busy,
                persistent,
                inconsistent,
            }
        },
    )
}

fn backups() -> impl Strategy<Value = Observation> {
    prop_oneof![
        (sides(), collection::vec(bitmaps(), 0..3))
            .prop_map(|(side, bitmaps)| Observation::Bitmaps { side, bitmaps }),
        (
            sides(),
            any::<u8>(),
            any::<[u64; 2]>(),
            any::<[String; 2]>()
        )
            .prop_map(|(side, pattern, [offset, length], [drive, told])| {
                Observation::Written {
                    side,
                    drive,
                    pattern,
                    offset,
                    length,
                    told,
                }
            }),
        (sides(), any::<i32>(), any::<[String; 3]>()).prop_map(
            |(side, status, [one, other, told])| Observation::Compared {
                side,
                one,
                other,
                status,
                told
            }
        ),
        (
            sides(),
            any::<String>(),
            collection::vec(disk_sectors(), 0..4)
        )
            .prop_map(|(side, image, sectors)| Observation::Sectors {
                side,
                image,
                survey: DiskSurvey { sectors }
            }),
    ]
}

fn disk_sectors() -> impl Strategy<Value = DiskSector> {
    prop_oneof![
        Just(DiskSector::Blank),
        any::<u32>().prop_map(|lap| DiskSector::Stamped { lap }),
        any::<u32>().prop_map(|belongs| DiskSector::Misplaced { belongs }),
        Just(DiskSector::Foreign),
    ]
}

fn histories() -> impl Strategy<Value = History> {
    let entry = (any::<u64>(), prop_oneof![steps(), sights(), backups()])
        .prop_map(|(at_us, saw)| Entry { at_us, saw });
    collection::vec(entry, 0..12).prop_map(|entries| History {
        header: header(),
        entries,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(history in histories()) {
        let (read, completeness) = History::read(history.to_text()).unwrap();
        prop_assert_eq!(read, history);
        prop_assert_eq!(completeness, Completeness::Whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_file_cut_anywhere_gives_what_is_whole_in_it(history in histories()) {
        let text = history.to_text();
        let bytes = text.as_bytes();
        for cut in 0..bytes.len() {
            match History::read(&bytes[..cut]) {
                Err(error) => {
                    prop_assert!(matches!(error, HistoryError::NoHeader), "{error} at {cut}");
                    prop_assert!(cut < history.header.to_line().len());
                }
                Ok((read, completeness)) => {
                    prop_assert!(history.entries.starts_with(&read.entries));
                    let line = read.entries.len() + 2;
                    let expected = match bytes.len() - cut {
                        1 => Completeness::Whole,
                        _ => Completeness::Truncated { line },
                    };
                    prop_assert_eq!(completeness, expected);
                }
            }
        }
    }

    #[test]
    fn each_kind_is_among_the_known_ones(saw in prop_oneof![steps(), sights(), backups()]) {
        let line = Entry { at_us: 0, saw }.to_line();
        let kind = line.split('"').nth(5).unwrap();
        prop_assert!(Observation::KINDS.contains(&kind), "{}", kind);
    }
}

/// The last line of a history of an earlier version.
const END_LINE: &str = r#"{"saw":"end"}"#;

fn read_with(line: &str) -> Result<(History, Completeness), HistoryError> {
    History::read(format!("{}\n{line}\n{}\n", header().to_line(), END_LINE))
}

#[test]
fn an_entry_is_one_flat_line() {
    let saw = Observation::Ended {
        verb: Verb::Migrate,
        step: "migrate p2p with live".to_owned(),
        outcome: Outcome::Refused(Refusal {
            code: 9,
            domain: 10,
            message: "domain exists".to_owned(),
        }),
    };
    assert_eq!(
        Entry { at_us: 7, saw }.to_line(),
        r#"{"at_us":7,"saw":"ended","verb":"migrate","step":"migrate p2p with live","end":"refused","code":9,"domain":10,"message":"domain exists"}"#
    );
}

#[test]
fn the_header_names_the_format_and_the_case() {
    let line = header().to_line();
    let start = r#"{"format":1,"case":"tck/fake/trixie,bookworm,trixie/p2p/persistent-running-undefined/live+undefine","#;
    assert!(line.starts_with(start), "{line}");
}

#[test]
fn a_damaged_line_is_named() {
    let error = read_with(r#"{"at_us":3,"saw":"beat","side":"source"}"#).unwrap_err();
    assert_eq!(error.to_string(), "line 2 is not an entry of a history");
}

#[test]
fn a_newer_format_is_refused() {
    let newer = header()
        .to_line()
        .replacen("\"format\":1", "\"format\":2", 1);
    let error = History::read(newer + "\n").unwrap_err();
    assert!(error.to_string().starts_with("format 2 is newer than 1"));
}

#[test]
fn a_kind_that_is_not_known_becomes_a_note() {
    let (history, _) = read_with(r#"{"at_us":3,"saw":"weather","sky":"blue"}"#).unwrap();
    let text = r#"not known to this version: {"at_us":3,"saw":"weather","sky":"blue"}"#.to_owned();
    assert_eq!(
        history.entries,
        [Entry {
            at_us: 3,
            saw: Observation::Note { text }
        }]
    );
}

#[test]
fn a_kind_that_is_not_known_is_told_with_its_line() {
    let text = [
        &header().to_line(),
        r#"{"at_us":2,"saw":"note","text":"t"}"#,
        r#"{"at_us":3,"saw":"weather","sky":"blue"}"#,
        END_LINE,
    ];
    let read = History::read_all(text.join("\n") + "\n").unwrap();
    let kind = "weather".to_owned();
    assert_eq!(read.strange, [Strange { line: 3, kind }]);
    assert_eq!(read.completeness, Completeness::Whole);
}

#[test]
fn fields_that_a_later_version_adds_are_passed_over() {
    let (history, _) = read_with(r#"{"at_us":3,"saw":"note","text":"x","more":[1]}"#).unwrap();
    assert_eq!(history.entries.len(), 1);
}

#[test]
fn a_step_of_an_older_file_has_no_verb() {
    let (history, _) = read_with(r#"{"at_us":3,"saw":"began","step":"connect"}"#).unwrap();
    let (verb, step) = (Verb::Other, "connect".to_owned());
    assert_eq!(history.entries[0].saw, Observation::Began { verb, step });
}

#[test]
fn the_end_is_the_end_however_it_is_spaced() {
    let read = |end: &str| History::read(format!("{}\n{end}\n", header().to_line()));
    for end in [r#"{"saw": "end"}"#, r#" { "saw" : "end" } "#] {
        assert_eq!(read(end).unwrap().1, Completeness::Whole);
    }
    assert!(read(r#"{"saw":"end","of":"all"}"#).is_err());
}

#[test]
fn a_history_proves_that_no_line_is_lost_and_none_changed() {
    let note = |text: &str| Entry {
        at_us: 1,
        saw: Observation::Note {
            text: text.to_owned(),
        },
    };
    let entries = ["a", "b", "c"].map(note).to_vec();
    let text = History {
        header: header(),
        entries,
    }
    .to_text();
    let lines: Vec<_> = text.lines().collect();
    let read = |lines: &[&str]| History::read(lines.join("\n") + "\n");
    assert_eq!(read(&lines).unwrap().1, Completeness::Whole);
    for lost in 1..lines.len() - 1 {
        let mut fewer = lines.clone();
        fewer.remove(lost);
        assert_eq!(
            read(&fewer).unwrap_err().to_string(),
            "it is damaged: it has 3 lines before its end, and 4 were written"
        );
    }
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    let altered = text.replace(r#""text":"b""#, r#""text":"d""#);
    for changed in [swapped, altered.lines().collect()] {
        let error = read(&changed).unwrap_err().to_string();
        assert_eq!(
            error,
            "it is damaged: its lines are not as they were written"
        );
    }
    // One of an earlier version proves nothing, and is read as before.
    let mut earlier = lines[..3].to_vec();
    earlier.push(END_LINE);
    assert_eq!(read(&earlier).unwrap().1, Completeness::Whole);
}

#[test]
fn lines_after_the_end_are_refused() {
    let error = read_with(END_LINE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3 follows the end line: are these two files in one?"
    );
}

#[test]
fn a_text_that_is_no_history_is_refused() {
    assert!(matches!(History::read(""), Err(HistoryError::NoHeader)));
    assert!(matches!(
        History::read("{}\n"),
        Err(HistoryError::BadHeader(_))
    ));
}
