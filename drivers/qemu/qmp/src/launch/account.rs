//! What is kept of every QEMU that was started for one purpose: its command line, what it wrote to its
//! standard error, and how it ended. It outlives them, so that it is there when they are gone.

use std::{
    ffi::OsStr,
    fmt::Write,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::stderr::Stderr;

/// How long the last words of a QEMU that has ended may take.
const GRACE: Duration = Duration::from_secs(2);

/// All QEMUs that were started with it, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Account(Arc<Mutex<Vec<Arc<Life>>>>);

/// One QEMU, from its start to its end.
#[derive(Debug)]
pub(crate) struct Life {
    command: String,
    pub(crate) stderr: Stderr,
    end: OnceLock<String>,
}

impl Account {
    /// Takes one more in.
    pub(crate) fn add(&self, life: Arc<Life>) {
        self.all().push(life);
    }

    /// What is known of all of them, for people; `None` where none was started.
    pub async fn text(&self) -> Option<String> {
        let lives = self.all().clone();
        let mut text = String::new();
        for life in &lives {
            // Writing to a string does not fail.
            let _ = life.write(&mut text).await;
        }
        (!lives.is_empty()).then_some(text)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Life>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Life {
    /// One that was started by this command, its environment first.
    pub(crate) const fn new(command: String, stderr: Stderr) -> Self {
        Self {
            command,
            stderr,
            end: OnceLock::new(),
        }
    }

    /// Notes how it ended. What is noted first counts: that we killed it, or that it was gone by then.
    pub(crate) fn note_end(&self, how: impl ToString) {
        self.end.get_or_init(|| how.to_string());
    }

    async fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "$ {}", self.command)?;
        let output = self.stderr.rest(GRACE).await;
        let cut = self.stderr.cut();
        if cut > 0 {
            writeln!(text, "[… {cut} bytes are left out here …]")?;
        }
        if !output.is_empty() {
            writeln!(text, "{output}")?;
        }
        match self.end.get() {
            Some(how) => writeln!(text, "[its end: {how}]"),
            None => writeln!(text, "[its end was not seen]"),
        }
    }
}

/// A command line that a shell would take.
pub(crate) fn command_line<'w>(words: impl Iterator<Item = &'w OsStr>) -> String {
    let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::{Binary, Launch};

    use super::*;

    #[tokio::test]
    async fn what_every_qemu_of_a_side_said_is_kept_beyond_its_end() {
        let account = Account::default();
        assert_eq!(account.text().await, None);
        for script in ["echo VQ 0 is too long >&2; exit 1", "exit 3"] {
            let mut binary = Binary::at("/bin/sh");
            binary.words.extend(["-c", script].map(OsString::from));
            let launch = Launch::new(binary).kept_in(&account);
            drop(launch.start(Duration::from_secs(30)).await.unwrap_err());
        }
        let told = account.text().await.unwrap();
        let lines: Vec<&str> = told.lines().collect();
        let [first, said, end, second, other_end] = lines[..] else {
            panic!("{told}");
        };
        assert!(first.starts_with("$ /bin/sh -c 'echo VQ 0 is too long >&2; exit 1' -chardev "));
        assert_eq!(said, "VQ 0 is too long");
        assert_eq!(end, "[its end: exit status: 1]");
        assert!(second.starts_with("$ /bin/sh -c 'exit 3' "), "{second}");
        assert_eq!(other_end, "[its end: exit status: 3]");
    }

    #[test]
    fn a_command_line_can_be_given_to_a_shell() {
        let words = ["qemu", "-name", "a b", "it's", "", "a=b,c"].map(OsStr::new);
        assert_eq!(
            command_line(words.into_iter()),
            r"qemu -name 'a b' 'it'\''s' '' a=b,c"
        );
    }
}
