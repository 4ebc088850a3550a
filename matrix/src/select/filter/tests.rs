//! What filters are true of, and how they complain.

use crate::{Release, Version};

use super::*;

const NAME: &str =
    "tck/libvirt/trixie,bookworm,sid/p2p/persistent-running-undefined/undefine+persist";

fn releases() -> Releases {
    let release = |name, libvirt: Option<&str>, qemu: Option<&str>| Release {
        name: ReleaseName::new(name).unwrap(),
        libvirt: libvirt.map(|text| text.parse::<Version>().unwrap()),
        qemu: qemu.map(|text| text.parse().unwrap()),
        machines: Vec::new(),
        packages: std::collections::BTreeMap::new(),
    };
    Releases::new(vec![
        release("bookworm", Some("9.0.0"), Some("7.2.22")),
        release("trixie", Some("11.3.0"), Some("10.0.13")),
        release("sid", Some("12.8.0"), Some("11.1.3")),
        release("remote", None, None),
        release("build", None, Some("11.2.50")),
    ])
    .unwrap()
}

fn of(name: &str, filter: &str) -> Result<bool, SelectError> {
    let filter: Filter = filter.parse().unwrap();
    filter.matches(&name.parse().unwrap(), &releases())
}

fn bad(filter: &str) -> BadFilter {
    filter.parse::<Filter>().unwrap_err()
}

#[test]
fn what_is_true_of_a_case() {
    for filter in [
        "suite(tck) & backend(libvirt)",
        "control(p2p,tunnelled)",
        "control( normal , p2p )",
        "state(running)&state(undefined)&state(persistent)",
        "flag(undefine) and flag(persist) and not flag(live)",
        "flags(persist+undefine)",
        "fault(none)",
        "client(trixie) & source(book*) & destination(s?d)",
        "source(<10) & source(=9.0) & source(>=9.0.0) & source(libvirt<9.1)",
        "source(qemu=7.2) & source(qemu<=7.2) & !source(qemu>7.2) & source(qemu>7.1)",
        "destination(>12) | destination(>=12)",
        "forward()",
        "!(same() | backward())",
        "name(tck/*/trixie,bookworm,sid/*)",
        "control(normal) & control(p2p) | flag(persist)",
        "flag(persist) || control(normal) && control(p2p)",
    ] {
        assert_eq!(of(NAME, filter), Ok(true), "{filter}");
    }
}

#[test]
fn what_is_not_true_of_a_case() {
    for filter in [
        "suite(faults)",
        "control(normal,tunnelled)",
        "state(paused)",
        "flag(none)",
        "flags(undefine)",
        "fault(memory-byte)",
        "source(>9.0)",
        "source(<9.0)",
        "source(qemu<7.2)",
        "name(p2p)",
        "(flag(persist) | control(p2p)) & control(normal)",
    ] {
        assert_eq!(of(NAME, filter), Ok(false), "{filter}");
    }
}

const RAW: &str = "qemu/qemu/bookworm,sid/precopy/tcp/running/return-path+multifd-zstd+psk";

#[test]
fn what_is_true_of_a_raw_case() {
    for filter in [
        "suite(qemu) & backend(qemu)",
        "method(precopy) & transport(tcp, unix) & guest(running)",
        "multifd(multifd-zstd) & channels(2-channels) & zero-page(zero-page-usual)",
        "tls(psk) & address(uri) & uuids(uuid-same) & incident(undisturbed)",
        "machine(q35) & accelerator(tcg) & devices(no-devices)",
        "feature(return-path) & !feature(xbzrle)",
        "source(<9.0) & source(qemu=7.2) & destination(>=11) & source(libvirt=9.0)",
        "forward() & !same() & !backward()",
        "!control(p2p) & !state(running) & !flag(none)",
    ] {
        assert_eq!(of(RAW, filter), Ok(true), "{filter}");
    }
    for filter in ["method(precopy)", "feature(xbzrle)", "tls(plain-text)"] {
        assert_eq!(of(NAME, filter), Ok(false), "{filter}");
    }
}

#[test]
fn a_build_without_libvirt_is_older_or_newer_by_its_qemu() {
    let build = RAW.replace("sid", "build");
    assert_eq!(of(&build, "forward() & destination(<12)"), Ok(true));
    assert!(of(&build, "destination(libvirt<9)").is_err());
}

#[test]
fn a_version_that_is_not_known_is_an_error_that_names_the_release() {
    let name = NAME.replace("bookworm", "remote");
    assert_eq!(of(&name, "source(remote)"), Ok(true));
    for filter in ["source(<9.0)", "source(qemu>=7)", "forward()"] {
        let error = of(&name, filter).unwrap_err();
        assert!(error.to_string().contains("`remote`"), "{error}");
    }
}

#[test]
fn a_version_may_have_two_bounds_of_one_program() {
    for (filter, is) in [
        ("source(libvirt>=8.5 & <9.0.1)", true),
        ("source(libvirt>=8.5&<9.0)", false),
        ("source(qemu>=7.2 & <7.2.22)", false),
        ("source(qemu>=7.2 & <=7.2.22)", true),
        ("source(qemu>=7.2 & libvirt<9.1)", true),
        ("source(sid, qemu>=7 & <8, <2)", true),
        ("!source(qemu>7.2 & <10) & control(p2p)", true),
    ] {
        assert_eq!(of(NAME, filter), Ok(is), "{filter}");
    }
}

#[test]
fn an_error_marks_the_place_and_says_what_would_be_right() {
    let error = bad("source(sid) & control(p2p, p3p)").to_string();
    let expected = "\
the filter is wrong at byte 27: unknown control method `p3p`: did you mean `p2p`? expected normal, p2p or tunnelled
  source(sid) & control(p2p, p3p)
                             ^";
    assert_eq!(error, expected);
}

#[test]
fn an_error_says_what_was_expected_and_found() {
    for (filter, at, problem) in [
        (
            "",
            0,
            "expected a predicate, as `control(p2p)`, or `!` or `(`, found the end",
        ),
        ("contrl(p2p)", 0, "did you mean `control`?"),
        ("control", 7, "expected `(` after `control`, found the end"),
        ("control(p2p", 11, "expected `)`, found the end"),
        (
            "control(p2p) source(sid)",
            13,
            "expected `&`, `|` or the end, found `s`",
        ),
        ("(control(p2p)", 13, "expected `)`, found the end"),
        ("control(p2p) & ", 15, "expected a predicate"),
        ("control()", 8, "expected normal, p2p or tunnelled"),
        ("state(pausd)", 6, "did you mean `paused`?"),
        ("flag(lives)", 5, "did you mean `live`?"),
        ("fault(memory)", 6, "did you mean `memory-byte`?"),
        ("feature(xbzrl)", 8, "did you mean `xbzrle`?"),
        (
            "tls(psk-mismach)",
            4,
            "unknown tls `psk-mismach`: did you mean `psk-mismatch`?",
        ),
        ("trasport(tcp)", 0, "did you mean `transport`?"),
        ("source(<x)", 7, "`x` is not a version"),
        ("source(<9.0.0.0)", 7, "`9.0.0.0` is not a version"),
        (
            "source(kvm<9)",
            7,
            "expected `libvirt` or `qemu`, found `kvm`",
        ),
        ("source(Sid)", 7, "expected a release, a glob"),
        ("source(sid,)", 11, "expected a release, a glob"),
        ("source(sid & <9)", 13, "only a version has two bounds"),
        (
            "source(>8 & sid)",
            12,
            "expected another bound of the version, as `<9.5`, found `sid`",
        ),
        (
            "source(>8 & control(p2p)",
            12,
            "expected another bound of the version",
        ),
        ("source(>8 & <)", 12, "`` is not a version"),
        ("forward(sid)", 8, "expected `)`"),
        ("name()", 5, "expected a glob"),
        ("control(p2p) & ü", 15, "unknown predicate `ü`"),
    ] {
        let error = bad(filter);
        assert_eq!(error.at, at, "{filter}");
        assert!(
            error.problem.contains(problem),
            "{filter}: {}",
            error.problem
        );
    }
}

#[test]
fn the_mark_stands_under_its_line_and_counts_characters() {
    let error = bad("name(ü) &\n  name(ü) ü").to_string();
    assert!(error.ends_with("\n    name(ü) ü\n            ^"), "{error}");
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let deep = "(".repeat(100_000);
    assert!(bad(&deep).problem.contains("nested deeper"));
}

#[test]
fn a_filter_is_written_as_it_was_read() {
    let text = "control(p2p)  &  !state(paused)";
    let filter: Filter = text.parse().unwrap();
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(filter.to_string(), text);
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
}

#[test]
fn the_releases_that_a_filter_names_can_be_asked_for() {
    let filter: Filter = "!source(sid) & (client(book*) | destination(trixie, <9))"
        .parse()
        .unwrap();
    let names: Vec<&str> = filter
        .releases()
        .into_iter()
        .map(ReleaseName::as_str)
        .collect();
    assert_eq!(names, ["sid", "trixie"]);
}

#[test]
fn of_a_long_filter_what_is_around_the_mistake_is_shown() {
    let text = format!("{}zz(a){}", "control(p2p) & ".repeat(300), " ".repeat(200));
    let error = text.parse::<Filter>().unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    let [_, shown, mark] = lines[..] else {
        panic!("three lines: {error}");
    };
    assert!(shown.starts_with("  …") && shown.ends_with('…'), "{shown}");
    assert!(shown.chars().count() <= 2 + 1 + 200 + 1, "{shown}");
    let place = mark.chars().count() - 1;
    assert!(
        shown
            .chars()
            .skip(place)
            .collect::<String>()
            .starts_with("zz(a)")
    );
}

#[test]
fn a_glob_stands_for_the_values_of_an_axis_that_it_matches() {
    let case = |options: &str| -> Case {
        let name = format!("qemu/qemu/trixie,sid/precopy/tcp/running/{options}");
        name.parse().unwrap()
    };
    let filter: Filter = "devices(virtio-*,all-virtio) & !devices(virtio-blk)"
        .parse()
        .unwrap();
    let matches = |options: &str| {
        filter
            .matches(&case(options), &Releases::default())
            .unwrap()
    };
    assert!(matches("virtio-net") && matches("virtio-rng-in-use") && matches("all-virtio"));
    assert!(!matches("virtio-blk") && !matches("e1000") && !matches("plain"));
    let nothing = "devices(zip-*)".parse::<Filter>().unwrap_err();
    assert_eq!(nothing.problem, "`zip-*` matches no value of `devices`");
}

#[test]
fn a_glob_stands_for_the_faults_that_it_matches() {
    let broken = format!("{}/source-halted", NAME.replacen("tck/", "faults/", 1));
    for filter in [
        "fault(source-*)",
        "fault(memory-byte, *-halted)",
        "!fault(none)",
    ] {
        assert_eq!(of(&broken, filter), Ok(true), "{filter}");
        assert_eq!(of(NAME, filter), Ok(false), "{filter}");
    }
    assert_eq!(of(&broken, "fault(destination-*)"), Ok(false));
    let problem = bad("fault(zip-*)").problem;
    assert_eq!(problem, "`zip-*` matches no value of `fault`");
}

#[test]
fn words_of_before_are_taken_too() {
    for filter in [
        "state(bare) & !state(prepared)",
        "state(b?re)",
        "name(*-bare/*) & name(*-undefined/*)",
    ] {
        assert_eq!(of(NAME, filter), Ok(true), "{filter}");
    }
    let old = NAME.replace("-undefined/", "-bare/");
    assert_eq!(of(&old, "state(undefined)"), Ok(true));
    let problem = bad("state(bear)").problem;
    assert!(
        !problem.contains("bare"),
        "they are read, and not told: {problem}"
    );
}

#[test]
fn a_range_is_within_bounds_of_versions_and_asks_for_nothing_but_releases_beside_them() {
    let is_range = |text: &str| text.parse::<Filter>().expect("it is one").is_range();
    for range in [
        "source(qemu<9)",
        "!source(<9 & >=8) | destination(libvirt>=9.0)",
        "source(trixie) & client(>=11)",
        "forward() & source(<9)",
        "!(forward() | source(<9))",
        "source(<9) | forward() & destination(<9)",
    ] {
        assert!(is_range(range), "{range}");
    }
    for other in [
        "control(p2p)",
        "source(trixie)",
        "source(book*)",
        "source(qemu<9) & state(paused)",
        "source(qemu<9) | name(*)",
        "!fault(none)",
        "forward()",
        "!same() & !backward()",
        "forward() | source(<9)",
        "!(forward() & source(<9))",
        "source(trixie) | source(<9)",
    ] {
        assert!(!is_range(other), "{other}");
    }
}

#[test]
fn a_range_in_which_no_version_lies_is_void() {
    let is_void = |text: &str| text.parse::<Filter>().expect("it is a filter").is_void();
    for void in [
        "source(>9 & <8)",
        "source(>9) & source(<8)",
        "source(=9 & =10)",
        "source(qemu>7.2 & <=7.2)",
        "(source(>9 & <8)) | destination(>3 & <2)",
        "source(trixie) & destination(<0)",
    ] {
        assert!(is_void(void), "{void}");
    }
    for full in [
        "source(>8 & <9.1)",
        "source(>9 & <8) | source(>9)",
        "source(>=9 & <=9)",
        "source(=9 & <9.5)",
        "source(>7.2 & <7.3.1)",
        "source(>9) & destination(<8)",
        "source(libvirt>9) & source(qemu<8)",
        "source(<1)",
    ] {
        assert!(!is_void(full), "{full}");
    }
}
