//! The evidence of an attempt that did not come out as expected: what is kept beside its history, under
//! which names, and what each file shows.
//!
//! ```text
//! evidence/CASE[.ATTEMPT]/source-qemu.log …
//! ```
//!
//! QEMU's command lines and what it wrote to its standard error are taken out of the logs that have both.
//!
//! What could be kept is gathered while the attempt runs, and written once its judgement is known. What
//! is kept is known again by the names in the folder, so that a run that is judged again names the same.
//! A log that can't be read is left out: evidence is a help, and no result.

mod qemus_own;

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use migratrix_history::{DomainState, Entry, History, Observation, Outcome, Side, When};
use migratrix_matrix::{Arch, Case};
use migratrix_reports::{Evidence, Judgement, Standing};

use crate::{files, run::rundir::RunDir};

/// What a file of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The QEMUs of a case without libvirt.
    Qemu,
    /// libvirt's own log of the domain's QEMU.
    DomainLog,
    /// The command lines of the QEMUs, out of one of these two.
    Arguments,
    /// What the QEMUs wrote to their standard error, likewise.
    Stderr,
    /// The daemon's log.
    DaemonLog,
    /// The guest's console.
    Console,
    /// The domain's XML before the migration.
    XmlBefore,
    /// The domain's XML after it.
    XmlAfter,
    /// Why there is no XML of before it.
    NoXmlBefore,
    /// Why there is none of after it.
    NoXmlAfter,
}

/// What could be kept of an attempt.
#[derive(Debug)]
pub struct Material {
    began: Timestamp,
    ended: Option<Timestamp>,
    texts: Vec<(Side, Kind, String)>,
    logs: Vec<Log>,
}

/// A log that others write.
#[derive(Debug)]
struct Log {
    side: Side,
    kind: Kind,
    path: PathBuf,
    /// How long it was when the attempt began.
    from: u64,
}

/// How much of a file is kept of its start, and of its end, in bytes.
const START: usize = 64 * 1024;
const END: usize = 192 * 1024;

/// How libvirt writes a moment at the start of a line; in UTC, which it says after it.
const STAMP: &str = "%Y-%m-%d %H:%M:%S%.3f";
const UTC: &[u8] = b"+0000: ";
const STAMP_BYTES: usize = 23;

impl Kind {
    const ALL: [Self; 10] = [
        Self::Qemu,
        Self::DomainLog,
        Self::Arguments,
        Self::Stderr,
        Self::DaemonLog,
        Self::Console,
        Self::XmlBefore,
        Self::XmlAfter,
        Self::NoXmlBefore,
        Self::NoXmlAfter,
    ];

    /// What its file is called, after the side. The domain is the one that is migrated: before that on the
    /// source, and after it on the destination.
    const fn name(self, side: Side) -> &'static str {
        match (self, side) {
            (Self::Qemu, _) => "qemu.log",
            (Self::DomainLog, _) => "domain.log",
            (Self::Arguments, _) => "qemu.args",
            (Self::Stderr, _) => "qemu.stderr",
            (Self::DaemonLog, _) => "libvirtd.log",
            (Self::Console, _) => "console.log",
            (Self::XmlBefore, Side::Source) | (Self::XmlAfter, Side::Destination) => "domain.xml",
            (Self::XmlBefore, Side::Destination) => "before-domain.xml",
            (Self::XmlAfter, Side::Source) => "after-domain.xml",
            (Self::NoXmlBefore, _) => "before-missing.txt",
            (Self::NoXmlAfter, _) => "after-missing.txt",
        }
    }

    /// What it was called by an earlier version, where that was something else.
    const fn first_name(self) -> Option<&'static str> {
        match self {
            Self::XmlBefore => Some("before.xml"),
            Self::XmlAfter => Some("after.xml"),
            Self::Qemu
            | Self::DomainLog
            | Self::Arguments
            | Self::Stderr
            | Self::DaemonLog
            | Self::Console
            | Self::NoXmlBefore
            | Self::NoXmlAfter => None,
        }
    }

    fn shows(self, side: Side) -> String {
        let side = word(side);
        match self {
            Self::Qemu => {
                format!("the {side}'s QEMU: its command line, its standard error, its end")
            }
            Self::DomainLog => {
                format!(
                    "the {side}'s QEMU: its command line and standard error, as libvirt kept them"
                )
            }
            Self::Arguments => {
                format!("the {side}'s QEMU: its command line, an argument a line")
            }
            Self::Stderr => format!("the {side}'s QEMU: its standard error"),
            Self::DaemonLog => {
                format!("the {side}'s libvirt daemon: its log of the time of the attempt")
            }
            Self::Console => format!("the {side}'s guest: what it wrote to its console"),
            Self::XmlBefore => {
                format!("the {side}'s domain before the migration, as its libvirt describes it")
            }
            Self::XmlAfter => {
                format!("the {side}'s domain after the migration, as its libvirt describes it")
            }
            Self::NoXmlBefore => {
                format!("missing: the {side}'s domain before the migration")
            }
            Self::NoXmlAfter => {
                format!("missing: the {side}'s domain after the migration")
            }
        }
    }

    /// Whether others than this case are in the log, too.
    const fn is_shared(self) -> bool {
        match self {
            Self::DaemonLog => true,
            Self::Qemu
            | Self::DomainLog
            | Self::Arguments
            | Self::Stderr
            | Self::Console
            | Self::XmlBefore
            | Self::XmlAfter
            | Self::NoXmlBefore
            | Self::NoXmlAfter => false,
        }
    }

    /// What a QEMU said in a file of the kind in `path`, where it says why it gave up.
    fn said_in(self, path: &Path) -> Option<String> {
        match self {
            Self::Qemu | Self::DomainLog => {
                said(&String::from_utf8_lossy(&files::bytes(path).ok()?))
            }
            Self::Arguments
            | Self::Stderr
            | Self::DaemonLog
            | Self::Console
            | Self::XmlBefore
            | Self::XmlAfter
            | Self::NoXmlBefore
            | Self::NoXmlAfter => None,
        }
    }

    /// What a file of the kind in `path` shows; where something is missing, the reason too, which is
    /// all that stands in it.
    fn shows_of(self, side: Side, path: &Path) -> String {
        let shows = self.shows(side);
        match self {
            Self::NoXmlBefore | Self::NoXmlAfter => match files::text(path) {
                Ok(why) => format!("{shows}: {}", why.trim_end()),
                Err(_) => shows,
            },
            Self::Qemu
            | Self::DomainLog
            | Self::Arguments
            | Self::Stderr
            | Self::DaemonLog
            | Self::Console
            | Self::XmlBefore
            | Self::XmlAfter => shows,
        }
    }
}

/// How much is quoted of what a QEMU said, in characters.
const SAID: usize = 200;

/// How libvirt begins what it keeps of each start of a domain's QEMU, behind the time.
const STARTS: &str = ": starting up libvirt version: ";

/// Why a QEMU gave up: the first line of its own that is no warning. What follows mostly follows from it. Of a QEMU
/// that was started later than the first of the domain that is said.
fn said(text: &str) -> Option<String> {
    let own = |line: &str| {
        let by = |arch: &Arch| line.split_once(&format!("{}: ", arch.emulator()));
        let (_, said) = Arch::ALL.iter().find_map(by)?;
        let is_news = !["warning:", "info:", "terminating on signal"]
            .iter()
            .any(|start| said.starts_with(start));
        is_news.then(|| said.trim().to_owned())
    };
    let (before, said) = text
        .lines()
        .enumerate()
        .find_map(|(line, text)| Some((line, own(text)?)))?;
    let started = text.lines().take(before);
    let started = started.filter(|line| line.contains(STARTS)).count();
    let said = if started > 1 {
        format!("when it was started again: {said}")
    } else {
        said
    };
    let mut short: String = said.chars().take(SAID).collect();
    if short.len() < said.len() {
        short.push('…');
    }
    Some(short)
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

fn file_name(side: Side, kind: Kind) -> String {
    format!("{}-{}", word(side), kind.name(side))
}

/// Where a file of evidence is: by its first name where an earlier version has written it.
fn place(folder: &Path, side: Side, kind: Kind) -> PathBuf {
    let now = folder.join(file_name(side, kind));
    match kind.first_name() {
        Some(first) if !now.exists() => folder.join(format!("{}-{first}", word(side))),
        Some(_) | None => now,
    }
}

impl Material {
    /// Nothing yet, of an attempt that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Timestamp::now(),
            ended: None,
            texts: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// Takes a log in, of which what is written from now on may be the attempt's.
    pub fn watch(&mut self, side: Side, kind: Kind, path: PathBuf) {
        let from = fs::metadata(&path).map_or(0, |log| log.len());
        self.logs.push(Log {
            side,
            kind,
            path,
            from,
        });
    }

    /// Takes a text in.
    pub fn take(&mut self, side: Side, kind: Kind, text: String) {
        self.texts.push((side, kind, text));
    }

    /// Takes in how a side's libvirt described its domain; the last description of each moment stays.
    pub fn describe(&mut self, side: Side, when: When, xml: String) {
        let kind = match when {
            When::Before => Kind::XmlBefore,
            When::After => Kind::XmlAfter,
            When::During | When::Writing | When::Healed | When::Retried => return,
        };
        self.texts
            .retain(|(its, of, _)| (*its, *of) != (side, kind));
        self.take(side, kind, xml);
    }

    /// Takes in why a side's domain was not described at a moment at which it is, by what the attempt
    /// shows: mostly it ended before that.
    pub fn explain_missing(&mut self, history: &History) {
        for side in [Side::Source, Side::Destination] {
            for (when, xml, missing) in [
                (When::Before, Kind::XmlBefore, Kind::NoXmlBefore),
                (When::After, Kind::XmlAfter, Kind::NoXmlAfter),
            ] {
                let mut texts = self.texts.iter();
                if texts.any(|(its, of, _)| (*its, *of) == (side, xml)) {
                    continue;
                }
                match looked_at(history, side, when) {
                    None => self.take(side, missing, first_trouble(history)),
                    Some(DomainState::Present(_)) => self.take(side, missing, UNREAD.to_owned()),
                    Some(DomainState::Absent)
                        if (side, when) == (Side::Destination, When::After) =>
                    {
                        self.take(side, missing, ABSENT.to_owned());
                    }
                    Some(DomainState::Absent) => {}
                }
            }
        }
    }

    /// The attempt ends now.
    pub fn end(&mut self) {
        self.ended = Some(Timestamp::now());
    }

    /// Keeps it where the judgement is not as expected, known failures among that, and names it there.
    pub fn keep(self, judgement: &mut Judgement, dir: &RunDir) {
        let folder = dir.evidence(&judgement.case, judgement.attempt);
        // Of an attempt that was cut short, and has been made again.
        let _ = fs::remove_dir_all(&folder);
        match judgement.standing() {
            Standing::Passed | Standing::Skipped => {}
            Standing::KnownFailure
            | Standing::Unknown
            | Standing::UnexpectedPass
            | Standing::FailedAtFirst
            | Standing::Failed => self.write(&folder),
        }
        judgement.evidence = kept(dir, &judgement.case, judgement.attempt);
    }

    fn write(self, folder: &Path) {
        let span = self.span();
        let texts = self.texts.into_iter();
        let texts = texts.map(|(side, kind, text)| (side, kind, text.into_bytes()));
        let logs = self.logs.into_iter().filter_map(|log| {
            let text = log.read(&span).ok()?;
            Some((log.side, log.kind, text))
        });
        let all = texts.chain(logs).flat_map(with_qemus_own);
        for (side, kind, text) in all.filter(|(.., text)| !text.is_empty()) {
            let file = folder.join(file_name(side, kind));
            let _ = fs::create_dir_all(folder).and_then(|()| fs::write(file, shortened(&text)));
        }
    }

    /// From when to when the attempt went, as libvirt writes moments.
    fn span(&self) -> [String; 2] {
        let ended = self.ended.unwrap_or_else(Timestamp::now);
        [self.began, ended].map(|moment| moment.strftime(STAMP).to_string())
    }
}

/// A text, and where it is a log of a side's QEMUs, their command lines and their standard error as well.
fn with_qemus_own((side, kind, text): (Side, Kind, Vec<u8>)) -> Vec<(Side, Kind, Vec<u8>)> {
    let own = match kind {
        Kind::Qemu => qemus_own::of_account(&String::from_utf8_lossy(&text)),
        Kind::DomainLog => qemus_own::of_domain_log(&String::from_utf8_lossy(&text)),
        Kind::Arguments
        | Kind::Stderr
        | Kind::DaemonLog
        | Kind::Console
        | Kind::XmlBefore
        | Kind::XmlAfter
        | Kind::NoXmlBefore
        | Kind::NoXmlAfter => qemus_own::Own::default(),
    };
    vec![
        (side, kind, text),
        (side, Kind::Arguments, own.arguments.into_bytes()),
        (side, Kind::Stderr, own.stderr.into_bytes()),
    ]
}

/// Why there is no XML of a domain that is there, and of one that is not.
const UNREAD: &str = "the domain is there, and its XML could not be read";
const ABSENT: &str = "no domain of that name is there";

/// What a side said last that it has of the domain at a look.
fn looked_at<'h>(history: &'h History, side: Side, when: When) -> Option<&'h DomainState> {
    let look_of = |entry: &'h Entry| {
        let Observation::Domain {
            side: its,
            when: then,
            look,
        } = &entry.saw
        else {
            return None;
        };
        ((*its, *then) == (side, when)).then_some(look)
    };
    history.entries.iter().rev().find_map(look_of)
}

/// The first step of an attempt that ended otherwise than done, and how.
fn first_trouble(history: &History) -> String {
    let ended = |entry: &Entry| {
        let Observation::Ended { step, outcome, .. } = &entry.saw else {
            return None;
        };
        match outcome {
            Outcome::Done => None,
            Outcome::Unknown { why } => Some(format!("`{step}` ended unknown: {why}")),
            Outcome::Refused(refusal) => Some(format!("`{step}` was refused: {}", refusal.message)),
        }
    };
    let mut ends = history.entries.iter().filter_map(ended);
    ends.next()
        .unwrap_or_else(|| "the case does not ask for it".to_owned())
}

impl Log {
    fn read(&self, span: &[String; 2]) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        // A shorter one has been begun anew.
        if file.metadata()?.len() >= self.from {
            file.seek(SeekFrom::Start(self.from))?;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(if self.kind.is_shared() {
            within(&text, span)
        } else {
            text
        })
    }
}

/// What of a daemon's log was written in a span of time. A line without a moment belongs to the one
/// before it.
fn within(text: &[u8], [began, ended]: &[String; 2]) -> Vec<u8> {
    let mut inside = false;
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| {
        if let Some(moment) = moment(line) {
            inside = (began.as_bytes()..=ended.as_bytes()).contains(&moment);
        }
        inside
    });
    kept.collect::<Vec<_>>().concat()
}

/// The moment that a line starts with.
fn moment(line: &[u8]) -> Option<&[u8]> {
    let (moment, rest) = line.split_at_checked(STAMP_BYTES)?;
    let is_one = rest.starts_with(UTC) && moment[0].is_ascii_digit();
    is_one.then_some(moment)
}

/// The start and the end of a text that is too long, with a note between them.
fn shortened(text: &[u8]) -> Vec<u8> {
    let Some(cut) = text.len().checked_sub(START + END).filter(|cut| *cut > 0) else {
        return text.to_vec();
    };
    let note = format!("\n[… {cut} bytes are left out here …]\n");
    let (start, end) = (&text[..START], &text[START + cut..]);
    [start, note.as_bytes(), end].concat()
}

/// The evidence that is kept of an attempt, by what lies in its folder.
#[must_use]
pub fn kept(dir: &RunDir, case: &Case, attempt: u32) -> Vec<Evidence> {
    let folder = dir.evidence(case, attempt);
    let sides = [Side::Source, Side::Destination].into_iter();
    let all = sides.flat_map(|side| Kind::ALL.map(|kind| (side, kind)));
    all.filter_map(|(side, kind)| {
        let path = place(&folder, side, kind);
        let file = path.strip_prefix(dir.path()).unwrap_or(&path);
        path.is_file().then(|| Evidence {
            file: file.to_string_lossy().into_owned(),
            shows: kind.shows_of(side, &path),
            said: kind.said_in(&path),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::{Backend, Condition, Plan, Profile, Release, ReleaseName, Selection};
    use migratrix_reports::Verdict;

    use super::*;

    const SPAN: [&str; 2] = ["2026-11-25 20:00:00.000", "2026-11-25 20:00:09.999"];

    #[test]
    fn a_daemons_log_is_cut_to_the_time_of_the_attempt() {
        let log = "the rest of a line before\n\
            2026-11-25 19:59:59.999+0000: 7: error : of an earlier case\n\
            2026-11-25 20:00:00.000+0000: 7: error : the first\n  goes on here\n\
            2026-11-25 20:00:09.999+0000: 7: error : the last\n\
            2026-11-25 20:00:10.000+0000: 7: error : of a later case\n  goes on here\n";
        let kept = within(log.as_bytes(), &SPAN.map(str::to_owned));
        let kept: Vec<_> = std::str::from_utf8(&kept)
            .expect("it was")
            .lines()
            .collect();
        assert_eq!(
            kept,
            [
                "2026-11-25 20:00:00.000+0000: 7: error : the first",
                "  goes on here",
                "2026-11-25 20:00:09.999+0000: 7: error : the last",
            ]
        );
    }

    #[test]
    fn a_span_is_written_as_libvirt_writes_moments() {
        let material = Material {
            began: "2026-11-25T20:00:00Z".parse().expect("a moment"),
            ended: Some("2026-11-25T20:00:09.9996Z".parse().expect("a moment")),
            ..Material::new()
        };
        assert_eq!(material.span(), SPAN);
    }

    #[test]
    fn a_long_text_is_cut_in_its_middle_and_says_so() {
        let text = [vec![b'a'; START], vec![b'b'; 7], vec![b'c'; END]].concat();
        let short = String::from_utf8(shortened(&text)).expect("it was");
        assert!(short.contains("a\n[… 7 bytes are left out here …]\nc"));
        assert_eq!(shortened(&text[7..]), &text[7..]);
    }

    /// A run in a folder that goes away, and its one case.
    fn run(folder: &Path) -> (RunDir, Case) {
        let release = Release::unknown(ReleaseName::new("trixie").expect("a name"));
        let releases = migratrix_matrix::Releases::new(vec![release]).expect("there is one");
        let selection = Selection {
            backend: Backend::Qemu,
            suite: Profile::PLAIN.suite(),
            profile: Some(Profile::PLAIN),
            ..Selection::default()
        };
        let plan = Plan::new(selection, &releases).expect("there are cases");
        let dir = RunDir::create(folder, &plan).expect("there is room");
        let case = plan.cases[0].clone();
        (dir, case)
    }

    fn judged(case: &Case, attempt: u32, verdict: Verdict) -> Judgement {
        let mut judgement = Judgement::skipped(case.clone(), "", 0);
        judgement.attempt = attempt;
        judgement.conditions = vec![(Condition::Migrated, verdict)];
        judgement
    }

    fn material() -> Material {
        let mut material = Material::new();
        material.take(Side::Destination, Kind::Qemu, "VQ 0 is too long".to_owned());
        for xml in ["<old/>", "<new/>"] {
            material.describe(Side::Source, When::Before, xml.to_owned());
        }
        material
    }

    #[test]
    fn what_is_not_as_expected_keeps_its_evidence_and_names_it_now_and_when_judged_again() {
        let folder = tempfile::tempdir().expect("there is room");
        let (dir, case) = run(folder.path());
        for (attempt, verdict) in [(1, Verdict::unknown("too busy")), (2, Verdict::fail("no"))] {
            let mut judgement = judged(&case, attempt, verdict);
            material().keep(&mut judgement, &dir);
            let [xml, qemu, stderr] = &judgement.evidence[..] else {
                panic!("{:?}", judgement.evidence);
            };
            assert!(
                stderr.shows.ends_with("its standard error"),
                "{}",
                stderr.shows
            );
            assert!(xml.shows.contains("before the migration"), "{}", xml.shows);
            assert!(
                qemu.shows.starts_with("the destination's QEMU"),
                "{}",
                qemu.shows
            );
            let read = |one: &Evidence| fs::read_to_string(folder.path().join(&one.file));
            assert_eq!(read(xml).expect("it is there"), "<new/>");
            assert_eq!(read(qemu).expect("it is there"), "VQ 0 is too long");
            assert_eq!(kept(&dir, &case, attempt), judgement.evidence);
        }
        assert_ne!(kept(&dir, &case, 1), kept(&dir, &case, 2));
    }

    /// A history in which the step before the second look did not end as it should.
    fn lost_at(case: &Case) -> History {
        let header = migratrix_history::Header {
            case: case.clone(),
            attempt: 1,
            began_unix: 0,
            began_ms: 0,
            domain: "m".to_owned(),
            uuid: "u".to_owned(),
            machine: "pc-q35-7.2".to_owned(),
            guest: migratrix_guest::Parameters::SMALL,
            downtime_bound_ms: 1,
            setup: Default::default(),
            evidence: migratrix_history::Header::EVIDENCE,
        };
        let look = |side| Observation::Domain {
            side,
            when: When::Before,
            look: migratrix_history::DomainState::Absent,
        };
        let ended = Observation::Ended {
            verb: migratrix_history::Verb::Migrate,
            step: "migrate".to_owned(),
            outcome: Outcome::Unknown {
                why: "no answer within 30 s".to_owned(),
            },
        };
        let all = [look(Side::Source), look(Side::Destination), ended];
        let entries = all.into_iter().map(|saw| Entry { at_us: 1, saw });
        let entries = entries.collect();
        History { header, entries }
    }

    #[test]
    fn where_a_case_ended_too_early_its_evidence_says_what_is_missing_and_why() {
        let folder = tempfile::tempdir().expect("there is room");
        let (dir, case) = run(folder.path());
        let mut material = Material::new();
        material.explain_missing(&lost_at(&case));
        let mut judgement = judged(&case, 1, Verdict::unknown("no answer"));
        material.keep(&mut judgement, &dir);
        let shown: Vec<_> = judgement.evidence.iter().map(|one| &one.shows).collect();
        let told = |side: &str| {
            format!(
                "missing: the {side}'s domain after the migration: `migrate` ended unknown: no \
                 answer within 30 s"
            )
        };
        assert_eq!(shown, [&told("source"), &told("destination")]);
        assert_eq!(kept(&dir, &case, 1), judgement.evidence);
    }

    #[test]
    fn what_qemu_said_first_of_its_end_is_quoted_and_no_warning_or_command_line() {
        let log = "2026-11-25 20:00:00.000+0000: starting up libvirt version: 11.3.0\n\
            /usr/bin/qemu-system-x86_64 \\\n-name guest=m,debug-threads=on \\\n\
            2026-11-25T20:00:01Z qemu-system-x86_64: warning: host doesn't support requested feature\n\
            2026-11-25T20:00:01Z qemu-system-x86_64: VQ 0 size 0x400 exceeds allocated max\n\
            2026-11-25T20:00:01Z qemu-system-x86_64: load of migration failed: Operation not permitted\n";
        assert_eq!(
            said(log).as_deref(),
            Some("VQ 0 size 0x400 exceeds allocated max")
        );
        let long = format!("qemu-system-x86_64: {}", "x".repeat(999));
        let quoted = said(&long).expect("it says something");
        assert_eq!(quoted.chars().count(), SAID + 1);
        let killed = "qemu-system-x86_64: terminating on signal 15 from pid 1 (libvirtd)";
        assert_eq!(said(killed), None);
    }

    #[test]
    fn both_domains_command_lines_and_stderr_are_files_of_their_own() {
        let folder = tempfile::tempdir().expect("there is room");
        let (dir, case) = run(folder.path());
        let mut material = Material::new();
        for side in [Side::Source, Side::Destination] {
            for when in [When::Before, When::After] {
                material.describe(side, when, "<domain/>".to_owned());
            }
            let account = "$ qemu -name 'a b'\nVQ 0 is too long\n[its end: we killed it]\n";
            material.take(side, Kind::Qemu, account.to_owned());
        }
        let mut judgement = judged(&case, 1, Verdict::fail("no"));
        material.keep(&mut judgement, &dir);
        let folder = dir.evidence(&case, 1);
        let mut names: Vec<_> = fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("it is read").file_name())
            .collect();
        names.sort();
        let due = [
            "destination-before-domain.xml",
            "destination-domain.xml",
            "destination-qemu.args",
            "destination-qemu.log",
            "destination-qemu.stderr",
            "source-after-domain.xml",
            "source-domain.xml",
            "source-qemu.args",
            "source-qemu.log",
            "source-qemu.stderr",
        ];
        assert_eq!(names, due);
        let read = |name| fs::read_to_string(folder.join(name)).expect("it is there");
        assert_eq!(read("source-qemu.args"), "qemu\n-name\na b\n");
        assert_eq!(read("destination-qemu.stderr"), "VQ 0 is too long\n");
        assert_eq!(kept(&dir, &case, 1).len(), due.len());
    }

    #[test]
    fn descriptions_that_an_earlier_version_has_written_are_still_named() {
        let folder = tempfile::tempdir().expect("there is room");
        let (dir, case) = run(folder.path());
        let evidence = dir.evidence(&case, 1);
        fs::create_dir_all(&evidence).expect("it is made");
        fs::write(evidence.join("source-before.xml"), "<domain/>").expect("it is written");
        let kept = kept(&dir, &case, 1);
        let [xml] = &kept[..] else {
            panic!("{kept:?}");
        };
        assert!(xml.file.ends_with("/source-before.xml"), "{}", xml.file);
        assert!(xml.shows.contains("before the migration"), "{}", xml.shows);
    }

    #[test]
    fn a_destination_without_an_xml_says_why() {
        let mut history = lost_at(&run(tempfile::tempdir().expect("there is room").path()).1);
        for (look, why) in [
            (DomainState::Absent, ABSENT),
            (DomainState::Present(present()), UNREAD),
        ] {
            let saw = Observation::Domain {
                side: Side::Destination,
                when: When::After,
                look,
            };
            history.entries.push(Entry { at_us: 2, saw });
            let mut material = Material::new();
            material.explain_missing(&history);
            let told = material.texts.iter().find_map(|(side, kind, text)| {
                let is_it = (*side, *kind) == (Side::Destination, Kind::NoXmlAfter);
                is_it.then_some(text.as_str())
            });
            assert_eq!(told, Some(why));
        }
    }

    fn present() -> migratrix_history::DomainInfo {
        migratrix_history::DomainInfo {
            uuid: "u".to_owned(),
            active: true,
            persistent: false,
            state: "paused".to_owned(),
            reason: "migrated".to_owned(),
            identity: None,
        }
    }

    #[test]
    fn what_passes_keeps_none_and_none_of_an_attempt_that_was_cut_short() {
        let folder = tempfile::tempdir().expect("there is room");
        let (dir, case) = run(folder.path());
        material().keep(&mut judged(&case, 1, Verdict::fail("no")), &dir);
        let mut again = judged(&case, 1, Verdict::Pass);
        material().keep(&mut again, &dir);
        assert_eq!(again.evidence, []);
        assert_eq!(kept(&dir, &case, 1), []);
    }
}
