//! What the domain's QEMU itself says of the machine: asked through libvirt, without a step of its own.

use std::path::Path;

use migratrix_client::wire::{Op, Said};
use migratrix_contract::{Recorder, command_line, now_unix};
use migratrix_history::{
    Document, Side, When,
    machine::{Answers, Question},
};
use serde_json::{Value, json};

use crate::{Error, LibvirtDriver, channels::qemu_of};

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

    fn answers(&self, side: Side, said: &[String]) -> Answers {
        let processes = self.host(side).path("/proc");
        let mut answers = Answers::default();
        answers.words = processes.and_then(|all| words_of(&all, &self.subject.domain));
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

/// The words that the domain's QEMU, which is one of `processes`, was started with.
fn words_of(processes: &Path, domain: &str) -> Option<Vec<String>> {
    command_line(&qemu_of(processes, domain)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_words_are_those_of_the_domains_own_qemu() {
        let processes = tempfile::tempdir().unwrap();
        for (number, name) in [("41", "mx-00011"), ("42", "mx-0001")] {
            let folder = processes.path().join(number);
            fs::create_dir_all(&folder).unwrap();
            let line = format!("qemu\0-name\0guest={name},debug-threads=on\0-rtc\0base={number}");
            fs::write(folder.join("cmdline"), line).unwrap();
        }
        let words = words_of(processes.path(), "mx-0001").unwrap();
        assert_eq!(words[3..], ["-rtc", "base=42"]);
        assert_eq!(words_of(processes.path(), "mx-0002"), None);
    }
}
