//! `migratrix jump`: which jumps between releases are safe, and the steps where they are not.

use std::path::Path;

use anyhow::{Context, Result, bail};
use migratrix_matrix::Plan;
use migratrix_reports::{self as reports, Exit, Jumps, Ladder, Rules, Run};

use crate::{
    WrongUse,
    cli::{JumpArgs, JumpFormat, ListArgs},
    config::Config,
    files,
    known::check_known,
    possible::{Named, possible},
    report::{looked_through, once_each},
    run::{copies::Counted, rundir::RunDir},
    say::fitted,
};

/// The ladders that come with the program.
const LADDERS: [(&str, &str); 1] = [("nova", include_str!("../ladders/nova.toml"))];

/// Tells which jumps are safe by some runs of one suite, and whether those are that were asked for.
///
/// # Errors
/// Fails where a run or the ladder can't be read, or there is nothing to choose.
pub fn jump(typed: &JumpArgs, config: &Config) -> Result<Exit> {
    once_each(&typed.dirs)?;
    let ladder = typed.ladder.as_deref().map(ladder).transpose()?;
    let mut counted = Counted::default();
    let opened = typed.dirs.iter().map(|dir| RunDir::read(dir));
    let opened = opened.collect::<Result<Vec<_>>>()?;
    let named = Named::of(opened.iter().map(|(_, plan)| plan));
    let read = opened.into_iter().map(|(dir, plan)| {
        counted.take(&dir)?;
        let run = read(&dir, &plan, &typed.lists, config)?;
        Ok(run.with_possible(possible(&plan, config, named)?))
    });
    let runs: Vec<_> = read.collect::<Result<_>>()?;
    let jumps = Jumps::of(&runs.iter().collect::<Vec<_>>())?;
    let (from, to) = (typed.from.as_deref(), typed.to.as_deref());
    let jumps = match ladder {
        Some(ladder) => jumps.on(&ladder, from, to)?,
        None => jumps.between(from, to)?,
    };
    match typed.format {
        JumpFormat::Text => print!("{}", fitted(&reports::jumps_text(&jumps))),
        JumpFormat::Json => println!("{}", serde_json::to_string_pretty(&jumps)?),
    }
    Ok(jumps.exit())
}

fn read(dir: &RunDir, plan: &Plan, lists: &ListArgs, config: &Config) -> Result<Run> {
    let known = lists.or_kept(plan)?;
    check_known(&known, config, plan)?;
    Ok(looked_through(dir, plan, &known)?.by(Rules::default()))
}

/// The ladder that comes with the program under this name, or that this file is.
fn ladder(named: &str) -> Result<Ladder> {
    if let Some((_, text)) = LADDERS.iter().find(|(name, _)| *name == named) {
        return Ok(Ladder::parse(text)?);
    }
    let path = Path::new(named);
    if !path.exists() {
        let own = LADDERS.map(|(name, _)| name).join(", ");
        bail!(WrongUse(format!(
            "`{named}` is neither a ladder that comes with the program ({own}) nor a file"
        )));
    }
    let text = files::text(path).with_context(|| format!("can't read the ladder {named}"))?;
    Ladder::parse(&text).with_context(|| named.to_owned())
}
