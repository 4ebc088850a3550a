//! The rich flavour, by `quick-junit`: exact versions and every condition as properties, earlier
//! attempts as flaky runs or reruns.

use std::time::Duration;

use chrono::DateTime;
use migratrix_history::Versions;
use migratrix_matrix::Condition;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::rows::{Came, Row, Suite, Trouble};
use crate::{
    Judgement, Kind, ReportError, Run, Standing, Verdict, groups::reason, printable::printable,
};

pub(super) fn write(run: &Run, suites: &[Suite<'_>]) -> Result<String, ReportError> {
    let mut report = Report::new("migratrix");
    report.set_time(Duration::from_millis(run.elapsed_ms));
    if let Some(began) = time(run.began_unix) {
        report.set_timestamp(began);
    }
    report.add_test_suites(suites.iter().map(|one| suite(run, one)));
    report
        .to_string()
        .map_err(|error| ReportError::JUnit(error.to_string()))
}

fn time(unix: u64) -> Option<DateTime<chrono::FixedOffset>> {
    Some(DateTime::from_timestamp(i64::try_from(unix).ok()?, 0)?.fixed_offset())
}

fn suite(run: &Run, from: &Suite<'_>) -> TestSuite {
    let mut suite = TestSuite::new(from.name.as_str());
    suite.set_time(Duration::from_millis(
        from.rows.iter().map(|row| row.time_ms).sum(),
    ));
    if let Some(began) = time(from.began_unix) {
        suite.set_timestamp(began);
    }
    suite.add_test_cases(from.rows.iter().map(|one| row(run, one)));
    suite
}

fn row(run: &Run, row: &Row<'_>) -> TestCase {
    let mut status = match &row.came {
        Came::Passed => TestCaseStatus::success(),
        Came::Failure(why) => bad(NonSuccessKind::Failure, why),
        Came::Error(why) => bad(NonSuccessKind::Error, why),
        Came::Skipped(why) => {
            let mut status = TestCaseStatus::skipped();
            status
                .set_type(why.kind.as_str())
                .set_message(why.message.as_str());
            status
        }
    };
    let is_whole = row
        .judgement
        .is_some_and(|one| one.case.to_string() == row.name);
    if let (Some(judgement), true) = (row.judgement, is_whole) {
        status.add_reruns(run.earlier(&judgement.case).into_iter().filter_map(rerun));
    }
    let mut case = TestCase::new(row.name.as_str(), status);
    case.set_classname(row.classname.as_str())
        .set_time(Duration::from_millis(row.time_ms));
    if let Some(judgement) = row.judgement {
        case.add_properties(properties(judgement, is_whole));
    }
    case
}

fn bad(kind: NonSuccessKind, why: &Trouble) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(why.kind.as_str())
        .set_message(why.message.as_str());
    status.set_description(why.text.as_str());
    status
}

/// An earlier attempt that did not pass.
fn rerun(judgement: &Judgement) -> Option<TestRerun> {
    let standing = judgement.standing();
    let kind = match standing {
        Standing::Passed | Standing::KnownFailure | Standing::Skipped => return None,
        Standing::Failed | Standing::KnownPasses => NonSuccessKind::Failure,
        Standing::Unknown => NonSuccessKind::Error,
    };
    let (condition, why) = reason(judgement, standing);
    let mut rerun = TestRerun::new(kind);
    rerun
        .set_type(condition.map_or("case", Condition::word))
        .set_message(printable(&why));
    rerun.set_time(Duration::from_millis(judgement.elapsed_ms));
    Some(rerun)
}

fn properties(judgement: &Judgement, whole: bool) -> Vec<(String, String)> {
    let mut all = versions(&judgement.versions);
    all.push(("attempt".to_owned(), judgement.attempt.to_string()));
    all.extend(
        judgement
            .log
            .iter()
            .map(|log| ("history".to_owned(), printable(log))),
    );
    let attribution = judgement.attribution.iter();
    all.extend(attribution.map(|one| ("attribution".to_owned(), one.to_string())));
    if whole {
        all.extend(judgement.conditions.iter().map(condition));
    }
    all
}

fn versions(versions: &Versions) -> Vec<(String, String)> {
    [
        ("client.libvirt", versions.client),
        ("source.libvirt", versions.source_libvirt),
        ("source.qemu", versions.source_qemu),
        ("destination.libvirt", versions.destination_libvirt),
        ("destination.qemu", versions.destination_qemu),
    ]
    .into_iter()
    .filter_map(|(name, version)| Some((name.to_owned(), version?.to_string())))
    .collect()
}

fn condition((condition, verdict): &(Condition, Verdict)) -> (String, String) {
    let value = match verdict.kind() {
        Kind::Pass => "pass".to_owned(),
        kind @ (Kind::Fail | Kind::Unknown | Kind::Skipped) => {
            format!("{}: {}", kind.word(), printable(verdict.why()))
        }
    };
    (format!("condition.{condition}"), value)
}
