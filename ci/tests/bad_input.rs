//! Bad input of each kind, in one table: what is spoilt, what is called, how it ends, and in which words. Below
//! it, the files of a run cut anywhere: none of that is a run in which all is as expected.

use std::{fs, path::Path};

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;
#[path = "common/copied.rs"]
mod copied;
#[path = "common/unsealed.rs"]
mod unsealed;

use common::{call, file_of, fresh, histories, refuses, run_in};
use copied::copy;
use unsealed::unsealed;

/// The cases of the run that is spoilt: 4 of them.
const FOUR: [&str; 4] = [
    "--profile=tck",
    "--client=bookworm",
    "-E",
    "control(p2p) & state(running) & flags(none)",
];

/// A kind of bad input.
struct Row {
    /// What is bad.
    what: &'static str,
    /// How it is made so, of a copy `out` of the run `base`, or beside it.
    spoil: fn(&Path),
    /// What is called.
    call: &'static [&'static str],
    /// How that ends.
    code: i32,
    /// What it says.
    words: &'static [&'static str],
}

const fn row(
    what: &'static str,
    spoil: fn(&Path),
    call: &'static [&'static str],
    code: i32,
    words: &'static [&'static str],
) -> Row {
    Row {
        what,
        spoil,
        call,
        code,
        words,
    }
}

/// Nothing is spoilt: what was typed is bad.
fn typed(_: &Path) {}

/// Replaces a part of a file of the run, the first time that it is there.
fn replaced(dir: &Path, name: &str, [from, to]: [&str; 2]) {
    let file = dir.join("out").join(name);
    let text = fs::read_to_string(&file).expect("it is there");
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(file, text.replacen(from, to, 1)).expect("there is room");
}

fn list(dir: &Path, lines: &str) {
    let text = format!("[[known]]\ncases = \"control(p2p)\"\n{lines}\n");
    fs::write(dir.join("known.toml"), text).expect("there is room");
}

fn ladder(dir: &Path, next: &str) {
    let text = format!(
        "name = \"mine\"\n[[release]]\nname = \"a\"\nqemu = \"5\"\nnext = [\"b\"]\n[[release]]\nname = \"b\"\nqemu = \"6\"\n{next}"
    );
    fs::write(dir.join("ladder.toml"), text).expect("there is room");
}

fn a_history(dir: &Path, spoil: fn(&str) -> String) {
    let mut all: Vec<_> = histories(dir).collect();
    all.sort();
    let text = fs::read_to_string(&all[0]).expect("it is there");
    fs::write(&all[0], unsealed(&spoil(&text))).expect("there is room");
}

fn shards(dir: &Path) {
    for (shard, more) in [("1/2", "control(p2p)"), ("2/2", "control(normal)")] {
        let out = format!("--out=shard-{}", &shard[..1]);
        drop(fs::remove_dir_all(dir.join(&out[6..])));
        let said = call(
            dir,
            &[
                "run",
                "--backend=fake",
                "--profile=tck",
                &out,
                "--shard",
                shard,
                "-E",
                more,
            ],
        );
        assert_eq!(said.code, 0, "{}", said.err);
    }
}

fn settings(dir: &Path, text: &str) {
    fs::write(dir.join("mine.toml"), text).expect("there is room");
}

/// The settings of a machine.
fn host(uri: &str, image: &str) -> String {
    format!("[hosts.a]\nuri = \"{uri}\"\nboot_image = \"{image}\"\nmachines = [\"pc-q35-7.2\"]\n")
}

const SETTINGS: &[&str] = &["--config", "mine.toml", "list"];
const KNOWN: &[&str] = &["report", "out", "--known", "known.toml"];
const REPORT: &[&str] = &["report", "out"];

const ROWS: [Row; 57] = [
    row(
        "no run",
        typed,
        &["report", "none"],
        2,
        &["none is not a run's directory"],
    ),
    row(
        "a folder of runs",
        typed,
        &["report", "."],
        2,
        &["it holds 2 runs", "migratrix report ./"],
    ),
    row(
        "a run twice",
        typed,
        &["report", "out", "./out"],
        2,
        &["given twice, also as out"],
    ),
    row(
        "a plan of a newer format",
        |dir| replaced(dir, "plan.json", ["\"format\": 1", "\"format\": 99"]),
        REPORT,
        2,
        &[
            "plan.json can't be used",
            "format 99",
            "use a newer migratrix",
        ],
    ),
    row(
        "a plan without cases",
        |dir| fs::write(dir.join("out/plan.json"), "{}").expect("there is room"),
        REPORT,
        2,
        &["plan.json can't be used: restore it"],
    ),
    row(
        "a plan that is gone",
        |dir| fs::remove_file(dir.join("out/plan.json")).expect("it is there"),
        REPORT,
        2,
        &["out is not a run's directory", "No such file"],
    ),
    row(
        "a history of a newer format",
        |dir| {
            a_history(dir, |text| {
                text.replacen("\"format\":1", "\"format\":99", 1)
            })
        },
        REPORT,
        3,
        &[
            "format 99 is newer than 1",
            "read it with the version that wrote it",
        ],
    ),
    row(
        "a history of another case",
        |dir| a_history(dir, |text| text.replacen("/none\"", "/undefine\"", 1)),
        REPORT,
        3,
        &["is one of tck/", "and not of tck/"],
    ),
    row(
        "a history without its end",
        |dir| a_history(dir, |text| text[..text.len() / 2].to_owned()),
        REPORT,
        3,
        &["was cut at line", "what is missing is unknown"],
    ),
    row(
        "a history that is gone",
        |dir| fs::remove_dir_all(dir.join("out/history")).expect("it is there"),
        REPORT,
        3,
        &["can't be read: No such file"],
    ),
    row(
        "a ledger with a line that is none",
        |dir| replaced(dir, "concluded.jsonl", ["{\"case\"", "{case"]),
        REPORT,
        3,
        &[
            "line 1 of out/concluded.jsonl makes no sense",
            "it lacks 1 case that verdicts.jsonl has",
        ],
    ),
    row(
        "a ledger with a case of another run",
        |dir| replaced(dir, "concluded.jsonl", ["/p2p/", "/normal/"]),
        REPORT,
        2,
        &[
            "concluded.jsonl is damaged: it has the case",
            "which is not in plan.json",
        ],
    ),
    row(
        "verdicts of another run",
        |dir| replaced(dir, "verdicts.jsonl", ["/p2p/", "/normal/"]),
        REPORT,
        2,
        &[
            "verdicts.jsonl is damaged",
            "make it anew by",
            "migratrix judge out",
        ],
    ),
    row(
        "a list with a day that is none",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nreason = \"r\"\nexpires = \"2027-02-30\"",
            )
        },
        KNOWN,
        2,
        &[
            "known.toml: line 5, column 11",
            "`2027-02-30`, which is no day",
        ],
    ),
    row(
        "a list with an unknown key",
        |dir| list(dir, "conditions = [\"memory\"]\nraeson = \"r\""),
        KNOWN,
        2,
        &[
            "known.toml",
            "line 4, column 1: unknown field `raeson`",
            "`reason`",
        ],
    ),
    row(
        "a list with an unknown condition",
        |dir| list(dir, "conditions = [\"memroy\"]\nreason = \"r\""),
        KNOWN,
        2,
        &[
            "known.toml",
            "line 3, column 14: unknown condition `memroy`: did you mean `memory`?",
        ],
    ),
    row(
        "a list without a reason",
        |dir| list(dir, "conditions = [\"memory\"]\nreason = \"\""),
        KNOWN,
        2,
        &["known.toml: line 4, column 10"],
    ),
    row(
        "a list with versions that are none",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nreason = \"r\"\nversions = \"old\"",
            )
        },
        KNOWN,
        2,
        &["known.toml: line 5, column 12"],
    ),
    row(
        "a list that is no TOML",
        |dir| fs::write(dir.join("known.toml"), "[[known").expect("there is room"),
        KNOWN,
        2,
        &["known.toml: the list of known failures can't be read: line 1, column 8"],
    ),
    row(
        "a list that is no text",
        |dir| fs::write(dir.join("known.toml"), b"\xff\xfe").expect("there is room"),
        KNOWN,
        2,
        &["known.toml", "UTF-8"],
    ),
    row(
        "a list that is gone",
        typed,
        &["report", "out", "--known", "gone.toml"],
        2,
        &["gone.toml: No such file"],
    ),
    row(
        "no list where lists alone count",
        typed,
        &["report", "out", "--only-known"],
        2,
        &[
            "--only-known takes the lists of --known",
            "none is named: name one by --known FILE",
        ],
    ),
    row(
        "shards of two runs",
        shards,
        &["report", "shard-1", "shard-2"],
        2,
        &["shard-1 and shard-2 are not shards of one run: filter is control(p2p) in the first"],
    ),
    row(
        "a whole run as a shard",
        shards,
        &["report", "out", "shard-1"],
        2,
        &["out is no shard", "report it by itself"],
    ),
    row(
        "settings that are not known",
        |dir| fs::write(dir.join("mine.toml"), "deadline = 5\n").expect("there is room"),
        &["--config", "mine.toml", "list"],
        2,
        &["mine.toml is not as it should be", "deadline"],
    ),
    row(
        "a setting out of its range",
        |dir| {
            fs::write(dir.join("mine.toml"), "[deadlines]\nmigrate = -1\n").expect("there is room")
        },
        &["--config", "mine.toml", "list"],
        2,
        &["deadlines.migrate = -1 must lie between"],
    ),
    row(
        "a list with a condition twice",
        |dir| list(dir, "conditions = [\"memory\", \"memory\"]\nreason = \"r\""),
        KNOWN,
        2,
        &["the condition `memory` twice"],
    ),
    row(
        "a list with a condition that fails and can't be seen",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nunseen = [\"memory\"]\nreason = \"r\"",
            )
        },
        KNOWN,
        2,
        &["the condition `memory` twice", "name it once"],
    ),
    row(
        "a list with what follows from nothing",
        |dir| {
            list(
                dir,
                "unseen = [\"memory\"]\nfollows = [\"alive\"]\nreason = \"r\"",
            )
        },
        KNOWN,
        2,
        &["`follows`", "no `conditions`"],
    ),
    row(
        "a list with a range in which nothing lies",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nreason = \"r\"\nversions = \"source(>9 & <8)\"",
            )
        },
        KNOWN,
        2,
        &["line 5, column 12", "no version lies in it"],
    ),
    row(
        "a list with a day before all machines",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nreason = \"r\"\nexpires = \"0000-01-01\"",
            )
        },
        KNOWN,
        2,
        &["`0000-01-01`, which is no day"],
    ),
    row(
        "a list with a link that ends its mark",
        |dir| {
            list(
                dir,
                "conditions = [\"memory\"]\nreason = \"r\"\nlink = 'https://a/\"><script>'",
            )
        },
        KNOWN,
        2,
        &["line 5, column 8", "none to a page"],
    ),
    row(
        "a plan of a format that never was",
        |dir| replaced(dir, "plan.json", ["\"format\": 1", "\"format\": 0"]),
        REPORT,
        2,
        &[
            "plan.json can't be used",
            "format 0, and they are counted from 1",
        ],
    ),
    row(
        "a history of a format that never was",
        |dir| a_history(dir, |text| text.replacen("\"format\":1", "\"format\":0", 1)),
        REPORT,
        3,
        &["format 0, and they are counted from 1"],
    ),
    row(
        "a cover of an axis that is none",
        typed,
        &["list", "--cover", "2,foo:2"],
        2,
        &["axis of these cases `foo`: expected"],
    ),
    row(
        "a seed that is no number",
        typed,
        &["list", "--cover=2", "--cover-seed=x"],
        2,
        &[
            "--cover-seed",
            "write a whole number in 0..=18446744073709551615",
        ],
    ),
    row(
        "a bound below nothing",
        |dir| settings(dir, "[bounds]\ndowntime_ms = -1\n"),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "expected a whole number from 0 on",
        ],
    ),
    row(
        "deadlines that are a number",
        |dir| settings(dir, "deadlines = 3\n"),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "expected a table, as under [deadlines]",
        ],
    ),
    row(
        "a deadline that is a text",
        |dir| settings(dir, "[deadlines]\nmigrate = \"30\"\n"),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "expected a number, without quotes",
        ],
    ),
    row(
        "bounds that are a list",
        |dir| settings(dir, "bounds = [\"x\"]\n"),
        SETTINGS,
        2,
        &["mine.toml is not as it should be", "expected"],
    ),
    row(
        "hosts that are a number",
        |dir| settings(dir, "hosts = 3\n"),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "expected tables, as under [hosts.NAME]",
        ],
    ),
    row(
        "a port that there is not",
        |dir| settings(dir, &host("qemu+tcp://a:99999/system", "/a")),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "hosts.a",
            "`99999`",
            "from 1 to 65535",
        ],
    ),
    row(
        "a URI without a transport",
        |dir| settings(dir, &host("qemu+://a/system", "/a")),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "transport ``",
            "libssh2",
        ],
    ),
    row(
        "a URI without anything",
        |dir| settings(dir, &host("qemu+ssh://", "/a")),
        SETTINGS,
        2,
        &["mine.toml is not as it should be", "names no daemon"],
    ),
    row(
        "an image that is the root",
        |dir| settings(dir, &host("qemu://a/system", "/")),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "boot_image = \"/\" is no absolute path of a file",
        ],
    ),
    row(
        "an image with a line end",
        |dir| settings(dir, &host("qemu://a/system", "/a\\nb")),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "boot_image",
            "is no absolute path of a file",
        ],
    ),
    row(
        "an image with a NUL",
        |dir| settings(dir, &host("qemu://a/system", "/a\\u0000b")),
        SETTINGS,
        2,
        &[
            "mine.toml is not as it should be",
            "boot_image",
            "is no absolute path of a file",
        ],
    ),
    row(
        "a filter that is wrong",
        typed,
        &["list", "-E", "control(pear)"],
        2,
        &[
            "the filter is wrong at byte 8: unknown control method `pear`",
            "expected normal, p2p or tunnelled",
        ],
    ),
    row(
        "a filter that selects nothing",
        typed,
        &["list", "-E", "control(p2p) & control(normal)"],
        4,
        &["is selected: the filter", "matches none of them"],
    ),
    row(
        "a case that is none",
        typed,
        &["run", "--case", "tck/fake/x"],
        2,
        &["`tck/fake/x` is not the name of a case"],
    ),
    row(
        "a release that is not known",
        typed,
        &["list", "--source", "buster"],
        2,
        &["`buster` is not a known release"],
    ),
    row(
        "a shard beyond the last",
        typed,
        &["list", "--shard", "5/4"],
        2,
        &["`5/4` is not a shard: expected INDEX/COUNT"],
    ),
    row(
        "a cover without strength",
        typed,
        &["list", "--cover", "0"],
        2,
        &["a strength from 1 to 6, and not 0"],
    ),
    row(
        "a place that can't be written",
        typed,
        &["report", "out", "--html", "none/page.html"],
        2,
        &["--html none/page.html", "is not there: make it"],
    ),
    row(
        "a run into another one",
        typed,
        &["run", "--backend=fake", "--out=out"],
        2,
        &["out holds a run already", "migratrix run --resume out"],
    ),
    row(
        "a ladder that leads back",
        |dir| ladder(dir, "next = [\"a\"]\n"),
        &["jump", "out", "--ladder", "ladder.toml"],
        2,
        &["ladder.toml: line 9, column 9: the steps a → b → a lead back"],
    ),
    row(
        "other runs on the two sides",
        |dir| {
            let other = [
                "run",
                "--backend=fake",
                "--suite=recovery",
                "--out=other",
                "--cover=1",
            ];
            assert_eq!(call(dir, &other).code, 0);
        },
        &["compare", "out", "other"],
        2,
        &["the suite `tck` is in OLD alone (out): compare runs of the same suites"],
    ),
];

#[test]
fn bad_input_of_each_kind_is_told_in_its_words_and_ends_in_its_code() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &FOUR);
    fs::rename(dir.join("out"), dir.join("base")).expect("it is there");
    for Row {
        what,
        spoil,
        call: typed,
        code,
        words,
    } in ROWS
    {
        drop(fs::remove_dir_all(dir.join("out")));
        copy(dir, "base", "out");
        spoil(dir);
        let said = call(dir, typed);
        assert_eq!(said.code, code, "{what}: {}{}", said.out, said.err);
        for word in words {
            assert!(
                said.err.contains(word),
                "{what}: `{word}` is missing in: {}",
                said.err
            );
        }
        assert!(!said.err.contains("panicked"), "{what}: {}", said.err);
        let is_told = said.err.lines().all(|line| line.chars().count() < 2_000);
        assert!(is_told, "{what}: {}", said.err);
    }
}

/// Places to cut a file of this length at: its ends, and some between them.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let between = (0..11).map(move |part| length * part / 11 + part);
    between
        .chain([1, length - 2, length - 1])
        .filter(move |cut| *cut < length)
}

#[test]
fn a_file_that_is_cut_at_any_byte_is_no_run_in_which_all_is_as_expected() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &FOUR);
    let mut all: Vec<_> = histories(dir).collect();
    all.sort();
    let history = all[0].strip_prefix(dir.join("out")).expect("it is in it");
    let names = ["plan.json", "concluded.jsonl", "verdicts.jsonl"].map(Path::new);
    for name in names.into_iter().chain([history]) {
        let file = dir.join("out").join(name);
        let whole = fs::read(&file).expect("it is there");
        for cut in cuts(whole.len()) {
            fs::write(&file, &whole[..cut]).expect("there is room");
            let said = call(dir, REPORT);
            let place = format!("{} at {cut}: {}{}", name.display(), said.out, said.err);
            // The last line's end alone tells nothing: without it a file may be taken for whole.
            let is_whole = whole[..cut].trim_ascii_end() == whole.trim_ascii_end();
            let codes: &[i32] = if is_whole { &[0, 3] } else { &[2, 3] };
            assert!(codes.contains(&said.code), "{place}");
            let told = said.err + &said.out;
            let file = name
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name");
            assert!(is_whole || told.contains(file), "{place}");
        }
        fs::write(&file, &whole).expect("there is room");
        assert_eq!(
            call(dir, REPORT).code,
            0,
            "{} is whole again",
            name.display()
        );
    }
}

/// What a command says of a run that is spoilt so, in lines.
fn says(dir: &Path, spoil: fn(&Path), command: &str) -> (i32, Vec<String>) {
    drop(fs::remove_dir_all(dir.join("out")));
    copy(dir, "base", "out");
    spoil(dir);
    let said = call(dir, &[command, "out"]);
    (said.code, said.err.lines().map(str::to_owned).collect())
}

#[test]
fn report_tells_of_a_damaged_run_what_judge_does_and_ends_as_it_does() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &FOUR);
    fs::rename(dir.join("out"), dir.join("base")).expect("it is there");
    let spoils: [fn(&Path); 6] = [
        |dir| a_history(dir, |text| text[..text.len() - 9].to_owned()),
        |dir| {
            a_history(dir, |text| {
                text.replacen("\"saw\":\"ended\"", "\"saw\":", 1)
            })
        },
        |dir| a_history(dir, |text| text.replacen("/none\"", "/undefine\"", 1)),
        |dir| fs::remove_dir_all(dir.join("out/history")).expect("it is there"),
        |dir| replaced(dir, "concluded.jsonl", ["{\"case\"", "{case"]),
        |dir| {
            for name in ["concluded.jsonl", "verdicts.jsonl"] {
                let text = file_of(dir, name);
                let rest: Vec<_> = text.lines().skip(1).collect();
                fs::write(dir.join("out").join(name), rest.join("\n") + "\n")
                    .expect("there is room");
            }
        },
    ];
    for (place, spoil) in spoils.into_iter().enumerate() {
        let reported = says(dir, spoil, "report");
        assert_eq!(reported, says(dir, spoil, "judge"), "{place}");
        assert!(
            reported.0 == 3 && !reported.1.is_empty(),
            "{place}: {reported:?}"
        );
    }
}

#[test]
fn what_report_finds_damaged_stands_in_the_reports_as_well() {
    let dir = fresh();
    let dir = dir.path();
    run_in(dir, &FOUR);
    a_history(dir, |text| text[..text.len() - 9].to_owned());
    let said = call(
        dir,
        &[
            "report",
            "out",
            "--html",
            "page.html",
            "--markdown",
            "told.md",
        ],
    );
    refuses(&said, 3, &["was cut at line"]);
    assert!(said.out.contains("was cut at line"), "{}", said.out);
    for name in ["page.html", "told.md"] {
        let text = fs::read_to_string(dir.join(name)).expect("it is written");
        assert!(
            text.contains("was cut at line") && text.contains("Open"),
            "{text}"
        );
    }
}
