//! A client of QMP, QEMU's machine protocol: commands, their answers, and events.
//!
//! ```text
//!   QEMU ── {"QMP": {"version": …, "capabilities": ["oob"]}} ──────────────▶ us
//!   QEMU ◀─ {"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}, "id": 1} ─ us
//!   QEMU ── {"return": {}, "id": 1} ───────────────────────────────────────▶ us
//! ```
//!
//! The protocol is described in `docs/interop/qmp-spec` of QEMU's manual. Answers are matched to commands by their
//! id, since those to out-of-band commands may overtake others. A command whose waiter has
//! given up may still be answered: the answer is kept from whoever asks next.

mod frame;
mod link;
pub(crate) mod message;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Answer, Deadline, Event, Greeting, QemuError};
use link::{Link, Log, Seen};

/// A connection that is ready for commands. Dropping it closes the connection.
#[derive(Debug)]
pub struct Qmp {
    link: Link,
    greeting: Greeting,
}

/// The events of one connection from some moment on, each once, in the order in which they came.
#[derive(Debug)]
pub struct Events {
    log: Arc<Log>,
    next: usize,
}

const OUT_OF_BAND: &str = "oob";

impl Qmp {
    /// Waits for QEMU's greeting on `stream`, and enables out-of-band commands where QEMU has them.
    ///
    /// # Errors
    /// Returns an error where no greeting comes, or what comes is none.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub async fn connect<S>(stream: S, deadline: impl Into<Deadline>) -> Result<Self, QemuError>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let deadline = deadline.into();
        let link = Link::new(stream);
        let awaited = || "QEMU's greeting".to_owned();
        let greeting = link
            .log()
            .find(awaited, deadline, |seen| seen.greeting.clone())
            .await?;
        let qmp = Self { link, greeting };
        let enable: &[&str] = if qmp.has_out_of_band() {
            &[OUT_OF_BAND]
        } else {
            &[]
        };
        qmp.ask("qmp_capabilities", json!({ "enable": enable }), deadline)
            .await?;
        Ok(qmp)
    }

    /// What QEMU said first.
    #[must_use]
    pub const fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Whether commands can be sent out of band.
    #[must_use]
    pub fn has_out_of_band(&self) -> bool {
        self.greeting
            .capabilities
            .iter()
            .any(|capability| capability == OUT_OF_BAND)
    }

    /// Sends a command and waits for its answer. `arguments` is an object.
    ///
    /// # Errors
    /// Returns an error where no answer comes. A refusal is an answer.
    pub async fn execute(
        &self,
        command: &str,
        arguments: Value,
        deadline: impl Into<Deadline>,
    ) -> Result<Answer, QemuError> {
        self.send("execute", command, &arguments, deadline.into())
            .await
    }

    /// Sends a command out of band: it overtakes those that QEMU has begun. Few commands may be
    /// sent so, see [`crate::Schema::is_out_of_band`].
    ///
    /// # Errors
    /// Returns an error where no answer comes, or QEMU has no out-of-band commands. A refusal is an
    /// answer.
    pub async fn execute_out_of_band(
        &self,
        command: &str,
        arguments: Value,
        deadline: impl Into<Deadline>,
    ) -> Result<Answer, QemuError> {
        if !self.has_out_of_band() {
            return Err(QemuError::NoOutOfBand(command.to_owned()));
        }
        self.send("exec-oob", command, &arguments, deadline.into())
            .await
    }

    /// Sends a command that isn't to be refused, and waits for what it returns.
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn ask(
        &self,
        command: &str,
        arguments: Value,
        deadline: impl Into<Deadline>,
    ) -> Result<Value, QemuError> {
        let answer = self.execute(command, arguments, deadline).await?;
        answer.map_err(|refusal| QemuError::Refused {
            command: command.to_owned(),
            refusal,
        })
    }

    /// The command that has waited longest for its answer, and for how long: also where nobody awaits it any
    /// more, since the step that asked was given up.
    #[must_use]
    pub fn unanswered(&self) -> Option<(String, Duration)> {
        self.link.log().lock().unanswered()
    }

    /// All events from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        let log = Arc::clone(self.link.log());
        let next = log.lock().events.len();
        Events { log, next }
    }

    /// All events since the connection was made.
    #[must_use]
    pub fn all_events(&self) -> Events {
        let log = Arc::clone(self.link.log());
        Events { log, next: 0 }
    }

    async fn send(
        &self,
        how: &str,
        command: &str,
        arguments: &Value,
        deadline: Deadline,
    ) -> Result<Answer, QemuError> {
        let id = self.link.send(command, |id| {
            let message = json!({ how: command, "arguments": arguments, "id": id });
            format!("{message}\n").into_bytes()
        });
        let awaited = || format!("the answer to `{command}`");
        self.link
            .log()
            .find(awaited, deadline, |seen| seen.take_answer(id))
            .await
    }
}

impl Events {
    /// The events that have come and were not taken yet.
    pub fn drain(&mut self) -> Vec<Event> {
        let seen = self.log.lock();
        let news = seen.events[self.next..].to_vec();
        self.next = seen.events.len();
        news
    }

    /// Waits until an event has come that was not taken yet.
    ///
    /// # Errors
    /// Returns an error where none comes.
    pub async fn ready(&self, deadline: impl Into<Deadline>) -> Result<(), QemuError> {
        let more = |seen: &mut Seen| (seen.events.len() > self.next).then_some(());
        let what = || "an event".to_owned();
        self.log.find(what, deadline.into(), more).await
    }

    /// Waits for the first event that `is` the one, and passes over those before it.
    /// `what` names it in errors.
    ///
    /// # Errors
    /// Returns an error where no such event comes; then none is passed over.
    pub async fn wait(
        &mut self,
        what: &str,
        deadline: impl Into<Deadline>,
        is: impl Fn(&Event) -> bool,
    ) -> Result<Event, QemuError> {
        let looked = self.next;
        let (place, event) = self
            .log
            .find(
                || format!("the event {what}"),
                deadline.into(),
                |seen| {
                    let place = looked + seen.events[looked..].iter().position(&is)?;
                    Some((place, seen.events[place].clone()))
                },
            )
            .await?;
        self.next = place + 1;
        Ok(event)
    }

    /// Waits for the first event of this name, and passes over those before it.
    ///
    /// # Errors
    /// Returns an error where no such event comes.
    pub async fn wait_for(
        &mut self,
        name: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<Event, QemuError> {
        self.wait(name, deadline, |event| event.name == name).await
    }
}
