//! `failure`: what must fail did, and for the reason that the case names.
//!
//! The reason is told by text: QMP's errors have no code. The texts are those of QEMU 5.2 to 11.1.

use migratrix_history::Side;
use migratrix_matrix::{Address, End, Failure, Raw};

use super::seen::route;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        reasons::no,
    },
};

/// What QEMU says in each class. The most telling come first: a side that is turned away for its
/// name sees its connection end in the middle of the handshake, too.
const TEXTS: [(Failure, &[&str]); 5] = [
    (Failure::Uuid, &["UUID received is"]),
    (Failure::Authorization, &["authz check for"]),
    (
        Failure::Hostname,
        &[
            "Certificate does not match the hostname",
            "No hostname for certificate validation",
            "No hostname available for TLS",
        ],
    ),
    (
        Failure::Handshake,
        &[
            "TLS handshake failed",
            "Verify failed",
            "No certificate was found",
            "No certificate peers",
        ],
    ),
    (
        Failure::Connection,
        &["Failed to connect to", "Connection refused"],
    ),
];

/// The migration failed or was refused, as the case says and for the reason that it says.
pub(super) fn failure(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    match raw.expectation().end {
        End::Failed(wanted) => failed(evidence, wanted),
        End::Refused => refused(evidence, raw),
        End::Completed | End::Cancelled => {
            Err(Verdict::unknown("the case doesn't say that anything fails"))
        }
    }
}

fn failed(evidence: &Evidence<'_>, wanted: Failure) -> Judged {
    let host = evidence.host(Side::Source);
    if evidence.refusal()?.is_none() {
        match evidence.last_status(Side::Source)? {
            "failed" => {}
            last @ ("completed" | "cancelled") => {
                return Ok(Verdict::fail(format!(
                    "expected {}, the migration on {host} is {last}",
                    told(wanted)
                )));
            }
            last if evidence.is_stuck().is_some() => {
                let why = evidence.is_stuck().unwrap_or_default();
                return Ok(Verdict::fail(format!(
                    "expected {}, the migration on {host} is stuck in `{last}`: {why}",
                    told(wanted)
                )));
            }
            last => {
                return Err(evidence.unseen(&format!("the migration was last seen in `{last}`")));
            }
        }
    }
    let Some((class, text)) = class(&evidence.complaints()) else {
        let why = evidence.told_why();
        return Err(evidence.unseen(&format!("it failed, and no text tells its class ({why})")));
    };
    Ok(Verdict::pass_if(class == wanted, || {
        let (wanted, class) = (told(wanted), told(class));
        format!("expected {wanted}, the migration on {host} failed for {class}: {text}")
    }))
}

/// The class that the texts tell of, and the text that does.
fn class<'t>(texts: &[&'t str]) -> Option<(Failure, &'t str)> {
    TEXTS.into_iter().find_map(|(class, fragments)| {
        let says = |text: &&&str| fragments.iter().any(|fragment| text.contains(fragment));
        texts.iter().find(says).map(|text| (class, *text))
    })
}

const fn told(class: Failure) -> &'static str {
    match class {
        Failure::Connection => "a failure to connect",
        Failure::Handshake => "a failure to agree on keys",
        Failure::Hostname => "a failure of the host's name",
        Failure::Authorization => "a failure to be admitted",
        Failure::Uuid => "a failure of the UUIDs",
    }
}

fn refused(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let host = evidence.host(Side::Source);
    let Some(refusal) = evidence.refusal()? else {
        let states = route(&evidence.statuses(Side::Source));
        return Ok(Verdict::fail(format!(
            "expected a refusal, {host} took the command and came through {states}"
        )));
    };
    let wanted = refusals(raw.address);
    let right = wanted.iter().any(|text| refusal.message.contains(text));
    Ok(Verdict::pass_if(right, || {
        let (wanted, no) = (wanted.join("` or `"), no(refusal));
        format!("expected a refusal that says `{wanted}`, {host} says: {no}")
    }))
}

/// What QEMU says of an address that can't be.
const fn refusals(address: Address) -> &'static [&'static str] {
    match address {
        Address::Both | Address::Neither => &[
            "need either 'uri' or 'channels'",
            "mutually exclusive",
            "'uri' is missing",
        ],
        Address::Uri | Address::Channels => &["bad offset"],
    }
}
