//! Talks to the client process over its pipe, about the hosts of libvirt's own `test` driver.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use migratrix_client::wire::{
    Answer, Detail, DomainAction, Event, EventKind, Line, Op, Reply, Request, Said,
};
use migratrix_history::Side;

const SIDE: Side = Side::Source;
const URI: &str = "test:///default";
const XML: &str = "<domain type='test'><name>guest</name>\
    <uuid>11111111-2222-3333-4444-555555555555</uuid>\
    <memory>65536</memory><os><type>hvm</type></os></domain>";

struct Talk {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    events: Vec<Event>,
    last_id: u64,
}

impl Talk {
    fn begin() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_migratrix-client"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            to,
            from,
            events: Vec::new(),
            last_id: 0,
        }
    }

    fn open() -> Self {
        let mut talk = Self::begin();
        let opened = talk.ask(Op::Open {
            side: SIDE,
            uri: URI.to_owned(),
        });
        assert!(matches!(opened, Reply::Ok(Said::Host(_))), "{opened:?}");
        talk.listen();
        talk
    }

    fn listen(&mut self) {
        let (uri, away) = (URI.to_owned(), false);
        assert_eq!(self.ask(Op::Listen { uri, away }), Reply::Ok(Said::Done));
    }

    fn read(&mut self) -> Line {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn say(&mut self, line: &str) -> Answer {
        writeln!(self.to, "{line}").unwrap();
        loop {
            match self.read() {
                Line::Answer(answer) => return answer,
                Line::Event { event } => self.events.push(event),
            }
        }
    }

    fn ask(&mut self, op: Op) -> Reply {
        self.last_id += 1;
        let request = Request {
            id: self.last_id,
            op,
        };
        let answer = self.say(&serde_json::to_string(&request).unwrap());
        assert_eq!(answer.id, Some(self.last_id));
        answer.reply
    }

    fn act(&mut self, act: DomainAction) -> Reply {
        let domain = "guest".to_owned();
        self.ask(Op::Domain {
            side: SIDE,
            domain,
            act,
        })
    }

    fn look(&mut self) -> Reply {
        let domain = "guest".to_owned();
        let detail = Detail::Whole;
        self.ask(Op::Look {
            side: SIDE,
            domain,
            detail,
        })
    }

    /// Reads on until there are `count` events.
    fn events(&mut self, count: usize) -> Vec<EventKind> {
        while self.events.len() < count {
            match self.read() {
                Line::Event { event } => self.events.push(event),
                Line::Answer(answer) => panic!("nobody asked for {answer:?}"),
            }
        }
        self.events.drain(..).map(|event| event.what).collect()
    }
}

fn lifecycle(event: &str, detail: &str) -> EventKind {
    EventKind::Lifecycle(event.to_owned(), detail.to_owned())
}

#[test]
fn a_domain_lives_and_dies_and_its_events_come_in_order() {
    let mut talk = Talk::open();
    assert_eq!(talk.look(), Reply::Ok(Said::Absent));
    let xml = XML.to_owned();
    let defined = talk.ask(Op::Define { side: SIDE, xml });
    assert_eq!(defined, Reply::Ok(Said::Done));
    for act in [
        DomainAction::Create,
        DomainAction::Suspend,
        DomainAction::Resume,
    ] {
        assert_eq!(talk.act(act), Reply::Ok(Said::Done), "{act:?}");
    }
    let Reply::Ok(Said::Present(seen)) = talk.look() else {
        panic!("it is there")
    };
    assert_eq!(seen.uuid, "11111111-2222-3333-4444-555555555555");
    assert_eq!(
        (seen.state.as_str(), seen.reason.as_str()),
        ("running", "unpaused")
    );
    assert!(seen.active && seen.persistent && seen.xml.is_some());
    for act in [DomainAction::Destroy, DomainAction::Undefine] {
        assert_eq!(talk.act(act), Reply::Ok(Said::Done), "{act:?}");
    }
    assert_eq!(talk.look(), Reply::Ok(Said::Absent));
    assert_eq!(
        talk.events(6),
        [
            lifecycle("defined", "added"),
            lifecycle("started", "booted"),
            lifecycle("suspended", "paused"),
            lifecycle("resumed", "unpaused"),
            lifecycle("stopped", "destroyed"),
            lifecycle("undefined", "removed"),
        ]
    );
}

#[test]
fn a_host_that_many_listen_to_tells_each_event_once() {
    let mut talk = Talk::open();
    for _ in 0..3 {
        talk.listen();
    }
    let xml = XML.to_owned();
    talk.ask(Op::Define { side: SIDE, xml });
    talk.act(DomainAction::Undefine);
    let told = [
        lifecycle("defined", "added"),
        lifecycle("undefined", "removed"),
    ];
    assert_eq!(talk.events(2), told);
}

#[test]
fn a_refusal_carries_libvirts_code_and_domain() {
    let mut talk = Talk::open();
    let Reply::Refused(refusal) = talk.act(DomainAction::Suspend) else {
        panic!("there is no such domain")
    };
    assert_eq!((refusal.code, refusal.domain), (42, 12));
}

#[test]
fn a_domain_has_no_checkpoints_and_a_host_that_makes_no_backups_refuses() {
    let mut talk = Talk::open();
    let xml = XML.to_owned();
    let paused = false;
    let started = talk.ask(Op::CreateXml {
        side: SIDE,
        xml,
        paused,
    });
    assert_eq!(started, Reply::Ok(Said::Done));
    let (side, domain) = (SIDE, "guest".to_owned());
    let listed = talk.ask(Op::Checkpoints { side, domain });
    assert_eq!(listed, Reply::Ok(Said::Checkpoints(Vec::new())));
    let refused = talk.ask(Op::Backup {
        side,
        domain: "guest".to_owned(),
        backup: "<domainbackup/>".to_owned(),
        checkpoint: None,
    });
    assert!(matches!(refused, Reply::Refused(_)), "{refused:?}");
    let bad = talk.ask(Op::Redefine {
        side,
        domain: "guest".to_owned(),
        checkpoint: "\0".to_owned(),
    });
    assert!(matches!(bad, Reply::Bad(_)), "{bad:?}");
}

#[test]
fn nonsense_is_answered_and_the_next_request_is_served() {
    let mut talk = Talk::begin();
    for (line, id) in [
        ("", None),
        ("{", None),
        ("[1,2]", None),
        (r#"{"id":9,"op":"fly"}"#, Some(9)),
        (r#"{"id":-1,"op":"version"}"#, None),
    ] {
        let answer = talk.say(line);
        assert_eq!(answer.id, id, "{line}");
        assert!(matches!(answer.reply, Reply::Bad(_)), "{line}");
    }
    assert!(matches!(
        talk.ask(Op::Version),
        Reply::Ok(Said::Version(7_000_000..))
    ));
}

#[test]
fn a_host_that_was_not_opened_is_a_bad_request() {
    assert!(matches!(Talk::begin().look(), Reply::Bad(_)));
}

#[test]
fn a_uri_that_leads_nowhere_is_refused() {
    let reply = Talk::begin().ask(Op::Open {
        side: SIDE,
        uri: "nosuch:///driver".to_owned(),
    });
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
}

#[test]
fn the_end_of_its_input_ends_it() {
    let Talk {
        mut child,
        to,
        from: _from,
        ..
    } = Talk::open();
    drop(to);
    assert!(child.wait().unwrap().success());
}
