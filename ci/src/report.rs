//! `migratrix report`, and the reports that every run ends in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufReader, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use migratrix_matrix::{Case, Parts, Plan, Releases};
use migratrix_reports::{
    self as reports, Colour, Damage, DamageOf, Damaged, Exit, Flavour, KnownFailures, Part,
    Reading, Run, Study,
};

use crate::{
    WrongUse,
    cli::{KnownArgs, OutputArgs},
    config::Config,
    files,
    formats::{self, FORMATS, How, Seen},
    formats::{Granularity, JunitArgs},
    known::{self, check_known},
    possible::{Named, possible},
    run::{
        ledger::{Ledger, Planned, trouble::told_lines},
        outputs,
        rundir::RunDir,
        sessions::Sessions,
    },
    say::{self, Shown, typed_word},
};

impl From<Granularity> for reports::Granularity {
    fn from(typed: Granularity) -> Self {
        match typed {
            Granularity::Case => Self::Case,
            Granularity::Condition => Self::Condition,
            Granularity::TenConditions => Self::PostCondition,
        }
    }
}

/// The run of a directory: its plan, and the verdicts so far.
///
/// # Errors
/// Fails where a file can't be read.
pub fn run_of(dir: &RunDir, plan: &Plan, known: &KnownFailures) -> Result<Run> {
    read_run(dir, plan.clone(), known)
}

/// The same, with what of its ledger and of its histories is damaged, which all of them are read for.
///
/// # Errors
/// Fails where a file can't be read.
pub fn looked_through(dir: &RunDir, plan: &Plan, known: &KnownFailures) -> Result<Run> {
    let damage = Ledger::look_through(dir, plan)?;
    Ok(run_of(dir, plan, known)?.with_damage(damage))
}

fn read_run(dir: &RunDir, plan: Plan, known: &KnownFailures) -> Result<Run> {
    let releases = Releases::new(plan.releases.clone())?;
    let planned = Planned::of(&plan);
    let sessions = Sessions::read(dir)?;
    let troubles = sessions.troubles.iter().cloned();
    let mut damaged: Vec<_> = troubles.map(Damaged::of_files).collect();
    damaged.extend(lost_files(dir, &plan, &sessions));
    let mut run = Run::new(plan.cases, [])
        .on(plan.releases)
        .with_options(plan.options)
        .as_cover(plan.selection.cover.clone())
        .as_part(plan.selection, plan.whole)
        .with_idle_losses(sessions.losses.clone());
    let path = dir.path().join("verdicts.jsonl");
    match files::open(&path) {
        Ok(file) => {
            let mut foreign: Option<Case> = None;
            let mut attempts: BTreeMap<Case, usize> = BTreeMap::new();
            let read = reports::read(BufReader::new(file), |judgement| {
                if !planned.has(&judgement.case) {
                    foreign.get_or_insert_with(|| judgement.case.clone());
                }
                *attempts.entry(judgement.case.clone()).or_default() += 1;
                run.add(judgement);
            });
            let read = read.with_context(|| format!("can't read {}", path.shown()))?;
            planned.demand(foreign.iter(), &path)?;
            let there = |case: &Case| attempts.get(case).copied().unwrap_or(0);
            let lacking = Ledger::lacking(dir, there)?;
            damaged.extend(damage(dir, read, &lacking));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let lacking = Ledger::lacking(dir, |_| 0)?;
            damaged.extend(damage(dir, Reading::default(), &lacking));
        }
        Err(error) => {
            return Err(error).with_context(|| format!("can't read {}", path.shown()));
        }
    }
    run = if dir.is_under_way() {
        run.under_way()
    } else {
        run.with_damage(damaged)
    };
    run.mark_known(known, &releases)?;
    run.sessions = sessions.spans(&run);
    Ok(run)
}

/// What is said of the lines of the verdicts that can't be believed, and of those that are lost, and how
/// they are mended: `lacking` are the attempts at each case that the ledger has more.
fn damage(dir: &RunDir, read: Reading, lacking: &BTreeMap<Case, usize>) -> Vec<Damaged> {
    let Reading { cut_at, damaged } = read;
    let place = dir.path().to_string_lossy();
    let mend = format!("make it anew by migratrix judge {}", typed_word(&place));
    let path = dir.path().join("verdicts.jsonl");
    let file = path.shown();
    // A line that is no judgement any more is lacking, and was told.
    let attempts = lacking.values().sum();
    let lost = (attempts > damaged.len()).then(|| {
        let attempts = say::count(attempts, "attempt");
        format!("{file} is damaged: it lacks {attempts} that concluded.jsonl has")
    });
    let cut = cut_at.map(|line| {
        format!("line {line} of {file} is cut: what it told is unknown, and what followed")
    });
    let (distrusted, unreadable): (Vec<_>, Vec<_>) =
        damaged.into_iter().partition(|one| one.case.is_some());
    let told = |lines: &[Damage]| {
        let lines = lines.iter().map(|one| (one.line, one.why.clone()));
        told_lines(
            &lines.collect::<Vec<_>>(),
            &path,
            ["is damaged", "are damaged"],
        )
    };
    let own = told(&distrusted).map(|told| {
        let cases = distrusted.iter().filter_map(|one| one.case.clone());
        (told, cases.collect())
    });
    let gone = [told(&unreadable), cut, lost].into_iter().flatten();
    let gone = gone.map(|told| (told, lacking.keys().cloned().collect()));
    let all = own.into_iter().chain(gone);
    all.map(|(told, cases): (String, BTreeSet<Case>)| Damaged {
        told: format!("{told}; {mend}"),
        of: if cases.is_empty() {
            DamageOf::Files
        } else {
            DamageOf::Cases(cases)
        },
    })
    .collect()
}

/// What is said of the files that a run keeps, in which something was done, and that are gone.
fn lost_files(dir: &RunDir, plan: &Plan, sessions: &Sessions) -> Vec<Damaged> {
    if !dir.has_begun() {
        return Vec::new();
    }
    let place = dir.path().to_string_lossy();
    let mend = format!(
        "migratrix run --resume {} begins it anew",
        typed_word(&place)
    );
    let no_session = sessions.begun_unix().is_none() && sessions.troubles.is_empty();
    let told = |file: &PathBuf, what: &str| {
        Damaged::of_files(format!("{} is lost: {what}; {mend}", file.shown()))
    };
    let is_lost = |file: &PathBuf, is_gone: bool| {
        let name = dir.name_within(file);
        is_gone && plan.keeps.contains(&name)
    };
    let (ledger, noted) = (dir.ledger_path(), dir.sessions_path());
    let what = "what was concluded is told by the verdicts or the histories alone";
    let ledger = is_lost(&ledger, !ledger.exists()).then(|| told(&ledger, what));
    let what = "when the run was begun and gone on with, and the hosts that were lost beside its cases, are unknown";
    let noted = is_lost(&noted, no_session).then(|| told(&noted, what));
    ledger.into_iter().chain(noted).collect()
}

/// Writes JUnit a file for each source and destination, and one for what is of none.
fn write_pairs(run: &Run, how: &JunitArgs) -> Result<()> {
    let Some(dir) = &how.junit_per_pair else {
        return Ok(());
    };
    fs::create_dir_all(dir).with_context(|| format!("can't make {}", dir.shown()))?;
    let write = |part, name: &str| {
        let file = dir.join(name);
        let how = How {
            file: &file,
            seen: Seen::FromTheFile,
            granularity: how.granularity,
        };
        formats::junit(run, part, Flavour::Rich, &how)
    };
    for (source, destination) in run.pairs() {
        let part = Part::Pair {
            source,
            destination,
        };
        write(part, &format!("junit-{source}-to-{destination}.xml"))?;
    }
    let is_whole = run.missing_shards().is_empty() && run.damage_beside_cases().next().is_none();
    if run.deaths().is_empty() && is_whole && run.alone().is_empty() {
        return Ok(());
    }
    write(Part::Rest, "junit-rest.xml")
}

/// Writes all reports into the run's directory, prints the summary, and writes entries for what failed into
/// the list of known failures that is `blessed`. What is printed to be typed next has the options that were typed.
///
/// # Errors
/// Fails where one can't be written.
pub fn conclude(
    dir: &RunDir,
    run: Run,
    junit: &JunitArgs,
    (typed, blessed): (&KnownArgs, Option<&Path>),
) -> Result<Exit> {
    // What lies in the directory names its files as they are seen from there.
    for format in &FORMATS {
        let how = How {
            file: &dir.path().join(format.file),
            seen: Seen::FromTheRun,
            granularity: junit.granularity,
        };
        format.write(&run, &how)?;
    }
    // What is printed, or lies elsewhere, names them as they are seen from here.
    let run = run.at(&dir.path().to_string_lossy());
    write_pairs(&run, junit)?;
    print(&run);
    explained(dir, &run, typed);
    let named = FORMATS.iter().filter_map(|format| {
        let file = dir.path().join(format.file);
        Some(format!("{}: {}", format.told?, file.shown()))
    });
    println!("\n{}", named.collect::<Vec<_>>().join(" · "));
    bless(&run, blessed)?;
    Ok(run.exit())
}

/// How many causes are told at the end of a run.
const CAUSES: usize = 5;

/// Prints what accounts for several failures, a line a cause. What can't be explained is left to the
/// command, which says the same where it has the options that were typed here: those that the run was begun with
/// it has by itself.
fn explained(dir: &RunDir, run: &Run, typed: &KnownArgs) {
    let Ok(study) = Study::of(&[run], &[]) else {
        return;
    };
    let causes = reports::account_lines(&study.account());
    if causes.is_empty() {
        return;
    }
    let place = dir.path().to_string_lossy();
    println!(
        "\nwhat accounts for it (migratrix explain {}{} tells more):",
        typed_word(&place),
        typed.explained()
    );
    causes
        .iter()
        .take(CAUSES)
        .for_each(|cause| println!("  {cause}"));
    if let Some(more) = causes.len().checked_sub(CAUSES).filter(|more| *more > 0) {
        println!("  and {}", say::count(more, "cause"));
    }
}

/// How what is printed is coloured.
pub fn colour() -> Colour {
    if say::is_coloured(&stdout()) {
        Colour::Ansi
    } else {
        Colour::Plain
    }
}

/// Merges runs, and writes the reports that are asked for.
///
/// # Errors
/// Fails where a run can't be read, they are not of one run, or a report can't be written.
pub fn report(
    paths: &[PathBuf],
    typed: &KnownArgs,
    outputs: &OutputArgs,
    config: &Config,
) -> Result<Exit> {
    let files = outputs.files.outputs();
    let all: Vec<_> = files.chain(outputs.how.output()).collect();
    outputs::check(&all, paths)?;
    once_each(paths)?;
    let opened = Opened::of(paths)?;
    // Shards of one run were begun with the same options.
    let (_, (_, plan)) = opened.there.first().context("no run is named")?;
    let blessed = typed.blessed(&plan.options.known)?;
    let known = typed.or_kept(plan)?;
    let how = outputs.how.or_kept(&plan.options)?;
    let run = merged(opened, &known, typed, config)?;
    for (format, file) in outputs.files.asked() {
        let (seen, granularity) = (Seen::FromTheFile, how.granularity);
        let how = How {
            file,
            seen,
            granularity,
        };
        format.write(&run, &how)?;
    }
    write_pairs(&run, &how)?;
    print(&run);
    bless(&run, blessed.as_deref())?;
    Ok(run.exit())
}

/// Prints a run for a person, as wide as the terminal is.
fn print(run: &Run) {
    print!(
        "{}",
        reports::terminal_within(run, colour(), say::columns())
    );
}

fn bless(run: &Run, list: Option<&Path>) -> Result<()> {
    list.map_or(Ok(()), |list| {
        known::bless(known::blessing(run, list)?, list)
    })
}

/// Refuses a run that is named twice, in whatever words.
///
/// # Errors
/// Names it.
pub fn once_each(paths: &[PathBuf]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for path in paths {
        let is = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if let Some(before) = seen.insert(is, path) {
            let (path, before) = (path.shown(), before.shown());
            let again = if path == before {
                String::new()
            } else {
                format!(", also as {before}")
            };
            bail!(WrongUse(format!(
                "the run {path} is given twice{again}: give each run once"
            )));
        }
    }
    Ok(())
}

/// The directories that were named: those that hold a run, each with what it is called, and those that don't.
struct Opened {
    there: Vec<(String, (RunDir, Plan))>,
    not: Vec<(PathBuf, anyhow::Error)>,
}

impl Opened {
    /// Where one of several holds a run, the others may be shards that never came: a job that died leaves nothing,
    /// or a plan that is cut.
    fn of(paths: &[PathBuf]) -> Result<Self> {
        let (mut there, mut not) = (Vec::new(), Vec::new());
        for path in paths {
            match RunDir::read(path) {
                Ok(run) => there.push((path.to_string_lossy().into_owned(), run)),
                Err(error) if error.is::<WrongUse>() => return Err(error),
                Err(error) => not.push((path.clone(), error)),
            }
        }
        match (there.is_empty(), not.is_empty()) {
            (true, false) => Err(not.swap_remove(0).1),
            (_, _) => Ok(Self { there, not }),
        }
    }

    /// What is said of those that hold no run, each of which stands for one of so many missing shards.
    ///
    /// # Errors
    /// Fails where there are more of them: such a one is no shard.
    fn told_missing(&mut self, missing: usize) -> Result<Vec<Damaged>> {
        if let Some((_, error)) = self.not.drain(missing.min(self.not.len())..).next() {
            return Err(error);
        }
        let told = self.not.iter().map(|(path, error)| {
            let path = path.shown();
            Damaged {
                told: format!("{path} counts as a shard that is missing: {error:#}"),
                of: DamageOf::Shard,
            }
        });
        Ok(told.collect())
    }
}

/// The one run of these directories, with what is missing of it.
fn merged(
    mut opened: Opened,
    known: &KnownFailures,
    typed: &KnownArgs,
    config: &Config,
) -> Result<Run> {
    let plans: Vec<_> = opened
        .there
        .iter()
        .map(|(name, (_, plan))| (name.as_str(), plan))
        .collect();
    let Parts { missing, whole } = Parts::of(&plans)?;
    let lacking = opened.told_missing(missing.len())?;
    let mut merged: Option<(String, Run)> = None;
    for (name, (dir, plan)) in opened.there {
        check_known(known, config, &plan)?;
        let rules = typed.rules(&plan.options);
        let possible = possible(&plan, config, Named::TheirLike)?;
        let run = looked_through(&dir, &plan, known)?.at(&name).by(rules);
        let run = run.with_possible(possible);
        merged = Some(match merged {
            None => (name, run),
            Some((first, before)) => {
                if let Some(differs) = before.differs(&run) {
                    bail!("{first} and {name} are not shards of one run: {differs}");
                }
                (first, before.merge(run))
            }
        });
    }
    let (_, run) = merged.context("no run is named")?;
    Ok(run.without_shards(missing, whole).with_damage(lacking))
}
