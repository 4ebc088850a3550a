//! `transport`: the stream goes over what the case names, as the kernel tells of both processes.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::collections::BTreeSet;

use migratrix_history::{Carrier, CarrierKind, Observation, Side, Verb};
use migratrix_matrix::{Method, Raw, Transport};
use serde_json::Value;

use super::wire;
use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// What each side had open for the migration while memory was copied is of the kind that the case names,
/// as many as it needs, and at the address at which the source was sent; and what went by is encrypted as
/// the case says.
pub(super) fn transport(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    // A stream in a file is read when it is whole.
    let sides: &[Side] = match raw.transport.is_file() {
        true => &[Side::Source],
        false => &Side::BOTH,
    };
    let mut faults = Vec::new();
    for side in sides {
        let host = evidence.host(*side);
        // In postcopy it is looked at once more.
        let again = raw.method == Method::Postcopy && evidence.records_traces();
        let looks = looks(evidence, *side)?;
        if looks.len() < 1 + usize::from(again) {
            return Err(unseen(evidence, *side));
        }
        let wrong = looks.into_iter().find_map(|carriers| {
            wrong_kind(raw.transport, carriers)
                .or_else(|| wrong_address(evidence, raw, *side, carriers))
                .or_else(|| wrong_count(evidence, raw, carriers))
        });
        let wrong = wrong.or_else(|| wrong_way(evidence, raw.transport, *side));
        faults.extend(wrong.map(|wrong| format!("{host} {wrong}")));
    }
    let mut blind = None;
    for wrong in [elsewhere(evidence, raw), wire::wrong(evidence, raw)] {
        match wrong {
            Ok(wrong) => {
                let host = evidence.host(Side::Source);
                faults.extend(wrong.map(|wrong| format!("of what {host} sent, {wrong}")));
            }
            Err(unseen) => blind = blind.or(Some(unseen)),
        }
    }
    if let (true, Some(unseen)) = (faults.is_empty(), blind) {
        return Err(unseen);
    }
    Ok(Verdict::pass_if(faults.is_empty(), || {
        format!("{}: {}", raw.transport.word(), faults.join("; "))
    }))
}

/// What the side had open while the migration was held, when it was first looked at.
pub(super) fn carriers<'h>(evidence: &Evidence<'h>, of: Side) -> Result<&'h [Carrier], Verdict> {
    let looks = looks(evidence, of)?;
    let first = looks.first().copied();
    first.ok_or_else(|| unseen(evidence, of))
}

fn unseen(evidence: &Evidence<'_>, of: Side) -> Verdict {
    let host = evidence.host(of);
    evidence.unseen(&format!("what carries the stream on {host} was not seen"))
}

/// What the side had open while the migration was held, look by look; nothing at all can carry no stream,
/// and was not seen.
fn looks<'h>(evidence: &Evidence<'h>, of: Side) -> Result<Vec<&'h [Carrier]>, Verdict> {
    let began = evidence.migrate_began()?;
    let freed = evidence.first_after(began, &[Verb::Converge]);
    let held = began..freed.unwrap_or(u64::MAX);
    let seen = evidence.all(|saw| match saw {
        Observation::Carriers { side, carriers } if *side == of => Some(carriers.as_slice()),
        _ => None,
    });
    let own = seen
        .into_iter()
        .filter(|(at, carriers)| held.contains(at) && !carriers.is_empty());
    Ok(own.map(|(_, carriers)| carriers).collect())
}

const fn kind(transport: Transport) -> CarrierKind {
    match transport {
        Transport::Unix | Transport::Fd => CarrierKind::Unix,
        Transport::Tcp => CarrierKind::Tcp,
        Transport::FdFile | Transport::File | Transport::FileOffset | Transport::FileFdset => {
            CarrierKind::File
        }
        Transport::Exec => CarrierKind::Pipe,
    }
}

const fn word(kind: CarrierKind) -> &'static str {
    match kind {
        CarrierKind::Unix => "a UNIX socket",
        CarrierKind::Tcp => "a TCP socket",
        CarrierKind::File => "a file",
        CarrierKind::Pipe => "a pipe",
    }
}

fn wrong_kind(transport: Transport, carriers: &[Carrier]) -> Option<String> {
    let wanted = kind(transport);
    let seen: BTreeSet<_> = carriers.iter().map(|one| one.kind).collect();
    (seen != BTreeSet::from([wanted])).then(|| {
        let seen: Vec<_> = seen.into_iter().map(word).collect();
        format!(
            "was expected to have {} open for it, and had {}",
            word(wanted),
            seen.join(" and ")
        )
    })
}

/// A descriptor that was handed over has no address to compare; nor has a UNIX socket where it was not
/// listened at.
fn wrong_address(
    evidence: &Evidence<'_>,
    raw: &Raw,
    side: Side,
    carriers: &[Carrier],
) -> Option<String> {
    let transport = raw.transport;
    let is_told = match transport {
        Transport::Unix | Transport::Fd => side == Side::Destination,
        Transport::Tcp | Transport::File | Transport::FileOffset => true,
        Transport::FdFile | Transport::FileFdset | Transport::Exec => false,
    };
    let asked = asked(evidence);
    let named = |address: &str| asked.iter().any(|words| names(words, transport, address));
    // What is passed on to the destination comes to it from where the source was sent.
    let relays = wire::relayed(evidence).into_iter();
    let passed: Vec<_> = relays.filter(|relay| named(relay.from)).collect();
    let words = |to: &str| format!("\"{to}\"");
    let reaches =
        |relay: &wire::Relayed<'_>, address: &str| names(&words(relay.to), transport, address);
    let is_there = |address: &String| match (side, wire::is_shown(evidence, raw)) {
        (Side::Source, _) | (Side::Destination, false) => named(address),
        // A relay that was not seen is told of where what went by is judged.
        (Side::Destination, true) => {
            passed.is_empty() || passed.iter().any(|relay| reaches(relay, address))
        }
    };
    let is_wrong = |one: &&Carrier| match (transport, &one.address) {
        (Transport::Fd, address) => address.is_some(),
        (_, Some(address)) => !is_there(address),
        (_, None) => true,
    };
    let wrong = carriers.iter().filter(|_| is_told).find(is_wrong)?;
    let address = wrong.address.as_deref().unwrap_or("no address");
    Some(format!(
        "had {} at {address}, where nobody was sent",
        word(wrong.kind)
    ))
}

/// A migration with multifd has a connection for each channel beside its own. The one for the pages that
/// postcopy asks for may be there from the start.
fn wrong_count(evidence: &Evidence<'_>, raw: &Raw, carriers: &[Carrier]) -> Option<String> {
    // A file is opened once, and again to pass the page cache by; of a command's pipes there are two.
    let due = match raw.transport {
        Transport::Exec => 2..=2,
        transport if transport.is_file() => 1..=1,
        _ => raw.connections()..=raw.connections_in_postcopy(),
    };
    let is_counted = evidence.records_all() && raw.is_carried();
    let is_wrong = is_counted && !due.contains(&carriers.len());
    is_wrong.then(|| {
        let due = due.start();
        format!(
            "had {} open for it, where {due} connections are due",
            carriers.len()
        )
    })
}

/// Where a descriptor or a command carries the stream, the source was told so.
fn wrong_way(evidence: &Evidence<'_>, transport: Transport, side: Side) -> Option<String> {
    // As a URI, and as an address of its own kind.
    let ways = match transport {
        Transport::Fd | Transport::FdFile => ["\"fd:", "\"fd\""],
        Transport::Exec => ["\"exec:", "\"exec\""],
        Transport::FileFdset => ["/dev/fdset/"; 2],
        Transport::Unix | Transport::Tcp | Transport::File | Transport::FileOffset => return None,
    };
    let asked = asked(evidence).into_iter().next().unwrap_or_default();
    let is_told = side == Side::Destination || ways.iter().any(|way| asked.contains(way));
    (!is_told).then(|| format!("was sent another way: {asked}"))
}

/// What is wrong where the destination listens at another place than the source was sent to. Of TCP the kernel
/// chooses the port, and between two commands lies a file.
fn elsewhere(evidence: &Evidence<'_>, raw: &Raw) -> Result<Option<String>, Verdict> {
    let is_named = match raw.transport {
        Transport::Unix | Transport::Fd | Transport::FdFile | Transport::File => true,
        Transport::FileOffset | Transport::FileFdset => true,
        Transport::Tcp | Transport::Exec => false,
    };
    let is_passed_on = !wire::relayed(evidence).is_empty();
    if !is_named || is_passed_on || !evidence.records_all() {
        return Ok(None);
    }
    let place = |side, command| {
        let commands = evidence.commands(side, command).into_iter();
        let goes_on = |arguments: &Value| arguments.get("resume") == Some(&Value::Bool(true));
        let mut own = commands.filter(|(_, arguments)| !goes_on(arguments));
        let place = own
            .next_back()
            .and_then(|(_, arguments)| main_channel(arguments));
        place.ok_or_else(|| evidence.unseen(&format!("{} was not told where", evidence.host(side))))
    };
    let (sent, listens) = (
        place(Side::Source, "migrate")?,
        place(Side::Destination, "migrate-incoming")?,
    );
    Ok(
        (sent != listens)
            .then(|| format!("it went to {sent}, and the destination is at {listens}")),
    )
}

/// Where a command of QEMU's migrates to or from, as a URI or as the address of the main channel.
fn main_channel(arguments: &Value) -> Option<String> {
    let of_channel = || arguments.get("channels")?.get(0)?.get("addr");
    let place = arguments.get("uri").or_else(of_channel)?;
    Some(place.to_string())
}

/// The arguments of each `migrate`.
fn asked(evidence: &Evidence<'_>) -> Vec<String> {
    let commands = evidence.commands(Side::Source, "migrate").into_iter();
    commands
        .map(|(_, arguments)| arguments.to_string())
        .collect()
}

/// Whether they name the address: of a connection, the port at either end.
fn names(words: &str, transport: Transport, address: &str) -> bool {
    let port = |end: &str| end.rsplit(':').next().unwrap_or_default().to_owned();
    match transport {
        Transport::Tcp => address.split(" and ").map(port).any(|port| {
            words.contains(&format!(":{port}\"")) || words.contains(&format!("\"{port}\""))
        }),
        Transport::Unix
        | Transport::Fd
        | Transport::FdFile
        | Transport::File
        | Transport::FileOffset
        | Transport::FileFdset
        | Transport::Exec => words.contains(address),
    }
}
