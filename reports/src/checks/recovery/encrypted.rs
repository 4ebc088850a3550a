//! Whether what was done to certificates is what the migration met: by what its refusal says, or by what its hosts
//! were asked for.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "one kind of observation is picked"
)]

use migratrix_history::{Observation, Outcome, Party};
use migratrix_matrix::Strike;

use super::ending::{Told, told};
use crate::{Verdict, checks::evidence::Evidence};

/// The flag that asks for encryption.
const FLAG: &str = "VIR_MIGRATE_TLS";

/// What the source's QEMU says of a certificate whose issuer it does not know, and what the destination's says
/// when the source has turned away for that.
const FOREIGN: [&str; 2] = [
    "hasn't got a known issuer",
    "Verify failed: No certificate was found",
];

/// What the destination's QEMU says of its own certificate.
const EXPIRED: [&str; 1] = ["server-cert.pem has expired"];

/// The certificates were what strikes; nothing where that is none of theirs.
pub(super) fn encrypted(evidence: &Evidence<'_>, strike: Strike) -> Result<(), Verdict> {
    let words: &[&str] = if strike == Strike::TlsForeign {
        &FOREIGN
    } else if strike == Strike::TlsExpired {
        &EXPIRED
    } else if strike == Strike::TlsRight {
        return asked(evidence);
    } else {
        return Ok(());
    };
    let (told, _) = told(evidence)?;
    let said = match told {
        Told::Answer(Outcome::Refused(refusal)) => refusal.message.as_str(),
        Told::Answer(Outcome::Done | Outcome::Unknown { .. }) | Told::Silence(_) => "nothing",
    };
    if words.iter().any(|word| said.contains(word)) {
        return Ok(());
    }
    Err(Verdict::unknown(format!(
        "what was refused does not tell of {strike}: {said}"
    )))
}

/// The destination was asked to prepare for a stream that is encrypted.
fn asked(evidence: &Evidence<'_>) -> Result<(), Verdict> {
    let captured = evidence.last(|saw| match saw {
        Observation::Traffic(traffic) => Some(traffic),
        _ => None,
    });
    let calls = captured.into_iter().flat_map(|traffic| &traffic.calls);
    let mut flags = calls
        .filter(|call| call.to == Party::Destination)
        .filter_map(|call| call.flags.as_ref());
    let is_asked = flags.any(|flags| flags.iter().any(|flag| flag == FLAG));
    let unseen = || evidence.unseen(&format!("the destination was not asked for {FLAG}"));
    is_asked.then_some(()).ok_or_else(unseen)
}
