//! What is read of a domain: its description, its lap counter, its memory.

use migratrix_client::wire::{Detail, Said, Seen};
use migratrix_guest::{Parameters, Survey};
use virt::{
    connect::Connect,
    domain::Domain,
    error::{Error, ErrorNumber},
    sys,
};

use crate::{calls, failure::Failure, words};

/// The most that one `virDomainMemoryPeek` is asked for, in bytes. The RPC has carried 16 MiB since
/// libvirt 1.0.6; no release needs more than its own limit here.
const PEEK_MAX: usize = 1 << 20;

/// Describes the domain of this name; one that vanishes meanwhile is absent.
pub fn look(host: &Connect, name: &str, detail: Detail) -> Result<Said, Error> {
    let present = host
        .lookup_domain_by_name(name)
        .and_then(|domain| describe(&domain, detail));
    match present {
        Ok(seen) => Ok(Said::Present(seen)),
        Err(error) if error.code().is(ErrorNumber::NoDomain) => Ok(Said::Absent),
        Err(error) => Err(error),
    }
}

fn describe(domain: &Domain, detail: Detail) -> Result<Seen, Error> {
    let (state, reason) = calls::state(domain)?;
    let (state, reason) = words::state(state, reason);
    let active = domain.id().is_some();
    let (xml, kept) = match (detail, active) {
        (Detail::Whole, true) => {
            let kept = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?;
            (Some(domain.xml_desc(0)?), Some(kept))
        }
        (Detail::Whole, false) => (Some(domain.xml_desc(0)?), None),
        (Detail::State, _) => (None, None),
    };
    Ok(Seen {
        uuid: domain.uuid_string()?,
        active,
        persistent: domain.is_persistent()?,
        state,
        reason,
        xml,
        kept,
    })
}

/// Whether the guest of the domain runs.
pub fn runs(domain: &Domain) -> Result<Said, Failure> {
    let (state, _) = calls::state(domain)?;
    Ok(Said::Runs(
        i64::from(state) == i64::from(sys::VIR_DOMAIN_RUNNING),
    ))
}

/// The state of the domain.
pub fn state(domain: &Domain) -> Result<Said, Failure> {
    let (state, reason) = calls::state(domain)?;
    let (state, reason) = words::state(state, reason);
    Ok(Said::State(state, reason))
}

/// Reads the guest's lap counter.
pub fn lap(domain: &Domain, guest: &Parameters) -> Result<Said, Failure> {
    let bytes = calls::peek(domain, guest.lap_address().into(), Parameters::LAP_BYTES)?;
    Ok(Said::Lap(guest.read_lap(&bytes)))
}

/// Reads the guest's stamped memory, piece by piece.
pub fn survey(domain: &Domain, guest: &Parameters) -> Result<Said, Failure> {
    let mut memory = Vec::new();
    let (start, end) = (u64::from(guest.start), u64::from(guest.end));
    for address in (start..end).step_by(PEEK_MAX) {
        let size = PEEK_MAX.min(usize::try_from(end - address).unwrap_or(PEEK_MAX));
        memory.extend(calls::peek(domain, address, size)?);
    }
    let survey = Survey::read(guest, &memory);
    survey
        .map(Said::Survey)
        .map_err(|error| Failure::Bad(error.to_string()))
}
