//! The messages that QEMU sends, as its manual's `docs/interop/qmp-spec` has them.

use std::time::{Duration, Instant, SystemTime};

use migratrix_matrix::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Ending, error::excerpt};

/// What QEMU says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// QEMU's version.
    pub version: Version,
    /// The package that it comes from, as its builder named it.
    pub package: String,
    /// The protocol's capabilities that it offers, such as `oob`.
    pub capabilities: Vec<String>,
}

/// Something that happened inside QEMU.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name: `STOP`, `MIGRATION`, …
    pub name: String,
    /// What it carries; null where it carries nothing.
    pub data: Value,
    /// When it happened by QEMU's own clock, since the epoch; `None` where QEMU could not read its clock.
    pub at: Option<Duration>,
    /// When it came to us.
    pub arrived: Instant,
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{class}: {desc}")]
pub struct QmpError {
    /// `QapiErrorClass`: `GenericError`, `CommandNotFound`, `DeviceNotFound`, …
    pub class: String,
    /// The text, for people: it changes from release to release.
    pub desc: String,
}

/// How QEMU answers a command: by what it returns, or by a refusal, which is an answer too.
pub type Answer = Result<Value, QmpError>;

/// Anything that QEMU sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// The first message.
    Greeting(Greeting),
    /// It can come at any time after the greeting.
    Event(Event),
    /// An answer, to the command of this id.
    Answer(u64, Answer),
}

#[derive(Deserialize)]
struct RawGreeting {
    version: RawVersion,
    #[serde(default)]
    capabilities: Vec<Value>,
}

#[derive(Deserialize)]
struct RawVersion {
    qemu: Triple,
    #[serde(default)]
    package: String,
}

#[derive(Deserialize)]
struct Triple {
    major: u32,
    minor: u32,
    micro: u32,
}

/// How late an event may come, at most. What would be later was sent by another clock than ours.
const LATEST: Duration = Duration::from_secs(60);

impl Event {
    /// How much later it came than QEMU sent it: a busy machine may let it lie in its socket for long. `None`
    /// where QEMU's clock doesn't tell, or is another one than ours.
    #[must_use]
    pub fn late(&self) -> Option<Duration> {
        let came = SystemTime::now().checked_sub(self.arrived.elapsed());
        let sent = self
            .at
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at));
        let late = came
            .zip(sent)
            .and_then(|(came, sent)| came.duration_since(sent).ok());
        late.filter(|late| *late <= LATEST)
    }
}

impl Message {
    /// Reads one message, which came at `arrived`.
    pub(crate) fn read(bytes: &[u8], arrived: Instant) -> Result<Self, Ending> {
        let garbage = |why: String| Ending::Malformed {
            received: excerpt(bytes),
            why,
        };
        let mut members: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| garbage(error.to_string()))?;
        if let Some(greeting) = members.remove("QMP") {
            let greeting = read_greeting(greeting).map_err(|error| garbage(error.to_string()))?;
            return Ok(Self::Greeting(greeting));
        }
        if let Some(event) = members.remove("event") {
            let name = event
                .as_str()
                .ok_or_else(|| garbage("the event's name is no text".to_owned()))?;
            return Ok(Self::Event(read_event(name, members, arrived)));
        }
        let answer = read_answer(&mut members)
            .ok_or_else(|| garbage("it is no greeting, event or answer".to_owned()))?;
        let id = members.get("id").and_then(Value::as_u64);
        id.map(|id| Self::Answer(id, answer))
            .ok_or_else(|| Ending::Unsolicited(excerpt(bytes)))
    }
}

fn read_greeting(greeting: Value) -> serde_json::Result<Greeting> {
    let raw: RawGreeting = serde_json::from_value(greeting)?;
    let Triple {
        major,
        minor,
        micro,
    } = raw.version.qemu;
    // A capability that is no text is one that we don't know, and is not to be enabled.
    let known = raw.capabilities.iter().filter_map(Value::as_str);
    Ok(Greeting {
        version: Version::new(major, minor, micro),
        package: raw.version.package,
        capabilities: known.map(str::to_owned).collect(),
    })
}

fn read_event(name: &str, mut members: Map<String, Value>, arrived: Instant) -> Event {
    Event {
        name: name.to_owned(),
        data: members.remove("data").unwrap_or(Value::Null),
        at: members.get("timestamp").and_then(read_time),
        arrived,
    }
}

/// Both numbers are -1 where QEMU could not read its clock.
fn read_time(stamp: &Value) -> Option<Duration> {
    let seconds = stamp.get("seconds")?.as_u64()?;
    let microseconds = stamp.get("microseconds")?.as_u64()?;
    Duration::from_secs(seconds).checked_add(Duration::from_micros(microseconds))
}

fn read_answer(members: &mut Map<String, Value>) -> Option<Answer> {
    if let Some(error) = members.remove("error") {
        return serde_json::from_value(error).ok().map(Err);
    }
    members.remove("return").map(Ok)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(message: &str) -> Result<Message, Ending> {
        Message::read(message.as_bytes(), Instant::now())
    }

    #[test]
    fn a_greeting_has_a_version_and_capabilities() {
        let message = read(
            r#"{"QMP": {"version": {"qemu": {"micro": 13, "minor": 0, "major": 10},
                "package": "Debian"}, "capabilities": ["oob", 7]}}"#,
        );
        let expected = Greeting {
            version: Version::new(10, 0, 13),
            package: "Debian".to_owned(),
            capabilities: vec!["oob".to_owned()],
        };
        assert_eq!(message, Ok(Message::Greeting(expected)));
    }

    #[test]
    fn an_event_has_qemus_time_unless_its_clock_failed() {
        let event = |stamp: &str| match read(&format!(
            r#"{{"event": "STOP", "timestamp": {{"seconds": {stamp}, "microseconds": {stamp}}}}}"#
        )) {
            Ok(Message::Event(event)) => event.at,
            Ok(Message::Greeting(_) | Message::Answer(..)) | Err(_) => panic!("no event"),
        };
        assert_eq!(event("7"), Some(Duration::from_micros(7_000_007)));
        assert_eq!(event("-1"), None);
        assert_eq!(event(&u64::MAX.to_string()), None);
    }

    #[test]
    fn an_event_is_late_by_qemus_clock_unless_that_is_another_than_ours() {
        let arrived = Instant::now();
        let late = |by: i64| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now = i64::try_from(now.unwrap().as_micros()).unwrap();
            let at = now - by * 1_000;
            let (seconds, rest) = (at / 1_000_000, at % 1_000_000);
            let text = format!(
                r#"{{"event": "STOP", "timestamp": {{"seconds": {seconds}, "microseconds": {rest}}}}}"#
            );
            match Message::read(text.as_bytes(), arrived) {
                Ok(Message::Event(event)) => event.late(),
                Ok(Message::Greeting(_) | Message::Answer(..)) | Err(_) => panic!("no event"),
            }
        };
        let about = Duration::from_millis(1_400)..Duration::from_millis(1_600);
        assert!(late(1_500).is_some_and(|late| about.contains(&late)));
        assert_eq!([late(-60_000), late(120_000)], [None; 2]);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let answer = read(r#"{"id": 3, "error": {"class": "GenericError", "desc": "no"}}"#);
        let refusal = QmpError {
            class: "GenericError".to_owned(),
            desc: "no".to_owned(),
        };
        assert_eq!(answer, Ok(Message::Answer(3, Err(refusal))));
        assert_eq!(
            read(r#"{"return": {"a": 1}, "id": 4}"#),
            Ok(Message::Answer(4, Ok(json!({"a": 1}))))
        );
    }

    #[test]
    fn an_answer_without_an_id_of_ours_was_not_asked_for() {
        for message in [r#"{"return": {}}"#, r#"{"return": {}, "id": "x"}"#] {
            assert!(matches!(read(message), Err(Ending::Unsolicited(_))));
        }
    }

    #[test]
    fn what_is_no_message_is_told_with_its_start() {
        for message in [r#"{"a": 1}"#, "{]", r#"{"event": 1}"#, r#"{"QMP": {}}"#] {
            let ending = read(message).unwrap_err();
            assert!(ending.to_string().contains(message), "{ending}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            drop(Message::read(&bytes, Instant::now()));
        }
    }
}
