//! The strict flavour, by `junit-report`, a suite at a time: no properties of a test case, nothing
//! that is flaky, and no more attributes than the strict schemas know.
//!
//! `junit-report` makes whole files, and gives a skipped test no reason. So each suite is made as a
//! file of its own, whose elements are handed on into the one file, with the suite's number and the
//! reasons of what is skipped.

use std::io;

use junit_report::{Duration, OffsetDateTime, Report, TestCase, TestSuite};
use quick_xml::{
    Reader, Writer,
    events::{BytesDecl, BytesEnd, BytesStart, Event},
};

use super::{
    rows::{Came, Row, Suite, tried_again},
    set,
};
use crate::Run;

const ALL: &str = "testsuites";

pub(super) fn write(run: &Run, suites: &[Suite<'_>], out: impl io::Write) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(out, b' ', 4);
    let decl = BytesDecl::new("1.0", Some("UTF-8"), None);
    writer.write_event(Event::Decl(decl))?;
    writer.write_event(Event::Start(BytesStart::new(ALL)))?;
    for (number, suite) in suites.iter().enumerate() {
        hand_on(run, number, suite, &mut writer)?;
    }
    writer.write_event(Event::End(BytesEnd::new(ALL)))?;
    writer.get_mut().write_all(b"\n")?;
    writer.get_mut().flush()
}

/// Hands on the elements of a suite's own file that are the suite's.
fn hand_on(
    run: &Run,
    number: usize,
    suite: &Suite<'_>,
    writer: &mut Writer<impl io::Write>,
) -> io::Result<()> {
    let xml = file_of(run, suite)?;
    let mut reader = Reader::from_reader(xml.as_slice());
    let mut skipped = suite.rows.iter().filter(|row| is_skipped(run, row));
    loop {
        let event = reader.read_event().map_err(io::Error::other)?;
        let event = match event {
            Event::Eof => return Ok(()),
            Event::Decl(_) => continue,
            Event::Start(element) if element.name().as_ref() == ALL.as_bytes() => continue,
            Event::End(element) if element.name().as_ref() == ALL.as_bytes() => continue,
            Event::Start(element) if element.name().as_ref() == b"testsuite" => {
                Event::Start(numbered(&in_milliseconds(&element), number))
            }
            Event::Start(element) if element.name().as_ref() == b"testcase" => {
                Event::Start(in_milliseconds(&element))
            }
            Event::Empty(element) if element.name().as_ref() == b"testcase" => {
                Event::Empty(in_milliseconds(&element))
            }
            Event::Empty(element) if element.name().as_ref() == b"skipped" => {
                Event::Empty(explained(run, element, skipped.next()))
            }
            // In texts there is no `<`, see `Counted`.
            Event::CData(text) => Event::Text(text.escape().map_err(io::Error::other)?),
            event @ (Event::Start(_) | Event::End(_) | Event::Empty(_) | Event::Text(_)) => event,
            event @ (Event::GeneralRef(_) | Event::Comment(_)) => event,
            event @ (Event::PI(_) | Event::DocType(_)) => event,
        };
        writer.write_event(event)?;
    }
}

/// The suite as a file of its own.
fn file_of(run: &Run, suite: &Suite<'_>) -> io::Result<Vec<u8>> {
    let began = i64::try_from(suite.began_unix).unwrap_or_default();
    let began = OffsetDateTime::from_unix_timestamp(began).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut made = TestSuite::new(&suite.name);
    made.set_timestamp(began);
    made.add_testcases(suite.rows.iter().map(|row| test_case(run, row)));
    if let Some(flaky) = tried_again(run, suite) {
        made.set_system_out(&in_cdata(&flaky));
    }
    let mut report = Report::new();
    report.add_testsuite(made);
    let mut xml = Vec::new();
    report.write_xml(&mut xml).map_err(io::Error::other)?;
    Ok(xml)
}

fn test_case(run: &Run, row: &Row<'_>) -> TestCase {
    let time = Duration::milliseconds(i64::try_from(row.time_ms()).unwrap_or(i64::MAX));
    let name = row.name();
    let troubled = |made: fn(&str, Duration, &str, &str) -> TestCase| {
        let trouble = row.trouble(run);
        let mut made = made(&name, time, &trouble.kind, &trouble.line());
        made.set_system_out(&in_cdata(&trouble.text));
        made
    };
    let mut made = match row.came(run.rules()) {
        Came::Passed => TestCase::success(&name, time),
        Came::Failure => troubled(TestCase::failure),
        Came::Error => troubled(TestCase::error),
        Came::Skipped => TestCase {
            time,
            ..TestCase::skipped(&name)
        },
    };
    made.set_classname(&row.classname());
    made
}

/// The text as it can stand in a CDATA section, which it must not end. `junit-report` drops tabs.
fn in_cdata(text: &str) -> String {
    text.replace('\t', " ").replace("]]>", "]]]]><![CDATA[>")
}

/// The suite with its number: `junit-report` counts from the beginning of each file.
fn numbered(element: &BytesStart<'_>, number: usize) -> BytesStart<'static> {
    let mut numbered = BytesStart::new("testsuite");
    set(&mut numbered, "id", &number.to_string());
    let others = element.attributes().flatten();
    numbered.extend_attributes(others.filter(|one| one.key.as_ref() != b"id"));
    numbered
}

/// The element with its time in milliseconds: `junit-report` adds seconds up with all their digits, and
/// the strict schemas take three.
fn in_milliseconds(element: &BytesStart<'_>) -> BytesStart<'static> {
    let mut timed = element.to_owned();
    timed.clear_attributes();
    for one in element.attributes().flatten() {
        let text = std::str::from_utf8(&one.value).ok();
        let time = text.filter(|_| one.key.as_ref() == b"time");
        match time.and_then(|time| time.parse::<f64>().ok()) {
            Some(seconds) => set(&mut timed, "time", &format!("{seconds:.3}")),
            None => timed.push_attribute(one),
        }
    }
    timed
}

fn is_skipped(run: &Run, row: &Row<'_>) -> bool {
    row.came(run.rules()) == Came::Skipped
}

/// What was skipped, with why.
fn explained<'e>(run: &Run, element: BytesStart<'e>, row: Option<&Row<'_>>) -> BytesStart<'e> {
    let mut explained = element;
    if let Some(trouble) = row.map(|row| row.trouble(run)) {
        set(&mut explained, "type", &trouble.kind);
        set(&mut explained, "message", &trouble.line());
    }
    explained
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_were_added_up_have_three_digits_and_all_else_stays() {
        let text = r#"testsuite name="a &lt; b" time="1.9340000000000002" tests="3""#;
        let element = BytesStart::from_content(text, "testsuite".len());
        let timed = in_milliseconds(&element);
        let all: Vec<_> = timed.attributes().flatten().collect();
        let values: Vec<_> = all
            .iter()
            .map(|one| String::from_utf8_lossy(&one.value))
            .collect();
        assert_eq!(values, ["a &lt; b", "1.934", "3"]);
        assert_eq!(timed.name().as_ref(), b"testsuite");
    }
}
