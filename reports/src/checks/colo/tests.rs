//! Each check of a COLO pair is shown to be able to pass, to fail and to be unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each spoiler changes one kind of observation"
)]

use migratrix_guest::Page;
use migratrix_history::{DomainState, History, Observation, Outcome, Refusal, Side, Verb, When};
use migratrix_matrix::{Backend, Condition, Point, Profile};

use super::story::{exit, good, monitor};
use crate::{
    Kind,
    checks::all,
    raw_story::{event, status},
    story::{changed, without},
};
use Side::{Destination, Source};

const PRIMARY: &str = "single-channel/primary/idle/plain";
const SECONDARY: &str = "multifd-channel/secondary/idle/plain";
const MIDDLE: &str = "single-channel/primary/checkpoint/plain";

fn assert_kind(history: &History, condition: Condition, kind: Kind) {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    let (_, verdict) = found.expect("it is judged");
    let case = &history.header.case;
    assert_eq!(verdict.kind(), kind, "{condition} of {case}: {verdict:?}");
}

fn fails(history: &History, condition: Condition) {
    assert_kind(history, condition, Kind::Fail);
}

fn is_unknown(history: &History, condition: Condition) {
    assert_kind(history, condition, Kind::Unknown);
}

/// With another observation in place of each that is this one.
fn instead(history: History, of: &Observation, other: &Observation) -> History {
    changed(history, |saw| {
        if saw == of {
            *saw = other.clone();
        }
    })
}

fn told(point: &str, mode: &str, reason: &str) -> History {
    changed(good(point), |saw| {
        if let Observation::Colo {
            mode: m, reason: r, ..
        } = saw
        {
            (*m, *r) = (mode.to_owned(), reason.to_owned());
        }
    })
}

/// With the steps of this kind refused.
fn refused(point: &str, of: Verb) -> History {
    changed(good(point), |saw| match saw {
        Observation::Ended { verb, outcome, .. } if *verb == of => {
            *outcome = Outcome::Refused(Refusal {
                code: 0,
                domain: 0,
                message: "the migration on the source is colo".to_owned(),
            });
        }
        _ => {}
    })
}

#[test]
fn every_condition_of_every_point_passes_where_all_went_well() {
    for (point, _) in Profile::COLO_FULL.points(Backend::Qemu) {
        let Point::Colo(colo) = point else {
            panic!("{point} is no pair")
        };
        let history = good(&colo.to_string());
        for condition in colo.conditions() {
            assert_kind(&history, condition, Kind::Pass);
        }
    }
}

#[test]
fn without_a_record_nothing_is_known() {
    let nothing = without(good(PRIMARY), |_| true);
    for condition in Point::Colo(migratrix_matrix::Colo::default()).conditions() {
        is_unknown(&nothing, condition);
    }
}

#[test]
fn a_capability_more_or_less_is_not_as_the_case_says() {
    let with = |name: &'static str, on: bool| {
        changed(good(PRIMARY), move |saw| {
            if let Observation::Settings {
                side: Destination,
                capabilities,
                ..
            } = saw
            {
                if on {
                    capabilities.insert(name.to_owned());
                } else {
                    capabilities.remove(name);
                }
            }
        })
    };
    fails(&with("x-colo", false), Condition::Settings);
    fails(&with("multifd", true), Condition::Settings);
}

#[test]
fn another_delay_is_not_as_the_case_says() {
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Settings { parameters, .. } = saw {
            parameters.clear();
        }
    });
    fails(&history, Condition::Settings);
}

#[test]
fn two_checkpoints_are_too_few() {
    let mut history = good(PRIMARY);
    let is = |saw: &Observation| matches!(saw, Observation::Began { verb, .. } if *verb == Verb::Checkpoint);
    let entries = &mut history.entries;
    let first = entries.iter().position(|entry| is(&entry.saw)).unwrap();
    let more = &entries[first + 1..];
    let next = first + 1 + more.iter().position(|entry| is(&entry.saw)).unwrap();
    entries.drain(first..next);
    fails(&history, Condition::Checkpoints);
}

#[test]
fn a_guest_that_does_not_beat_between_checkpoints_is_not_in_lock_step() {
    for on in [Source, Destination] {
        let history = changed(good(PRIMARY), |saw| match saw {
            Observation::Beat {
                side,
                when: When::During,
                first,
                last,
                ..
            } if *side == on => {
                *last = *first;
            }
            _ => {}
        });
        fails(&history, Condition::Checkpoints);
    }
}

#[test]
fn a_beat_across_a_checkpoint_proves_nothing() {
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Beat {
            side: Destination,
            when: When::During,
            window_us,
            ..
        } = saw
        {
            *window_us *= 30;
        }
    });
    fails(&history, Condition::Checkpoints);
}

#[test]
fn a_pair_that_never_came_to_colo_is_unknown() {
    let history = without(good(PRIMARY), |saw| *saw == status(Source, "colo"));
    is_unknown(&history, Condition::Checkpoints);
}

#[test]
fn one_page_that_differs_is_seen() {
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Mirror { differing, .. } = saw {
            differing.push(0x18_0000);
        }
    });
    fails(&history, Condition::Mirror);
    let nothing = changed(good(PRIMARY), |saw| {
        if let Observation::Mirror { pages, .. } = saw {
            *pages = 0;
        }
    });
    is_unknown(&nothing, Condition::Mirror);
}

#[test]
fn sides_are_compared_at_no_older_lap_than_the_primary_was_seen_at() {
    let compared_at = |at: u32| {
        changed(good(PRIMARY), |saw| {
            if let Observation::Mirror { lap, .. } = saw {
                *lap = at;
            }
        })
    };
    // It was seen with lap 21 at the last checkpoint.
    assert_kind(&compared_at(21), Condition::Mirror, Kind::Pass);
    fails(&compared_at(20), Condition::Mirror);
}

#[test]
fn a_survivor_that_is_still_in_colo_has_not_failed_over() {
    fails(&told(PRIMARY, "primary", "none"), Condition::Failover);
    fails(&told(SECONDARY, "none", "error"), Condition::Failover);
}

#[test]
fn a_survivor_says_that_it_leaves_and_as_whom() {
    let left = exit(Destination, "secondary", "error");
    let silent = without(good(SECONDARY), |saw| *saw == left);
    fails(&silent, Condition::Failover);
    let other = exit(Destination, "primary", "error");
    fails(
        &instead(good(SECONDARY), &left, &other),
        Condition::Failover,
    );
    let processing = exit(Destination, "secondary", "processing");
    let odd = instead(good(SECONDARY), &left, &processing);
    fails(&odd, Condition::Failover);
    let asked = exit(Destination, "secondary", "request");
    let history = instead(good(SECONDARY), &left, &asked);
    assert_kind(&history, Condition::Failover, Kind::Pass);
}

#[test]
fn a_loss_between_two_checkpoints_is_none_in_the_middle_of_one() {
    let mut seen = 0;
    let mut history = good(MIDDLE);
    // The last STOP before the loss.
    for entry in history.entries.iter_mut().rev() {
        if entry.saw == event(Source, "STOP") && seen == 0 {
            entry.saw = event(Source, "RESUME");
            seen += 1;
        }
    }
    fails(&history, Condition::Failover);
}

#[test]
fn a_blocked_monitor_is_silent_before_the_yank_and_answers_after_it() {
    let (silent, answers) = (monitor(Source, false), monitor(Source, true));
    is_unknown(
        &instead(good(MIDDLE), &silent, &answers),
        Condition::Failover,
    );
    fails(
        &instead(good(MIDDLE), &answers, &silent),
        Condition::Failover,
    );
    let unasked = without(good(MIDDLE), |saw| *saw == silent);
    is_unknown(&unasked, Condition::Failover);
}

#[test]
fn memory_that_breaks_the_law_or_is_from_before_is_not_all() {
    let torn = changed(good(SECONDARY), |saw| {
        if let Observation::Memory { survey, .. } = saw {
            survey.runs[0].page = Page::Zero;
        }
    });
    fails(&torn, Condition::Memory);
    fails(&torn, Condition::Remigrate);
    let old = changed(good(SECONDARY), |saw| {
        if let Observation::Mirror { lap, .. } = saw {
            *lap = 41;
        }
    });
    fails(&old, Condition::Memory);
}

#[test]
fn a_survivor_that_is_still_is_not_alive() {
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Beat {
            side: Source,
            when: When::After,
            first,
            last,
            ..
        } = saw
        {
            *last = *first;
        }
    });
    fails(&history, Condition::Alive);
}

#[test]
fn a_lost_side_that_runs_beside_the_survivor_is_seen() {
    let machine = good(PRIMARY)
        .entries
        .into_iter()
        .find_map(|entry| match entry.saw {
            Observation::Domain {
                when: When::After,
                look: DomainState::Present(machine),
                ..
            } => Some(machine),
            _ => None,
        });
    let machine = machine.unwrap();
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Domain {
            side: Destination,
            when: When::After,
            look,
        } = saw
        {
            *look = DomainState::Present(machine.clone());
        }
    });
    fails(&history, Condition::Alive);
}

#[test]
fn a_second_migration_that_becomes_colo_again_is_no_plain_one() {
    fails(&refused(PRIMARY, Verb::Onward), Condition::Remigrate);
    let done = status(Source, "completed");
    let history = instead(good(PRIMARY), &done, &status(Source, "colo"));
    fails(&history, Condition::Remigrate);
}

#[test]
fn a_guest_that_does_not_go_on_after_the_second_migration_is_seen() {
    let history = changed(good(PRIMARY), |saw| {
        if let Observation::Beat {
            side: Destination,
            when: When::After,
            first,
            last,
            ..
        } = saw
        {
            *last = *first;
        }
    });
    fails(&history, Condition::Remigrate);
}
