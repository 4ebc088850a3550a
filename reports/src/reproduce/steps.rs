//! The steps of a raw case, out of its history: what was sent to both QEMUs, and what was waited for between.

use migratrix_history::{History, Observation, Verb};
use migratrix_matrix::{Activity, End, GuestState, Raw, Side, Transport};
use serde_json::Value;

/// What the player does of a case, as lines of Python, and whether its history ended before the case.
pub(super) struct Steps {
    pub lines: String,
    pub is_whole: bool,
}

/// What stands in a history behind the case's name for its folder, and in a script for its own.
const DIR: &str = "@DIR@";
const PORT: &str = "@PORT@";

/// How the step is written with which a case has come to its end, whatever came of it.
const AFTER: &str = " after";

/// Reads a history.
struct Reader<'h> {
    raw: &'h Raw,
    /// The folder of the case, by its name.
    folder: String,
    /// Where the destination listens, where it was told to.
    incoming: Option<Value>,
    lines: String,
}

/// The steps of a raw case.
pub(super) fn steps(history: &History, raw: &Raw) -> Steps {
    let mut reader = Reader {
        raw,
        folder: format!("/{}/", history.header.domain),
        incoming: None,
        lines: String::new(),
    };
    let entries = &history.entries;
    let first = |is: fn(&Observation) -> bool| entries.iter().position(|entry| is(&entry.saw));
    let over = first(is_over);
    // A case that is given up is cleared away where it stands.
    let end = over.or_else(|| first(clears)).unwrap_or(entries.len());
    for entry in &entries[..end] {
        reader.read(&entry.saw);
    }
    let is_whole = over.is_some();
    if is_whole {
        reader.finish();
    } else {
        reader.line("pass  # what the case does after that was not recorded");
    }
    let lines = reader.lines;
    Steps { lines, is_whole }
}

/// Whether the case has come to its end, whatever came of it: what it does then only looks.
fn is_over(saw: &Observation) -> bool {
    let Observation::Began { verb, step } = saw else {
        return false;
    };
    *verb == Verb::Inspect && step.ends_with(AFTER)
}

/// Whether what is left of the case is cleared away.
fn clears(saw: &Observation) -> bool {
    matches!(saw, Observation::Began { verb, .. } if *verb == Verb::Clear)
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        self.lines += &format!("    {line}\n");
    }

    fn read(&mut self, saw: &Observation) {
        if let Observation::Began { verb, step } = saw {
            self.begin(*verb, step);
        } else if let Observation::Ended { verb, step, .. } = saw {
            self.end(*verb, step);
        } else if let Observation::Command {
            side,
            command,
            arguments,
        } = saw
        {
            self.send(*side, command, arguments);
        }
    }

    fn begin(&mut self, verb: Verb, step: &str) {
        let is_done = matches!(
            verb,
            Verb::Start | Verb::Inspect | Verb::Ram | Verb::Beat | Verb::Job
        );
        if !is_done {
            self.line(&super::template::comment(step).trim_end().replace('\n', " "));
        }
        if verb == Verb::UseDevice {
            self.line("# (left out: this reads the device's registers, by qtest)");
        }
        let reads = self.raw.transport == Transport::Exec && verb == Verb::Listen;
        if reads && step == "listen" {
            self.line("stream()");
        }
    }

    fn send(&mut self, side: Side, command: &str, arguments: &Value) {
        let mut arguments = self.in_folder(arguments);
        match (side, command) {
            (Side::Destination, "migrate-incoming") => self.incoming = Some(arguments.clone()),
            (Side::Source, "migrate") => self.lead(&mut arguments),
            (Side::Source | Side::Destination, _) => {}
        }
        let is_refused = command == "migrate" && self.raw.expectation().end == End::Refused;
        let call = if is_refused { "refused" } else { "send" };
        let command = Value::from(command);
        self.line(&format!("{call}({}, {command}, {arguments})", side.word()));
    }

    /// What a step waits for once all was sent.
    fn end(&mut self, verb: Verb, step: &str) {
        let (what, side) = step.rsplit_once(" on ").unwrap_or((step, ""));
        let side = match side {
            "destination" => "destination",
            _ => "source",
        };
        if verb == Verb::AwaitBeat {
            self.line(&format!("boots({side})"));
        } else if verb == Verb::Await {
            match what.strip_prefix("await ") {
                Some("a further pass") => self.line("passes()"),
                Some("sleep") => self.line(&format!("sleeps({side})")),
                Some(status) => {
                    let status = Value::from(status);
                    self.line(&format!("reaches({side}, {status})"));
                }
                None => {}
            }
        }
    }

    /// What must hold in the end.
    fn finish(&mut self) {
        let expected = self.raw.expectation();
        let here = expected.survivor.word();
        let there = expected.survivor.other().word();
        let runs = match expected.after {
            Activity::Running => "True",
            Activity::Paused => "False",
        };
        self.line("# what must hold in the end");
        for command in wake(self.raw) {
            self.line(&format!("send({here}, \"{command}\", {{}})"));
        }
        self.line(&format!("ends({here}, {there}, runs={runs})"));
    }

    /// The arguments, with the script's folder for that of the case.
    fn in_folder(&self, arguments: &Value) -> Value {
        map_text(arguments, &|text| {
            let mut out = String::new();
            let mut rest = text;
            while let Some(at) = rest.find(&self.folder) {
                // The folder's path begins where a path begins.
                let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
                let start = rest[..at].trim_end_matches(is_path).len();
                out += &rest[..start];
                out += DIR;
                out += "/";
                rest = &rest[at + self.folder.len()..];
            }
            out + rest
        })
    }

    /// Has the source go to where the destination listens: there may have been a relay between the two.
    fn lead(&self, arguments: &mut Value) {
        let Some(incoming) = &self.incoming else {
            return;
        };
        let socket = socket_of(incoming);
        match (self.raw.transport, socket) {
            (Transport::Unix, Some(socket)) => replace(arguments, "unix:", "path", &socket),
            (Transport::Tcp, _) => replace(arguments, "tcp:127.0.0.1:", "port", PORT),
            (Transport::Unix | Transport::Fd | Transport::FdFile | Transport::File, _)
            | (Transport::FileOffset | Transport::FileFdset | Transport::Exec, _) => {}
        }
    }
}

/// The commands that wake a guest.
fn wake(raw: &Raw) -> &'static [&'static str] {
    match raw.guest {
        GuestState::Running | GuestState::Stopped => &[],
        GuestState::Suspended => &["system_wakeup"],
        GuestState::SuspendedStopped => &["cont", "system_wakeup"],
    }
}

/// The path of a socket in the arguments.
fn socket_of(arguments: &Value) -> Option<String> {
    let uri = arguments.get("uri").and_then(Value::as_str);
    let uri = uri.and_then(|uri| uri.strip_prefix("unix:"));
    let path = || arguments.pointer("/channels/0/addr/path")?.as_str();
    uri.or_else(path).map(str::to_owned)
}

/// Puts what is wanted behind the prefix of each text that has it, and in each field of that name.
fn replace(value: &mut Value, prefix: &str, field: &str, wanted: &str) {
    match value {
        Value::String(text) if text.starts_with(prefix) => *text = format!("{prefix}{wanted}"),
        Value::Array(all) => all
            .iter_mut()
            .for_each(|one| replace(one, prefix, field, wanted)),
        Value::Object(all) => {
            for (name, one) in all.iter_mut() {
                if name == field && one.is_string() {
                    *one = Value::from(wanted);
                } else {
                    replace(one, prefix, field, wanted);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value with each of its texts changed.
fn map_text(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::from(change(text)),
        Value::Array(all) => all.iter().map(|one| map_text(one, change)).collect(),
        Value::Object(all) => {
            let all = all.iter();
            let all = all.map(|(name, one)| (name.clone(), map_text(one, change)));
            Value::Object(all.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
