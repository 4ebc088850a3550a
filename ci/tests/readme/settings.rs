//! The settings, the known failures and the files of a run are on their pages.

use std::{collections::BTreeSet, fs};

use crate::{
    commands::{call, fresh},
    pages::{page, sources},
};

/// The names that a message says were expected.
fn expected(message: &str) -> Vec<String> {
    let names = message
        .split("expected")
        .nth(1)
        .unwrap_or_else(|| panic!("{message}"));
    names
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_key_of_the_settings_is_on_its_page() {
    let dir = fresh();
    let text = page("docs/configuration.md").text;
    for table in ["", "[deadlines]\n", "[bounds]\n", "[hosts.a]\n"] {
        fs::write(
            dir.path().join("migratrix.toml"),
            format!("{table}nothing = 1\n"),
        )
        .expect("it can be written");
        let said = call(dir.path(), &["list", "--count"]);
        for key in expected(&said.err) {
            assert!(
                text.contains(&format!("`{key}`")) || text.contains(&format!("[{key}")),
                "{table}{key}"
            );
        }
    }
}

#[test]
fn the_variables_that_the_program_reads_are_those_of_the_page() {
    let of = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words = words.filter(|word| word.starts_with("MIGRATRIX_"));
        words.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let page = of(&page("docs/configuration.md").text);
    let sources = sources();
    for name in &page {
        assert!(
            sources.contains(&format!("\"{name}\"")),
            "nothing reads {name}"
        );
    }
    for name in ["MIGRATRIX_CACHE", "MIGRATRIX_CLIENT", "MIGRATRIX_MIRROR"] {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn every_key_of_a_known_failure_is_on_its_page_and_the_example_is_one() {
    let (dir, page) = (fresh(), page("docs/known-failures.md"));
    let cases = "name(*/p2p/persistent-running-*/none)";
    let run = ["run", "--backend", "fake", "--out", "out", "-E", cases];
    assert_eq!(call(dir.path(), &run).code, Some(0));
    let judge = |list: &str| {
        fs::write(dir.path().join("known.toml"), list).expect("it can be written");
        call(dir.path(), &["judge", "out", "--known", "known.toml"])
    };
    for key in expected(&judge("[[known]]\nnothing = 1\n").err) {
        assert!(
            page.text.contains(&format!("`{key}`")),
            "{key} is not on the page"
        );
    }
    let said = judge(&page.block("toml"));
    assert!(said.code < Some(2), "{}", said.err);
}

#[test]
fn the_page_of_results_names_every_exit_code_and_every_file_of_a_run() {
    let text = page("docs/results.md").text;
    for code in 0..=5 {
        assert!(text.contains(&format!("| {code} |")), "exit code {code}");
    }
    for report in [
        "junit.xml",
        "junit-strict.xml",
        "index.html",
        "summary.json",
        "summary.txt",
        "verdicts.jsonl",
    ] {
        assert!(text.contains(&format!("`{report}`")), "{report}");
    }
}
