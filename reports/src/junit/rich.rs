//! The rich flavour, element by element: with properties of a test case, and what is flaky.

use std::io;

use jiff::Timestamp;
use migratrix_history::Versions;
use migratrix_matrix::{Condition, Release, Role};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{
    rows::{Came, Row, Suite, tried_again},
    set,
};
use crate::{Judgement, Kind, Run, Standing, Verdict, groups::reason, printable::printable};

/// How many rows came out how, and their time.
#[derive(Clone, Copy, Default)]
struct Count {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    time_ms: u64,
}

pub(super) fn write(run: &Run, suites: &[Suite<'_>], out: impl io::Write) -> io::Result<()> {
    let counts: Vec<_> = suites.iter().map(|one| Count::of(run, one)).collect();
    let mut xml = Xml {
        run,
        writer: Writer::new_with_indent(out, b' ', 4),
    };
    let decl = BytesDecl::new("1.0", Some("UTF-8"), None);
    xml.put(Event::Decl(decl))?;
    xml.open(xml.all(&counts))?;
    for (suite, count) in suites.iter().zip(&counts) {
        xml.suite(suite, *count)?;
    }
    xml.close("testsuites")?;
    xml.writer.get_mut().write_all(b"\n")?;
    xml.writer.get_mut().flush()
}

impl Count {
    fn of(run: &Run, suite: &Suite<'_>) -> Self {
        let mut count = Self::default();
        for row in &suite.rows {
            count.tests += 1;
            count.time_ms += row.time_ms();
            match row.came(run.rules()) {
                Came::Passed => {}
                Came::Failure => count.failures += 1,
                Came::Error => count.errors += 1,
                Came::Skipped => count.skipped += 1,
            }
        }
        count
    }
}

struct Xml<'r, W: io::Write> {
    run: &'r Run,
    writer: Writer<W>,
}

impl<W: io::Write> Xml<'_, W> {
    /// The element of all suites.
    fn all(&self, counts: &[Count]) -> BytesStart<'static> {
        let mut element = BytesStart::new("testsuites");
        let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
        set(&mut element, "name", "migratrix");
        set(&mut element, "tests", &sum(|one| one.tests).to_string());
        let failures = sum(|one| one.failures);
        set(&mut element, "failures", &failures.to_string());
        set(&mut element, "errors", &sum(|one| one.errors).to_string());
        set(&mut element, "timestamp", &timestamp(self.run.began_unix));
        set(&mut element, "time", &seconds(self.run.elapsed_ms()));
        element
    }

    fn suite(&mut self, suite: &Suite<'_>, count: Count) -> io::Result<()> {
        let mut element = BytesStart::new("testsuite");
        set(&mut element, "name", &suite.name);
        set(&mut element, "skipped", &count.skipped.to_string());
        set(&mut element, "tests", &count.tests.to_string());
        set(&mut element, "failures", &count.failures.to_string());
        set(&mut element, "errors", &count.errors.to_string());
        set(&mut element, "timestamp", &timestamp(suite.began_unix));
        set(&mut element, "time", &seconds(count.time_ms));
        self.open(element)?;
        for row in &suite.rows {
            self.row(row)?;
        }
        if let Some(flaky) = tried_again(self.run, suite) {
            self.text(BytesStart::new("system-out"), &flaky)?;
        }
        self.close("testsuite")
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let mut element = BytesStart::new("testcase");
        set(&mut element, "name", &row.name());
        set(&mut element, "classname", &row.classname());
        set(&mut element, "time", &seconds(row.time_ms()));
        let came = row.came(self.run.rules());
        self.open(element)?;
        self.properties(row)?;
        self.came(row, came)?;
        self.attempts(row, came)?;
        self.close("testcase")
    }

    fn came(&mut self, row: &Row<'_>, came: Came) -> io::Result<()> {
        let (name, with_text) = match came {
            Came::Passed => return Ok(()),
            Came::Failure => ("failure", true),
            Came::Error => ("error", true),
            Came::Skipped => ("skipped", false),
        };
        let trouble = row.trouble(self.run);
        let mut element = BytesStart::new(name);
        set(&mut element, "type", &trouble.kind);
        set(&mut element, "message", &trouble.line());
        if with_text {
            self.text(element, &trouble.text)
        } else {
            self.put(Event::Empty(element))
        }
    }

    /// Earlier attempts that did not come out as expected.
    fn attempts(&mut self, row: &Row<'_>, came: Came) -> io::Result<()> {
        let Row::Case(judgement) = row else {
            return Ok(());
        };
        for attempt in self.run.earlier(&judgement.case) {
            let standing = attempt.own_standing();
            let kind = match standing {
                Standing::Passed | Standing::KnownFailure | Standing::Skipped => continue,
                Standing::Failed | Standing::UnexpectedPass | Standing::FailedAtFirst => "Failure",
                Standing::Unknown => "Error",
            };
            let how = match came {
                Came::Passed | Came::Skipped => "flaky",
                Came::Failure | Came::Error => "rerun",
            };
            let (condition, why) = reason(attempt, standing);
            let mut element = BytesStart::new(format!("{how}{kind}"));
            set(&mut element, "timestamp", &timestamp(attempt.began_unix));
            set(&mut element, "time", &seconds(attempt.elapsed_ms));
            set(
                &mut element,
                "type",
                condition.map_or("case", Condition::word),
            );
            set(&mut element, "message", &printable(&why).replace('\n', " "));
            self.put(Event::Empty(element))?;
        }
        Ok(())
    }

    fn properties(&mut self, row: &Row<'_>) -> io::Result<()> {
        let Some(judgement) = row.judgement() else {
            return Ok(());
        };
        self.open(BytesStart::new("properties"))?;
        self.versions(judgement)?;
        self.property("attempt", &judgement.attempt.to_string())?;
        if let Some(log) = &judgement.log {
            self.property("history", &judgement.at_home(log))?;
        }
        for one in &judgement.evidence {
            self.property("evidence", &judgement.at_home(&one.file))?;
        }
        if let Some(attribution) = &judgement.attribution {
            self.property("attribution", &attribution.to_string())?;
        }
        if let Row::Case(_) = row {
            for (condition, verdict) in &judgement.conditions {
                self.property(&format!("condition.{condition}"), &came_of(verdict))?;
            }
        }
        self.close("properties")
    }

    /// The versions that took part, and the exact ones of the packages that they come from.
    fn versions(&mut self, judgement: &Judgement) -> io::Result<()> {
        let Versions {
            client,
            source_libvirt,
            source_qemu,
            destination_libvirt,
            destination_qemu,
        } = judgement.versions;
        let all = [
            ("client.libvirt", client),
            ("source.libvirt", source_libvirt),
            ("source.qemu", source_qemu),
            ("destination.libvirt", destination_libvirt),
            ("destination.qemu", destination_qemu),
        ];
        for (name, version) in all {
            if let Some(version) = version {
                self.property(name, &version.to_string())?;
            }
        }
        let (releases, case) = (self.run.known_releases(), &judgement.case);
        let takes_part = |place: &Role| *place != Role::Client || case.backend.has_client();
        let places = case.tuple.places().filter(|(place, _)| takes_part(place));
        for (place, name) in places {
            let release = releases.iter().find(|one| one.name == *name);
            for (package, version) in release.map(Release::packages).into_iter().flatten() {
                self.property(&format!("{}.package.{package}", place.word()), version)?;
            }
        }
        Ok(())
    }

    fn property(&mut self, name: &str, value: &str) -> io::Result<()> {
        let mut element = BytesStart::new("property");
        set(&mut element, "name", name);
        set(&mut element, "value", &printable(value).replace('\n', " "));
        self.put(Event::Empty(element))
    }

    fn text(&mut self, element: BytesStart<'_>, text: &str) -> io::Result<()> {
        let end = element.to_end().into_owned();
        self.put(Event::Start(element))?;
        self.put(Event::Text(BytesText::new(text)))?;
        self.put(Event::End(end))
    }

    fn open(&mut self, element: BytesStart<'_>) -> io::Result<()> {
        self.put(Event::Start(element))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.put(Event::End(BytesEnd::new(name)))
    }

    fn put(&mut self, event: Event<'_>) -> io::Result<()> {
        self.writer.write_event(event)
    }
}

fn came_of(verdict: &Verdict) -> String {
    match verdict.kind() {
        Kind::Pass => "pass".to_owned(),
        kind @ (Kind::Fail | Kind::Unknown | Kind::Skipped) => {
            format!("{}: {}", kind.word(), verdict.why())
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn timestamp(unix: u64) -> String {
    let moment = i64::try_from(unix).unwrap_or_default();
    let moment = Timestamp::from_second(moment).unwrap_or_default();
    format!("{moment:.3}")
}
