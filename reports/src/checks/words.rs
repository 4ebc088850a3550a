//! How places, moments, refusals and domains are told to people.

use migratrix_history::{DomainInfo, DomainState, Refusal, Side, When};
use migratrix_matrix::{ReleaseName, Version};

/// A refusal with its codes, for people.
pub(super) fn no(refusal: &Refusal) -> String {
    let Refusal {
        code,
        domain,
        message,
    } = refusal;
    format!("{message} (error code {code}, domain {domain})")
}

/// Whether QEMU refused for the thing that is named by `words`. Its sentences change from release to
/// release, and its quotes too; what they name stays, and so does the class of the error.
pub(super) fn is_refusal_of(refusal: &Refusal, words: &[&str]) -> bool {
    refusal.message.starts_with("GenericError") && names(&refusal.message, words)
}

/// Whether a text names all of this, in capital letters or small ones.
pub(super) fn names(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// Words that must be named, for people.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(" and ")
}

pub(super) const fn place(side: Side) -> &'static str {
    match side {
        Side::Source => "the source",
        Side::Destination => "the destination",
    }
}

pub(super) const fn moment(when: When) -> &'static str {
    match when {
        When::Before => "before the migration",
        When::During => "during the migration",
        When::After => "after the migration",
        When::Writing => "while the guest writes",
    }
}

/// A place with its release and versions, for people.
pub(super) fn told(
    side: Side,
    release: &ReleaseName,
    libvirt: Option<Version>,
    qemu: Option<Version>,
) -> String {
    let version =
        |name, of: Option<Version>| of.map_or(String::new(), |of| format!(", {name} {of}"));
    let (libvirt, qemu) = (version("libvirt", libvirt), version("QEMU", qemu));
    format!("{} ({release}{libvirt}{qemu})", place(side))
}

pub(super) fn seen(look: &DomainState) -> String {
    match look {
        DomainState::Present(domain) => format!("one: {}", whole(domain)),
        DomainState::Absent => "nothing of that name".to_owned(),
    }
}

pub(super) const fn kept(persistent: bool) -> &'static str {
    if persistent {
        "persistent"
    } else {
        "transient"
    }
}

/// Its state and reason, for people.
pub(super) fn state(domain: &DomainInfo) -> String {
    let activity = if domain.active { "active" } else { "inactive" };
    format!("{activity}, {} ({})", domain.state, domain.reason)
}

/// All that tells a wrong domain from the right one, for people.
pub(super) fn whole(domain: &DomainInfo) -> String {
    format!(
        "{}, {}, UUID {}",
        state(domain),
        kept(domain.persistent),
        domain.uuid
    )
}
