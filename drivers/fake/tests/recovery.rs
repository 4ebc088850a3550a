//! Struck migrations in memory: without a defect every case of the full profile holds, in each of its endings, and each
//! defect is caught by the condition that should catch it.

mod run;

use migratrix_fake::{FakeDriver, RecoveryDefect};
use migratrix_history::{Completeness, History, Observation};
use migratrix_matrix::{
    Backend, Condition, Detection, Libvirts, Point, Profile, Recovery, Strike, excluded,
};
use migratrix_reports::{Colour, Judgement, Kind, Run, judge, terminal};

fn points(profile: Profile) -> impl Iterator<Item = Recovery> {
    let all = profile.points(Backend::Fake).into_iter();
    let kept = all.filter(|(point, _)| excluded(&run::case(*point, None)).is_none());
    kept.filter_map(|(point, _)| match point {
        Point::Recovery(point) => Some(point),
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
            None
        }
    })
}

fn play(point: Recovery, change: impl FnOnce(FakeDriver) -> FakeDriver) -> History {
    run::play_with(&run::case(Point::Recovery(point), None), change)
}

#[track_caller]
fn holds(judgement: &Judgement) {
    for (condition, verdict) in &judgement.conditions {
        let (case, why) = (&judgement.case, verdict.why());
        assert_eq!(verdict.kind(), Kind::Pass, "{case}: {condition}: {why}");
    }
}

#[test]
fn all_cases_of_the_full_profile_meet_all_conditions() {
    for point in points(Profile::RECOVERY_FULL) {
        holds(&judge(&play(point, |driver| driver)));
    }
}

#[test]
fn each_ending_that_is_left_open_meets_all_conditions() {
    for point in points(Profile::COMMON) {
        for ending in 1..point.endings(&Libvirts::default()).len() {
            holds(&judge(&play(point, |driver| driver.ending_in(ending))));
        }
    }
}

#[test]
fn each_defect_is_caught_by_its_condition() {
    for defect in RecoveryDefect::ALL {
        let caught = match defect.how() {
            Detection::Fail => Kind::Fail,
            Detection::Unknown => Kind::Unknown,
        };
        let judgement = judge(&play(defect.point(), |driver| driver.betraying(defect)));
        let verdict = judgement.of(defect.condition()).unwrap();
        assert_eq!(verdict.kind(), caught, "{defect:?}: {}", verdict.why());
    }
}

#[test]
fn every_condition_has_a_defect_to_catch() {
    for condition in Condition::RECOVERY {
        let mut caught = RecoveryDefect::ALL
            .into_iter()
            .map(RecoveryDefect::condition);
        assert!(
            caught.any(|one| one == condition),
            "nothing tries {condition}"
        );
    }
}

#[test]
fn its_histories_read_back_as_they_were_written() {
    for point in points(Profile::COMMON) {
        let history = play(point, |driver| driver);
        let (read, completeness) = History::read(history.to_text()).unwrap();
        assert_eq!((read, completeness), (history, Completeness::Whole));
    }
}

/// What is recorded, and the condition that can't do without it.
const PROOFS: [(&str, Condition); 14] = [
    ("stood", Condition::Struck),
    ("struck", Condition::Struck),
    ("answered", Condition::Answered),
    ("watched", Condition::OneRuns),
    ("domain", Condition::Owner),
    ("memory", Condition::Memory),
    ("beat", Condition::Alive),
    ("description", Condition::Config),
    ("stock", Condition::Cleared),
    ("pending", Condition::Cleared),
    ("daemon", Condition::Daemons),
    ("healed", Condition::Retried),
    ("lifecycle", Condition::Events),
    ("residue", Condition::NoLeftovers),
];

#[test]
fn other_guests_that_were_not_looked_at_are_unknown() {
    let crossing = Recovery {
        strike: Strike::Crossing,
        ..Recovery::USUAL
    };
    let mut history = play(crossing, |driver| driver);
    history
        .entries
        .retain(|entry| !matches!(entry.saw, Observation::Beside { .. }));
    let owner = judge(&history);
    let owner = owner.of(Condition::Owner).unwrap();
    assert_eq!(owner.kind(), Kind::Unknown, "{}", owner.why());
}

#[test]
fn what_was_not_seen_is_unknown() {
    for (kind, condition) in PROOFS {
        let mut history = play(Recovery::USUAL, |driver| driver);
        history.entries.retain(|entry| {
            let line = entry.to_line();
            !line.contains(&format!(r#""saw":"{kind}""#))
        });
        let judgement = judge(&history);
        let verdict = judgement.of(condition).unwrap();
        assert_eq!(verdict.kind(), Kind::Unknown, "{kind}: {}", verdict.why());
    }
}

#[test]
fn an_operator_is_told_who_had_the_guest_and_what_heals() {
    let names = [
        "cancelled/first-pass/normal/persistent-running-undefined/live",
        "client-killed/finish/normal/persistent-running-undefined/live",
        "source-qemu-killed/first-pass/p2p/transient-paused-undefined/live",
        "cancelled/confirm/p2p/persistent-running-undefined/live",
    ];
    let judged = names.map(|name| judge(&play(name.parse().unwrap(), |driver| driver)));
    let text = terminal(&Run::new(Vec::new(), judged), Colour::Plain);
    let told: Vec<_> = text
        .lines()
        .skip_while(|line| !line.starts_with("what was left"))
        .take_while(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let expected = [
        "what was left when it was struck: fake → fake",
        "                      first-pass  finish  confirm",
        "  cancelled           ✓ S         ·       ✓ D",
        "  client-killed       ·           ✓ S     ·",
        "  source-qemu-killed  ✓ 0         ·       ·",
        "  ✓ passed; S the source had the guest, and a retry worked; D the destination had it; 0 nobody had: it was started \
         anew, and migrated; · no case",
        "  paused on the source: resume, then retry: client-killed at finish",
        "  the guest is lost: destroy what is left, start it, then retry: source-qemu-killed at first-pass",
    ];
    assert_eq!(told, expected);
}
