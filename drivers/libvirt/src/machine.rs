//! What the domain's QEMU itself says of the machine: asked through libvirt, without a step of its own.

use migratrix_client::wire::{Op, Said};
use migratrix_contract::{Recorder, now_unix};
use migratrix_history::{
    Document, Side, When,
    machine::{Answers, Question},
};
use serde_json::{Value, json};

use crate::{Error, LibvirtDriver};

impl LibvirtDriver<'_> {
    /// Records what the QEMU of an active domain says of the machine. Nothing where it may not be asked.
    pub(crate) async fn ask_machine(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let commands = Question::ALL.map(|question| {
            let (command, arguments) = question.command();
            json!({ "execute": command, "arguments": arguments }).to_string()
        });
        let ask = Op::Ask {
            side,
            domain: self.subject.domain.clone(),
            commands: commands.into(),
        };
        let before = now_unix();
        let said = match self.on(side).await?.ask(ask).await {
            Ok(Said::Texts(said)) => said,
            Ok(_) => return Err(Error::Malformed("ask")),
            Err(Error::Refused(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut answers = self.answers(side, &said);
        answers.host_unix = (before, now_unix());
        if let Some(document) = answers.document() {
            record.describe(side, when, Document::Machine, &document);
        }
        Ok(())
    }

    fn answers(&mut self, side: Side, said: &[String]) -> Answers {
        let processes = self.host(side).path("/proc");
        let mut answers = Answers::default();
        let qemu = processes.and_then(|processes| self.qemu(side, &processes));
        answers.words = qemu.map(|qemu| qemu.words());
        for (question, said) in Question::ALL.into_iter().zip(said) {
            let said: Option<Value> = serde_json::from_str(said).ok();
            let answer = said.and_then(|mut said| Some(said.get_mut("return")?.take()));
            if let Some(answer) = answer {
                answers.take(question, answer);
            }
        }
        answers
    }
}
