//! The forms in which a run is told: a row for each, with the option that asks for it, the file that it
//! is in a run's directory, and what writes it. Whatever has to do with all of them goes by this table.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum, ValueHint, error::Error,
    value_parser,
};
use migratrix_reports::{self as reports, Colour, Flavour, Judgement, Part, Run, Size};

use crate::files::{bytes, ways_from, write_by, write_whole};

use crate::say::Shown;

/// A form in which a run is told.
pub struct Format {
    /// What it is called where its file is named, if it is.
    pub told: Option<&'static str>,
    /// The file in the directory of every run.
    pub file: &'static str,
    /// What of `report` asks for it, if anything does.
    pub option: Option<Asking>,
    write: fn(&Run, &How<'_>) -> Result<()>,
}

/// An option that asks for a format.
#[derive(Clone, Copy)]
pub struct Asking {
    /// The option.
    pub option: &'static str,
    /// What `--help` says of it.
    pub help: &'static str,
}

/// How a format is written.
pub struct How<'h> {
    /// The file.
    pub file: &'h Path,
    /// From where it names the files of the run.
    pub seen: Seen,
    /// What a JUnit test case is.
    pub granularity: Option<Granularity>,
}

/// From where files are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// From the run's directory, in which the file lies.
    FromTheRun,
    /// From wherever the file lies.
    FromTheFile,
}

/// All formats, in the order in which they are written.
pub const FORMATS: [Format; 6] = [
    Format {
        told: Some("JUnit"),
        file: "junit.xml",
        option: Some(Asking {
            option: "--junit",
            help: "Write JUnit to this file, in the flavour that takes properties",
        }),
        write: |run, how| junit(run, Part::Whole, Flavour::Rich, how),
    },
    Format {
        told: None,
        file: "junit-strict.xml",
        option: Some(Asking {
            option: "--junit-strict",
            help: "Write JUnit to this file, in the flavour that obeys the strict schema",
        }),
        write: |run, how| junit(run, Part::Whole, Flavour::Strict, how),
    },
    Format {
        told: Some("page"),
        file: "index.html",
        option: Some(Asking {
            option: "--html",
            help: "Write the page to this file",
        }),
        write: |run, how| {
            let files = RunFiles {
                page: how.file,
                seen: how.seen,
                way: ways_from(how.file),
            };
            write_whole(how.file, &reports::html(run, files))
        },
    },
    Format {
        told: None,
        file: "summary.json",
        option: Some(Asking {
            option: "--json",
            help: "Write the figures to this file",
        }),
        write: |run, how| write_whole(how.file, &reports::json(run)),
    },
    Format {
        told: None,
        file: "summary.md",
        option: Some(Asking {
            option: "--markdown",
            help: "Write the summary in Markdown to this file, as a CI job's page shows it",
        }),
        write: |run, how| write_whole(how.file, &reports::markdown(run)),
    },
    Format {
        told: None,
        file: "summary.txt",
        option: None,
        write: |run, how| write_whole(how.file, &reports::terminal(run, Colour::Plain)),
    },
];

impl Format {
    /// Writes the run in it.
    ///
    /// # Errors
    /// Fails where it can't be written.
    pub fn write(&self, run: &Run, how: &How<'_>) -> Result<()> {
        (self.write)(run, how)
    }
}

/// The files of a run, which lie beside its page or elsewhere.
struct RunFiles<'p, W> {
    page: &'p Path,
    seen: Seen,
    /// The way from the page to a file.
    way: W,
}

impl<W: Fn(&Path) -> String> reports::Files for RunFiles<'_, W> {
    fn way(&self, judgement: &Judgement, file: &str) -> String {
        match self.seen {
            Seen::FromTheRun => file.to_owned(),
            Seen::FromTheFile => (self.way)(Path::new(&judgement.at_home(file))),
        }
    }

    /// Verdicts are read from a file, which may name any other: what is not in the directory of their
    /// run is nobody's evidence.
    fn bytes(&self, judgement: &Judgement, file: &str) -> Option<Vec<u8>> {
        let mut parts = Path::new(file).components();
        let is_within = parts.all(|part| matches!(part, Component::Normal(_)));
        let place = match self.seen {
            Seen::FromTheRun => self.page.with_file_name(file),
            Seen::FromTheFile => judgement.at_home(file).into(),
        };
        is_within.then(|| bytes(&place).ok())?
    }
}

/// Writes JUnit to a file. Where a reader would not take it, that is said.
///
/// # Errors
/// Fails where it can't be written.
pub fn junit(run: &Run, part: Part<'_>, flavour: Flavour, how: &How<'_>) -> Result<()> {
    let granularity = how.granularity.unwrap_or(Granularity::Case);
    let mut size = Size::default();
    write_by(how.file, |out| {
        size = reports::write_junit(run, part, granularity.into(), flavour, out)?;
        Ok(())
    })?;
    if let Some(told) = size.beyond(Size::GITLAB) {
        let mend = mend(part, granularity);
        let file = how.file.shown();
        eprintln!("{file}: GitLab does not take a JUnit file of {told}: {mend}");
    }
    Ok(())
}

/// How a JUnit file becomes smaller.
const fn mend(part: Part<'_>, granularity: Granularity) -> &'static str {
    match (part, granularity) {
        (Part::Whole, _) => "write a file a pair by --junit-per-pair DIR",
        (Part::Pair { .. } | Part::Rest, Granularity::Case) => "run fewer cases at once, by -E",
        (Part::Pair { .. } | Part::Rest, Granularity::Condition | Granularity::TenConditions) => {
            "leave --granularity out"
        }
    }
}

/// What is written by an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One file.
    File,
    /// A directory with files.
    Folder,
    /// One file, which is no report of a run.
    Foreign,
}

/// A file or directory that is asked for, and by which option.
#[derive(Clone, Copy, Debug)]
pub struct Output<'o> {
    /// The option.
    pub option: &'static str,
    /// The path.
    pub path: &'o Path,
    /// What is to be there.
    pub form: Form,
}

/// How JUnit is written.
#[derive(Debug, Default, Args)]
pub struct JunitArgs {
    /// Write JUnit a file for each source and destination into this directory, for readers that take
    /// no large ones (GitLab: 30 MB, 250,000 objects)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub junit_per_pair: Option<PathBuf>,
    /// What a JUnit test case is. Default: what the run was begun with, else case
    #[arg(long, value_enum)]
    pub granularity: Option<Granularity>,
}

/// What a JUnit test case is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Granularity {
    /// A case of ours
    Case,
    /// Each condition of each case
    Condition,
    /// Each of the ten post-conditions of each case
    TenConditions,
}

impl JunitArgs {
    /// The directory that it asks for.
    pub fn output(&self) -> Option<Output<'_>> {
        let path = self.junit_per_pair.as_deref()?;
        Some(Output {
            option: "--junit-per-pair",
            path,
            form: Form::Folder,
        })
    }
}

/// The formats that are asked for, and the file of each.
#[derive(Debug, Default)]
pub struct FormatArgs {
    files: Vec<(&'static str, PathBuf)>,
}

impl FormatArgs {
    /// The files that are asked for.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        self.files.iter().map(|(option, path)| Output {
            option,
            path,
            form: Form::File,
        })
    }

    /// The formats, each with the file that it is to be written to.
    pub fn asked(&self) -> impl Iterator<Item = (&'static Format, &Path)> {
        self.files.iter().filter_map(|(option, path)| {
            let format = FORMATS.iter().find(|format| format.is_asked_by(option));
            Some((format?, path.as_path()))
        })
    }
}

impl Format {
    /// Whether it is what this option asks for.
    pub fn is_asked_by(&self, option: &str) -> bool {
        self.option.is_some_and(|asking| asking.option == option)
    }
}

fn options() -> impl Iterator<Item = Asking> {
    FORMATS.iter().filter_map(|format| format.option)
}

impl Args for FormatArgs {
    fn augment_args(command: Command) -> Command {
        options().fold(command, |command, Asking { option, help }| {
            let argument = Arg::new(option).long(option.trim_start_matches('-'));
            let file = value_parser!(PathBuf);
            let argument = argument.value_name("FILE").value_hint(ValueHint::FilePath);
            command.arg(argument.value_parser(file).help(help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FormatArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let file = |Asking { option, .. }: Asking| {
            let path = matches.get_one::<PathBuf>(option)?;
            Some((option, path.clone()))
        };
        Ok(Self {
            files: options().filter_map(file).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_asks_for_its_own_format_and_no_two_formats_are_one_file() {
        let command = FormatArgs::augment_args(Command::new("report"));
        for Asking { option, .. } in options() {
            let typed = ["report", option, "there"];
            let matches = command.clone().try_get_matches_from(typed).unwrap();
            let files = FormatArgs::from_arg_matches(&matches).unwrap();
            let asked: Vec<_> = files.asked().collect();
            assert_eq!(asked.len(), 1, "{option}");
            assert!(asked[0].0.is_asked_by(option));
            assert_eq!(asked[0].1, Path::new("there"));
        }
        let files: std::collections::BTreeSet<_> = FORMATS.map(|format| format.file).into();
        assert_eq!(files.len(), FORMATS.len());
    }

    #[test]
    fn the_page_is_made_of_the_files_of_its_run_and_of_no_others() {
        use reports::Files as _;
        let dir = tempfile::tempdir().expect("there is room");
        let out = dir.path().join("out");
        std::fs::create_dir(&out).expect("there is room");
        std::fs::write(out.join("own"), "own").expect("there is room");
        std::fs::write(dir.path().join("secret"), "secret").expect("there is room");
        let case = "tck/fake/sid,sid,sid/p2p/persistent-running-undefined/none";
        let judgement = Judgement::skipped(case.parse().expect("a case"), "", 0);
        let page = &*out.join("index.html");
        let files = RunFiles {
            page,
            seen: Seen::FromTheRun,
            way: ways_from(page),
        };
        assert_eq!(files.bytes(&judgement, "own").as_deref(), Some(&b"own"[..]));
        let absolute = dir.path().join("secret");
        for other in ["../secret", "./../secret", &absolute.to_string_lossy()] {
            assert_eq!(files.bytes(&judgement, other), None, "{other}");
        }
    }
}
