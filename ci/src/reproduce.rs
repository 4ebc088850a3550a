//! `migratrix reproduce`: a script that shows what came of a case without this program.

use std::{
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, bail};
use migratrix_contract::{DomainSpec, Script, Step, Variant};
use migratrix_guest::Parameters;
use migratrix_history::Header;
use migratrix_lab::cache_folder;
use migratrix_libvirt::domain_xml;
use migratrix_matrix::{Case, Point, Releases, Scenario, Version};
use migratrix_qemu::Recipe;
use migratrix_reports::{Exit, LibvirtRecipe, NoScript, RawRecipe, ScriptOrigin, can_be_shown};

use crate::{
    WrongUse,
    config::Config,
    meaning,
    run::{
        executor::{COMMON_MACHINE, MEMORY_MIB},
        ledger::Attempt,
        rundir::RunDir,
    },
    say::{self, Shown},
};

/// Where hosts have the boot image that a script puts there: a folder that each libvirt has.
const IMAGES: &str = "/var/lib/libvirt/images";

/// The name and the UUIDs of a domain that was not run yet.
const DOMAIN: &str = "reproduce";
const UUID: &str = "6d780000-0001-4001-8000-000000000001";
const FOREIGN_UUID: &str = "6d780000-0002-4001-8000-000000000001";

/// Prints the script; says so where its case's history is cut, so that it may not show all that was done.
///
/// # Errors
/// Says why there can be none, or what can't be read.
pub fn reproduce(case: &Case, run: Option<&Path>, config: &Config) -> Result<Exit> {
    can_be_shown(case)?;
    let (attempt, releases) = match run {
        Some(run) => attempted(case, run)?,
        None => (
            None,
            meaning::known_releases(&meaning::store()?, config, &[])?,
        ),
    };
    let script = match &case.point {
        Point::Tck(scenario) => of_libvirt(case, scenario, attempt.as_ref(), &releases)?,
        Point::Qemu(_)
        | Point::Colo(_)
        | Point::Backup(_)
        | Point::Chained(_)
        | Point::Recovery(_) => of_qemu(case, attempt.as_ref(), &releases)?,
    };
    say::as_it_is(script.as_bytes());
    let Some(cut) = attempt.as_ref().and_then(|one| incomplete(one, run?)) else {
        return Ok(Exit::AsExpected);
    };
    eprintln!("{cut}");
    Ok(Exit::Unknown)
}

/// What is missing of an attempt, if anything is.
fn incomplete(attempt: &Attempt, run: &Path) -> Option<String> {
    let judgement = &attempt.judgement;
    let (line, log) = (judgement.cut?, judgement.log.as_ref()?);
    let file = run.join(log);
    let file = file.shown();
    Some(format!(
        "the script is incomplete: {file} is cut at line {line}, and what was done and seen after that is not known"
    ))
}

/// The attempt that a run has of the case: the last one that was not as it should be, else the last one.
fn attempted(case: &Case, run: &Path) -> Result<(Option<Attempt>, Releases)> {
    let (dir, plan) = RunDir::read(run)?;
    let mut attempts = Vec::new();
    for number in 1.. {
        let path = dir.history_path(case, number);
        if !path.exists() {
            break;
        }
        attempts.push(Attempt::read(&dir.name_within(&path), case, number, &dir)?);
    }
    let failed = |one: &Attempt| one.judgement.troubles().next().is_some();
    let chosen = attempts.iter().rposition(failed);
    let chosen = chosen.or(attempts.len().checked_sub(1));
    match chosen {
        Some(chosen) => Ok((
            Some(attempts.swap_remove(chosen)),
            Releases::new(plan.releases)?,
        )),
        None => bail!(NoScript::NoHistory(case.clone())),
    }
}

fn of_qemu(case: &Case, attempt: Option<&Attempt>, releases: &Releases) -> Result<String> {
    let Some(Attempt { history, judgement }) = attempt else {
        bail!(WrongUse(format!(
            "what QEMU is told in {case} is taken from its history: run it, and name that run by --run"
        )));
    };
    let of = |seen: Option<Version>, side: &str| {
        seen.with_context(|| {
            format!("the history of {case} does not tell the version of the {side}'s QEMU")
        })
    };
    let versions = &judgement.versions;
    let source = of(versions.source_qemu, "source")?;
    let destination = of(versions.destination_qemu, "destination")?;
    let script = Script::of(case, spec(Some(&history.header), String::new(), ""), 0);
    let folder = cache_folder().join(format!("recipe-{}", process::id()));
    let recipe = Recipe::of(&script.subject, source, destination, &folder)?;
    let recipe = RawRecipe {
        origin: ScriptOrigin {
            case,
            releases,
            judgement: Some(judgement),
        },
        history,
        image: &recipe.image,
        arguments: [&recipe.source, &recipe.destination],
        folder: &folder.to_string_lossy(),
        disk: recipe.disk,
    };
    Ok(recipe.script()?)
}

fn of_libvirt(
    case: &Case,
    scenario: &Scenario,
    attempt: Option<&Attempt>,
    releases: &Releases,
) -> Result<String> {
    let header = attempt.map(|attempt| &attempt.history.header);
    let machine = match header {
        Some(header) => header.machine.clone(),
        None => machine(case, releases)?,
    };
    let name = header.map_or(DOMAIN, |header| &header.domain);
    let image_path = PathBuf::from(IMAGES).join(format!("{name}.img"));
    let image_path = image_path.to_string_lossy();
    let script = Script::of(case, spec(header, machine, &image_path), 0);
    let subject = &script.subject;
    let asked = script.steps.iter().find_map(|(_, step)| {
        let Step::Migrate(migrate) = step else {
            return None;
        };
        Some(migrate.call())
    });
    let recipe = LibvirtRecipe {
        origin: ScriptOrigin {
            case,
            releases,
            judgement: attempt.map(|attempt| &attempt.judgement),
        },
        scenario,
        call: &asked.context("the case has no migration")?,
        domain: &subject.domain,
        xml: &domain_xml(subject, &subject.uuid, Variant::Plain),
        image_path: &image_path,
        image: &subject.guest.boot_image()?,
        guest: &subject.guest,
    };
    Ok(recipe.script()?)
}

/// The machine type of a case that was not run.
fn machine(case: &Case, releases: &Releases) -> Result<String> {
    let source = releases.find(&case.tuple.source)?;
    let destination = releases.find(&case.tuple.destination)?;
    let machine = case.point.machine().among(source, destination);
    machine.with_context(|| {
        WrongUse(format!(
            "{case} has not {COMMON_MACHINE}, as far as is known here: build its releases, or name a run of \
             it by --run"
        ))
    })
}

/// The domain of a case: as it was run, or by usual names.
fn spec(header: Option<&Header>, machine: String, image_path: &str) -> DomainSpec {
    DomainSpec {
        domain: header.map_or(DOMAIN, |header| &header.domain).to_owned(),
        uuid: header.map_or(UUID, |header| &header.uuid).to_owned(),
        foreign_uuid: FOREIGN_UUID.to_owned(),
        machine: header.map_or(machine, |header| header.machine.clone()),
        memory_mib: MEMORY_MIB,
        guest: header.map_or(Parameters::SMALL, |header| header.guest),
        boot_image: image_path.to_owned(),
    }
}
