//! Timelines of histories as they are recorded.

use super::*;
use crate::{raw_story, story};

const CASE: &str = "tck/libvirt/trixie,bookworm,trixie/normal/persistent-running-undefined/live";

#[test]
fn each_step_is_drawn_and_each_event_stands_on_its_side() {
    let history = story::good(CASE);
    let chart = Chart::of(&history);
    let began = |entry: &&Entry| matches!(entry.saw, Observation::Began { .. });
    assert_eq!(
        chart.steps.len(),
        history.entries.iter().filter(began).count()
    );
    let has = |lane: &Lane, text: &str| lane.marks.iter().any(|mark| mark.text == text);
    assert!(
        has(&chart.source, "suspended (migrated)"),
        "{:?}",
        chart.source
    );
    assert!(
        has(&chart.destination, "resumed (migrated)"),
        "{:?}",
        chart.destination
    );
    let shown = timeline(&history).into_string();
    assert!(shown.contains("suspended (migrated)") && shown.contains("aria-label=\"Timeline: "));
    assert_eq!(
        shown.matches("<rect").count(),
        shown.matches("</rect>").count()
    );
}

#[test]
fn a_status_lasts_until_the_next_one() {
    let history = raw_story::good("qemu/qemu/bookworm,trixie/precopy/tcp/running/plain");
    let statuses = Chart::of(&history).source.statuses;
    assert!(statuses.len() > 1, "{statuses:?}");
    assert!(statuses.windows(2).all(|two| two[0].to == two[1].from));
}

#[test]
fn a_step_that_was_refused_is_marked_and_says_why() {
    let refusal = migratrix_history::Refusal {
        code: 9,
        domain: 31,
        message: "<script>no".to_owned(),
    };
    let history = story::changed(story::good(CASE), |saw| {
        if let Observation::Ended { step, outcome, .. } = saw {
            if step.starts_with("migrate") {
                *outcome = Outcome::Refused(refusal.clone());
            }
        }
    });
    assert_eq!(Chart::of(&history).troubles().count(), 1);
    let shown = timeline(&history).into_string();
    assert!(shown.contains("class=\"refused\"") && shown.contains("&lt;script&gt;no"));
}

#[test]
fn a_step_that_never_ended_goes_on_to_the_end() {
    let mut history = story::good(CASE);
    let last = |entry: &Entry| matches!(entry.saw, Observation::Began { .. });
    let place = history
        .entries
        .iter()
        .rposition(last)
        .expect("there are steps");
    history.entries.truncate(place + 1);
    let chart = Chart::of(&history);
    let step = chart.steps.last().expect("there are steps");
    assert_eq!((step.ended, chart.troubles().count()), (chart.end, 1));
}

#[test]
fn on_the_axis_order_is_kept_and_a_long_wait_takes_less_room_than_its_time() {
    let scale = scale::Scale::of([10, 20, 1_000_000], 0.0, 100.0);
    let places: Vec<_> = [0, 10, 15, 20, 1_000_000, 2_000_000]
        .map(|at| scale.place(at))
        .into();
    assert!(places.is_sorted(), "{places:?}");
    assert!(
        places[3] > 0.5 && (places[4] - 100.0).abs() < 1e-9,
        "{places:?}"
    );
    assert_eq!(places[5], places[4]);
    assert_eq!(scale.ticks(50.0).len(), 2);
}

#[test]
fn a_history_in_which_nothing_was_seen_has_a_timeline() {
    let empty = story::empty(CASE.parse().expect("a case"));
    assert!(timeline(&empty).into_string().contains("<svg"));
}

/// The name of a step that has so many characters, as it is drawn.
fn name(count: usize) -> String {
    let long: String = "sample the heartbeat on destination after "
        .chars()
        .cycle()
        .take(count)
        .collect();
    let history = story::changed(story::good(CASE), |saw| {
        if let Observation::Began { step, .. } | Observation::Ended { step, .. } = saw {
            step.clone_from(&long);
        }
    });
    let shown = timeline(&history).into_string();
    let (_, name) = shown.split_once("<text class=\"name\"").expect("a step");
    let (name, _) = name.split_once("</text>").expect("it ends");
    name.to_owned()
}

#[test]
fn the_name_of_a_step_has_room_left_of_the_axis_or_is_cut_at_its_end_and_told_whole() {
    for count in [10, 41, 42, 60, 300] {
        let shown = name(count);
        let (place, text) = shown.split_once('>').expect("it is opened");
        let (drawn, whole) = text.split_once("<title>").unwrap_or((text, ""));
        let (_, x) = place.split_once("x=\"").expect("it has a place");
        let end: f64 = x
            .split('"')
            .next()
            .and_then(|x| x.parse().ok())
            .expect("a number");
        // The widest letters that common fonts have on average, in bold.
        let width = 6.8 * drawn.chars().map(|_| 1.0).sum::<f64>();
        assert!(width <= end, "{drawn} of {width} ends at {end}");
        assert!(drawn.starts_with("sample the"), "{drawn}");
        assert_eq!(drawn.ends_with('…'), !whole.is_empty(), "{shown}");
        assert_eq!(whole.is_empty(), count <= 41, "{shown}");
    }
}
