//! What went by between the two sides, and what it tells of the stream: whether it is encrypted, and what
//! came back.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Observation, Wire};
use migratrix_matrix::{Raw, Tls};

use crate::{Verdict, checks::evidence::Evidence};

/// What each direction of a connection with TLS begins with, in hexadecimal: a record of a handshake (22)
/// of some version of it (3, and a further byte), by RFC 5246, 6.2.1, and RFC 8446, 5.1.
const HANDSHAKE: &str = "1603";

/// What every stream begins with, `QEVM` (`QEMU_VM_FILE_MAGIC`).
const STREAM: &str = "5145564d";

/// The message by which a destination says that it is ready for the switchover
/// (`MIG_RP_MSG_SWITCHOVER_ACK` in `migration/migration.h`).
const READY: u16 = 7;

/// A relay's addresses.
pub(super) struct Relayed<'h> {
    pub from: &'h str,
    pub to: &'h str,
}

/// Between which addresses the stream was passed on.
pub(super) fn relayed<'h>(evidence: &Evidence<'h>) -> Vec<Relayed<'h>> {
    let all = evidence.all(|saw| match saw {
        Observation::Wire {
            from: Some(from),
            to: Some(to),
            ..
        } => Some(Relayed { from, to }),
        _ => None,
    });
    all.into_iter().map(|(_, relayed)| relayed).collect()
}

/// Whether what went by was to be looked at.
pub(super) fn is_shown(evidence: &Evidence<'_>, raw: &Raw) -> bool {
    raw.is_wired() && evidence.records_traces()
}

/// What is wrong with what went by: something in the clear that is to be encrypted, or the reverse.
pub(super) fn wrong(evidence: &Evidence<'_>, raw: &Raw) -> Result<Option<String>, Verdict> {
    if !is_shown(evidence, raw) {
        return Ok(None);
    }
    let shown = shown(evidence)?;
    Ok(match raw.tls == Tls::None {
        true => hidden(&shown, raw),
        false => in_the_clear(&shown),
    })
}

/// What is wrong with what came back on a stream that is not encrypted: nothing did, or not that the
/// destination is ready where it is to say so.
pub(super) fn unanswered(
    evidence: &Evidence<'_>,
    says_ready: bool,
) -> Result<Option<String>, Verdict> {
    let shown = shown(evidence)?;
    let streams = shown.iter().filter(|one| one.sent.starts_with(STREAM));
    let came: Vec<u16> = streams.flat_map(|one| messages(&one.received)).collect();
    Ok(match came.is_empty() {
        true => Some("nothing came back to it from the destination".to_owned()),
        false => (says_ready && !came.contains(&READY)).then(|| {
            format!("it was not told that the destination is ready: the messages {came:?} came")
        }),
    })
}

/// The connections over which something went.
fn shown<'h>(evidence: &Evidence<'h>) -> Result<Vec<&'h Wire>, Verdict> {
    let all = evidence.all(|saw| match saw {
        Observation::Wire { connections, .. } => Some(connections),
        _ => None,
    });
    let all = all.into_iter().flat_map(|(_, connections)| connections);
    let used: Vec<_> = all.filter(|one| !one.sent.is_empty()).collect();
    match used.is_empty() {
        true => Err(evidence.unseen("what went by between the two sides was not seen")),
        false => Ok(used),
    }
}

fn in_the_clear(shown: &[&Wire]) -> Option<String> {
    let mut numbered = (1..).zip(shown);
    numbered.find_map(|(number, one)| {
        let ways = [("to the destination", &one.sent), ("back", &one.received)];
        let is_bare = |(_, bytes): &&(&str, &String)| {
            !bytes.is_empty() && !bytes.starts_with(HANDSHAKE)
        };
        let of = format!("connection {number} of {}", shown.len());
        match ways.iter().find(is_bare) {
            Some((way, bytes)) => Some(format!(
                "{of} is not encrypted: what went {way} begins with {bytes}, and not with a handshake"
            )),
            None => one
                .stamped
                .then(|| format!("the guest's memory went over {of} in the clear")),
        }
    })
}

fn hidden(shown: &[&Wire], raw: &Raw) -> Option<String> {
    if !shown.iter().any(|one| one.sent.starts_with(STREAM)) {
        let first = shown.first().map_or("", |one| &one.sent);
        return Some(format!(
            "no connection begins as a stream does ({STREAM}), the first one with {first}"
        ));
    }
    let is_seen = raw.sends_compressed() || shown.iter().any(|one| one.stamped);
    (!is_seen).then(|| "the guest's memory did not go by as it is".to_owned())
}

/// The kinds of the messages of a return path, as far as they were kept: each has a kind and a length, of
/// two bytes each, and so many bytes.
fn messages(hexadecimal: &str) -> Vec<u16> {
    let byte = |at: usize| u8::from_str_radix(hexadecimal.get(2 * at..2 * at + 2)?, 16).ok();
    let number = |at: usize| Some(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    let mut at = 0;
    let next = || {
        let (kind, length) = (number(at)?, number(at + 2)?);
        at += 4 + usize::from(length);
        Some(kind)
    };
    std::iter::from_fn(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_a_return_path_are_read_one_after_the_other() {
        // A pong (2) with its number, that it is ready (7), and a shut (1) that was cut.
        assert_eq!(messages("000200040000000100070000000100"), [2, 7]);
        assert_eq!(messages("0002000400000001000700000001000400"), [2, 7, 1]);
        assert_eq!(messages(""), [] as [u16; 0]);
    }
}
