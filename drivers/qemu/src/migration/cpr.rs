//! Checkpoint and restart (`docs/devel/migration/CPR.rst`): the new QEMU takes over what the old one
//! hands to it.
//!
//! With `cpr-transfer` the new one is there first, and answers once the old one has handed its state
//! over. With `cpr-exec` the old process becomes the new one, when its migration has completed.

use std::path::PathBuf;

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::Method;
use serde_json::{Value, json};

use crate::{QemuDriver, error::StepError, party::PATIENCE, transport::await_file};

/// Where the source hands its state over.
const CHANNEL: &str = "cpr";

/// Where a QEMU that has replaced itself listens.
const QMP: &str = "qmp";
const QTEST: &str = "qtest";

/// Whether the destination can't be started before the source hands its state over.
pub(crate) const fn hands_over(method: Method) -> bool {
    match method {
        Method::CprTransfer | Method::CprExec => true,
        Method::Precopy | Method::Postcopy | Method::CprReboot => false,
    }
}

impl QemuDriver {
    /// Begins to start the destination, which will answer when the source has handed its state over.
    pub(crate) async fn begin_launch(&mut self) -> Result<(), StepError> {
        let path = self.scratch.path(CHANNEL);
        let launch = self.launch_of(Side::Destination)?;
        let channel = self.channel().to_string();
        let launch = launch.arguments(["-incoming", &channel]);
        let starting = launch.begin().await?;
        self.route.launch = Some(starting);
        await_file(&path).await;
        Ok(())
    }

    /// The channel by which the source hands its state over.
    fn channel(&self) -> Value {
        json!({
            "channel-type": "cpr",
            "addr": {
                "transport": "socket", "type": "unix", "path": self.scratch.text(CHANNEL),
            },
        })
    }

    /// The channel by which the source hands its state over, if it does.
    pub(crate) fn handing_over(&self) -> Option<Value> {
        (self.subject.raw.method == Method::CprTransfer).then(|| self.channel())
    }

    /// Takes the destination in, once the source has handed its state over.
    pub(crate) async fn take_over(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        let Some(starting) = self.route.launch.take() else {
            return Ok(());
        };
        let qemu = starting.answers(PATIENCE).await?;
        self.greet(Side::Destination, qemu, record);
        self.configure(Side::Destination, record).await?;
        self.listen_here(record).await
    }

    /// The command by which the source replaces itself, if it does.
    pub(crate) fn replacement(&mut self) -> Result<Option<Value>, StepError> {
        if self.subject.raw.method != Method::CprExec {
            return Ok(None);
        }
        let launch = self.launch_of(Side::Source)?;
        let launch = launch.arguments(Self::INCOMING);
        let (qmp, qtest) = (self.scratch.text(QMP), self.scratch.text(QTEST));
        Ok(Some(json!(launch.words_with_sockets(&qmp, &qtest))))
    }

    /// Takes the source in as the destination, if it replaces itself.
    pub(crate) async fn become_destination(
        &mut self,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        if self.subject.raw.method != Method::CprExec || self.destination.lives() {
            return Ok(());
        }
        let sockets: [PathBuf; 2] = [QMP, QTEST].map(|name| self.scratch.path(name));
        for socket in &sockets {
            await_file(socket).await;
        }
        let old = self.source.unseat();
        let old = old.ok_or(StepError::NoQemu(Side::Source, None))?;
        let [qmp, qtest] = &sockets;
        let new = old.replaced(qmp, qtest, PATIENCE).await?;
        self.greet(Side::Destination, new, record);
        self.configure(Side::Destination, record).await
    }
}
