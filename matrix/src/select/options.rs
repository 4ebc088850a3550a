//! The options of a run beside its selection, as its plan keeps them: whoever goes on with the run,
//! or runs one of its cases again, does so in the same way.

use serde::{Deserialize, Serialize};

use crate::{HostSetup, printable::within_line};

/// What was asked for beside the selection. What is left out here was left out there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RunOptions {
    /// The settings' file, by its absolute path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The lists of known failures.
    #[serde(skip_serializing_if = "KnownLists::is_empty")]
    pub known: KnownLists,
    /// What a JUnit test case is, in the word of the argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<String>,
    /// Where JUnit is written a file for each source and destination, by its absolute path. No line that
    /// runs one case again has it: the folder is the whole run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub junit_per_pair: Option<String>,
    /// How many cases run side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// How often a case that is not as expected is run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// QEMUs of the user's own: `NAME=PATH`, with absolute paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qemus: Vec<String>,
    /// Whether all hosts are set up as hosts are, see [`HostSetup`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub as_shipped: bool,
    /// Whether no case runs on hosts that are set up as hosts are only as a control.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_controls: bool,
    /// Whether known failures fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fail_known: bool,
    /// Whether what only a first attempt showed to be wrong fails nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_flaky: bool,
}

/// The lists of known failures of a run, beside the one that comes with the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "Written")]
pub struct KnownLists {
    /// Their files, by absolute paths.
    pub files: Vec<String>,
    /// Whether they are in the place of the one that comes with the program.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
}

/// How plans have it: those of earlier versions name one list, in the place of the program's.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Written {
    One(String),
    Several {
        files: Vec<String>,
        #[serde(default)]
        only: bool,
    },
}

impl From<Written> for KnownLists {
    fn from(written: Written) -> Self {
        match written {
            Written::One(file) => Self {
                files: vec![file],
                only: true,
            },
            Written::Several { files, only } => Self { files, only },
        }
    }
}

impl KnownLists {
    /// Whether it is the list of the program alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.only
    }
}

impl RunOptions {
    /// These, and where they say nothing, the `kept` ones.
    #[must_use]
    pub fn or(self, kept: Self) -> Self {
        Self {
            config: self.config.or(kept.config),
            known: if self.known.is_empty() {
                kept.known
            } else {
                self.known
            },
            granularity: self.granularity.or(kept.granularity),
            junit_per_pair: self.junit_per_pair.or(kept.junit_per_pair),
            jobs: self.jobs.or(kept.jobs),
            retries: self.retries.or(kept.retries),
            qemus: if self.qemus.is_empty() {
                kept.qemus
            } else {
                self.qemus
            },
            as_shipped: self.as_shipped || kept.as_shipped && !self.without_controls,
            without_controls: self.without_controls || kept.without_controls && !self.as_shipped,
            fail_known: self.fail_known || kept.fail_known,
            allow_flaky: self.allow_flaky || kept.allow_flaky,
        }
    }

    /// The arguments that stand for them in a run of one of the cases.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let single = [
            ("--config", self.config.clone()),
            ("--granularity", self.granularity.clone()),
            ("--jobs", self.jobs.map(|jobs| jobs.to_string())),
            ("--retries", self.retries.map(|retries| retries.to_string())),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let qemus = self.qemus.iter().map(|qemu| ("--qemu", qemu.clone()));
        let known = self.known.files.iter();
        let known = known.map(|file| ("--known", file.clone()));
        let valued = single.chain(known).chain(qemus);
        let all = valued.flat_map(|(name, value)| [name.to_owned(), value]);
        let switches = [
            ("--as-shipped", self.as_shipped),
            ("--without-controls", self.without_controls),
            ("--only-known", self.known.only),
            ("--fail-known", self.fail_known),
            ("--allow-flaky", self.allow_flaky),
        ];
        let on = switches.into_iter().filter(|(_, on)| *on);
        all.chain(on.map(|(name, _)| name.to_owned())).collect()
    }

    /// Those that a case needs to run again as it did, and to count as it did.
    #[must_use]
    pub fn of_a_case(self) -> Self {
        Self {
            config: self.config,
            known: self.known,
            qemus: self.qemus,
            as_shipped: self.as_shipped,
            without_controls: self.without_controls,
            fail_known: self.fail_known,
            allow_flaky: self.allow_flaky,
            ..Self::default()
        }
    }

    /// These, for one case that is run alone, on hosts that are set up so: alone it is the first of its tuple,
    /// and by itself a control.
    #[must_use]
    pub fn alone_on(self, setup: HostSetup) -> Self {
        match setup {
            HostSetup::Quick => Self {
                as_shipped: false,
                without_controls: true,
                ..self
            },
            HostSetup::AsShipped => Self {
                without_controls: false,
                ..self
            },
            HostSetup::Resilient => self,
        }
    }

    /// The line that runs with these options and whatever `more` says, for a shell, in one line: `program` is
    /// how this program is called.
    #[must_use]
    pub fn command_line(&self, program: &str, more: &[&str]) -> String {
        let options = self.arguments();
        let words = [program, "run"].into_iter();
        let words = words.chain(options.iter().map(String::as_str));
        let words: Vec<_> = words.chain(more.iter().copied()).map(typed_word).collect();
        words.join(" ")
    }
}

/// The word as a shell has to be given it. A byte that no argument can hold is left out.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./,:=@+%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    let word = word.replace('\0', "");
    let quoted = shlex::try_quote(&word).map(|quoted| quoted.into_owned());
    quoted.unwrap_or_default()
}

/// The word as a shell has to be given it, in one line: what a terminal would obey, or what would end the
/// line, is told in the quotes that shells have for it, as `$'a\nb'`.
#[must_use]
pub fn typed_word(word: &str) -> String {
    if within_line(word) == word {
        return shell_word(word);
    }
    let told = |c: char| match c {
        '\\' | '\'' => format!("\\{c}"),
        c if within_line(&c.to_string()) == c.to_string() => c.to_string(),
        c => c
            .to_string()
            .bytes()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect(),
    };
    format!("$'{}'", word.chars().map(told).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> RunOptions {
        RunOptions {
            config: Some("/etc/a host.toml".to_owned()),
            jobs: Some(4),
            qemus: vec!["mine=/build".to_owned()],
            ..RunOptions::default()
        }
    }

    #[test]
    fn what_is_given_anew_goes_before_what_is_kept() {
        let anew = RunOptions {
            jobs: Some(2),
            retries: Some(1),
            ..RunOptions::default()
        };
        let both = anew.or(kept());
        assert_eq!(both.jobs, Some(2));
        assert_eq!(both.retries, Some(1));
        assert_eq!(both.config, kept().config);
        assert_eq!(both.qemus, kept().qemus);
    }

    #[test]
    fn one_way_to_set_up_hosts_replaces_the_other() {
        let both =
            [(true, false), (false, true)].map(|(as_shipped, without_controls)| RunOptions {
                as_shipped,
                without_controls,
                ..RunOptions::default()
            });
        let [shipped, usual] = both;
        assert_eq!(shipped.clone().or(usual.clone()), shipped);
        assert_eq!(usual.clone().or(shipped), usual);
        assert_eq!(RunOptions::default().or(usual.clone()), usual);
        assert_eq!(usual.arguments(), ["--without-controls"]);
    }

    #[test]
    fn the_line_that_runs_with_them_is_one_for_a_shell() {
        assert_eq!(
            kept().command_line("./migratrix", &["--case", "a b"]),
            "./migratrix run --config '/etc/a host.toml' --jobs 4 --qemu mine=/build --case 'a b'"
        );
    }

    #[test]
    fn a_path_that_a_terminal_would_obey_is_told_in_the_quotes_that_a_shell_reads() {
        let options = RunOptions {
            known: KnownLists {
                files: vec!["/a\nb/\u{1b}[31m.toml".to_owned()],
                only: false,
            },
            ..RunOptions::default()
        };
        assert_eq!(
            options.command_line("migratrix", &[]),
            r"migratrix run --known $'/a\x0ab/\x1b[31m.toml'"
        );
    }

    #[test]
    fn a_case_alone_runs_on_hosts_that_are_set_up_as_they_were() {
        let begun = |as_shipped, without_controls| RunOptions {
            as_shipped,
            without_controls,
            ..RunOptions::default()
        };
        let words = |begun: RunOptions, setup| begun.alone_on(setup).arguments().join(" ");
        for (setup, of_none, of_shipped, of_usual) in [
            (
                HostSetup::Quick,
                "--without-controls",
                "--without-controls",
                "--without-controls",
            ),
            (HostSetup::AsShipped, "", "--as-shipped", ""),
        ] {
            assert_eq!(words(begun(false, false), setup), of_none);
            assert_eq!(words(begun(true, false), setup), of_shipped);
            assert_eq!(words(begun(false, true), setup), of_usual);
        }
    }

    #[test]
    fn a_list_of_a_plan_of_before_is_in_the_place_of_the_programs() {
        let read = |text: &str| serde_json::from_str::<RunOptions>(text).expect("it is one");
        let old = read(r#"{"known":"/a b.toml"}"#);
        assert_eq!(old.arguments(), ["--known", "/a b.toml", "--only-known"]);
        let now = read(r#"{"known":{"files":["/a","/b"]}}"#);
        assert_eq!(now.arguments(), ["--known", "/a", "--known", "/b"]);
        for one in [old, now] {
            let text = serde_json::to_string(&one).expect("it has only text keys");
            assert_eq!(read(&text), one);
        }
    }

    #[test]
    fn a_case_that_runs_again_runs_and_counts_as_it_did() {
        let kept = RunOptions {
            as_shipped: true,
            without_controls: true,
            fail_known: true,
            allow_flaky: true,
            ..kept()
        };
        let once = RunOptions {
            jobs: None,
            ..kept.clone()
        };
        assert_eq!(kept.of_a_case(), once);
    }

    #[test]
    fn what_was_left_out_is_left_out_of_the_text() {
        let text = serde_json::to_string(&RunOptions::default()).expect("it has only text keys");
        assert_eq!(text, "{}");
    }
}
