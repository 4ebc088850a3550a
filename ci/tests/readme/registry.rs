//! The lists of filters and conditions are those of the registry.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{AxisInfo, Condition, Detection, Fault, Point, Profile, Suite, axes};

use crate::{
    commands::{call, fresh},
    pages::page,
    rows,
};

/// A point of each profile.
fn samples() -> Vec<(Suite, Point)> {
    let of = |profile: Profile| {
        let (point, _) = profile.points(profile.backends()[0])[0];
        (profile.suite(), point)
    };
    Profile::ALL
        .into_iter()
        .filter(|one| one.suite() != Suite::Faults)
        .map(of)
        .collect()
}

/// The suites whose points have the axis.
fn suites_of(axis: &AxisInfo, samples: &[(Suite, Point)]) -> String {
    let has = |point: &Point| {
        axis.words.iter().any(|(word, _)| point.is(axis.name, word))
            || point
                .facets()
                .iter()
                .any(|one| one.axis.starts_with(&format!("{}(", axis.name)))
    };
    let suites: BTreeSet<_> = samples
        .iter()
        .filter(|(_, point)| has(point))
        .map(|(suite, _)| *suite)
        .collect();
    if suites.is_empty() {
        return "all suites".to_owned();
    }
    let words: Vec<_> = suites
        .iter()
        .map(|suite| format!("`{}`", suite.word()))
        .collect();
    words.join(", ")
}

/// A sentence of the code as one for a page: links to items are their words.
fn sentence(text: &str) -> String {
    let mut said = String::new();
    for (place, part) in text.split("[`").enumerate() {
        match part.split_once("`]") {
            Some((item, rest)) if place > 0 => {
                let item = item.rsplit("::").next().unwrap_or(item).to_lowercase();
                said.push_str(&format!("`{item}`{rest}"));
            }
            Some(_) | None => said.push_str(part),
        }
    }
    said.replace('|', "\\|")
}

#[test]
fn the_page_of_filters_lists_every_axis_with_its_values() {
    let samples = samples();
    let mut text = String::new();
    let mut names: Vec<&str> = Vec::new();
    for axis in axes() {
        if !names.contains(&axis.predicate) {
            names.push(axis.predicate);
        }
    }
    for name in names {
        let all: Vec<_> = axes().filter(|axis| axis.predicate == name).collect();
        let suites = suites_of(all[0], &samples);
        text.push_str(&format!(
            "\n### `{name}`\n\nIn {suites}.\n\n| value | what it is |\n|---|---|\n"
        ));
        for (word, means) in all.iter().flat_map(|axis| axis.words) {
            text.push_str(&format!("| `{word}` | {} |\n", sentence(means)));
        }
    }
    page("docs/filters.md").holds("axes", &format!("{}\n", text.trim_start()));
}

#[test]
fn the_page_of_filters_names_every_predicate() {
    let said = call(fresh().path(), &["list", "-E", "nothing()"]);
    let known = said
        .err
        .lines()
        .next()
        .and_then(|line| line.split("expected ").nth(1));
    let text = page("docs/filters.md").text;
    for name in known
        .expect("the known are listed")
        .split([',', ' '])
        .filter(|word| !word.is_empty() && *word != "or")
    {
        let there = text.contains(&format!("### `{name}`")) || text.contains(&format!("`{name}("));
        assert!(there, "{name} is not on the page");
    }
}

#[test]
fn the_page_of_conditions_tells_each_condition_and_what_trips_it() {
    let text = page("docs/conditions.md").text;
    let mut suites: BTreeMap<Condition, BTreeSet<Suite>> = BTreeMap::new();
    for profile in Profile::ALL
        .into_iter()
        .filter(|one| one.suite() != Suite::Faults)
    {
        for (point, _) in profile.points(profile.backends()[0]) {
            for condition in point.conditions() {
                suites.entry(condition).or_default().insert(profile.suite());
            }
        }
    }
    let mut table = String::from("| condition | suites | faults that trip it |\n|---|---|---|\n");
    for condition in Condition::ALL {
        let heading = format!("### `{}`\n", condition.word());
        assert_eq!(text.matches(&heading).count(), 1, "{heading}");
        let of = suites.get(&condition).into_iter().flatten();
        let of: Vec<_> = of.map(|suite| suite.word()).collect();
        let faults = Fault::ALL
            .into_iter()
            .filter(|fault| fault.detected_by() == condition);
        let faults = faults.map(|fault| match fault.how() {
            Detection::Fail => format!("`{}`", fault.word()),
            Detection::Unknown => format!("`{}` (unknown)", fault.word()),
        });
        let faults: Vec<_> = faults.collect();
        table.push_str(&format!(
            "| `{}` | {} | {} |\n",
            condition.word(),
            of.join(", "),
            faults.join(", ")
        ));
    }
    page("docs/conditions.md").holds("faults", &table);
}

#[test]
fn the_pages_name_no_condition_that_there_is_not() {
    let known: BTreeSet<_> = Condition::ALL.iter().map(|one| one.word()).collect();
    let page = page("docs/conditions.md");
    for line in page
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("### `"))
    {
        let name = line.trim_end_matches('`');
        assert!(known.contains(name), "`{name}` is no condition");
    }
}

#[test]
fn the_readme_lists_every_suite() {
    let rows = rows(&page("README.md"));
    for suite in Suite::ALL {
        assert!(rows.contains(suite.word()), "{suite}");
    }
}

#[test]
fn the_changelog_opens_with_what_is_not_released() {
    let text = page("CHANGELOG.md").text;
    let mut headings = text.lines().filter(|line| line.starts_with("## "));
    assert_eq!(headings.next(), Some("## [Unreleased]"));
}
