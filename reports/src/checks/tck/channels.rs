//! `channels`: memory went over as many channels as the case names.

use migratrix_history::Side;
use migratrix_matrix::Scenario;

use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// The destination had as many channels as were asked for.
pub(super) fn channels(evidence: &Evidence<'_>, scenario: &Scenario) -> Judged {
    let host = evidence.host(Side::Destination);
    let wanted = scenario.call(None).channels();
    match evidence.channels(Side::Destination) {
        Some(count) => Ok(Verdict::pass_if(count == wanted, || {
            format!("expected {wanted} channels, {host} had {count}")
        })),
        None if evidence.is_foreign(Side::Destination) => Err(Verdict::skipped(format!(
            "needs a host that we may look into, and {host} is not ours"
        ))),
        None => Err(evidence.unseen("the channels of the destination were not counted")),
    }
}

#[cfg(test)]
mod tests {
    use migratrix_history::{History, Observation};
    use migratrix_matrix::Condition;

    use crate::{
        Verdict, checks,
        story::{changed, good, without},
    };

    const CASE: &str =
        "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none/parallel";

    fn judged(history: &History) -> Verdict {
        let all = checks::all(history);
        let own = all.into_iter().find(|(one, _)| *one == Condition::Channels);
        own.unwrap().1
    }

    #[test]
    fn four_channels_pass() {
        assert_eq!(judged(&good(CASE)), Verdict::Pass);
    }

    #[test]
    fn a_parallel_migration_over_another_number_of_channels_fails() {
        for seen in [0, 1, 3, 5] {
            let history = changed(good(CASE), |saw| {
                if let Observation::Channels { count, .. } = saw {
                    *count = seen;
                }
            });
            let Verdict::Fail { why } = judged(&history) else {
                panic!("{seen} channels do not fail");
            };
            assert!(
                why.starts_with("expected 4 channels, the destination"),
                "{why}"
            );
            assert!(why.ends_with(&format!("had {seen}")), "{why}");
        }
    }

    #[test]
    fn channels_that_nobody_counted_are_unknown_and_on_a_machine_not_ours_skipped() {
        let uncounted = without(good(CASE), |saw| {
            matches!(saw, Observation::Channels { .. })
        });
        assert!(matches!(judged(&uncounted), Verdict::Unknown { .. }));
        let remote = changed(uncounted, |saw| {
            if let Observation::Leftovers { side, .. } | Observation::Ram { side, .. } = saw {
                *saw = Observation::NotOurs { side: *side };
            }
        });
        assert!(matches!(judged(&remote), Verdict::Skipped { .. }));
    }

    #[test]
    fn only_a_case_that_names_them_is_judged_by_its_channels() {
        let plain = good(CASE.trim_end_matches("/parallel"));
        let all = checks::all(&plain);
        assert!(all.iter().all(|(one, _)| *one != Condition::Channels));
    }
}
