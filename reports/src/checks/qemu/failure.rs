//! `expected-error`: what must fail did, and for the reason that the case names.
//!
//! The reason is told by text: QMP's errors have no code. Sentences change from release to release, so
//! what counts is what they name. The texts are those of QEMU 5.2 to 11.1.

use migratrix_history::Side;
use migratrix_matrix::{Address, End, Failure, Raw};

use super::{
    migrated::{times, times_told},
    seen::route,
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::{is_refusal_of, listed, names, no},
    },
};

/// What QEMU names in each class, a group of words for each of its ways to say it. The most telling
/// come first: a side that is turned away for its name sees its connection end in the middle of the
/// handshake, too.
const TEXTS: [(Failure, &[&[&str]]); 5] = [
    (Failure::Uuid, &[&["uuid received"]]),
    (Failure::Authorization, &[&["authz check"]]),
    (
        Failure::Hostname,
        &[&["certificate", "hostname"], &["hostname", "tls"]],
    ),
    // QEMU says of a certificate that it is not trusted, or has no known issuer, or has expired, ….
    (
        Failure::Handshake,
        &[&["tls handshake"], &["verify failed"], &["certificate"]],
    ),
    (
        Failure::Connection,
        &[&["failed to connect"], &["connection refused"]],
    ),
];

/// What QEMU says of a connection that is there no more.
const BROKEN: &[&[&str]] = &[
    &["unable to write to socket"],
    &["unable to read from socket"],
    &["tls channel"],
    &["tls session"],
    &["tls output"],
    &["broken pipe"],
    &["connection reset"],
    &["input/output error"],
    &["end of file"],
];

/// The migration failed or was refused, as the case says and for the reason that it says.
pub(super) fn failure(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    match raw.expectation().end {
        End::Failed(_) | End::Refused if times_told(evidence) == 0 => {
            Err(evidence.unseen("the source was not told to migrate"))
        }
        End::Failed(_) | End::Refused if times_told(evidence) != times(raw.incident) => {
            Ok(Verdict::fail(format!(
                "expected one migration that fails, the source was told {} times to migrate",
                times_told(evidence)
            )))
        }
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
    if let Ok((_, job)) = evidence.job()
        && job.kind == "completed"
    {
        return Ok(Verdict::fail(format!(
            "the migration on {host} failed, and its statistics call it completed"
        )));
    }
    let complaints = evidence.complaints();
    // `error-desc` is optional, and 7.2 has none of this failure: that it was struck is told by `incident`.
    if wanted == Failure::Broken && complaints.is_empty() {
        return Ok(Verdict::Pass);
    }
    let broken = (wanted == Failure::Broken).then(|| broken(&complaints));
    let Some((class, text)) = class(&complaints).or(broken.flatten()) else {
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
    TEXTS.into_iter().find_map(|(class, ways)| {
        let says = |text: &&&str| ways.iter().any(|words| names(text, words));
        texts.iter().find(says).map(|text| (class, *text))
    })
}

/// The text that tells of nothing but a connection that broke off. Every failure is noticed so by one of the
/// sides, so that it counts only where no other one is told, and none other is expected.
fn broken<'t>(texts: &[&'t str]) -> Option<(Failure, &'t str)> {
    let says = |text: &&&str| BROKEN.iter().any(|words| names(text, words));
    let text = texts.iter().find(says)?;
    Some((Failure::Broken, *text))
}

const fn told(class: Failure) -> &'static str {
    match class {
        Failure::Connection => "a failure to connect",
        Failure::Handshake => "a failure to agree on keys",
        Failure::Hostname => "a failure of the host's name",
        Failure::Authorization => "a failure to be admitted",
        Failure::Uuid => "a failure of the UUIDs",
        Failure::Broken => "a connection that breaks off",
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
    let wanted = refused_for(raw.address);
    Ok(Verdict::pass_if(is_refusal_of(refusal, wanted), || {
        let (wanted, no) = (listed(wanted), no(refusal));
        format!("expected a refusal that names {wanted}, {host} says: {no}")
    }))
}

/// What QEMU names of an address that can't be: the arguments that contradict each other, the one
/// that is missing, the part that makes no sense.
///
/// Of none at all 8.1 and older say `Parameter 'uri' is missing`, 8.2 says `neither 'uri' or
/// 'channels' argument are specified in 'migrate' qmp command`, and later ones `need either 'uri' or
/// 'channels' argument`; of both 8.2 says that they `are mutually exclusive`.
const fn refused_for(address: Address) -> &'static [&'static str] {
    match address {
        Address::Both => &["'uri'", "'channels'"],
        Address::Neither => &["'uri'"],
        Address::Uri | Address::Channels => &["offset"],
    }
}

#[cfg(test)]
mod tests {
    use migratrix_history::Refusal;

    use super::*;

    fn refuses(address: Address, message: &str) -> bool {
        let refusal = Refusal {
            code: 0,
            domain: 0,
            message: message.to_owned(),
        };
        is_refusal_of(&refusal, refused_for(address))
    }

    #[test]
    fn a_migration_without_address_is_refused_in_the_words_of_every_release() {
        for words in [
            "GenericError: Parameter 'uri' is missing",
            "GenericError: neither 'uri' or 'channels' argument are specified in 'migrate' qmp command ",
            "GenericError: need either 'uri' or 'channels' argument",
        ] {
            assert!(refuses(Address::Neither, words), "{words}");
        }
        for words in [
            "GenericError: 'uri' and 'channels' arguments are mutually exclusive; exactly one of the \
             two should be present in 'migrate' qmp command ",
            "GenericError: need either 'uri' or 'channels' argument",
        ] {
            assert!(refuses(Address::Both, words), "{words}");
        }
        let bad = "GenericError: file URI has bad offset 0x20M: Invalid argument";
        assert!(refuses(Address::Uri, bad));
    }

    #[test]
    fn a_refusal_for_another_reason_is_none() {
        let other = "GenericError: There's a migration process in progress";
        for address in [
            Address::Both,
            Address::Neither,
            Address::Uri,
            Address::Channels,
        ] {
            assert!(!refuses(address, other), "{address}");
        }
        assert!(!refuses(Address::Neither, "CommandNotFound: no 'uri'"));
        assert!(!refuses(
            Address::Both,
            "GenericError: Parameter 'uri' is missing"
        ));
    }

    #[test]
    fn each_class_is_told_by_any_of_its_words() {
        let told = |text| class(&[text]).map(|(class, _)| class);
        for (text, wanted) in [
            (
                "TLS handshake failed: Error in the pull function.",
                Failure::Handshake,
            ),
            (
                "The certificate hasn't got a known issuer",
                Failure::Handshake,
            ),
            ("The certificate has expired", Failure::Handshake),
            (
                "Verify failed: No certificate was found.",
                Failure::Handshake,
            ),
            ("No certificate peers", Failure::Handshake),
            (
                "Certificate does not match the hostname a.test",
                Failure::Hostname,
            ),
            ("No hostname for certificate validation", Failure::Hostname),
            ("No hostname available for TLS", Failure::Hostname),
            (
                "TLS x509 authz check for CN=a is denied",
                Failure::Authorization,
            ),
            ("UUID received is 1 and local is 2", Failure::Uuid),
            (
                "Failed to connect to '/s': No such file or directory",
                Failure::Connection,
            ),
            (
                "Failed to connect socket: Connection refused",
                Failure::Connection,
            ),
        ] {
            assert_eq!(told(text), Some(wanted), "{text}");
        }
        assert_eq!(told("Unable to write to socket: Broken pipe"), None);
    }
}
