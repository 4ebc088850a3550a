//! Each attribution, by a libvirt case that fails and what came of the raw case beside it.

use migratrix_history::{DomainState, Observation, Side, When};

use super::*;
use crate::{
    Colour, Flavour, Granularity, Run, html, json, judge, junit, parse, raw_story,
    story::{changed, good, without},
    terminal, to_line,
};

const MANAGED: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/persist";
const RAW: &str = "qemu/qemu/bookworm,trixie/precopy/tcp/running/plain";

/// A libvirt case whose guest is not running on the destination.
fn stopped() -> Judgement {
    judge(&changed(good(MANAGED), stop))
}

fn stop(saw: &mut Observation) {
    if let Observation::Domain {
        side: Side::Destination,
        when: When::After,
        look: DomainState::Present(domain),
    } = saw
    {
        "paused".clone_into(&mut domain.state);
        "paused".clone_into(&mut domain.reason);
    }
}

fn transient(saw: &mut Observation) {
    if let Observation::Domain {
        look: DomainState::Present(domain),
        ..
    } = saw
    {
        domain.persistent = false;
    }
}

fn alone() -> Judgement {
    judge(&raw_story::good(RAW)).with_log("raw.jsonl")
}

fn alone_failed() -> Judgement {
    let failed = changed(raw_story::good(RAW), |saw| {
        if *saw == raw_story::status(Side::Source, "completed") {
            *saw = raw_story::status(Side::Source, "failed");
        }
    });
    judge(&failed)
}

fn origin(managed: Judgement, raw: &Judgement) -> (Origin, String) {
    let attribution = managed.attributed(raw).attribution;
    let attribution = attribution.expect("a failure is attributed");
    (attribution.origin, attribution.why)
}

#[test]
fn what_qemu_alone_can_do_is_broken_by_the_management_layer() {
    let (origin, why) = origin(stopped(), &alone());
    assert_eq!(origin, Origin::ManagementLayer);
    assert_eq!(why, "QEMU alone carries this guest from bookworm to trixie");
}

#[test]
fn what_was_not_tried_with_qemu_alone_is_nobody_s() {
    let mut raw = alone();
    for (condition, verdict) in &mut raw.conditions {
        if *condition == Condition::DestinationState {
            *verdict = Verdict::skipped("needs more");
        }
    }
    let (origin, why) = origin(stopped(), &raw);
    assert_eq!(origin, Origin::Undetermined);
    assert_eq!(
        why,
        "not seen in QEMU alone, where destination-state was skipped: needs more"
    );
}

#[test]
fn what_qemu_alone_fails_in_as_well_is_qemu_s() {
    let raw = judge(&changed(raw_story::good(RAW), stop));
    let (origin, why) = origin(stopped(), &raw);
    assert_eq!(origin, Origin::Qemu);
    assert!(why.contains("in the same, destination-state"), "{why}");
}

#[test]
fn where_qemu_alone_does_not_come_so_far_it_is_qemu_s() {
    let (origin, why) = origin(stopped(), &alone_failed());
    assert_eq!(origin, Origin::Qemu);
    assert!(why.contains("does not come so far, migrated"), "{why}");
}

#[test]
fn what_qemu_has_no_part_in_is_the_management_layer_s() {
    let managed = judge(&changed(good(MANAGED), transient));
    let (origin, why) = origin(managed, &alone_failed());
    assert_eq!(origin, Origin::ManagementLayer);
    assert_eq!(why, "QEMU has no part in source-defined");
}

#[test]
fn a_raw_case_that_was_skipped_or_not_seen_or_fails_otherwise_leaves_it_undetermined() {
    let case: Case = RAW.parse().expect("a case");
    let skipped = Judgement::skipped(case, "needs a machine", 0);
    let unseen = without(raw_story::good(RAW), |saw| {
        matches!(saw, Observation::Memory { .. })
    });
    let other = changed(raw_story::good(RAW), |saw| {
        if let Observation::Job { job, .. } = saw {
            job.memory_remaining = Some(1);
        }
    });
    let cases = [
        (skipped, "not tried: needs a machine"),
        (judge(&unseen), "not seen: memory"),
        (judge(&other), "something else, statistics"),
    ];
    for (raw, wanted) in cases {
        let (origin, why) = origin(stopped(), &raw);
        assert_eq!(origin, Origin::Undetermined);
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn that_qemu_alone_carries_a_guest_once_says_nothing_of_a_second_time() {
    let mut twice = stopped();
    twice.conditions = vec![(Condition::Retried, Verdict::fail("it is refused"))];
    let (first, why) = origin(twice.clone(), &alone());
    assert_eq!(first, Origin::Undetermined);
    assert!(why.contains("was to migrate no more"), "{why}");
    let raw = "qemu/qemu/bookworm,trixie/precopy/unix/running/cancel-retry";
    let (second, _) = origin(twice.clone(), &judge(&raw_story::good(raw)));
    assert_eq!(second, Origin::ManagementLayer);
    let more = (Condition::Memory, Verdict::fail("it is torn"));
    twice.conditions.push(more);
    assert_eq!(origin(twice, &alone()).0, Origin::ManagementLayer);
}

#[test]
fn only_a_failure_on_libvirt_is_attributed() {
    assert_eq!(judge(&good(MANAGED)).attributed(&alone()).attribution, None);
    assert_eq!(alone_failed().attributed(&alone()).attribution, None);
}

#[test]
fn a_line_of_an_older_version_has_no_attribution_and_is_read_as_before() {
    let judgement = stopped();
    let line = to_line(&judgement);
    assert!(!line.contains("attribution"));
    assert_eq!(parse(&line).expect("a line").judgements, [judgement]);
    let attributed = stopped().attributed(&alone());
    let line = to_line(&attributed);
    assert_eq!(parse(&line).expect("a line").judgements, [attributed]);
}

#[test]
fn every_report_tells_whose_it_is() {
    let run = Run::new(Vec::new(), [stopped().attributed(&alone())]);
    let told = "management layer: QEMU alone carries this guest from bookworm to trixie";
    let text = terminal(&run, Colour::Plain);
    assert!(text.contains(&format!("  {told} (1 case)\n")), "{text}");
    assert!(
        text.contains(&format!("migratrix run --case {RAW}")),
        "{text}"
    );
    let page = html(&run, |_: &Judgement, file: &str| format!("history/{file}"));
    assert!(
        page.contains(told) && page.contains("history/raw.jsonl"),
        "{page}"
    );
    let summary: serde_json::Value = serde_json::from_str(&json(&run)).expect("it is JSON");
    let origin = &summary["groups"][0]["origins"][0];
    assert_eq!(origin["origin"], "management-layer");
    assert_eq!(origin["raw"], RAW);
    for granularity in [Granularity::Case, Granularity::Condition] {
        let strict = junit(&run, granularity, Flavour::Strict).expect("it is written");
        assert!(strict.contains(told), "{strict}");
        let rich = junit(&run, granularity, Flavour::Rich).expect("it is written");
        assert!(
            rich.contains(&format!("name=\"attribution\" value=\"{told}\"")),
            "{rich}"
        );
    }
}
