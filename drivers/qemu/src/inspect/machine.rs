//! What QEMU says of the machine, as a document.

use std::path::Path;

use migratrix_contract::{Recorder, command_line, now_unix};
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
        let process = self.pid().map(|pid| format!("/proc/{pid}"));
        answers.words = process.and_then(|process| command_line(Path::new(&process)));
        if let Some(document) = answers.document() {
            record.describe(self.side, when, Document::Machine, &document);
        }
        Ok(())
    }
}
