//! Condition 4: the migration call returned success within its deadline.

use migratrix_history::{Outcome, Side};
use migratrix_matrix::Scenario;

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::no,
    },
};

/// 4: done is a pass, a refusal a failure, and a deadline or a crash unknown.
pub(super) fn migrated(evidence: &Evidence<'_>, scenario: &Scenario) -> Judged {
    Ok(match evidence.migrate_ended()?.1 {
        Outcome::Done => match evidence.migrations() {
            1 => Verdict::Pass,
            more => Verdict::unknown(format!(
                "the case asks for one migration, and {more} were asked for"
            )),
        },
        Outcome::Refused(refusal) => refused(evidence, scenario, &no(refusal)),
        Outcome::Unknown { why } => {
            Verdict::unknown(format!("the migration did not return: {why}"))
        }
    })
}

/// A refusal that the loss of a host explains says nothing of the migration.
fn refused(evidence: &Evidence<'_>, scenario: &Scenario, text: &str) -> Verdict {
    if let Some(lost) = evidence.lost_in_migration() {
        return Verdict::unknown(format!("the migration was refused ({text}), but {lost}"));
    }
    let (from, to) = (
        evidence.host(Side::Source),
        evidence.host(Side::Destination),
    );
    Verdict::fail(format!(
        "expected success, {} from {from} to {to} was refused: {text}",
        called(scenario)
    ))
}

/// What the migration of a case is called in its reasons.
pub fn called(scenario: &Scenario) -> String {
    format!(
        "the {} migration ({})",
        scenario.control.word(),
        scenario.flags
    )
}
