//! The strict flavour, by `junit-report`: no properties of a test case, nothing that is flaky.
//!
//! It writes no reason of a skipped test; the reasons stand in the suite's `system-out`.

use junit_report::{
    Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuite, TestSuiteBuilder,
};

use super::rows::{Came, Row, Suite};
use crate::ReportError;

pub(super) fn write(suites: &[Suite<'_>]) -> Result<String, ReportError> {
    let report = ReportBuilder::new()
        .add_testsuites(suites.iter().map(suite))
        .build();
    let mut xml = Vec::new();
    report
        .write_xml(&mut xml)
        .map_err(|error| ReportError::JUnit(error.to_string()))?;
    String::from_utf8(xml).map_err(|error| ReportError::JUnit(error.to_string()))
}

fn suite(suite: &Suite<'_>) -> TestSuite {
    let began = i64::try_from(suite.began_unix).unwrap_or_default();
    let began = OffsetDateTime::from_unix_timestamp(began).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut built = TestSuiteBuilder::new(&suite.name);
    built
        .set_timestamp(began)
        .add_testcases(suite.rows.iter().map(row));
    let skipped: String = suite.rows.iter().filter_map(skipped).collect();
    if !skipped.is_empty() {
        built.set_system_out(&skipped.replace("]]>", "]] >"));
    }
    built.build()
}

fn skipped(row: &Row<'_>) -> Option<String> {
    match &row.came {
        Came::Skipped(why) => Some(format!("skipped {}: {}\n", row.name, why.message)),
        Came::Passed | Came::Failure(_) | Came::Error(_) => None,
    }
}

fn row(row: &Row<'_>) -> TestCase {
    let time = Duration::milliseconds(i64::try_from(row.time_ms).unwrap_or(i64::MAX));
    let mut case = match &row.came {
        Came::Passed => TestCaseBuilder::success(&row.name, time),
        Came::Failure(why) => TestCaseBuilder::failure(&row.name, time, &why.kind, &why.message),
        Came::Error(why) => TestCaseBuilder::error(&row.name, time, &why.kind, &why.message),
        Came::Skipped(_) => TestCaseBuilder::skipped(&row.name),
    };
    if let Came::Failure(why) | Came::Error(why) = &row.came {
        // It stands in a CDATA section, which must not end early.
        case.set_system_out(&why.text.replace("]]>", "]] >"));
    }
    case.set_classname(&row.classname).build()
}
