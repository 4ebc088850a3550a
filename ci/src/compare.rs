//! `migratrix compare`: what broke between runs, what was mended, and whether they are slower.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use migratrix_matrix::{Plan, missing_shards};
use migratrix_reports::{self as reports, Comparison, Exit, KnownFailures, Run};

use crate::{
    WrongUse,
    cli::CompareArgs,
    config::Config,
    files,
    formats::{Form, Output},
    known::check_known,
    report::{self, colour, once_each},
    run::{copies::Counted, outputs, rundir::RunDir},
    say::Shown,
};

/// Compares two sides, prints what became of their cases, and writes the files that are asked for.
///
/// # Errors
/// Fails where a run can't be read, they can't be compared, or a file can't be written.
pub fn compare(typed: &CompareArgs, config: &Config) -> Result<Exit> {
    let (old, new) = sides(typed)?;
    let all = [old, new].concat();
    once_each(&all)?;
    outputs::check(&typed.outputs(), &all)?;
    // On either side a session counts once; one that is on both was judged twice, as by another version.
    let (held, old) = open(old)?;
    let (_, new) = open(new)?;
    same_sessions(&held, &new)?;
    let first = new.first().context("no run is named")?;
    let known = typed.known.or_kept(&first.plan)?;
    let old = Runs::of(old, &known, config)?;
    let new = Runs::of(new, &known, config)?;
    let told = reports::compare(&old.0, &new.0).map_err(|why| WrongUse(why.to_string()))?;
    typed.write(&told)?;
    print!("{}", reports::comparison_text(&told, colour()));
    Ok(told.exit())
}

/// The directories of the two sides.
fn sides(typed: &CompareArgs) -> Result<(&[PathBuf], &[PathBuf])> {
    match (typed.dirs.as_slice(), typed.to.as_slice()) {
        ([old, new], []) => Ok((std::slice::from_ref(old), std::slice::from_ref(new))),
        (dirs, []) => {
            let count = dirs.len();
            bail!(WrongUse(format!(
                "{count} given, and it takes two to compare: OLD and NEW; of several each, those of NEW \
                 stand behind --to, as in migratrix compare monday-1 monday-2 --to tuesday-1 tuesday-2"
            )))
        }
        (old, new) => Ok((old, new)),
    }
}

/// A run that is there.
struct Opened {
    name: String,
    dir: RunDir,
    plan: Plan,
}

/// The runs of a side, and the sessions that they hold.
fn open(paths: &[PathBuf]) -> Result<(Counted, Vec<Opened>)> {
    let mut counted = Counted::default();
    let open = |path: &PathBuf| {
        let (dir, plan) = RunDir::read(path)?;
        counted.take(&dir)?;
        let name = path.to_string_lossy().into_owned();
        Ok(Opened { name, dir, plan })
    };
    let opened = paths.iter().map(open).collect::<Result<_>>()?;
    Ok((counted, opened))
}

/// Tells where both sides have a session in common: no case ran twice there.
fn same_sessions(old: &Counted, new: &[Opened]) -> Result<()> {
    for one in new {
        if let Some(before) = old.holder(&one.dir)? {
            let (before, after) = (before.shown(), one.dir.path().shown());
            eprintln!(
                "{before} and {after} hold the same session of one run: what differs was judged otherwise, and no \
                 case of it ran twice"
            );
        }
    }
    Ok(())
}

/// The runs of a side.
struct Runs(Vec<(String, Run)>);

impl Runs {
    /// Reads the runs; the first one is told which shards of the side are missing.
    fn of(opened: Vec<Opened>, known: &KnownFailures, config: &Config) -> Result<Self> {
        let missing = missing_shards(opened.iter().map(|one| &one.plan.selection));
        let mut runs = Vec::new();
        for Opened { name, dir, plan } in opened {
            check_known(known, config, &plan)?;
            // What of the ledger or of the histories is damaged is no more to be believed than the verdicts of it.
            runs.push((name, report::looked_through(&dir, &plan, known)?));
        }
        if let Some((_, first)) = runs.first_mut() {
            let whole = first.whole();
            *first = std::mem::take(first).without_shards(missing, whole);
        }
        Ok(Self(runs))
    }
}

impl CompareArgs {
    fn outputs(&self) -> Vec<Output<'_>> {
        let files = [
            ("--markdown", &self.markdown),
            ("--html", &self.html),
            ("--json", &self.json),
        ];
        let asked = files.into_iter().filter_map(|(option, path)| {
            Some(Output {
                option,
                path: path.as_deref()?,
                form: Form::Foreign,
            })
        });
        asked.collect()
    }

    fn write(&self, told: &Comparison) -> Result<()> {
        if let Some(file) = &self.markdown {
            files::write_whole(file, &reports::comparison_markdown(told))?;
        }
        if let Some(file) = &self.html {
            let way = files::ways_from(file);
            let page = |run: &str| {
                let page = Path::new(run).join("index.html");
                page.is_file().then(|| way(&page))
            };
            files::write_whole(file, &reports::comparison_html(told, page))?;
        }
        if let Some(file) = &self.json {
            files::write_whole(file, &told.json())?;
        }
        Ok(())
    }
}
