//! What the hosts tell of their domains: one process listens to all of a run's hosts, and hands each
//! event to the case whose domain it is of.
//!
//! A host sends each event to everyone who listens to it. If each case's client did, a host with
//! eight cases on it would send all eight times.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use migratrix_client::wire::{Event, EventKind, Op};
use migratrix_history::{Observation, Side};
use tokio::{
    sync::{
        self,
        mpsc::{self, error::TryRecvError},
    },
    task::{JoinHandle, yield_now},
    time::timeout,
};

use crate::{Client, Error, Program, client::done};

/// How long the process may take to answer: less than a step may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Listens to hosts with the client library of one release. Starts a process when it is first needed.
pub struct Listener {
    program: Arc<Program>,
    when_silent: WhenSilent,
    process: sync::Mutex<Option<Process>>,
    routes: Routes,
}

/// What becomes of a process that does not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenSilent {
    /// It is of no use to anybody, and is killed: the next case gets another.
    Killed,
    /// It waits for a host that is silent, and hears the others.
    Left,
}

/// Who gets the events of which domain.
type Routes = Arc<Mutex<HashMap<String, mpsc::UnboundedSender<(Instant, Event)>>>>;

struct Process {
    client: Arc<Client>,
    pump: JoinHandle<()>,
}

/// The events of one case's domain, in the order in which each host sent them.
pub struct Events {
    listener: Arc<Listener>,
    domain: String,
    uris: HashMap<String, Side>,
    arrived: mpsc::UnboundedReceiver<(Instant, Event)>,
}

impl Listener {
    /// A listener by a process of this program.
    #[must_use]
    pub fn new(program: Arc<Program>) -> Arc<Self> {
        Self::that_is(program, WhenSilent::Killed)
    }

    /// The same, of hosts that may be silent on purpose: that one is so is no reason to hear no other.
    #[must_use]
    pub fn of_silent_hosts(program: Arc<Program>) -> Arc<Self> {
        Self::that_is(program, WhenSilent::Left)
    }

    fn that_is(program: Arc<Program>, when_silent: WhenSilent) -> Arc<Self> {
        Arc::new(Self {
            program,
            when_silent,
            process: sync::Mutex::default(),
            routes: Routes::default(),
        })
    }

    /// The events of the domain of this name, once it is said which hosts are listened to.
    pub(crate) fn events(self: &Arc<Self>, domain: &str) -> Events {
        let (sender, arrived) = mpsc::unbounded_channel();
        routes(&self.routes).insert(domain.to_owned(), sender);
        Events {
            listener: Arc::clone(self),
            domain: domain.to_owned(),
            uris: HashMap::new(),
            arrived,
        }
    }

    /// Asks the process.
    async fn ask(&self, op: Op) -> Result<(), Error> {
        let client = self.client().await?;
        match timeout(PATIENCE, done(Arc::clone(&client), op)).await {
            Ok(answered) => answered,
            Err(_) if self.when_silent == WhenSilent::Left => Err(Error::Silent {
                asked: "listen".to_owned(),
                patience: PATIENCE,
            }),
            Err(_) => {
                client.kill().await;
                Err(lost())
            }
        }
    }

    async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut process = self.process.lock().await;
        if let Some(running) = process.as_ref().filter(|running| !running.client.is_gone()) {
            return Ok(Arc::clone(&running.client));
        }
        let client = Arc::new(Client::start(&self.program)?);
        let pump = tokio::spawn(pump(Arc::clone(&client), Arc::clone(&self.routes)));
        *process = Some(Process {
            client: Arc::clone(&client),
            pump,
        });
        Ok(client)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// Hands on what comes, until the process ends: then all who listen are told so.
async fn pump(client: Arc<Client>, to: Routes) {
    while let Some((at, event)) = client.event().await {
        let routes = routes(&to);
        if let Some(case) = routes.get(&event.domain) {
            let _nobody_listens = case.send((at, event));
        }
    }
    routes(&to).clear();
}

fn routes(
    routes: &Routes,
) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<(Instant, Event)>>> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Events {
    /// Listens to the host at `uri`, by the name of `side`.
    pub(crate) async fn listen(&mut self, side: Side, uri: &str) -> Result<(), Error> {
        // One that was listened to in this case was away since.
        let away = self.uris.insert(uri.to_owned(), side).is_some();
        let uri = uri.to_owned();
        self.listener.ask(Op::Listen { uri, away }).await
    }

    /// Waits until all that the host of `side` has told until now has come.
    pub(crate) async fn settle(&mut self, side: Side) -> Result<(), Error> {
        let mut uris = self.uris.iter();
        if let Some((uri, _)) = uris.find(|(_, of)| **of == side) {
            let uri = uri.clone();
            self.listener.ask(Op::Settle { uri }).await?;
        }
        // What has come goes from hand to hand before whoever asked for it goes on.
        yield_now().await;
        Ok(())
    }

    /// Waits for an event: when it came, from which host, and what happened.
    pub(crate) async fn next(&mut self) -> Result<(Instant, Side, EventKind), Error> {
        loop {
            let (at, event) = self.arrived.recv().await.ok_or_else(lost)?;
            if let Some(side) = self.uris.get(&event.uri) {
                return Ok((at, *side, event.what));
            }
        }
    }

    /// The next event that has come already, if there is one.
    pub(crate) fn arrived(&mut self) -> Result<Option<(Instant, Side, EventKind)>, Error> {
        loop {
            match self.arrived.try_recv() {
                Ok((at, event)) => {
                    if let Some(side) = self.uris.get(&event.uri) {
                        return Ok(Some((at, *side, event.what)));
                    }
                }
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(lost()),
            }
        }
    }
}

fn lost() -> Error {
    Error::Ended("that listens is gone".to_owned())
}

impl Drop for Events {
    fn drop(&mut self) {
        routes(&self.listener.routes).remove(&self.domain);
    }
}

/// What is recorded of an event.
pub(crate) fn observed(side: Side, what: EventKind) -> Observation {
    match what {
        EventKind::Lifecycle(event, detail) => Observation::Lifecycle {
            side,
            event,
            detail,
        },
        EventKind::Iteration(iteration) => Observation::Iteration { side, iteration },
        EventKind::JobEnded(job) => Observation::JobEnded { side, job: *job },
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// A client that answers once, tells of three domains' events, and ends when it is asked again.
    const TELLS: &str = r#"read a; echo '{"id":1,"ok":"done"}'
        for of in one two one; do
        echo '{"event":{"uri":"a","domain":"'$of'","iteration":1}}'; done; read b"#;

    fn listener(script: &str) -> Arc<Listener> {
        let command = ["sh", "-c", script].map(OsString::from);
        Listener::new(Arc::new(Program::new(command.to_vec())))
    }

    #[tokio::test]
    async fn each_case_gets_the_events_of_its_own_domain() {
        let listener = listener(TELLS);
        let (mut one, mut two) = (listener.events("one"), listener.events("two"));
        one.listen(Side::Source, "a").await.unwrap();
        two.uris.insert("a".to_owned(), Side::Destination);
        for _ in 0..2 {
            let (_, side, what) = one.next().await.unwrap();
            assert_eq!((side, what), (Side::Source, EventKind::Iteration(1)));
        }
        assert_eq!(two.next().await.unwrap().1, Side::Destination);
        assert_eq!(one.arrived().unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_is_silent_is_replaced() {
        let listener = listener("exec sleep 60");
        let mut case = listener.events("one");
        let why = case
            .listen(Side::Source, "a")
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(why, "the client that listens is gone");
        assert!(
            listener
                .process
                .lock()
                .await
                .as_ref()
                .unwrap()
                .client
                .is_gone()
        );
    }

    #[tokio::test]
    async fn what_came_late_is_there_once_the_hosts_have_settled() {
        let listener = listener(
            r#"read a; echo '{"id":1,"ok":"done"}'; read b
            echo '{"event":{"uri":"a","domain":"one","iteration":1}}'
            echo '{"id":2,"ok":"done"}'; read c"#,
        );
        let mut case = listener.events("one");
        case.listen(Side::Source, "a").await.unwrap();
        case.settle(Side::Source).await.unwrap();
        assert!(case.arrived().unwrap().is_some());
    }

    #[tokio::test]
    async fn who_waits_for_events_is_told_that_the_listener_ended_and_the_next_case_gets_another() {
        let listener = listener(r#"read a; echo '{"id":1,"ok":"done"}'"#);
        let mut case = listener.events("one");
        case.listen(Side::Source, "a").await.unwrap();
        let why = case.next().await.unwrap_err().to_string();
        assert_eq!(why, "the client that listens is gone");
        assert!(case.arrived().is_err());
        let mut case = listener.events("two");
        case.listen(Side::Source, "a").await.unwrap();
    }
}
