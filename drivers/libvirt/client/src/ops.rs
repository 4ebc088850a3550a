//! What each request does, in libvirt's calls.

use std::{ffi::CString, sync::Arc};

use migratrix_client::wire::{DomainAction, Migration, Op, Reply, Said};
use migratrix_history::{Refusal, Side};
use migratrix_matrix::Control;
use virt::{
    connect::Connect,
    domain::Domain,
    error::{Error, ErrorNumber},
    sys,
};

use crate::{
    calls::{self, Finished},
    failure::Failure,
    hosts::{Channel, Hosts},
    looks, migration,
};

/// Does what `op` asks for.
pub fn perform(hosts: &Arc<Hosts>, op: &Op) -> Reply {
    match attempt(hosts, op) {
        Ok(said) => Reply::Ok(said),
        Err(Failure::Bad(why)) => Reply::Bad(why),
        Err(Failure::Lacks(symbol)) => Reply::Refused(lacking(&symbol)),
        Err(Failure::Libvirt(error)) if is_lost(hosts, op) => Reply::Lost(refusal(&error)),
        Err(Failure::Libvirt(error)) => Reply::Refused(refusal(&error)),
    }
}

fn attempt(hosts: &Arc<Hosts>, op: &Op) -> Result<Said, Failure> {
    let host = |side: Side| hosts.work(side).ok_or_else(|| not_open(side));
    let find = |side: Side, name: &str| Ok::<_, Failure>(host(side)?.lookup_domain_by_name(name)?);
    Ok(match op {
        Op::Version => Said::Version(Connect::version()?.into()),
        Op::Open { side, uri } => Said::Host(hosts.open(*side, uri)?),
        Op::KeepAlive {
            side,
            interval_s,
            count,
        } => done(host(*side)?.set_keep_alive(i32::from(*interval_s), u32::from(*count))?),
        Op::Listen { uri, away: true } => done(hosts.listen_anew(uri)?),
        Op::Listen { uri, away: false } => done(hosts.listen(uri)?),
        Op::Settle { uri } => done(hosts.settle(uri)?),
        Op::Define { side, xml } => done(host(*side)?.define_domain_xml(xml)?),
        Op::CreateXml { side, xml, paused } => {
            let flags = if *paused {
                sys::VIR_DOMAIN_START_PAUSED
            } else {
                0
            };
            done(host(*side)?.create_domain_xml(xml, flags)?)
        }
        Op::Domain { side, domain, act } => {
            of_domain(hosts, (*side, Channel::Work), domain, |domain| {
                do_act(domain, *act).map(done)
            })?
        }
        Op::Attach {
            side,
            domain,
            device,
        } => of_domain(hosts, (*side, Channel::Work), domain, |domain| {
            // `attach_device` of crate `virt` 0.5 says that it is done whatever libvirt says.
            let attached = domain.attach_device_flags(device, sys::VIR_DOMAIN_AFFECT_LIVE);
            Ok(done(attached?))
        })?,
        Op::Look {
            side,
            domain,
            detail,
        } => looks::look(&host(*side)?, domain, *detail)?,
        Op::Runs { side, domain } => {
            match of_domain(hosts, (*side, Channel::Work), domain, looks::runs) {
                Err(Failure::Libvirt(error)) if is_no_domain(&error) => Said::Runs(false),
                runs => runs?,
            }
        }
        Op::State { side, domain } => {
            match of_domain(hosts, (*side, Channel::Work), domain, looks::state) {
                Err(Failure::Libvirt(error)) if is_no_domain(&error) => Said::Absent,
                state => state?,
            }
        }
        Op::Lap {
            side,
            domain,
            guest,
        } => of_domain(hosts, (*side, Channel::Aside), domain, |domain| {
            looks::lap(domain, guest)
        })?,
        Op::Survey {
            side,
            domain,
            guest,
        } => of_domain(hosts, (*side, Channel::Work), domain, |domain| {
            looks::survey(domain, guest)
        })?,
        Op::Migrate(how) => done(migrate(hosts, &find(Side::Source, &how.domain)?, how)?),
        Op::Capabilities { side, machine } => Said::Text(host(*side)?.domain_capabilities(
            None,
            None,
            Some(machine),
            Some("qemu"),
            0,
        )?),
        Op::Monitor {
            side,
            domain,
            command,
            human,
        } => {
            let flags = if *human {
                sys::VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
            } else {
                0
            };
            of_domain(hosts, (*side, Channel::Work), domain, |domain| {
                Ok(Said::Text(domain.qemu_monitor_command(command, flags)?))
            })?
        }
        Op::Ask {
            side,
            domain,
            commands,
        } => of_domain(hosts, (*side, Channel::Work), domain, |domain| {
            let ask = |command: &String| domain.qemu_monitor_command(command, 0);
            let said = commands.iter().map(ask).collect::<Result<_, Error>>()?;
            Ok(Said::Texts(said))
        })?,
        Op::Backup {
            side,
            domain,
            backup,
            checkpoint,
        } => {
            let checkpoint = checkpoint.as_deref().map(text).transpose()?;
            let domain = find(*side, domain)?;
            done(calls::begin_backup(
                &domain,
                &text(backup)?,
                checkpoint.as_deref(),
            )?)
        }
        Op::Checkpoints { side, domain } => {
            Said::Checkpoints(calls::checkpoints(&find(*side, domain)?)?)
        }
        Op::Redefine {
            side,
            domain,
            checkpoint,
        } => done(calls::redefine(&find(*side, domain)?, &text(checkpoint)?)?),
        Op::Progress { side, domain } => {
            of_domain(hosts, (*side, Channel::Aside), domain, |domain| {
                Ok(Said::Job(calls::job(domain, Finished::No)?))
            })?
        }
        Op::Job { side, domain } => of_domain(hosts, (*side, Channel::Work), domain, |domain| {
            Ok(Said::Job(calls::job(domain, Finished::Yes)?))
        })?,
    })
}

/// Asks something of a domain. One that is kept need not be looked up; where it is gone, another one may
/// have its name by now.
fn of_domain(
    hosts: &Hosts,
    (side, channel): (Side, Channel),
    name: &str,
    what: impl Fn(&Domain) -> Result<Said, Failure>,
) -> Result<Said, Failure> {
    if let Some(kept) = hosts.kept(side, channel, name) {
        match what(&kept) {
            Err(Failure::Libvirt(error)) if is_no_domain(&error) => {}
            asked => return asked,
        }
    }
    let found = hosts.look_up(side, channel, name);
    what(&found.ok_or_else(|| not_open(side))??)
}

fn is_no_domain(error: &Error) -> bool {
    error.code().is(ErrorNumber::NoDomain)
}

fn done<T>(_what_came_of_it: T) -> Said {
    Said::Done
}

fn text(xml: &str) -> Result<CString, Failure> {
    CString::new(xml).map_err(|error| Failure::Bad(error.to_string()))
}

fn not_open(side: Side) -> Failure {
    Failure::Bad(format!("no connection to the {side:?} was opened"))
}

fn do_act(domain: &Domain, act: DomainAction) -> Result<(), Failure> {
    match act {
        DomainAction::Create => domain.create()?,
        DomainAction::CreatePaused => drop(domain.create_with_flags(sys::VIR_DOMAIN_START_PAUSED)?),
        DomainAction::Suspend => drop(domain.suspend()?),
        DomainAction::Resume => drop(domain.resume()?),
        DomainAction::Destroy => domain.destroy()?,
        DomainAction::Undefine => undefine(domain)?,
        DomainAction::AbortJob => calls::abort_job(domain)?,
        DomainAction::AbortPostcopy => calls::abort_postcopy(domain)?,
        DomainAction::StartPostcopy => calls::start_postcopy(domain)?,
    }
    Ok(())
}

fn undefine(domain: &Domain) -> Result<(), Error> {
    let flags = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    let checkpoints = sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
    match domain.undefine_flags(flags | checkpoints) {
        // Not each of libvirt's drivers knows that flag, and no domain of theirs needs it.
        Err(error) if error.code().is(ErrorNumber::InvalidArg) => domain.undefine_flags(flags),
        undefined => undefined,
    }
}

fn migrate(hosts: &Hosts, domain: &Domain, how: &Migration) -> Result<(), Failure> {
    let parameters = migration::parameters(how)?;
    let flags = migration::flags(how)?;
    match how.control {
        Control::Normal => {
            let destination = hosts.work(Side::Destination);
            let destination = destination.ok_or_else(|| not_open(Side::Destination))?;
            domain.migrate3(&destination, parameters, flags)?;
        }
        Control::P2p | Control::Tunnelled => {
            domain.migrate_to_uri3(Some(&how.peer_uri), parameters, flags)?;
        }
    }
    Ok(())
}

/// Whether one of the hosts that `op` needs is no longer connected.
fn is_lost(hosts: &Hosts, op: &Op) -> bool {
    let sides: &[Side] = match op {
        Op::Version | Op::Open { .. } | Op::Listen { .. } | Op::Settle { .. } => &[],
        Op::KeepAlive { side, .. }
        | Op::State { side, .. }
        | Op::Define { side, .. }
        | Op::CreateXml { side, .. }
        | Op::Domain { side, .. }
        | Op::Attach { side, .. }
        | Op::Look { side, .. }
        | Op::Runs { side, .. }
        | Op::Lap { side, .. }
        | Op::Survey { side, .. }
        | Op::Capabilities { side, .. }
        | Op::Monitor { side, .. }
        | Op::Ask { side, .. }
        | Op::Backup { side, .. }
        | Op::Checkpoints { side, .. }
        | Op::Redefine { side, .. }
        | Op::Progress { side, .. }
        | Op::Job { side, .. } => &[*side],
        Op::Migrate(how) => match how.control {
            Control::Normal => &[Side::Source, Side::Destination],
            Control::P2p | Control::Tunnelled => &[Side::Source],
        },
    };
    !sides.iter().all(|side| hosts.are_alive(*side))
}

/// What libvirt itself would say of a call that it has not got.
fn lacking(symbol: &str) -> Refusal {
    let number = |known: u32| i32::try_from(known).unwrap_or(i32::MAX);
    Refusal {
        code: number(sys::VIR_ERR_NO_SUPPORT),
        domain: 0,
        message: format!("the client library has no {symbol}"),
    }
}

fn refusal(error: &Error) -> Refusal {
    let number = |raw: u32| i32::try_from(raw).unwrap_or(i32::MAX);
    Refusal {
        code: number(error.code().to_raw()),
        domain: number(error.domain().to_raw()),
        message: error.message().to_owned(),
    }
}
