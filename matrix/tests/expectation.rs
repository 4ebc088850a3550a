//! The model of what must come of a scenario, held to a table that was written out by hand.

use std::collections::BTreeSet;

use migratrix_matrix::{Activity, Backend, Point, Profile, Scenario};

/// Each line: control, state, flags → whether the source has a configuration after the migration,
/// whether the destination has one, and what the guest does there.
const TABLE: &str = "
normal     persistent-running-defined  none              yes     yes          running
normal     persistent-running-defined  undefine          no      yes          running
normal     persistent-running-defined  persist           yes     yes          running
normal     persistent-running-defined  undefine+persist  no      yes          running
normal     persistent-running-undefined      none              yes     no           running
normal     persistent-running-undefined      undefine          no      no           running
normal     persistent-running-undefined      persist           yes     yes          running
normal     persistent-running-undefined      undefine+persist  no      yes          running
normal     persistent-paused-defined   none              yes     yes          paused
normal     persistent-paused-defined   undefine          no      yes          paused
normal     persistent-paused-defined   persist           yes     yes          paused
normal     persistent-paused-defined   undefine+persist  no      yes          paused
normal     persistent-paused-undefined       none              yes     no           paused
normal     persistent-paused-undefined       undefine          no      no           paused
normal     persistent-paused-undefined       persist           yes     yes          paused
normal     persistent-paused-undefined       undefine+persist  no      yes          paused
normal     transient-running-defined   none              no      yes          running
normal     transient-running-defined   undefine          no      yes          running
normal     transient-running-defined   persist           no      yes          running
normal     transient-running-defined   undefine+persist  no      yes          running
normal     transient-running-undefined       none              no      no           running
normal     transient-running-undefined       undefine          no      no           running
normal     transient-running-undefined       persist           no      yes          running
normal     transient-running-undefined       undefine+persist  no      yes          running
normal     transient-paused-defined    none              no      yes          paused
normal     transient-paused-defined    undefine          no      yes          paused
normal     transient-paused-defined    persist           no      yes          paused
normal     transient-paused-defined    undefine+persist  no      yes          paused
normal     transient-paused-undefined        none              no      no           paused
normal     transient-paused-undefined        undefine          no      no           paused
normal     transient-paused-undefined        persist           no      yes          paused
normal     transient-paused-undefined        undefine+persist  no      yes          paused
p2p        persistent-running-defined  none              yes     yes          running
p2p        persistent-running-defined  undefine          no      yes          running
p2p        persistent-running-defined  persist           yes     yes          running
p2p        persistent-running-defined  undefine+persist  no      yes          running
p2p        persistent-running-undefined      none              yes     no           running
p2p        persistent-running-undefined      undefine          no      no           running
p2p        persistent-running-undefined      persist           yes     yes          running
p2p        persistent-running-undefined      undefine+persist  no      yes          running
p2p        persistent-paused-defined   none              yes     yes          paused
p2p        persistent-paused-defined   undefine          no      yes          paused
p2p        persistent-paused-defined   persist           yes     yes          paused
p2p        persistent-paused-defined   undefine+persist  no      yes          paused
p2p        persistent-paused-undefined       none              yes     no           paused
p2p        persistent-paused-undefined       undefine          no      no           paused
p2p        persistent-paused-undefined       persist           yes     yes          paused
p2p        persistent-paused-undefined       undefine+persist  no      yes          paused
p2p        transient-running-defined   none              no      yes          running
p2p        transient-running-defined   undefine          no      yes          running
p2p        transient-running-defined   persist           no      yes          running
p2p        transient-running-defined   undefine+persist  no      yes          running
p2p        transient-running-undefined       none              no      no           running
p2p        transient-running-undefined       undefine          no      no           running
p2p        transient-running-undefined       persist           no      yes          running
p2p        transient-running-undefined       undefine+persist  no      yes          running
p2p        transient-paused-defined    none              no      yes          paused
p2p        transient-paused-defined    undefine          no      yes          paused
p2p        transient-paused-defined    persist           no      yes          paused
p2p        transient-paused-defined    undefine+persist  no      yes          paused
p2p        transient-paused-undefined        none              no      no           paused
p2p        transient-paused-undefined        undefine          no      no           paused
p2p        transient-paused-undefined        persist           no      yes          paused
p2p        transient-paused-undefined        undefine+persist  no      yes          paused
tunnelled  persistent-running-defined  none              yes     yes          running
tunnelled  persistent-running-defined  undefine          no      yes          running
tunnelled  persistent-running-defined  persist           yes     yes          running
tunnelled  persistent-running-defined  undefine+persist  no      yes          running
tunnelled  persistent-running-undefined      none              yes     no           running
tunnelled  persistent-running-undefined      undefine          no      no           running
tunnelled  persistent-running-undefined      persist           yes     yes          running
tunnelled  persistent-running-undefined      undefine+persist  no      yes          running
tunnelled  persistent-paused-defined   none              yes     yes          paused
tunnelled  persistent-paused-defined   undefine          no      yes          paused
tunnelled  persistent-paused-defined   persist           yes     yes          paused
tunnelled  persistent-paused-defined   undefine+persist  no      yes          paused
tunnelled  persistent-paused-undefined       none              yes     no           paused
tunnelled  persistent-paused-undefined       undefine          no      no           paused
tunnelled  persistent-paused-undefined       persist           yes     yes          paused
tunnelled  persistent-paused-undefined       undefine+persist  no      yes          paused
tunnelled  transient-running-defined   none              no      yes          running
tunnelled  transient-running-defined   undefine          no      yes          running
tunnelled  transient-running-defined   persist           no      yes          running
tunnelled  transient-running-defined   undefine+persist  no      yes          running
tunnelled  transient-running-undefined       none              no      no           running
tunnelled  transient-running-undefined       undefine          no      no           running
tunnelled  transient-running-undefined       persist           no      yes          running
tunnelled  transient-running-undefined       undefine+persist  no      yes          running
tunnelled  transient-paused-defined    none              no      yes          paused
tunnelled  transient-paused-defined    undefine          no      yes          paused
tunnelled  transient-paused-defined    persist           no      yes          paused
tunnelled  transient-paused-defined    undefine+persist  no      yes          paused
tunnelled  transient-paused-undefined        none              no      no           paused
tunnelled  transient-paused-undefined        undefine          no      no           paused
tunnelled  transient-paused-undefined        persist           no      yes          paused
tunnelled  transient-paused-undefined        undefine+persist  no      yes          paused
";

struct Row {
    scenario: Scenario,
    source_config: bool,
    destination_config: bool,
    destination_activity: Activity,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.is_empty()).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [control, state, flags, source, destination, activity] = *words else {
            panic!("not a row: {line}");
        };
        Row {
            scenario: Scenario {
                control: control.parse().unwrap(),
                state: state.parse().unwrap(),
                flags: flags.parse().unwrap(),
                ..Scenario::USUAL
            },
            source_config: yes(source),
            destination_config: yes(destination),
            destination_activity: activity.parse().unwrap(),
        }
    })
}

fn scenarios(profile: Profile) -> impl Iterator<Item = Scenario> {
    let points = profile.points(Backend::Libvirt).into_iter();
    points.map(|(point, _)| {
        let Point::Tck(scenario) = point else {
            panic!("no scenario: {point}");
        };
        scenario
    })
}

fn yes(word: &str) -> bool {
    match word {
        "yes" => true,
        "no" => false,
        other => panic!("neither yes nor no: {other}"),
    }
}

#[test]
fn the_model_agrees_with_the_table() {
    for row in rows() {
        let expected = row.scenario.expectation();
        let scenario = row.scenario;
        assert_eq!(expected.source_config, row.source_config, "{scenario}");
        assert_eq!(
            expected.destination_config, row.destination_config,
            "{scenario}"
        );
        assert_eq!(
            expected.destination_activity, row.destination_activity,
            "{scenario}"
        );
    }
}

#[test]
fn the_table_has_each_of_the_96_scenarios_once() {
    let table: Vec<Scenario> = rows().map(|row| row.scenario).collect();
    let suite: BTreeSet<Scenario> = scenarios(Profile::TCK).collect();
    assert_eq!(table.len(), 96);
    assert_eq!(BTreeSet::from_iter(table), suite);
}

/// Counts that can be told without the model. Half of the scenarios have a persistent source, and
/// half of these undefine it. Half are defined on the destination, and half of the others persist.
#[test]
fn the_table_is_plausible() {
    assert_eq!(rows().filter(|row| row.source_config).count(), 24);
    assert_eq!(rows().filter(|row| row.destination_config).count(), 72);
    let paused = rows().filter(|row| row.destination_activity == Activity::Paused);
    assert_eq!(paused.count(), 48);
}

#[test]
fn a_guest_that_is_paused_or_migrates_without_live_is_still_while_it_migrates() {
    for scenario in scenarios(Profile::TCK_FULL) {
        let words = scenario.to_string();
        let runs = words.contains("-running-") && words.contains("/live");
        let expected = if runs {
            Activity::Running
        } else {
            Activity::Paused
        };
        assert_eq!(scenario.expectation().during, expected, "{scenario}");
    }
}

#[test]
fn the_flag_paused_pauses_the_guest_at_the_end() {
    for scenario in scenarios(Profile::TCK_FULL) {
        if scenario.flags.to_string().contains("paused") {
            let end = scenario.expectation().destination_activity;
            assert_eq!(end, Activity::Paused, "{scenario}");
        }
    }
}
