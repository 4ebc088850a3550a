//! `migratrix explain`: the smallest combinations of values that account for what failed, and the
//! cases that settle what is not sure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use migratrix_lab::sandbox;
use migratrix_matrix::{Case, HostSetup, Plan, RunOptions, Shard, missing_shards};
use migratrix_reports::{self as reports, Budget, CaseOutcome, Exit, Run, Study, Trial, damage};

use crate::{
    cli::{ExplainArgs, KnownArgs},
    config::Config,
    known::check_known,
    possible::{Named, possible},
    report::{once_each, run_of},
    run::{copies::Counted, ledger::Ledger, rundir::RunDir},
    say::{Shown, count, fitted},
};

/// How an account is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AccountFormat {
    /// For a person
    Text,
    /// For a program: see `migratrix schema account`
    Json,
}

/// Explains the failures of some runs of one suite, where that is asked for by running more; says how the
/// runs ended, as a report of them does.
///
/// # Errors
/// Fails where a run can't be read, they have nothing in common, or the cases can't be run.
pub fn explain(typed: &ExplainArgs, config: &Config) -> Result<Exit> {
    once_each(&typed.dirs)?;
    let opened = typed.dirs.iter().map(|dir| RunDir::read(dir));
    let opened = opened.collect::<Result<Vec<_>>>()?;
    let named = Named::of(opened.iter().map(|(_, plan)| plan));
    let mut read = Read {
        typed,
        config,
        runs: Vec::new(),
        counted: Counted::default(),
        space: BTreeMap::new(),
    };
    let plans = opened.into_iter().map(|one| read.add(one, named));
    let plans = plans.collect::<Result<Vec<_>>>()?;
    read.lack(missing_shards(plans.iter().map(|plan| &plan.selection)));
    let first = typed.dirs.first().zip(plans.first());
    let (first, plan) = first.context("no run is named")?;
    if typed.confirm > 0 {
        read.add_earlier(first)?;
    }
    let mut study = read.study()?;
    let mut budget = Budget::new(usize::from(typed.confirm));
    let (mut asked, mut stopped) = (0, false);
    while !stopped {
        let questions = study.questions(&mut budget);
        if questions.is_empty() {
            break;
        }
        asked += questions.len();
        for (setup, cases) in lots(&read.space, &questions) {
            let lot = tried(&cases, setup, first, plan)?;
            stopped = lot.stopped;
            if !stopped || has_plan(&lot.dir) {
                read.add(RunDir::read(&lot.dir)?, Named::Themselves)?;
            }
            if stopped {
                break;
            }
        }
        study = read.study()?;
        if !stopped {
            questions.iter().for_each(|trial| tell(&study, trial));
        }
    }
    if stopped {
        eprintln!(
            "stopped: what ran counts; explain --confirm again, and it asks for what is still open"
        );
    }
    if typed.confirm > 0 && asked == 0 {
        eprintln!("no case runs: none that these runs could have tried would tell more of causes");
    }
    let account = study.account();
    match typed.format {
        AccountFormat::Text => print!("{}", fitted(&reports::account_text(&account))),
        AccountFormat::Json => println!("{}", serde_json::to_string_pretty(&account)?),
    }
    Ok(Exit::worst(read.runs.iter().map(Run::exit)))
}

/// The cases that could be tried, and how the hosts of each could be set up.
type Space = BTreeMap<Case, Vec<HostSetup>>;

/// The runs that were read so far, and what else could be tried.
struct Read<'r> {
    typed: &'r ExplainArgs,
    config: &'r Config,
    runs: Vec<Run>,
    counted: Counted,
    space: Space,
}

impl Read<'_> {
    fn add(&mut self, (dir, plan): (RunDir, Plan), named: Named) -> Result<Plan> {
        self.counted.take(&dir)?;
        let known = self.typed.lists.or_kept(&plan)?;
        check_known(&known, self.config, &plan)?;
        let rules = KnownArgs {
            fail_known: self.typed.fail_known,
            ..KnownArgs::default()
        };
        // What of the histories is damaged is told there.
        let lost = Ledger::look_through(&dir, &plan)?;
        let run = run_of(&dir, &plan, &known)?.by(rules.rules(&plan.options));
        damage(run.damaged())
            .iter()
            .for_each(|one| eprintln!("{one}"));
        let run = run.with_damage(lost);
        let lacking = run.missing().count();
        if lacking > 0 {
            let (run, yet) = (
                dir.path().shown(),
                if dir.is_under_way() { " yet" } else { "" },
            );
            let count_for = if lacking == 1 {
                "it counts"
            } else {
                "they count"
            };
            let lacking = count(lacking, "case");
            eprintln!("{lacking} of {run} without a verdict{yet}: {count_for} for nothing");
        }
        let possible = possible(&plan, self.config, named)?;
        for one in &possible {
            let own = self.space.entry(one.case.clone());
            own.or_insert_with(|| one.ways.clone());
        }
        self.runs.push(run.with_possible(possible));
        Ok(plan)
    }

    /// Takes in that these shards are not there.
    fn lack(&mut self, shards: Vec<Shard>) {
        for shard in &shards {
            eprintln!("the shard {shard} is missing: its cases count for nothing");
        }
        if let Some(first) = self.runs.first_mut() {
            let whole = first.whole();
            *first = std::mem::take(first).without_shards(shards, whole);
        }
    }

    /// Takes in what an earlier `--confirm` ran: none of its cases runs again.
    fn add_earlier(&mut self, first: &Path) -> Result<()> {
        let real = |path: &PathBuf| path.canonicalize().ok();
        let named: Vec<_> = self.typed.dirs.iter().filter_map(real).collect();
        let mut earlier = Vec::new();
        for number in 1.. {
            let lot = beside(first, number)?;
            if lot.symlink_metadata().is_err() {
                break;
            }
            let is_new = real(&lot).is_some_and(|lot| !named.contains(&lot));
            if !is_new || !has_plan(&lot) {
                continue;
            }
            let opened = RunDir::read(&lot)?;
            // A copy of it may have been named.
            if !self.counted.has(&opened.0)? {
                earlier.push(lot.shown());
                self.add(opened, Named::Themselves)?;
            }
        }
        match earlier.as_slice() {
            [] => {}
            [only] => eprintln!("{only} counts as well: an earlier --confirm ran it"),
            [first, .., last] => {
                let count = earlier.len();
                eprintln!(
                    "{count} runs count as well, from {first} to {last}: an earlier --confirm ran them"
                );
            }
        }
        Ok(())
    }

    fn study(&self) -> Result<Study> {
        let runs: Vec<_> = self.runs.iter().collect();
        Ok(Study::of(&runs, &[])?)
    }
}

/// The cases that can run together, with how their hosts are to be set up where they could be in several
/// ways. Those whose hosts could not run with any.
fn lots(space: &Space, trials: &[Trial]) -> BTreeMap<Option<HostSetup>, Vec<Case>> {
    let mut lots: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for trial in trials {
        let ways = space.get(&trial.case);
        let is_chosen = ways.is_some_and(|ways| ways.len() > 1);
        let lot: &mut Vec<_> = lots.entry(is_chosen.then_some(trial.setup)).or_default();
        lot.push(trial.case.clone());
    }
    let some = lots.keys().flatten().next().copied();
    if let Some((first, cases)) = some.and_then(|first| Some((first, lots.remove(&None)?))) {
        lots.entry(Some(first)).or_default().extend(cases);
    }
    lots
}

/// A lot of cases that ran.
struct Lot {
    dir: PathBuf,
    /// Whether somebody asked for the end of it all.
    stopped: bool,
}

fn has_plan(dir: &Path) -> bool {
    dir.join("plan.json").exists()
}

/// Runs these cases as the first run was run, on hosts that are set up so.
fn tried(cases: &[Case], setup: Option<HostSetup>, first: &Path, plan: &Plan) -> Result<Lot> {
    let out = free(first)?;
    let told = count(cases.len(), "case");
    eprintln!("running {told} more into {}", out.shown());
    let program = std::env::current_exe().context("can't find out where this program is")?;
    let mut command = Command::new(program);
    command.arg("run").arg("--out").arg(&out);
    command.args(on(setup, &plan.options).arguments());
    for case in cases {
        command.args(["--case", &case.to_string()]);
    }
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let (ended, stopped) = sandbox::pass_stops_to(command).context("the cases could not be run")?;
    let verdicts = [
        crate::code::AS_EXPECTED,
        crate::code::FAILED,
        crate::code::UNKNOWN,
    ];
    let is_verdict = |code| verdicts.iter().any(|one| i32::from(*one) == code);
    if !stopped && !ended.code().is_some_and(is_verdict) {
        bail!("{told} could not be run: {ended}; see above");
    }
    Ok(Lot { dir: out, stopped })
}

/// The options of a run, where all its cases run on hosts that are set up so.
fn on(setup: Option<HostSetup>, options: &RunOptions) -> RunOptions {
    let Some(setup) = setup else {
        return options.clone();
    };
    RunOptions {
        as_shipped: setup == HostSetup::AsShipped,
        without_controls: setup == HostSetup::Quick,
        ..options.clone()
    }
}

/// A directory beside that of a run which is not there yet.
fn free(first: &Path) -> Result<PathBuf> {
    for number in 1..=u32::MAX {
        let path = beside(first, number)?;
        if path.symlink_metadata().is_err() {
            return Ok(path);
        }
    }
    bail!("all names are taken")
}

/// The directory of a lot of cases that was run to be sure of what accounts for the failures of a run.
fn beside(first: &Path, number: u32) -> Result<PathBuf> {
    // By `.` or `..` it has no name, and is beside nothing.
    let named = match first.file_name() {
        Some(_) => first.to_owned(),
        None => first
            .canonicalize()
            .with_context(|| format!("can't tell where `{}` is", first.shown()))?,
    };
    let name = named.file_name().unwrap_or_default().to_string_lossy();
    Ok(named.with_file_name(format!("{name}-confirm-{number}")))
}

fn tell(study: &Study, trial: &Trial) {
    let how = match study.outcome(trial) {
        Some(CaseOutcome::Failed) => "failed",
        Some(CaseOutcome::Passed) => "passed",
        None => "could not be tried",
    };
    let Trial { case, setup } = trial;
    match setup {
        HostSetup::AsShipped => eprintln!("  {how}: {case}"),
        HostSetup::Quick | HostSetup::Resilient => {
            eprintln!("  {how}: {case}, {}", reports::on_hosts(*setup));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAYS: [(&str, &[HostSetup]); 3] = [
        ("none", &[HostSetup::Quick, HostSetup::AsShipped]),
        ("persist", &[HostSetup::Quick, HostSetup::AsShipped]),
        ("undefine", &[HostSetup::AsShipped]),
    ];

    fn case(flags: &str) -> Case {
        let name = format!("tck/libvirt/a,a,b/p2p/transient-running-undefined/{flags}");
        name.parse().expect("a case")
    }

    fn flags(lots: &BTreeMap<Option<HostSetup>, Vec<Case>>) -> Vec<(Option<HostSetup>, Vec<Case>)> {
        lots.iter()
            .map(|(setup, cases)| (*setup, cases.clone()))
            .collect()
    }

    #[test]
    fn cases_run_together_whose_hosts_are_to_be_set_up_alike_and_others_with_any() {
        let space = WAYS.map(|(flags, ways)| (case(flags), ways.to_vec()));
        let space = Space::from(space);
        let trial = |flags, setup| Trial {
            case: case(flags),
            setup,
        };
        let fixed = trial("undefine", HostSetup::AsShipped);
        let quick = trial("none", HostSetup::Quick);
        let shipped = trial("persist", HostSetup::AsShipped);
        let all = lots(&space, &[quick, shipped, fixed.clone()]);
        let expected = [
            (
                Some(HostSetup::AsShipped),
                vec![case("persist"), case("undefine")],
            ),
            (Some(HostSetup::Quick), vec![case("none")]),
        ];
        assert_eq!(flags(&all), expected);
        assert_eq!(
            flags(&lots(&space, &[fixed])),
            [(None, vec![case("undefine")])]
        );
    }

    #[test]
    fn a_lot_runs_on_hosts_of_one_setup_whatever_the_run_was_begun_with() {
        let begun = RunOptions {
            without_controls: true,
            jobs: Some(2),
            ..RunOptions::default()
        };
        let words = |setup| on(setup, &begun).arguments().join(" ");
        assert_eq!(words(None), "--jobs 2 --without-controls");
        assert_eq!(words(Some(HostSetup::Quick)), "--jobs 2 --without-controls");
        assert_eq!(words(Some(HostSetup::AsShipped)), "--jobs 2 --as-shipped");
    }
}
