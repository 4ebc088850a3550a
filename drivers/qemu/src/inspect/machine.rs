//! What QEMU says of the machine, as a document.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use migratrix_contract::Recorder;
use migratrix_history::{
    Document, When,
    machine::{Answers, Question},
};

use crate::{error::StepError, party::Party};

impl Party {
    /// Records what QEMU says of the machine.
    pub(crate) async fn ask_machine(
        &mut self,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let mut answers = Answers::default();
        let before = now_unix();
        for question in Question::ALL {
            let (command, arguments) = question.command();
            // What a machine has not got, its QEMU refuses to tell of.
            if let Ok(answer) = self.execute(command, arguments).await? {
                answers.take(question, answer);
            }
        }
        answers.host_unix = (before, now_unix());
        answers.words = self.pid().and_then(words);
        if let Some(document) = answers.document() {
            record.describe(self.side, when, Document::Machine, &document);
        }
        Ok(())
    }
}

fn now_unix() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The words that a process was started with.
fn words(pid: u32) -> Option<Vec<String>> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = line.split(|byte| *byte == 0);
    Some(
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}
